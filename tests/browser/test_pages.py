"""Every page, in four forms: it fits, says where it is, and axe has nothing to say against it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import ROOT, Demo, confirm, sign_in

type Scheme = Literal["light", "dark"]

SHOTS = ROOT / "screenshots"
WIDTHS = (360, 1280)
SCHEMES: tuple[Scheme, ...] = ("light", "dark")
RULES = {"rules": {"target-size": {"enabled": True}}}  # 24 px; axe leaves it out unless asked

READER = {
    "home": "/",
    "home-discussed": "/?order=discussed",
    "home-year": "/?order=discussed&period=2016",
    "site": "/site/{site}/-/",
    "home-empty": "/?since=2999-01-01",
    "article": "/a/1/-/",
    "thread-small": "/a/{small}/-/",
    "thread-deep": "/a/{deep}/-/",
    "thread-later": "/a/{long}/-/?rank=200",
    "thread-flat": "/a/{long}/-/?sort=flat",
    "thread-top": "/a/{long}/-/?depth=1",
    "thread-filtered": "/a/{long}/-/?by=ratepayer55",
    "thread-filtered-empty": "/a/{long}/-/?words=zzzz",
    "thread-to-print": "/a/{deep}/-/?view=print",
    "source": "/a/1/source/",
    "comment": "/a/1/c/{comment}/",
    "report": "/a/{long}/c/{in_long}/report/",
    "report-receipt": "/report/{receipt}/",
    "entity": "/entity/{entity}/-/",
    "author": "/author/{author}/",
    "search": "/search/?q={word}",
    "search-nothing": "/search/?q=zzzz",
    "about": "/about/",
    "log": "/log/",
    "log-nothing": "/log/?kind=erase",
    "sign-in": "/sign-in/",
    "password-forgotten": "/sign-in/forgotten/",
    "password-sent": "/sign-in/forgotten/sent/",
    "password-link-over": "/sign-in/forgotten/1-x-y/",
    "invitation-over": "/invitation/x/",
    "not-found": "/nothing/here/",
}
MODERATOR = {
    "desk": "/admin/",
    "queue": "/admin/queue/",
    "queue-report": "/admin/queue/?kind=report",
    "queue-rule": "/admin/queue/?kind=held&rule={rule}",
    "queue-doubt": "/admin/queue/?kind=doubt",
    "queue-empty": "/admin/queue/?q=zzzz",
    "queue-several": "/admin/queue/several/?all=1",
    "bulk": "/admin/bulk/{running}/",
    "bulk-done": "/admin/bulk/{done}/",
    "rules": "/admin/rules/",
    "rule-new": "/admin/rules/new/",
    "rule": "/admin/rules/{rule}/",
    "rule-mask": "/admin/rules/{mask}/",
    "rule-mask-hits": "/admin/rules/{mask}/hits/",
    "admin-comments": "/admin/archive/comment/",
    "admin-comment": "/admin/archive/comment/{comment}/change/",
    "admin-articles": "/admin/archive/article/",
    "admin-article": "/admin/archive/article/1/change/",
    "admin-decisions": "/admin/archive/decision/",
    "admin-entities": "/admin/archive/entity/",
    "admin-mentions": "/admin/archive/mention/",
    "admin-cases": "/admin/archive/case/",
    "admin-case-new": "/admin/archive/case/add/",
    "admin-case": "/admin/archive/case/{case}/change/",
    "admin-case-about": "/admin/archive/case/{case}/scope/",
    "admin-case-erase": "/admin/archive/case/{case}/erase/",
    "admin-case-request": "/admin/archive/case/{case}/request/",
    "admin-reports": "/admin/archive/report/",
    "notices": "/admin/notices/",
}
ARCHIVIST = {
    "import": "/admin/archive/source/import/",
    "admin-sources": "/admin/archive/source/",
    "progress": "/admin/archive/source/1/progress/",
    "admin-sites": "/admin/archive/site/",
}
ADMINISTRATOR = {
    "admin-webhooks": "/admin/archive/webhook/",
    "admin-webhook-new": "/admin/archive/webhook/add/",
    "admin-users": "/admin/accounts/user/",
    "admin-user": "/admin/accounts/user/1/change/",
    "admin-roles": "/admin/roles/",
    "admin-invitations": "/admin/accounts/invitation/",
    "admin-invite": "/admin/accounts/invitation/add/",
    "account": "/account/",
    "account-sessions": "/account/sessions/",
    "account-password": "/account/password/",
    "account-confirm": "/account/confirm/?next=/account/app/",
    "account-passkeys": "/account/passkeys/",
}
PAGES = [
    *((None, name, path) for name, path in READER.items()),
    *(("moderator", name, path) for name, path in MODERATOR.items()),
    *(("archivist", name, path) for name, path in ARCHIVIST.items()),
    *(("administrator", name, path) for name, path in ADMINISTRATOR.items()),
]


@pytest.fixture(scope="module")
def places(demo: Demo, discussions: dict[str, dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Numbers to fill into the paths; what was stored for these pages alone is gone when other tests come to theirs."""
    site = several_years(demo)
    what_waits(demo, discussions["long"]["article"])
    yield {
        **{name: known["article"] for name, known in discussions.items()},
        "comment": demo.value("SELECT id FROM archive_comment WHERE article_id = 1 ORDER BY thread_rank DESC LIMIT 1"),
        "entity": demo.value("SELECT id FROM archive_entity ORDER BY mention_count DESC, id LIMIT 1"),
        "author": an_author(demo),
        "word": "the",
        "site": site,
        "case": a_case(demo),
        "rule": a_rule(demo),
        "running": a_bulk(demo, "NULL"),
        "done": a_bulk(demo, "now()"),
        "mask": a_mask(demo, discussions["long"]["article"]),
        "receipt": demo.value(
            "UPDATE archive_report SET token = 'abc' WHERE id = (SELECT min(id) FROM archive_report) RETURNING token"
        ),
        "in_long": demo.value("SELECT min(comment_id) FROM archive_report"),
    }
    without_several_years(demo, site)
    without_what_waits(demo)


