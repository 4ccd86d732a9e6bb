"""Spans and claims of a page whose own template says where its comments are: see ``markers``."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from typing import Any, NamedTuple

from archive.ingest.records import STATED, UNKNOWN, Basis, Claim, LeftOut, Span
from archive.ingest.structure.boilerplate import boilerplate_kind
from archive.ingest.structure.lines import Line, split_lines
from archive.ingest.structure.links import links_of
from archive.ingest.structure.markers import Marked, Marks
from archive.ingest.structure.recovered import Recovered, RecoveredComment

BREAK = "line break between paragraphs"
BLANK = "blank space at the start or end"
FOOTER = "below the last comment"

# Where the article ends in lines that hold the article and one comment: (lines of the article, how likely).
FirstEnd = Callable[[Sequence[Line]], tuple[int, float]]


class _Kept(NamedTuple):
    marked: Marked
    span: Span
    boundary: Claim


def recover_marked(
    text: str, lines: Sequence[Line], marks: Marks, first_end: FirstEnd, links: Mapping[str, Any] | None = None
) -> Recovered:
    """Return what ``marks`` say of ``text`` as spans that tile it. ``first_end`` is asked where no marker tells."""
    comments, claim = list(marks.comments), _inferred(marks.confidence, "the first comment's markers follow")
    boundary = _inferred(marks.confidence, marks.reason)
    kept = []
    for number, marked in enumerate(comments):
        its = boundary
        if number == 0 and marks.below:
            size, chance = first_end(lines[: marked.last + 1])
            marked = marked._replace(first=min(size, marked.last))
            its = claim = _inferred(chance, "the article seems to end before it; the markers stand below comments")
        span = _written(lines[marked.first : marked.last + 1])
        if span:
            kept.append(_Kept(marked, span, its))
    article = _written(_article_lines(lines, marks, kept)) or lines[0].span
    kept = [one for one in kept if one.span.start >= article.end]
    spans = [one.span for one in kept]
    authors, sure = [one.marked.author for one in kept], [one.boundary.confidence or 0.0 for one in kept]
    parents = links_of(text, spans, authors, article, links, comments_sure=sure)
    found = tuple(
        RecoveredComment(
            one.span,
            one.boundary,
            *parent,
            author=one.marked.author,
            author_claim=STATED if one.marked.author else UNKNOWN,
            posted_at=one.marked.posted_at,
            date_claim=STATED if one.marked.posted_at else UNKNOWN,
        )
        for one, parent in zip(kept, parents, strict=True)
    )
    reasons = {lines[at].span.start: reason for at, reason in marks.reasons.items()}
    return Recovered(article, claim, found, tuple(_left_out(text, [article, *spans], reasons)))


def _inferred(confidence: float, reason: str) -> Claim:
    return Claim(Basis.INFERRED, round(max(0.02, min(0.98, confidence)), 3), reason)


def _article_lines(lines: Sequence[Line], marks: Marks, kept: Sequence[_Kept]) -> list[Line]:
    """Return the lines above the first comment that are no markers; its byline may stand among them."""
    end = kept[0].marked.first if kept else len(lines)
    end = min([end, *(at for one in kept[:1] for at in one.marked.head if at < end)])
    return [line for at, line in enumerate(lines[:end]) if at not in marks.reasons]


def _written(lines: Sequence[Line]) -> Span | None:
    """Return the span of the lines without the boilerplate at both ends; None if nothing else is there."""
    written = [line.span for line in lines if not boilerplate_kind(line.text)]
    return Span(written[0].start, written[-1].end) if written else None


def _left_out(text: str, spans: Sequence[Span], reasons: dict[int, str]) -> list[LeftOut]:
    """Return what lies between the spans, line by line, each with what it is; neighbours of a kind are one part."""
    edges = [0, *(edge for span in spans for edge in span), len(text)]
    found: list[LeftOut] = []
    for start, end in zip(edges[::2], edges[1::2], strict=True):
        if start == end:
            continue
        inside = split_lines(text[start:end])
        blank = BREAK if start > 0 and end < len(text) else BLANK
        whys = [_why(line, start, reasons) for line in inside] or [blank]
        cuts = [start, *(start + line.span.start for line in inside[1:]), end]
        last: LeftOut | None = None
        for (a, b), why in zip(pairwise(cuts), whys, strict=True):
            if last and last.reason == why:
                found[-1] = last = LeftOut(Span(last.span.start, b), why)
            else:
                found.append(last := LeftOut(Span(a, b), why))
    return found


def _why(line: Line, offset: int, reasons: dict[int, str]) -> str:
    known = reasons.get(offset + line.span.start)
    kind = boilerplate_kind(line.text)
    return known or (f"boilerplate: {kind}" if kind else FOOTER)
