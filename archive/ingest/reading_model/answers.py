"""From what the model said to spans of the text: checked against a schema, windows reconciled, nothing lost.

How windows are reconciled. Two windows in a row share some lines. The seam between them is the line there, nearest to
the middle, on which both begin a comment; where there is none, the middle. What begins or is boilerplate above the seam
is the first one's word, from the seam on the second one's. On shared lines the confidence of a start is the mean of
both, with 0 from the one that did not see it. Whom a comment answers is the word of the first window that saw the
comment, because it saw more of what came before.
"""

from __future__ import annotations

import json
import re
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any, NoReturn

from archive.ingest.reading_model.calibration import Table, calibrated
from archive.ingest.reading_model.prompt import Window
from archive.ingest.records import UNKNOWN, Basis, Claim, LeftOut, Problem, Span
from archive.ingest.structure.lines import Line
from archive.ingest.structure.recovered import Recovered, RecoveredComment
from archive.ingest.structure.recovery import BLANK, BREAK

MOST_LEFT_OUT = (
    0.5  # of a text's code points but blanks: a page that is mostly boilerplate is rather an answer that is wrong
)

_FENCE = re.compile(r"\s*```(?:json)?\s*\n(.*?)\n?\s*```\s*", re.DOTALL | re.IGNORECASE)


class InvalidAnswer(ValueError):  # noqa: N818  as for chat.Failed
    """The answer breaks the schema. The text says how, in our words: nothing of the answer is repeated."""


@dataclass(frozen=True, slots=True)
class Said:
    """A comment as the model said it: line numbers from 1, confidences from 0 to 1."""

    line: int
    sure: float
    answers: int | None = None  # the line on which the comment begins that it answers; None: it answers the article
    answers_sure: float | None = None  # None: nobody can tell
    seen: str = ""  # by how many windows, where it was on shared lines


@dataclass(frozen=True, slots=True)
class Answer:
    """What was said about one window, or about the whole text. ``article_end`` None: it ended above the window."""

    article_end: int | None
    sure: float
    comments: tuple[Said, ...]
    boilerplate: frozenset[int]


def parse(content: str, window: Window) -> Answer:
    """Check what the model said about ``window``. InvalidAnswer where anything is not as the prompt asks for it.

    Lenient in one thing: the object may stand in a code fence.
    """
    fenced = _FENCE.fullmatch(content)
    try:
        said = json.loads(fenced[1] if fenced else content, object_pairs_hook=_object, parse_constant=_no_number)
    except InvalidAnswer:
        raise
    except (ValueError, RecursionError) as error:
        raise InvalidAnswer("is not JSON") from error
    whole = _fields(said, {"article_end", "sure", "comments", "boilerplate"})
    end = whole["article_end"]
    if end is not None or window.first == 1:
        end = _line(end, window)
    comments = _comments(whole["comments"], window, end or window.first - 1)
    boilerplate = _ascending([_line(line, window) for line in _list(whole["boilerplate"], window)])
    if {end, *(comment.line for comment in comments)} & set(boilerplate):
        raise InvalidAnswer("calls a line boilerplate and says that the article ends or a comment begins on it")
    return Answer(end, _share(whole["sure"]), comments, frozenset(boilerplate))


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len(dict(pairs)) != len(pairs):
        raise InvalidAnswer("names a key twice")
    return dict(pairs)


def _no_number(_: str) -> NoReturn:
    raise InvalidAnswer("has a number that is none")


def _fields(said: object, names: set[str]) -> dict[str, Any]:
    if not isinstance(said, dict) or set(said) != names:
        raise InvalidAnswer("does not have the keys that were asked for")
    return said


def _list(said: object, window: Window) -> list[Any]:
    if not isinstance(said, list):
        raise InvalidAnswer("has something else where a list was asked for")
    if len(said) > window.last - window.first + 1:
        raise InvalidAnswer("lists more than there are lines")
    return said


def _line(said: object, window: Window) -> int:
    if type(said) is not int:  # not isinstance: True is an int
        raise InvalidAnswer("has something else where a line number was asked for")
    if not window.first <= said <= window.last:
        raise InvalidAnswer("names a line that it was not shown")
    return said


