"""A recovered discussion is corrected with the keyboard alone, published, imported again, and the corrections stand."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Locator, Page, ViewportSize, expect

from tests.browser.conftest import REAL, ROOT, Demo, sign_in
from tests.browser.test_journey import PASTED, import_text

SAMPLE = sorted((ROOT / "archive" / "samples").glob("*.txt"))
MANY = 2_000  # comments


def source_text() -> str:
    """The real source where there is one, with a line of ours in front so that it is a discussion of its own."""
    found = (REAL or SAMPLE)[:1]
    return found[0].read_text() if found else PASTED


def imported(page: Page, text: str) -> int:
    """Paste a text into the import form, wait for it, and return the number of its article."""
    import_text(page, text, "Review Site")
    expect(page.get_by_role("heading", name="Where every character went")).to_be_visible(timeout=60_000)
    address = page.get_by_role("link", name="in the admin").get_attribute("href") or ""
    return int(re.findall(r"\d+", address)[0])


def opened(page: Page, demo: Demo, text: str) -> int:
    """Import a text, take it into review, and open the page."""
    sign_in(page, demo, "archivist")
    article = imported(page, text)
    page.goto(f"/admin/archive/article/{article}/review/")
    page.get_by_role("button", name="Reopen").click()
    # Not by expect(): at each look it describes the whole page for its message, and so a long one is never drawn.
    page.locator("#review.ready").wait_for(timeout=10_000)
    return article


def press(page: Page, key: str) -> None:
    """One key, and the answer to it."""
    with page.expect_response(lambda response: response.request.method == "POST") as answered:
        page.keyboard.press(key)
    assert answered.value.ok, answered.value.text()
    expect(page.locator("#review.saving")).to_have_count(0)


def go_to(page: Page, line: int) -> None:
    """Walk to a line with the arrow keys."""
    for _ in range(500):
        here = int(page.locator("#source .here .no").text_content() or 0)
        if here == line:
            return
        page.keyboard.press("ArrowDown" if here < line else "ArrowUp")
    pytest.fail(f"line {line} was not reached")


def structure(page: Page) -> list[tuple[str, str]]:
    """Each comment's place and what it answers, as the right pane has it."""
    rows = page.locator("#thread li .head").evaluate_all(
        "heads => heads.map(h => [h.querySelector('.place').textContent, h.querySelector('.to').textContent])"
    )
    return [(place, answers) for place, answers in rows]


def test_a_discussion_is_corrected_with_the_keyboard_alone(page: Page, demo: Demo) -> None:
    text = "Reviewed by hand: a second life of the page\n" + source_text()
    article = opened(page, demo, text)
    last = int(page.locator("#source li .no").last.text_content() or 0)
    proposed = structure(page)

    go_to(page, last - 8)
    press(page, "e")  # all below is one comment or several; the next line starts the first
    for line in range(last - 7, last + 1):
        go_to(page, line)
        if "start" not in (page.locator("#source .here").get_attribute("class") or "").split():
            press(page, "s")  # splits
    assert [place for place, _ in structure(page)] == [f"line {n}" for n in range(last - 7, last + 1)]
    go_to(page, last - 5)
    press(page, "m")  # join
    go_to(page, last - 3)
    press(page, "ArrowRight")  # re-parent: indent
    go_to(page, last)
    page.keyboard.press("r")  # re-parent: pick the first comment
    for _ in range(20):
        page.keyboard.press("ArrowUp")
    page.keyboard.press("ArrowDown")
    press(page, "Enter")
    before = structure(page)
    go_to(page, last - 1)
    press(page, "x")
    assert structure(page) != before
    press(page, "u")
    assert structure(page) == before != proposed
    assert (f"lines {last - 6}–{last - 5}", "") in before
    assert (f"line {last}", f"answers line {last - 7}") in before
    assert (f"line {last - 3}", f"answers line {last - 4}") in before

    press(page, "A")
    page.keyboard.press("Enter")
    page.keyboard.press("Enter")
    expect(page.get_by_text("Published. Readers see it now.")).to_be_visible()
    rows = (
        "SELECT string_agg(id || ':' || coalesce(parent_id, 0) || ':' || md5(body), ' ' ORDER BY thread_rank)"
        f" FROM archive_comment WHERE article_id = {article}"
    )
    stored = demo.value(rows)
    assert demo.value(f"SELECT count(*) FROM archive_comment WHERE article_id = {article}") == 7
    assert demo.value(f"SELECT count(*) FROM archive_decision WHERE article_id = {article} AND action = 'correct'")

    assert imported(page, text) == article  # again
    assert demo.value(rows) == stored
    page.goto(f"/a/{article}/-/")
    expect(page.locator("ol.thread li")).to_have_count(7)


