"""How much there is, since when: what pages say of the archive, a site, a name or an entity, and the chart of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import date, datetime
from typing import NamedTuple

from archive.models import Tally
from archive.queries import Period
from archive.views.charts import Link, timeline

LEAFED = 1_000  # texts of a name or an entity that are looked at to say when they were written: the newest
MOST_YEARS = 60  # years to choose from


class Figures(NamedTuple):
    """``first`` and ``last`` are a month of publication as ``2017-03``, empty where no article has a date."""

    articles: int
    comments: int
    undated: int
    first: str
    last: str
    years: list[str]
    chart: str


class Span(NamedTuple):
    """Of how many texts and discussions, from when to when, and whether there are more than were looked at."""

    texts: int
    articles: int
    first: datetime | None
    last: datetime | None
    is_cut: bool
    chart: str


def figures(periods: Sequence[Period], *, link: Link | None = None) -> Figures:
    of = {period.month: period for period in periods}
    whole = of.pop(Tally.ALL, Period(Tally.ALL, 0, 0))
    undated = of.pop(Tally.UNDATED, Period(Tally.UNDATED, 0, 0)).articles
    months = sorted(of)
    years = sorted({month[:4] for month in months}, reverse=True)[:MOST_YEARS]
    chart = timeline({month: of[month].comments for month in months}, name="figures", link=link)
    first, last = (months[0], months[-1]) if months else ("", "")
    return Figures(whole.articles, whole.comments, undated, first, last, years, chart)


def span(texts: Sequence[tuple[int, datetime | None]], *, one: str, many: str) -> Span:
    """``texts`` are article and date of each, at most ``LEAFED`` and one more."""
    looked_at = texts[:LEAFED]
    dates = [at for _, at in looked_at if at]
    by_day = Counter(at.date().isoformat() for at in dates)
    return Span(
        len(looked_at),
        len({article for article, _ in looked_at}),
        min(dates, default=None),
        max(dates, default=None),
        len(texts) > LEAFED,
        timeline(by_day, name="when", one=one, many=many),
    )


def between(first: date, last: date) -> dict[str, str]:
    """The filter's names for what was published from one day to another."""
    return {"since": first.isoformat(), "until": last.isoformat()}
