"""The built-in model: where the article ends, and which lines begin a comment. Its numbers are in weights.npz.

Three unlike opinions are added up, for each question: trees over features that can be read (views.py), which know how
a page looks; weights of hashed words (hashed.py), which know what people say; and small networks (recurrent.py), which
read the lines in order with what the other two say of each. Where the encoder is installed (encoder.py), it is a
fourth, which the networks hear, too. ``split`` puts all places where the article may end, "no comments" among them,
through one softmax, so they compete. ``start`` says whether a line begins a comment, given that the article ended
before it. What is then said of a boundary is calibrated.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from archive.ingest.structure import encoder as encoders
from archive.ingest.structure.encoder import Encoder
from archive.ingest.structure.hashed import NOWHERE, weigh
from archive.ingest.structure.page import NAMES, Page
from archive.ingest.structure.recurrent import Networks
from archive.ingest.structure.trees import Trees
from archive.ingest.structure.views import PART, VIEWS

WEIGHTS = Path(__file__).with_name("weights.npz")

# Tables of hashed words: is a line a reader's or the article's; is it the first reader's; does a new reader begin.
TABLES = ("reader", "first", "start")
NEAR, CLOSE = 8, 3  # lines
SPLIT_EVIDENCE, START_EVIDENCE = 14, 3  # columns of what trees and words say; the networks add one to each
INPUTS = len(NAMES) + 7  # of the networks
ENCODED = [1, 2, 3, 4, 5, 6, 7, 10, 12]  # columns of ``split_evidence`` that are asked of the encoder, too

_NETWORKS = [field.name for field in fields(Networks)]

Vector = NDArray[np.float64]


class Opinions(NamedTuple):
    """What is weighed for each place of a page of n lines: ``split`` (n, columns) for "the article is the first i
    lines", i = 1..n, the last being "no comments"; ``start`` (n, columns) for "a writer begins on this line".
    """  # fmt: skip

    split: Vector
    start: Vector


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


def inputs_of(page: Page, first: Opinions) -> NDArray[np.float32]:
    """Return what the networks read of each line: (n, INPUTS), given what trees and words say of the page; OPINIONS
    columns more where the encoder was asked.

    That is what is seen of the line, what trees and words say of "the article ends before it" and of "a writer begins
    on it", where it is on the page, and how long the page is.
    """
    total = len(page.rows)
    trees, reader, opens = first.split[:, 0], first.split[:, 6], first.split[:, 7]
    here = np.stack(
        [
            np.append(first.split[-1, 0], trees[:-1]), reader, np.append(opens[-1], opens[:-1]),
            first.start[:, 0], first.start[:, 1], np.linspace(0, 1, total), np.full(total, np.log(total) / 3),
        ],
        axis=1,
    )  # fmt: skip
    told = () if page.told is None else (page.told,)
    return np.hstack([page.rows, here.astype(np.float32), *told])


def with_networks(networks: Networks, page: Page, first: Opinions) -> Opinions:
    """Return ``first`` with a column more for each question: what the networks say; and what the encoder says."""
    split, start = networks.read(inputs_of(page, first))
    heard = Opinions(np.column_stack([first.split, split]), np.column_stack([first.start, start]))
    if page.told is None:
        return heard
    begins, reader, opens = page.told.T.astype(float)
    after = split_evidence(first.split[:, 0], reader, opens)[:, ENCODED]
    return Opinions(np.hstack([heard.split, after]), np.column_stack([heard.start, begins]))


@dataclass(frozen=True, slots=True)
class Head:
    """What reads trees and words, and the encoder where it was asked, and decides.

    A line begins a comment from ``threshold`` on; there are no comments where "no comments" reaches ``none``.
    ``split_mix`` and ``start_mix`` weigh the opinions, ``sure_first`` and ``sure_start`` (2, knots) map what was
    computed to how often that is right, linearly between knots.
    """

    threshold: float
    none: float
    networks: Networks
    split_mix: Vector
    start_mix: Vector
    sure_first: Vector
    sure_start: Vector

    def sure(self, chance: float, first: bool) -> float:
        """Return how often a boundary of that computed chance is right; ``first``: the first after the article."""
        knots = self.sure_first if first else self.sure_start
        return float(np.interp(chance, knots[0], knots[1]))


@dataclass(frozen=True, slots=True)
class Model:
    """``tables`` are hashed weights by name. ``head`` decides; on pages that the ``encoder`` read, ``aided`` does."""

    split: Trees
    start: Trees
    tables: Mapping[str, NDArray[np.float32]]
    head: Head
    aided: Head | None = None
    encoder: Encoder | None = None

    def head_for(self, page: Page) -> Head:
        return self.head if page.told is None or self.aided is None else self.aided

    def first_opinions(self, page: Page) -> Opinions:
        """Return what trees and words say: SPLIT_EVIDENCE columns, see ``split_evidence``; (trees, words, 1)."""
        trees, start = self._asked(page)
        reader, first = (weigh(self.tables[name], page.places) for name in ("reader", "first"))
        words = weigh(self.tables["start"], np.hstack([page.places, page.after]))
        return Opinions(split_evidence(trees, reader, first), np.stack([start, words, np.ones(len(words))], axis=1))

    def _asked(self, page: Page) -> tuple[Vector, Vector]:
        """Return what trees say of "the article is the first i lines", i = 1..n, and of each line as a start."""
        asked = [
            [trees.scores(part[trees.wanted]) for trees in (self.split, self.start)] for part in page.views.parts()
        ]
        split, start = (np.concatenate(scores) for scores in zip(*asked, strict=True))
        return split[1:], start[:-1]

    def opinions(self, page: Page) -> Opinions:
        """Return what all say."""
        return with_networks(self.head_for(page).networks, page, self.first_opinions(page))

    def split_probabilities(self, page: Page) -> Vector:
        """Return for i in 0..n-1 how likely the article is exactly the lines 0..i; the last means "no comments"."""
        return softmax(self.opinions(page).split @ self.head_for(page).split_mix)

    def start_probabilities(self, page: Page) -> tuple[list[float], list[float]]:
        """Return (how likely each line begins a comment, how likely the article ends before that line).

        A line begins a comment if the article ends just before it, or if it ended earlier and a new writer begins.
        """
        heard, head = self.opinions(page), self.head_for(page)
        return combined(softmax(heard.split @ head.split_mix), logistic(heard.start @ head.start_mix))

    def signs(self, page: Page, lines: Sequence[int]) -> list[list[str]]:
        """Return for each of the lines, which ascend, up to two features that speak most for a new comment."""
        signs: list[list[str]] = []
        for first, part in enumerate(page.views.parts()):
            its = np.array([line - first * PART for line in lines if line // PART == first], np.int64)
            shares = self.start.shares(part[self.start.wanted[:, None], its]).reshape(
                len(its), 2 * len(self.start.wanted)
            )
            line, strong = np.nonzero(shares > 0.05)
            strong = strong[np.lexsort((-shares[line, strong], line))]
            edges = np.searchsorted(line, np.arange(len(its) + 1)).tolist()
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
    arrays: dict[str, NDArray[Any]] = {"names": np.array(NAMES), **head_to_arrays(model.head)}
    for name, trees in (("split", model.split), ("start", model.start)):
        arrays |= {f"{name}_{field}": array for field, array in trees._asdict().items()}
    for name, table in model.tables.items():
        step = max(1e-9, float(np.abs(table).max()) / 127)
        arrays |= {f"table_{name}": np.rint(table[:NOWHERE] / step).astype(np.int8), f"step_{name}": np.array(step)}
    return arrays


def head_to_arrays(head: Head) -> dict[str, NDArray[Any]]:
    """Return the arrays of a head, which are in weights.npz, or in encoder/head.npz if it hears the encoder."""
    networks = {f"networks_{name}": getattr(head.networks, name).astype(np.float16) for name in _NETWORKS}
    return {
        "decide": np.array([head.threshold, head.none]), "split_mix": head.split_mix, "start_mix": head.start_mix,
        "sure_first": head.sure_first, "sure_start": head.sure_start, **networks,
    }  # fmt: skip


def from_arrays(arrays: Mapping[str, NDArray[Any]]) -> Model:
    """Return the model written down in ``arrays``. ValueError where it was made for other features than ours."""
    if arrays["names"].tolist() != list(NAMES):
        raise ValueError("the weights were made for other features: run archive.ingest.structure.train again")
    tables = {
        name: np.append(arrays[f"table_{name}"].astype(np.float32) * np.float32(arrays[f"step_{name}"]), np.float32(0))
        for name in TABLES
    }
    split, start = (Trees(*(arrays[f"{name}_{field}"] for field in Trees._fields)) for name in ("split", "start"))
    return Model(split, start, tables, head_from_arrays(arrays))


def head_from_arrays(arrays: Mapping[str, NDArray[Any]]) -> Head:
    networks = Networks(*(arrays[f"networks_{name}"].astype(np.float32) for name in _NETWORKS))
    mixes = (arrays[name] for name in ("split_mix", "start_mix", "sure_first", "sure_start"))
    threshold, none = arrays["decide"].tolist()
    return Head(threshold, none, networks, *mixes)


@cache
def built_in() -> Model:
    """Return the model that comes with the project; with the encoder where that is installed."""
    with np.load(WEIGHTS, allow_pickle=False) as arrays:
        model = from_arrays(dict(arrays))
    encoder = encoders.built_in()
    if encoder is None:
        return model
    with np.load(encoders.FOLDER / encoders.HEAD, allow_pickle=False) as arrays:
        return replace(model, aided=head_from_arrays(dict(arrays)), encoder=encoder)
