"""Two small logistic regressions over the features of lines, in plain Python. The weights are in weights.json.

``split`` says after which line the article ends; its scores go through one softmax over all places, "no comments"
included, so they compete. ``start`` says whether a line begins a comment, given that the article ended before it.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import accumulate
from operator import mul
from pathlib import Path
from typing import Any

from archive.ingest.structure.features import NAMES, Vector

WEIGHTS = Path(__file__).with_name("weights.json")

# For each of these places NAMES are weighed once. "rest": all lines after the article, summed; "first": the line after
# the split; "contrast": the mean of the NEAR lines after the split less that of the NEAR lines before it. "line",
# "before", "after": the line itself and its neighbours.
NEAR = 8
SPLIT_PLACES = ("rest", "first", "contrast")
SPLIT_POSITION = (
    "rest_lines",
    "lines_before",
    "lines_after",
    "share",
    "share_squared",
    "one_left",
    "none",
    "none_lines",
)
START_PLACES = ("line", "before", "after")
START_POSITION = ("always", "lines_after")


def dot(left: Sequence[float], right: Sequence[float]) -> float:
    return float(sum(map(mul, left, right)))


def split_position(before: int, total: int) -> Vector:
    """Return SPLIT_POSITION of "the article is the first ``before`` of ``total`` lines", 1 <= before <= total."""
    after = total - before
    share = before / total
    return [
        after / math.sqrt(total), math.log(before), math.log1p(after), share, share * share,
        float(after == 1), float(after == 0), math.log(total) * (after == 0),
    ]  # fmt: skip


def start_position(line: int, total: int) -> Vector:
    """Return START_POSITION of line number ``line`` (from 0) of ``total``."""
    return [1.0, math.log(total - line)]


def contrasts(values: Sequence[float]) -> list[float]:
    """Return for each i the mean of up to NEAR values after it less that of up to NEAR until it; 0 for the last."""
    total = len(values)
    sums = list(accumulate(values, initial=0.0))
    result = []
    for at in range(1, total):
        low, high = max(0, at - NEAR), min(total, at + NEAR)
        result.append((sums[high] - sums[at]) / (high - at) - (sums[at] - sums[low]) / (at - low))
    return [*result, 0.0]


def _softmax(scores: Sequence[float]) -> list[float]:
    top = max(scores)
    raised = [math.exp(s - top) for s in scores]
    total = sum(raised)
    return [r / total for r in raised]


def _logistic(score: float) -> float:
    return 1 / (1 + math.exp(-max(-50.0, min(50.0, score))))


@dataclass(frozen=True, slots=True)
class Model:
    """Weights in the order of NAMES (one vector a place) and of the position features, and two thresholds.

    A line begins a comment from ``threshold`` on; there are no comments where "no comments" reaches ``none``.
    """

    threshold: float
    none: float
    split: Mapping[str, Vector]
    start: Mapping[str, Vector]

    def split_probabilities(self, rows: Sequence[Vector]) -> list[float]:
        """Return for i in 0..n-1 how likely the article is exactly the lines 0..i; the last means "no comments"."""
        total, weights = len(rows), self.split
        # Divided by the root of the length: neighbouring lines repeat each other, and a plain sum grows too sure.
        scale = 1 / math.sqrt(total)
        rest = list(accumulate((scale * dot(weights["rest"], row) for row in reversed(rows)), initial=0.0))[::-1]
        first = [dot(weights["first"], row) for row in rows[1:]] + [0.0]
        contrast = contrasts([dot(weights["contrast"], row) for row in rows])
        position = [dot(weights["position"], split_position(i + 1, total)) for i in range(total)]
        return _softmax([sum(parts) for parts in zip(rest[1:], first, contrast, position, strict=True)])

    def continued_probabilities(self, rows: Sequence[Vector]) -> list[float]:
        """Return how likely each line begins a comment if the article ended somewhere before the line above it."""
        total, weights = len(rows), self.start
        before = [0.0, *(dot(weights["before"], row) for row in rows[:-1])]
        after = [*(dot(weights["after"], row) for row in rows[1:]), 0.0]
        return [
            _logistic(dot(weights["line"], row) + b + a + dot(weights["position"], start_position(i, total)))
            for i, (row, b, a) in enumerate(zip(rows, before, after, strict=True))
        ]

    def start_probabilities(self, rows: Sequence[Vector]) -> tuple[list[float], list[float]]:
        """Return (how likely each line begins a comment, how likely the article ends before that line).

        A line begins a comment if the article ends just before it, or if it ended earlier and a new writer begins.
        """
        ends = [0.0, *self.split_probabilities(rows)[:-1]]
        ended = [0.0, *accumulate(ends)][:-1]
        continued = self.continued_probabilities(rows)
        return [e + d * c for e, d, c in zip(ends, ended, continued, strict=True)], ends

    def signs(self, row: Vector, usual: Vector) -> list[str]:
        """Return up to two features of the line that speak most for a new comment, strongest first, in words.

        ``usual`` is the mean of the text's rows: what all its lines have in common is no sign.
        """
        columns = zip(self.start["line"], row, usual, NAMES, strict=True)
        shares = sorted(((weight * (x - mean), name) for weight, x, mean, name in columns), reverse=True)
        return [name.replace("_", " ") for share, name in shares[:2] if share > 0.1]


def _vectors(
    table: Mapping[str, Mapping[str, float]], places: Sequence[str], position: Sequence[str]
) -> dict[str, Vector]:
    vectors = {place: [table[place][name] for name in NAMES] for place in places}
    vectors["position"] = [table["position"][name] for name in position]
    return vectors


def from_json(data: Mapping[str, Any]) -> Model:
    """Return the model written down in ``data``. KeyError where a weight is missing: features and file must agree."""
    return Model(
        threshold=float(data["threshold"]),
        none=float(data["none"]),
        split=_vectors(data["split"], SPLIT_PLACES, SPLIT_POSITION),
        start=_vectors(data["start"], START_PLACES, START_POSITION),
    )


@cache
def built_in() -> Model:
    """Return the model that comes with the project."""
    return from_json(json.loads(WEIGHTS.read_text(encoding="utf-8")))