def test_two_archivists_are_told_of_each_other(browser: Browser, page: Page, demo: Demo) -> None:
    article = opened(page, demo, PASTED.replace("Sunday", "Tuesday"))
    other = browser.new_context(base_url=demo.url).new_page()
    sign_in(other, demo, "administrator")
    other.goto(f"/admin/archive/article/{article}/review/")
    go_to(other, 6)
    press(page, "A")
    other.keyboard.press("e")
    expect(other.locator("#said")).to_contain_text("archivist: all that is left is right")
    expect(other.locator("#thread li.settled")).not_to_have_count(0)
    other.context.close()


def test_the_mouse_does_what_the_keys_do(page: Page, demo: Demo) -> None:
    opened(page, demo, PASTED.replace("Sunday", "Thursday"))
    page.locator("#source li").nth(6).click()
    page.get_by_role("button", name="article ends").click()
    expect(page.locator("#thread li")).to_have_count(1)
    page.get_by_role("button", name="author, date").click()
    page.get_by_label("Author", exact=True).fill("Ilse <b>")
    page.get_by_role("textbox", name="Date").fill("2017-03-14 21:07")
    page.get_by_role("button", name="Save").click()
    expect(page.locator("#thread .who")).to_have_text("Ilse <b>")
    expect(page.locator("#thread .when")).to_have_text("2017-03-14 21:07")


class Hand:
    """Does by touch or with the mouse what the keys do."""

    def __init__(self, page: Page, *, touches: bool) -> None:
        self.page, self.touches = page, touches

    def on(self, target: Locator) -> None:
        target.tap() if self.touches else target.click()

    def line(self, number: int) -> None:
        self.on(self.page.locator("#source li").nth(number - 1))

    def button(self, name: str) -> None:
        self.on(self.page.locator(f"[data-do={name}]"))

    def act(self, *names: str) -> None:
        """Buttons one after another, each answered by the archive."""
        for name in names:
            with self.page.expect_response(lambda response: response.request.method == "POST") as answered:
                self.button(name)
            assert answered.value.ok, answered.value.text()
            expect(self.page.locator("#review.saving")).to_have_count(0)

    def pane(self, name: str) -> None:
        """On a phone one of the two is shown."""
        if self.touches:
            self.on(self.page.get_by_role("button", name=name, exact=True))


@pytest.mark.parametrize("touches", [True, False])
def test_each_correction_has_a_way_for_a_hand(browser: Browser, demo: Demo, touches: bool) -> None:
    size: ViewportSize = {"width": 390, "height": 844} if touches else {"width": 1280, "height": 900}
    context = browser.new_context(base_url=demo.url, has_touch=touches, is_mobile=touches, viewport=size)
    page = context.new_page()
    opened(page, demo, PASTED.replace("Sunday", f"holiday {touches}"))
    hand = Hand(page, touches=touches)
    hand.act("accept")
    hand.line(4)
    hand.act("article_end")
    for line in (6, 7, 8):
        hand.line(line)
        if "start" not in (page.locator("#source .here").get_attribute("class") or "").split():
            hand.act("start")
    hand.line(6)
    hand.act("join")
    for line in (7, 8):
        hand.line(line)
        while dict(structure(page))[f"line {line}"]:
            hand.act("outdent")
    hand.line(7)
    hand.act("indent")
    assert structure(page) == [("lines 5–6", ""), ("line 7", "answers lines 5–6"), ("line 8", "")]
    hand.act("outdent", "undo", "redo")
    hand.line(8)
    hand.button("reply")
    hand.pane("Discussion")
    hand.on(page.locator("#thread li .body").first)
    hand.act("pick")
    assert structure(page) == [("lines 5–6", ""), ("line 8", "answers lines 5–6"), ("line 7", "")]
    hand.pane("Source")
    hand.line(7)
    hand.act("leave_out")
    expect(page.locator("#source .out")).to_have_count(1)
    hand.line(7)
    hand.act("leave_out")  # takes it back in
    hand.line(5)
    hand.button("select")
    hand.line(6)
    hand.act("start")
    hand.line(5)
    hand.button("author")
    page.get_by_label("Author", exact=True).fill("Ilse")
    hand.on(page.get_by_role("button", name="Save"))
    expect(page.locator("#thread .who").first).to_have_text("Ilse")
    hand.act("accept_rest")
    expect(page.locator("#count")).to_contain_text("nothing open")
    hand.button("publish")
    hand.on(page.locator("#confirm").get_by_role("button", name="Publish"))
    expect(page.get_by_text("Published. Readers see it now.")).to_be_visible()
    context.close()


