"""How the networks of recurrent.py are fitted, in numpy: backpropagation through the lines, AdamW. Deterministic.

Against learning 1,156 pages by heart: dropout, pages cut short after a random comment, comments left out, articles
without their beginning or without comments, and few epochs (FACTS of each number: see Fitting).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from archive.ingest.structure.recurrent import Array, Networks, Scale, logistic

Numbers = NDArray[np.int64]
Weights = dict[str, Array]


class Fitting(NamedTuple):
    """What is fitted and for how long; the numbers were chosen across sites."""

    networks: int = 3
    entered: int = 64
    cells: int = 64
    epochs: int = 32
    batch: int = 12  # pages
    rate: float = 4e-3  # the largest step; it rises for a tenth of the time and falls as a cosine
    decay: float = 0.03  # of weights, as in AdamW (Loshchilov and Hutter 2019)
    drop_inputs: float = 0.2
    drop_entered: float = 0.3
    drop_said: float = 0.3
    longest: int = 300  # lines of a page that are learned from
    starts: float = 0.35  # how much the starts of a page count beside its split
    most_starts: int = 40  # lines of a page whose starts count fully
    alone: float = 0.4  # how often an article is also shown without its comments, and
    alone_counts: float = 0.8  # how much that counts beside the whole page


class Example(NamedTuple):
    """A page to learn from: ``lines`` (n, I) scaled, with its comments at ``starts``, or alone where there are none."""

    lines: Array
    alone: Array
    article: int
    starts: Sequence[int]
    weight: float


class Shown(NamedTuple):
    """A page as it is shown once: ``starts`` is empty where the comments were left away."""

    lines: Array
    article: int
    starts: Numbers
    weight: float


def _shown(example: Example, how: Fitting, random: np.random.Generator) -> list[Shown]:
    """Return the ways in which the example is shown in one epoch."""
    found = []
    if random.random() < how.alone and example.article > 1:
        lines = example.alone[: how.longest]
        found.append(Shown(lines, len(lines), np.array([], np.int64), example.weight * how.alone_counts))
    if example.article >= how.longest:
        return found
    ends = [*example.starts[1:], len(example.lines)]
    comments = [np.arange(a, b) for a, b in zip(example.starts, ends, strict=True) if a < how.longest]
    if random.random() < 0.3 and len(comments) > 2:
        comments = comments[: int(random.integers(1, len(comments)))]
    if random.random() < 0.5:
        comments = [comment for comment in comments if random.random() < 0.8] or comments[:1]
    first = int(random.integers(0, example.article - 2)) if random.random() < 0.4 and example.article > 4 else 0
    article = example.article - first
    starts = article + np.cumsum([0, *(len(comment) for comment in comments[:-1])])
    kept = np.concatenate([np.arange(first, example.article), *comments])[: how.longest]
    found.append(Shown(example.lines[kept], article, starts[starts < len(kept)], example.weight))
    return found


def _batches(examples: Sequence[Example], how: Fitting, random: np.random.Generator) -> list[list[Shown]]:
    """Return all that is shown in one epoch in batches of about equal length, in random order."""
    pages = [page for example in examples for page in _shown(example, how, random)]
    order = np.argsort([len(page.lines) + random.integers(0, 20) for page in pages], kind="stable")
    batches = [[pages[at] for at in order[i : i + how.batch]] for i in range(0, len(order), how.batch)]
    return [batches[at] for at in random.permutation(len(batches))]


def _first_weights(inputs: int, how: Fitting, random: np.random.Generator) -> Weights:
    count, entered, cells = how.networks, how.entered, how.cells

    def some(width: int, *shape: int) -> Array:
        return np.asarray(random.uniform(-(width**-0.5), width**-0.5, shape), np.float32)

    return {
        "enter": some(inputs, count, inputs, entered), "enter_bias": some(inputs, count, 1, entered),
        "gates": some(cells, count, 2, entered, 3 * cells), "gates_bias": some(cells, count, 2, 1, 3 * cells),
        "turn": some(cells, count, 2, cells, 3 * cells), "turn_bias": some(cells, count, 2, 1, cells),
        "say": some(2 * cells + entered, count, 2 * cells + entered, 2),
        "say_bias": some(2 * cells + entered, count, 1, 2),
        "none": some(4 * cells, count, 4 * cells, 1), "none_bias": some(4 * cells, count, 1, 1),
    }  # fmt: skip


class _Batch(NamedTuple):
    """``lines`` (B, T, I); ``inside`` (B, T) where there is a line; ``back`` (B, T) the order from below."""

    lines: Array
    inside: NDArray[np.bool_]
    back: Numbers
    split: Numbers  # (B,) the right place, its last line for "no comments"
    begins: Array  # (B, T)
    counted: Array  # (B, T) how much each line's "begins" counts
    weight: Array  # (B,)


def _batch(pages: Sequence[Shown], how: Fitting) -> _Batch:
    sizes = np.array([len(page.lines) for page in pages])
    shape = len(pages), int(sizes.max())
    lines = np.zeros((*shape, pages[0].lines.shape[1]), np.float32)
    begins, counted = np.zeros(shape, np.float32), np.zeros(shape, np.float32)
    at = np.arange(shape[1])
    inside = at < sizes[:, None]
    for i, page in enumerate(pages):
        lines[i, : sizes[i]] = page.lines
        begins[i, page.starts] = 1
        if len(page.starts):
            share = min(1.0, how.most_starts / len(page.lines)) * how.starts * page.weight
            counted[i, page.article + 1 : sizes[i]] = share
    split = np.array([page.article - 1 for page in pages])
    weight = np.array([page.weight for page in pages], np.float32)
    return _Batch(lines, inside, np.where(inside, sizes[:, None] - 1 - at, at), split, begins, counted, weight)


class _Pass(NamedTuple):
    """What the way forward leaves for the way back. K networks, B pages, T lines; cells are (K, 2, B, T, H)."""

    inputs: Array
    entered: Array
    both: Array
    held: Array
    reset: Array
    update: Array
    new: Array
    turned: Array
    joined: Array
    pooled: Array
    largest: Numbers
    masks: tuple[Array, Array, Array]
    split: Array
    begins: Array


def _mask(random: np.random.Generator | None, share: float, shape: tuple[int, ...]) -> Array:
    if random is None:
        return np.ones((1,) * len(shape), np.float32)
    return np.asarray((random.random(shape, np.float32) >= share) / (1 - share), np.float32)


def _reordered(array: Array, back: Numbers) -> Array:
    """Return (K, B, T, ...) with each page's lines in the order ``back``, which is its own inverse."""
    return np.asarray(array[:, np.arange(len(back))[:, None], back])


