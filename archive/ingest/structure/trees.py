"""Sums of small decision trees, as arrays. All trees have the same depth; node i has the children 2i + 1 and 2i + 2."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Nodes = NDArray[np.int64]

CHUNK = 512  # rows looked at together: bounds the memory of a long page


class Trees(NamedTuple):
    """``column`` and ``edge`` are (trees, inner nodes), ``value`` is (trees, all nodes); ``wanted`` (columns,).

    A row goes right where its value in ``wanted[column]`` is above ``edge``. ``value`` holds what a node is worth, so
    that the steps of a path can be told apart; only that of the last node counts.
    """

    wanted: NDArray[np.int64]
    column: NDArray[np.int32]
    edge: NDArray[np.float32]
    value: NDArray[np.float32]

    @property
    def depth(self) -> int:
        return int(self.value.shape[1] + 1).bit_length() - 2

    def _step(self, matrix: NDArray[np.float32], node: Nodes) -> tuple[Nodes, Nodes]:
        """Return (next node, column asked) of each row in each tree."""
        at = node + np.arange(len(self.column)) * self.column.shape[1]  # taking from flat arrays is twice as fast
        column = self.column.take(at).astype(np.int64)
        cell = column + np.arange(len(matrix))[:, None] * matrix.shape[1]
        right = matrix.take(cell) > self.edge.take(at)
        return 2 * node + 1 + right, column

    def _worth(self, node: Nodes) -> NDArray[np.float32]:
        """Return what the nodes are worth, one of each tree for each row."""
        return np.asarray(self.value.take(node + np.arange(len(self.value)) * self.value.shape[1]))

    def scores(self, matrix: NDArray[np.float32]) -> NDArray[np.float64]:
        """Return the sum of all trees for each row of ``matrix`` (rows, wanted)."""
        parts = [np.zeros(0)]
        for at in range(0, len(matrix), CHUNK):
            rows = matrix[at : at + CHUNK]
            node = np.zeros((len(rows), len(self.column)), dtype=np.int64)
            for _ in range(self.depth):
                node, _column = self._step(rows, node)
            parts.append(self._worth(node).sum(axis=1, dtype=np.float64))
        return np.concatenate(parts)

    def shares(self, matrix: NDArray[np.float32]) -> NDArray[np.float64]:
        """Return what each wanted column adds to the score of each row: (rows, 2, wanted), by going left and right.

        A step's share is the worth of the node it leads to less that of the node it leaves (Saabas 2014).
        """
        size = 2 * len(self.wanted)
        node, shares = np.zeros((len(matrix), len(self.column)), dtype=np.int64), np.zeros(len(matrix) * size)
        for _ in range(self.depth):
            following, column = self._step(matrix, node)
            gain = self._worth(following) - self._worth(node)
            at = np.arange(len(matrix))[:, None] * size + (1 - following % 2) * len(self.wanted) + column
            shares += np.bincount(at.ravel(), gain.ravel(), len(shares))
            node = following
        return shares.reshape(len(matrix), 2, len(self.wanted))
