"""The shape of a short line: what of it a template could have printed again and again.

Numbers become "0", dates "D", words stay; a line's keys are the whole shape and its first and last pieces. A key that
comes back once a comment is part of the page's template, whatever it says and in whatever language.
"""

from __future__ import annotations

import re
from functools import cached_property
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


class Key(NamedTuple):
    """``kind`` is "whole", "first", "last" or "both"; ``pieces`` the shape's pieces there."""

    kind: str
    pieces: tuple[str, ...]

    @property
    def has_date(self) -> bool:
        return DATE in self.pieces


class Shape:
    """The pieces of a line, with where each is in it.

    ``first_recurs`` and ``last_recurs`` say whether another line of the page begins or ends with the same piece.
    """

    first_recurs = last_recurs = True

    def __init__(self, line: str) -> None:
        self.line = line
        self.dates: list[Stamp] = stamps(line) if len(line) <= DATE_MOST else []
        self.pieces: list[str] = []
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

    @cached_property
    def keys(self) -> list[Key]:
        """Return the line's keys, each worth at least LEAST_WORTH, but for those that no other line can have."""
        pieces = tuple(self.pieces)
        size = len(pieces)
        keys = []
        if 0 < size <= MOST_PIECES:
            keys.append(Key("whole", _stems(pieces)))
        if size > 1:
            # Counted piece by piece first: most lines' edges are worth too little to become keys.
            first, last = list(map(_worth, pieces[:3])), list(map(_worth, pieces[-3:]))
            few = range(1, min(4, size))
            if self.last_recurs:
                keys += [Key("last", pieces[-n:]) for n in few if sum(last[-n:]) >= LEAST_WORTH]
            if self.first_recurs:
                keys += [Key("first", pieces[:n]) for n in few if sum(first[:n]) >= LEAST_WORTH]
            if self.last_recurs and self.first_recurs and size > 2 and first[0] + last[-1] >= LEAST_WORTH:
                keys.append(Key("both", (pieces[0], pieces[-1])))
        return keys


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
    """Say whether the whole line could be printed under some comments only: "2 replies", but not "Hi Anna,"."""
    return shape.keys[0].kind == "whole" and len(shape.line) <= 40 and shape.line[-1] not in _STOPS
