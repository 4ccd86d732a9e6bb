"""Measure structure recovery on sites no model saw: ``python tests/bench/structure.py [DEV.jsonl]``.

    python tests/bench/structure.py --endpoint URL --model NAME [--limit N] [DEV.jsonl]

asks a reading model instead, about N discussions spread over the file; AFTERWORD_READING_MODEL_KEY is its key.
Five models, each trained without the sites it is asked about; then the figures of shared/structure/score.py, a row a
style (bare, alone and the marked ones), and below it a row a language of those with 20 discussions or more. Then for
each tenth of stated confidence of how many starts it was stated, its mean and the share that is right, and the same of
whom comments answer; a "!" marks a tenth of 100 or more whose mean is more than 5 points off.

    python tests/bench/structure.py --encoders FOLDER [DEV.jsonl]

measures the same with encoders that did not see the sites either, as ``train_encoder --across-sites FOLDER`` makes.

    python tests/bench/structure.py --speed [--styles NAME ...] [DEV.jsonl]

trains nothing and takes a minute: the built-in weights on every third discussion, MB of text a second of CPU for each
style (the median of three rounds), then how peak memory grows with a page, each in a process of its own: pages of 1, 2
and 4 MB made of the file's longer paragraphs, and pages of thousands of comments of a few words. Without the encoder,
unless AFTERWORD_ENCODER=on.
"""

import argparse
import contextlib
import importlib.util
import io
import json
import os
import random
import re
import statistics
import subprocess
import sys
import tempfile
import time
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import accumulate, groupby
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

ROOT = Path(__file__).resolve().parents[2]
SHARED = ROOT.parent / "shared" / "structure"
sys.path.insert(0, str(ROOT))
# Without the encoder, unless it is asked for.
os.environ.setdefault("AFTERWORD_ENCODER", "off")

from archive.ingest.reading_model import ReadingModel
from archive.ingest.structure import recover, train, train_links
from archive.ingest.structure.encoder import Encoder, opened
from archive.ingest.structure.model import Model

CASES, OFF = 100, 0.05  # a tenth of so many cases is marked where it is that far off
EACH = 3  # every so many-th discussion is asked for speed, in as many rounds
LONG = 60  # code points of a paragraph that goes into a long page; short lines and dates might be taken for markers
FEW_WORDS = "yes no great thanks I agree you are right lol what a story Anna Bob why? :) 1. ok"
FEWEST = 20  # discussions of a language that get a row
HEAD = "                 n  silent  exact within1  start comment   link  edits   MB/s"


class Trained(NamedTuple):
    """What answers for one discussion; none of it saw the discussion's site."""

    model: Model
    links: Mapping[str, Any]


class Remembering(Encoder):
    """An encoder that is asked once about each page: to train what hears it, and when the page is measured."""

    def __init__(self, folder: Path) -> None:
        self._opened = opened(folder, threads=2)
        self._known: dict[tuple[str, ...], NDArray[np.float32]] = {}

    def read(self, texts: Sequence[str]) -> NDArray[np.float32]:
        key = tuple(texts)
        if key not in self._known:
            self._known[key] = self._opened.read(texts)
        return self._known[key]


