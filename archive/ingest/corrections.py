"""A person's corrections of a recovered discussion: operations on an outline of the source's lines.

Pure: no Django. An operation is a JSON object that says what of the source is what; none can change, add or lose a
character of it. It names its place by the offset of a line and a digest of the line's text, so that it finds the
place again after the source was read anew, by span and, where that moved, by text. What cannot be found or makes no
sense comes back as a problem and changes nothing. Those of ``RANGES`` may name a second line as well (``until``), and
then mean all lines from the one to the other. Offsets count code points; spans are half-open.
"""

from __future__ import annotations

import hashlib
import re
from bisect import bisect_left, bisect_right
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, NamedTuple

from archive.ingest.readers.plain_text import title_of
from archive.ingest.records import UNKNOWN, Basis, Claim, Discussion, LeftOut, Post, Problem, Span

type Operation = Mapping[str, Any]

SURE = 0.8  # what the machine is less sure of than this is asked
OPEN = 0.5  # how a reply link that nobody could tell is ranked among the confidences
MAX_NAME = 500  # code points of an author's name
MAX_LINES = 20_000  # that one page of review can hold; a longer text is published as it was read
BREAK = "line break between paragraphs"
BLANK = "blank space at the start or end"
BY_HAND = "left out by an archivist"
REVIEWED = Claim(Basis.REVIEWED, None, "settled by an archivist")

_LINE = re.compile(r"[^\r\n]+")
_BREAK = re.compile(r"\r\n?|\n")


class Kind(StrEnum):
    """What a line of the source is. A continuation belongs to the nearest comment that starts above it."""

    ARTICLE = "article"
    START = "start"
    CONTINUES = "continues"
    LEFT_OUT = "out"


@dataclass(frozen=True, slots=True)
class Remark:
    """What is known of a comment besides its lines. ``parent`` is the offset at which the comment answered starts."""

    parent: int | None = None
    author: str | None = None
    posted_at: datetime | None = None
    boundary: Claim = UNKNOWN
    parent_claim: Claim = UNKNOWN
    author_claim: Claim = UNKNOWN
    date_claim: Claim = UNKNOWN


@dataclass(frozen=True, slots=True)
class Outline:
    """The lines of ``text`` that are not blank, in order, what each is, and the comments by the offset of their start.

    A source line that the reader cut in two, such as ``Ann: hello``, is two lines here. ``reasons`` says, by offset,
    why a line is left out; ``article_claim``, how sure it is that the article ends where it does.
    """

    text: str
    lines: tuple[Span, ...]
    kinds: tuple[Kind, ...]
    comments: Mapping[int, Remark]
    reasons: Mapping[int, str]
    article_claim: Claim = UNKNOWN

    def units(self) -> Iterator[tuple[int | None, list[Span]]]:
        """The article, as None, and each comment, by its offset, with the lines kept of it: the left out ones not."""
        at: int | None = None
        kept: list[Span] = []
        for span, kind in zip(self.lines, self.kinds, strict=True):
            if kind is Kind.START:
                yield at, kept
                at, kept = span.start, []
            if kind is not Kind.LEFT_OUT:
                kept.append(span)
        yield at, kept


class Applied(NamedTuple):
    """The corrected outline, and which operations could not be carried out, and why."""

    outline: Outline
    problems: list[Problem]


class Question(NamedTuple):
    """What the machine was not sure of: where, whether ``start``, ``reply`` or ``none``, how sure, and its reason.

    ``none`` asks, on the article's last line, whether it is right that nobody comments on it.
    """

    at: int
    about: str
    confidence: float | None
    reason: str


class Refusal(Exception):  # noqa: N818  never leaves this module
    """Why an operation cannot be carried out."""