ALIGNED = """() => {
  const [line, comment] = ["source", "thread"].map((id) => {
    const box = document.getElementById(id).getBoundingClientRect();
    const at = (y) => document.elementFromPoint(box.left + box.width / 2, y).closest("li");
    return at(box.top + box.height / 3) ?? at(box.top + box.height / 3 + 12);
  });
  const number = (item, name) => Number(item.querySelector(name).textContent.match(/[0-9]+/)[0]);
  return line && comment && number(line, ".no") === number(comment, ".place");
}"""


def test_the_panes_scroll_together(fresh: Page, demo: Demo) -> None:
    remarks = [f"I think that remark number {n} is quite wrong, you know!" + " And so on." * (n % 7) for n in range(60)]
    opened(fresh, demo, "A headline of a page\nThe town said so on Monday, in a report.\n" + "\n".join(remarks))
    every_line_a_comment(fresh)
    expect(fresh.locator("#thread li")).to_have_count(60)
    for pane, down in (("#source", 900), ("#thread", 800), ("#source", -500)):
        fresh.locator(pane).hover()
        before = fresh.locator(pane).evaluate("pane => pane.scrollTop")
        fresh.mouse.wheel(0, down)
        moved = "([pane, before]) => Math.abs(document.querySelector(pane).scrollTop - before) > 300"
        fresh.wait_for_function(moved, arg=[pane, before])
        fresh.wait_for_function(ALIGNED)


def test_who_comes_back_goes_on_where_they_were(page: Page, demo: Demo) -> None:
    article = opened(page, demo, PASTED.replace("Sunday", "Wednesday"))
    press(page, "y")
    go_to(page, 7)
    page.goto("/admin/archive/article/review/")
    page.goto(f"/admin/archive/article/{article}/review/")
    expect(page.locator("#source .here .no")).to_have_text("7")
    page.keyboard.press("n")
    expect(page.locator("#question")).to_contain_text("?")


def test_several_lines_are_one_step(page: Page, demo: Demo) -> None:
    opened(page, demo, PASTED.replace("Sunday", "Friday"))
    before = structure(page)
    go_to(page, 5)
    page.keyboard.press("Shift+ArrowDown")
    page.keyboard.press("Shift+ArrowDown")
    expect(page.locator("#question")).to_contain_text("3 lines are selected, 5–7")
    press(page, "x")
    expect(page.locator("#source .out")).to_have_count(3)
    expect(page.locator("#source .sel")).to_have_count(0)
    press(page, "u")
    assert structure(page) == before
    page.locator("#source li").nth(4).click()
    page.locator("#source li").nth(6).click(modifiers=["Shift"])
    press(page, "s")
    assert {"line 5", "line 6", "line 7"} <= {place for place, _ in structure(page)}
    page.locator("#source li").nth(4).click()
    page.get_by_role("button", name="select lines").click()  # the way of a finger
    page.locator("#source li").nth(6).click()
    press(page, "m")
    assert "lines 5–7" in {place for place, _ in structure(page)}


def test_a_draft_is_discarded(page: Page, demo: Demo) -> None:
    article = opened(page, demo, PASTED.replace("Sunday", "Saturday"))
    shown = f"SELECT string_agg(id || status || md5(body), ' ') FROM archive_comment WHERE article_id = {article}"
    before = demo.value(shown)
    expect(page.get_by_text("A draft: readers see")).to_be_visible()
    go_to(page, 5)
    press(page, "x")
    page.goto(f"/a/{article}/-/")
    expect(page.locator("ol.thread")).to_be_visible()
    page.goto(f"/admin/archive/article/{article}/review/")
    page.get_by_role("button", name="Discard").click()
    page.locator("#discard").get_by_role("button", name="Discard").click()
    expect(page.get_by_text("Discarded. Readers see what they saw all along.")).to_be_visible()
    assert demo.value(shown) == before


@pytest.mark.parametrize("width", [360, 1280])
def test_without_javascript_it_is_done_with_forms(browser: Browser, page: Page, demo: Demo, width: int) -> None:
    article = opened(page, demo, PASTED.replace("Sunday", f"Monday {width}"))
    lines = page.locator("#source li").count()
    plain = browser.new_context(base_url=demo.url, java_script_enabled=False, viewport={"width": width, "height": 900})
    other = plain.new_page()
    sign_in(other, demo, "archivist")
    other.goto(f"/admin/archive/article/{article}/review/")
    expect(other.locator("#source li")).to_have_count(lines)
    other.get_by_label("line 6", exact=True).check()
    other.get_by_role("button", name="Article ends here").click()
    expect(other.get_by_text("Saved: the article ends with line 6.")).to_be_visible()
    expect(other.get_by_label("line 6", exact=True)).to_be_checked()
    expect(other.locator("#thread ol > li")).not_to_have_count(0)
    other.screenshot(path=ROOT / "screenshots" / f"review-plain-{width}-light.png")
    assert other.evaluate("document.documentElement.scrollWidth") <= width
    other.get_by_role("button", name="Publish").click()
    expect(other.get_by_text("Published. Readers see it now.")).to_be_visible()
    plain.close()


