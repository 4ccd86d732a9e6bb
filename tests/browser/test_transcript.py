"""What a screen reader is given of a page: its accessibility tree as text, compared with what was agreed."""

from __future__ import annotations

import os
import re
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from tests.browser.conftest import Demo

AGREED = Path(__file__).parent / "transcripts"


def transcript(page: Page, selector: str) -> str:
    """Roles, names and texts in the order they are read; addresses and what differs from run to run left out."""
    told = page.locator(selector).aria_snapshot()
    told = re.sub(r"\n *- /(url|placeholder):[^\n]*", "", told)
    told = re.sub(r"http://127\.0\.0\.1:\d+/\S*", "ADDRESS", told)
    return re.sub(r"\b[0-9a-f]{64}\b", "SHA256", re.sub(r"archived \d+ \w+ \d+", "archived TODAY", told)) + "\n"


@pytest.mark.parametrize("scripts", [True, False])
def test_a_thread_is_told_as_agreed(
    browser: Browser, demo: Demo, discussions: dict[str, dict[str, Any]], scripts: bool
) -> None:
    """Depth, place among siblings, replies, what is inferred and what is not shown. Meant to change? WRITE=1 writes."""
    context = browser.new_context(base_url=demo.url, java_script_enabled=scripts)
    page = context.new_page()
    page.goto(f"/a/{discussions['small']['article']}/-/")
    if scripts:
        page.locator(".copy").last.wait_for(state="attached")
    told = re.sub(r"\d+ years ago", "N years ago", transcript(page, "ol.thread"))
    agreed = AGREED / f"thread{'' if scripts else '-without-scripts'}.txt"
    if os.environ.get("WRITE"):
        AGREED.mkdir(exist_ok=True)
        agreed.write_text(told)
    assert told == agreed.read_text()
    context.close()


@pytest.mark.parametrize("path", ["/", "/a/{small}/-/", "/search/?q=ferry", "/about/", "/sign-in/", "/nothing/here/"])
def test_a_page_has_its_landmarks_and_headings_in_order(
    page: Page, discussions: dict[str, dict[str, Any]], path: str
) -> None:
    page.goto(path.format(small=discussions["small"]["article"]))
    told = page.locator("body").aria_snapshot()
    assert [len(re.findall(rf"^- {role}:", told, re.M)) for role in ("banner", "main", "contentinfo")] == [1, 1, 1]
    levels = [int(level) for level in re.findall(r"- heading .*\[level=(\d)\]", told)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(later <= earlier + 1 for earlier, later in pairwise(levels))


@pytest.mark.parametrize(("name", "skip"), [("small", "Skip to the discussion"), ("small", "Skip to the content")])
def test_a_skip_link_moves_the_focus(page: Page, discussions: dict[str, dict[str, Any]], name: str, skip: str) -> None:
    page.goto(f"/a/{discussions[name]['article']}/-/")
    page.get_by_role("link", name=skip).press("Enter")
    assert page.evaluate("document.activeElement.id") == skip.rpartition(" ")[2].replace("content", "main")
