"""The moderators' queue: worked through with the keyboard alone, and by two people at once in two browsers."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import Demo, sign_in
from tests.browser.test_pages import errors_of, what_waits, without_what_waits

SHOTS = Path(__file__).parents[2] / "screenshots"


@pytest.fixture
def waiting(demo: Demo, discussions: dict[str, dict[str, Any]]) -> Iterator[None]:
    article = discussions["long"]["article"]
    what_waits(demo, article)
    yield
    demo.value(f"UPDATE archive_comment SET status = 'published', cause = '' WHERE article_id = {article} RETURNING id")
    without_what_waits(demo)


def press(page: Page, key: str) -> None:
    """A key that the server answers."""
    with page.expect_response(lambda response: "/admin/queue/" in response.url and "news" not in response.url):
        page.keyboard.press(key)


def rows(page: Page, kind: str) -> Any:
    return page.locator(f"#waits li{kind}")


def test_the_queue_is_worked_through_with_the_keyboard_alone(page: Page, demo: Demo, waiting: None) -> None:
    sign_in(page, demo, "moderator")
    errors = errors_of(page)
    page.goto("/admin/queue/")
    expect(page.locator("#queue.ready")).to_be_visible()
    tops = page.locator("#waits li").evaluate_all("found => found.map(li => li.dataset.id)")
    press(page, "a")
    expect(rows(page, ".done")).to_have_count(1)
    page.keyboard.press("e")
    page.keyboard.type("names a private person")
    press(page, "Enter")
    expect(rows(page, ".done")).to_have_count(2)
    press(page, "h")  # the reason is remembered
    expect(rows(page, ".done")).to_have_count(3)
    press(page, "s")
    expect(rows(page, ".done .state-spam")).to_have_count(1)
    assert page.locator("#waits li").evaluate_all("found => found.map(li => li.dataset.id)") == tops
    for _ in range(4):
        press(page, "u")
    expect(rows(page, ".done")).to_have_count(0)
    expect(page.locator("#waits li").first).to_have_class("here")
    press(page, "n")
    press(page, "k")
    press(page, "c")
    expect(page.locator(".card .what")).to_have_text("yours")
    page.keyboard.press("y")
    expect(page.locator("#history")).to_have_attribute("open", "")
    page.keyboard.press("?")
    expect(page.locator("#keys")).to_be_visible()
    page.keyboard.press("Escape")
    assert errors == []


def test_a_guess_is_found_right_with_a_key_and_taken_back(page: Page, demo: Demo, waiting: None) -> None:
    sign_in(page, demo, "moderator")
    page.goto("/admin/queue/?kind=doubt")
    expect(page.locator("#queue.ready")).to_be_visible()
    expect(page.locator(".why")).to_contain_text("Guessed that it answers #")
    press(page, "a")
    expect(rows(page, ".done")).to_contain_text("found right by moderator")
    press(page, "u")
    expect(rows(page, ".done")).to_have_count(0)


def test_two_moderators_see_what_the_other_decides(browser: Browser, demo: Demo, waiting: None) -> None:
    pages = []
    for role in ("moderator", "administrator"):
        page = browser.new_context(base_url=demo.url).new_page()
        sign_in(page, demo, role)
        page.goto("/admin/queue/")
        expect(page.locator("#queue.ready")).to_be_visible()
        pages.append(page)
    one, other = pages
    press(one, "s")
    other.keyboard.press("a")  # at what the first has just decided on
    expect(other.locator("#said, .problem").filter(has_text="removed as spam now").first).to_be_visible()
    press(one, "s")
    expect(rows(other, ".done")).to_have_count(2, timeout=15_000)
    expect(other.locator("#waits li").nth(1)).to_contain_text("by moderator")
    for page in pages:
        page.context.close()


def test_it_works_without_a_script(browser: Browser, demo: Demo, waiting: None) -> None:
    page = browser.new_context(base_url=demo.url, java_script_enabled=False).new_page()
    sign_in(page, demo, "moderator")
    page.goto("/admin/queue/")
    first = page.locator("#waits .here").get_attribute("data-id")
    page.get_by_role("button", name="Spam").click()
    expect(page.get_by_text("Marked as spam.")).to_be_visible()
    assert page.locator("#waits .here").get_attribute("data-id") != first
    page.get_by_role("button", name="Undo the last").click()
    expect(page.locator("#waits .here")).to_have_attribute("data-id", first or "")
    page.context.close()


def test_a_view_is_kept_found_again_and_deleted_without_a_script(browser: Browser, demo: Demo, waiting: None) -> None:
    page = browser.new_context(base_url=demo.url, java_script_enabled=False).new_page()
    sign_in(page, demo, "moderator")
    page.goto("/admin/queue/")
    page.get_by_label("Kind").select_option("duplicate")
    page.get_by_role("button", name="Show").click()
    page.get_by_text("Keep this as a view").click()
    page.get_by_label("Name of the view").fill("Twice")
    page.get_by_role("button", name="Keep").click()
    page.goto("/admin/queue/")
    page.get_by_role("link", name="Twice 4").click()
    expect(page.locator("#waits li")).to_have_count(4)
    page.get_by_text("Change this view").click()
    page.get_by_role("button", name="Delete the view").click()
    expect(page.get_by_text("“Twice” is deleted.")).to_be_visible()
    expect(page.locator(".views li", has_text="Twice")).to_have_count(0)
    page.context.close()


def test_a_view_is_kept_with_the_keyboard_alone(page: Page, demo: Demo, waiting: None) -> None:
    sign_in(page, demo, "moderator")
    page.goto("/admin/queue/?kind=duplicate&age=")
    SHOTS.mkdir(exist_ok=True)
    summary = page.locator(".views summary")
    summary.focus()
    page.keyboard.press("Enter")
    for width in (360, 1280):
        page.set_viewport_size({"width": width, "height": 800})
        page.screenshot(path=SHOTS / f"queue-keep-{width}.png")
    page.keyboard.press("Tab")
    page.keyboard.type("Said twice by a name that is rather long for a phone")
    page.keyboard.press("Enter")
    expect(page.locator(".views a[aria-current]")).to_contain_text("Said twice by a name")


def test_words_far_down_are_found_without_asking_again(page: Page, demo: Demo, waiting: None) -> None:
    kept = (
        "SELECT article_id, min(comment_id), kind, site_id FROM archive_waiting WHERE kind = 'report' GROUP BY 1, 3, 4"
    )
    demo.value(
        "INSERT INTO archive_waiting (kind, site_id, article_id, comment_id, subject_id, why, score, created_at)"
        " SELECT kind, site_id, article_id, min, n, '{}', 9, now()"
        f" FROM ({kept}) AS one, generate_series(1, 11000) AS n RETURNING id"
    )
    sign_in(page, demo, "moderator")
    page.goto("/admin/queue/?kind=duplicate")
    words = page.locator(".here .text").first.inner_text()[:12]
    page.goto(f"/admin/queue/?q={words}")
    expect(page.locator("#waits li").first).to_be_visible(timeout=15_000)
