"""What a reader asks of a list of articles, from GET to a queryset.

Nothing that stands in an address is an error: a value that makes no sense is left out, and the page says so.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from typing import Any

from django.conf.locale import LANG_INFO
from django.forms import RegexField
from django.http import QueryDict
from django_filters import CharFilter, DateFilter, Filter, FilterSet, ModelChoiceFilter

from archive import queries, search
from archive.models import Article, Entity, Site
from archive.queries import ArticleQuerySet, CommentQuerySet

MAX_SITES = 200  # in the list to choose from; any other can still be named in the address
DAY = "%Y-%m-%d"
PERIOD = r"\A(?:undated|[0-9]{4}(?:-(?:0[1-9]|1[0-2]))?)\Z"
MONTHS = (
    *("", "January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)


def language_name(code: str) -> str:
    """``German`` for ``de``; the code itself where no name is known."""
    return str(LANG_INFO.get(code, {}).get("name", code))


def period_in_words(period: str) -> str:
    """``2017``, ``March 2017``, ``without a date``."""
    year, _, month = period.partition("-")
    return "without a date" if period == "undated" else f"{MONTHS[int(month)]} {year}" if month else year


class PeriodFilter(Filter):  # type: ignore[misc]
    field_class = RegexField


class ReaderFilter(FilterSet):  # type: ignore[misc]  # django-filter has no types
    """What all filters say of themselves, in words."""

    def values(self) -> dict[str, Any]:
        """What narrows the list, by the name of its parameter."""
        self.form.errors  # noqa: B018  cleans, once
        return {name: value for name, value in self.form.cleaned_data.items() if value}

    def chosen(self) -> dict[str, str]:
        """The same, in words."""
        return {name: self._in_words(name, value) for name, value in self.values().items()}

    def problems(self) -> list[str]:
        """What was asked for and left out, in sentences."""
        expected = {
            "site": "is not a site of this archive",
            "since": "is not a day, such as 2017-03-14",
            "until": "is not a day, such as 2017-03-14",
            "period": "is not a year or a month, such as 2017 or 2017-03",
            "entity": "is no one and nothing that this archive knows",
        }
        return [
            f"“{self.data.get(name, '')[:80]}” {expected.get(name, 'could not be used')}: left out."
            for name in self.form.errors
        ]

    def _in_words(self, name: str, value: Any) -> str:
        words = {
            "since": lambda: f"from {value}",
            "until": lambda: f"to {value}",
            "period": lambda: period_in_words(value) if value == "undated" else f"of {period_in_words(value)}",
            "language": lambda: f"in {language_name(value)}",
            "entity": lambda: f"mentioning {value}",
            "by": lambda: f"by {value}",
            "words": lambda: f"with {value}",
        }
        return str(words[name]() if name in words else value)


class ArticleFilter(ReaderFilter):
    """By site, date, language and mentioned entity."""

    site = ModelChoiceFilter(queryset=lambda request: queries.sites_shown(), to_field_name="slug", label="Site")
    since = DateFilter(method="published_since", label="From", input_formats=[DAY])
    until = DateFilter(method="published_until", label="To", input_formats=[DAY])
    period = PeriodFilter(method="published_in", label="Period", regex=PERIOD)
    language = CharFilter(label="Language", max_length=3)
    entity = ModelChoiceFilter(
        queryset=lambda request: queries.entities().visible_to(None), method="mentioning", label="Mentioning"
    )

    def published_since(self, articles: ArticleQuerySet, name: str, day: date) -> ArticleQuerySet:
        return articles.filter(published_at__gte=datetime.combine(day, time.min, UTC))

    def published_until(self, articles: ArticleQuerySet, name: str, day: date) -> ArticleQuerySet:
        return articles.filter(published_at__lte=datetime.combine(day, time.max, UTC))

    def published_in(self, articles: ArticleQuerySet, name: str, period: str) -> ArticleQuerySet:
        return articles.published_in(period)

    def mentioning(self, articles: ArticleQuerySet, name: str, entity: Entity) -> ArticleQuerySet:
        return articles.mentioning(entity.pk)


class DiscussionFilter(ArticleFilter):
    """The same, and by words in the article or its discussion."""

    words = CharFilter(method="with_words", label="Words", max_length=500)

    def with_words(self, articles: ArticleQuerySet, name: str, words: str) -> ArticleQuerySet:
        return articles.filter(pk__in=search.articles_matching(words))


class ThreadFilter(ReaderFilter):
    """Comments of one thread: by the name they were written under, by date, by mentioned entity, by words."""

    by = CharFilter(method="written_by", label="Author", max_length=500)
    words = CharFilter(method="with_words", label="Words", max_length=500)
    since = DateFilter(method="posted_since", label="From", input_formats=[DAY])
    until = DateFilter(method="posted_until", label="To", input_formats=[DAY])
    entity = ModelChoiceFilter(
        queryset=lambda request: queries.entities().visible_to(None), method="mentioning", label="Mentioning"
    )

    def __init__(self, data: QueryDict, article: Article) -> None:
        super().__init__(data, queries.comments().shown_in(article.pk))
        self.article = article

    def written_by(self, comments: CommentQuerySet, name: str, author: str) -> CommentQuerySet:
        return comments.written_as(author, site_id=self.article.site_id)

    def with_words(self, comments: CommentQuerySet, name: str, words: str) -> CommentQuerySet:
        return comments.filter(pk__in=search.comments_matching(words, self.article.pk))

    def posted_since(self, comments: CommentQuerySet, name: str, day: date) -> CommentQuerySet:
        return comments.filter(posted_at__gte=datetime.combine(day, time.min, UTC))

    def posted_until(self, comments: CommentQuerySet, name: str, day: date) -> CommentQuerySet:
        return comments.filter(posted_at__lte=datetime.combine(day, time.max, UTC))

    def mentioning(self, comments: CommentQuerySet, name: str, entity: Entity) -> CommentQuerySet:
        return comments.filter(pk__in=queries.mentions().in_comments_of(self.article.pk, entity.pk))


def site_choices(chosen: Site | None) -> list[Site]:
    """The sites to choose from: the first ``MAX_SITES`` by name, and the chosen one in any case."""
    offered = list(queries.sites_shown()[:MAX_SITES])
    return offered if chosen is None or chosen in offered else [chosen, *offered]


def language_choices() -> list[tuple[str, str]]:
    """Codes and names of the languages to choose from, by name."""
    return sorted(((code, language_name(code)) for code in queries.languages()), key=lambda choice: choice[1])