def digest(text: str) -> str:
    """Sixteen hex digits that stand for a line's text."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:16]


# From a discussion to its outline and back


def outline_of(text: str, found: Discussion) -> Outline:
    """The outline of what a reader made of ``text``: lines are cut where its spans begin and end."""
    named = [*((post.span, None) for post in found.comments if post.span), *found.left_out]
    edges = sorted({edge for span, _ in named for edge in span} | set(found.article_span or ()))
    lines = tuple(_pieces(text, edges))
    starts = [span.start for span in lines]
    kinds = [Kind.LEFT_OUT] * len(lines)
    _fill(kinds, starts, found.article_span, Kind.ARTICLE)
    comments: dict[int, Remark] = {}
    offsets: dict[str, int] = {}
    for post in found.comments:
        first = _fill(kinds, starts, post.span, Kind.CONTINUES)
        if first is None:
            continue
        kinds[first] = Kind.START
        offsets[post.external_id] = starts[first]
        claims = (post.boundary_claim, post.parent_claim, post.author_claim, post.date_claim)
        comments[starts[first]] = Remark(None, post.author, post.posted_at, *claims)
    for post in found.comments:
        if post.external_id in offsets and post.parent in offsets:
            at = offsets[post.external_id]
            comments[at] = replace(comments[at], parent=offsets[post.parent])
    reasons = dict[int, str]()
    for span, reason in found.left_out:
        for number in range(bisect_left(starts, span.start), bisect_left(starts, span.end)):
            kinds[number] = Kind.LEFT_OUT
            reasons[starts[number]] = reason
    return Outline(text, lines, tuple(kinds), comments, reasons, found.article_claim)


def _pieces(text: str, edges: Sequence[int]) -> Iterator[Span]:
    for match in _LINE.finditer(text):
        cuts = edges[bisect_right(edges, match.start()) : bisect_left(edges, match.end())]
        for start, end in zip([match.start(), *cuts], [*cuts, match.end()], strict=True):
            piece = text[start:end]
            if kept := piece.strip():
                begin = start + len(piece) - len(piece.lstrip())
                yield Span(begin, begin + len(kept))


def _fill(kinds: list[Kind], starts: Sequence[int], span: Span | None, kind: Kind) -> int | None:
    """Say what the lines of ``span`` are; return the first of them."""
    if span is None:
        return None
    first, end = bisect_left(starts, span.start), bisect_left(starts, span.end)
    kinds[first:end] = [kind] * (end - first)
    return first if first < end else None


def discussion_of(outline: Outline, found: Discussion) -> Discussion:
    """``found`` with the structure that ``outline`` has; each character is in exactly one part of it."""
    article: Span | None = None
    title, title_claim, body = found.title, found.title_claim, ""
    posts: list[Post] = []
    ends = [0]
    left_out: list[LeftOut] = []
    for at, kept in outline.units():
        if not kept:
            continue
        span = Span(kept[0].start, kept[-1].end)
        left_out += _between(outline, ends[-1], span.start)
        left_out += _holes(outline, span)
        ends.append(span.end)
        text = _text(outline, span)
        if at is None:
            article = span
            title, title_claim, body = title_of(text)
        else:
            posts.append(_post(at, outline.comments[at], span, text))
    left_out += _between(outline, ends[-1], len(outline.text))
    made = replace(found, title=title, title_claim=title_claim, body=body, comments=posts, article_span=article)
    return replace(made, left_out=left_out, article_claim=outline.article_claim)


def _post(at: int, remark: Remark, span: Span, text: str) -> Post:
    return Post(
        external_id=str(at),
        text=text,
        span=span,
        parent=None if remark.parent is None else str(remark.parent),
        author=remark.author,
        posted_at=remark.posted_at,
        boundary_claim=remark.boundary,
        parent_claim=remark.parent_claim,
        author_claim=remark.author_claim,
        date_claim=remark.date_claim,
    )


def _left_out_lines(outline: Outline, start: int, end: int) -> list[Span]:
    first = bisect_left(outline.lines, start, key=lambda span: span.start)
    last = bisect_left(outline.lines, end, key=lambda span: span.start)
    return [outline.lines[n] for n in range(first, last) if outline.kinds[n] is Kind.LEFT_OUT]


def _between(outline: Outline, start: int, end: int) -> list[LeftOut]:
    """What lies between two parts, or before the first or after the last of them."""
    if start >= end:
        return []
    why = dict.fromkeys(outline.reasons.get(s.start, BY_HAND) for s in _left_out_lines(outline, start, end))
    at_edge = start == 0 or end == len(outline.text)
    return [LeftOut(Span(start, end), "; ".join(why) or (BLANK if at_edge else BREAK))]


def _holes(outline: Outline, span: Span) -> list[LeftOut]:
    """Lines left out from the middle of a part, each with the line break before it."""
    holes = []
    for line in _left_out_lines(outline, *span):
        before = bisect_left(outline.lines, line.start, key=lambda s: s.start) - 1
        start = outline.lines[before].end
        holes.append(LeftOut(Span(start, line.end), outline.reasons.get(line.start, BY_HAND)))
    return holes


def _text(outline: Outline, span: Span) -> str:
    parts, at = [], span.start
    for hole, _ in _holes(outline, span):
        parts.append(outline.text[at : hole.start])
        at = hole.end
    return _BREAK.sub("\n", "".join([*parts, outline.text[at : span.end]]))


# What the machine was not sure of


def questions(outline: Outline, below: float = SURE) -> list[Question]:
    """What is open, the least certain first; one question a comment."""
    first = min(outline.comments, default=None)
    found = []
    if first is None and len(outline.lines) > 1:  # one line can only be an article
        last = max(n for n, kind in enumerate(outline.kinds) if kind is Kind.ARTICLE or n == 0)
        asked_of_all = _asked(outline.lines[last].start, "none", outline.article_claim, below)
        found += [asked_of_all] if asked_of_all else []
    for at, remark in outline.comments.items():
        asked = _asked(at, "start", remark.boundary, below)
        # The first comment can only be on the article.
        reply = _asked(at, "reply", remark.parent_claim, below) if at != first else None
        if reply and (asked is None or _rank(reply) < _rank(asked)):
            asked = reply
        found += [asked] if asked else []
    return sorted(found, key=_rank)


def _asked(at: int, about: str, claim: Claim, below: float) -> Question | None:
    if claim.basis is Basis.UNKNOWN and below >= OPEN:
        return Question(at, about, None, "nothing in the text tells")
    if claim.basis is Basis.INFERRED and (claim.confidence is None or claim.confidence < below):
        return Question(at, about, claim.confidence, claim.reason)
    return None


def _rank(question: Question) -> tuple[float, int]:
    return (OPEN if question.confidence is None else question.confidence, question.at)


def least_confidence(found: Discussion) -> float | None:
    """The confidence of the least certain boundary or reply link that was inferred; None where none was.

    Without comments, how sure that is: a discussion that was taken for article is seen by nobody.
    """
    claims = [claim for post in found.comments for claim in (post.boundary_claim, post.parent_claim)]
    claims = claims or [found.article_claim]
    return min((c.confidence for c in claims if c.basis is Basis.INFERRED and c.confidence is not None), default=None)


# Making operations


def named(outline: Outline, given: Operation) -> dict[str, Any]:
    """``given``, an operation that names places by offset alone, as it is to be kept: each place with its digest.

    ``indent`` and ``outdent`` become the ``reply`` that they mean here, ``accept_rest`` what is accepted.
    Raises ValueError, in words, where that is impossible.
    """
    try:
        return _named(_Draft(outline), dict(given))
    except Refusal as refusal:
        raise ValueError(str(refusal)) from None


def _named(draft: _Draft, given: dict[str, Any]) -> dict[str, Any]:
    op = given.get("op")
    if op == "accept_rest":
        return draft.snapshot()
    if op not in OPERATIONS and op not in {"indent", "outdent"}:
        raise Refusal("there is no such operation")
    at = given.get("at")
    number = draft.number_at(at)
    if op in {"indent", "outdent"}:
        return _named(draft, _shifted(draft, given, number))
    made = {"op": op, "at": at, "digest": draft.digest_of(number)}
    if op in RANGES and given.get("until") not in {None, at}:
        last = draft.number_at(given["until"])
        if last < number:
            raise Refusal("the last of the lines stands above the first")
        made |= {"until": given["until"], "until_digest": draft.digest_of(last)}
    return made | _details(draft, given, number, is_range="until" in made)


def _details(draft: _Draft, given: dict[str, Any], number: int, *, is_range: bool) -> dict[str, Any]:
    """What an operation says besides its place. A reply of one comment is named by the comment's first line."""
    match given["op"]:
        case "reply":
            comment = None if is_range else draft.comment_of(number)
            place = {} if comment is None else {"at": comment, "digest": draft.digest_at(comment)}
            return place | draft.target(given.get("to"))
        case "author":
            was = {"was": draft.comments[draft.comment_of(number)].author or ""} if given.get("all") else {}
            return {"author": " ".join(str(given.get("author") or "").split()), **was}
        case "date":
            return {"posted_at": given.get("posted_at") or None}
    return {}


