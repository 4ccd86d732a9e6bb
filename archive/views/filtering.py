"""The filter form as the pages show it: what can be chosen, what is chosen, and how to take each choice back."""

from __future__ import annotations

from typing import Any, NamedTuple

from django.http import HttpRequest

from archive.filters import ArticleFilter, ReaderFilter, language_choices, site_choices
from archive.models import Site, Tally
from archive.views.paging import address


class Choice(NamedTuple):
    """A filter in force, in words, and the address without it."""

    name: str
    words: str
    without: str


class Filtering(NamedTuple):
    sites: list[Site]
    languages: list[tuple[str, str]]
    values: dict[str, Any]
    chosen: list[Choice]
    undated: str
    problems: list[str]


def filtering(request: HttpRequest, asked: ArticleFilter) -> Filtering:
    """Two queries: the sites and the languages to choose from.

    ``undated`` is where to find the articles that a date leaves out because theirs is not known.
    """
    values = asked.values()
    chosen = choices(request, asked)
    dated = {"since", "until", "period"} & values.keys() and values.get("period") != Tally.UNDATED
    without = {"since": None, "until": None, "before": None, "after": None, "period": Tally.UNDATED}
    undated = address(request, **without) if dated else ""
    return Filtering(site_choices(values.get("site")), language_choices(), values, chosen, undated, asked.problems())


def choices(request: HttpRequest, asked: ReaderFilter) -> list[Choice]:
    """What is chosen, each with the address of the first page without it."""
    return [
        Choice(name, words, address(request, **{name: None, "before": None, "after": None, "rank": None}))
        for name, words in asked.chosen().items()
    ]
