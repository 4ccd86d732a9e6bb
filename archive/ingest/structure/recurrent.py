"""A small recurrent network that reads the lines of a page in order, from above and from below, in numpy.

Trees and words look at a line and a fixed surrounding; this remembers what it has read: how the article sounded, how
often new writers began so far, whether anybody has spoken yet. Its cells are gated recurrent units (Cho et al. 2014),
one layer each way. Several networks that differ in their first random weights are averaged.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float32]

CHUNK = 512  # lines whose gates are kept together: bounds the memory of a long page
HALF, ONE = np.float32(0.5), np.float32(1)
FAR = np.float32(6)  # standard deviations; an input further out is taken as that far, so that no page is too odd


class Scale(NamedTuple):
    """What an input is on average, and how far it spreads: (I,) each."""

    centre: Array
    spread: Array

    def __call__(self, inputs: Array) -> Array:
        return np.asarray(((inputs - self.centre) / self.spread).clip(-FAR, FAR), np.float32)


@dataclass(frozen=True)
class Networks:
    """K networks. Inputs (I,), entered (E,), and H cells each way; 3H gates in the order reset, update, new.

    ``centre`` and ``spread`` are as in Scale. ``enter`` (K, I, E) and ``enter_bias`` (K, 1, E). ``gates``
    (K, 2, E, 3H), ``gates_bias`` (K, 2, 1, 3H), ``turn`` (K, 2, H, 3H), ``turn_bias`` (K, 2, 1, H): the two ways are
    down and up. ``say`` (K, 2H + E, 2), ``say_bias`` (K, 1, 2): is the article over before this line; does a writer
    begin. ``none`` (K, 4H, 1), ``none_bias`` (K, 1, 1): "no comments", from the mean and the largest of the cells.
    """

    centre: Array
    spread: Array
    enter: Array
    enter_bias: Array
    gates: Array
    gates_bias: Array
    turn: Array
    turn_bias: Array
    say: Array
    say_bias: Array
    none: Array
    none_bias: Array

    def read(self, inputs: Array) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return for a page of n lines (n, I): scores (n,) of "the article is the first i lines", i = 1..n where n is
        "no comments", as logarithms of chances; and scores (n,) of "a writer begins on this line", as log odds.
        """  # fmt: skip
        entered = np.maximum(Scale(self.centre, self.spread)(inputs) @ self.enter + self.enter_bias, 0)
        held = self._cells(np.stack([entered, entered[:, ::-1]], axis=1))
        down, up = held[:, 0], held[:, 1, ::-1]
        said = np.concatenate([down, up, entered], axis=2) @ self.say + self.say_bias
        pooled = np.concatenate(
            [part.mean(axis=1) for part in (down, up)] + [p.max(axis=1) for p in (down, up)], axis=1
        )
        none = (pooled[:, None] @ self.none + self.none_bias)[:, :, 0]
        split = np.concatenate([said[:, 1:, 0], none], axis=1).astype(float)
        top = split.max(axis=1, keepdims=True)
        chances = split - top - np.log(np.exp(split - top).sum(axis=1, keepdims=True))
        return np.asarray(chances.mean(axis=0)), np.asarray(said[:, :, 1].astype(float).mean(axis=0))

    @cached_property
    def _halved(self) -> tuple[Array, Array, Array, Array]:
        """Return ``gates``, ``gates_bias``, ``turn`` and ``turn_bias`` as ``_cells`` needs them.

        The logistic of x is half of 1 + tanh(x / 2): what is halved here need not be halved for each line. ``turn`` is
        (3, 2K, H, H), so that all that is done for a line is done on arrays in one piece, which is far faster.
        """
        count, size = len(self.turn), self.turn.shape[2]
        by = np.repeat([HALF, HALF, ONE], size)
        turn = (self.turn * HALF).reshape(2 * count, size, 3, size).transpose(2, 0, 1, 3)
        bias = (self.turn_bias * HALF).reshape(2 * count, 1, size)
        return self.gates * by, self.gates_bias * by, np.ascontiguousarray(turn), bias

    def _cells(self, entered: Array) -> Array:
        """Return what the cells hold after each line, (K, 2, n, H), when this has ``entered``: (K, 2, n, E)."""
        gates, gates_bias, turn, bias = self._halved
        count, total, size = len(gates), entered.shape[2], turn.shape[3]
        held, result = np.zeros((2 * count, 1, size), np.float32), np.empty((total, 2 * count, 1, size), np.float32)
        turned = np.empty((3, 2 * count, 1, size), np.float32)
        both, (reset, update, new) = turned[:2], turned
        for first in range(0, total, CHUNK):
            given = entered[:, :, first : first + CHUNK] @ gates + gates_bias
            given = given.reshape(2 * count, -1, 1, 3, size).transpose(1, 3, 0, 2, 4)
            given = np.ascontiguousarray(given)
            for at_both, at_new, after in zip(given[:, :2], given[:, 2], result[first : first + CHUNK], strict=True):
                np.matmul(held, turn, out=turned)
                both += at_both
                np.tanh(both, out=both)
                both += ONE
                new += bias
                new *= reset
                new += at_new
                np.tanh(new, out=new)
                update *= HALF
                np.subtract(held, new, out=after)
                after *= update
                after += new
                held = after
        return result.reshape(total, count, 2, size).transpose(1, 2, 0, 3)


def logistic(scores: Array) -> Array:
    # By tanh: it is one call, and cannot overflow.
    return (np.tanh(scores * HALF) + ONE) * HALF
