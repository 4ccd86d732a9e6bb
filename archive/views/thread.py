"""Rows of a thread, made ready for the template's flat loop.

A page of 1,000 comments is made in milliseconds because nothing here or in the template calls into Django for a row:
addresses are a prefix and a number, what is said of the basis is kept by its values, and the template prints without
escaping, which was most of its cost. So every text of a ``Row`` is HTML: names are escaped here, once each.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime
from functools import lru_cache
from html import escape
from typing import NamedTuple

from django.template.loader import render_to_string
from django.urls import reverse

from archive.ingest.records import Basis
from archive.models import Article, Comment
from archive.queries import ThreadRow
from archive.views.environment import moment

MAX_LEVEL = 8  # nested lists; replies below stand one under the other and say to whom they reply
SURE = 80  # per cent; from here on, a mark without words says that something was inferred
DOUBTFUL = 50  # per cent; below, the words stand out
STATUS = {status.value: str(status.label) for status in Comment.Status}

LIST = "<ol>"
END = "</details></li>"
ENDS = [END + ("</ol>" + END) * levels for levels in range(MAX_LEVEL + 1)]
MARK = ' class="{}"'
GONE = '<span class="who unknown">{}</span>'
UNKNOWN = '<span class="who unknown">author not in the source</span>'


class Doubt(NamedTuple):
    """What of a comment was not stated: ``words`` to be read at a glance, ``whole`` to be read out or pointed at."""

    words: str
    whole: str
    kind: str


class Row(NamedTuple):
    """A comment as the template prints it, in this order. Every text is HTML; ``before`` opens or closes lists."""

    before: str
    id: int
    number: int
    mark: str
    who: str
    when: str
    to: str
    doubt: str
    replies: str
    gone: bool
    html: str


class Thread(NamedTuple):
    rows: list[Row]
    end: str
    comment_prefix: str


def thread(rows: Iterable[ThreadRow], *, article_id: int, context: Collection[int] = (), here: int = 0) -> Thread:
    """Make rows in thread order ready; those with ids in ``context`` and the one ``here`` are marked as such.

    The first row may be any comment: levels count from it, and no row goes deeper than one below the row before.
    """
    comments = reverse("comment", args=[article_id, 0]).removesuffix("0/")
    authors = reverse("author", args=[0]).removesuffix("0/")
    about = f"{reverse('about')}#basis"
    marks = dict.fromkeys(context, MARK.format("context")) | {here: MARK.format("here")}
    made: list[Row] = []
    seen: dict[int, ThreadRow] = {}
    path: list[int] = []  # ids of the rows whose lists are open, outermost first
    base = level = 0
    for row in rows:
        last = level
        if made:
            level = max(0, min(row.depth - base, last + 1, MAX_LEVEL))
            before = LIST if level > last else ENDS[last - level]
            del path[level:]
        else:
            base, before = row.depth, ""
        shown_under = path[-1] if path else None
        path.append(row.id)
        seen[row.id] = row
        gone = row.status != Comment.Status.PUBLISHED
        made.append(
            Row(
                before,
                row.id,
                row.thread_rank + 1,
                marks.get(row.id, ""),
                GONE.format(STATUS[row.status]) if gone else who(row.shown_author, row.shown_author_id, authors),
                "" if gone or row.posted_at is None else when(row.posted_at),
                "" if row.parent_id == shown_under else reply_to(row.parent_id, seen, comments),
                "" if gone else doubt_link(doubt_of(row), about),
                _replies(row.subtree_size),
                gone,
                row.shown_html,
            )
        )
    return Thread(made, ENDS[level] if made else "", comments)


def printed(made: Thread, article: Article) -> str:
    """The thread as safe HTML: by itself, so that its rows do not pass one by one through the layers of the page."""
    return render_to_string("_thread.html", {"thread": made, "article": article})


@lru_cache(maxsize=4096)
def who(name: str, author_id: int | None, authors: str) -> str:
    if not name:
        return UNKNOWN
    if author_id is None:
        return f'<bdi class="who">{escape(name)}</bdi>'
    return f'<a class="who" href="{authors}{author_id}/"><bdi>{escape(name)}</bdi></a>'


def _replies(count: int) -> str:
    return "" if not count else "1 reply" if count == 1 else f"{count:,} replies"


def when(at: datetime) -> str:
    return f'<time datetime="{at.isoformat()}">{moment(at)}</time>'


def reply_to(parent_id: int | None, seen: dict[int, ThreadRow], comments: str) -> str:
    """A link to a parent that the lists do not show: on this page where it is on it."""
    if parent_id is None:
        return ""
    parent = seen.get(parent_id)
    if parent is None:
        return f'<a class="to" href="{comments}{parent_id}/">in reply to an earlier comment</a>'
    name = f"<bdi>{escape(parent.shown_author)}</bdi>, " if parent.shown_author else ""
    return f'<a class="to" href="#c{parent_id}">in reply to {name}#{parent.thread_rank + 1}</a>'


@lru_cache(maxsize=4096)
def doubt_link(doubt: Doubt | None, about: str) -> str:
    """In words where it is worth a look; a mark that says the same when pointed at or read out, where it is not."""
    if doubt is None:
        return ""
    shown = doubt.words or f'<span aria-hidden="true">≈</span><span class="unseen">{doubt.whole}</span>'
    return f'<a class="doubt {doubt.kind}" href="{about}" title="{doubt.whole}">{shown}</a>'


def doubt_of(row: ThreadRow) -> Doubt | None:
    if (
        row.boundary_basis == row.parent_basis == Basis.STATED
        and row.date_basis != Basis.INFERRED
        and row.author_basis != Basis.INFERRED
    ):
        return None
    return doubt(
        row.parent_id is None,
        (row.boundary_basis, percent(row.boundary_confidence)),
        (row.parent_basis, percent(row.parent_confidence)),
        (row.author_basis, percent(row.author_confidence)),
        (row.date_basis, percent(row.date_confidence)),
    )


def percent(confidence: float | None) -> int | None:
    """Rounded, but never to a certainty that nobody claimed."""
    return None if confidence is None else max(1, min(99, round(confidence * 100)))


type Claimed = tuple[str, int | None]


@lru_cache(maxsize=4096)
def doubt(is_root: bool, start: Claimed, place: Claimed, author: Claimed, date: Claimed) -> Doubt | None:
    """What to say of a comment with these bases: each a basis and a confidence in per cent."""
    named = {"start": start, "top level" if is_root else "reply": place, "author": author, "date": date}
    inferred = {name: sure for name, (basis, sure) in named.items() if basis == Basis.INFERRED}
    said = {name: _said(name, sure) for name, sure in inferred.items()}
    # That author or date is unknown shows by itself: nothing stands where they would.
    if start[0] == Basis.UNKNOWN:
        said["start"] = "start not known"
    if place[0] == Basis.UNKNOWN:
        said["place"] = "not known whether this is a reply" if is_root else "not known to whom this replies"
    if not said:
        return None
    unsure = [name for name, sure in inferred.items() if sure is None or sure < SURE]
    lowest = min((sure for sure in inferred.values() if sure is not None), default=100)
    kind = "strong" if lowest < DOUBTFUL else "plain" if unsure else "faint"
    return Doubt(", ".join(said[name] for name in unsure), "; ".join(said.values()), kind)


def _said(name: str, sure: int | None) -> str:
    return f"{name} inferred" if sure is None else f"{name} inferred, {sure}\u00a0%"
