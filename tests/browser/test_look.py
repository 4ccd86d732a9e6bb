"""Dark or light, airy or dense: chosen with a script or without, kept, and there before the first paint."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import Demo

DARK, LIGHT = "rgb(22, 24, 26)", "rgb(252, 251, 248)"


def background(page: Page) -> str:
    return str(page.evaluate("getComputedStyle(document.body).backgroundColor"))


@pytest.mark.parametrize("scripts", [True, False])
def test_a_chosen_theme_stays(browser: Browser, demo: Demo, scripts: bool) -> None:
    context = browser.new_context(base_url=demo.url, java_script_enabled=scripts, color_scheme="light")
    page = context.new_page()
    page.goto("/about/?x=1")
    page.get_by_role("button", name="Display").click()
    page.get_by_role("button", name="Dark").click()
    expect(page.locator("body")).to_have_css("background-color", DARK)
    expect(page).to_have_url(f"{demo.url}/about/?x=1")
    page.goto("/")
    expect(page.locator("body")).to_have_css("background-color", DARK)
    context.close()


def test_what_is_chosen_is_told(page: Page) -> None:
    page.goto("/about/")
    page.get_by_role("button", name="Display").click()
    page.get_by_role("button", name="Compact").click()
    expect(page.get_by_role("button", name="Compact")).to_have_attribute("aria-pressed", "true")
    expect(page.get_by_role("button", name="Comfortable")).to_have_attribute("aria-pressed", "false")


def test_a_page_is_dark_at_its_first_paint(browser: Browser, demo: Demo) -> None:
    """With the scripts held back for good, so that nothing but the stylesheets can have done it."""
    context = browser.new_context(base_url=demo.url, color_scheme="light")
    context.add_cookies([{"name": "theme", "value": "dark", "url": demo.url}])
    page = context.new_page()
    page.route("**/*.js", lambda route: route.abort())
    page.goto("/about/")
    assert background(page) == DARK
    context.close()


def test_escape_closes_the_form_and_gives_the_focus_back(page: Page) -> None:
    page.goto("/about/")
    page.get_by_role("button", name="Display").press("Enter")
    expect(page.get_by_role("button", name="Dark")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("button", name="Dark")).to_be_hidden()
    expect(page.get_by_role("button", name="Display")).to_be_focused()


def test_dates_are_told_from_today_beside_themselves(page: Page, discussions: dict[str, dict[str, int]]) -> None:
    page.goto(f"/a/{discussions['small']['article']}/-/")
    head = page.locator("ol.thread .head").first
    expect(head.locator("time")).to_contain_text("14 Mar 2017, 21:07")
    expect(head.locator(".ago")).to_contain_text("years ago")