def _forward(w: Weights, batch: _Batch, how: Fitting, random: np.random.Generator | None) -> _Pass:
    count, pages, total = len(w["enter"]), *batch.inside.shape
    cells = w["turn"].shape[2]
    masks = (
        _mask(random, how.drop_inputs, (count, pages, total, batch.lines.shape[2])),
        _mask(random, how.drop_entered, (count, pages, total, w["enter"].shape[2])),
        _mask(random, how.drop_said, (count, pages, total, w["say"].shape[1])),
    )
    inputs = batch.lines * masks[0]
    entered = np.maximum(inputs @ w["enter"][:, None] + w["enter_bias"][:, None], 0) * masks[1]
    both = np.stack([entered, _reordered(entered, batch.back)], axis=1)
    gates = both @ w["gates"][:, :, None] + w["gates_bias"][:, :, None]
    held = np.zeros((count, 2, pages, total + 1, cells), np.float32)
    reset, update, new, turned = (np.empty((total, count, 2, pages, cells), np.float32) for _ in range(4))
    for t in range(total):
        before = held[:, :, :, t]
        turning, given = before @ w["turn"], gates[:, :, :, t]
        turned[t] = turning[..., 2 * cells :] + w["turn_bias"]
        reset[t] = logistic(given[..., :cells] + turning[..., :cells])
        update[t] = logistic(given[..., cells : 2 * cells] + turning[..., cells : 2 * cells])
        new[t] = np.tanh(given[..., 2 * cells :] + reset[t] * turned[t])
        held[:, :, :, t + 1] = new[t] + update[t] * (before - new[t])
    read = np.concatenate([held[:, 0, :, 1:], _reordered(held[:, 1, :, 1:], batch.back)], axis=3)
    inside = batch.inside[:, :, None]
    largest = np.where(inside, read, -9).argmax(axis=2)
    mean = (read * inside).sum(axis=2) / batch.inside.sum(axis=1, dtype=np.float32)[:, None]
    pooled = np.concatenate([mean, np.take_along_axis(read, largest[:, :, None], axis=2)[:, :, 0]], axis=2)
    joined = np.concatenate([read, entered], axis=3)
    said = (joined * masks[2]) @ w["say"][:, None] + w["say_bias"][:, None]
    split = np.concatenate([said[:, :, 1:, 0], np.zeros((count, pages, 1), np.float32)], axis=2)
    split = np.where(batch.inside, split, -1e9)
    at = np.arange(pages), batch.inside.sum(axis=1) - 1
    split[:, at[0], at[1]] = (pooled @ w["none"] + w["none_bias"])[:, :, 0]
    return _Pass(
        inputs, entered, both, held, reset, update, new, turned, joined, pooled, largest, masks, split, said[..., 1]
    )


