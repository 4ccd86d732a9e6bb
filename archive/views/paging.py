"""Lists in pages: by the key of the last row shown, never by OFFSET, and without counting what is not shown."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, NamedTuple

from django.db.models import Model, Q, QuerySet
from django.http import HttpRequest

from archive.queries import ArticleQuerySet

_KEY = re.compile(r"[0-9]{1,18}")  # what fits into a bigint


class Page[M: Model](NamedTuple):
    """Some rows, the ``before`` of the page after them and the ``after`` of the page before them, if there are any."""

    rows: list[M]
    next: str
    previous: str


def number(text: str | None) -> int | None:
    """A number from an address; None for anything else, which is then as if it had not been said."""
    return int(text) if text and _KEY.fullmatch(text) else None


def newest_first[M: Model](rows: QuerySet[M], request: HttpRequest, *, limit: int) -> Page[M]:
    """``limit`` rows of a list ordered by ``-id``: from below ``?before=``, or the last above ``?after=``."""
    before, after = number(request.GET.get("before")), number(request.GET.get("after"))
    below = rows if before is None else rows.filter(pk__lt=before)
    above = None if after is None else rows.filter(pk__gt=after).order_by("pk")
    return _cut(below, above, is_first=before is None, limit=limit, key=lambda row: str(row.pk))


def most_discussed(rows: ArticleQuerySet, request: HttpRequest, *, limit: int) -> Page[Any]:
    """The same for articles by ``(-comment_count, -id)``; what the pages border on is written ``count-id``."""
    before, after = _pair(request.GET.get("before")), _pair(request.GET.get("after"))
    below, above = rows, None
    if before:
        # The last condition is implied by the first; it is what the index can start from.
        less = Q(comment_count__lt=before[0]) | Q(pk__lt=before[1])
        below = rows.filter(less, comment_count__lte=before[0])
    if after:
        more = Q(comment_count__gt=after[0]) | Q(pk__gt=after[1])
        above = rows.filter(more, comment_count__gte=after[0]).order_by("comment_count", "pk")
    return _cut(below, above, is_first=not before, limit=limit, key=lambda row: f"{row.comment_count}-{row.pk}")


def _pair(text: str | None) -> tuple[int, int] | None:
    count, _, identity = (text or "").partition("-")
    first, second = number(count), number(identity)
    return None if first is None or second is None else (first, second)


def _cut[M: Model](
    below: QuerySet[M], above: QuerySet[M] | None, *, is_first: bool, limit: int, key: Callable[[M], str]
) -> Page[M]:
    """A page of ``below``; of ``above``, read backwards, where that is given and is not the first page by then."""
    if above is not None:
        back = list(above[: limit + 1])
        if len(back) > limit:
            rows = back[:limit][::-1]
            return Page(rows, key(rows[-1]), key(rows[0]))
    found = list(below[: limit + 1])
    rows = found[:limit]
    return Page(rows, key(rows[-1]) if len(found) > limit else "", "" if is_first or not rows else key(rows[0]))


def ways(request: HttpRequest, found: Page[Any]) -> dict[str, str]:
    """The addresses of the first page and of those around this one, each empty where there is none."""
    moved = request.GET.get("before") or request.GET.get("after")
    return {
        "first_url": address(request, before=None, after=None) if moved and (found.previous or not found.rows) else "",
        "previous_url": address(request, before=None, after=found.previous) if found.previous else "",
        "next_url": address(request, before=found.next, after=None) if found.next else "",
    }


def address(request: HttpRequest, **changes: str | None) -> str:
    """The page's own address with parts of its query changed, or left out where None."""
    query = request.GET.copy()
    for name, value in changes.items():
        query.pop(name, None)
        if value:
            query[name] = value
    for name in [name for name, value in query.items() if not value]:
        del query[name]
    return f"{request.path}?{query.urlencode()}" if query else request.path
