"""Which comments of a thread a page shows: from what an address asks for to rows, and to the pages around them.

``rank`` is the place in the order at which a page starts, and a stable address. Links from page to page name the
comment that they go on from as well (``after``, ``before``): however many comments have come since in front of it, the
next page starts right after it, so that who reads on misses none and sees none twice.
"""

from __future__ import annotations

from typing import NamedTuple

from django.http import HttpRequest, QueryDict

from archive import queries
from archive.queries import Order, ThreadRow
from archive.threads import LEVELS, Sort
from archive.views.paging import address, number
from archive.views.thread import MAX_LEVEL

ABOVE_DEEP = 3  # ancestors shown above a page that starts deeper than can be indented: the rest is a link away
MAX_JUMPS = 100  # places to jump to
LAST_PLACE = 1 << 27  # more than a thread can have

SORTS = {
    Sort.THREAD: ("Thread", "in thread order"),
    Sort.OLDEST: ("Oldest first", "oldest first"),
    Sort.NEWEST: ("Newest first", "newest first"),
    Sort.DISCUSSED: ("Most replies first", "most replies first"),
    Sort.FLAT: ("One by one, by date", "by date, one by one"),
}
DEPTHS = {0: "All replies", 1: "Top level only", 2: "Two levels", 3: "Three levels"}
BY_DATE = {Sort.OLDEST, Sort.NEWEST, Sort.FLAT}


class Asked(NamedTuple):
    """What an address asks of a thread. ``after`` and ``before`` are comments that the page borders on."""

    order: Order = Order()
    rank: int = 0
    after: int | None = None
    before: int | None = None


class Selection(NamedTuple):
    """Rows of a page, the ancestors of the first one, the place of the first row, and how many places there are."""

    rows: list[ThreadRow]
    above: list[ThreadRow]
    start: int
    places: int


class Span(NamedTuple):
    """A page: the place of its first comment, the numbers of its first and last one, and its address."""

    rank: int
    first: int
    last: int
    href: str = ""


class Pager(NamedTuple):
    """Where in the thread a page is. ``jumps`` are all pages, or every so manieth of a very long thread."""

    places: int
    here: Span
    previous: Span | None
    next: Span | None
    jumps: list[Span]


class Way(NamedTuple):
    """One of several ways to read a thread: ``href`` leads to it, and ``here`` says that the page is read so."""

    words: str
    href: str
    here: bool


def asked(query: QueryDict) -> Asked:
    """Read an address. What makes no sense is as if it had not been said."""
    named = query.get("sort", "")
    sort = Sort(named) if named in set(Sort) else Sort.THREAD
    levels = number(query.get("depth")) or 0
    return Asked(
        Order(sort, levels if levels in LEVELS and sort != Sort.FLAT else 0),
        min(number(query.get("rank")) or 0, LAST_PLACE),
        number(query.get("after")),
        number(query.get("before")),
    )


def select(article_id: int, asked: Asked, *, size: int) -> Selection:
    """The page that is asked for, or the last one where the thread ends before it."""
    start, limit = _bounds(article_id, asked, size)
    comments = queries.comments()
    if asked.order == Order():
        places = comments.thread_length(article_id)
        start, limit = (start, limit) if start < places else (_last_page(places, size), size)
        rows = comments.for_thread_page(article_id, rank=start, limit=limit)
    else:
        part = comments.in_order(article_id, asked.order, start=start, limit=limit)
        if start and start >= part.length:
            part = comments.in_order(article_id, asked.order, start=_last_page(part.length, size), limit=size)
        start, places = part.start, part.length
        rows = comments.for_ranks(article_id, part.ranks)
    nested = asked.order.sort != Sort.FLAT
    return Selection(rows, above(article_id, rows[0]) if rows and nested else [], start, places)


def _bounds(article_id: int, asked: Asked, size: int) -> tuple[int, int]:
    """Where the page starts and how many comments it may have."""
    anchor = asked.after or asked.before
    if anchor is None:
        return asked.rank, size
    place = rank = queries.comments().rank_of(article_id, anchor)
    if rank is not None and asked.order != Order():
        place = queries.comments().place_in_order(article_id, asked.order, rank, near=asked.rank)
    if place is None:
        return asked.rank, size
    if asked.after:
        return place + 1, size
    start = max(0, place - size)
    return start, place - start or size


def _last_page(places: int, size: int) -> int:
    return max(0, places - 1) // size * size


def above(article_id: int, first: ThreadRow) -> list[ThreadRow]:
    """The ancestors of a page's first row: all that can be indented above it, or the nearest few of a deep one."""
    if not first.depth:
        return []
    limit = first.depth if first.depth < MAX_LEVEL else ABOVE_DEEP
    return queries.comments().ancestors_of(article_id, [first.id], limit=limit)


def pager(request: HttpRequest, found: Selection, *, size: int) -> Pager:
    start, places, shown = found.start, found.places, len(found.rows)

    def span(first: int, last: int, **anchors: int) -> Span:
        named = {name: str(value) for name, value in anchors.items()}
        rank = str(first) if first else None
        return Span(first, first + 1, last, address(request, **{"after": None, "before": None, "rank": rank, **named}))

    end = start + shown
    step = size * max(1, -(-places // (size * MAX_JUMPS)))
    return Pager(
        places,
        span(start, end),
        span(max(0, start - size), start, before=found.rows[0].id) if start and shown else None,
        span(end, min(end + size, places), after=found.rows[-1].id) if shown and end < places else None,
        [Span(first, first + 1, min(first + size, places)) for first in range(0, places, step)],
    )


def ways(request: HttpRequest, order: Order, *, dated: bool) -> list[list[Way]]:
    """The orders and the depths in which the thread can be read; by date only where it has dates."""
    start = {"rank": None, "after": None, "before": None}
    sorts = [
        Way(words, address(request, **start, sort=sort if sort != Sort.THREAD else None), sort == order.sort)
        for sort, (words, _) in SORTS.items()
        if dated or sort not in BY_DATE
    ]
    depths = [
        Way(words, address(request, **start, depth=str(levels) if levels else None), levels == order.levels)
        for levels, words in DEPTHS.items()
    ]
    return [sorts, depths if order.sort != Sort.FLAT else []]


def in_words(order: Order) -> str:
    """``newest first, top level only``."""
    depth = f", {DEPTHS[order.levels].lower()}" if order.levels else ""
    return SORTS[order.sort][1] + depth
