"""Measure structure recovery on sites no model saw: ``python tests/bench/structure.py [DEV.jsonl]``.

    python tests/bench/structure.py --endpoint URL --model NAME [--limit N] [DEV.jsonl]

asks a reading model instead, about N discussions spread over the file; AFTERWORD_READING_MODEL_KEY is its key.
Five models, each trained without the sites it is asked about; then the figures of shared/structure/score.py, a row a
style (bare, alone and the marked ones), and below it a row a language of those with 20 discussions or more.
"""

import argparse
import contextlib
import importlib.util
import io
import json
import os
import re
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

ROOT = Path(__file__).resolve().parents[2]
SHARED = ROOT.parent / "shared" / "structure"
sys.path.insert(0, str(ROOT))

from archive.ingest.reading_model import ReadingModel
from archive.ingest.structure import recover, train, train_links
from archive.ingest.structure.model import Model

FEWEST = 20  # discussions of a language that get a row
HEAD = "                 n  silent  exact within1  start comment   link  edits   MB/s"


class Trained(NamedTuple):
    """What answers for one discussion; none of it saw the discussion's site."""

    model: Model
    links: Mapping[str, Any]


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
        {"start": c.span.start, "end": c.span.end, "parent": c.parent, "boundary_confidence": c.boundary.confidence}
        for c in found.comments
    ]
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
    return "\n".join([*lines, *(line for line in printed.splitlines() if line.startswith("calibrated"))])


def measure_reading_model(score: ModuleType, golds: Sequence[str], options: argparse.Namespace) -> None:
    model = ReadingModel(options.endpoint, options.model, os.environ.get("AFTERWORD_READING_MODEL_KEY", ""))
    some = golds[:: max(1, len(golds) // options.limit)][: options.limit] if options.limit else golds
    for style in options.styles or ["bare", "alone"]:
        print(measure(score, some, style, [model] * len(some)), flush=True)


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    parser.add_argument("dev", nargs="?", type=Path, default=SHARED / "dev.jsonl")
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
    print(HEAD)
    if options.endpoint:
        measure_reading_model(score, golds, options)
        return 0
    models, links = train.cross_validated(train.load(dev)), train_links.cross_validated(dev)
    trained = [Trained(model, its) for model, its in zip(models, links, strict=True)]
    for style in options.styles or ["bare", "alone", *score.STYLES]:
        print(measure(score, golds, style, trained), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
