"""The shape of a short line: what of it a template could have printed again and again.

Numbers become "0", dates "D", words stay; a line's keys are the whole shape and its first and last pieces. A key that
comes back once a comment is part of the page's template, whatever it says and in whatever language.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from functools import cached_property, lru_cache
from itertools import chain
from typing import NamedTuple

from archive.ingest.structure.dates import Stamp, stamps

LONGEST = 160  # code points; a longer line is somebody's text
MOST_PIECES = 14  # of a line that is looked at whole
DATE_MOST = 110  # code points of a line in which dates are looked for
LEAST_WORTH = 1.5  # of a key
DATE = "D"
NUMBER = "0"

_PIECE = re.compile(r"\d+|[^\W\d_]+(?:['’.-][^\W\d_]+)*|[^\w\s]+|_+")
_INITIAL = re.compile(r"(?:^|[\s.])[^\W\d_]{1,2}\.$")  # "Anna B."
_CODE = frozenset("={}$<[]\\\"'“”;_")
_STOPS = frozenset(".!?…。！？,;，；")
_COLONS = frozenset(":：")  # what follows belongs to it


class Key(NamedTuple):
    """``kind`` is "whole", "first", "last" or "both"; ``pieces`` the shape's pieces there."""

    kind: str
    pieces: tuple[str, ...]

    @property
    def has_date(self) -> bool:
        return DATE in self.pieces


class Shape:
    """The pieces of a line. ``keys`` are those that another line of the page has, too, each worth LEAST_WORTH or more:
    the whole line's first, where it is among them.
    """  # fmt: skip

    def __init__(self, line: str) -> None:
        self.line = line
        self.dates: list[Stamp] = stamps(line) if len(line) <= DATE_MOST else []
        self.keys: list[Key] = []
        if not self.dates:
            self.pieces = list(map(_normal, _PIECE.findall(line)))
            return
        self.pieces = []
        for start, end in self._between:
            self.pieces += [DATE] if start > 0 else []
            self.pieces += map(_normal, _PIECE.findall(line, start, end))

    @property
    def _between(self) -> list[tuple[int, int]]:
        """Return what lies before, between and behind the dates."""
        edges = [0, *(edge for stamp in self.dates for edge in (stamp.start, stamp.end)), len(self.line)]
        return list(zip(edges[::2], edges[1::2], strict=True))

    @cached_property
    def spans(self) -> list[tuple[int, int]]:
        """Return where each of the pieces is in the line."""
        cut = [match.span() for start, end in self._between for match in _PIECE.finditer(self.line, start, end)]
        return sorted([*cut, *((stamp.start, stamp.end) for stamp in self.dates)])


def find_keys(shapes: Sequence[Shape]) -> None:
    """Give each of a page's shapes its keys."""
    firsts, lasts = (Counter([shape.pieces[at] for shape in shapes]) for at in (0, -1))
    every = [_possible(shape.pieces, firsts[shape.pieces[0]] > 1, lasts[shape.pieces[-1]] > 1) for shape in shapes]
    # Counted as plain tuples: most recur nowhere.
    counts = Counter(chain.from_iterable(every))
    for shape, possible in zip(shapes, every, strict=True):
        shape.keys = [Key(*key) for key in possible if counts[key] > 1]


def _possible(pieces: list[str], first_recurs: bool, last_recurs: bool) -> list[tuple[str, tuple[str, ...]]]:
    """Return the keys that a line of such pieces could have, as (kind, pieces)."""
    size = len(pieces)
    keys = [("whole", _stems(tuple(pieces)))] if size <= MOST_PIECES else []
    if size > 1:
        few = range(1, min(4, size))
        if last_recurs:
            last = list(map(_worth, pieces[-3:]))
            keys += [("last", tuple(pieces[-n:])) for n in few if sum(last[-n:]) >= LEAST_WORTH]
        if first_recurs:
            first = list(map(_worth, pieces[:3]))
            keys += [("first", tuple(pieces[:n])) for n in few if sum(first[:n]) >= LEAST_WORTH]
        if last_recurs and first_recurs and size > 2 and first[0] + last[-1] >= LEAST_WORTH:
            keys.append(("both", (pieces[0], pieces[-1])))
    return keys


@lru_cache(1 << 14)
def _normal(piece: str) -> str:
    return NUMBER if piece.isdecimal() else piece.lower() if piece.isalpha() else piece


def _stems(pieces: tuple[str, ...]) -> tuple[str, ...]:
    """Cut words to four letters where a number stands among them: "1 reply", "2 replies"."""
    if NUMBER not in pieces or DATE in pieces:
        return pieces
    return tuple(piece[:4] if piece.isalpha() else piece for piece in pieces)


def worth(key: Key) -> float:
    """Return roughly how unlikely it is (in nats) that people's own lines share this key."""
    total = 2.0 if key.kind == "whole" else 0.0
    for piece in key.pieces:
        total += _worth(piece)
    return total


@lru_cache(1 << 14)
def _worth(piece: str) -> float:
    if piece == DATE:
        return 5.0
    if piece == NUMBER:
        return 1.0
    if piece[0].isalnum():  # then all of it is
        return 1.5
    return 0.2 if piece[0] in _STOPS else 0.7  # a bar, an arrow, a hash


def could_be_name(line: str) -> bool:
    """Say whether ``line`` could be somebody's name standing alone: short, with a letter, no sentence."""
    if len(line) > 60 or line.count(" ") > 6 or not any(map(str.isalpha, line)):
        return False
    return line[-1] not in _STOPS or bool(_INITIAL.search(line))


def is_code(key: Key) -> bool:
    """Say whether the key has what programs are full of; their lines repeat as regularly as a template's."""
    return any(_CODE & set(piece) for piece in key.pieces)


def could_be_optional(shape: Shape) -> bool:
    """Say whether the whole line could be printed under some comments only: "2 replies", but not "Anna:" or "Hi,"."""
    return shape.keys[0].kind == "whole" and len(shape.line) <= 40 and shape.line[-1] not in _STOPS | _COLONS