def an_author(demo: Demo) -> Any:
    """A name with a comment under it: plain text states none, so one is given to the first article's first comment."""
    author = demo.value(
        "INSERT INTO archive_author (site_id, name, key) SELECT site_id, 'M. Okafor', '\\x00' FROM archive_article"
        " WHERE id = 1 ON CONFLICT (site_id, key) DO UPDATE SET name = excluded.name RETURNING id"
    )
    demo.value(
        f"UPDATE archive_comment SET author_id = {author}, author_name = 'M. Okafor', author_basis = 'stated'"
        " WHERE article_id = 1 AND thread_rank = 0 RETURNING id"
    )
    return author


def a_case(demo: Demo) -> Any:
    """A request that is overdue, about a name, with a note."""
    case = demo.value(
        "INSERT INTO archive_case (kind, state, requester, contact, basis, deadline, outcome, scope, words, opened_at,"
        " erase_entry, work, work_done, work_total) VALUES ('erasure', 'open', 'M. Okafor', 'm.okafor@example.org',"
        " 'Right to erasure: wrote as a student, and is found by employers under the name.', '2026-03-02', '',"
        """ '{"query": "the", "articles": [1]}', '["people", "Harrow Lane"]', now(), '', '', 0, 0)"""
        " RETURNING id"
    )
    demo.value(
        "INSERT INTO archive_casenote (case_id, at, by_name, text) VALUES"
        f" ({case}, now(), 'moderator', 'Wrote back: we look into it, and answer within the month.') RETURNING id"
    )
    return case


WHYS = {
    "report": {},
    "held": {"rules": [{"rule": 1, "name": "insults", "version": 2, "at": [[4, 9], [20, 26]]}]},
    "duplicate": {"first": 1},
    "doubt": {"inferred": {"parent": 0.22}, "more": 312},
}


VIEWS = [
    ("moderator", "Reports", False, "report", ""),
    ("moderator", "Ferry times", True, "", "ferry"),
    ("administrator", "Held, each morning", True, "held", ""),
]


def a_rule(demo: Demo) -> Any:
    """A rule that was tried and is on."""
    rule = demo.value(
        "INSERT INTO archive_rule (name, is_on, version, kind, action, body, most)"
        " VALUES ('insults', true, 2, 'words', 'hold', E'ferry\\nbridge*', 0) RETURNING id"
    )
    demo.value(
        "INSERT INTO archive_ruleversion (rule_id, number, name, kind, action, body, most, at, by_name)"
        f" VALUES ({rule}, 2, 'insults', 'words', 'hold', 'ferry', 0, now(), 'moderator') RETURNING id"
    )
    demo.value(
        "INSERT INTO archive_trial (rule_id, version, started_at, log_entry, after_article, looked_at, hits,"
        f" finished_at, places, skipped) VALUES ({rule}, 2, now(), 0, 9, 2912, 312, now(), 0, 0) RETURNING id"
    )
    demo.value(f"UPDATE archive_waiting SET rule_id = {rule} WHERE kind = 'held' RETURNING id")
    return rule