@pytest.fixture
def fresh(browser: Browser, demo: Demo) -> Iterator[Page]:
    context = browser.new_context(base_url=demo.url)
    yield context.new_page()
    context.close()


def test_two_thousand_comments_are_corrected_without_redrawing_them(fresh: Page, demo: Demo) -> None:
    lines = [f"I think that remark number {n} is quite wrong, you know!" for n in range(MANY)]
    opened(fresh, demo, "A headline of the page\nThe town said so on Monday, in a long report.\n" + "\n".join(lines))
    every_line_a_comment(fresh)
    expect(fresh.locator("#thread li")).to_have_count(MANY)
    fresh.evaluate(
        "new MutationObserver(seen => window.updates = (window.updates ?? 0) + seen.length).observe(document.body,"
        " {subtree: true, childList: true, attributes: true, characterData: true})"
    )
    go_to(fresh, 20)
    for key, most in (("ArrowRight", 60), ("m", 60), ("u", 60), ("x", 60), ("ArrowLeft", 60)):
        fresh.evaluate("window.updates = 0")
        fresh.keyboard.press(key)
        expect(fresh.locator("#review.saving")).to_have_count(0)
        assert fresh.evaluate("window.updates") < most, key


def every_line_a_comment(page: Page) -> None:
    """Make each line below the second a comment, by the endpoint; the machine had found most of them."""
    starts = page.locator("#source li").evaluate_all("all => all.slice(2).map(li => Number(li.id.slice(1)))")
    version = json.loads(page.locator("#review-data").inner_text())["version"]
    token = page.locator("#token input").get_attribute("value")
    done = page.evaluate(
        """async ([starts, version, token]) => {
          for (const at of starts) {
            const li = document.querySelector(`#l${at}`);
            if (li.classList.contains("start")) continue;
            const body = JSON.stringify({version, operation: {op: "start", at}});
            const headers = {"Content-Type": "application/json", "X-CSRFToken": token};
            const answer = await (await fetch(location.pathname, {method: "POST", headers, body})).json();
            version = answer.version ?? version;
          }
          return version;
        }""",
        [starts, version, token],
    )
    assert done is not None
    page.reload()


@pytest.mark.parametrize("width", [360, 1280])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_review_page_fits_and_axe_is_content(browser: Browser, demo: Demo, scheme: str, width: int) -> None:
    context = browser.new_context(
        base_url=demo.url,
        color_scheme="dark" if scheme == "dark" else "light",
        viewport={"width": width, "height": 900},
    )
    page = context.new_page()
    errors: list[str] = []
    page.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
    opened(page, demo, PASTED.replace("Sunday", f"{scheme} {width}"))
    shots = Path(ROOT / "screenshots")
    shots.mkdir(exist_ok=True)
    page.screenshot(path=shots / f"review-{width}-{scheme}.png")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert Axe().run(page).violations_count == 0, Axe().run(page).generate_report()
    page.keyboard.press("Shift+ArrowUp")
    page.keyboard.press("Shift+ArrowUp")
    page.screenshot(path=shots / f"review-selection-{width}-{scheme}.png")
    assert Axe().run(page).violations_count == 0, Axe().run(page).generate_report()
    page.keyboard.press("?")
    assert Axe().run(page).violations_count == 0, Axe().run(page).generate_report()
    page.keyboard.press("Escape")
    page.goto("/admin/archive/article/review/")
    page.screenshot(path=shots / f"review-queue-{width}-{scheme}.png")
    assert Axe().run(page).violations_count == 0, Axe().run(page).generate_report()
    assert errors == []
    context.close()


def test_a_permalink_leads_to_the_comments_place_in_the_source(page: Page, demo: Demo) -> None:
    page.goto("/a/1/-/")
    page.locator("ol.thread .n").last.click()
    words = page.locator("li.here .body p").first.inner_text()
    page.locator("li.here .src").first.click()
    expect(page.locator("#here")).to_contain_text(words[:40])
    expect(page.locator("#here")).to_be_in_viewport()
    assert Axe().run(page).violations_count == 0, Axe().run(page).generate_report()
    page.locator("#here .part").click()
    expect(page).to_have_url(re.compile(r"/a/1/c/\d+/"))