def _share(said: object) -> float:
    if type(said) not in {int, float} or not 0 <= said <= 1:  # type: ignore[operator]
        raise InvalidAnswer("has a confidence that is not between 0 and 1")
    return float(said)  # type: ignore[arg-type]


def _ascending(lines: list[int]) -> list[int]:
    if any(b <= a for a, b in pairwise(lines)):
        raise InvalidAnswer("has lines that are not in order")
    return lines


def _comments(said: object, window: Window, article_end: int) -> tuple[Said, ...]:
    found: list[Said] = []
    for each in _list(said, window):
        fields = _fields(each, {"line", "sure", "answers", "answers_sure"})
        line, answers, link = _line(fields["line"], window), fields["answers"], fields["answers_sure"]
        if answers is not None:
            answers = _line(answers, window)
        if answers is not None or link is not None:
            link = _share(link)
        found.append(Said(line, _share(fields["sure"]), answers, link))
    starts = _ascending([comment.line for comment in found])
    if starts and starts[0] <= article_end:
        raise InvalidAnswer("lets a comment begin inside the article")
    if any(c.answers is not None and (c.answers >= c.line or c.answers not in set(starts)) for c in found):
        raise InvalidAnswer("lets a comment answer something that is no earlier comment")
    return tuple(found)


def reconcile(answers: Sequence[Answer], windows: Sequence[Window]) -> Answer:
    """Make one answer of those about ``windows``, as the head of this module says. The first shows line 1."""
    if len(answers) == 1:
        return answers[0]
    edges = [1]
    for (a, above), (b, below) in pairwise(zip(answers, windows, strict=True)):
        edges.append(max(edges[-1], _seam(a, b, Window(below.first, above.last))))
    edges.append(windows[-1].last + 1)
    owned = [range(*edge) for edge in pairwise(edges)]
    comments = [
        _seen_twice(comment, [a for a, w in zip(answers, windows, strict=True) if w.first <= comment.line <= w.last])
        for answer, mine in zip(answers, owned, strict=True)
        for comment in answer.comments
        if comment.line in mine
    ]
    starts = {comment.line for comment in comments}
    comments = [c if c.answers in {None, *starts} else replace(c, answers=None, answers_sure=None) for c in comments]
    boilerplate = {n for answer, mine in zip(answers, owned, strict=True) for n in answer.boilerplate if n in mine}
    end, sure = _article(answers, owned, comments)
    return Answer(end, sure, tuple(comments), frozenset(boilerplate - starts))


def _seam(a: Answer, b: Answer, both: Window) -> int:
    if both.last < both.first:  # a window of very long lines shares none
        return both.first
    middle = (both.first + both.last + 1) // 2
    agreed = {c.line for c in a.comments} & {c.line for c in b.comments}
    inside = [line for line in agreed if both.first <= line <= both.last]
    return min(inside, key=lambda line: (abs(line - middle), line), default=middle)


def _seen_twice(comment: Said, answers: Sequence[Answer]) -> Said:
    if len(answers) == 1:
        return comment
    said = [c for answer in answers for c in answer.comments if c.line == comment.line]
    seen = f", as {len(said)} of {len(answers)} looks at it say"
    sure = sum(c.sure for c in said) / len(answers)
    return replace(comment, sure=sure, answers=said[0].answers, answers_sure=said[0].answers_sure, seen=seen)


def _article(answers: Sequence[Answer], owned: Sequence[range], comments: Sequence[Said]) -> tuple[int | None, float]:
    """Return where the article ends and how sure that is: the word of the window in which the first comment begins.

    Where that window says that the article ended above it, which the one above did not see, half its confidence.
    """
    if not comments:
        return answers[-1].article_end, min(answer.sure for answer in answers)
    teller = next(a for a, mine in zip(answers, owned, strict=True) if comments[0].line in mine)
    return teller.article_end, teller.sure if teller.article_end is not None else teller.sure / 2