def a_mask(demo: Demo, article: int) -> Any:
    """A rule that covers words, tried and in use, with what it would hit and what it has covered."""
    rule = demo.value(
        "INSERT INTO archive_rule (name, is_on, version, kind, action, body, most)"
        " VALUES ('telephone numbers', true, 1, 'pattern', 'mask', '[0-9]{4,}', 0) RETURNING id"
    )
    version = demo.value(
        "INSERT INTO archive_ruleversion (rule_id, number, name, kind, action, body, most, at, by_name)"
        f" VALUES ({rule}, 1, 'telephone numbers', 'pattern', 'mask', '[0-9]{{4,}}', 0, now(), 'Ines') RETURNING id"
    )
    trial = demo.value(
        "INSERT INTO archive_trial (rule_id, version, started_at, log_entry, after_article, looked_at, hits,"
        f" finished_at, places, skipped) VALUES ({rule}, 1, now(), 0, 9, 2912, 290, now(), 312, 0) RETURNING id"
    )
    of_long = f"FROM archive_comment WHERE article_id = {article} ORDER BY thread_rank LIMIT 20 RETURNING id"
    demo.value(
        "INSERT INTO archive_trialhit (trial_id, article_id, comment_id, at)"
        f" SELECT {trial}, article_id, id, '[[4, 9]]' {of_long}"
    )
    demo.value(
        "INSERT INTO archive_masked"
        ' (version_id, decision_id, article_id, comment_id, "table", row, field, before, after)'
        f" SELECT {version}, 1, article_id, id, 'comment', id, 'body', body, body {of_long}"
    )
    return rule


def what_waits(demo: Demo, article: int) -> None:
    """Cards of each kind about comments of a thread, with what a reader said of some."""
    demo.value(
        "INSERT INTO archive_report (article_id, comment_id, reason, note, snapshot, created_at, outcome)"
        " SELECT article_id, id, 'names a private person', '', '', now(), '' FROM archive_comment"
        f" WHERE article_id = {article} ORDER BY thread_rank LIMIT 4 RETURNING id"
    )
    for skipped, (kind, why) in enumerate(WHYS.items()):
        demo.value(
            "INSERT INTO archive_waiting (kind, site_id, article_id, comment_id, why, score, created_at)"
            f" SELECT '{kind}', (SELECT site_id FROM archive_article WHERE id = {article}), {article}, id,"
            f" '{json.dumps(why)}',"
            f" {3 - skipped}, now() FROM archive_comment WHERE article_id = {article} ORDER BY thread_rank"
            f" OFFSET {4 * skipped} LIMIT 4 RETURNING id"
        )
    demo.value(
        "INSERT INTO archive_waitingtally (kind, site_id, waiting)"
        " SELECT kind, site_id, count(*) FROM archive_waiting GROUP BY 1, 2 RETURNING id"
    )
    for role, name, is_shared, kind, words in VIEWS:
        demo.value(
            "INSERT INTO archive_savedview (owner_id, name, is_shared, kind, age, words) SELECT id,"
            f" '{name}', {is_shared}, '{kind}', '', '{words}' FROM accounts_user WHERE username = '{role}' RETURNING id"
        )


def a_bulk(demo: Demo, finished: str) -> object:
    """A decision on many, under way or done, with a decision of the log that stands for it."""
    why = "nothing to do: it is already hidden by a moderator"
    kept = [["comment", 2 * number + 5, why] for number in range(6)]
    return demo.value(
        "INSERT INTO archive_bulk (asked_by_id, asked_at, action, reason, article_ids, ids, total, done, changed,"
        f" unchanged, problems, stop, finished_at, decision_id) SELECT id, now(), 'hide', 'advertising for a pharmacy',"
        f" '{{}}', '{{}}', 52340, 31000, 30994, 6, '{json.dumps(kept)}', {finished != 'NULL'}, {finished},"
        " (SELECT max(id) FROM archive_decision) FROM accounts_user WHERE username = 'moderator' RETURNING id"
    )


