"""Fit the weights on labelled discussions: ``python -m archive.ingest.structure.train DEV.jsonl [WEIGHTS.json]``.

Offline only; needs numpy, which nothing here needs at run time. Deterministic: Newton's method on two concave problems.
Sites are weighed down where they have many discussions, because one site's template says little about the next.
"""

from __future__ import annotations

import json
import sys
import zlib
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from archive.ingest.structure.features import NAMES, features_of
from archive.ingest.structure.lines import split_lines
from archive.ingest.structure.model import (
    SPLIT_PLACES,
    SPLIT_POSITION,
    START_PLACES,
    START_POSITION,
    WEIGHTS,
    Model,
    contrasts,
    from_json,
    split_position,
    start_position,
)

Matrix = NDArray[np.float64]

THRESHOLD = 0.33  # between the best F1 (.30) and the fewest corrections (.45), measured across sites
NONE = 0.35  # lower than even: an article taken for one without comments is the cheaper mistake to correct by hand
PENALTY = 3.0  # on the squared weights
ALONE = 0.15  # how much an article without its comments counts: what survived may be just that
MOST_STARTS = 30  # lines of one discussion that count fully; long threads would drown the others


class Labelled(NamedTuple):
    """A labelled discussion as the model sees it: ``article`` lines, then comments that begin at ``starts``."""

    site: str
    article: int
    starts: list[int]
    rows: Matrix


def load(path: Path) -> list[Labelled]:
    """Read labelled discussions, one JSON object a line, as shared/structure/dev.jsonl has them."""
    with path.open(encoding="utf-8") as file:
        return [_labelled(json.loads(line)) for line in file]


def _flat(paragraphs: Sequence[str]) -> list[str]:
    return [flat for flat in (" ".join(p.split()) for p in paragraphs) if flat]


def _labelled(gold: dict[str, Any]) -> Labelled:
    lines = _flat(gold["article_paragraphs"])
    article, starts = len(lines), []
    for comment in gold["comments"]:
        starts.append(len(lines))
        lines += _flat(comment["paragraphs"])
    return Labelled(gold["site"], article, starts, np.array(features_of(split_lines("\n".join(lines)))))


def split_matrix(rows: Matrix) -> Matrix:
    """Return what ``Model.split_probabilities`` weighs, one row for each place where the article may end."""
    total = len(rows)
    nothing = np.zeros((1, len(NAMES)))
    first = np.vstack([rows[1:], nothing])
    rest = np.cumsum(first[::-1], axis=0)[::-1] / np.sqrt(total)
    contrast = np.array([contrasts(column) for column in rows.T.tolist()]).T
    return np.hstack([rest, first, contrast, [split_position(i + 1, total) for i in range(total)]])


def start_matrix(rows: Matrix) -> Matrix:
    """Return what ``Model.continued_probabilities`` weighs, one row for each line."""
    total = len(rows)
    nothing = np.zeros((1, len(NAMES)))
    before, after = np.vstack([nothing, rows[:-1]]), np.vstack([rows[1:], nothing])
    return np.hstack([rows, before, after, [start_position(i, total) for i in range(total)]])


def _fit_split(examples: Sequence[tuple[Matrix, int, float]]) -> Matrix:
    """Fit a conditional logit: each example is (places, index of the right one, weight)."""
    size = examples[0][0].shape[1]
    weights = np.zeros(size)
    for _ in range(12):
        gradient, hessian = -PENALTY * weights, PENALTY * np.eye(size)
        for places, right, counts in examples:
            scores = places @ weights
            chance = np.exp(scores - scores.max())
            chance /= chance.sum()
            mean = chance @ places
            gradient += counts * (places[right] - mean)
            hessian += counts * ((places * chance[:, None]).T @ places - np.outer(mean, mean))
        step = np.linalg.solve(hessian, gradient)
        # Far from the optimum a full Newton step may overshoot; five is larger than any weight ends up.
        weights += step * min(1.0, 5 / max(1e-9, float(np.abs(step).max())))
    return weights


def _fit_start(lines: Matrix, begins: Matrix, counts: Matrix) -> Matrix:
    weights = np.zeros(lines.shape[1])
    for _ in range(12):
        chance = 1 / (1 + np.exp(-lines @ weights))
        gradient = lines.T @ (counts * (begins - chance)) - PENALTY * weights
        hessian = (lines * (counts * chance * (1 - chance))[:, None]).T @ lines + PENALTY * np.eye(len(weights))
        weights += np.linalg.solve(hessian, gradient)
    return weights


def _start_examples(discussions: Sequence[Labelled]) -> tuple[Matrix, Matrix, Matrix]:
    parts = []
    for one in discussions:
        matrix = start_matrix(one.rows)[one.article + 1 :]
        begins = np.zeros(len(one.rows))
        begins[one.starts] = 1
        counts = np.full(len(matrix), min(1.0, MOST_STARTS / max(1, len(matrix))))
        parts.append((matrix, begins[one.article + 1 :], counts))
    lines, begins, counts = (np.concatenate(column) for column in zip(*parts, strict=True))
    return lines, begins, counts


def _table(weights: Matrix, places: Sequence[str], position: Sequence[str]) -> dict[str, dict[str, float]]:
    values = iter(round(float(w), 3) for w in weights)
    table = {place: {name: next(values) for name in NAMES} for place in places}
    table["position"] = {name: next(values) for name in position}
    return table


def fit(discussions: Sequence[Labelled]) -> dict[str, Any]:
    """Return the weights as weights.json holds them; ``model.from_json`` makes a Model of it."""
    per_site = Counter(one.site for one in discussions)
    examples = []
    for one in discussions:
        counts = 3 / per_site[one.site] ** 0.5
        examples.append((split_matrix(one.rows), one.article - 1, counts * (1 - ALONE)))
        examples.append((split_matrix(one.rows[: one.article]), one.article - 1, counts * ALONE))
    return {
        "about": f"{len(discussions)} discussions of {len(per_site)} sites; written by archive.ingest.structure.train",
        "threshold": THRESHOLD,
        "none": NONE,
        "split": _table(_fit_split(examples), SPLIT_PLACES, SPLIT_POSITION),
        "start": _table(_fit_start(*_start_examples(discussions)), START_PLACES, START_POSITION),
    }


def folds(discussions: Sequence[Labelled], count: int = 5) -> list[int]:
    """Return a fold for each discussion; all of a site are in one, whatever the order of the file."""
    sites = sorted({one.site for one in discussions}, key=lambda site: (zlib.crc32(site.encode()), site))
    fold = {site: i % count for i, site in enumerate(sites)}
    return [fold[one.site] for one in discussions]


def cross_validated(discussions: Sequence[Labelled], count: int = 5) -> list[Model]:
    """Return for each discussion a model that saw nothing of its site."""
    chosen = folds(discussions, count)
    models = [
        from_json(fit([one for one, its in zip(discussions, chosen, strict=True) if its != fold]))
        for fold in range(count)
    ]
    return [models[fold] for fold in chosen]


def main(arguments: Sequence[str]) -> int:
    if not 1 <= len(arguments) <= 2:
        sys.stderr.write(f"{__doc__}\n")
        return 2
    target = Path(arguments[1]) if len(arguments) == 2 else WEIGHTS
    target.write_text(json.dumps(fit(load(Path(arguments[0]))), indent=1) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
