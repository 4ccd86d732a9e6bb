"""Years and months to choose from, beside a list that is ordered by how much was discussed."""

from __future__ import annotations

from typing import NamedTuple

from django.http import HttpRequest

from archive.filters import period_in_words
from archive.models import Tally
from archive.views.figures import Figures
from archive.views.paging import address


class Choice(NamedTuple):
    words: str
    url: str
    is_chosen: bool


def choices(request: HttpRequest, figures: Figures, chosen: str) -> list[list[Choice]]:
    """All time, each year of which there is something, and what has no date; then the months of the chosen year."""
    years = ["", *figures.years, *([Tally.UNDATED] if figures.undated else [])]
    if len(years) < 3:
        return []
    months = [f"{chosen[:4]}-{month:02}" for month in range(1, 13)] if chosen[:4] in figures.years else []
    offered = [years, [month for month in months if figures.first <= month <= figures.last]]
    start = {"before": None, "after": None, "since": None, "until": None}
    return [
        [Choice(_words(period), address(request, **start, period=period or None), period == chosen) for period in group]
        for group in offered
        if group
    ]


def _words(period: str) -> str:
    words = period_in_words(period) if period else "all time"
    return words.partition(" ")[0] if len(period) == 7 and period != Tally.UNDATED else words
