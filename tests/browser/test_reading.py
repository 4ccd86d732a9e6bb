"""Reading without a mouse and without scripts: from the front page to an article, through its thread, and back."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import Demo

type Discussions = dict[str, dict[str, Any]]
TABS = 200  # enough to get anywhere on these pages


def tab_to(page: Page, wanted: Any) -> None:
    """Go to an element with the Tab key; on the way, everything that gets the focus shows it."""
    for _ in range(TABS):
        page.keyboard.press("Tab")
        focused = page.locator("*:focus")
        if wanted.evaluate("element => element === document.activeElement"):
            return
        assert not focused.count() or focused.evaluate("e => getComputedStyle(e).outlineStyle") != "none"
    pytest.fail("not reached with the Tab key")


def test_a_discussion_is_read_with_the_keyboard_alone(page: Page, discussions: Discussions) -> None:
    small = discussions["small"]
    page.goto("/")
    tab_to(page, page.locator("ol.articles").get_by_role("link", name="Council votes to replace the ferry"))
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Council votes to replace the ferry with a bridge")
    tab_to(page, page.get_by_role("link", name="Skip to the discussion"))
    page.keyboard.press("Enter")
    expect(page.locator("#discussion")).to_be_focused()
    for key in "jjj":
        page.keyboard.press(key)
    third = page.locator(f"#c{small['comments']['c']}")
    expect(third.locator("> .head")).to_be_focused()
    page.keyboard.press("o")
    expect(third.locator(".body").first).to_be_hidden()
    page.keyboard.press("o")
    tab_to(page, third.locator("> .head > .n"))
    page.keyboard.press("Enter")
    expect(page.locator("li.here")).to_have_count(1)
    expect(page).to_have_url(re.compile(f"/a/{small['article']}/c/{small['comments']['c']}/$"))
    tab_to(page, page.get_by_role("link", name="See it in the whole discussion"))
    page.keyboard.press("Enter")
    expect(page.locator("#discussion")).to_have_text("6 comments")
    page.keyboard.press("j")
    expect(page.locator(f"#c{small['comments']['d']} > .head")).to_be_focused()


@pytest.fixture(params=[True, False], ids=["scripts", "no-scripts"])
def either(browser: Browser, demo: Demo, request: pytest.FixtureRequest) -> Iterator[Page]:
    """A page with scripts, and one without."""
    context = browser.new_context(base_url=demo.url, java_script_enabled=request.param)
    yield context.new_page()
    context.close()


def test_all_pages_of_a_thread_are_reached(either: Page, discussions: Discussions) -> None:
    page = either
    page.goto(f"/a/{discussions['long']['article']}/-/")
    seen: list[str] = []
    while True:
        seen += page.locator("ol.thread li:not(.context)").evaluate_all("items => items.map(item => item.id)")
        further = page.locator(".pager a[rel=next]")
        if not further.count():
            break
        further.first.click()
        expect(page.locator(f"#{seen[-1]}:not(.context)")).to_have_count(0)
        page.wait_for_load_state()
    assert seen == [f"c{number}" for number in discussions["long"]["comments"].values()]


def test_the_longest_threads_stay_in_the_margin(page: Page, discussions: Discussions) -> None:
    page.set_viewport_size({"width": 1280, "height": 900})
    page.goto(f"/a/{discussions['long']['article']}/-/?rank=200")
    outline = page.get_by_role("navigation", name="The longest threads")
    page.locator("ol.thread > li").last.scroll_into_view_if_needed()
    expect(outline).to_be_in_viewport(ratio=0.9)
    outline.get_by_role("link").first.click()
    expect(page.locator("li:target")).to_be_in_viewport()
    page.set_viewport_size({"width": 360, "height": 700})
    page.get_by_role("link", name="The longest threads").first.click()
    expect(outline).to_be_in_viewport()


def test_a_part_of_a_thread_is_made_from_a_comments_page(either: Page, discussions: Discussions) -> None:
    page = either
    small = discussions["small"]
    page.goto(f"/a/{small['article']}/c/{small['comments']['b']}/")
    page.get_by_label("from this comment to number").fill("4")
    page.get_by_role("button", name="Show that part").click()
    ids = [small["comments"][name] for name in "bd"]
    expect(page).to_have_url(re.compile(rf"\?from={ids[0]}&to={ids[1]}#discussion$"))
    expect(page.locator("ol.thread li:not(.context)")).to_have_count(3)


def test_a_comment_folds_with_what_is_below_it(either: Page, discussions: Discussions) -> None:
    page = either
    small = discussions["small"]
    page.goto(f"/a/{small['article']}/-/")
    reply = page.locator(f"#c{small['comments']['d']}")
    page.locator(f"#c{small['comments']['a']} > details > summary").press("Enter")
    expect(reply).to_be_hidden()
    page.locator(f"#c{small['comments']['a']} > details > summary").press("Enter")
    expect(reply).to_be_visible()


def test_motion_is_left_out_where_it_is_not_wanted(browser: Browser, demo: Demo, discussions: Discussions) -> None:
    context = browser.new_context(base_url=demo.url, reduced_motion="reduce", viewport={"width": 800, "height": 300})
    page = context.new_page()
    page.goto(f"/a/{discussions['long']['article']}/-/")
    page.keyboard.press("j")
    before = page.evaluate("scrollY")
    page.evaluate("void (Element.prototype.scrollIntoView = function (how) { window.how = how.behavior })")
    page.keyboard.press("j")
    assert page.evaluate("window.how") == "instant"
    assert before > 0
    context.close()
