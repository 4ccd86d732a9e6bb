"""Fit the weights of links: ``python -m archive.ingest.structure.train_links DEV.jsonl [LINKS.json]``.

Offline only; needs numpy. Deterministic: Newton's method on a concave problem, with and without the authors' names.
Only discussions whose true links are known are used. A site with many discussions is weighed down.
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

from archive.ingest.records import Span
from archive.ingest.structure.links import NAMES, WEIGHTS, Page, Told, rows
from archive.ingest.structure.parents import quoted_comments

Matrix = NDArray[np.float64]
Example = tuple[Matrix, int, float]  # candidates with "no parent" last, the right one's row, weight

PENALTY = 4.0  # on the squared weights
# A reply is said from this chance on: lower than even, because one link right is worth more than one more root.
THRESHOLD = {"named": 0.45, "bare": 0.4}


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


def examples(thread: Thread, weight: float, *, named: bool) -> list[Example]:
    page, found = page_of(thread, named=named), []
    depths: list[int] = []
    for index, parent in enumerate(thread.parents):
        others, matrix = rows(page, index, thread.parents, depths)
        depths.append(0 if parent is None else depths[parent] + 1)
        if others and (parent is None or parent in others):
            right = len(others) if parent is None else others.index(parent)
            found.append((np.array([*matrix, [0.0] * len(NAMES)]), right, weight))
    return found


def _fit(given: Sequence[Example]) -> Matrix:
    weights = np.zeros(len(NAMES))
    for _ in range(12):
        gradient, hessian = -PENALTY * weights, PENALTY * np.eye(len(NAMES))
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


def fit(threads: Sequence[Thread]) -> dict[str, Any]:
    """Return the weights as links.json holds them."""
    per_site = Counter(thread.site for thread in threads)
    table: dict[str, Any] = {
        "about": f"{len(threads)} discussions of {len(per_site)} sites; written by train_links",
        "threshold": THRESHOLD,
    }
    for kind in ("named", "bare"):
        given = []
        for thread in threads:
            given += examples(thread, min(1.0, 3 / per_site[thread.site] ** 0.5), named=kind == "named")
        fitted = (round(float(weight), 3) for weight in _fit(given))
        table[kind] = dict(zip(NAMES, fitted, strict=True))
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
    if not 1 <= len(arguments) <= 2:
        sys.stderr.write(f"{__doc__}\n")
        return 2
    target = Path(arguments[1]) if len(arguments) == 2 else WEIGHTS
    target.write_text(json.dumps(fit(load(Path(arguments[0]))), indent=1) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
