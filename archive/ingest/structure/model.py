"""The built-in model: where the article ends, and which lines begin a comment. Its numbers are in weights.npz.

Two unlike opinions are added up, for each question: trees over features that can be read (views.py), which know how a
page looks, and weights of hashed words (hashed.py), which know what people say. ``split`` puts all places where the
article may end, "no comments" among them, through one softmax, so they compete. ``start`` says whether a line begins a
comment, given that the article ended before it. What is then said of a boundary is calibrated.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from archive.ingest.structure.hashed import NOWHERE, weigh
from archive.ingest.structure.page import NAMES, Page
from archive.ingest.structure.trees import Trees
from archive.ingest.structure.views import PART, VIEWS, Views

WEIGHTS = Path(__file__).with_name("weights.npz")

# Tables of hashed words: is a line a reader's or the article's; is it the first reader's; does a new reader begin.
TABLES = ("reader", "first", "start")
NEAR, CLOSE = 8, 3  # lines
SPLIT_EVIDENCE = 14  # columns of split_evidence

Vector = NDArray[np.float64]


def split_evidence(trees: Vector, reader: Vector, first: Vector) -> Vector:
    """Return what is weighed for "the article is the first i lines", i = 1..n: (n, SPLIT_EVIDENCE).

    ``trees`` has a score for each i, ``reader`` and ``first`` have one for each line. The last row is "no comments".
    """
    total = len(reader)
    at = np.arange(1, total + 1)
    sums = np.concatenate([[0.0], np.cumsum(reader)])

    def mean(low: NDArray[np.int64], high: NDArray[np.int64]) -> Vector:
        low, high = np.maximum(low, 0), np.minimum(high, total)
        return np.asarray((sums[high] - sums[low]) / np.maximum(1, high - low))

    none = (at == total).astype(float)
    root = np.sqrt(total)
    columns = [
        trees, (sums[-1] - sums[at]) / root, sums[at] / root, mean(at, at + NEAR), mean(at - NEAR, at),
        np.append(reader, 0.0)[at], reader[at - 1], np.append(first, 0.0)[at], none, none * np.log(total),
        none * sums[-1] / total, none * trees, mean(at, at + CLOSE), (at == total - 1).astype(float),
    ]  # fmt: skip
    return np.stack(columns, axis=1)


def softmax(scores: Vector) -> Vector:
    raised = np.exp(scores - scores.max())
    return np.asarray(raised / raised.sum())


def logistic(scores: Vector) -> Vector:
    return np.asarray(1 / (1 + np.exp(-np.clip(scores, -50, 50))))


@dataclass(frozen=True, slots=True)
class Model:
    """A line begins a comment from ``threshold`` on; there are no comments where "no comments" reaches ``none``.

    ``tables`` are hashed weights by name, ``split_mix`` and ``start_mix`` weigh the opinions, ``sure_first`` and
    ``sure_start`` (2, knots) map what was computed to how often that is right, linearly between knots.
    """

    threshold: float
    none: float
    split: Trees
    start: Trees
    tables: Mapping[str, NDArray[np.float32]]
    split_mix: Vector
    start_mix: Vector
    sure_first: Vector
    sure_start: Vector

    def split_scores(self, page: Page, views: Views | None = None) -> Vector:
        """Return the evidence for each place where the article may end, see ``split_evidence``."""
        trees = _asked(self.split, views or Views(page.rows))[1:]
        reader, first = (weigh(self.tables[name], page.places) for name in ("reader", "first"))
        return split_evidence(trees, reader, first)

    def start_scores(self, page: Page, views: Views | None = None) -> Vector:
        """Return (lines, 3): the opinion of the trees, that of the words, and 1."""
        trees = _asked(self.start, views or Views(page.rows))[:-1]
        words = weigh(self.tables["start"], np.hstack([page.places, page.after]))
        return np.stack([trees, words, np.ones(len(words))], axis=1)

    def split_probabilities(self, page: Page, views: Views | None = None) -> Vector:
        """Return for i in 0..n-1 how likely the article is exactly the lines 0..i; the last means "no comments"."""
        return softmax(self.split_scores(page, views) @ self.split_mix)

    def start_probabilities(self, page: Page) -> tuple[list[float], list[float]]:
        """Return (how likely each line begins a comment, how likely the article ends before that line).

        A line begins a comment if the article ends just before it, or if it ended earlier and a new writer begins.
        """
        views = Views(page.rows)
        splits = self.split_probabilities(page, views)
        return combined(splits, logistic(self.start_scores(page, views) @ self.start_mix))

    def sure(self, chance: float, first: bool) -> float:
        """Return how often a boundary of that computed chance is right; ``first``: the first after the article."""
        knots = self.sure_first if first else self.sure_start
        return float(np.interp(chance, knots[0], knots[1]))

    def signs(self, page: Page, lines: Sequence[int]) -> list[list[str]]:
        """Return for each of the lines up to two features that speak most for a new comment, strongest first."""
        signs: list[list[str]] = []
        views = Views(page.rows)
        for at in range(0, len(lines), PART):
            some = views.seen_from(np.array(lines[at : at + PART]))
            shares = self.start.shares(some.take(self.start.wanted, axis=1)).reshape(len(some), -1)
            line, strong = np.nonzero(shares > 0.05)
            strong = strong[np.lexsort((-shares[line, strong], line))]
            edges = np.searchsorted(line, np.arange(len(some) + 1)).tolist()
            signs += [self._signs(strong[a : min(b, a + 8)].tolist()) for a, b in pairwise(edges)]
        return signs

    def _signs(self, strongest: Sequence[int]) -> list[str]:
        found: dict[str, None] = {}
        for at in strongest:
            right, column = divmod(at, len(self.start.wanted))
            number = int(self.start.wanted[column])
            if number < len(VIEWS) * len(NAMES):
                found[_phrase(number, bool(right))] = None
        return list(found)[:2]


def _asked(trees: Trees, views: Views) -> Vector:
    """Return the trees' score of each place."""
    return np.concatenate([trees.scores(part.take(trees.wanted, axis=1)) for part in views.parts()])


