"""What a reader asks of the list of articles."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from django.http import QueryDict

from archive import counters, queries
from archive.filters import DiscussionFilter, language_choices, site_choices
from archive.models import Article, Comment, Entity, Mention, Site
from archive.search import index
from tests.makers import comments_of, make_article

pytestmark = pytest.mark.django_db


def asked(query: str) -> DiscussionFilter:
    return DiscussionFilter(QueryDict(query), queryset=queries.articles().visible_to(None))


def found(query: str) -> set[str]:
    return set(asked(query).qs.values_list("title", flat=True))


def test_by_site() -> None:
    make_article("Here")
    make_article("There", site=Site.objects.create(name="Other", slug="other"))
    assert found("site=other") == {"There"}


def test_by_language() -> None:
    make_article("Deutsch", language="de")
    make_article("English", language="en")
    assert found("language=de") == {"Deutsch"}


def test_by_date_from_the_first_to_the_last_moment_of_a_day() -> None:
    for hour in (0, 23):
        make_article(f"At {hour}", published_at=datetime(2017, 3, 14, hour, 59, 59, tzinfo=UTC))
    make_article("Later", published_at=datetime(2017, 3, 15, tzinfo=UTC))
    make_article("Undated")
    assert found("since=2017-03-14&until=2017-03-14") == {"At 0", "At 23"}


def test_by_words() -> None:
    for title, said in (("Bees", "honey"), ("Cows", "milk")):
        index.index(make_article(title, comments=[said]).pk, None)
    assert found("words=honey") == {"Bees"}


def test_by_entity_in_visible_texts() -> None:
    article = make_article("Named", comments=["Cairo"])
    entity = Entity.objects.create(kind="place", name="Cairo", mention_count=1)
    Mention.objects.create(
        article=article, comment=comments_of(article)[0], entity=entity, revision=1, start=0, end=5,
        surface="Cairo", extractor="test", extractor_version="1",
    )  # fmt: skip
    make_article("Not named")
    assert found(f"entity={entity.pk}") == {"Named"}
    Comment.objects.update(status=Comment.Status.HIDDEN)
    counters.recount_entities([entity.pk])
    assert asked(f"entity={entity.pk}").problems() == [
        f"“{entity.pk}” is no one and nothing that this archive knows: left out."
    ]


@pytest.mark.parametrize(
    "query",
    ["site=nowhere", "since=banana", "until=2017-02-30", "entity=-1", "entity=x", "entity=" + "9" * 30, "site=%00",
     "since=0000-00-00", "language=" + "x" * 50, "until=99999-01-01"],
)  # fmt: skip
def test_what_makes_no_sense_is_left_out_and_said(query: str) -> None:
    make_article("One")
    assert found(query) == {"One"}
    assert len(asked(query).problems()) == 1
    assert asked(query).chosen() == {}


@pytest.mark.parametrize("query", ["since=0001-01-01", "until=9999-12-31"])
def test_the_ends_of_the_calendar_are_days_too(query: str) -> None:
    make_article("One", published_at=datetime(2017, 3, 14, tzinfo=UTC))
    assert found(query) == {"One"}


def test_what_is_chosen_is_said_in_words() -> None:
    make_article("One")
    said = asked("site=example&language=de&since=2017-03-14&words=bees").chosen()
    assert said == {"site": "Example", "language": "in German", "since": "from 2017-03-14", "words": "with bees"}


def test_languages_to_choose_from_are_those_of_visible_articles_by_name() -> None:
    for code in ("en", "en", "de", "", "xx"):
        make_article(language=code)
    make_article(language="fr", status=Article.Status.HIDDEN)
    assert language_choices() == [("en", "English"), ("de", "German"), ("xx", "xx")]


def test_a_chosen_site_is_offered_even_beyond_the_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("archive.filters.MAX_SITES", 1)
    make_article(site=Site.objects.create(name="A", slug="a"))
    last = Site.objects.create(name="Z", slug="z")
    assert [site.name for site in site_choices(last)] == ["Z", "A"]
