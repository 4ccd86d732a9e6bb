"""Teach the encoder: ``python -m archive.ingest.structure.train_encoder DEV.jsonl --threads THREADS.jsonl``.

Offline only; needs what the group ``training`` in pyproject.toml lists, and two hours of two cores. First it learns
where writers change, from threads whose writers are known but that have no article: THREADS.jsonl holds one JSON object
a line, {"posts": [["paragraph", ...], ...]}; ARCHITECTURE.md says under "Decisions" which threads the weights in
encoder/ saw. Then it learns from the labelled discussions, and is written to encoder/. With --across-sites FOLDER it
does that once for each fold of ``train``, without the fold's sites, and writes FOLDER/0 to FOLDER/4, which the bench
asks. Last comes ``train --encoders FOLDER``: it teaches what hears the encoder.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import sentencepiece
import torch
from torch import Tensor
from torch.nn import functional

from archive.ingest.structure.encoder import FOLDER, PAD, PIECES, clean
from archive.ingest.structure.encoder_network import Base, Network, base, kept_pieces, write, write_pieces
from archive.ingest.structure.encoder_pages import (
    ARTICLE,
    BEGINS,
    FIRST,
    GOES_ON,
    UNKNOWN,
    Page,
    Part,
    batches,
    discussion,
    parts_of,
    thread,
)
from archive.ingest.structure.train import FOLDS, flat, folds, weighed

SITE_POWER = 0.3  # how much less one of a site's many discussions counts
SEEN = 3  # a piece that occurs so often in the labelled discussions is kept, however rare
WARM = 0.1  # of all steps; then the rate falls to nothing
DECAY = 0.01
SAID_RATE = 1e-3  # of the layers that say something, which begin with nothing


class Learning(NamedTuple):
    """How long and how fast is learned; the numbers were chosen on one fold."""

    epochs: float
    rate: float
    batch: int  # pieces


FROM_THREADS = Learning(0.7, 2e-4, 8192)
FROM_PAGES = Learning(2.5, 1e-4, 4096)


def loss_of(network: Network, parts: Sequence[Part]) -> Tensor:
    """Return the loss of a batch: log losses of what each line is."""
    read = [part.pieces for part in parts]
    size, most = max(map(len, read)), max(part.end - part.first for part in parts)
    pieces = torch.tensor([[*its, *[PAD] * (size - len(its))] for its in read])
    marks, roles = torch.zeros(len(parts), most, dtype=torch.long), np.full((len(parts), most), UNKNOWN)
    weight = torch.zeros(len(parts), most)
    for row, part in enumerate(parts):
        its = part.end - part.first
        marks[row, :its] = torch.tensor(np.cumsum([1, *map(len, part.page.lines[part.first : part.end - 1])]))
        roles[row, :its] = part.page.roles[part.first : part.end]
        weight[row, :its] = part.page.weight
    with torch.autocast("cpu", dtype=torch.bfloat16):
        said = network(pieces, marks)
    role = torch.tensor(roles)
    # A thread without an article says nothing of articles.
    known = weight * torch.tensor([[float(part.page.article > 0)] for part in parts])
    later, reader = (role == BEGINS) | (role == GOES_ON), role != ARTICLE
    total = _log_loss(said[..., 0], role == BEGINS, later * weight)
    total = total + 0.5 * _log_loss(said[..., 1], reader, (role != UNKNOWN) * known)
    total = total + _log_loss(said[..., 2], role == FIRST, ((role == ARTICLE) | (role == FIRST)) * known)
    return total / (weight > 0).sum()


def _log_loss(said: Tensor, right: Tensor, weight: Tensor) -> Tensor:
    return (functional.binary_cross_entropy_with_logits(said, right.float(), reduction="none") * weight).sum()


def learn(network: Network, pages: Sequence[Page], how: Learning, say: Callable[[str], None]) -> None:
    """Let the network learn from the pages, in a fixed order."""
    torch.manual_seed(1)
    random = np.random.default_rng(1)
    said = {id(weight) for weight in network.says.parameters()}
    weights = [weight for weight in network.parameters() if weight.requires_grad]
    groups = [
        {"params": [weight for weight in weights if id(weight) not in said], "rate": how.rate},
        {"params": [weight for weight in weights if id(weight) in said], "rate": SAID_RATE},
    ]
    step_with = torch.optim.AdamW(groups, lr=how.rate, weight_decay=DECAY)
    total = max(1, int(how.epochs * len(batches(_epoch(pages, random), how.batch, random))))
    network.train()
    begun, seen = time.monotonic(), 0
    for step, parts in zip(range(total), _batches(pages, how, random), strict=False):
        done = step / total
        for group in step_with.param_groups:
            group["lr"] = group["rate"] * max(0.01, min(1.0, (done + 1e-3) / WARM) * (1 - max(0.0, done - WARM)))
        loss = loss_of(network, parts)
        step_with.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(weights, 1.0)
        step_with.step()
        seen += sum(len(part.pieces) for part in parts)
        if step % 50 == 49:
            say(
                f"step {step + 1} of {total}: loss {loss.item():.3f}, {seen / (time.monotonic() - begun):,.0f} pieces/s"
            )


def _epoch(pages: Sequence[Page], random: np.random.Generator) -> list[Part]:
    return [part for page in pages for part in parts_of(page, random)]


def _batches(pages: Sequence[Page], how: Learning, random: np.random.Generator) -> Iterator[list[Part]]:
    while True:
        yield from batches(_epoch(pages, random), how.batch, random)


def _pieces_file(its: Base, golds: Sequence[dict[str, Any]], folder: Path) -> list[int]:
    """Write the pieces to keep and return them: the commonest, and those that the labelled discussions use."""
    folder.mkdir(parents=True, exist_ok=True)
    write_pieces(its, range(len(its.pieces)), folder / PIECES)
    every = sentencepiece.SentencePieceProcessor(model_file=str(folder / PIECES))
    counts: Counter[int] = Counter()
    for gold in golds:
        texts = flat([*gold["article_paragraphs"], *(p for one in gold["comments"] for p in one["paragraphs"])])
        for pieces in every.encode([clean(text) for text in texts]):
            counts.update(pieces)
    used = {piece for piece, count in counts.items() if count >= SEEN or len(its.pieces[piece]) == 1}
    kept = kept_pieces(its, used)
    write_pieces(its, kept, folder / PIECES)
    return kept


def _arguments(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("dev", type=Path, help="labelled discussions, one JSON object a line")
    parser.add_argument("--threads", type=Path, help="threads with known writers, one JSON object a line")
    parser.add_argument(
        "--begun", type=Path, help="where what was learned from threads is kept, or read if it is there"
    )
    parser.add_argument("--across-sites", type=Path, metavar="FOLDER", help="write an encoder for each fold instead")
    parser.add_argument("--folds", nargs="*", type=int, default=list(range(FOLDS)), help="only these of them")
    parser.add_argument("--cores", type=int, default=2)
    return parser.parse_args(arguments)


def main(arguments: Sequence[str]) -> int:
    options = _arguments(arguments)
    torch.set_num_threads(options.cores)
    torch.manual_seed(1)
    with options.dev.open(encoding="utf-8") as file:
        golds = [json.loads(row) for row in file]
    its, folder = base(), options.across_sites or FOLDER
    kept = _pieces_file(its, golds, folder)
    pieces = sentencepiece.SentencePieceProcessor(model_file=str(folder / PIECES))
    begun = Network(its, kept)
    if options.begun and options.begun.exists():
        begun.load_state_dict(torch.load(options.begun))
    elif options.threads:
        with options.threads.open(encoding="utf-8") as file:
            learn(begun, [thread(json.loads(row), pieces) for row in file], FROM_THREADS, _say("threads"))
        if options.begun:
            torch.save(begun.state_dict(), options.begun)
    sites = [gold["site"] for gold in golds]
    pages = [
        discussion(gold, pieces, its) for gold, its in zip(golds, weighed(sites, SITE_POWER).tolist(), strict=True)
    ]
    fold = folds(sites)
    for out in options.folds if options.across_sites else [None]:
        chosen = [page for page, its_fold in zip(pages, fold, strict=True) if its_fold != out]
        network = Network(its, kept)
        network.load_state_dict(begun.state_dict())
        learn(network, chosen, FROM_PAGES, _say("pages" if out is None else f"fold {out}"))
        target = folder if out is None else folder / str(out)
        target.mkdir(exist_ok=True)
        write(network, target)
        if out is not None:
            (target / PIECES).write_bytes((folder / PIECES).read_bytes())
    return 0


def _say(what: str) -> Callable[[str], None]:
    def say(line: str) -> None:
        sys.stderr.write(f"{what}: {line}\n")

    return say


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
