"""Lists in pages: by the key of the last row shown, never by OFFSET, and without counting what is not shown."""

from __future__ import annotations

import re
from typing import Any, NamedTuple

from django.db.models import Model, Q, QuerySet
from django.http import HttpRequest

from archive.queries import ArticleQuerySet

_KEY = re.compile(r"[0-9]{1,18}")  # what fits into a bigint


class Page[M: Model](NamedTuple):
    """Some rows, and the ``before`` of the page after them: empty on the last one."""

    rows: list[M]
    next: str


def number(text: str | None) -> int | None:
    """A number from an address; None for anything else, which is then as if it had not been said."""
    return int(text) if text and _KEY.fullmatch(text) else None


def newest_first[M: Model](rows: QuerySet[M], *, before: str | None, limit: int) -> Page[M]:
    """``limit`` rows of a list ordered by ``-id``, from below the id ``before``."""
    key = number(before)
    found = list((rows if key is None else rows.filter(pk__lt=key))[: limit + 1])
    return Page(found[:limit], str(found[limit - 1].pk) if len(found) > limit else "")


def most_discussed(rows: ArticleQuerySet, *, before: str | None, limit: int) -> Page[Any]:
    """``limit`` articles by ``(-comment_count, -id)``, from below ``before``, which is ``count-id``."""
    count, _, identity = (before or "").partition("-")
    key = (number(count), number(identity))
    if None not in key:
        # The first condition is implied by the second; it is what the index can start from.
        below = Q(comment_count__lt=key[0]) | Q(pk__lt=key[1])
        rows = rows.filter(below, comment_count__lte=key[0])
    found = list(rows[: limit + 1])
    last = found[limit - 1] if len(found) > limit else None
    return Page(found[:limit], f"{last.comment_count}-{last.pk}" if last else "")


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
