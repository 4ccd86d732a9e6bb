"""Finding words in a text again and covering them, each code point by one, so that no offset moves.

Pure: no Django. Words are compared case-insensitively and as wholes; what stands between them does not matter. They are
looked for as they are, or by keyed digests, for a list of what was erased must not say what it was.
"""

from __future__ import annotations

import hashlib
import html
import re
from bisect import bisect_right
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, field
from typing import Any, NamedTuple
from urllib.parse import quote, unquote

BLOCK = "\u2588"  # covers one code point
RUN = 8  # words: as many in the same order were taken over from one another
MOST_SIGNS = 100  # of one text that are looked for as they stand

_WORD = re.compile(r"\w+")
_HTML = re.compile(r"<[^>]*>|&#?\w{1,32};|\w+")
_VALUE = re.compile(r'(?<==")[^"]*(?=")')
_QUOTED = re.compile(r"(?m)^[ \t]*>+(?P<said>.*)$")

type Digest = Callable[[Sequence[str]], str]


class Token(NamedTuple):
    """A word of a text: where it is, half-open, and how it is compared."""

    start: int
    end: int
    key: str


def tokens(text: str) -> list[Token]:
    return [Token(*match.span(), match[0].casefold()) for match in _WORD.finditer(text)]


def keys(text: str) -> list[str]:
    return [match.casefold() for match in _WORD.findall(text)]


def _tokens_of_html(text: str) -> list[Token]:
    """The words that a reader of the HTML sees; what is spelt as a reference counts as what it stands for."""
    found = []
    for match in _HTML.finditer(text):
        word = match[0]
        if word[0] == "<":
            continue
        if word[0] == "&":
            word = html.unescape(word)
            if not _WORD.fullmatch(word):
                continue
        found.append(Token(*match.span(), word.casefold()))
    return found


def plain(words: Sequence[str]) -> str:
    """How words are compared where nothing has to be kept secret."""
    return " ".join(words)


def keyed(key: bytes) -> Digest:
    """How words are compared by a list that does not hold them: 22 hexadecimal digits each, under ``key``."""
    return lambda words: hashlib.blake2b(
        " ".join(words).encode("utf-8", "replace"), key=key, digest_size=11
    ).hexdigest()


@dataclass(frozen=True)
class Marks:
    """What is to be covered: sequences of words by their length, anywhere, or only as the whole of a quoted line.

    ``signs`` are what has neither letters nor digits, as it stands.
    """

    anywhere: Mapping[int, Collection[str]] = field(default_factory=dict)
    quoted: Mapping[int, Collection[str]] = field(default_factory=dict)
    digest: Digest = plain
    signs: frozenset[str] = frozenset()

    def __bool__(self) -> bool:
        return bool(self.anywhere or self.quoted or self.signs)


def marks_of(words: Iterable[str], digest: Digest = plain) -> Marks:
    """Marks for names and addresses as a person typed them; what has no letter or digit is none."""
    found: dict[int, set[str]] = {}
    for one in words:
        if said := keys(one):
            found.setdefault(len(said), set()).add(digest(said))
    return Marks(found, digest=digest)


def marks_at(text: str, places: Iterable[tuple[int, int]]) -> Marks:
    """Marks for what stands at these places of a text, widened to whole words.

    What is longer than ``RUN`` words is marked by all sequences of ``RUN`` words in it, so that there are never more
    than so many lengths to be looked for.
    """
    found, signs = dict[int, set[str]](), set[str]()
    words = tokens(text)
    ends = [word.end for word in words]
    for start, end in places:
        first = last = bisect_right(ends, start)
        while last < len(words) and words[last].start < end:
            last += 1
        said = [word.key for word in words[first:last]]
        size = min(len(said), RUN)
        for at in range(len(said) - size + 1 if said else 0):
            found.setdefault(size, set()).add(plain(said[at : at + size]))
        if not said and (sign := text[start:end].strip()) and len(signs) < MOST_SIGNS:
            signs.add(sign)
    return Marks(found, signs=frozenset(signs))


def joined(some: Iterable[Marks]) -> Marks:
    """What any of these marks, all without a key, mean."""
    known = list(some)
    return Marks(
        merged(*(one.anywhere for one in known)),
        merged(*(one.quoted for one in known)),
        signs=frozenset().union(*(one.signs for one in known)),
    )


def places_covered(before: str, after: str) -> list[tuple[int, int]]:
    """Where ``after`` covers something of ``before``, which has the same length; white space between is not covered."""
    if len(before) != len(after):
        return []
    differ = [at for at, (a, b) in enumerate(zip(before, after, strict=True)) if a != b]
    places: list[tuple[int, int]] = []
    for at in differ:
        if places and not before[places[-1][1] : at].strip():
            places[-1] = (places[-1][0], at + 1)
        else:
            places.append((at, at + 1))
    return places


def uncovered(current: str, before: str, after: str) -> str | None:
    """A value with one mask taken off, whatever else was covered since; None where its text was changed."""
    if current == after:
        return before
    if not len(current) == len(before) == len(after):
        return None
    rows = list(zip(current, before, after, strict=True))
    if any(now != then and BLOCK not in (now, then) for now, _, then in rows):
        return None
    return "".join(was if was != then and now == BLOCK else now for now, was, then in rows)