def loss(w: Weights, batch: _Batch, how: Fitting) -> float:
    """Return what is made small: the log loss of the split and of the starts, over all networks, without dropout."""
    made = _forward(w, batch, how, None)
    top = made.split.max(axis=2, keepdims=True)
    level = top[..., 0] + np.log(np.exp(made.split - top).sum(axis=2))
    right = made.split[:, np.arange(len(batch.split)), batch.split]
    starts = np.logaddexp(0, made.begins) - batch.begins * made.begins
    return float(((level - right) * batch.weight).sum() + (starts * batch.counted).sum())


def slopes(w: Weights, batch: _Batch, how: Fitting, random: np.random.Generator | None) -> Weights:
    """Return the gradient of the loss, each weight's in the shape of the weight."""
    made = _forward(w, batch, how, random)
    count, pages, total = made.begins.shape
    cells = w["turn"].shape[2]
    raised = np.exp(made.split - made.split.max(axis=2, keepdims=True))
    split = raised / raised.sum(axis=2, keepdims=True)
    split[:, np.arange(pages), batch.split] -= 1
    split *= batch.weight[:, None]
    last = np.arange(pages), batch.inside.sum(axis=1) - 1
    none = split[:, last[0], last[1]][..., None].copy()
    split[:, last[0], last[1]] = 0
    said = np.zeros((count, pages, total, 2), np.float32)
    said[:, :, 1:, 0] = split[:, :, :-1]
    said[..., 1] = (logistic(made.begins) - batch.begins) * batch.counted
    found: Weights = {
        "say": np.einsum("kbti,kbtj->kij", made.joined * made.masks[2], said, optimize=True),
        "say_bias": said.sum(axis=(1, 2))[:, None],
        "none": np.asarray(made.pooled.transpose(0, 2, 1) @ none, np.float32),
        "none_bias": np.asarray(none.sum(axis=1)[:, None], np.float32),
    }
    joined = (said @ w["say"].transpose(0, 2, 1)[:, None]) * made.masks[2]
    read, entered = joined[..., : 2 * cells], joined[..., 2 * cells :].copy()
    pooled = none @ w["none"].transpose(0, 2, 1)
    sizes = batch.inside.sum(axis=1, dtype=np.float32)[:, None, None]
    read = read + pooled[:, :, None, : 2 * cells] * batch.inside[:, :, None] / sizes
    largest = np.zeros_like(read)
    np.put_along_axis(largest, made.largest[:, :, None], pooled[:, :, None, 2 * cells :], axis=2)
    read = np.asarray(read + largest, np.float32)
    held = np.stack([read[..., :cells], _reordered(read[..., cells:], batch.back)], axis=1)
    gates = _through_lines(w, made, held, found)
    found["gates"] = np.einsum("kdbti,kdbtj->kdij", made.both, gates, optimize=True)
    found["gates_bias"] = gates.sum(axis=(2, 3))[:, :, None]
    both = gates @ w["gates"].transpose(0, 1, 3, 2)[:, :, None]
    entered = (entered + both[:, 0] + _reordered(both[:, 1], batch.back)) * made.masks[1] * (made.entered > 0)
    found["enter"] = np.einsum(
        "kbti,kbtj->kij", np.broadcast_to(made.inputs, (count, *made.inputs.shape[-3:])), entered, optimize=True
    )
    found["enter_bias"] = entered.sum(axis=(1, 2))[:, None]
    return found