@cache
def _phrase(number: int, much: bool) -> str:
    view, feature = divmod(number, len(NAMES))
    name = tuple(VIEWS)[view]
    little = "no " if name in ("here", "before", "after", "before2", "after2") else "less "
    return VIEWS[name] + ("" if much else little) + NAMES[feature].replace("_", " ")


def combined(splits: Vector, continued: Vector) -> tuple[list[float], list[float]]:
    """Return ``Model.start_probabilities`` from where the article may end and whether lines begin if it has ended."""
    ends = np.concatenate([[0.0], splits[:-1]])
    ended = np.concatenate([[0.0], np.cumsum(ends)[:-1]])
    return (ends + ended * continued).tolist(), ends.tolist()


def to_arrays(model: Model) -> dict[str, NDArray[Any]]:
    """Return the arrays of weights.npz; hashed weights as int8, each table with the size of one step."""
    arrays: dict[str, NDArray[Any]] = {
        "names": np.array(NAMES),
        "decide": np.array([model.threshold, model.none]),
        "split_mix": model.split_mix, "start_mix": model.start_mix,
        "sure_first": model.sure_first, "sure_start": model.sure_start,
    }  # fmt: skip
    for name, trees in (("split", model.split), ("start", model.start)):
        arrays |= {f"{name}_{field}": array for field, array in trees._asdict().items()}
    for name, table in model.tables.items():
        step = max(1e-9, float(np.abs(table).max()) / 127)
        arrays |= {f"table_{name}": np.rint(table[:NOWHERE] / step).astype(np.int8), f"step_{name}": np.array(step)}
    return arrays


def from_arrays(arrays: Mapping[str, NDArray[Any]]) -> Model:
    """Return the model written down in ``arrays``. ValueError where it was made for other features than ours."""
    if arrays["names"].tolist() != list(NAMES):
        raise ValueError("the weights were made for other features: run archive.ingest.structure.train again")
    threshold, none = arrays["decide"].tolist()
    tables = {
        name: np.append(arrays[f"table_{name}"].astype(np.float32) * np.float32(arrays[f"step_{name}"]), np.float32(0))
        for name in TABLES
    }
    split, start = (Trees(*(arrays[f"{name}_{field}"] for field in Trees._fields)) for name in ("split", "start"))
    mixes = (arrays[name] for name in ("split_mix", "start_mix", "sure_first", "sure_start"))
    return Model(threshold, none, split, start, tables, *mixes)


@cache
def built_in() -> Model:
    """Return the model that comes with the project."""
    with np.load(WEIGHTS, allow_pickle=False) as arrays:
        return from_arrays(dict(arrays))
