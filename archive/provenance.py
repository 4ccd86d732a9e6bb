"""The source as readers may see it: a few lines around a place, each with what it became.

Hidden means hidden here, too. The lines of a comment that is not shown are blanked, and so is what was left out right
before and after it, because bylines stand there. Nothing of an article that a person may not see gets this far.
"""

from __future__ import annotations

from bisect import bisect_right
from typing import NamedTuple

from archive import masks, queries, redaction, source_text
from archive.ingest.records import Span
from archive.models import Article, Comment
from archive.source_text import Line

LINES_PER_PAGE = 80
BEFORE = 12  # lines of context above the place that was asked for
MAX_LINE = 20_000  # code points shown of one line


class Part(NamedTuple):
    """What a stretch of the source became; ``comment_id`` is None for the article."""

    span: Span
    comment_id: int | None
    shown: bool


class SourceLine(NamedTuple):
    """A line of the source; no text where it is not shown. ``look``: article, comment, out, gone."""

    number: int
    text: str
    look: str
    comment_id: int | None
    starts: bool
    is_here: bool

    @property
    def is_first(self) -> bool:
        """Whether the marked part starts on this line: what the link from the comment leads to."""
        return self.is_here and self.starts


class Extract(NamedTuple):
    """A page of lines, and the offsets at which the pages before and after it start."""

    lines: list[SourceLine]
    previous: int | None
    next: int | None


def extract(article: Article, at: int | None) -> Extract | None:
    """The lines around offset ``at``, its part marked; the first lines, none marked, where there is no offset.

    None where the article has no source text that was kept.
    """
    pieces = source_text.pieces(article.source) if article.span_start is not None else None
    lines, wanted = source_text.lines_around(pieces or (), at or 0, before=LINES_PER_PAGE, after=LINES_PER_PAGE)
    if not lines:
        return None
    first = max(0, wanted - BEFORE)
    page, later = lines[first : first + LINES_PER_PAGE], lines[first + LINES_PER_PAGE :]
    parts = _parts(article, page[0].span.start, page[-1].span.end)
    if marks := masks.on(article.pk, [part.comment_id for part in parts if part.comment_id]):
        page = [line._replace(text=redaction.covered(line.text, marks)) for line in page]
    here = None if at is None else _part_at(parts, at)
    earlier = lines[max(0, first - LINES_PER_PAGE + BEFORE)].span.start if first else None
    return Extract([_line(line, parts, here) for line in page], earlier, later[0].span.start if later else None)


def _parts(article: Article, start: int, end: int) -> list[Part]:
    """The article and the comments between two offsets, in the order of the source, and one more on each side."""
    rows = queries.comments().in_source(article.pk, start=start, end=end)
    parts = [
        Part(Span(start or 0, end or 0), pk, status == Comment.Status.PUBLISHED) for start, end, pk, status in rows
    ]
    if article.span_start is not None and article.span_end is not None:
        parts.append(Part(Span(article.span_start, article.span_end), None, True))
    return sorted(parts, key=lambda part: part.span)


def _part_at(parts: list[Part], at: int) -> Part | None:
    before = bisect_right(parts, at, key=lambda part: part.span.start) - 1
    return parts[before] if before >= 0 and at < parts[before].span.end else None


def _line(line: Line, parts: list[Part], here: Part | None) -> SourceLine:
    """What became of a line. One that several comments share is shown only if all of them are."""
    last = bisect_right(parts, line.span.end - 1, key=lambda part: part.span.start)
    first = last
    while first > 0 and parts[first - 1].span.end > line.span.start:
        first -= 1
    on_it = parts[first:last]
    around = on_it or parts[max(0, first - 1) : last + 1]
    touching = [*around, *_neighbours(line, parts, first, last)]
    if not all(part.shown for part in touching):
        return SourceLine(line.number, "", "gone", None, False, False)
    part = on_it[0] if on_it else None
    look = "out" if part is None else "article" if part.comment_id is None else "comment"
    starts = part is not None and line.span.start <= part.span.start
    is_here = part is not None and part is here
    return SourceLine(line.number, line.text[:MAX_LINE], look, part.comment_id if part else None, starts, is_here)


def _neighbours(line: Line, parts: list[Part], first: int, last: int) -> list[Part]:
    """The parts beside those on the line, where something that was left out on it borders on them."""
    found = []
    before = max(0, parts[first].span.start - line.span.start) if first < last else 0
    if line.text[:before].strip() and first > 0:
        found.append(parts[first - 1])
    if first < last and line.text[parts[last - 1].span.end - line.span.start :].strip() and last < len(parts):
        found.append(parts[last])
    return found
