"""What an import has guessed and is not sure of: asked about once, a few of a discussion, and found right for good."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import User
from archive import moderation, queries, queue, review
from archive.ingest import importer, loader
from archive.ingest.records import UNKNOWN, Basis, Claim, Discussion, Post
from archive.models import Article, Comment, Decision, Review, Source, Waiting
from archive.queue import DOUBT, REPORT, Item
from tests.makers import make_user
from tests.test_review import TEXT

pytestmark = pytest.mark.django_db
JSON = {"Accept": "application/json"}


@pytest.fixture(autouse=True)
def below(settings: Any) -> None:
    settings.DOUBT_BELOW = 0.5


@pytest.fixture
def moderator(client: Client) -> User:
    user = make_user("moderator")
    client.force_login(user)
    return user


def guessed(*sure: float, is_date: bool = False) -> Discussion:
    """A first comment, stated, and after it one for each of these, which answers it as surely as that."""
    posts = [Post("0", "What was said first.", author="Ann", parent_claim=Claim(Basis.STATED))]
    for number, confidence in enumerate(sure, 1):
        claim = Claim(Basis.INFERRED, confidence, "quotes it")
        claims = (UNKNOWN, claim) if is_date else (claim, UNKNOWN)
        said = f"Reply {number}."
        posts.append(Post(str(number), said, parent="0", parent_claim=claims[0], date_claim=claims[1]))
    return Discussion(key="d", title="T", body="B", comments=posts)


def store(found: Discussion, site: str = "Example") -> Any:
    source = Source.objects.get_or_create(sha256="0" * 64, defaults={"name": "x", "size": 0})[0]
    return loader.store(found, source=source, site=loader.site_named(site))


def asked() -> list[str]:
    """The comments that are asked about, in the order of the list."""
    rows = queries.waiting().for_work_by([DOUBT])
    return [Comment.objects.get(pk=row.comment_id or 0).external_id for row in rows]


@pytest.mark.parametrize("is_date", [False, True])
def test_what_is_less_sure_than_the_setting_is_asked_about_the_least_sure_first(is_date: bool) -> None:
    store(guessed(0.4, 0.9, 0.2, 0.5, is_date=is_date))
    assert asked() == ["3", "1"]


def test_a_line_in_a_comment_that_sites_print_is_asked_about(client: Client, moderator: User) -> None:
    post = Post("1", "I was there.\nShare this\nIt was cold.", boundary_claim=Claim(Basis.INFERRED, 0.9))
    store(replace(guessed(), comments=[post]))
    (reason,) = client.get(reverse("admin:queue")).context["reasons"]
    assert (asked(), reason.matched) == (["1"], ["Share this"])


def test_what_a_site_says_was_one_comment_has_no_line_that_is_in_doubt() -> None:
    store(replace(guessed(), comments=[Post("1", "I was there.\nShare this\nIt was cold.")]))
    assert asked() == []


def test_nothing_is_asked_where_the_archive_wants_nothing_asked(settings: Any) -> None:
    settings.DOUBT_BELOW = 0
    store(guessed(0.01))
    assert asked() == []


def test_a_few_of_a_discussion_are_asked_about_and_say_how_many_more_there_are() -> None:
    store(guessed(*(n / 100 for n in range(30, 0, -1))))
    assert asked() == ["30", "29", "28", "27", "26"]
    assert {row.why["more"] for row in Waiting.objects.all()} == {25}


def test_a_site_has_no_more_of_them_than_people_see_the_end_of(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loader, "MOST_DOUBTFUL", 2)
    for key in "abc":
        store(replace(guessed(0.1, 0.2), key=key))
    assert len(asked()) == 2
    store(replace(guessed(0.1), key="d"), "Another site")
    assert len(asked()) == 3


def test_an_import_that_is_repeated_asks_nothing_again(client: Client, moderator: User) -> None:
    store(guessed(0.1))
    confirm(client, Waiting.objects.get().pk)
    store(replace(guessed(0.1), body="changed"))
    assert (asked(), Waiting.objects.count()) == ([], 1)


def test_what_waits_for_review_is_not_asked_about_twice(settings: Any) -> None:
    settings.REVIEW_BELOW = settings.DOUBT_BELOW = 1
    importer.import_source(TEXT.encode(), name="library.txt")
    assert (asked(), Review.objects.get().is_open) == ([], True)


def test_a_published_review_leaves_no_doubt(settings: Any) -> None:
    settings.DOUBT_BELOW = 1
    importer.import_source(TEXT.encode(), name="library.txt")
    article, by = Article.objects.get(), make_user("archivist")
    assert asked()
    review.reopen(article.pk, by=by)
    state = review.state_of(article)
    assert state
    review.correct(article.pk, {"op": "accept_rest"}, version=state.version, by=by)
    answer = review.publish(article.pk, version=state.version + 1, by=by)
    assert (answer.problem, asked(), queue.counts()) == ("", [], {})


def confirm(client: Client, pk: int, **fields: Any) -> Any:
    version = Comment.objects.values_list("version", flat=True).get(pk=Waiting.objects.get(pk=pk).comment_id or 0)
    sent = {"action": "confirm", "seen": queries.decisions().last_number(), "version": version, **fields}
    return client.post(reverse("admin:queue-decide", args=[pk]), sent, headers=JSON)


def test_the_card_says_what_was_guessed_how_sure_that_is_and_why(client: Client, moderator: User) -> None:
    store(guessed(0.2, 0.3, 0.1, 0.1, 0.1, 0.1, 0.1))
    shown = client.get(reverse("admin:queue")).context["reasons"]
    assert [(reason.words, reason.detail) for reason in shown] == [
        ("Guessed that it answers #1 by Ann, 10% sure", "quotes it"),
        ("2 more comments of this discussion are in doubt, and not as much.", ""),
    ]


def test_found_right_it_waits_no_more_and_is_in_the_log(client: Client, moderator: User) -> None:
    store(guessed(0.1))
    (row,) = Waiting.objects.all()
    queue.put([Item(REPORT, row.article_id, row.comment_id, {})])
    assert "found right" in confirm(client, row.pk).json()["what"][str(row.pk)][0]
    entry = Decision.objects.get()
    assert (entry.target, entry.actor_id, asked()) == (moderation.INFERENCE, moderator.pk, [])
    assert [kind for kind, _ in queue.counts()] == [REPORT]
    assert "found right what was inferred of comment" in client.get("/admin/archive/decision/").content.decode()


def test_that_can_be_undone_once(client: Client, moderator: User) -> None:
    store(guessed(0.1))
    confirm(client, Waiting.objects.get().pk)
    entry = Decision.objects.get()
    client.post(reverse("admin:queue-undo"), headers=JSON)
    assert asked() == ["1"]
    assert moderation.undo(entry, by=moderator).problems


def test_what_changed_since_it_was_seen_is_refused(client: Client, moderator: User) -> None:
    store(guessed(0.1))
    pk = Waiting.objects.get().pk
    assert confirm(client, pk, version=9).status_code == 409
    confirm(client, pk)
    assert confirm(client, pk, seen=0).status_code == 409
    assert Decision.objects.count() == 1
