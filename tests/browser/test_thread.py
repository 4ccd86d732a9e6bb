"""A thread with a script: keys, what is new, folding that is remembered, parents at a glance, links to copy."""

from __future__ import annotations

import json
import re
import time
from typing import Any

import pytest
from playwright.sync_api import Page, Route, expect

type Discussions = dict[str, dict[str, Any]]

DAY = 24 * 60 * 60 * 1000


class Thread:
    """A thread in the browser, its comments known by their names in ``discussions.py``."""

    def __init__(self, page: Page, known: dict[str, Any]) -> None:
        self.page, self.article, self.ids = page, known["article"], known["comments"]

    def open(self, query: str = "") -> Thread:
        self.page.goto(f"/a/{self.article}/-/{query}")
        expect(self.page.locator(".thread-tools")).to_be_attached()
        return self

    def at(self, name: str) -> Any:
        return self.page.locator(f"#c{self.ids[name]}")

    def head(self, name: str) -> Any:
        return self.at(name).locator("> .head")

    def press(self, keys: str) -> None:
        for key in keys:
            self.page.keyboard.press(key)

    def visited(self, newest: str, days_ago: int = 3) -> None:
        """As if the reader had been here some days ago, when ``newest`` was the last comment to come."""
        kept = {"at": int(time.time() * 1000) - days_ago * DAY, "newest": self.ids[newest]}
        key, value = f"afterword:article:{self.article}", json.dumps(kept)
        self.page.evaluate("([key, value]) => localStorage.setItem(key, value)", [key, value])


@pytest.fixture
def small(page: Page, discussions: Discussions) -> Thread:
    return Thread(page, discussions["small"])


@pytest.fixture
def long(page: Page, discussions: Discussions) -> Thread:
    return Thread(page, discussions["long"])


@pytest.fixture
def deep(page: Page, discussions: Discussions) -> Thread:
    return Thread(page, discussions["deep"])


# --- Keys: the small thread is a(b c(d)) e(f) g -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("keys", "there"),
    [("j", "a"), ("jjj", "c"), ("jjk", "a"), ("jjJ", "c"), ("jjJK", "b"), ("jjjjp", "c"), ("jjjjt", "a"), ("jJ", "e")],
)
def test_a_key_is_a_step(small: Thread, keys: str, there: str) -> None:
    small.open().press(keys)
    expect(small.head(there)).to_be_focused()


def test_keys_skip_what_is_folded(small: Thread) -> None:
    small.open().press("joj")
    expect(small.head("e")).to_be_focused()
    small.press("kojj")
    expect(small.head("c")).to_be_focused()


def test_the_end_of_the_page_is_said_and_nothing_moves(small: Thread) -> None:
    small.open().press("jjjjjjjj")
    expect(small.head("g")).to_be_focused()
    expect(small.page.get_by_role("status")).to_have_text("This is the last comment of the page.")


def test_below_the_last_indent_the_parent_is_still_found(deep: Thread) -> None:
    deep.open(f"#c{deep.ids['n12']}").press("p")
    expect(deep.head("n11")).to_be_focused()


def test_tab_goes_on_from_the_comment(small: Thread) -> None:
    small.open().press("jj")
    small.page.keyboard.press("Tab")
    expect(small.head("b").get_by_role("link", name="P. Lindqvist")).to_be_focused()


def test_a_slash_searches_and_then_is_a_slash(small: Thread) -> None:
    small.open().press("/")
    expect(small.page.get_by_role("searchbox")).to_be_focused()
    small.press("/jo?")
    expect(small.page.get_by_role("searchbox")).to_have_value("/jo?")


@pytest.mark.parametrize("keys", ["Control+j", "Alt+j", "Meta+j", "Control+Shift+?"])
def test_keys_with_a_modifier_are_left_alone(small: Thread, keys: str) -> None:
    small.open().page.keyboard.press(keys)
    assert small.page.evaluate("document.activeElement === document.body")
    expect(small.page.get_by_role("dialog")).to_be_hidden()


def test_help_lists_the_keys_and_gives_the_focus_back(small: Thread) -> None:
    small.open().page.get_by_role("button", name="Keyboard shortcuts").press("Enter")
    dialog = small.page.get_by_role("dialog", name="Keyboard shortcuts")
    expect(dialog.locator("kbd")).to_have_text(list("jkJKptonN/?"))
    small.press("j")
    expect(dialog).to_be_visible()
    small.page.keyboard.press("Escape")
    expect(small.page.get_by_role("button", name="Keyboard shortcuts")).to_be_focused()