def _through_lines(w: Weights, made: _Pass, slope: Array, found: Weights) -> Array:
    """Return the slopes at the gates (K, 2, B, T, 3H), given those at what the cells hold; adds those of ``turn``."""
    count, _, pages, total, cells = slope.shape
    gates = np.empty((count, 2, pages, total, 3 * cells), np.float32)
    turn, back = np.zeros_like(w["turn"]), w["turn"].transpose(0, 1, 3, 2)
    turn_bias = np.zeros_like(w["turn_bias"])
    carried = np.zeros((count, 2, pages, cells), np.float32)
    for t in range(total - 1, -1, -1):
        reset, update, new, before = made.reset[t], made.update[t], made.new[t], made.held[:, :, :, t]
        here = slope[:, :, :, t] + carried
        at_new = here * (1 - update) * (1 - new * new)
        at_turned = at_new * reset
        at_reset = at_new * made.turned[t] * reset * (1 - reset)
        at_update = here * (before - new) * update * (1 - update)
        gates[:, :, :, t] = np.concatenate([at_reset, at_update, at_new], axis=3)
        turning = np.concatenate([at_reset, at_update, at_turned], axis=3)
        turn += before.transpose(0, 1, 3, 2) @ turning
        turn_bias += at_turned.sum(axis=2, keepdims=True)
        carried = here * update + turning @ back
    found["turn"], found["turn_bias"] = turn, turn_bias
    return gates


def fit_networks(examples: Sequence[Example], scale: Scale, how: Fitting | None = None) -> Networks:
    """Fit networks to pages; their first weights and what they are shown differ, but not from one run to the next."""
    how = how or Fitting()
    random = np.random.default_rng(1)
    w = _first_weights(len(scale.centre), how, random)
    steps = how.epochs * len(_batches(examples, how, np.random.default_rng(2)))
    first, second = ({name: np.zeros_like(value) for name, value in w.items()} for _ in range(2))
    step = 0
    for _epoch in range(how.epochs):
        for pages in _batches(examples, how, random):
            found = slopes(w, _batch(pages, how), how, random)
            _step(w, found, first, second, step, min(1.0, step / steps), how)
            step += 1
    return Networks(*scale, **{name: rounded(value) for name, value in w.items()})


def rounded(array: NDArray[np.floating]) -> Array:
    """Return the values as the file of weights will hold them."""
    return np.asarray(array.astype(np.float16), np.float32)


def nothing_read(inputs: int) -> Networks:
    """Return a network of no weight, for a model whose networks are not fitted yet."""
    w = _first_weights(inputs, Fitting(networks=1, entered=1, cells=1), np.random.default_rng(0))
    return Networks(np.zeros(inputs, np.float32), np.ones(inputs, np.float32), **w)


def _step(w: Weights, found: Weights, first: Weights, second: Weights, step: int, done: float, how: Fitting) -> None:
    """Change the weights by one step of AdamW; each network's gradient is cut to a length of 2."""
    rate = how.rate * min(done / 0.1 + 0.04, 0.5 + 0.5 * float(np.cos(np.pi * max(0.0, done - 0.1) / 0.9)))
    squares = sum((value.reshape(how.networks, -1) ** 2).sum(axis=1) for value in found.values())
    cut = np.minimum(1, 2 * how.batch / np.sqrt(np.maximum(squares, 1e-12))) / how.batch
    for name, value in found.items():
        slope = value * cut.reshape(-1, *[1] * (value.ndim - 1)).astype(np.float32)
        first[name] += np.float32(0.1) * (slope - first[name])
        second[name] += np.float32(0.001) * (slope * slope - second[name])
        moved = first[name] / (1 - 0.9 ** (step + 1)) / (np.sqrt(second[name] / (1 - 0.999 ** (step + 1))) + 1e-8)
        w[name] -= np.asarray(rate * (moved + how.decay * w[name]), np.float32)
