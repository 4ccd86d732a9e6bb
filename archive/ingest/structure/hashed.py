"""The words and letters at the edges of a line as places in tables of weights ("hashing trick", Weinberger 2009).

No list of words: what readers open with and sign off with is learned, in whatever languages were labelled. Each kind
of thing (first word, pair of last words, four letters at the start ...) is mixed with a number of its own.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Sequence
from itertools import chain

import numpy as np
from numpy.typing import NDArray

BITS = 16
NOWHERE = 1 << BITS  # the place of what a line does not have; its weight is always 0
HEAD, TAIL = 200, 80  # code points looked at for words
FIRST, LAST, BAG = 3, 8, 25  # words
LETTERS_HEAD, LETTERS_TAIL, GRAM = 16, 12, 4

Places = NDArray[np.int32]
_Numbers = NDArray[np.uint64]

_TOKEN = re.compile(r"[^\W\d_]+(?:'[^\W\d_]+)*|\d+|[^\w\s]")
_ASCII_TOKEN = re.compile(r"[a-z]+(?:'[a-z]+)*|[0-9]+|[^\w\s]")  # the same, faster


def _tokens(text: str) -> list[str]:
    text = text.lower().replace("’", "'")
    return (_ASCII_TOKEN if text.isascii() else _TOKEN).findall(text)


class _Numbering(dict[str, int]):
    """Token -> a number that is never 0, the same on every machine; one for all numerals."""

    def __missing__(self, token: str) -> int:
        plain = "0" if token.isdigit() else token
        number = self[token] = zlib.crc32(plain.encode("utf-8", "surrogatepass")) | 1 << 32
        return number


def _edges(texts: Sequence[str]) -> tuple[_Numbers, _Numbers]:
    """Return the numbers of each line's first BAG tokens and of its LAST tokens from the end; 0 where it has fewer."""
    number = _Numbering().__getitem__
    heads, tails = [], []
    for text in texts:
        head = _tokens(text[:HEAD])
        tail = head if len(text) <= TAIL else _tokens(text[-TAIL:])
        heads.append(list(map(number, head[:BAG])))
        tails.append(list(map(number, tail[: -LAST - 1 : -1])))
    return _table(heads, BAG), _table(tails, LAST)


def _table(rows: Sequence[Sequence[int]], width: int) -> _Numbers:
    """Return ``rows`` as an array of that width, filled up with zeros."""
    sizes = np.fromiter(map(len, rows), np.int64, len(rows))
    table = np.zeros((len(rows), width), np.uint64)
    table[np.arange(width) < sizes[:, None]] = np.fromiter(chain.from_iterable(rows), np.uint64, sizes.sum())
    return table


def _mixed(kind: int, *columns: _Numbers) -> Places:
    """Return the places of the runs of things in ``columns``; NOWHERE where the first of them is missing."""
    mixed = np.full(columns[0].shape, 0x9E3779B97F4A7C15 * (2 * kind + 1) & (1 << 64) - 1, dtype=np.uint64)
    for column in columns:
        mixed = (mixed ^ column) * np.uint64(0xFF51AFD7ED558CCD)
        mixed ^= mixed >> np.uint64(32)
    return np.where(columns[0] == 0, NOWHERE, mixed & np.uint64(NOWHERE - 1)).astype(np.int32)


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
    before = _moved(z, 1)
    heads = [" " + text[: LETTERS_HEAD - 1].lower() for text in texts]
    tails = _grams([" " + text[1 - LETTERS_TAIL :].lower() for text in texts], LETTERS_TAIL)
    own = [
        *(_mixed(k, a[:, k : k + 1]) for k in range(FIRST)),
        _mixed(3, a[:, :1], a[:, 1:2]), _mixed(4, a[:, :1], a[:, 1:2], a[:, 2:3]), _mixed(5, a),
        _mixed(6, z[:, :1]), _mixed(7, z[:, :1], z[:, 1:2]),
        _mixed(8, before[:, :1]), _mixed(9, before[:, :1], before[:, 1:2]), _mixed(10, before),
        _mixed(11, _moved(a, 1)[:, :1]), _mixed(12, *_grams(heads, LETTERS_HEAD)), _mixed(13, *tails),
        _mixed(14, *(_moved(column, 1) for column in tails)),
        _mixed(15, np.ones((len(a), 1), dtype=np.uint64)),
    ]  # fmt: skip
    following = _moved(a, -1)
    after = [_mixed(16, following[:, :1]), _mixed(17, following[:, :1], following[:, 1:2])]
    return np.hstack(own), np.hstack(after)


def scales(places: Places) -> NDArray[np.float64]:
    """Return by what each line's sum of weights is multiplied: long lines have more things, and must not be surer."""
    return np.asarray(3 / np.sqrt(np.maximum(1, (places != NOWHERE).sum(axis=1))))


def weigh(table: NDArray[np.float32], places: Places) -> NDArray[np.float64]:
    """Return the score of each line; ``table`` has NOWHERE + 1 weights."""
    return np.asarray(table[places].sum(axis=1) * scales(places), dtype=np.float64)