def test_keys_can_be_switched_off_for_good(small: Thread) -> None:
    small.open().press("?")
    small.page.get_by_label("Single keys").uncheck()
    small.page.get_by_role("button", name="Close").click()
    small.open().press("j?")
    assert small.page.evaluate("document.activeElement === document.body")
    expect(small.page.get_by_role("dialog")).to_be_hidden()


# --- Since last time --------------------------------------------------------------------------------------------------


def test_on_the_first_visit_nothing_is_new(small: Thread) -> None:
    small.open()
    expect(small.page.locator(".thread .new")).to_have_count(0)
    expect(small.page.locator(".since")).to_be_hidden()


def test_what_came_since_the_last_visit_is_marked_and_stepped_through(small: Thread) -> None:
    small.open().visited("c")
    small.open()
    expect(small.page.locator(".since")).to_have_text(
        re.compile(r"^3 new on this page since your visit on \d+ \w+ \d+$")
    )
    expect(small.head("d").locator(".fresh")).to_have_text("new")
    small.press("nn")
    expect(small.head("f")).to_be_focused()
    small.press("N")
    expect(small.head("d")).to_be_focused()


def test_what_is_new_on_other_pages_is_counted_and_led_to(long: Thread) -> None:
    long.open().visited("t149")
    long.open()
    expect(long.page.locator(".since")).to_contain_text("50 new on this page since your visit on")
    expect(long.page.locator(".since")).to_contain_text("; 300 in all: the first of them")
    long.open("?rank=400").page.get_by_role("link", name="the first of them").click()
    expect(long.at("t150")).to_be_in_viewport()


def test_what_is_new_stays_so_during_a_visit(small: Thread) -> None:
    small.open().visited("c")
    small.open().open()
    expect(small.page.locator(".thread .new")).to_have_count(3)


def test_what_is_new_since_a_day_is_chosen_with_the_keyboard(small: Thread) -> None:
    slider = small.open().page.get_by_role("slider", name="New since")
    slider.press("End")
    expect(slider).to_have_attribute("aria-valuetext", "1 new on this page since 16 Mar 2017")
    expect(small.head("g").locator(".fresh")).to_be_visible()
    expect(small.head("a").locator(".fresh")).to_have_count(0)
    small.page.get_by_role("link", name="Only these").click()
    expect(small.page.locator("ol.thread li:not(.context)")).to_have_count(1)


def test_one_comments_page_is_no_visit_of_the_thread(small: Thread) -> None:
    small.open().visited("c")
    small.page.goto(f"/a/{small.article}/c/{small.ids['g']}/")
    small.open()
    expect(small.page.locator(".thread .new")).to_have_count(3)


def test_nothing_fails_where_nothing_can_be_kept(small: Thread) -> None:
    errors: list[str] = []
    small.page.on("pageerror", lambda error: errors.append(str(error)))
    small.page.add_init_script("Object.defineProperty(window, 'localStorage', { get() { throw new Error('no') } })")
    small.open().press("joj")
    expect(small.head("e")).to_be_focused()
    assert errors == []


@pytest.mark.parametrize(
    "kept",
    ["null", "7", "{", '{"folded": 7}', '{"at": "x", "before": 3, "folded": [1, null]}', '{"before": {"at": "x"}}'],
)
def test_what_was_kept_may_be_anything(small: Thread, kept: str) -> None:
    errors: list[str] = []
    small.page.on("pageerror", lambda error: errors.append(str(error)))
    small.open().page.evaluate(
        "([key, value]) => localStorage.setItem(key, value)", [f"afterword:article:{small.article}", kept]
    )
    small.open().press("j")
    expect(small.head("a")).to_be_focused()
    assert errors == []


def test_the_articles_read_longest_ago_are_forgotten(small: Thread) -> None:
    small.open().page.evaluate(
        "for (let n = 0; n < 300; n++) localStorage.setItem(`afterword:article:9${n}`, JSON.stringify({ at: n }))"
    )
    small.open()
    kept = small.page.evaluate("Object.keys(localStorage)")
    assert len(kept) == 200
    assert f"afterword:article:{small.article}" in kept
    assert "afterword:article:90" not in kept


# --- Folding ----------------------------------------------------------------------------------------------------------


