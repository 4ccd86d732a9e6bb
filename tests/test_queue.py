"""What waits: put there once, settled by decisions, opened again by their undoing, counted without counting."""

from __future__ import annotations

import pytest
from django.db import connection
from django.utils import timezone

from accounts.models import User
from archive import moderation, queries, queue, review
from archive.ingest import loader
from archive.ingest.records import Discussion, Post
from archive.models import Article, Comment, Review, Source, Waiting, WaitingTally
from archive.queue import CLAIM_LASTS, HELD, REPORT, REVIEW, Item
from tests.makers import comments_of, make_article, make_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def moderator() -> User:
    return make_user("moderator")


@pytest.fixture
def comment() -> Comment:
    return comments_of(make_article(comments="a(b)"))[0]


def reported(comment: Comment, score: float = 1) -> list[int]:
    return queue.put([Item(REPORT, comment.article_id, comment.pk, {}, score)])


def total() -> int:
    return sum(queue.counts().values())


def test_what_waits_already_is_not_put_there_twice(comment: Comment) -> None:
    assert len(reported(comment)) == 1
    assert reported(comment, score=3) == []
    assert (Waiting.objects.get().score, total()) == (3, 1)


def test_the_same_thing_twice_in_one_call_waits_once(comment: Comment) -> None:
    queue.put([Item(HELD, comment.article_id, comment.pk, {"n": n}) for n in (1, 2)])
    assert Waiting.objects.get().why == {"n": 2}


def test_it_is_counted_by_kind_and_site(comment: Comment) -> None:
    reported(comment)
    assert queue.counts() == {(REPORT, comment.article.site_id): 1}


@pytest.mark.parametrize("action", ["approve", "hide", "spam"])
def test_a_decision_settles_what_waits_about_the_comment(comment: Comment, moderator: User, action: str) -> None:
    reported(comment)
    made = moderation.decide(comment, action=action, by=moderator, reason="insult").decision
    row = Waiting.objects.get()
    assert (row.settled_at is None, row.decision_id, total()) == (False, made and made.pk, 0)


def test_a_decision_on_a_comment_leaves_its_replies_waiting(comment: Comment, moderator: User) -> None:
    reported(comments_of(comment.article)[1])
    moderation.hide(comment, by=moderator, reason="insult")
    assert total() == 1


def test_what_is_held_goes_on_waiting(comment: Comment, moderator: User) -> None:
    reported(comment)
    moderation.decide(comment, action="hold", by=moderator, reason="to be looked at")
    assert total() == 1


def test_undoing_opens_it_again(comment: Comment, moderator: User) -> None:
    reported(comment)
    made = moderation.hide(comment, by=moderator, reason="insult").decision
    assert made
    moderation.undo(made, by=moderator)
    assert (Waiting.objects.get().settled_at, total()) == (None, 1)


def test_undoing_a_bulk_opens_all_of_it_again(comment: Comment, moderator: User) -> None:
    both = comments_of(comment.article)
    for one in both:
        reported(one)
    chosen = {comment.article_id: [one.pk for one in both]}
    made = moderation.decide_many(chosen, action="spam", by=moderator, reason="spam").decision
    assert (made is not None, total()) == (True, 0)
    if made:
        moderation.undo(made, by=moderator)
    assert total() == 2


def test_what_waits_for_a_new_reason_is_not_opened_twice(comment: Comment, moderator: User) -> None:
    reported(comment)
    made = moderation.decide(comment, action="approve", by=moderator).decision
    reported(comment)
    assert made
    moderation.undo(made, by=moderator)
    assert (Waiting.objects.filter(settled_at=None).count(), total()) == (1, 1)


def test_a_review_waits_as_long_as_it_is_open(moderator: User) -> None:
    article = make_article(status=Article.Status.IN_REVIEW)
    Review.objects.create(article=article, is_open=True, uncertain=3)
    queue.follow_reviews([article.pk])
    assert Waiting.objects.get().why == {"uncertain": 3}
    moderation.publish(article, by=moderator)
    Review.objects.update(is_open=False)
    queue.follow_reviews([article.pk])
    assert (total(), queue.counts()) == (0, {})


def test_reopening_a_review_puts_it_there(moderator: User) -> None:
    article = make_article(comments="a")
    Review.objects.create(article=article, is_open=True)
    moderation.hide(article, by=moderator, reason="insult")
    assert total() == 0
    moderation.restore(article, by=moderator, reason="a mistake")
    assert list(queue.counts()) == [(REVIEW, article.site_id)]
    assert review.IMPOSSIBLE


def test_a_claim_holds_others_off_and_expires(comment: Comment, moderator: User) -> None:
    (pk,) = reported(comment)
    other = make_user("moderator")
    assert queue.claim(pk, by=moderator)
    assert not queue.claim(pk, by=other)
    Waiting.objects.update(claimed_at=timezone.now() - CLAIM_LASTS)
    assert queue.claim(pk, by=other)


def test_claiming_again_gives_it_back(comment: Comment, moderator: User) -> None:
    (pk,) = reported(comment)
    queue.claim(pk, by=moderator)
    queue.claim(pk, by=moderator)
    assert Waiting.objects.get().claimed_by is None


def test_summing_up_changes_no_count(comment: Comment, moderator: User) -> None:
    for one in comments_of(comment.article):
        reported(one)
    moderation.hide(comment, by=moderator, reason="insult")
    before = queue.counts()
    queue.sum_up()
    assert (queue.counts(), WaitingTally.objects.count()) == (before, 1)


def test_pages_of_the_list_are_index_scans() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET enable_seqscan = off")
        plan = queries.waiting().for_work_by([REPORT]).after(1.0, 5)[:50].explain()
    assert "AND (ROW((score" in plan.partition("Index Cond: ")[2]
    assert "Sort" not in plan


def test_what_a_name_says_twice_is_asked_about_once_however_often_it_comes_in(moderator: User) -> None:
    posts = [Post(external_id=str(n), text="The bus was late once more.", author="Ann") for n in range(2)]
    source, site = Source.objects.create(sha256="0" * 64, name="x", size=0), loader.site_named("Example")
    for body in ("", "changed"):
        loader.store(Discussion(key="d", title="T", body=body, comments=posts), source=source, site=site)
        for row in Waiting.objects.filter(settled_at=None):
            comment = Comment.objects.get(pk=row.comment_id or 0)
            assert row.why["first"] != comment.pk
            moderation.decide(comment, action="approve", by=moderator)
    assert (Waiting.objects.count(), total()) == (1, 0)
