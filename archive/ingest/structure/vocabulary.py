"""The words of a page's lines, and which of them stand on other lines too: one sort of numbers instead of many sets."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import chain
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

HEAD = 800  # code points looked at from the start of a line
SHORT, RUN = 3, 4  # letters of a short word; words of a run
MIX = 0x9E3779B97F4A7C1  # odd, so that multiplying loses nothing
NEVER = -1_000_000_000  # the line before the first

Numbers = NDArray[np.int64]
Mask = NDArray[np.bool_]

_WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)*")
_ASCII_WORD = re.compile(r"[a-z]+(?:'[a-z]+)*")  # the same, faster
WIDE = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")  # scripts written without spaces, cut into pairs


def words_of(text: str) -> list[str]:
    """Return the lower-cased words of ``text``; runs of Chinese, Japanese or Korean become overlapping pairs."""
    lowered = text.lower()
    if lowered.isascii():
        return _ASCII_WORD.findall(lowered)
    if not WIDE.search(lowered):
        return _WORD.findall(lowered)
    words: list[str] = []
    for word in _WORD.findall(lowered):
        if WIDE.search(word):
            words += [word[i : i + 2] for i in range(max(1, len(word) - 1))]
        else:
            words.append(word)
    return words


class Known(dict[str, list[str]]):
    """The words of lines, up to HEAD, found once and asked often."""

    def __missing__(self, line: str) -> list[str]:
        words = self[line] = words_of(line[:HEAD])
        return words

    def words_of(self, text: str) -> list[str]:
        """Return the words of ``text``, which may have several lines; the known ones are not read again."""
        lines = text.split("\n")
        return [word for line in lines for word in (self[line] if len(line) <= HEAD else words_of(line))]


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
    """The words of a page: ``lists`` by line, ``words`` and the ``runs`` of RUN words, where they recur.

    Each of ``words`` has its ``length``; ``subject`` leaves out the short ones, which say no subject: they are grammar
    in every language that has spaces.
    """

    def __init__(self, texts: Sequence[str], known: Known) -> None:
        self.lists = [known[text] for text in texts]
        every = list(chain.from_iterable(self.lists))
        numbers = np.fromiter(map(hash, every), np.int64, len(every))
        lines = np.repeat(np.arange(len(texts)), list(map(len, self.lists)))
        self.words = shared(numbers, lines)
        self.runs = _runs(numbers, lines)
        length = np.fromiter(map(len, every), np.int64, len(every))
        pairs = [at for at in np.flatnonzero(length < 3).tolist() if not every[at].isascii() and WIDE.match(every[at])]
        self.length, self.subject = length[self.words.place], length > SHORT
        self.subject[pairs] = True
        self.subject = self.subject[self.words.place]


def _runs(numbers: Numbers, lines: Numbers) -> Shared:
    """Return where runs of RUN words recur; ``place`` is that of the first of them."""
    size = max(0, len(numbers) - RUN + 1)
    mixed = np.zeros(size, np.int64)
    for at in range(RUN):
        mixed = mixed * MIX + numbers[at : at + size]
    whole = np.flatnonzero(lines[:size] == lines[RUN - 1 :])
    return shared(mixed[whole], lines[whole])
