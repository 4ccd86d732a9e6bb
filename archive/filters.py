"""What a reader asks of a list of articles, from GET to a queryset.

Nothing that stands in an address is an error: a value that makes no sense is left out, and the page says so.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from typing import Any

from django.conf.locale import LANG_INFO
from django.forms import RegexField
from django_filters import CharFilter, DateFilter, Filter, FilterSet, ModelChoiceFilter

from archive import queries, search
from archive.models import Entity, Site
from archive.queries import ArticleQuerySet

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


class ArticleFilter(FilterSet):  # type: ignore[misc]  # django-filter has no types
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
            "words": lambda: f"with {value}",
        }
        return str(words[name]() if name in words else value)


class DiscussionFilter(ArticleFilter):
    """The same, and by words in the article or its discussion."""

    words = CharFilter(method="with_words", label="Words", max_length=500)

    def with_words(self, articles: ArticleQuerySet, name: str, words: str) -> ArticleQuerySet:
        return articles.filter(pk__in=search.articles_matching(words))


def site_choices(chosen: Site | None) -> list[Site]:
    """The sites to choose from: the first ``MAX_SITES`` by name, and the chosen one in any case."""
    offered = list(queries.sites_shown()[:MAX_SITES])
    return offered if chosen is None or chosen in offered else [chosen, *offered]


def language_choices() -> list[tuple[str, str]]:
    """Codes and names of the languages to choose from, by name."""
    return sorted(((code, language_name(code)) for code in queries.languages()), key=lambda choice: choice[1])
