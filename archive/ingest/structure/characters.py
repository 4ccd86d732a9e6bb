"""Which kinds of characters stand in the lines of a page, told for all lines at once.

To ask each line about each kind would cost more than all else that is seen of it; here each character is looked up once
in a table of bits, a bit a kind, and lines are put together from their characters' bits.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Sequence
from functools import cached_property, reduce
from operator import or_

import numpy as np
from numpy.typing import NDArray

Mask = NDArray[np.bool_]
Counts = NDArray[np.int64]
Bits = NDArray[np.uint32]

_LISTED = {
    "question": "?？", "exclamation": "!！", "curly_apostrophe": "’", "straight_apostrophe": "'", "dash": "—–",
    "parenthesis": "(", "code": "{};<>=\\$|[]", "eyes": ":;=^<", "opening_quote": "“„«「\"",
    "comma": ",;", "straight_quote": '"', "curly_quote": "“„", "other_quote": "”«»", "ellipsis": "…",
    "plain_stop": ".!?", "stop": ".!?…。！？", "tight_mark": ",!?;", "calling": ",:！!，-–@", "apostrophe": "'’",
}  # fmt: skip
_TOLD: dict[str, Callable[[str], bool]] = {
    "digit": str.isdigit, "upper": str.isupper, "lower": str.islower, "alphabetic": str.isalpha, "space": str.isspace,
    "lowered": lambda char: char.lower() != char, "word": lambda char: char.isalnum() or char == "_",
    "letter": lambda char: char.isalnum() and not char.isdecimal(),
    "loud": lambda char: char.isalnum() and not char.isdecimal() and not "a" <= char <= "z",
}  # fmt: skip
_RANGES = {
    "eyes": ((0x1F300, 0x1FAFF), (0x2600, 0x27BF)),
    "wide": ((0x3040, 0x30FF), (0x3400, 0x9FFF), (0xAC00, 0xD7AF)),
    "small": ((0x61, 0x7A),),  # a to z
}
KIND = {name: np.uint32(1 << at) for at, name in enumerate(dict.fromkeys([*_LISTED, *_TOLD, *_RANGES]))}
PART = 512  # lines whose characters are looked at together: bounds the memory of a long page
BASE = 0x9E3779B97F4A7C15  # odd, so that its powers have inverses among numbers of 64 bits
_LONGEST = 1 << 14  # characters of a line in which places are told apart
_KNOWN = np.uint32(1 << 31)
_NOTHING = np.uint32(0)


def _table() -> Bits:
    """Return the bits of each code point; what is not listed is found out when a page first has it."""
    table = np.zeros(0x110000, np.uint32)  # the system gives memory to those parts alone that are written to
    for name, listed in _LISTED.items():
        for char in listed:
            table[ord(char)] |= KIND[name]
    return table


_TABLE = _table()


def _learn(points: Bits) -> None:
    chars = list(map(chr, points.tolist()))
    bits = np.full(len(points), _KNOWN)
    for name, told in _TOLD.items():
        bits[np.fromiter(map(told, chars), bool, len(chars))] |= KIND[name]
    for name, ranges in _RANGES.items():
        bits[reduce(or_, ((points >= low) & (points <= high) for low, high in ranges))] |= KIND[name]
    _TABLE[points] |= bits


def points_of(text: str) -> Bits:
    """Return the code points of ``text``."""
    return np.frombuffer(text.encode("utf-32-le", "surrogatepass"), "<u4")


def bits_of(points: Bits) -> Bits:
    """Return the bits of each of the code points."""
    bits = _TABLE.take(points)
    new = bits < _KNOWN
    if new.any():
        _learn(np.unique(points[new]))
        bits = _TABLE.take(points)
    return bits


def one_of(points: Bits, chars: str) -> Mask:
    """Say of each of the code points whether it is one of ``chars``."""
    return np.asarray(reduce(or_, (points == ord(char) for char in chars)))


def _powers(of: int) -> NDArray[np.uint64]:
    return np.cumprod(np.append(np.uint64(1), np.full(_LONGEST - 1, of % (1 << 64), np.uint64)), dtype=np.uint64)


_POWERS, _INVERSE = _powers(BASE), _powers(pow(BASE, -1, 1 << 64))


class Characters:
    """The first ``width`` characters of each of ``texts``, of which there must be one."""

    def __init__(self, texts: Sequence[str], width: int | None = None) -> None:
        self.heads = [text[:width] for text in texts]
        self.text = "\n".join([*self.heads, ""])
        self.points = points_of(self.text)
        self.bits = bits_of(self.points)
        self.edges = np.zeros(len(texts) + 1, np.int64)
        np.cumsum(np.fromiter(map(len, self.heads), np.int64, len(texts)) + 1, out=self.edges[1:])
        self.starts, self.ends = self.edges[:-1], self.edges[1:] - 1  # the line feed between is no line's
        self.first = self.points[self.starts]

    @cached_property
    def _any(self) -> Bits:
        return np.bitwise_or.reduceat(self.bits, self.starts)

    def any(self, kind: str) -> Mask:
        """Say of each line whether a character of that kind is in it; for kinds that a line feed is not of."""
        return has(self._any, kind)

    def numbers(self, starts: Counts, ends: Counts) -> Counts:
        """Return a number for what stands between each of ``starts`` and ``ends``, both on one line: the same number
        where the same characters stand, and hardly ever elsewhere.
        """  # fmt: skip
        sizes = np.diff(self.edges)
        at = (np.arange(len(self.points)) - np.repeat(self.starts, sizes)) % len(_POWERS)
        sums = np.zeros(len(self.points) + 1, np.uint64)
        np.cumsum(self.points * _POWERS[at], out=sums[1:])
        return np.asarray(((sums[ends] - sums[starts]) * _INVERSE[at[starts]]).view(np.int64))

    def begins(self, kind: str) -> Mask:
        """Say of each line whether its first character is of that kind."""
        return has(self.bits[self.starts], kind)

    def holds(self, *those: str) -> Mask:
        """Say of each line whether one of ``those`` stands in it."""
        found = np.zeros(len(self.starts), bool)
        for its in those:
            at = self.text.find(its)
            while at >= 0:
                line = bisect_right(self._starts, at) - 1
                found[line] = True
                at = self.text.find(its, self._starts[line] + len(self.heads[line]))
        return found

    @cached_property
    def _starts(self) -> list[int]:
        return list(self.starts.tolist())

    def openings(self, width: int) -> Bits:
        """Return the bits of all of the first ``width`` characters of each line together."""
        bounds = np.stack([self.starts, np.minimum(self.starts + width, self.ends)], axis=1).ravel()
        return np.bitwise_or.reduceat(self.bits, bounds)[::2]

    def of(self, kind: str) -> Mask:
        """Say of each character, and of the line feed after each line, whether it is of that kind."""
        return has(self.bits, kind)

    def count(self, those: Mask) -> Counts:
        """Return how many of ``those`` characters stand in each line: a mask for the page's first characters."""
        return np.diff(np.searchsorted(np.flatnonzero(those), self.edges))

    def run(self, its: Mask, length: int) -> Mask:
        """Say of each line whether so many of ``its`` characters stand next to each other in it."""
        size = max(0, len(its) - length + 1)
        return self.count(reduce(np.logical_and, (its[at : at + size] for at in range(length)))) > 0


def has(bits: Bits, kind: str) -> Mask:
    """Say of each of the bits whether they hold that kind."""
    return np.asarray((bits & KIND[kind]) != _NOTHING)
