"""How the weights are found, in numpy: boosted trees, and the lowest point of a smooth function. Deterministic."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from archive.ingest.structure.trees import Trees

Vector = NDArray[np.float64]

BINS = 32  # values of a column are told apart by so many steps
MEMORY = 8  # steps that L-BFGS remembers


class Binned(NamedTuple):
    """``bins`` is (columns, rows); a value is in bin b if it is above b of the column's ``edges``."""

    bins: NDArray[np.uint8]
    edges: list[NDArray[np.float32]]


def binned(matrix: NDArray[np.float32]) -> Binned:
    """Cut each column into BINS of about equal counts."""
    every = max(1, len(matrix) // 20_000)
    quantiles = np.linspace(0, 1, BINS + 1)[1:-1]
    edges = [np.unique(np.quantile(column, quantiles).astype(np.float32)) for column in matrix[::every].T]
    bins = np.empty(matrix.shape[::-1], dtype=np.uint8)
    for i, (own, column) in enumerate(zip(edges, matrix.T, strict=True)):
        bins[i] = np.searchsorted(own, column, side="left")
    return Binned(bins, edges)


class Growth(NamedTuple):
    """How trees grow: so many, so deep, each step so large, from random shares of columns and rows."""

    trees: int
    depth: int
    rate: float
    columns: int
    rows: float = 0.7
    penalty: float = 15.0  # on the squared worth of a leaf
    least: float = 4.0  # curvature in a leaf, about rows at even odds times four


def _best_split(
    bins: NDArray[np.uint8], chosen: NDArray[np.int64], node: NDArray[np.int64], size: int, slopes: Vector,
    curves: Vector, how: Growth,
) -> tuple[Vector, NDArray[np.int64], NDArray[np.int64]]:  # fmt: skip
    """Return for each of ``size`` nodes the best (gain, column, bin); the gain is Newton's, as in XGBoost (2016)."""
    best, column, cut = np.full(size, 1e-6), np.zeros(size, np.int64), np.full(size, BINS, np.int64)
    for at in chosen.tolist():
        index = node * BINS + bins[at]
        g = np.bincount(index, slopes, size * BINS).reshape(size, BINS).cumsum(axis=1)
        h = np.bincount(index, curves, size * BINS).reshape(size, BINS).cumsum(axis=1)
        all_g, all_h = g[:, -1:], h[:, -1:]
        left, right = g**2 / (h + how.penalty), (all_g - g) ** 2 / (all_h - h + how.penalty)
        gain = left + right - all_g**2 / (all_h + how.penalty)
        gain[(h < how.least) | (all_h - h < how.least)] = 0
        top = gain.argmax(axis=1)
        value = gain[np.arange(size), top]
        better = value > best
        best[better], column[better], cut[better] = value[better], at, top[better]
    return best, column, cut


def _grow(
    data: Binned, rows: NDArray[np.int64], chosen: NDArray[np.int64], slopes: Vector, curves: Vector, how: Growth
) -> tuple[NDArray[np.int64], NDArray[np.int64], Vector]:
    """Return (column, bin, value) of the nodes of one tree grown on ``rows``."""
    inner = 2**how.depth - 1
    columns, cuts, values = np.zeros(inner, np.int64), np.full(inner, BINS, np.int64), np.zeros(2 * inner + 1)
    bins = data.bins[chosen][:, rows]
    g, h, node = slopes[rows], curves[rows], np.zeros(len(rows), np.int64)
    for level in range(how.depth + 1):
        size, first = 2**level, 2**level - 1
        total_g, total_h = np.bincount(node, g, size), np.bincount(node, h, size)
        values[first : first + size] = -how.rate * total_g / (total_h + how.penalty)
        if level == how.depth:
            break
        _gain, column, cut = _best_split(bins, np.arange(len(chosen)), node, size, g, h, how)
        columns[first : first + size], cuts[first : first + size] = chosen[column], cut
        node = 2 * node + (bins[column[node], np.arange(len(rows))] > cut[node])
    return columns, cuts, values


def boosted(
    data: Binned,
    rows: NDArray[np.int64],
    gradient: Callable[[Vector], tuple[Vector, Vector]],
    how: Growth,
    seed: int = 1,
) -> Trees:
    """Grow trees on ``rows``; ``gradient`` takes their scores and returns slope and curvature of the loss."""
    random = np.random.default_rng(seed)
    scores, every = np.zeros(len(rows)), np.arange(data.bins.shape[0])
    grown = []
    slopes, curves = np.zeros(data.bins.shape[1]), np.zeros(data.bins.shape[1])
    for _ in range(how.trees):
        slopes[rows], curves[rows] = gradient(scores)
        chosen = np.sort(random.choice(every, min(how.columns, len(every)), replace=False))
        tree = _grow(data, rows[random.random(len(rows)) < how.rows], chosen, slopes, curves, how)
        grown.append(tree)
        node = np.zeros(len(rows), np.int64)
        for _level in range(how.depth):
            node = 2 * node + 1 + (data.bins[tree[0][node], rows] > tree[1][node])
        scores += tree[2][node]
    return _trees(grown, data.edges)


def _trees(grown: list[tuple[NDArray[np.int64], NDArray[np.int64], Vector]], edges: list[NDArray[np.float32]]) -> Trees:
    columns = np.array([tree[0] for tree in grown])
    cuts = np.array([tree[1] for tree in grown])
    edge = [
        [edges[c][b] if b < len(edges[c]) else np.inf for c, b in zip(cs, bs, strict=True)]
        for cs, bs in zip(columns.tolist(), cuts.tolist(), strict=True)
    ]
    wanted, compact = np.unique(columns, return_inverse=True)
    values = np.array([tree[2] for tree in grown], np.float32)
    return Trees(wanted, compact.reshape(columns.shape).astype(np.int32), np.array(edge, np.float32), values)


def lowest(function: Callable[[Vector], tuple[float, Vector]], start: Vector, steps: int) -> Vector:
    """Return where ``function``, which gives value and gradient, is low: L-BFGS (Nocedal 1980), halving steps."""
    at, (value, slope) = start, function(start)
    past: list[tuple[Vector, Vector]] = []
    for _ in range(steps):
        way, alphas = slope.copy(), []
        for s, y in reversed(past):
            alphas.append((s @ way) / (s @ y))
            way -= alphas[-1] * y
        s, y = past[-1] if past else (slope, slope * max(1.0, float(np.abs(slope).sum())))
        way *= (s @ y) / (y @ y)
        for (s, y), alpha in zip(past, reversed(alphas), strict=True):
            way += (alpha - (y @ way) / (s @ y)) * s
        size = 1.0
        while True:
            reached = at - size * way
            new_value, new_slope = function(reached)
            if new_value <= value - 1e-4 * size * float(slope @ way) or size < 1e-6:
                break
            size /= 2
        s, y = reached - at, new_slope - slope
        if float(s @ y) > 1e-12:
            past = [*past[1 - MEMORY :], (s, y)]
        at, value, slope = reached, new_value, new_slope
    return at


def rising(x: Vector, right: Vector, least: int) -> Vector:
    """Return knots (2, m) of a rising map from ``x`` to the share right, by pooling neighbours (isotonic, PAV).

    Blocks have at least ``least`` cases, so that no step is a few lucky pages.
    """
    order = np.argsort(x, kind="stable")
    blocks: list[list[float]] = []
    for part in np.array_split(order, max(1, len(order) // least)):
        blocks.append([float(x[part].sum()), float(right[part].sum()), len(part)])
        while len(blocks) > 1 and blocks[-2][1] * blocks[-1][2] >= blocks[-1][1] * blocks[-2][2]:
            last = blocks.pop()
            blocks[-1] = [a + b for a, b in zip(blocks[-1], last, strict=True)]
    return np.array([[b[0] / b[2] for b in blocks], [b[1] / b[2] for b in blocks]])
