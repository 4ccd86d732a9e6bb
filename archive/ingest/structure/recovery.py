"""Flat text -> article, comments, parents, each with a confidence."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import accumulate, pairwise
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from archive.ingest.records import Basis, Claim, LeftOut, Span
from archive.ingest.structure.boilerplate import boilerplate_kind
from archive.ingest.structure.features import TONE
from archive.ingest.structure.lines import Line, split_lines
from archive.ingest.structure.links import links_of
from archive.ingest.structure.marked import recover_marked
from archive.ingest.structure.markers import Marks, find_marks
from archive.ingest.structure.model import Head, Model, built_in
from archive.ingest.structure.page import NAMES, look_at
from archive.ingest.structure.recovered import Recovered, RecoveredComment

LEAST, MOST = 0.02, 0.98  # no confidence outside: the model is never that sure, whatever its arithmetic says
CERTAIN = 2.0  # "no comments" is never that likely
BESIDE = 0.4  # what an article's end that is one line off is worth, when the right one is worth 1
# Of the chances of a new writer below markers, the least mean. Without a date: across sites, below it were half of what
# only looked like a template, and one in fifty of the templates. With dates: half of it and more, and hardly a template
# of three comments or more; about one in fifty of two.
LIKE_WRITERS, DATED_LIKE_WRITERS = 0.25, 0.1
FEW = 10  # comments of a template; so few may be chance, and the encoder is asked where it is installed
_BOILERPLATE, _TONE = NAMES.index("boilerplate"), [NAMES.index(name) for name in TONE]
BREAK = "line break between paragraphs"
BLANK = "blank space at the start or end"


def _inferred(confidence: float, reason: str) -> Claim:
    return Claim(Basis.INFERRED, round(max(LEAST, min(MOST, confidence)), 3), reason)


def recover(
    text: str, model: Model | None = None, links: Mapping[str, Any] | None = None, *, with_comments: bool = False
) -> Recovered:
    """Find the article and the comments in ``text``: one paragraph a line, article first. Never raises on any text.

    ``with_comments`` says that somebody knows that there are comments: then "none" is no answer, but for one line.
    Linear in the length of the text. A text of one line is an article. The result tiles the text: see Recovered.
    """
    lines = split_lines(text)
    if not lines:
        left_out = (LeftOut(Span(0, len(text)), BLANK),) if text else ()
        return Recovered(Span(0, 0), _inferred(MOST, "nothing but blanks"), (), left_out)
    model = model or built_in()
    marks = find_marks(lines)
    if marks and _like_writers(lines, marks, model):
        return recover_marked(text, lines, marks, lambda some: _first_end(some, model), links)
    page = look_at(lines, model.encoder)
    head = model.head_for(page)
    starts, ends = model.start_probabilities(page)
    begins = begins_of(starts, ends, head.threshold, CERTAIN if with_comments else head.none)
    written = np.flatnonzero(page.rows[:, _BOILERPLATE] == 0)
    units = [_trimmed(lines, written, a, b) for a, b in pairwise([0, *begins, len(lines)])]
    article = units[0].span if units[0] else lines[0].span
    kept = [(begin, unit) for begin, unit in zip(begins, units[1:], strict=True) if unit]
    spans = [unit.span for _, unit in kept]
    signs = model.signs(page, [begin for begin, _ in kept])
    tones = page.rows[[unit.first for _, unit in kept]][:, _TONE] if kept else None
    boundaries = [
        _inferred(head.sure(starts[begin], begin == begins[0]), _reason(begin == begins[0], seen))
        for (begin, _), seen in zip(kept, signs, strict=True)
    ]
    sure = one_each([begin for begin, _ in kept], boundaries, starts)
    parents = links_of(text, spans, article=article, table=links, tones=tones, comments_sure=sure)
    whole = zip(spans, boundaries, parents, strict=True)
    comments = tuple(RecoveredComment(span, boundary, *parent) for span, boundary, parent in whole)
    return Recovered(article, _article_claim(begins, ends, head), comments, _gaps(text, [article, *spans]))


def _like_writers(lines: Sequence[Line], marks: Marks, model: Model) -> bool:
    """Say whether the texts between the markers read as if writers changed there.

    The lines of a program, or of lists, repeat as regularly as a template's do; dates hardly ever do, and are believed
    where no encoder is asked, as of a page that is too long for it.
    """
    encoder = model.encoder if len(marks.comments) <= FEW else None
    if marks.dated and not encoder:
        return True
    kept = [at for at in range(len(lines)) if at not in marks.reasons]
    page = look_at([lines[at] for at in kept], encoder)
    if marks.dated and page.told is None:
        return True
    starts, ends = model.start_probabilities(page)
    ended = accumulate(ends, initial=0.0)
    begun = {
        at: (start - end) / max(over, 1e-3) for at, start, end, over in zip(kept, starts, ends, ended, strict=False)
    }
    chances = [begun[comment.first] for comment in marks.comments[1:] if comment.first in begun]
    return sum(chances) >= (DATED_LIKE_WRITERS if marks.dated else LIKE_WRITERS) * len(chances)


def _first_end(lines: Sequence[Line], model: Model) -> tuple[int, float]:
    """Return after how many of the lines, an article and one comment, the article ends, and how likely that is."""
    if len(lines) < 2:
        return 1, LEAST
    _, ends = model.start_probabilities(look_at(lines))
    best = end_of(ends)
    return best, ends[best]


def begins_of(starts: Sequence[float], ends: Sequence[float], threshold: float, none: float) -> list[int]:
    """Return the lines on which a comment begins; none where "no comments" is likely enough."""
    if len(ends) < 2 or 1 - sum(ends) >= none:
        return []
    # The likeliest place, not the first sure start: where many places could end the article, chances add up slowly and
    # the first sure start comes late.
    best = end_of(ends)
    ended = list(accumulate(ends, initial=0.0))
    # Below that place the article has ended: what counts is how likely a new writer begins then, not the chance that
    # the article ended at all, which would keep a page's comments together wherever its end is unsure.
    return [best, *(i for i in range(best + 1, len(starts)) if starts[i] - ends[i] >= threshold * ended[i])]


def end_of(ends: Sequence[float]) -> int:
    """Return the line before which the article ends most likely; there must be two or more.

    Chances of the lines beside it count, too: an end that is one line off is soon corrected.
    """
    sides = [0.0, *ends[1:], 0.0]
    return max(range(1, len(ends)), key=lambda i: ends[i] + BESIDE * (sides[i - 1] + sides[i + 1]))


def one_each(begins: Sequence[int], boundaries: Sequence[Claim], starts: Sequence[float]) -> list[float]:
    """Return how likely each span is one comment: the lesser of the chances that it begins on its line, and that no
    other begins on the lines after. They are not independent: both are low where the model hears little.
    """
    none_begins = [0.0, *accumulate(math.log1p(-min(0.99, start)) for start in starts)]
    ranges = zip(boundaries, pairwise([*begins, len(starts)]), strict=True)
    return [min(its.confidence or 0.0, math.exp(none_begins[b] - none_begins[a + 1])) for its, (a, b) in ranges]


def _article_claim(begins: Sequence[int], ends: Sequence[float], head: Head) -> Claim:
    if begins:
        return _inferred(head.sure(ends[begins[0]], True), "what follows reads like readers, not like the article")
    return _inferred(1 - sum(ends), "reads like an article to the end")


def _reason(first: bool, signs: Sequence[str]) -> str:
    seen = f": {', '.join(signs)}" if signs else ""
    return ("the article seems to end before it" if first else "reads like another writer") + seen


class _Unit(NamedTuple):
    span: Span
    first: int  # line


def _trimmed(lines: Sequence[Line], written: NDArray[np.int64], begin: int, end: int) -> _Unit | None:
    """Return what lies from line ``begin`` to before ``end``, without the boilerplate lines at its ends; None if
    nothing else is there. ``written`` are all lines that are no boilerplate.

    Boilerplate between lines that somebody wrote stays: a span has no holes.
    """  # fmt: skip
    low, high = np.searchsorted(written, (begin, end))
    if low == high:
        return None
    first = int(written[low])
    return _Unit(Span(lines[first].span.start, lines[written[high - 1]].span.end), first)


def _gaps(text: str, spans: Sequence[Span]) -> tuple[LeftOut, ...]:
    edges = [0, *(edge for span in spans for edge in span), len(text)]
    gaps = (Span(a, b) for a, b in zip(edges[::2], edges[1::2], strict=True))
    return tuple(LeftOut(gap, _why(text, gap)) for gap in gaps if gap.end > gap.start)


def _why(text: str, gap: Span) -> str:
    inside = text[gap.start : gap.end]
    if not inside.isspace():
        kinds = dict.fromkeys(boilerplate_kind(line.text) for line in split_lines(inside))
        return "boilerplate: " + ", ".join(kinds)
    return BREAK if gap.start > 0 and gap.end < len(text) else BLANK
