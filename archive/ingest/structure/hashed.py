"""The words and letters at the edges of a line as places in tables of weights ("hashing trick", Weinberger 2009).

No list of words: what readers open with and sign off with is learned, in whatever languages were labelled. Each kind
of thing (first word, pair of last words, four letters at the start ...) is mixed with a number of its own.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from functools import cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from archive.ingest.structure.characters import PART, Characters

BITS = 16
NOWHERE = 1 << BITS  # the place of what a line does not have; its weight is always 0
HEAD, TAIL = 200, 80  # code points looked at for words
FIRST, LAST, BAG = 3, 8, 25  # words
LETTERS_HEAD, LETTERS_TAIL, GRAM = 16, 12, 4

Places = NDArray[np.int32]
_Numbers = NDArray[np.uint64]
_NUMERAL = np.uint32(zlib.crc32(b"0"))


class _Tokens(NamedTuple):
    """Tokens in the order of the text: each one's number, never 0, its line, its place there from both ends."""

    number: _Numbers
    line: NDArray[np.int64]
    nth: NDArray[np.int64]
    nth_last: NDArray[np.int64]


def _tokens(texts: Sequence[str]) -> _Tokens:
    """Return the tokens of the texts: words, numerals and single marks. Numerals have all the same number."""
    chars = Characters([text.lower().replace("’", "'") for text in texts])
    letter, word, points = chars.of("letter"), chars.of("word"), chars.points
    inside = letter.copy()
    inside[1:-1] |= (points[1:-1] == ord("'")) & letter[:-2] & letter[2:]
    mark = ~(word | inside | chars.of("space"))
    kind = inside + 2 * (word & ~inside & (points != ord("_"))) + np.uint8(3) * mark
    edges = np.append(0, np.flatnonzero((kind[1:] != kind[:-1]) | mark[1:]) + 1)
    some = np.flatnonzero(kind[edges])  # the last edge is that of the last line feed
    starts, ends = edges[some], edges[some + 1]
    bounds = np.searchsorted(starts, chars.edges)
    counts = np.diff(bounds)
    nth = np.arange(len(starts)) - np.repeat(bounds[:-1], counts)
    digits = np.append(0, np.cumsum(chars.of("digit")))
    numeral = digits[ends] - digits[starts] == ends - starts
    number = np.where(numeral, _NUMERAL, _crc32(chars, starts, ends)).astype(np.uint64) | np.uint64(1 << 32)
    return _Tokens(number, np.repeat(np.arange(len(texts)), counts), nth, np.repeat(counts, counts) - 1 - nth)


def _crc32(chars: Characters, starts: NDArray[np.int64], ends: NDArray[np.int64]) -> NDArray[np.uint32]:
    """Return zlib.crc32 of the UTF-8 of what stands between each of ``starts`` and ``ends``, none of it empty.

    A checksum is the exclusive or of what each byte adds to it, which depends on how many bytes follow it.
    """
    before = np.append(0, np.cumsum(1 + (chars.points > 0x7F) + (chars.points > 0x7FF) + (chars.points > 0xFFFF)))
    starts, sizes = before[starts], before[ends] - before[starts]
    first = np.cumsum(sizes) - sizes
    follow = np.repeat(sizes - 1 + first, sizes) - np.arange(sizes.sum())
    coded = np.frombuffer(chars.text.encode("utf-8", "surrogatepass"), np.uint8)
    byte = coded[np.repeat(starts + sizes - 1, sizes) - follow]
    added, zeros = _checksums()
    return np.asarray(np.bitwise_xor.reduceat(added[follow, byte], first) ^ zeros[sizes] if len(first) else sizes)


@cache
def _checksums() -> tuple[NDArray[np.uint32], NDArray[np.uint32]]:
    """Return (what a byte adds to a checksum, by how many bytes follow it; the checksum of so many zeros)."""
    zeros = np.array([zlib.crc32(bytes(size)) for size in range(4 * HEAD + 1)], np.uint32)
    added = np.empty((4 * HEAD, 256), np.uint32)
    added[0] = [zlib.crc32(bytes([byte])) ^ zeros[1] for byte in range(256)]
    for follow in range(1, len(added)):
        added[follow] = added[0].take(added[follow - 1] & 0xFF) ^ (added[follow - 1] >> np.uint32(8))
    return added, zeros


