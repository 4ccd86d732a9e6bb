"""The words of a page's lines, and which of them stand on other lines too: one sort of numbers instead of many sets."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from archive.ingest.structure.characters import PART, Characters

HEAD = 800  # code points looked at from the start of a line
SHORT, RUN = 3, 4  # letters of a short word; words of a run
MIX = 0x9E3779B97F4A7C1  # odd, so that multiplying loses nothing
NEVER = -1_000_000_000  # the line before the first

Numbers = NDArray[np.int64]
Mask = NDArray[np.bool_]

_NONE = *([np.zeros(0, np.int64)] * 3), np.zeros(0, bool), np.zeros(0, np.int64)


class Words(NamedTuple):
    """Words in the order of the text: each one's number, line, length in letters, and whether its script is written
    without spaces; how many each line has.
    """  # fmt: skip

    number: Numbers
    line: Numbers
    length: Numbers
    wide: Mask
    counts: Numbers

    def parts(self) -> Iterator[Words]:
        """Yield the words of PART lines at a time, whose numbers begin at 0."""
        for at in range(0, len(self.counts), PART):
            a, b = np.searchsorted(self.line, (at, at + PART))
            counts = self.counts[at : at + PART]
            yield Words(self.number[a:b], self.line[a:b] - at, self.length[a:b], self.wide[a:b], counts)

    def first(self) -> Numbers:
        """Return the number of the first word of each line, or 0 where it has none."""
        found = np.zeros(len(self.counts), np.int64)
        some = np.flatnonzero(self.counts)
        found[some] = self.number[np.cumsum(self.counts)[some] - self.counts[some]]
        return found


def words_of(texts: Sequence[str], width: int | None = HEAD) -> Words:
    """Return the words in the first ``width`` code points of each text, whatever their case.

    A word is a run of letters, with apostrophes between them; scripts written without spaces are cut into overlapping
    pairs of letters.
    """
    parts = [_words([text[:width].lower() for text in texts[at : at + PART]], at) for at in range(0, len(texts), PART)]
    if len(parts) == 1:
        return parts[0]
    return Words(*map(np.concatenate, zip(*parts, strict=True))) if parts else Words(*_NONE)


def _words(texts: Sequence[str], before: int) -> Words:
    chars = Characters(texts)
    letter, inside = chars.of("letter"), chars.of("letter")
    inside[1:-1] |= chars.of("apostrophe")[1:-1] & letter[:-2] & letter[2:]
    edges = np.flatnonzero(np.diff(inside, prepend=False))
    starts, ends = edges[::2], edges[1::2]
    wide = chars.of("wide")
    if wide.any():
        starts, ends = _pairs(starts, ends, np.append(0, np.cumsum(wide)))
    bounds = np.searchsorted(starts, chars.edges)
    counts = np.diff(bounds)
    lines = np.repeat(np.arange(before, before + len(texts)), counts)
    return Words(chars.numbers(starts, ends), lines, ends - starts, wide[starts], counts)


def _pairs(starts: Numbers, ends: Numbers, before: Numbers) -> tuple[Numbers, Numbers]:
    """Cut the words that have a letter of a script without spaces; so many of them stand ``before`` each character."""
    wide = before[ends] > before[starts]
    pieces = np.where(wide, np.maximum(1, ends - starts - 1), 1)
    nth = np.arange(pieces.sum()) - np.repeat(np.cumsum(pieces) - pieces, pieces)
    wide, ends, starts = np.repeat(wide, pieces), np.repeat(ends, pieces), np.repeat(starts, pieces) + nth
    return starts, np.where(wide, np.minimum(starts + 2, ends), ends)


class Listed:
    """Words that mean something, each with bits that say what."""

    def __init__(self, bits: Mapping[str, int]) -> None:
        numbers = words_of(list(bits)).number
        order = np.argsort(numbers)
        self._numbers, self._bits = numbers[order], np.fromiter(bits.values(), np.int64, len(bits))[order]

    def bits_of(self, numbers: Numbers) -> Numbers:
        """Return the bits of each of the words with these numbers, 0 where it is not listed."""
        at = np.minimum(np.searchsorted(self._numbers, numbers), len(self._numbers) - 1)
        return np.where(self._numbers[at] == numbers, self._bits[at], 0)


class Shared(NamedTuple):
    """Each thing on each line that has it, once: arrays of the same length, things in any order, lines ascending.

    ``place`` is where the thing stands among all that were given, ``line`` the line, ``before`` the line before it
    that has the same thing, or NEVER, ``first`` the first line that has it, ``lines`` how many lines have it.
    """

    place: Numbers
    line: Numbers
    before: Numbers
    first: Numbers
    lines: Numbers

    def per_line(self, those: Mask, total: int) -> NDArray[np.float64]:
        """Return how many of ``those`` things each of the ``total`` lines has."""
        return np.bincount(self.line[those], minlength=total).astype(float)

    def seen_before(self, most: int, those: Mask | bool = True) -> Mask:
        """Say of each thing whether a line before has it, if no line adds to ``most`` of ``those`` that are known."""
        new = np.bincount(self.line[(self.before == NEVER) & those])
        remembered = (np.cumsum(new) - new < most).sum()
        return (self.first < self.line) & (self.first < remembered)


def shared(things: Numbers, lines: Numbers) -> Shared:
    """Return on which of the ascending ``lines`` equal ``things`` stand."""
    order = np.argsort(things, kind="stable")
    things, lines = things[order], lines[order]
    new = np.append(True, things[1:] != things[:-1])[: len(order)]
    once = new | np.append(True, lines[1:] != lines[:-1])[: len(order)]
    order, lines, new = order[once], lines[once], new[once]
    thing = np.cumsum(new) - 1
    return Shared(order, lines, np.where(new, NEVER, np.roll(lines, 1)), lines[new][thing], np.bincount(thing)[thing])


class Vocabulary:
    """The words of a page: ``every`` one, ``words`` and the ``runs`` of RUN words, where they recur.

    Each of ``words`` has its ``length``, each line so many ``letters`` in its words; ``subject`` leaves out the short
    words, which say no subject: they are grammar in every language that has spaces.
    """

    def __init__(self, texts: Sequence[str]) -> None:
        self.every = every = words_of(texts)
        self.letters = np.bincount(every.line, every.length, len(texts))
        self.words = shared(every.number, every.line)
        self.runs = _runs(every.number, every.line)
        self.length = every.length[self.words.place]
        self.subject = (self.length > SHORT) | every.wide[self.words.place]


def _runs(numbers: Numbers, lines: Numbers) -> Shared:
    """Return where runs of RUN words recur; ``place`` is that of the first of them."""
    size = max(0, len(numbers) - RUN + 1)
    mixed = np.zeros(size, np.int64)
    for at in range(RUN):
        mixed = mixed * MIX + numbers[at : at + size]
    whole = np.flatnonzero(lines[:size] == lines[RUN - 1 :])
    return shared(mixed[whole], lines[whole])