def _shifted(draft: _Draft, given: dict[str, Any], number: int) -> dict[str, Any]:
    """``indent`` or ``outdent`` as the ``reply`` that it means here; of several comments, the first one decides."""
    until = given.get("until")
    several = [] if until in {None, given["at"]} else draft.starts_in(range(number, draft.number_at(until) + 1))
    comment = several[0] if several else draft.comment_of(number)
    to = draft.sibling_above(comment) if given["op"] == "indent" else draft.above_parent(comment)
    place = {"at": given["at"], "until": until} if several else {"at": comment}
    return {"op": "reply", **place, "to": to}


def describe(outline: Outline, operation: Operation) -> str:
    """The operation in words, without a word of the source: ``line 12 starts a comment``."""
    op = str(operation.get("op"))
    words = WORDS.get("accept_none" if op == "accept" and not outline.comments else op, "{}")
    if isinstance(until := operation.get("until"), int):
        words = WORDS_OF_SEVERAL.get(op, words).replace("{last}", str(line_number(outline.text, until)))
    line = line_number(outline.text, operation.get("at"))
    to = operation.get("to")
    return words.format(
        line, f"line {line_number(outline.text, to)}" if to is not None else "the article", operation.get("posted_at")
    )


def line_number(text: str, at: object) -> int:
    """The number, from 1, of the source line in which the offset lies."""
    return 1 + len(_BREAK.findall(text, 0, at)) if isinstance(at, int) else 0