def recovered(
    text: str, lines: Sequence[Line], answer: Answer, name: str, table: Table = ()
) -> tuple[Recovered, tuple[Problem, ...]]:
    """Turn the answer about all ``lines`` of ``text`` into spans that tile it. InvalidAnswer if it hides too much.

    ``table`` says how often what the model states is right.
    """
    starts = [comment.line for comment in answer.comments]
    edges = [1, *starts, len(lines) + 1]
    spans = [_trimmed(lines, range(*edge), answer.boilerplate) for edge in pairwise(edges)]
    left_out = _gaps(text, spans, name)
    if sum(_ink(text[slice(*gap)]) for gap, _ in left_out) > MOST_LEFT_OUT * _ink(text):
        raise InvalidAnswer(f"leaves out more than {MOST_LEFT_OUT:.0%} of the text")
    by = f"read by {name}: "
    index = {line: number for number, line in enumerate(starts)}
    comments = [
        RecoveredComment(
            span,
            Claim(Basis.INFERRED, calibrated(said.sure, table), f"{by}a comment begins here{said.seen}"),
            None if said.answers is None else index[said.answers],
            _link_claim(said, by, table),
        )
        for said, span in zip(answer.comments, spans[1:], strict=True)
    ]
    ends = "the article ends here" if comments else "an article without comments"
    article_claim = Claim(Basis.INFERRED, calibrated(answer.sure, table), by + ends)
    found = Recovered(spans[0], article_claim, tuple(comments), left_out)
    return found, _forgotten(lines, spans[0], answer)


def _ink(text: str) -> int:
    return sum(map(len, text.split()))


def _link_claim(said: Said, by: str, table: Table) -> Claim:
    if said.answers_sure is None:
        return UNKNOWN
    what = "answers the article" if said.answers is None else "answers that comment"
    return Claim(Basis.INFERRED, calibrated(said.answers_sure, table), by + what)


def _trimmed(lines: Sequence[Line], unit: range, boilerplate: frozenset[int]) -> Span:
    """Return the span of ``unit`` without boilerplate at its ends; all of it where nothing else is in it.

    Boilerplate between lines that somebody wrote stays: a span has no holes.
    """
    written = [number for number in unit if number not in boilerplate] or unit
    return Span(lines[written[0] - 1].span.start, lines[written[-1] - 1].span.end)


def _gaps(text: str, spans: Sequence[Span], name: str) -> tuple[LeftOut, ...]:
    edges = [0, *(edge for span in spans for edge in span), len(text)]
    gaps = [Span(a, b) for a, b in zip(edges[::2], edges[1::2], strict=True) if b > a]
    return tuple(LeftOut(gap, _why(text, gap, name)) for gap in gaps)


def _why(text: str, gap: Span, name: str) -> str:
    if text[gap.start : gap.end].strip():
        return f"read by {name}: boilerplate"
    return BREAK if gap.start > 0 and gap.end < len(text) else BLANK


def _forgotten(lines: Sequence[Line], article: Span, answer: Answer) -> tuple[Problem, ...]:
    """Say where lines below the stated end of the article are in it, because the answer said nothing of them."""
    last = bisect_right(lines, article.end - 1, key=lambda line: line.span.start)
    if answer.article_end is None or last <= answer.article_end:
        return ()
    first = answer.article_end + 1
    where = f"line {first}" if first == last else f"lines {first} to {last}"
    return (Problem(where, "the reading model said nothing of them", "kept in the article"),)


def settled(found: Recovered, built_in: Recovered) -> Recovered:
    """Fill in what the model was not asked or left open, from the built-in model's comments with the same beginnings.

    A boundary, author or date that the source states stays stated. Parents are taken over where both ends are known.
    """
    theirs = {comment.span.start: comment for comment in built_in.comments}
    index = {comment.span.start: number for number, comment in enumerate(found.comments)}
    comments = []
    for mine in found.comments:
        other = theirs.get(mine.span.start)
        if other is not None:
            mine = replace(
                mine,
                boundary=other.boundary if other.boundary.basis is Basis.STATED else mine.boundary,
                author=other.author,
                author_claim=other.author_claim,
                posted_at=other.posted_at,
                date_claim=other.date_claim,
            )
            above = None if other.parent is None else index.get(built_in.comments[other.parent].span.start)
            is_open = mine.parent_claim == UNKNOWN or other.parent_claim.basis is Basis.STATED
            if is_open and (above is None) == (other.parent is None):
                mine = replace(mine, parent=above, parent_claim=other.parent_claim)
        comments.append(mine)
    return replace(found, comments=tuple(comments))
