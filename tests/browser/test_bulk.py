"""Decisions on many, from the list to what came of them and back, by a real worker."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from playwright.sync_api import Page, expect

from tests.browser.conftest import Demo, sign_in
from tests.browser.test_pages import errors_of

SHOTS = Path(__file__).parents[2] / "screenshots"
COPY = """
    INSERT INTO archive_comment (article_id, external_id, external_key, missing_parent, author_name, body, html,
        position, thread_rank, depth, subtree_size, status, cause, version, boundary_basis, parent_basis, author_basis,
        date_basis)
    SELECT {article}, 'copy ' || n, decode(md5('copy ' || n), 'hex'), '', 'R. Halloran',
        'Cheap pills.', '<p>Cheap pills.</p>', 100000 + n, 100000 + n, 0, 0, 'published', '', 1, 'stated', 'stated',
        'stated', 'unknown'
    FROM generate_series(1, {many}) AS n RETURNING id
"""
MANY = 5_000


def test_many_are_hidden_by_a_worker_and_given_back(page: Page, demo: Demo, discussions: dict[str, Any]) -> None:
    article = discussions["long"]["article"]
    demo.value(COPY.format(article=article, many=MANY))
    sign_in(page, demo, "moderator")
    errors = errors_of(page)
    page.goto(f"/admin/archive/comment/?article__id__exact={article}&status__exact=published")
    page.locator("#action-toggle").check()
    page.locator(".actions .question a").click()
    page.locator("select[name=action]").select_option("hide_selected")
    page.get_by_role("button", name="Run").click()
    page.get_by_label("Reason").fill("advertising")
    page.get_by_role("button", name=re.compile(r"^Hide \d")).click()
    expect(page.get_by_role("heading", name=re.compile("^Hiding 5,"))).to_be_visible()
    expect(page.get_by_role("progressbar")).to_be_visible()
    expect(page.get_by_role("heading", name="What was decided")).to_be_visible(timeout=60_000)
    expect(page.locator(".lead")).to_contain_text(re.compile(r"5,\d{3} hidden"))
    SHOTS.mkdir(exist_ok=True)
    for width in (360, 1280):
        page.set_viewport_size({"width": width, "height": 800})
        page.screenshot(path=SHOTS / f"bulk-hidden-{width}.png")
    page.get_by_role("link", name="Undo…").click()
    page.get_by_role("button", name=re.compile("^Undo decision")).click()
    expect(page.locator(".lead")).to_contain_text(re.compile(r"5,\d{3} given their earlier state"), timeout=60_000)
    assert errors == []
    copies = f"FROM archive_comment WHERE article_id = {article} AND author_name = 'R. Halloran'"
    assert demo.value(f"SELECT count(*) {copies} AND status <> 'published'") == 0
    demo.wait_for_worker()
    demo.value(f"DELETE FROM archive_searchdocument WHERE comment_id IN (SELECT id {copies}) RETURNING id")
    demo.value(f"DELETE {copies} RETURNING id")