WORDS = {
    "article_end": "the article ends with line {0}",
    "start": "line {0} starts a comment",
    "join": "line {0} belongs to what stands above it",
    "reply": "the comment at line {0} answers {1}",
    "leave_out": "line {0} is left out",
    "keep": "line {0} is kept",
    "author": "set the author of the comment at line {0}",
    "date": "set the date of the comment at line {0}",
    "accept": "the comment at line {0} is right",
    "accept_none": "it is right that nobody comments",
    "accept_rest": "all that is left is right",
    "undo": "took the last correction back",
    "redo": "made the correction that was taken back again",
    "discard": "gave up all corrections since it was published",
}


WORDS_OF_SEVERAL = {
    "start": "each of lines {0} to {last} starts a comment",
    "join": "lines {0} to {last} belong together",
    "reply": "the comments at lines {0} to {last} answer {1}",
    "leave_out": "lines {0} to {last} are left out",
    "keep": "lines {0} to {last} are kept",
    "accept": "the comments at lines {0} to {last} are right",
}
RANGES = frozenset(WORDS_OF_SEVERAL)


# Carrying them out


def apply(outline: Outline, operations: Iterable[Operation]) -> Applied:
    """Carry the operations out, one after the other. Those that cannot be are reported and change nothing."""
    draft = _Draft(outline)
    problems = []
    for operation in operations:
        try:
            op = operation["op"]
            OPERATIONS[op](draft, operation)
        except Refusal as refusal:
            problems.append(Problem(describe(outline, operation), str(refusal), "not carried out"))
        except (KeyError, TypeError, ValueError, AttributeError):
            problems.append(Problem("a correction", "it cannot be understood", "not carried out"))
    return Applied(draft.outline(), problems)


def standing(log: Iterable[Operation]) -> tuple[list[int], list[int]]:
    """Which entries of a log with ``undo`` and ``redo`` in it stand, and which could be redone: indices, in order.

    A new operation after an undo ends what could be redone, as in any editor. ``discard`` makes stand again what stood
    after the first so many entries (its ``to``).
    """
    log = list(log)
    wanted = {operation.get("to") for operation in log if operation.get("op") == "discard"}
    stood: dict[int, list[int]] = {}
    done: list[int] = []
    undone: list[int] = []
    for index, operation in enumerate(log):
        if index in wanted:
            stood[index] = list(done)
        match operation.get("op"):
            case "discard":
                done, undone = list(stood.get(operation.get("to", -1), [])), []
            case "undo":
                undone += [done.pop()] if done else []
            case "redo":
                done += [undone.pop()] if undone else []
            case _:
                done.append(index)
                undone.clear()
    return done, undone


