"""The features of lines seen from each place where something may begin: the line there, its neighbours, all after it.

A place is a line number 0..n; place n is the end of the text. Each view is a matrix (n + 1 places, features).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

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
PART = 512  # places
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
        self._first, self._part = -1, self.lines[:0]  # the last part: a short page has one, and is asked twice

    def _mean(self, at: Places, low: int | None, high: int | None) -> NDArray[np.float64]:
        """Return the mean of the lines from ``low`` to before ``high`` of each place; None is the text's edge."""
        first = np.zeros(1, np.int64) if low is None else np.maximum(at + low, 0)
        last = np.array([self.total]) if high is None else np.minimum(at + high, self.total)
        return np.asarray((self.sums[last] - self.sums[first]) / np.maximum(1, last - first)[:, None])

    def _views(self, at: Places) -> tuple[NDArray[np.floating], ...]:
        """Return VIEWS, in their order; one row where a view is the same from all places."""
        before2, before, here, after, after2 = (self.lines[at + offset] for offset in range(BEFORE + AFTER + 1))
        coming, past = self._mean(at, 0, NEAR), self._mean(at, -NEAR, 0)
        rest, page = self._mean(at, 0, None), self._mean(at, None, None)
        close, far = self._mean(at, 0, CLOSE) - self._mean(at, -CLOSE, 0), rest - self._mean(at, None, 0)
        sums = (self.sums[-1] - self.sums[at]) / np.sqrt(max(1, self.total))
        return (
            here, before, after, before2, after2, close, coming - past, coming, past, far, rest, sums,
            np.abs(here - before), here - page, page,
        )  # fmt: skip

    def _position(self, at: Places) -> NDArray[np.float64]:
        total, left = max(1, self.total), self.total - at
        return np.stack([at, left, at / total, 0 * at + total, np.log1p(left), left / np.sqrt(total)], axis=1)

    def seen_from(self, at: Places) -> Matrix:
        """Return all columns from the places ``at``: (places, columns)."""
        width = self.lines.shape[1]
        columns = np.empty((len(at), len(VIEWS) * width + len(POSITION)), np.float32)
        for number, view in enumerate(self._views(at)):
            columns[:, number * width : (number + 1) * width] = view
        columns[:, len(VIEWS) * width :] = self._position(at)
        return columns

    def parts(self) -> Iterator[Matrix]:
        """Yield all columns from all places, PART places at a time: those of a long page at once would not be small."""
        for first in range(0, self.total + 1, PART):
            if first != self._first:
                self._first, self._part = first, self.seen_from(np.arange(first, min(first + PART, self.total + 1)))
            yield self._part

    def columns(self, wanted: NDArray[np.int64]) -> Matrix:
        """Return the columns with the numbers ``wanted`` from all places: (places, wanted)."""
        return np.vstack([part.take(wanted, axis=1) for part in self.parts()])


def column_names(features: Sequence[str]) -> list[str]:
    """Return what each column shows, for people."""
    named = [VIEWS[view] + feature.replace("_", " ") for view in VIEWS for feature in features]
    return named + list(POSITION)
