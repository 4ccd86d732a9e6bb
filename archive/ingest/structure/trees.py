"""Sums of small decision trees, as arrays. All trees have the same depth; node i has the children 2i + 1 and 2i + 2."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Nodes = NDArray[np.int64]

CHUNK = 128  # rows looked at together: bounds the memory of a long page


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

    def _decisions(self, columns: NDArray[np.float32]) -> list[NDArray[np.bool_]]:
        """Return of each level from the root whether each tree sends each row right: (trees, rows).

        All inner nodes are asked at once, which is faster than to follow the paths, and the answers on the path are
        picked out with bits.
        """
        asked = columns.take(self.column.T.ravel(), axis=0) > self.edge.T.reshape(-1, 1)
        right = asked.reshape(*self.column.T.shape, columns.shape[1])
        decisions: list[NDArray[np.bool_]] = []
        for level in range(self.depth):
            its = right[2**level - 1 : 2 ** (level + 1) - 1]
            for said in reversed(decisions):
                its = its[::2] ^ (said & (its[::2] ^ its[1::2]))
            decisions.append(its[0])
        return decisions

    def _worth(self, node: Nodes) -> NDArray[np.float32]:
        """Return what the nodes (trees, rows) are worth."""
        return np.asarray(self.value.take(node + np.arange(len(self.value))[:, None] * self.value.shape[1]))

    def scores(self, columns: NDArray[np.float32]) -> NDArray[np.float64]:
        """Return the sum of all trees for each row; ``columns`` is (wanted, rows)."""
        parts = [np.zeros(0)]
        for at in range(0, columns.shape[1], CHUNK):
            some = columns[:, at : at + CHUNK]
            node = np.zeros((len(self.column), some.shape[1]), np.int64)
            for right in self._decisions(some):
                node = 2 * node + 1 + right
            parts.append(self._worth(node).sum(axis=0, dtype=np.float64))
        return np.concatenate(parts)

    def shares(self, columns: NDArray[np.float32]) -> NDArray[np.float64]:
        """Return what each wanted column adds to the score of each row: (rows, 2, wanted), by going left and right.

        A step's share is the worth of the node it leads to less that of the node it leaves (Saabas 2014).
        """
        rows, size = columns.shape[1], 2 * len(self.wanted)
        node, shares = np.zeros((len(self.column), rows), np.int64), np.zeros(rows * size)
        for right in self._decisions(columns):
            following = 2 * node + 1 + right
            gain = self._worth(following) - self._worth(node)
            column = self.column.take(node + np.arange(len(self.column))[:, None] * self.column.shape[1])
            at = np.arange(rows) * size + right * len(self.wanted) + column
            shares += np.bincount(at.ravel(), gain.ravel(), len(shares))
            node = following
        return shares.reshape(rows, 2, len(self.wanted))


def mean_of(parts: Sequence[Trees]) -> Trees:
    """Return trees whose score is the mean of the scores of ``parts``, which are of one depth."""
    wanted = np.unique(np.concatenate([part.wanted for part in parts]))
    columns = [np.searchsorted(wanted, part.wanted[part.column]).astype(np.int32) for part in parts]
    edges, values = [part.edge for part in parts], [part.value / len(parts) for part in parts]
    return Trees(wanted, np.concatenate(columns), np.concatenate(edges), np.concatenate(values))
