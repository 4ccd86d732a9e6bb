"""The features of lines seen from each place where something may begin: the line there, its neighbours, all after it.

A place is a line number 0..n; place n is the end of the text. Each view is a matrix (features, n + 1 places).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

Matrix = NDArray[np.float32]
Places = NDArray[np.int64]  # one after the other

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
    """The views of one page; column numbers run over the features of each view in turn, then over POSITION.

    Places lie along the second axis, so that most views are slices of what is kept and nothing is gathered.
    """

    def __init__(self, rows: Matrix) -> None:
        self.total, self.width = rows.shape
        # A line beyond the text is all zeros.
        self.lines = np.zeros((self.width, self.total + BEFORE + AFTER + 1), np.float32)
        self.lines[:, BEFORE : BEFORE + self.total] = rows.T
        # Sums of the lines before each place, and of those beyond the text's edges as at the edges.
        self.sums = np.zeros((self.width, self.total + 1 + 2 * NEAR))
        np.cumsum(rows.T, axis=1, dtype=np.float64, out=self.sums[:, NEAR + 1 : NEAR + 1 + self.total])
        self.sums[:, NEAR + 1 + self.total :] = self.sums[:, NEAR + self.total, None]
        self._first, self._part = -1, self.lines[:0]  # the last part: a short page has one, and is asked twice

    def _mean(self, at: Places, low: int | None, high: int | None) -> NDArray[np.float64]:
        """Return the mean of the lines from ``low`` to before ``high`` of each place; None is the text's edge."""
        first = 0 if low is None else np.maximum(at + low, 0)
        last = self.total if high is None else np.minimum(at + high, self.total)
        begin, size = NEAR + at[0], len(at)
        before = self.sums[:, :1] if low is None else self.sums[:, begin + low : begin + low + size]
        until = self.sums[:, -1:] if high is None else self.sums[:, begin + high : begin + high + size]
        return np.asarray((until - before) / np.maximum(1, last - first))

    def _views(self, at: Places) -> tuple[NDArray[np.floating], ...]:
        """Return VIEWS, in their order; one column where a view is the same from all places."""
        before2, before, here, after, after2 = (
            self.lines[:, at[0] + offset : at[-1] + offset + 1] for offset in range(BEFORE + AFTER + 1)
        )
        coming, past = self._mean(at, 0, NEAR), self._mean(at, -NEAR, 0)
        rest, page = self._mean(at, 0, None), self._mean(at, None, None)
        close, far = self._mean(at, 0, CLOSE) - self._mean(at, -CLOSE, 0), rest - self._mean(at, None, 0)
        left = self.sums[:, -1:] - self.sums[:, NEAR + at[0] : NEAR + at[-1] + 1]
        return (
            here, before, after, before2, after2, close, coming - past, coming, past, far, rest,
            left / np.sqrt(max(1, self.total)), np.abs(here - before), here - page, page,
        )  # fmt: skip

    def _position(self, at: Places) -> NDArray[np.float64]:
        total, left = max(1, self.total), self.total - at
        return np.stack([at, left, at / total, 0 * at + total, np.log1p(left), left / np.sqrt(total)])

    def seen_from(self, first: int, last: int) -> Matrix:
        """Return all columns from the places ``first`` to before ``last``: (columns, places)."""
        at = np.arange(first, last)
        columns = np.empty((len(VIEWS) * self.width + len(POSITION), len(at)), np.float32)
        for number, view in enumerate(self._views(at)):
            columns[number * self.width : (number + 1) * self.width] = view
        columns[len(VIEWS) * self.width :] = self._position(at)
        return columns

    def parts(self) -> Iterator[Matrix]:
        """Yield all columns from all places, PART places at a time: those of a long page at once would not be small."""
        for first in range(0, self.total + 1, PART):
            if first != self._first:
                self._first, self._part = first, self.seen_from(first, min(first + PART, self.total + 1))
            yield self._part

    def columns(self, wanted: NDArray[np.int64]) -> Matrix:
        """Return the columns with the numbers ``wanted`` from all places: (places, wanted)."""
        return np.hstack([part[wanted] for part in self.parts()]).T


def column_names(features: Sequence[str]) -> list[str]:
    """Return what each column shows, for people."""
    named = [VIEWS[view] + feature.replace("_", " ") for view in VIEWS for feature in features]
    return named + list(POSITION)