def _edges(texts: Sequence[str]) -> tuple[_Numbers, _Numbers]:
    """Return the numbers of each line's first BAG tokens and of its LAST tokens from the end; 0 where it has fewer."""
    heads, tails = np.zeros((len(texts), BAG), np.uint64), np.zeros((len(texts), LAST), np.uint64)
    for at in range(0, len(texts), PART):
        some = texts[at : at + PART]
        number, line, nth, nth_last = _tokens([*(text[:HEAD] for text in some), *(text[-TAIL:] for text in some)])
        head, tail = (line < len(some)) & (nth < BAG), (line >= len(some)) & (nth_last < LAST)
        heads[line[head] + at, nth[head]] = number[head]
        tails[line[tail] - len(some) + at, nth_last[tail]] = number[tail]
    return heads, tails


def _mixed(kinds: Sequence[int], *columns: _Numbers) -> Places:
    """Return the places of runs of things: (lines, runs), NOWHERE where the first thing is missing.

    Each of ``columns`` is (lines, runs), the first things of the runs, the second ones ...; ``kinds`` has one a run.
    """
    seeds = [0x9E3779B97F4A7C15 * (2 * kind + 1) & (1 << 64) - 1 for kind in kinds]
    mixed = np.array(seeds, np.uint64)
    for column in columns:
        mixed = (mixed ^ column) * np.uint64(0xFF51AFD7ED558CCD)
        mixed ^= mixed >> np.uint64(32)
    mixed &= np.uint64(NOWHERE - 1)
    mixed[columns[0] == 0] = NOWHERE
    return mixed.astype(np.int32)


def _grams(texts: Sequence[str], width: int) -> list[_Numbers]:
    """Return GRAM columns of code points plus 1, each (lines, runs); texts shorter than a run have none."""
    padded = "".join([text[:width].ljust(width, "\0") for text in texts])
    points = np.frombuffer(padded.encode("utf-32-le", "surrogatepass"), "<u4").reshape(-1, width).astype(np.uint64) + 1
    runs = width - GRAM + 1
    columns = [points[:, i : i + runs] for i in range(GRAM)]
    present = columns[-1] != 1
    return [np.where(present, column, 0) for column in columns]


def _moved(numbers: _Numbers, by: int) -> _Numbers:
    """Return the rows of the line ``by`` lines before (after, if negative); nothing at the edge."""
    moved = np.zeros_like(numbers)
    if abs(by) < len(numbers):
        moved[max(0, by) : len(numbers) + min(0, by)] = numbers[max(0, -by) : len(numbers) - max(0, by)]
    return moved


def places_of(texts: Sequence[str]) -> tuple[Places, Places]:
    """Return (places of each line and the line before, of the line after): arrays of (lines, things)."""
    a, z = _edges(texts)
    before, opened, following = _moved(z, 1), _moved(a, 1), _moved(a, -1)
    heads = _grams([" " + text[: LETTERS_HEAD - 1].lower() for text in texts], LETTERS_HEAD)
    tails = _grams([" " + text[1 - LETTERS_TAIL :].lower() for text in texts], LETTERS_TAIL)
    grams = [np.hstack([head, tail, _moved(tail, 1)]) for head, tail in zip(heads, tails, strict=True)]
    always = np.ones((len(a), 1), np.uint64)
    ones = np.hstack([a[:, :FIRST], a, z[:, :1], before[:, :1], before, opened[:, :1], always])
    firsts = np.hstack([a[:, :1], z[:, :1], before[:, :1]])
    seconds = np.hstack([a[:, 1:2], z[:, 1:2], before[:, 1:2]])
    own = [
        _mixed([*range(FIRST), *[5] * BAG, 6, 8, *[10] * LAST, 11, 15], ones), _mixed([3, 7, 9], firsts, seconds),
        _mixed([4], a[:, :1], a[:, 1:2], a[:, 2:3]),
        _mixed([12] * heads[0].shape[1] + [13] * tails[0].shape[1] + [14] * tails[0].shape[1], *grams),
    ]  # fmt: skip
    after = [_mixed([16], following[:, :1]), _mixed([17], following[:, :1], following[:, 1:2])]
    return np.hstack(own), np.hstack(after)


def scales(places: Places) -> NDArray[np.float64]:
    """Return by what each line's sum of weights is multiplied: long lines have more things, and must not be surer."""
    return np.asarray(3 / np.sqrt(np.maximum(1, (places != NOWHERE).sum(axis=1))))


def weigh(table: NDArray[np.float32], places: Places) -> NDArray[np.float64]:
    """Return the score of each line; ``table`` has NOWHERE + 1 weights."""
    return np.asarray(table[places].sum(axis=1) * scales(places), dtype=np.float64)
