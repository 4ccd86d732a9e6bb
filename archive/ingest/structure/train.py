"""Fit the weights on labelled discussions: ``python -m archive.ingest.structure.train DEV.jsonl [WEIGHTS.npz]``.

Offline only, some minutes. Deterministic: fixed seeds, and numpy's archive keeps no time. First trees and words are
fitted; then networks, on what trees and words that did not see a site say of it; then how to weigh all three, and the
calibration, again on what is said of sites that were not seen. Sites are weighed down where they have many
discussions: one site's template says little about the next. With --encoders FOLDER, which ``train_encoder`` made,
networks and weights that hear the encoder are fitted, too, and written to encoder/head.npz.
"""

from __future__ import annotations

import argparse
import json
import sys
import zlib
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from archive.ingest.structure.encoder import FOLDER as ENCODER
from archive.ingest.structure.encoder import HEAD, Encoder, opened
from archive.ingest.structure.fitting import Binned, Growth, binned, boosted, lowest, rising
from archive.ingest.structure.hashed import NOWHERE, Places, scales
from archive.ingest.structure.lines import split_lines
from archive.ingest.structure.model import (
    INPUTS,
    TABLES,
    WEIGHTS,
    Head,
    Model,
    Opinions,
    combined,
    from_arrays,
    head_to_arrays,
    inputs_of,
    logistic,
    softmax,
    to_arrays,
    with_networks,
)
from archive.ingest.structure.page import NAMES, Page, look_at
from archive.ingest.structure.recovery import begins_of
from archive.ingest.structure.recurrent import Networks, Scale
from archive.ingest.structure.recurrent_fitting import Example, fit_networks, nothing_read, rounded
from archive.ingest.structure.trees import Trees
from archive.ingest.structure.views import POSITION, VIEWS, Views

Vector = NDArray[np.float64]
Rows = NDArray[np.int64]

# Of a new writer where the article has ended, between the best F1 and the fewest corrections, .38 and .45; for what
# hears the encoder, whose best are .40 and .50, the fewest corrections.
THRESHOLD, AIDED_THRESHOLD = 0.40, 0.50
# How likely "no comments" has to be for that answer: so that, across sites, it is given to nine in ten of the articles
# without comments. About one discussion in seventeen is silenced with them (of what hears the encoder, one in 35), and
# held for review as any reading in doubt.
NONE, AIDED_NONE = 0.42, 0.50
ALONE = 0.3  # how much an article without its comments counts: what survived may be just that
MOST_LINES = 60  # of one discussion that count fully; long threads would drown the others
SPLIT_VIEWS = ("here", "before", "after", "close", "near", "coming", "rest", "sum", "far")
START_VIEWS = tuple(view for view in VIEWS if view not in ("close", "sum"))
SPLIT_GROWTH = Growth(trees=150, depth=3, rate=0.09, columns=70, penalty=10.0, least=2.0)
START_GROWTH = Growth(trees=180, depth=4, rate=0.07, columns=60)
WORD_PENALTY, MIX_PENALTY = 10.0, 2.0  # on the squared weights
WORD_STEPS, MIX_STEPS = 40, 60
BLOCK, AIDED_BLOCK = 60, 150  # least cases of one step of the calibration
FOLDS = 5


class Labelled(NamedTuple):
    """A labelled discussion as the model sees it: ``article`` lines, then comments that begin at ``starts``."""

    site: str
    article: int
    starts: list[int]
    page: Page
    alone: Page
    texts: list[str]


def load(path: Path) -> list[Labelled]:
    """Read labelled discussions, one JSON object a line, as shared/structure/dev.jsonl has them."""
    with path.open(encoding="utf-8") as file:
        return [_labelled(json.loads(line)) for line in file]


def flat(paragraphs: Sequence[str]) -> list[str]:
    return [flat for flat in (" ".join(p.split()) for p in paragraphs) if flat]


def _labelled(gold: dict[str, Any]) -> Labelled:
    texts = flat(gold["article_paragraphs"])
    article, starts = len(texts), []
    for comment in gold["comments"]:
        starts.append(len(texts))
        texts += flat(comment["paragraphs"])
    lines = split_lines("\n".join(texts))
    return Labelled(
        gold["site"], article, starts, look_at(lines), look_at(lines[:article]), [line.text for line in lines]
    )


