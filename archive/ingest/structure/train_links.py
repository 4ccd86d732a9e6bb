"""Fit the weights of links: ``python -m archive.ingest.structure.train_links DEV.jsonl [LINKS.json]``.

Offline only. Deterministic: Newton's method on a concave problem and boosted trees with a fixed seed, with and without
the authors' names. The trees are written beside it, to LINKS.npz. Only discussions whose true links are known are used.
A site with many discussions is weighed down.
"""

from __future__ import annotations

import argparse
import json
import sys
import zlib
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from archive.ingest.records import Span
from archive.ingest.structure.fitting import Growth, binned, boosted
from archive.ingest.structure.links import KINDS, PAIR, WEIGHTS, Page, Told, around, rows
from archive.ingest.structure.model import logistic
from archive.ingest.structure.parents import quoted_comments
from archive.ingest.structure.trees import Trees, mean_of

Matrix = NDArray[np.float64]
Example = tuple[Matrix, int, float]  # PAIR of the candidates, the right one's row, weight

PENALTY = 12.0  # on the squared weights
BAGS = 3  # sums of trees that are averaged (Breiman 1996)
GROWTH = Growth(trees=200, depth=4, rate=0.05, columns=80, penalty=15.0, least=4.0)


class Thread(NamedTuple):
    """A labelled discussion whose links are known: comments as text, authors, and the index of each one's parent."""

    site: str
    comments: list[Told]
    parents: list[int | None]
    article: str


def load(path: Path) -> list[Thread]:
    """Read the labelled discussions that have links, one JSON object a line, as shared/structure/dev.jsonl has them."""
    with path.open(encoding="utf-8") as file:
        golds = [json.loads(line) for line in file]
    return [_thread(gold) for gold in golds if gold.get("links_known")]


def _thread(gold: dict[str, Any]) -> Thread:
    index = {comment["id"]: i for i, comment in enumerate(gold["comments"])}
    told = [
        Told("\n".join(" ".join(p.split()) for p in comment["paragraphs"]), comment.get("author"))
        for comment in gold["comments"]
    ]
    found = [index.get(comment["parent_id"]) for comment in gold["comments"]]
    parents = [parent if parent is not None and parent < i else None for i, parent in enumerate(found)]
    return Thread(gold["site"], told, parents, "\n".join(gold["article_paragraphs"]))


def page_of(thread: Thread, *, named: bool) -> Page:
    told = thread.comments if named else [Told(comment.text) for comment in thread.comments]
    text, spans = "", []
    for comment in told:
        spans.append(Span(len(text), len(text) + len(comment.text)))
        text += comment.text + "\n"
    return Page(told, quoted_comments(text, spans), thread.article)


def examples(thread: Thread, page: Page, weight: float) -> list[Example]:
    """Return the replies of the thread that have the comment they answer among several candidates."""
    found = []
    depths: list[int] = []
    for index, parent in enumerate(thread.parents):
        others, matrix = rows(page, index, thread.parents, depths)
        depths.append(0 if parent is None else depths[parent] + 1)
        if parent is not None and parent in others and len(others) > 1:
            found.append((np.array(matrix), others.index(parent), weight))
    return found


def _fit(given: Sequence[Example]) -> Matrix:
    weights = np.zeros(len(PAIR))
    for _ in range(12):
        gradient, hessian = -PENALTY * weights, PENALTY * np.eye(len(PAIR))
        for matrix, right, counts in given:
            scores = matrix @ weights
            chance = np.exp(scores - scores.max())
            chance /= chance.sum()
            mean = chance @ matrix
            gradient += counts * (matrix[right] - mean)
            hessian += counts * ((matrix * chance[:, None]).T @ matrix - np.outer(mean, mean))
        step = np.linalg.solve(hessian, gradient)
        weights += step * min(1.0, 5 / max(1e-9, float(np.abs(step).max())))
    return weights


def _fit_trees(pages: Sequence[Page], threads: Sequence[Thread], counts: Sequence[float]) -> Trees:
    """Fit trees that say whether a comment is a reply, as log odds; the first of a page is none.

    It is the mean of BAGS sums of trees that saw other rows and columns; one alone is less steady.
    """
    matrix = np.vstack([around(page) for page in pages])
    sizes = [len(page.comments) for page in pages]
    right = np.array([parent is not None for thread in threads for parent in thread.parents], float)
    weight, later = np.repeat(counts, sizes), np.ones(len(matrix), bool)
    later[np.cumsum([0, *sizes[:-1]])] = False
    rows = np.flatnonzero(later)
    right, weight = right[rows], weight[rows]

    def gradient(scores: Matrix) -> tuple[Matrix, Matrix]:
        chance = logistic(scores)
        return (chance - right) * weight, chance * (1 - chance) * weight

    data = binned(matrix)
    return mean_of([boosted(data, rows, gradient, GROWTH, seed) for seed in range(1, BAGS + 1)])


def fit(threads: Sequence[Thread]) -> dict[str, Any]:
    """Return the weights as ``links.weights`` does."""
    per_site = Counter(thread.site for thread in threads)
    about = f"{len(threads)} discussions of {len(per_site)} sites; written by train_links"
    table: dict[str, Any] = {"about": about, "trees": {}}
    counts = [min(1.0, 3 / per_site[thread.site] ** 0.5) for thread in threads]
    for kind in KINDS:
        pages = [page_of(thread, named=kind == "named") for thread in threads]
        given = [one for its in zip(threads, pages, counts, strict=True) for one in examples(*its)]
        fitted = (round(float(weight), 3) for weight in _fit(given))
        table[kind] = dict(zip(PAIR, fitted, strict=True))
        table["trees"][kind] = _fit_trees(pages, threads, counts)
    return table


def fold_of(site: str, count: int = 5) -> int:
    """Return the fold of a site: its own, whatever other sites there are."""
    return zlib.crc32(site.encode()) % count


def cross_validated(path: Path, count: int = 5) -> list[dict[str, Any]]:
    """Return for each labelled discussion in the file a table that saw nothing of its site."""
    threads = load(path)
    tables = [fit([one for one in threads if fold_of(one.site, count) != fold]) for fold in range(count)]
    with path.open(encoding="utf-8") as file:
        return [tables[fold_of(json.loads(line)["site"], count)] for line in file]


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("dev", type=Path, help="labelled discussions, one JSON object a line")
    parser.add_argument("weights", nargs="?", type=Path, default=WEIGHTS, help="where they are written")
    options = parser.parse_args(arguments)
    target: Path = options.weights
    table = fit(load(options.dev))
    trees = {
        f"{kind}_{name}": array for kind, its in table.pop("trees").items() for name, array in its._asdict().items()
    }
    with target.with_suffix(".npz").open("wb") as file:
        np.savez_compressed(file, **trees)
    target.write_text(json.dumps(table, indent=1) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
