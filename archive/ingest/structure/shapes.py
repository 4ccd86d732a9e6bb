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
    """The pieces of a line, with where each is in it."""

    def __init__(self, line: str) -> None:
        self.line = line
        self.dates: list[Stamp] = stamps(line) if len(line) <= DATE_MOST else []
        self.pieces: list[str] = []
        self.spans: list[tuple[int, int]] = []
        at = 0
        for stamp in self.dates:
            self._cut(at, stamp.start)
            self.pieces.append(DATE)
            self.spans.append((stamp.start, stamp.end))
            at = stamp.end
        self._cut(at, len(line))

    def _cut(self, start: int, end: int) -> None:
        for match in _PIECE.finditer(self.line, start, end):
            piece = match.group()
            self.pieces.append(NUMBER if piece.isdecimal() else piece.lower() if piece.isalpha() else piece)
            self.spans.append(match.span())

    @cached_property
    def keys(self) -> list[Key]:
        """Return the line's keys, each worth at least 1.5."""
        pieces = tuple(self.pieces)
        size = len(pieces)
        keys = []
        if 0 < size <= MOST_PIECES:
            keys.append(Key("whole", _stems(pieces)))
        if size > 1:
            found = [Key("last", pieces[-n:]) for n in (1, 2, 3) if n < size]
            found += [Key("first", pieces[:n]) for n in (1, 2, 3) if n < size]
            if size > 2:
                found.append(Key("both", (pieces[0], pieces[-1])))
            keys += [key for key in found if worth(key) >= 1.5]
        return keys


def _stems(pieces: tuple[str, ...]) -> tuple[str, ...]:
    """Cut words to four letters where a number stands among them: "1 reply", "2 replies"."""
    if NUMBER not in pieces or DATE in pieces:
        return pieces
    return tuple(piece[:4] if piece.isalpha() else piece for piece in pieces)


def worth(key: Key) -> float:
    """Return roughly how unlikely it is (in nats) that people's own lines share this key."""
    total = 2.0 if key.kind == "whole" else 0.0
    for piece in key.pieces:
        if piece == DATE:
            total += 5
        elif piece == NUMBER:
            total += 1
        elif any(map(str.isalnum, piece)):
            total += 1.5
        elif piece[0] not in _STOPS:
            total += 0.7  # a bar, an arrow, a hash
        else:
            total += 0.2
    return total


def could_be_name(line: str) -> bool:
    """Say whether ``line`` could be somebody's name standing alone: short, with a letter, no sentence."""
    stopped = line[-1] in _STOPS and not _INITIAL.search(line)
    return len(line) <= 60 and not stopped and line.count(" ") <= 6 and any(map(str.isalpha, line))


def is_code(key: Key) -> bool:
    """Say whether the key has what programs are full of; their lines repeat as regularly as a template's."""
    return any(_CODE & set(piece) for piece in key.pieces)


def could_be_optional(shape: Shape) -> bool:
    """Say whether the whole line could be printed under some comments only: "2 replies", but not "Hi Anna,"."""
    return shape.keys[0].kind == "whole" and len(shape.line) <= 40 and shape.line[-1] not in _STOPS