def test_folding_is_remembered_for_the_article(small: Thread) -> None:
    small.open().at("c").locator("> details > summary").click()
    small.page.wait_for_timeout(50)
    small.open()
    expect(small.at("d")).to_be_hidden()
    expect(small.at("b")).to_be_visible()
    small.at("c").locator("> details > summary").click()
    small.page.wait_for_timeout(50)
    small.open()
    expect(small.at("d")).to_be_visible()


def test_a_thread_folds_to_a_level_and_unfolds(small: Thread) -> None:
    body = small.open().at("c").locator("> details > .body")
    small.page.get_by_label("Unfold").select_option("top level only")
    expect(body).to_be_hidden()
    expect(small.head("c")).to_be_visible()
    small.page.get_by_label("Unfold").select_option("all levels")
    expect(body).to_be_visible()


def test_a_click_on_a_line_folds_what_it_belongs_to(small: Thread) -> None:
    line = small.open().at("a").locator("> details > ol")
    line.click(position={"x": 0, "y": 40})
    expect(small.at("b")).to_be_hidden()
    expect(small.head("a")).to_be_in_viewport()


def test_replies_that_were_left_out_come_in_their_place(page: Page, discussions: Discussions) -> None:
    long = Thread(page, discussions["long"]).open("?depth=1")
    link = long.at("t10").locator(".rest a")
    link.click()
    expect(long.at("t19")).to_be_visible()
    expect(long.head("t11")).to_be_focused()
    expect(long.head("t12").get_by_role("button", name="Copy the link")).to_be_attached()
    expect(link).to_have_count(0)
    expect(page).to_have_url(re.compile("depth=1$"))


def test_what_does_not_come_is_said_and_the_link_still_leads_there(page: Page, discussions: Discussions) -> None:
    long = Thread(page, discussions["long"]).open("?depth=1")
    page.route(f"**/c/{long.ids['t10']}/*", lambda route: route.abort() if is_fetched(route) else route.continue_())
    link = long.at("t10").locator(".rest a")
    link.click()
    expect(page.get_by_role("status")).to_have_text("These replies could not be brought here. The link leads to them.")
    link.click()
    expect(long.at("t19")).to_be_visible()
    expect(page.locator("li.here")).to_have_count(1)


def is_fetched(route: Route) -> bool:
    return route.request.resource_type == "fetch"


# --- What a comment answers -------------------------------------------------------------------------------------------


def test_the_parent_shows_beside_in_reply_to(deep: Thread) -> None:
    link = deep.open().head("n12").locator(".to")
    link.hover()
    card = deep.page.get_by_role("tooltip")
    expect(card).to_contain_text(deep.at("n11").locator("> details > .body").first.inner_text().split("\n")[-1])
    card.hover()
    deep.page.wait_for_timeout(500)
    expect(card).to_be_visible()
    deep.page.keyboard.press("Escape")
    expect(card).to_be_hidden()


def test_the_parent_shows_with_the_focus_and_describes_the_link(deep: Thread) -> None:
    deep.open(f"#c{deep.ids['n12']}").press("k")
    deep.press("j")
    link = deep.head("n12").locator(".to")
    while not link.evaluate("link => link === document.activeElement"):
        deep.page.keyboard.press("Tab")
    expect(deep.page.get_by_role("tooltip")).to_be_visible()
    expect(link).to_have_attribute("aria-describedby", "parent")
    deep.page.keyboard.press("Tab")
    expect(deep.page.get_by_role("tooltip")).to_be_hidden()


# --- Links to copy ----------------------------------------------------------------------------------------------------


def test_a_permalink_is_copied_and_that_is_said(small: Thread) -> None:
    small.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    small.open().head("b").hover()
    small.head("b").get_by_role("button", name="Copy the link to comment #2").click()
    expect(small.page.get_by_role("status")).to_have_text("Link copied")
    copied = small.page.evaluate("navigator.clipboard.readText()")
    assert copied.endswith(f"/a/{small.article}/c/{small.ids['b']}/")


def test_a_copy_that_is_not_allowed_shows_the_address(small: Thread) -> None:
    small.open().page.evaluate("void (navigator.clipboard.writeText = () => Promise.reject(new Error('no')))")
    small.head("b").hover()
    small.head("b").get_by_role("button", name="Copy the link").click()
    expect(small.page.get_by_role("status")).to_contain_text(f"/c/{small.ids['b']}/")