class _Draft:
    """An outline while it is being corrected. Each method either does all of what it says or refuses."""

    def __init__(self, outline: Outline) -> None:
        self.text = outline.text
        self.lines = list(outline.lines)
        self.starts = [span.start for span in outline.lines]
        self.kinds = list(outline.kinds)
        self.comments = dict(outline.comments)
        self.reasons = dict(outline.reasons)
        self.article_claim = outline.article_claim

    def outline(self) -> Outline:
        ordered = {at: self.comments[at] for at in sorted(self.comments)}
        claim = self.article_claim
        return Outline(self.text, tuple(self.lines), tuple(self.kinds), ordered, self.reasons, claim)

    # Finding places

    def number_at(self, at: object) -> int:
        """The line that starts at the offset."""
        if not isinstance(at, int):
            raise Refusal("no line of the source is named")
        number = bisect_left(self.starts, at)
        if number == len(self.starts) or self.starts[number] != at:
            raise Refusal("no line of the source starts there")
        return number

    def digest_of(self, number: int) -> str:
        span = self.lines[number]
        return digest(self.text[span.start : span.end])

    def digest_at(self, at: int) -> str:
        return self.digest_of(self.number_at(at))

    def find(self, operation: Operation, at: str = "at", mark: str = "digest") -> int:
        """The line that an operation means: the one at its offset if it has its text, or the only one that has."""
        offset, wanted = operation[at], operation[mark]
        number = bisect_left(self.starts, offset)
        if number < len(self.lines) and self.starts[number] == offset and self.digest_of(number) == wanted:
            return number
        same = [n for n in range(len(self.lines)) if self.digest_of(n) == wanted]
        if len(same) != 1:
            raise Refusal(f"its line is {'no longer in the source' if not same else 'in the source several times'}")
        return same[0]

    def find_lines(self, operation: Operation) -> range:
        """The lines that an operation means: one, or all from that to another."""
        first = self.find(operation)
        last = self.find(operation, "until", "until_digest") if "until" in operation else first
        if last < first:
            raise Refusal("its lines are in another order by now")
        return range(first, last + 1)

    def starts_in(self, lines: Iterable[int]) -> list[int]:
        """The offsets of the comments that start on these lines."""
        return [self.starts[number] for number in lines if self.kinds[number] is Kind.START]

    def target(self, to: object) -> dict[str, Any]:
        """What a ``reply`` answers, as it is kept: the comment that the line at ``to`` is in, None for the article."""
        if to is None:
            return {"to": None}
        at = self.comment_of(self.number_at(to))
        return {"to": at, "to_digest": self.digest_at(at)}

    def comment_of(self, number: int) -> int:
        """The offset of the comment that the line belongs to."""
        for above in range(number, -1, -1):
            if self.kinds[above] is Kind.START:
                return self.starts[above]
            if self.kinds[above] is Kind.ARTICLE:
                break
        raise Refusal("that line is in no comment")

    def find_comment(self, operation: Operation, at: str = "at", mark: str = "digest") -> int:
        number = self.find(operation, at, mark)
        if self.kinds[number] is not Kind.START:
            raise Refusal("no comment starts there")
        return self.starts[number]

    def first_start(self) -> int:
        """The line on which the first comment starts, or the number of lines."""
        return self.kinds.index(Kind.START) if Kind.START in self.kinds else len(self.kinds)

    def sibling_above(self, at: int) -> int:
        parent = self.comments[at].parent
        above = [c for c, remark in self.comments.items() if remark.parent == parent and c < at]
        if not above:
            raise Refusal("there is no comment above it to answer on this level")
        return max(above)

    def above_parent(self, at: int) -> int | None:
        parent = self.comments[at].parent
        if parent is None:
            raise Refusal("it is a comment on the article already")
        return self.comments[parent].parent

    # Small steps

    def drop(self, heirs: Mapping[int, int | None]) -> None:
        """These comments are none any more; replies to each go to its heir, or to the heir of that."""
        kept = {}
        for at, remark in self.comments.items():
            to = remark.parent
            while to is not None and to in heirs:
                to = heirs[to]
            if at not in heirs:
                moved = to != remark.parent
                kept[at] = replace(remark, parent=None if to == at else to) if moved else remark
        self.comments = kept
        if heirs and not kept:  # a person took the last one out
            self.article_claim = REVIEWED

    def rename(self, at: int, to: int) -> None:
        """The comment starts elsewhere: what is known of it and its replies follow."""
        self.comments[to] = self.comments.pop(at)
        self._move_replies(at, to)

    def _move_replies(self, at: int, to: int | None) -> None:
        for reply, remark in self.comments.items():
            if remark.parent == at:
                self.comments[reply] = replace(remark, parent=None if to == reply else to)

    def settle(self, at: int, **changes: Any) -> None:
        self.comments[at] = replace(self.comments[at], boundary=REVIEWED, **changes)

    def begin(self, number: int) -> None:
        """A comment starts on the line; what was article below it becomes its continuation."""
        for below in range(number + 1, self.first_start()):
            if self.kinds[below] is Kind.ARTICLE:
                self.kinds[below] = Kind.CONTINUES
        self.kinds[number] = Kind.START
        self.reasons.pop(self.starts[number], None)
        self.comments.setdefault(self.starts[number], Remark())

    def kept_below(self, number: int) -> int | None:
        """The next line that is not left out."""
        return next((n for n in range(number + 1, len(self.kinds)) if self.kinds[n] is not Kind.LEFT_OUT), None)

    # Operations

    def article_end(self, operation: Operation) -> None:
        number = self.find(operation)
        if all(kind is Kind.LEFT_OUT for kind in self.kinds[: number + 1]):
            raise Refusal("nothing would be left of the article")
        swallowed = [n for n in range(number + 1) if self.kinds[n] is Kind.START]
        last = self.starts[swallowed.pop()] if swallowed else None  # it may be cut in two
        self.drop({self.starts[n]: None for n in swallowed})
        self.kinds[: number + 1] = [
            kind if kind is Kind.LEFT_OUT else Kind.ARTICLE for kind in self.kinds[: number + 1]
        ]
        below = self.kept_below(number)
        if last is not None and below is not None and self.kinds[below] is Kind.CONTINUES:
            self.rename(last, self.starts[below])
        elif last is not None:
            self.drop({last: None})
        if below is not None:
            self.begin(below)
            self.settle(self.starts[below])

    def start(self, operation: Operation) -> None:
        lines = self.find_lines(operation)
        first = next((n for n in lines if len(lines) == 1 or self.kinds[n] is not Kind.LEFT_OUT), None)
        if first is None:
            raise Refusal("all of these lines are left out")
        if Kind.ARTICLE not in self.kinds[:first]:
            raise Refusal("nothing would be left of the article")
        self.begin(first)
        for number in range(first, lines.stop):
            if self.kinds[number] is not Kind.LEFT_OUT:
                self.kinds[number] = Kind.START
                self.comments.setdefault(self.starts[number], Remark())
                self.settle(self.starts[number])

    def join(self, operation: Operation) -> None:
        lines = self.find_lines(operation)
        if len(lines) == 1:
            self.find_comment(operation)
        gone = self.starts_in(lines if len(lines) == 1 else lines[1:])
        if not gone:
            raise Refusal("no comment starts on these lines but on the first of them")
        number = self.number_at(gone[0])
        heir = self._kept_above(number)
        for at in gone:
            self.kinds[self.number_at(at)] = Kind.CONTINUES
        if heir is None:  # what stands above is the article: they join it, all of them
            for n in range(number, self.first_start()):
                self.kinds[n] = Kind.ARTICLE if self.kinds[n] is Kind.CONTINUES else self.kinds[n]
        self.drop(dict.fromkeys(gone, heir))
        if heir is not None and self._leads_into(heir, {heir}):  # the comment above answered the one that joins it
            self.comments[heir] = replace(self.comments[heir], parent=None, parent_claim=UNKNOWN)

    def _kept_above(self, number: int) -> int | None:
        above = next((n for n in range(number - 1, -1, -1) if self.kinds[n] is Kind.START), None)
        return None if above is None else self.starts[above]

    def _leads_into(self, at: int | None, wanted: Collection[int]) -> bool:
        """Whether going up from the parent of ``at`` meets one of ``wanted``."""
        seen = set[int]()
        while at is not None and at not in seen:
            seen.add(at)
            at = self.comments[at].parent
            if at in wanted:
                return True
        return False

    def reply(self, operation: Operation) -> None:
        """Of several comments, those that answer another of them keep doing so and move along."""
        several = self.starts_in(self.find_lines(operation)) if "until" in operation else [self.find_comment(operation)]
        to = None if operation["to"] is None else self.find_comment(operation, "to", "to_digest")
        chosen = set(several)
        if not several:
            raise Refusal("no comment starts on these lines")
        if to in chosen or self._leads_into(to, chosen):
            raise Refusal("a comment cannot answer itself or a reply to it")
        for at in several:
            if self.comments[at].parent not in chosen:
                self.settle(at, parent=to, parent_claim=REVIEWED)

    def leave_out(self, operation: Operation) -> None:
        lines = self.find_lines(operation)
        if all(kind is not Kind.ARTICLE for n, kind in enumerate(self.kinds) if n not in lines):
            raise Refusal("nothing would be left of the article")
        starting = self.starts_in(lines)
        for number in lines:
            if self.kinds[number] is not Kind.LEFT_OUT:
                self.reasons[self.starts[number]] = BY_HAND
            self.kinds[number] = Kind.LEFT_OUT
        below = self.kept_below(lines[-1])
        if starting and below is not None and self.kinds[below] is Kind.CONTINUES:  # a part of the last one stays
            self.kinds[below] = Kind.START
            self.rename(starting.pop(), self.starts[below])
        self.drop({at: self.comments[at].parent for at in starting})

    def keep(self, operation: Operation) -> None:
        first = self.first_start()
        for number in self.find_lines(operation):
            if self.kinds[number] is Kind.LEFT_OUT:
                self.kinds[number] = Kind.ARTICLE if number < first else Kind.CONTINUES
                self.reasons.pop(self.starts[number], None)

    def author(self, operation: Operation) -> None:
        at = self.find_comment(operation)
        name = str(operation["author"] or "")[:MAX_NAME]
        was = operation.get("was")
        same = [c for c, remark in self.comments.items() if was and remark.author == was]
        for one in {at, *same}:
            self.settle(one, author=name or None, author_claim=REVIEWED if name else UNKNOWN)

    def date(self, operation: Operation) -> None:
        at = self.find_comment(operation)
        given = operation["posted_at"]
        if given is None:
            self.settle(at, posted_at=None, date_claim=UNKNOWN)
            return
        try:
            when = datetime.fromisoformat(given)
        except ValueError:
            raise Refusal("the date is none: write it as 2017-03-14 or 2017-03-14 21:07") from None
        self.settle(at, posted_at=when if when.tzinfo else when.replace(tzinfo=UTC), date_claim=REVIEWED)

    def accept(self, operation: Operation) -> None:
        if not self.comments:
            self.find(operation)
            self.article_claim = REVIEWED
            return
        several = self.starts_in(self.find_lines(operation)) if "until" in operation else []
        for at in several or [self.find_comment(operation)]:
            self._accept(at)

    def _accept(self, at: int) -> None:
        remark = self.comments[at]
        changes: dict[str, Any] = {"parent_claim": REVIEWED}
        if remark.author_claim.basis is Basis.INFERRED:
            changes["author_claim"] = REVIEWED
        if remark.date_claim.basis is Basis.INFERRED:
            changes["date_claim"] = REVIEWED
        self.settle(at, **changes)

    def snapshot(self) -> dict[str, Any]:
        """The whole structure as it stands: what a person who accepts the rest has seen and found right."""
        rows = [[at, r.parent, r.author, r.posted_at and r.posted_at.isoformat()] for at, r in self.comments.items()]
        out = [list(s) for s, kind in zip(self.lines, self.kinds, strict=True) if kind is Kind.LEFT_OUT]
        return {"op": "accept_rest", "digest": digest(self.text), "comments": rows, "out": out}

    def accept_rest(self, operation: Operation) -> None:
        if operation["digest"] != digest(self.text):
            raise Refusal("the text of the source is another by now")
        rows = {row[0]: row for row in operation["comments"]}
        edges = sorted({*rows, *(edge for span in operation["out"] for edge in span), *self.starts})
        lines = list(_pieces(self.text, edges))
        out = [Span(*span) for span in operation["out"]]
        self._take_over(lines, rows, out)
        self.article_claim = REVIEWED
        for at in self.comments:
            self._accept(at)

    def _take_over(self, lines: list[Span], rows: Mapping[int, Sequence[Any]], out: list[Span]) -> None:
        first = min(rows, default=len(self.text))
        if not rows.keys() <= {span.start for span in lines}:
            raise Refusal("the lines of the source are cut differently by now")
        known = self.comments
        self.lines, self.starts, self.kinds, self.comments = lines, [span.start for span in lines], [], {}
        for span in lines:
            hole = bisect_right(out, span.start, key=lambda one: one.start) - 1
            if hole >= 0 and span.end <= out[hole].end:
                self.kinds.append(Kind.LEFT_OUT)
            elif span.start in rows:
                self.kinds.append(Kind.START)
            else:
                self.kinds.append(Kind.ARTICLE if span.start < first else Kind.CONTINUES)
        for at, parent, author, posted in rows.values():
            remark = known.get(at, Remark())
            when = datetime.fromisoformat(posted) if posted else None
            if remark.author != author:
                remark = replace(remark, author=author, author_claim=REVIEWED if author else UNKNOWN)
            if remark.posted_at != when:
                remark = replace(remark, posted_at=when, date_claim=REVIEWED if when else UNKNOWN)
            self.comments[at] = replace(remark, parent=parent)