def _allowed(views: Sequence[str]) -> Rows:
    """Return the numbers of the columns of some views, and of those of the position."""
    width = len(NAMES)
    first = [i * width for i, view in enumerate(VIEWS) if view in views]
    columns = [np.arange(at, at + width) for at in first]
    return np.concatenate([*columns, len(VIEWS) * width + np.arange(len(POSITION))])


class Sheet(NamedTuple):
    """The rows of one question for all discussions: ``of`` says whose a row is, ``right`` is what it should be.

    ``bounds`` are the first rows of the pages, each page's rows in one piece, and the end.
    """

    data: Binned
    columns: Rows
    of: Rows
    right: Vector
    weight: Vector
    bounds: Rows

    def rows_of(self, chosen: NDArray[np.bool_]) -> Rows:
        return np.flatnonzero(chosen[self.of])


class Sheets(NamedTuple):
    """Everything that is fitted to, made once however often a model is fitted; the bins see no label."""

    split: Sheet
    start: Sheet
    lines_of: Rows
    places: Places
    following: Places
    role: Rows  # of each line: 0 article, 1 first comment line, 2 begins a later comment, 3 continues one
    weight: Vector


def weighed(sites: Sequence[str], power: float) -> Vector:
    """Return how much each discussion counts, given its site: less where its site has many."""
    per_site = Counter(sites)
    weights = np.array([per_site[site] ** -power for site in sites])
    return np.asarray(weights / weights.mean())


def _counts(discussions: Sequence[Labelled], power: float) -> Vector:
    return weighed([one.site for one in discussions], power)