def runs_of(text: str, digest: Digest) -> set[str]:
    """Every ``RUN`` words of the text that follow one another; none of a shorter text."""
    said = keys(text)
    return {digest(said[at : at + RUN]) for at in range(len(said) - RUN + 1)}


def lines_of(text: str, digest: Digest) -> dict[int, set[str]]:
    """The lines of a text, by their number of words: how a reply that quotes it line by line has them."""
    found: dict[int, set[str]] = {}
    for line in text.splitlines():
        if said := keys(line):
            found.setdefault(len(said), set()).add(digest(said))
    return found


def merged(*parts: Mapping[int, Collection[str]]) -> dict[int, set[str]]:
    whole: dict[int, set[str]] = {}
    for part in parts:
        for length, some in part.items():
            whole.setdefault(length, set()).update(some)
    return whole


def _hits(found: Sequence[Token], marks: Marks) -> set[int]:
    """Indices of the tokens that are part of something marked."""
    hits: set[int] = set()
    words = [token.key for token in found]
    for length, wanted in marks.anywhere.items():
        for at in range(len(words) - length + 1):
            if marks.digest(words[at : at + length]) in wanted:
                hits.update(range(at, at + length))
    return hits


def find(text: str, marks: Marks) -> list[tuple[int, int]]:
    """Where the marked words stand in the text, in order; words that follow one another are one place."""
    found = tokens(text)
    places = [(found[index].start, found[index].end) for index in sorted(_hits(found, marks))]
    places += [match.span("said") for match in _QUOTED.finditer(text) if _is_marked_line(match["said"], marks)]
    if marks.signs:
        signs = "|".join(re.escape(sign) for sign in sorted(marks.signs, key=len, reverse=True))
        places += [match.span() for match in re.finditer(signs, text)]
    return _joined(text, sorted(places))


def _is_marked_line(line: str, marks: Marks) -> bool:
    said = keys(line)
    return bool(said) and marks.digest(said) in marks.quoted.get(len(said), ())


def _joined(text: str, places: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    joined: list[tuple[int, int]] = []
    for start, end in places:
        if joined and (start <= joined[-1][1] or not _WORD.search(text, joined[-1][1], start)):
            start, end = joined[-1][0], max(end, joined.pop()[1])
        joined.append((start, end))
    return joined


def cover(text: str, places: Iterable[tuple[int, int]]) -> str:
    """The text with these places covered; its length and its lines stay, and so does every offset."""
    parts, at = [], 0
    for start, end in sorted(places):
        start = max(start, at)
        if end > start:
            parts += [text[at:start], re.sub(r"[^\s]", BLOCK, text[start:end])]
            at = end
    return "".join([*parts, text[at:]])


def covered(text: str, marks: Marks) -> str:
    return cover(text, places) if (places := find(text, marks)) else text


def covered_html(text: str, marks: Marks) -> str:
    """HTML that is safe to show with the marked words covered, in what is read and in the values of its tags.

    Words are found across tags, for a link may begin or end between two of them. Its length may change.
    """
    found = _tokens_of_html(text)
    places = [(found[index].start, found[index].end) for index in _hits(found, marks)]
    seen = cover(text, places) if places else text
    if "=" not in seen:
        return seen
    return re.sub(r"<[^>]*>", lambda tag: _VALUE.sub(lambda value: covered_url(value[0], marks), tag[0]), seen)


def covered_url(address: str, marks: Marks) -> str:
    """An address with the marked words covered, also where they are spelt with percent signs."""
    spelt = unquote(address)
    seen = covered(spelt, marks)
    return address if seen == spelt else quote(seen, safe="/:?#&=;,+@!%")


def covered_slug(slug: str, marks: Marks) -> str:
    """A part of an address without the marked words."""
    seen = covered(slug, marks)
    return slug if seen == slug else re.sub(f"[{BLOCK}-]+", "-", seen).strip("-")


def covered_json(value: Any, marks: Marks) -> Any:
    """A JSON value with the marked words covered in all its texts, keys included. Not recursive: a stack of its own."""
    root = [value]
    waiting: list[tuple[Any, Any]] = [(root, 0)]
    while waiting:
        holder, at = waiting.pop()
        one = holder[at]
        if isinstance(one, str):
            holder[at] = covered(one, marks)
        elif isinstance(one, list):
            holder[at] = list(one)
            waiting += [(holder[at], index) for index in range(len(one))]
        elif isinstance(one, dict):
            holder[at] = {covered(str(name), marks): each for name, each in one.items()}
            waiting += [(holder[at], name) for name in holder[at]]
    return root[0]


def quotes(text: str, runs: Set[str], whole: Iterable[str]) -> bool:
    """Whether a text repeats others: ``runs`` are theirs (``runs_of`` with ``plain``), ``whole`` all words of each.

    It does with ``RUN`` words in the same order, or with a line that begins with ">" and is a part of one of them.
    """
    if not runs.isdisjoint(runs_of(text, plain)):
        return True
    lines = [f" {' '.join(said)} " for said in quoted_lines(text)]
    return any(line in one for line in lines for one in whole)


def quoted_lines(text: str) -> list[list[str]]:
    """The words of each line that begins with ">"."""
    return [said for match in _QUOTED.finditer(text) if (said := keys(match["said"]))]
