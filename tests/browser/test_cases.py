"""A request, from opening the case to calling its erasure off, with a mouse and a keyboard as a moderator has them."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Demo, sign_in

NAME = "Ishbel Quarry"


@pytest.fixture
def author(demo: Demo) -> str:
    """A name under the newest comment of the first article: plain text states none."""
    demo.value(
        "WITH made AS (INSERT INTO archive_author (site_id, name, key) SELECT site_id, %(n)s, sha256(%(n)s::bytea)"
        " FROM archive_article WHERE id = 1 ON CONFLICT (site_id, key) DO UPDATE SET name = excluded.name RETURNING id)"
        " UPDATE archive_comment SET author_id = made.id, author_name = %(n)s FROM made"
        " WHERE article_id = 1 AND thread_rank = (SELECT max(thread_rank) FROM archive_comment WHERE article_id = 1)"
        " RETURNING archive_comment.id".replace("%(n)s", f"'{NAME}'")
    )
    return NAME


def test_a_case_from_the_request_to_its_erasure_called_off(page: Page, demo: Demo, author: str) -> None:
    sign_in(page, demo, "moderator")
    page.goto("/admin/archive/case/")
    page.get_by_role("link", name="Open a case").click()
    page.get_by_label("erasure").check()
    page.get_by_label("Who asks").fill("Her sister")
    page.get_by_label("Why").fill("She was seventeen.")
    page.get_by_role("button", name="Open the case").click()

    page.get_by_label("Comments under the name").fill(author)
    page.get_by_label("Words to mask").fill(author)
    page.get_by_role("button", name="Show what it finds").click()
    expect(page.locator("details.place").first).to_contain_text("Comments 1")

    page.get_by_role("button", name="Hold", exact=True).click()
    expect(page.get_by_text("Held.", exact=True)).to_be_visible()
    page.get_by_role("button", name="Release").click()
    expect(page.get_by_role("button", name="Hold", exact=True)).to_be_visible()

    page.get_by_role("button", name="Mask 1 word").click()
    demo.wait_for_worker()
    page.reload()
    page.get_by_role("button", name="Take the mask off").click()
    demo.wait_for_worker()
    page.reload()
    expect(page.get_by_role("button", name="Mask 1 word")).to_be_visible()

    page.get_by_role("link", name="Erase…").click()
    if page.get_by_label("Password").count():  # asks again who it is, unless that was a moment ago
        page.get_by_label("Password").fill(demo.passwords["moderator"])
        page.keyboard.press("Enter")
    page.get_by_label("Type “erase case").fill("erase it")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("Nothing was scheduled")
    case = re.findall(r"/case/(\d+)/", page.url)[0]
    page.get_by_label("Type “erase case").fill(f"erase case {case}")
    page.keyboard.press("Enter")
    expect(page.get_by_text("Will be erased on")).to_be_visible()
    page.get_by_role("button", name="Call it off").click()
    expect(page.get_by_text("Called off: nothing will be erased.")).to_be_visible()
