"""The log as everyone may read it: what was decided and why; no text, no name of who decided."""

from __future__ import annotations

import hashlib
import io
import json
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.models import User
from archive import cases, moderation
from archive.decision_log import FIRST_HASH
from archive.models import Article, Comment
from tests.makers import comments_of, make_article, make_user

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def published_log(settings: Any) -> None:
    settings.PUBLIC_LOG = True


@pytest.fixture
def moderator() -> User:
    return make_user("moderator")


def hide_all(article: Article, by: User) -> None:
    for comment in comments_of(article):
        moderation.hide(comment, by=by, reason="names a private person")


def log(client: Client, query: str = "") -> str:
    return client.get(f"/log/{query}").content.decode()


def test_it_is_there_only_where_it_is_published(client: Client, settings: Any) -> None:
    settings.PUBLIC_LOG = False
    assert client.get("/log/").status_code == 404


def test_the_steps_of_a_case_are_not_in_it(client: Client, moderator: User) -> None:
    cases.open_case(by=moderator, kind="erasure", requester="R", contact="", basis="a law", deadline=None)
    assert "Nothing was decided so far" in log(client)


def test_an_empty_one_says_so(client: Client) -> None:
    assert "Nothing was decided so far" in log(client)


def test_it_says_what_was_done_and_why_and_not_by_whom(client: Client, moderator: User) -> None:
    article = make_article(comments="a")
    Comment.objects.filter(article_id=article.pk).update(body="Zebra crossing", author_name="Zoe Quill")
    hide_all(article, moderator)
    shown = log(client)
    assert "A moderator hid comment" in shown
    assert "names a private person" in shown
    assert not any(kept in shown for kept in (moderator.username, "Zebra", "Quill"))


def test_an_article_that_readers_do_not_see_is_not_named(client: Client, moderator: User) -> None:
    article = make_article(comments="a")
    moderation.hide(article, by=moderator, reason="asked for")
    shown = log(client)
    assert f"hid article {article.pk}" in shown
    assert article.title not in shown


def test_what_was_undone_says_by_which(client: Client, moderator: User) -> None:
    (comment,) = comments_of(make_article(comments="a"))
    hidden = moderation.hide(comment, by=moderator, reason="insult").decision
    assert hidden is not None
    undone = moderation.undo(hidden, by=moderator).decision
    assert undone is not None
    assert f"Undone by decision {undone.pk}" in log(client)


def test_a_bulk_decision_is_one_line_and_leads_to_its_parts(client: Client, moderator: User) -> None:
    article = make_article(comments="abc")
    chosen = {article.pk: [comment.pk for comment in comments_of(article)]}
    made = moderation.decide_many(chosen, action="hide", by=moderator, reason="spam").decision
    assert made is not None
    assert log(client).count("<li id=") == 1
    assert log(client, f"?part-of={made.pk}").count("<li id=") == 3


def test_what_was_done_in_bulk_is_of_its_kind(client: Client, moderator: User) -> None:
    (comment,) = comments_of(make_article(comments="a"))
    moderation.decide_many({comment.article_id: [comment.pk]}, action="spam", by=moderator, reason="spam")
    assert "A moderator marked several comments as spam" in log(client, "?kind=spam")
    assert log(client, "?kind=hide").count("<li id=") == 0


def test_a_single_comment_is_marked_as_spam_in_plain_words(client: Client, moderator: User) -> None:
    (comment,) = comments_of(make_article(comments="a"))
    moderation.decide(comment, action="spam", by=moderator, reason="spam")
    assert f"A moderator marked comment {comment.pk} as spam" in log(client)


@pytest.mark.parametrize(("kind", "found"), [("hide", 1), ("undo", 0), ("structure", 0), ("nonsense", 1)])
def test_it_is_narrowed_down_by_kind(client: Client, moderator: User, kind: str, found: int) -> None:
    hide_all(make_article(comments="a"), moderator)
    assert log(client, f"?kind={kind}").count("<li id=") == found


@pytest.mark.parametrize("query", ["?article=x", "?before=-1", "?part-of=99999999999999999999", "?before=1&after=1"])
def test_what_is_typed_is_never_an_error(client: Client, query: str) -> None:
    assert client.get(f"/log/{query}").status_code == 200


@pytest.mark.parametrize("size", [3, 300])
def test_its_queries_do_not_grow(client: Client, moderator: User, size: int) -> None:
    for _ in range(size // 3):
        hide_all(make_article(comments="abc"), moderator)
    with CaptureQueriesContext(
        connection,
    ) as asked:
        log(client)
    # The entries, the articles that readers see, what was undone, words that cases mask, the head of the chain.
    assert len(asked) == 5


def test_an_exported_log_can_be_checked_without_the_archive(moderator: User) -> None:
    hide_all(make_article(comments="ab"), moderator)
    out = io.StringIO()
    call_command("export_log", stdout=out)
    before = FIRST_HASH
    for line in out.getvalue().splitlines():
        entry = json.loads(line)
        assert entry["previous_hash"] == before
        before, said = entry.pop("hash"), entry.pop("said")
        digest = hashlib.sha256(f"{said['salt']}\n{said['reason']}".encode()).hexdigest()
        assert digest == entry["reason_digest"]
        again = json.dumps(entry, sort_keys=True, separators=(",", ":"))
        assert hashlib.sha256(again.encode()).hexdigest() == before
    assert before != FIRST_HASH


def test_a_moderator_exports_what_the_list_is_narrowed_down_to(client: Client, moderator: User) -> None:
    hide_all(make_article(comments="ab"), moderator)
    (last,) = comments_of(make_article(comments="c"))
    moderation.decide_many({last.article_id: [last.pk]}, action="hide", by=moderator, reason="x", cause="rule")
    client.force_login(moderator)
    got = client.get("/admin/archive/decision/export/?cause__exact=rule&target__exact=comment&action__exact=hide")
    entries = [json.loads(line) for line in got.getvalue().decode().splitlines()]
    assert [entry["target_id"] for entry in entries] == [last.pk]


def test_who_may_not_see_the_log_exports_nothing(client: Client) -> None:
    client.force_login(make_user("reader"))
    assert client.get("/admin/archive/decision/export/").status_code in {302, 403, 404}