def _split_sheet(discussions: Sequence[Labelled]) -> Sheet:
    columns, counts = _allowed(SPLIT_VIEWS), _counts(discussions, 0.3)
    pages = [page for one in discussions for page in (one.page, one.alone)]
    sizes = [len(page.rows) for page in pages]
    bounds = np.concatenate([[0], np.cumsum(sizes)])
    right = np.zeros(bounds[-1])
    right[bounds[:-1] + np.repeat([one.article - 1 for one in discussions], 2)] = 1
    matrix = np.vstack([Views(page.rows).columns(columns)[1:] for page in pages])
    weight = np.stack([2 * (1 - ALONE) * counts, 2 * ALONE * counts], axis=1).ravel()
    of = np.repeat(np.arange(len(pages)) // 2, sizes)
    return Sheet(binned(matrix), columns, of, right, np.repeat(weight, sizes), bounds)


def _start_sheet(discussions: Sequence[Labelled]) -> Sheet:
    columns, counts = _allowed(START_VIEWS), _counts(discussions, 0.25)
    parts, right, weight = [], [], []
    for one, count in zip(discussions, counts.tolist(), strict=True):
        parts.append(Views(one.page.rows).columns(columns)[one.article + 1 : -1])
        begins = np.zeros(len(one.page.rows))
        begins[one.starts] = 1
        right.append(begins[one.article + 1 :])
        weight.append(np.full(len(right[-1]), count * min(1.0, MOST_LINES / len(begins))))
    sizes = [len(part) for part in parts]
    of, bounds = np.repeat(np.arange(len(sizes)), sizes), np.concatenate([[0], np.cumsum(sizes)])
    return Sheet(binned(np.vstack(parts)), columns, of, np.concatenate(right), np.concatenate(weight), bounds)


def _roles(one: Labelled) -> Rows:
    roles = np.zeros(len(one.page.rows), np.int64)
    roles[one.article :] = 3
    roles[one.starts] = 2
    roles[one.article] = 1
    return roles


def sheets_of(discussions: Sequence[Labelled]) -> Sheets:
    sizes = [len(one.page.rows) for one in discussions]
    return Sheets(
        _split_sheet(discussions),
        _start_sheet(discussions),
        np.repeat(np.arange(len(sizes)), sizes),
        np.vstack([one.page.places for one in discussions]),
        np.vstack([one.page.after for one in discussions]),
        np.concatenate([_roles(one) for one in discussions]),
        np.repeat([min(1.0, MOST_LINES / size) for size in sizes], sizes),
    )


def _pages(sheet: Sheet, rows: Rows) -> tuple[Rows, Rows]:
    """Return (first of ``rows`` of each page, number of the page of each row)."""
    page = np.searchsorted(sheet.bounds, rows, side="right")
    first = np.flatnonzero(np.diff(page, prepend=-1))
    return first, np.cumsum(np.diff(page, prepend=page[0]) != 0)


def _competing(first: Rows, page: Rows, right: Vector, weight: Vector) -> Callable[[Vector], tuple[Vector, Vector]]:
    """Return slope and curvature of the log loss where the rows of a page go through one softmax."""

    def gradient(scores: Vector) -> tuple[Vector, Vector]:
        raised = np.exp(scores - np.maximum.reduceat(scores, first)[page])
        chance = raised / np.add.reduceat(raised, first)[page]
        return (chance - right) * weight, np.maximum(chance * (1 - chance), 1e-4) * weight

    return gradient


def _fit_split(sheet: Sheet, chosen: NDArray[np.bool_]) -> Trees:
    rows = sheet.rows_of(chosen)
    trees = boosted(
        sheet.data, rows, _competing(*_pages(sheet, rows), sheet.right[rows], sheet.weight[rows]), SPLIT_GROWTH
    )
    return trees._replace(wanted=sheet.columns[trees.wanted])


def _fit_start(sheet: Sheet, chosen: NDArray[np.bool_]) -> Trees:
    rows = sheet.rows_of(chosen)
    right, weight = sheet.right[rows], sheet.weight[rows]

    def gradient(scores: Vector) -> tuple[Vector, Vector]:
        chance = logistic(scores)
        return (chance - right) * weight, chance * (1 - chance) * weight

    trees = boosted(sheet.data, rows, gradient, START_GROWTH)
    return trees._replace(wanted=sheet.columns[trees.wanted])


def _fit_words(places: Places, right: Vector, weight: Vector) -> NDArray[np.float32]:
    """Fit a logistic regression with one weight a place; that of NOWHERE stays 0."""
    scale = scales(places)

    def loss(table: Vector) -> tuple[float, Vector]:
        scores = table[places].sum(axis=1) * scale
        value = weight @ (np.logaddexp(0, scores) - right * scores)
        each = weight * (logistic(scores) - right) * scale
        slope = np.bincount(places.ravel(), np.repeat(each, places.shape[1]), NOWHERE + 1) + WORD_PENALTY * table
        slope[NOWHERE] = 0
        return float(value + WORD_PENALTY / 2 * table @ table), slope

    return lowest(loss, np.zeros(NOWHERE + 1), WORD_STEPS).astype(np.float32)


def _fit_tables(sheets: Sheets, chosen: NDArray[np.bool_]) -> dict[str, NDArray[np.float32]]:
    mine = chosen[sheets.lines_of]
    both = np.hstack([sheets.places, sheets.following])
    ask = {
        "reader": (mine, sheets.places, sheets.role > 0),
        "first": (mine & (sheets.role < 2), sheets.places, sheets.role == 1),
        "start": (mine & (sheets.role > 1), both, sheets.role == 2),
    }
    tables = {}
    for name in TABLES:
        rows, places, right = ask[name]
        tables[name] = _fit_words(places[rows], right[rows].astype(float), sheets.weight[rows])
    return tables


def fit_opinions(sheets: Sheets, chosen: NDArray[np.bool_]) -> Model:
    """Fit trees and words to the ``chosen`` discussions. Networks and the weights of all are not known yet."""
    opinions = _fit_split(sheets.split, chosen), _fit_start(sheets.start, chosen), _fit_tables(sheets, chosen)
    nothing = np.zeros((0,))
    head = Head(THRESHOLD, 1.0, nothing_read(INPUTS), nothing, nothing, nothing, nothing)
    # Through the arrays and back: what is weighed next are the rounded weights that will be used.
    return from_arrays(to_arrays(Model(*opinions, head)))


class Heard(NamedTuple):
    """What opinions say of a discussion of a site they did not see, with its comments and without them."""

    whole: Opinions
    alone: Opinions


def hear(model: Model, one: Labelled) -> Heard:
    # Of copies: what a page's lines look like from everywhere would stay with it, and that is much for all pages.
    return Heard(model.first_opinions(replace(one.page)), model.first_opinions(replace(one.alone)))


def fit_reading(discussions: Sequence[Labelled], heard: Sequence[Heard]) -> Networks:
    """Fit networks to discussions and to what trees and words said that did not see them."""
    whole = [inputs_of(one.page, its.whole) for one, its in zip(discussions, heard, strict=True)]
    alone = [inputs_of(one.alone, its.alone) for one, its in zip(discussions, heard, strict=True)]
    every = np.vstack(whole)
    # Rounded as in the file. A little is added to the spread, or what is hardly ever seen would count for too much.
    scale = Scale(rounded(every.mean(axis=0)), rounded(every.std(axis=0) + 0.05))
    examples = [
        Example(scale(lines), scale(article), one.article, one.starts, weight)
        for lines, article, one, weight in zip(whole, alone, discussions, _counts(discussions, 0.3), strict=True)
    ]
    return fit_networks(examples, scale)


def read_by(networks: Networks, one: Labelled, its: Heard) -> Heard:
    """Return what was heard of a discussion with what the networks say, who did not see its site either."""
    return Heard(with_networks(networks, one.page, its.whole), with_networks(networks, one.alone, its.alone))


def _fit_split_mix(discussions: Sequence[Labelled], heard: Sequence[Heard]) -> Vector:
    parts = [part for one in heard for part in (one.whole.split, one.alone.split)]
    matrix, sizes = np.vstack(parts), np.array([len(part) for part in parts])
    first, page = np.concatenate([[0], np.cumsum(sizes)[:-1]]), np.repeat(np.arange(len(parts)), sizes)
    right = np.zeros(len(matrix))
    right[first + np.repeat([one.article - 1 for one in discussions], 2)] = 1
    weight = np.tile([1 - ALONE, ALONE], len(heard))[page]
    slopes = _competing(first, page, right, weight)

    def loss(mix: Vector) -> tuple[float, Vector]:
        scores = matrix @ mix
        top = np.maximum.reduceat(scores, first)
        level = top + np.log(np.add.reduceat(np.exp(scores - top[page]), first))
        value = -(weight * right) @ (scores - level[page])
        return float(value + MIX_PENALTY / 2 * mix @ mix), matrix.T @ slopes(scores)[0] + MIX_PENALTY * mix

    return lowest(loss, np.zeros(matrix.shape[1]), MIX_STEPS)


def _fit_start_mix(discussions: Sequence[Labelled], heard: Sequence[Heard]) -> Vector:
    pairs = list(zip(discussions, heard, strict=True))
    matrix = np.vstack([its.whole.start[one.article + 1 :] for one, its in pairs])
    right = np.concatenate([_roles(one)[one.article + 1 :] == 2 for one, _ in pairs]).astype(float)

    def loss(mix: Vector) -> tuple[float, Vector]:
        scores = matrix @ mix
        value = np.logaddexp(0, scores).sum() - right @ scores + MIX_PENALTY / 2 * mix @ mix
        return float(value), matrix.T @ (logistic(scores) - right) + MIX_PENALTY * mix

    return lowest(loss, np.zeros(matrix.shape[1]), MIX_STEPS)


def fit_mix(networks: Networks, discussions: Sequence[Labelled], heard: Sequence[Heard]) -> Head:
    """Return ``networks`` with weights, thresholds and calibration fitted to what was ``heard`` across sites."""
    split_mix, start_mix = _fit_split_mix(discussions, heard), _fit_start_mix(discussions, heard)
    aided = all(one.page.told is not None for one in discussions)
    threshold, none, block = (AIDED_THRESHOLD, AIDED_NONE, AIDED_BLOCK) if aided else (THRESHOLD, NONE, BLOCK)
    said: dict[bool, list[tuple[float, bool]]] = {True: [], False: []}
    for one, its in zip(discussions, heard, strict=True):
        starts, ends = combined(softmax(its.whole.split @ split_mix), logistic(its.whole.start @ start_mix))
        begins, true = begins_of(starts, ends, threshold, none), set(one.starts)
        for begin in begins:
            said[begin == begins[0]].append((starts[begin], begin in true))
    sure = _calibration(said[True], block), _calibration(said[False], block)
    return Head(threshold, none, networks, split_mix, start_mix, *sure)


def _calibration(said: Sequence[tuple[float, bool]], block: int) -> Vector:
    chances, right = np.array(said or [(0.5, True)], dtype=float).T
    return rising(chances, right, block)


def folds(sites: Sequence[str], count: int = FOLDS) -> list[int]:
    """Return a fold for each discussion, given its site; all of a site are in one, whatever the order of the file."""
    ordered = sorted(set(sites), key=lambda site: (zlib.crc32(site.encode()), site))
    fold = {site: i % count for i, site in enumerate(ordered)}
    return [fold[site] for site in sites]


def _folds(discussions: Sequence[Labelled]) -> list[int]:
    return folds([one.site for one in discussions])


def first_across_sites(discussions: Sequence[Labelled], sheets: Sheets) -> tuple[list[Model], list[Heard]]:
    """Fit trees and words once for each fold, without it: (models, what each discussion's said that did not see it)."""
    fold = np.array(_folds(discussions))
    models = [fit_opinions(sheets, fold != out) for out in range(FOLDS)]
    return models, [hear(models[its], one) for one, its in zip(discussions, fold.tolist(), strict=True)]


class Across(NamedTuple):
    """Networks that did not see a fold, for each fold; what was heard of each discussion from those that did not."""

    networks: list[Networks]
    heard: list[Heard]


def read_across_sites(discussions: Sequence[Labelled], first: Sequence[Heard]) -> Across:
    """Fit networks once for each fold, without it."""
    fold, networks = _folds(discussions), []
    for out in range(FOLDS):
        others = [i for i, its in enumerate(fold) if its != out]
        networks.append(fit_reading([discussions[i] for i in others], [first[i] for i in others]))
    pairs = zip(discussions, first, fold, strict=True)
    return Across(networks, [read_by(networks[its], one, said) for one, said, its in pairs])


def fit_head(discussions: Sequence[Labelled], first: Sequence[Heard]) -> Head:
    """Return a head fitted to all discussions, mixed and calibrated on what was heard of unseen sites."""
    heard = read_across_sites(discussions, first).heard
    return fit_mix(fit_reading(discussions, first), discussions, heard)


def heads_across_sites(discussions: Sequence[Labelled], first: Sequence[Heard]) -> list[Head]:
    """Return for each fold a head that was fitted, mixed and calibrated without it.

    The networks of a fold learn from what the other folds' models say of the other folds, and so do the two dozen
    numbers of mix and calibration.
    """
    fold, across = _folds(discussions), read_across_sites(discussions, first)
    heads = []
    for out, networks in enumerate(across.networks):
        others = [i for i, its in enumerate(fold) if its != out]
        heads.append(fit_mix(networks, [discussions[i] for i in others], [across.heard[i] for i in others]))
    return heads


def asked(discussions: Sequence[Labelled], encoders: Sequence[Encoder]) -> list[Labelled]:
    """Return the discussions with what the encoder says of their lines that did not see their site."""
    pairs = zip(discussions, _folds(discussions), strict=True)
    return [_asked(one, encoders[its]) for one, its in pairs]


def _asked(one: Labelled, encoder: Encoder) -> Labelled:
    whole, alone = encoder.read(one.texts), encoder.read(one.texts[: one.article])
    return one._replace(page=replace(one.page, told=whole), alone=replace(one.alone, told=alone))


def fit(discussions: Sequence[Labelled], encoders: Sequence[Encoder] = ()) -> Model:
    """Return the model fitted to all discussions; ``encoders``, one for each fold, did not see the fold's sites."""
    sheets = sheets_of(discussions)
    _, first = first_across_sites(discussions, sheets)
    model = replace(fit_opinions(sheets, np.ones(len(discussions), bool)), head=fit_head(discussions, first))
    return replace(model, aided=fit_head(asked(discussions, encoders), first)) if encoders else model


def cross_validated(discussions: Sequence[Labelled], encoders: Sequence[Encoder] = ()) -> list[Model]:
    """Return for each discussion a model of which no part was fitted with its site. ``encoders`` as in ``fit``."""
    models, first = first_across_sites(discussions, sheets_of(discussions))
    heads = heads_across_sites(discussions, first)
    models = [replace(model, head=head) for model, head in zip(models, heads, strict=True)]
    if encoders:
        aided = heads_across_sites(asked(discussions, encoders), first)
        triples = zip(models, aided, encoders, strict=True)
        models = [replace(model, aided=head, encoder=encoder) for model, head, encoder in triples]
    return [models[its] for its in _folds(discussions)]


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("dev", type=Path, help="labelled discussions, one JSON object a line")
    parser.add_argument("weights", nargs="?", type=Path, default=WEIGHTS, help="where they are written")
    parser.add_argument("--encoders", type=Path, metavar="FOLDER", help="encoders that did not see each fold")
    options = parser.parse_args(arguments)
    encoders = [opened(options.encoders / str(fold)) for fold in range(FOLDS)] if options.encoders else ()
    model = fit(load(options.dev), encoders)
    _write(options.weights, to_arrays(model))
    if model.aided:
        _write(ENCODER / HEAD, head_to_arrays(model.aided))
    return 0


def _write(path: Path, arrays: dict[str, NDArray[Any]]) -> None:
    with path.open("wb") as file:
        np.savez_compressed(file, **arrays)  # type: ignore[arg-type]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
