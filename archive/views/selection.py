"""Which comments of a thread a page shows: from what an address asks for to rows, and to the pages around them.

``rank`` is the place in the order at which a page starts, and a stable address. Links from page to page name the
comment that they go on from as well (``after``, ``before``): however many comments have come since in front of it, the
next page starts right after it, so that who reads on misses none and sees none twice.
"""

from __future__ import annotations

from typing import NamedTuple

from django.http import HttpRequest, QueryDict

from archive import queries
from archive.queries import CommentQuerySet, Order, ThreadRow
from archive.threads import LEVELS, Sort
from archive.views.paging import address, number
from archive.views.thread import MAX_LEVEL

ABOVE_DEEP = 3  # ancestors shown above a page that starts deeper than can be indented: the rest is a link away
MAX_JUMPS = 100  # places to jump to
ABOVE_MATCH = 4  # ancestors shown above each comment that was looked for
MAX_MATCHES = 10_000  # of these a filter shows; it says so where there are more
FILTERS = ("by", "words", "since", "until", "entity")
OUTLINED = 12  # threads that an outline names: those with most replies
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
    """What an address asks of a thread. ``after`` and ``before`` are comments that the page borders on.

    ``part`` are the ids of the first and the last comment of a part of the thread; its places count from 0.
    """

    order: Order = Order()
    rank: int = 0
    after: int | None = None
    before: int | None = None
    part: tuple[int, int] | None = None


class Selection(NamedTuple):
    """The page: its rows and, for context, ancestors of them; the place of the first row, and how many there are.

    ``shown`` are both, in the order of the page.
    """

    rows: list[ThreadRow]
    above: list[ThreadRow]
    start: int
    places: int
    shown: list[ThreadRow]


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
    first, last = number(query.get("from")), number(query.get("to"))
    return Asked(
        Order(sort, levels if levels in LEVELS and sort != Sort.FLAT else 0),
        min(number(query.get("rank")) or 0, LAST_PLACE),
        number(query.get("after")),
        number(query.get("before")),
        (first, last) if first is not None and last is not None else None,
    )


def is_filtered(query: QueryDict) -> bool:
    return any(query.get(name) for name in FILTERS)


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
    context = above(article_id, rows[0]) if rows and asked.order.sort != Sort.FLAT else []
    return Selection(rows, context, start, places, [*context, *rows])


def select_part(article_id: int, asked: Asked, *, size: int) -> Selection | None:
    """A page of the part of the thread that the address names; None where it names none that is there."""
    if asked.part is None:
        return None
    ranks = [queries.comments().rank_of(article_id, pk) for pk in asked.part]
    if ranks[0] is None or ranks[1] is None:
        return None
    first, last = sorted((ranks[0], ranks[1]))
    places = last - first + 1
    start = asked.rank if asked.rank < places else _last_page(places, size)
    rows = queries.comments().for_subtree(article_id, rank=first + start, end=last, limit=size)
    context = above(article_id, rows[0]) if rows else []
    return Selection(rows, context, start, places, [*context, *rows])


def select_matches(article_id: int, asked: Asked, matching: CommentQuerySet, *, size: int) -> Selection:
    """A page of the comments that match, each with what it replies to; ``places`` is at most ``MAX_MATCHES`` + 1."""
    flat = asked.order.sort == Sort.FLAT
    places = matching.places(by_date=flat, limit=MAX_MATCHES + 1)
    ids = [pk for _, pk in places]
    start = asked.rank if asked.rank < len(ids) else _last_page(len(ids), size)
    if asked.after in ids[:-1]:
        start = ids.index(asked.after) + 1
    elif asked.before in ids:
        start = max(0, ids.index(asked.before) - size)
    page = places[start : start + size]
    rows = queries.comments().for_ranks(article_id, [rank for rank, _ in page])
    if flat:
        return Selection(rows, [], start, len(ids), rows)
    matched = {pk for _, pk in page}
    found = queries.comments().ancestors_of(article_id, list(matched), limit=ABOVE_MATCH)
    context = [row for row in found if row.id not in matched]
    return Selection(rows, context, start, len(ids), sorted([*rows, *context], key=lambda row: row.thread_rank))


class Entry(NamedTuple):
    """A thread that an outline names; no author and no words where they are not shown or not known."""

    href: str
    author: str
    words: str
    replies: int


def outline(own: str, article_id: int, *, size: int) -> list[Entry]:
    """The threads with most replies, in thread order, of an article whose comments fill more than a page."""
    most = queries.comments().in_order(article_id, Order(Sort.DISCUSSED, 1), start=0, limit=OUTLINED)
    return [
        Entry(f"{own}?rank={head.thread_rank // size * size}#c{head.id}", head.shown_author, head.start, replies)
        for head in queries.comments().heads(article_id, most.ranks)
        if (replies := head.subtree_size)
    ]


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
