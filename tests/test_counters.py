"""Stored counts: right after each change, and the same however often they are counted."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given
from hypothesis import settings as limits
from hypothesis import strategies as st

from archive import counters, moderation, queries
from archive.ingest import loader
from archive.ingest.records import Discussion, Post
from archive.models import Article, Comment, Entity, Mention, Site, Source, Tally
from archive.queries import Period
from tests.makers import comments_of, make_article, make_user

pytestmark = pytest.mark.django_db

MARCH = datetime(2017, 3, 14, 23, 30, tzinfo=UTC)


def months(site: Site | None = None) -> dict[str, tuple[int, int]]:
    return {month: (articles, comments) for month, articles, comments in queries.periods(site)}


def dated(comments: int, step: timedelta) -> Article:
    article = make_article(comments=["x"] * comments)
    for number, comment in enumerate(comments_of(article)):
        Comment.objects.filter(pk=comment.pk).update(posted_at=MARCH + number * step)
    counters.recount_articles([article.pk])
    article.refresh_from_db()
    return article


def test_the_activity_of_an_article_is_kept_by_day() -> None:
    article = dated(3, timedelta(hours=1))
    assert article.activity == {"2017-03-14": 1, "2017-03-15": 2}
    assert (article.comment_count, article.last_comment_at) == (3, MARCH + timedelta(hours=2))


@pytest.mark.parametrize(("step", "expected"), [(20, {"2017-03": 1, "2017-04": 2, "2017-05": 1}), (60, {"2017": 4})])
def test_many_days_are_kept_by_month_and_many_months_by_year(
    monkeypatch: pytest.MonkeyPatch, step: int, expected: dict[str, int]
) -> None:
    monkeypatch.setattr(counters, "MOST_DAYS", 3)
    assert dated(4, timedelta(days=step)).activity == expected


def test_articles_and_comments_are_counted_by_site_and_month() -> None:
    one, other = (Site.objects.create(name=name, slug=name) for name in ("one", "other"))
    make_article(comments="abc", site=one, published_at=MARCH)
    make_article(comments="a", site=other, published_at=MARCH)
    make_article(comments="ab", site=other)
    assert months() == {"2017-03": (2, 4), "all": (3, 6), "undated": (1, 2)}
    assert months(one) == {"2017-03": (1, 3), "all": (1, 3)}
    assert [tuple(found) for found in queries.largest_sites(9)] == [(other, 2, 3), (one, 1, 3)]


def test_counting_again_or_summing_up_changes_nothing() -> None:
    article = make_article(comments="abc", published_at=MARCH)
    before, rows = months(), Tally.objects.count()
    counters.recount_articles([article.pk])
    assert (months(), Tally.objects.count()) == (before, rows)
    for _ in range(2):
        counters.sum_up()
        assert months() == before


def test_what_is_hidden_is_not_counted_and_comes_back() -> None:
    article = make_article(comments="abc", published_at=MARCH)
    moderator = make_user("moderator")
    moderation.hide(comments_of(article)[0], by=moderator, reason="x")
    assert months() == {"2017-03": (1, 2), "all": (1, 2)}
    decision = moderation.hide(article, by=moderator, reason="x").decision
    assert (months(), queries.largest_sites(9)) == ({}, [])
    assert decision is not None
    moderation.undo(decision, by=moderator)
    assert months() == {"2017-03": (1, 2), "all": (1, 2)}


def test_summing_up_leaves_one_row_each_and_none_for_nothing() -> None:
    article = make_article(comments="abc", published_at=MARCH)
    make_article(comments="a", published_at=MARCH)
    counters.sum_up()
    assert Tally.objects.count() == 4
    Article.objects.all().update(status=Article.Status.HIDDEN)
    counters.recount_articles(Article.objects.values_list("pk", flat=True))
    counters.sum_up()
    assert (Tally.objects.count(), article.pk in Article.objects.values_list("pk", flat=True)) == (0, True)


def load(*texts: str, at: datetime | None) -> loader.Stored:
    source, _ = Source.objects.get_or_create(sha256="0" * 64, name="x", size=1)
    posts = [Post(external_id=text, text=text, posted_at=MARCH) for text in texts]
    found = Discussion(key="x", title="x", body="x", comments=posts, published_at=at)
    return loader.store(found, source=source, site=loader.site_named("Example"))


def test_an_article_that_is_read_again_is_counted_as_it_is_now() -> None:
    load("a", "b", at=None)
    assert months() == {"all": (1, 2), "undated": (1, 2)}
    load("a", at=MARCH)
    assert months() == {"2017-03": (1, 1), "all": (1, 1)}
    assert Article.objects.get().activity == {"2017-03-14": 1}


STEPS = st.lists(
    st.tuples(st.integers(0, 2), st.sampled_from(["hide", "show", "date", "undate", "comment", "sum"])), max_size=12
)


@limits(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(STEPS)
def test_whatever_happens_the_tallies_are_what_a_count_would_give(steps: list[tuple[int, str]]) -> None:
    Article.objects.all().delete()
    Tally.objects.all().delete()
    made = [make_article(comments="ab", published_at=MARCH) for _ in range(3)]
    fields: dict[str, dict[str, Any]] = {
        "hide": {"status": "hidden"},
        "show": {"status": "published"},
        "date": {"published_at": MARCH},
        "undate": {"published_at": None},
    }
    for which, step in steps:
        found = Article.objects.filter(pk=made[which].pk)
        if step in fields:
            found.update(**fields[step])
        elif step == "comment":
            Comment.objects.filter(article_id=made[which].pk).update(status=Comment.Status.SPAM)
        else:
            counters.sum_up()
        counters.recount_articles([made[which].pk])
    shown = Article.objects.filter(status="published")
    expected = {"all": shown, "2017-03": shown.exclude(published_at=None), "undated": shown.filter(published_at=None)}
    counts = {name: (rows.count(), sum(row.comment_count for row in rows)) for name, rows in expected.items()}
    assert months() == {name: count for name, count in counts.items() if count[0]}


def test_a_period_is_the_months_row() -> None:
    make_article(comments="ab", published_at=MARCH)
    assert queries.periods()[0] == Period("2017-03", 1, 2)


DAYS = st.lists(st.sampled_from([None, 0, 0, 1, 2, 40]), min_size=6, max_size=6)
ACTS = st.lists(
    st.tuples(st.sampled_from(["hide", "restore", "spam", "hold", "undo"]), st.sets(st.integers(0, 5), min_size=1)),
    max_size=8,
)


def mention(comment: Comment, entity: Entity) -> None:
    Mention.objects.create(
        article_id=comment.article_id, comment=comment, entity=entity, revision=1, start=0, end=1, surface="x"
    )
    counters.recount_entities([entity.pk])


def counted() -> list[Any]:
    """All that is counted of what readers see."""
    articles = Article.objects.order_by("pk").values_list("comment_count", "last_comment_at", "activity")
    return [*articles, *Entity.objects.order_by("pk").values_list("mention_count"), months()]


@limits(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(DAYS, ACTS)
def test_counts_after_any_decisions_are_those_of_a_recount(
    monkeypatch: pytest.MonkeyPatch, days: list[int | None], acts: list[tuple[str, set[int]]]
) -> None:
    monkeypatch.setattr(counters, "MOST_DAYS", 2)
    with transaction.atomic():
        articles, moderator = [make_article(comments="abc", published_at=MARCH) for _ in "xy"], make_user("moderator")
        comments = [comment for article in articles for comment in comments_of(article)]
        entities = [Entity.objects.create(kind="person", name=name) for name in "xy"]
        for comment, day in zip(comments, days, strict=True):
            comment.posted_at = None if day is None else MARCH + timedelta(days=day)
            comment.save()
            mention(comment, entities[comment.position % 2])
        counters.recount_articles([article.pk for article in articles])
        for act, which in acts:
            chosen: dict[int, list[int]] = {article.pk: [] for article in articles}
            for number in which:
                chosen[comments[number].article_id].append(comments[number].pk)
            if act != "undo":
                moderation.decide_many(chosen, action=act, by=moderator, reason="x")
            elif latest := queries.decisions().filter(parent_id__isnull=True).newest_first().first():
                moderation.undo(latest, by=moderator)
        before = counted()
        counters.recount_articles([article.pk for article in articles])
        counters.recount_entities([entity.pk for entity in entities])
        assert counted() == before
        transaction.set_rollback(True)