def without_what_waits(demo: Demo) -> None:
    for table in (
        "bulk",
        "savedview",
        "masked",
        "waiting",
        "waitingtally",
        "report",
        "trialhit",
        "trial",
        "ruleversion",
        "rule",
    ):
        demo.value(f"DELETE FROM archive_{table} RETURNING id")


YEARS = [(number, f"201{number % 8}-0{number % 9 + 1}", number * number % 170) for number in range(30)]


def several_years(demo: Demo) -> Any:
    """The first article's site, with articles of several years, so that pages have something to draw and to list."""
    site = demo.value("SELECT site_id FROM archive_article WHERE id = 1")
    for number, at, size in YEARS:
        demo.value(
            "INSERT INTO archive_article (site_id, source_id, key, digest, title, title_basis, slug, url, byline,"
            " status, is_erased, language, body, html, activity, imported_at, changed_at, version, published_at,"
            f" counted_month, comment_count, counted_comments) SELECT {site}, source_id, '{number}', '',"
            f" 'What was said on day {number + 2}', 'stated', 'said', '', 'R. Halloran', 'published', false, 'en',"
            f" 'A hall full of people, and {size} of them spoke.', '', '{{}}', now(), now(), 1, '{at}-14', '{at}',"
            f" {size}, {size} FROM archive_article WHERE id = 1 RETURNING id"
        )
        tally(demo, site, at, 1, size)
    return site


def without_several_years(demo: Demo, site: Any) -> None:
    """The tests of other modules start on the front page, and would find these articles there."""
    demo.value("DELETE FROM archive_article WHERE byline = 'R. Halloran' RETURNING id")
    for _, at, size in YEARS:
        tally(demo, site, at, -1, -size)


def tally(demo: Demo, site: Any, at: str, articles: int, comments: int) -> None:
    demo.value(
        f"INSERT INTO archive_tally (site_id, month, articles, comments, summed) SELECT site, month, {articles},"
        f" {comments}, false FROM unnest(ARRAY[NULL, {site}]) AS site, unnest(ARRAY['all', '{at}']) AS month"
        " RETURNING id"
    )


