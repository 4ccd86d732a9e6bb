"""The features of lines seen from each place where something may begin: the line there, its neighbours, all after it.

A place is a line number 0..n; place n is the end of the text. Each view is a matrix (n + 1 places, features).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Matrix = NDArray[np.float32]

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
POSITION = ("lines before", "lines after", "share before", "lines", "left to come", "root of lines after")
_NAMES = tuple(VIEWS)


class Views:
    """The views of one page; ``column`` numbers run over the features of each view in turn, then over POSITION."""

    def __init__(self, rows: Matrix, at: Sequence[int] | None = None) -> None:
        """Look from the places ``at`` only, or from all."""
        self.rows = np.vstack([rows, np.zeros((1, rows.shape[1]), np.float32)])
        self.total = len(rows)
        self.sums = np.vstack([np.zeros((1, rows.shape[1])), np.cumsum(rows, axis=0, dtype=np.float64)])
        self.at = np.arange(self.total + 1) if at is None else np.array(at, dtype=np.int64)

    def _line(self, offset: int, columns: Sequence[int]) -> NDArray[np.float64]:
        at = self.at + offset
        return np.where(((at >= 0) & (at < self.total))[:, None], self.rows[at.clip(0, self.total)][:, columns], 0)

    def _mean(self, low: int | None, high: int | None, columns: Sequence[int]) -> NDArray[np.float64]:
        """Return the mean of the lines from ``low`` to before ``high`` of each place; None is the text's edge."""
        sums = self.sums[:, columns]
        first = 0 * self.at if low is None else (self.at + low).clip(0, self.total)
        last = 0 * self.at + self.total if high is None else (self.at + high).clip(0, self.total)
        return np.asarray((sums[last] - sums[first]) / np.maximum(1, last - first)[:, None])

    def view(self, name: str, c: Sequence[int]) -> NDArray[np.float64]:
        """Return the columns ``c`` of the view called ``name``."""
        lines = {"here": 0, "before": -1, "after": 1, "before2": -2, "after2": 2}
        if name in lines:
            return self._line(lines[name], c)
        if name == "sum":
            return np.asarray((self.sums[-1] - self.sums[self.at])[:, c] / np.sqrt(max(1, self.total)))
        if name in ("apart", "own"):
            other = self._line(-1, c) if name == "apart" else self._mean(None, None, c)
            return np.abs(self._line(0, c) - other) if name == "apart" else self._line(0, c) - other
        means = {"coming": (0, NEAR), "past": (-NEAR, 0), "rest": (0, None), "page": (None, None)}
        if name in means:
            return self._mean(*means[name], c)
        reach = {"close": CLOSE, "near": NEAR, "far": None}[name]
        return self._mean(0, reach, c) - self._mean(None if reach is None else -reach, 0, c)

    def position(self) -> NDArray[np.float64]:
        """Return POSITION of each place."""
        at, total = self.at, max(1, self.total)
        left = self.total - at
        return np.stack([at, left, at / total, 0 * at + total, np.log1p(left), left / np.sqrt(total)], axis=1)

    def columns(self, wanted: NDArray[np.int64]) -> Matrix:
        """Return the columns with the numbers ``wanted``, in ascending order of number: (places, wanted)."""
        width = self.rows.shape[1]
        parts = [
            self.view(name, wanted[(wanted >= i * width) & (wanted < (i + 1) * width)] - i * width)
            for i, name in enumerate(_NAMES)
        ]
        parts.append(self.position()[:, wanted[wanted >= len(VIEWS) * width] - len(VIEWS) * width])
        return np.hstack([part.astype(np.float32) for part in parts])


def column_names(features: Sequence[str]) -> list[str]:
    """Return what each column shows, for people."""
    named = [VIEWS[view] + feature.replace("_", " ") for view in VIEWS for feature in features]
    return named + list(POSITION)
