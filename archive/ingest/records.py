"""The one shape between the stages of an import: readers make it, structure fills it, the loader stores it.

Pure: no Django. All offsets count code points of the decoded source text and are half-open (``start <= i < end``).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple


class Basis(StrEnum):
    """How a fact came to be known. The page shows the difference."""

    STATED = "stated"  # the source says so
    INFERRED = "inferred"  # a model concluded it; carries a confidence
    UNKNOWN = "unknown"  # neither: nothing is invented
    REVIEWED = "reviewed"  # an archivist read the source and settled it


class Claim(NamedTuple):
    """How sure a fact is: its basis and, when inferred, a calibrated confidence from 0 to 1 and a readable reason."""

    basis: Basis
    confidence: float | None = None
    reason: str = ""


STATED = Claim(Basis.STATED)
UNKNOWN = Claim(Basis.UNKNOWN)


class Span(NamedTuple):
    """A half-open range of code points in the decoded source text."""

    start: int
    end: int


class LeftOut(NamedTuple):
    """A part of the source that became neither article nor comment, and why."""

    span: Span
    reason: str


class Problem(NamedTuple):
    """Something wrong with the input: where it is, what it is, and what was done about it."""

    where: str
    what: str
    done: str

    def __str__(self) -> str:
        return f"{self.where}: {self.what}; {self.done}"


@dataclass(frozen=True, slots=True)
class Post:
    """One comment as a source states it or as structure recovery infers it.

    ``external_id`` is unique within the discussion and the same each time the same source is read; ``parent`` is the
    ``external_id`` of the comment this one answers, or None for a comment on the article. The loader, not the
    reader, deals with parents that are missing, cyclic or point at the comment itself.
    """

    external_id: str
    text: str
    span: Span | None = None
    parent: str | None = None
    author: str | None = None
    posted_at: datetime | None = None
    html: str | None = None  # untrusted, as received; None where the source is plain text
    boundary_claim: Claim = STATED
    parent_claim: Claim = UNKNOWN
    author_claim: Claim = UNKNOWN
    date_claim: Claim = UNKNOWN


@dataclass(frozen=True, slots=True)
class Discussion:
    """An article and the comments under it, in the order of the source.

    ``key`` names the discussion within its site and is the same each time the same source is read. ``body`` leaves
    the title's own line out where the source has one (``title_claim`` is stated then).
    """

    key: str
    title: str
    body: str
    comments: Sequence[Post]
    article_span: Span | None = None
    title_claim: Claim = STATED
    byline: str = ""
    url: str = ""
    published_at: datetime | None = None
    language: str = ""  # ISO 639-1, or empty where it could not be told
    html: str | None = None
    left_out: Sequence[LeftOut] = ()
    problems: Sequence[Problem] = ()
    article_claim: Claim = STATED  # that the article ends where it ends; without comments, that there are none


@dataclass(frozen=True, slots=True)
class Reading:
    """What a reader made of one source: its discussions and what was wrong with the bytes.

    ``rejected`` is a sentence for the archivist where nothing could be used; the discussions are empty then.
    """

    format: str
    reader_version: str
    discussions: Iterable[Discussion] = ()  # may be a generator: an export of any size passes through
    encoding: str = ""
    length: int = 0  # code points of the decoded text
    problems: Sequence[Problem] = ()
    rejected: str = ""
    text: str = field(default="", repr=False)  # the decoded source, for checking spans


def account(discussion: Discussion, length: int) -> dict[str, int]:
    """Return how many of the ``length`` code points of the source are in the article, in comments and left out.

    What is left out may lie inside of the article or a comment; it is counted there no more. The three add up to
    ``length``. ValueError, with the offset, where a code point is in none of them or in two: then something was
    lost, or is shown twice.
    """
    parts = [("article", discussion.article_span)] if discussion.article_span else []
    parts += [("comments", post.span) for post in discussion.comments if post.span]
    spans = [*parts, *(("left_out", left.span) for left in discussion.left_out)]
    counts = {"article": 0, "comments": 0, "left_out": 0}
    at = hole_end = 0
    around: tuple[str, int] | None = None  # the part that holes may lie in, and where it ends
    for kind, span in sorted(spans, key=lambda one: (one[1].start, -one[1].end)):
        if span.start == span.end:
            continue
        if kind == "left_out" and around and span.start >= hole_end and span.end <= around[1]:
            counts[around[0]] -= span.end - span.start
            counts["left_out"] += span.end - span.start
            hole_end = span.end
            continue
        if span.start != at:
            raise ValueError(f"code points {at} to {span.start} are {'lost' if span.start > at else 'counted twice'}")
        counts[kind] += span.end - span.start
        at = span.end
        around, hole_end = (None if kind == "left_out" else (kind, span.end)), span.start
    if at != length:
        raise ValueError(f"the spans end at {at}, the text at {length}")
    return counts


_UNSTORABLE = re.compile("[\0\ud800-\udfff]")


def storable(text: str) -> str:
    """Map the two kinds of code point that Postgres refuses, NUL and lone surrogates, to U+FFFD, one for one.

    The only place where this is done. Offsets stay valid because the length does not change.
    """
    return _UNSTORABLE.sub("\ufffd", text)
