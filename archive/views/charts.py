"""Counts by date -> a bar chart: SVG for the eye, and beside it the same as a table, with the same links.

Pure: what is counted comes from the caller. A chart has at most ``MOST_BARS`` bars, however long the time is: it counts
by day, by month, by year, by decade or by century, whichever is the finest that fits. Nothing is styled here; colours
come from the stylesheet, because the content security policy forbids inline styles and dark pages need others.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, timedelta
from html import escape
from typing import NamedTuple

from archive.views.environment import MONTHS, counted, stored

MOST_BARS = 120
WIDTH, HEIGHT, GAP = 1000, 100, 0.2  # of the drawing, which is stretched to its place; the gap in parts of a bar
LEAST = 3  # of HEIGHT: one comment beside ten thousand is still to be seen

type Link = Callable[[date, date], str]
type Counts = Mapping[str, int]


class Bar(NamedTuple):
    """So many within the days from ``first`` to ``last``, both included."""

    first: date
    last: date
    label: str
    number: int


class Unit(NamedTuple):
    """A step of the axis: its name, and in which place a day stands on an axis that begins with the year 0."""

    name: str
    place: Callable[[date], int]
    first: Callable[[int], date]
    label: Callable[[date], str]


def _month(number: int) -> date:
    return date(number // 12, number % 12 + 1, 1)


def _years(length: int) -> Callable[[int], date]:
    return lambda number: date(max(1, number * length), 1, 1)


UNITS = (
    Unit("day", date.toordinal, date.fromordinal, lambda day: f"{day.day} {MONTHS[day.month]} {day.year}"),
    Unit("month", lambda day: day.year * 12 + day.month - 1, _month, lambda day: f"{MONTHS[day.month]} {day.year}"),
    Unit("year", lambda day: day.year, _years(1), lambda day: str(day.year)),
    Unit("decade", lambda day: day.year // 10, _years(10), lambda day: f"{day.year // 10 * 10}s"),
    Unit("century", lambda day: day.year // 100, _years(100), lambda day: f"{day.year // 100 * 100}s"),
)
FINEST = {10: 0, 7: 1, 4: 2}  # length of ``2017-03-14``, ``2017-03``, ``2017`` -> the unit that it was counted by


def bars(counts: Counts) -> tuple[str, list[Bar]]:
    """The unit's name and the bars, those of nothing between two others included.

    ``counts`` has days, months or years as ISO 8601 writes them; what is no date is left out.
    """
    days = {day: count for name, count in counts.items() if count > 0 and (day := _day(name))}
    if not days:
        return "", []
    finest = max(FINEST[len(name)] for name in counts if len(name) in FINEST)
    for unit in UNITS[finest:]:
        first, last = unit.place(min(days)), unit.place(max(days))
        if last - first < MOST_BARS:
            break
    sums = dict.fromkeys(range(first, last + 1), 0)
    for day, count in days.items():
        sums[unit.place(day)] += count
    return unit.name, [_bar(unit, place, number) for place, number in sums.items()]


def _day(name: str) -> date | None:
    try:
        return date.fromisoformat(f"{name}-01-01"[:10]) if len(name) in FINEST else None
    except ValueError:
        return None


def _bar(unit: Unit, place: int, number: int) -> Bar:
    first = unit.first(place)
    try:
        last = unit.first(place + 1) - timedelta(days=1)
    except (ValueError, OverflowError):  # the calendar ends here
        last = date.max
    return Bar(first, last, unit.label(first), number)


def timeline(
    counts: Counts,
    *,
    name: str,
    one: str = "comment",
    many: str = "comments",
    link: Link | None = None,
    since: date | None = None,
    until: date | None = None,
) -> str:
    """A chart as safe HTML, or nothing where there are fewer than two bars to compare.

    ``name`` is unique on the page; ``link`` gives the address of what was counted between two days; bars that lie
    outside of ``since`` and ``until`` are shown as not chosen.
    """
    unit, made = bars(counts)
    if len(made) < 2:
        return ""
    most = max(made, key=lambda bar: bar.number)
    caption = f"{many.capitalize()} by {unit}"
    told = f"{caption}, {made[0].label} to {made[-1].label}; most in {most.label}: {counted(most.number, one, many)}."
    drawn, rows = [], []
    for place, bar in enumerate(made):
        if not bar.number:
            continue
        href = escape(link(bar.first, bar.last)) if link else ""
        away = (since is not None and bar.last < since) or (until is not None and bar.first > until)
        drawn.append(_drawn(bar, place / len(made), 1 / len(made), bar.number / most.number, href, away, one, many))
        label = f'<a href="{href}">{bar.label}</a>' if href else bar.label
        rows.append(f'<tr><th scope="row">{label}</th><td>{bar.number:,}</td></tr>')
    return stored(
        f'<figure class="timeline"><svg viewBox="0 0 {WIDTH} {HEIGHT}" preserveAspectRatio="none" role="group"'
        f' aria-labelledby="{name}-title {name}-desc"><title id="{name}-title">{caption}</title>'
        f'<desc id="{name}-desc">{told}</desc>{"".join(drawn)}</svg>'
        f'<p class="axis" aria-hidden="true"><span>{made[0].label}</span><span>{made[-1].label}</span></p>'
        f"<details><summary>{caption}, as a table</summary><table><thead><tr>"
        f'<th scope="col">{unit.capitalize()}</th><th scope="col">{many.capitalize()}</th></tr></thead>'
        f"<tbody>{''.join(rows)}</tbody></table></details></figure>"
    )


def _drawn(bar: Bar, x: float, width: float, share: float, href: str, away: bool, one: str, many: str) -> str:
    """One bar. The link has the height of the chart: a low bar is as easy to hit as a high one.

    It is for the pointer; with the keyboard the table is the shorter way, and has the same links.
    """
    left, wide = x * WIDTH, width * WIDTH
    high = max(LEAST, share * HEIGHT)
    words = f"{bar.label}: {counted(bar.number, one, many)}"
    shape = (
        f'<rect class="reach" x="{left:.1f}" y="0" width="{wide:.1f}" height="{HEIGHT}"/>'
        f'<rect class="{"bar away" if away else "bar"}" x="{left + wide * GAP / 2:.1f}" y="{HEIGHT - high:.1f}"'
        f' width="{wide * (1 - GAP):.1f}" height="{high:.1f}"/>'
    )
    if not href:
        return f'<g role="img" aria-label="{words}"><title>{words}</title>{shape}</g>'
    return f'<a href="{href}" tabindex="-1" aria-label="{words}"><title>{words}</title>{shape}</a>'