def load_score() -> ModuleType:
    spec = importlib.util.spec_from_file_location("score", SHARED / "score.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def answer(text: str, name: str, trained: Trained | ReadingModel) -> dict[str, Any]:
    if isinstance(trained, ReadingModel):
        taken = trained.take_apart(text)
        found = taken.found
        for problem in taken.problems:
            print(f"{name}: {problem}", file=sys.stderr)
    else:
        found = recover(text, trained.model, trained.links)
    comments = [
        {
            "start": c.span.start, "end": c.span.end, "parent": c.parent,
            "boundary_confidence": c.boundary.confidence, "parent_confidence": c.parent_claim.confidence,
        }
        for c in found.comments
    ]  # fmt: skip
    return {"source": name, "article": found.article._asdict(), "comments": comments}


def scored(score: ModuleType, golds: Sequence[str], answers: Sequence[dict[str, Any]], style: str) -> str:
    """Return what score.py prints of these answers to these labelled discussions (one JSON object each)."""
    with tempfile.TemporaryDirectory() as folder:
        gold, path = Path(folder) / "gold.jsonl", Path(folder) / "answers.jsonl"
        gold.write_text("\n".join(golds) + "\n", encoding="utf-8")
        rows = [json.dumps(one | {"source": f"{n:04d}.txt"}) for n, one in enumerate(answers)]
        path.write_text("\n".join(rows) + "\n", encoding="utf-8")
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            score.score(gold, path, style)
    return printed.getvalue()


def row(name: str, printed: str, answers: Sequence[dict[str, Any]], speed: float | None = None) -> str:
    """Return the figures of ``printed`` as one row under HEAD."""
    exact, near = re.search(r"exact ([\d.]+)  within 1 ([\d.]+)", printed).groups()  # type: ignore[union-attr]
    start, comment, link = re.findall(r"F1 ([\d.]+)", printed)
    edits = re.search(r"edits +([\d.]+)", printed).group(1)  # type: ignore[union-attr]
    silent = sum(not one["comments"] for one in answers) / len(answers)
    last = "" if speed is None else f"{speed:7.2f}"
    figures = f"{silent:7.3f} {exact:>6} {near:>7} {start:>6} {comment:>7} {link:>6} {edits:>6}"
    return f"{name:12} {len(answers):5d} {figures}{last}"


def measure(score: ModuleType, golds: Sequence[str], style: str, trained: Sequence[Trained | ReadingModel]) -> str:
    texts = ["\n".join(score.lines_of(json.loads(gold), style)[0]) + "\n" for gold in golds]
    started = time.process_time()  # of this process: other work on the machine does not count
    answers = [answer(text, "", its) for text, its in zip(texts, trained, strict=True)]
    speed = sum(len(text.encode()) for text in texts) / 1e6 / (time.process_time() - started)
    printed = scored(score, golds, answers, style)
    lines = [row(style, printed, answers, speed)]
    languages = [json.loads(gold)["lang"] for gold in golds]
    for language, count in Counter(languages).most_common():
        if count >= FEWEST:
            some = [i for i, its in enumerate(languages) if its == language]
            its_golds, its_answers = [golds[i] for i in some], [answers[i] for i in some]
            lines.append(row(f"  {language}", scored(score, its_golds, its_answers, style), its_answers))
    return "\n".join([*lines, *calibration(score, golds, answers, style)])


def calibration(score: ModuleType, golds: Sequence[str], answers: Sequence[dict[str, Any]], style: str) -> list[str]:
    """Return a line for each tenth of stated confidence: that a comment starts there, and that it answers that one.

    A start is matched with a line as score.py does it. Answers count where the true links are known, and of comments
    that start where they should.
    """
    starts: list[tuple[float, bool]] = []
    links: list[tuple[float, bool]] = []
    for gold, one in zip(map(json.loads, golds), answers, strict=True):
        lines, written, _, true, _, parents = score.lines_of(gold, style)
        offsets = list(accumulate((len(line) + 1 for line in lines[:-1]), initial=0))
        parent_of = dict(zip(true, parents, strict=True))
        found = []
        for comment in one["comments"]:
            at = bisect_right(offsets, comment["start"]) - 1
            while not written[at] and at + 1 < len(lines):
                at += 1
            found.append(at)
            if comment["boundary_confidence"] is not None:
                starts.append((comment["boundary_confidence"], at in parent_of))
            if comment["parent_confidence"] is not None and gold.get("links_known") and at in parent_of:
                parent = parent_of[at]
                right = parent is not None and true[parent] == found[comment["parent"]]
                links.append((comment["parent_confidence"], right))
    return [*tenths("starts", starts), *tenths("answers", links)]


def tenths(name: str, said: Sequence[tuple[float, bool]]) -> Iterator[str]:
    """Yield a line for each tenth of (stated, right); ``reading_model.calibration`` reads those on starts."""
    for tenth, its in groupby(sorted(said), lambda one: min(9, int(one[0] * 10))):
        some = list(its)
        mean, right = (statistics.fmean(column) for column in zip(*some, strict=True))
        mark = "  !" if len(some) >= CASES and abs(mean - right) > OFF else ""
        stated = f"{tenth / 10:.1f}-{(tenth + 1) / 10:.1f}"
        yield f"{name:7} {stated} {len(some):6d}  mean {mean:.3f} right {right:.3f}{mark}"


def measure_speed(score: ModuleType, golds: Sequence[str], styles: Sequence[str]) -> None:
    print("                n     MB   MB/s")
    for style in styles:
        texts = ["\n".join(score.lines_of(json.loads(gold), style)[0]) + "\n" for gold in golds]
        size, rounds = sum(len(text.encode()) for text in texts) / 1e6, []
        for _ in range(EACH):
            started = time.process_time()
            for text in texts:
                recover(text)
            rounds.append(time.process_time() - started)
        print(f"{style:12} {len(texts):4d} {size:6.2f} {size / statistics.median(rounds):6.2f}", flush=True)


def long_pages(golds: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Yield (name, text) of pages to take apart for their size; none has a template."""
    parts = [
        (one["article_paragraphs"], [p for c in one["comments"] for p in c["paragraphs"]])
        for one in map(json.loads, golds)
    ]
    articles, comments = ([" ".join(p.split()) for its in column for p in its] for column in zip(*parts, strict=True))
    lines = [line for line in articles + comments if len(line) > LONG and not any(map(str.isdigit, line))]
    total = sum(len(line.encode()) + 1 for line in lines) / 1e6
    yield "nothing", ""
    for size in (1, 2, 4):
        yield (
            "paragraphs",
            "\n".join(line for at, line in enumerate(lines) if int(at * size / total) > int((at - 1) * size / total)),
        )
    chance = random.Random(1)
    for count in (12_500, 25_000, 50_000):
        some = (chance.choices(FEW_WORDS.split(), k=chance.randint(1, 6)) for _ in range(count))
        yield "few words", "\n".join(map(" ".join, some))


CHILD = """
import sys, time
sys.path.insert(0, sys.argv[1])
from archive.ingest.structure import recover
recover("one\\ntwo\\nthree\\nfour")
text = open(sys.argv[2], encoding="utf-8").read()
started = time.process_time()
found = recover(text)
seconds = time.process_time() - started
peak = next(line.split()[1] for line in open("/proc/self/status") if line.startswith("VmHWM"))
print(len(found.comments), seconds, peak)
"""


def measure_growth(golds: Sequence[str]) -> None:
    print("page             MB   lines comments   MB/s  peak MB")
    for name, text in long_pages(golds):
        with tempfile.NamedTemporaryFile("w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            # VmHWM of a process of its own: getrusage would tell the parent's peak across exec.
            done = subprocess.run(
                [sys.executable, "-c", CHILD, str(ROOT), file.name], capture_output=True, text=True, check=True
            )
        comments, seconds, peak = map(float, done.stdout.split())
        size = len(text.encode()) / 1e6
        rate = size / max(1e-3, seconds)
        print(
            f"{name:12} {size:6.2f} {text.count(chr(10)):7d} {comments:8.0f} {rate:6.2f} {peak / 1e3:8.0f}", flush=True
        )


def measure_reading_model(score: ModuleType, golds: Sequence[str], options: argparse.Namespace) -> None:
    model = ReadingModel(options.endpoint, options.model, os.environ.get("AFTERWORD_READING_MODEL_KEY", ""))
    some = golds[:: max(1, len(golds) // options.limit)][: options.limit] if options.limit else golds
    for style in options.styles or ["bare", "alone"]:
        print(measure(score, some, style, [model] * len(some)), flush=True)


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    parser.add_argument("dev", nargs="?", type=Path, default=SHARED / "dev.jsonl")
    parser.add_argument(
        "--speed", action="store_true", help="measure speed and memory alone, with the built-in weights"
    )
    parser.add_argument("--encoders", type=Path, help="a folder with an encoder for each fold, which did not see it")
    parser.add_argument("--endpoint", help="a chat API, up to /chat/completions")
    parser.add_argument("--model", default="", help="the model's name there")
    parser.add_argument("--limit", type=int, default=0, help="how many discussions it is asked about; 0 is all")
    parser.add_argument("--styles", nargs="*", default=[], help="bare, alone, or the marked ones; all if absent")
    return parser.parse_args()


def main() -> int:
    options = arguments()
    dev = options.dev
    for needed in (dev, SHARED / "score.py"):
        if not needed.exists():
            print(f"{needed} is not here: the labelled discussions are not part of the project")
            return 1
    score = load_score()
    golds = dev.read_text(encoding="utf-8").rstrip("\n").split("\n")
    if options.speed:
        measure_speed(score, golds[::EACH], options.styles or ["bare", "alone", *score.STYLES])
        measure_growth(golds)
        return 0
    print(HEAD)
    if options.endpoint:
        measure_reading_model(score, golds, options)
        return 0
    encoders = [Remembering(options.encoders / str(fold)) for fold in range(train.FOLDS)] if options.encoders else []
    models, links = train.cross_validated(train.load(dev), encoders), train_links.cross_validated(dev)
    trained = [Trained(model, its) for model, its in zip(models, links, strict=True)]
    for style in options.styles or ["bare", "alone", *score.STYLES]:
        print(measure(score, golds, style, trained), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