@pytest.fixture(scope="session")
def signed_in(browser: Browser, demo: Demo, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The saved session of each staff role."""
    folder = tmp_path_factory.mktemp("sessions")
    for role in demo.passwords:
        context = browser.new_context(base_url=demo.url)
        sign_in(context.new_page(), demo, role)
        context.storage_state(path=folder / role)
        context.close()
    return {role: folder / role for role in demo.passwords}


def errors_of(page: Page) -> list[str]:
    """What goes wrong in scripts, and what the policy on content refuses; filled while the page is used."""
    errors: list[str] = []
    page.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: errors.append(str(error)))
    return errors


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize(("role", "name", "path"), PAGES, ids=[name for _, name, _ in PAGES])
def test_a_page_fits_and_axe_is_content(
    browser: Browser,
    demo: Demo,
    places: dict[str, Any],
    signed_in: dict[str, Path],
    role: str | None,
    name: str,
    path: str,
    scheme: Scheme,
    width: int,
) -> None:
    context = browser.new_context(
        base_url=demo.url,
        color_scheme=scheme,
        viewport={"width": width, "height": 900},
        storage_state=signed_in[role] if role else None,
    )
    page = context.new_page()
    errors = errors_of(page)
    page.goto(path.format(**places))
    if role and name.startswith("admin-"):
        confirm(page, demo.passwords[role])
    SHOTS.mkdir(exist_ok=True)
    page.screenshot(path=SHOTS / f"{name}-{width}-{scheme}.png", full_page=name not in {"article", "search"})
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert [error for error in errors if "404" not in error] == []
    found = Axe().run(page, options=RULES)
    assert found.violations_count == 0, found.generate_report()
    context.close()


@pytest.mark.parametrize("name", ["home", "article", "comment", "entity", "author", "search", "about"])
def test_a_page_states_its_canonical_address(page: Page, places: dict[str, Any], demo: Demo, name: str) -> None:
    page.goto(READER[name].format(**places))
    canonical = page.locator('link[rel="canonical"]').get_attribute("href")
    assert canonical is not None
    assert canonical.startswith(demo.url)
    page.goto(canonical)
    expect(page.locator('link[rel="canonical"]')).to_have_attribute("href", canonical)


def test_the_keyboard_reaches_the_discussion_first(page: Page) -> None:
    page.goto("/a/1/-/")
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    expect(page.locator(".skip:focus")).to_be_visible()
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("#discussion$"))


@pytest.mark.parametrize("name", READER)
def test_a_page_fits_a_window_enlarged_fourfold(
    browser: Browser, demo: Demo, places: dict[str, Any], name: str
) -> None:
    """1,280 pixels at 400 % are 320: nothing is cut off, and nothing has to be scrolled sideways."""
    context = browser.new_context(base_url=demo.url, viewport={"width": 320, "height": 256})
    page = context.new_page()
    page.goto(READER[name].format(**places))
    assert page.evaluate("document.documentElement.scrollWidth") <= 320
    cut = page.locator("main :is(a, button, summary, input, select, time):visible").evaluate_all(
        "found => found.filter(e => e.getBoundingClientRect().right > 321).map(e => e.outerHTML)"
    )
    assert cut == []
    context.close()


@pytest.mark.parametrize("name", ["home", "thread-deep", "comment", "search", "about", "sign-in"])
def test_a_page_is_whole_in_forced_colours(browser: Browser, demo: Demo, places: dict[str, Any], name: str) -> None:
    context = browser.new_context(base_url=demo.url, forced_colors="active", viewport={"width": 1280, "height": 900})
    page = context.new_page()
    page.goto(READER[name].format(**places))
    page.screenshot(path=SHOTS / f"{name}-forced.png", full_page=name != "thread-deep")
    found = Axe().run(page, options=RULES)
    assert found.violations_count == 0, found.generate_report()
    paper = page.locator("body").evaluate("body => getComputedStyle(body).backgroundColor")
    for line in page.locator("ol.thread details > ol").all():
        assert line.evaluate("line => getComputedStyle(line).borderLeftColor") != paper
    context.close()


@pytest.mark.parametrize("name", READER)
def test_nothing_moves_by_itself(page: Page, places: dict[str, Any], name: str) -> None:
    page.goto(READER[name].format(**places))
    assert page.evaluate("document.getAnimations().length") == 0


@pytest.mark.parametrize("name", READER)
def test_a_page_reads_the_same_without_scripts(
    browser: Browser, demo: Demo, page: Page, places: dict[str, Any], name: str
) -> None:
    context = browser.new_context(base_url=demo.url, java_script_enabled=False)
    plain = context.new_page()
    texts = []
    for reader in (plain, page):
        reader.goto(READER[name].format(**places))
        texts.append(reader.locator("main").locator("h1, h2, .body p, .article p, .prose p").all_inner_texts())
    assert texts[0] == texts[1] != []
    context.close()


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize(
    ("opens", "width"), [("Display", 360), ("Keyboard shortcuts", 1280), ("Keyboard shortcuts", 360)]
)
def test_axe_is_content_with_what_opens(
    browser: Browser, demo: Demo, places: dict[str, Any], scheme: Scheme, opens: str, width: int
) -> None:
    context = browser.new_context(base_url=demo.url, color_scheme=scheme, viewport={"width": width, "height": 700})
    page = context.new_page()
    errors = errors_of(page)
    page.goto(READER["thread-small"].format(**places))
    page.get_by_role("button", name=opens).click()
    page.screenshot(path=SHOTS / f"{opens.split()[0].lower()}-{width}-{scheme}.png")
    found = Axe().run(page, options=RULES)
    assert (found.violations_count, errors) == (0, []), found.generate_report()
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    context.close()


def test_a_thread_prints_whole_and_without_controls(browser: Browser, demo: Demo, places: dict[str, Any]) -> None:
    context = browser.new_context(base_url=demo.url, color_scheme="dark", viewport={"width": 720, "height": 1000})
    page = context.new_page()
    page.goto(READER["thread-deep"].format(**places))
    page.locator("ol.thread summary").first.click()
    page.emulate_media(media="print")
    page.screenshot(path=SHOTS / "thread-deep-print.png", full_page=True)
    for folded in page.locator("ol.thread .body").all():
        expect(folded).to_be_visible()
        expect(folded).to_have_css("max-height", "none")
    for name in (".bar", ".foot", ".ways", ".thread-tools", "ol.thread summary", ".copy"):
        expect(page.locator(name).first).to_be_hidden()
    assert page.locator("body").evaluate("body => getComputedStyle(body).backgroundColor") == "rgb(255, 255, 255)"
    context.close()