OPERATIONS = {
    "article_end": _Draft.article_end,
    "start": _Draft.start,
    "join": _Draft.join,
    "reply": _Draft.reply,
    "leave_out": _Draft.leave_out,
    "keep": _Draft.keep,
    "author": _Draft.author,
    "date": _Draft.date,
    "accept": _Draft.accept,
    "accept_rest": _Draft.accept_rest,
}


# A proposal is kept as JSON, beside the source and not with it: it holds offsets, no text.


def to_json(outline: Outline) -> dict[str, Any]:
    """The outline without its text."""
    kinds = list(Kind)
    return {
        "lines": [[*s, kinds.index(k)] for s, k in zip(outline.lines, outline.kinds, strict=True)],
        "comments": [[at, *_remark_json(remark)] for at, remark in outline.comments.items()],
        "reasons": [[at, reason] for at, reason in outline.reasons.items()],
        "article": _claim_json(outline.article_claim),
    }


def _remark_json(remark: Remark) -> list[Any]:
    claims = (remark.boundary, remark.parent_claim, remark.author_claim, remark.date_claim)
    when = remark.posted_at.isoformat() if remark.posted_at else None
    return [remark.parent, remark.author, when, *map(_claim_json, claims)]


def _claim_json(claim: Claim) -> list[Any]:
    return [claim.basis.value, claim.confidence, claim.reason]


_BASES = {basis.value: basis for basis in Basis}  # asking the enumeration takes longer than all the rest of a claim


def _claim(kept: Sequence[Any]) -> Claim:
    return Claim(_BASES[kept[0]], *kept[1:])


def from_json(text: str, kept: Mapping[str, Any]) -> Outline:
    """The outline that ``to_json`` kept, of the same text."""
    kinds = list(Kind)
    comments = {}
    for at, parent, author, when, *claims in kept["comments"]:
        comments[at] = Remark(parent, author, datetime.fromisoformat(when) if when else None, *map(_claim, claims))
    lines = tuple(Span(start, end) for start, end, _ in kept["lines"])
    reasons = dict(kept["reasons"])
    claim = _claim(kept["article"]) if "article" in kept else UNKNOWN  # older proposals did not keep it
    return Outline(text, lines, tuple(kinds[kind] for _, _, kind in kept["lines"]), comments, reasons, claim)
