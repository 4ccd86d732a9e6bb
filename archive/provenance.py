"""The source as readers may see it: a few lines around a place, each with what it became.

Hidden means hidden here, too. The lines of a comment that is not shown are blanked, and so is what was left out right
before and after it, because bylines stand there. Nothing of an article that a person may not see gets this far.
"""

from __future__ import annotations

from bisect import bisect_right
from typing import NamedTuple

import zstandard

from archive import queries
from archive.ingest.corrections import line_number
from archive.ingest.readers.decoding import decode
from archive.ingest.records import Span
from archive.models import Article, Comment

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


def extract(article: Article, at: int) -> Extract | None:
    """The lines around offset ``at``, or None where the article has no source text that was kept."""
    if article.source.content is None or article.span_start is None:
        return None
    text = decode(zstandard.decompress(bytes(article.source.content))).text
    lines = _lines(text)
    if not lines:
        return None
    starts = [line.start for line in lines]
    wanted = max(0, bisect_right(starts, at) - 1)
    first = max(0, wanted - BEFORE)
    page = lines[first : first + LINES_PER_PAGE]
    parts = _parts(article)
    here = _part_at(parts, at)
    made = [_line(text, line, parts, here) for line in page]
    number = line_number(text, page[0].start)
    numbered = [row._replace(number=number + row.number) for row in _with_numbers(text, page, made)]
    earlier = starts[max(0, first - LINES_PER_PAGE + BEFORE)] if first else None
    later = first + LINES_PER_PAGE
    return Extract(numbered, earlier, starts[later] if later < len(starts) else None)


def _with_numbers(text: str, page: list[Span], made: list[SourceLine]) -> list[SourceLine]:
    """Numbers relative to the page's first line: the text before a page is read once."""
    start = page[0].start
    return [
        row._replace(number=line_number(text[start : span.start], span.start - start) - 1)
        for span, row in zip(page, made, strict=True)
    ]


def _lines(text: str) -> list[Span]:
    lines, at = [], 0
    for raw in text.replace("\r", "\n").split("\n"):
        if raw.strip():
            lines.append(Span(at, at + len(raw)))
        at += len(raw) + 1
    return lines


def _parts(article: Article) -> list[Part]:
    """Article and comments in the order of the source."""
    rows = queries.comments().filter(article_id=article.pk, span_start__isnull=False).order_by("position")
    spans = rows.values_list("span_start", "span_end", "pk", "status")
    parts = [
        Part(Span(start or 0, end or 0), pk, status == Comment.Status.PUBLISHED) for start, end, pk, status in spans
    ]
    if article.span_start is not None and article.span_end is not None:
        parts.append(Part(Span(article.span_start, article.span_end), None, True))
    return sorted(parts, key=lambda part: part.span)


def _part_at(parts: list[Part], at: int) -> Part | None:
    before = bisect_right(parts, at, key=lambda part: part.span.start) - 1
    return parts[before] if before >= 0 and at < parts[before].span.end else None


def _line(text: str, line: Span, parts: list[Part], here: Part | None) -> SourceLine:
    """What became of a line. One that several comments share is shown only if all of them are."""
    last = bisect_right(parts, line.end - 1, key=lambda part: part.span.start)
    first = last
    while first > 0 and parts[first - 1].span.end > line.start:
        first -= 1
    on_it = parts[first:last]
    around = on_it or parts[max(0, first - 1) : last + 1]
    touching = [*around, *_neighbours(text, line, parts, first, last)]
    if not all(part.shown for part in touching):
        return SourceLine(0, "", "gone", None, False, False)
    part = on_it[0] if on_it else None
    look = "out" if part is None else "article" if part.comment_id is None else "comment"
    starts = part is not None and line.start <= part.span.start
    shown = text[line.start : min(line.end, line.start + MAX_LINE)]
    return SourceLine(0, shown, look, part.comment_id if part else None, starts, part is not None and part is here)


def _neighbours(text: str, line: Span, parts: list[Part], first: int, last: int) -> list[Part]:
    """The parts beside those on the line, where something that was left out on it borders on them."""
    found = []
    if first < last and text[line.start : parts[first].span.start].strip() and first > 0:
        found.append(parts[first - 1])
    if first < last and text[parts[last - 1].span.end : line.end].strip() and last < len(parts):
        found.append(parts[last])
    return found
