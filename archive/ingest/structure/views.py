"""The features of lines seen from each place where something may begin: the line there, its neighbours, all after it.

A place is a line number 0..n; place n is the end of the text. Each view is a matrix (n + 1 places, features).
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

Matrix = NDArray[np.float32]
Places = NDArray[np.int64]

# What a view is called in the reason a person reads.
VIEWS = {
    "here": "",
    "before": "line before: ",
    "after": "next line: ",
    "before2": "two lines before: ",
    "after2": "two lines on: ",
    "close": "next lines against last ones: ",
    "near": "coming lines against those before: ",
    "coming": "coming lines: ",
    "past": "lines before: ",
    "far": "all that follows against all before: ",
    "rest": "all that follows: ",
    "sum": "all that follows: ",
    "apart": "unlike the line before: ",
    "own": "unlike the page: ",
    "page": "whole page: ",
}
NEAR, CLOSE = 8, 3  # lines
BEFORE, AFTER = 2, 2  # lines that are looked at one by one
POSITION = ("lines before", "lines after", "share before", "lines", "left to come", "root of lines after")


class Views:
    """The views of one page; column numbers run over the features of each view in turn, then over POSITION."""

    def __init__(self, rows: Matrix) -> None:
        self.total = len(rows)
        # A line beyond the text is all zeros.
        self.lines = np.zeros((self.total + BEFORE + AFTER + 1, rows.shape[1]), np.float32)
        self.lines[BEFORE : BEFORE + self.total] = rows
        self.sums = np.zeros((self.total + 1, rows.shape[1]))
        np.cumsum(rows, axis=0, dtype=np.float64, out=self.sums[1:])

    def _mean(self, at: Places, low: int | None, high: int | None) -> NDArray[np.float64]:
        """Return the mean of the lines from ``low`` to before ``high`` of each place; None is the text's edge."""
        first = 0 * at if low is None else (at + low).clip(0, self.total)
        last = 0 * at + self.total if high is None else (at + high).clip(0, self.total)
        return np.asarray((self.sums[last] - self.sums[first]) / np.maximum(1, last - first)[:, None])

    def view(self, name: str, at: Places) -> NDArray[np.floating]:
        """Return the view called ``name`` from the places ``at``."""
        at_line = at + BEFORE
        lines = {"here": 0, "before": -1, "after": 1, "before2": -2, "after2": 2}
        if name in lines:
            return self.lines[at_line + lines[name]]
        if name == "sum":
            return np.asarray((self.sums[-1] - self.sums[at]) / np.sqrt(max(1, self.total)))
        if name == "apart":
            return np.abs(self.lines[at_line] - self.lines[at_line - 1])
        if name == "own":
            return np.asarray(self.lines[at_line] - self._mean(at, None, None))
        means = {"coming": (0, NEAR), "past": (-NEAR, 0), "rest": (0, None), "page": (None, None)}
        if name in means:
            return self._mean(at, *means[name])
        reach = {"close": CLOSE, "near": NEAR, "far": None}[name]
        return self._mean(at, 0, reach) - self._mean(at, None if reach is None else -reach, 0)

    def position(self, at: Places) -> NDArray[np.float64]:
        """Return POSITION of each place."""
        total = max(1, self.total)
        left = self.total - at
        return np.stack([at, left, at / total, 0 * at + total, np.log1p(left), left / np.sqrt(total)], axis=1)

    def columns(self, wanted: NDArray[np.int64], at: Places | None = None) -> Matrix:
        """Return the columns with the ascending numbers ``wanted`` from the places ``at`` or all: (places, wanted)."""
        at = np.arange(self.total + 1) if at is None else at
        starts = np.arange(len(VIEWS) + 1) * self.lines.shape[1]
        edges = np.searchsorted(wanted, starts)
        columns = np.empty((len(at), len(wanted)), np.float32)
        for name, start, (first, last) in zip(VIEWS, starts, pairwise(edges), strict=False):
            if first < last:
                columns[:, first:last] = self.view(name, at)[:, wanted[first:last] - start]
        columns[:, edges[-1] :] = self.position(at)[:, wanted[edges[-1] :] - starts[-1]]
        return columns


def column_names(features: Sequence[str]) -> list[str]:
    """Return what each column shows, for people."""
    named = [VIEWS[view] + feature.replace("_", " ") for view in VIEWS for feature in features]
    return named + list(POSITION)
