"""Measure structure recovery on sites the model did not see: ``python tests/bench/structure.py [DEV.jsonl]``.

    python tests/bench/structure.py --endpoint URL --model NAME [--limit N] [DEV.jsonl]

asks a reading model instead, about N discussions spread over the file; AFTERWORD_READING_MODEL_KEY is its key.
Five models, each trained without the sites it is asked about; then the figures of shared/structure/score.py.
"""

import argparse
import contextlib
import importlib.util
import io
import json
import os
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType

ROOT = Path(__file__).resolve().parents[2]
SHARED = ROOT.parent / "shared" / "structure"
sys.path.insert(0, str(ROOT))

from archive.ingest.reading_model import ReadingModel
from archive.ingest.structure import recover, train
from archive.ingest.structure.model import Model


def load_score() -> ModuleType:
    spec = importlib.util.spec_from_file_location("score", SHARED / "score.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def answer(text: str, name: str, model: Model | ReadingModel) -> str:
    if isinstance(model, ReadingModel):
        taken = model.take_apart(text)
        found = taken.found
        for problem in taken.problems:
            print(f"{name}: {problem}", file=sys.stderr)
    else:
        found = recover(text, model)
    comments = [
        {"start": c.span.start, "end": c.span.end, "parent": c.parent, "boundary_confidence": c.boundary.confidence}
        for c in found.comments
    ]
    return json.dumps({"source": name, "article": found.article._asdict(), "comments": comments})


def measure(score: ModuleType, dev: Path, style: str, models: Sequence[Model | ReadingModel]) -> str:
    with dev.open(encoding="utf-8") as file:
        texts = ["\n".join(score.lines_of(json.loads(row), style)[0]) + "\n" for row in file]
    started = time.process_time()  # of this process: other work on the machine does not count
    answers = [answer(text, f"{n:04d}.txt", models[n]) for n, text in enumerate(texts)]
    seconds = time.process_time() - started
    size = sum(len(text.encode()) for text in texts) / 1e6
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "answers.jsonl"
        path.write_text("\n".join(answers), encoding="utf-8")
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            score.score(dev, path, style)
    silent = sum('"comments": []' in line for line in answers) / len(answers)
    return f"{style}: no comments found in {silent:.3f}; {size / seconds:.2f} MB/s\n{printed.getvalue()}"


def measure_reading_model(dev: Path, options: argparse.Namespace) -> None:
    model = ReadingModel(options.endpoint, options.model, os.environ.get("AFTERWORD_READING_MODEL_KEY", ""))
    with dev.open(encoding="utf-8") as file:
        rows = list(file)
    rows = rows[:: max(1, len(rows) // options.limit)][: options.limit] if options.limit else rows
    with tempfile.TemporaryDirectory() as folder:
        some = Path(folder) / "some.jsonl"
        some.write_text("".join(rows), encoding="utf-8")
        for style in ("bare", "alone"):
            print(measure(load_score(), some, style, [model] * len(rows)))


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    parser.add_argument("dev", nargs="?", type=Path, default=SHARED / "dev.jsonl")
    parser.add_argument("--endpoint", help="a chat API, up to /chat/completions")
    parser.add_argument("--model", default="", help="the model's name there")
    parser.add_argument("--limit", type=int, default=0, help="how many discussions it is asked about; 0 is all")
    return parser.parse_args()


def main() -> int:
    options = arguments()
    dev = options.dev
    for needed in (dev, SHARED / "score.py"):
        if not needed.exists():
            print(f"{needed} is not here: the labelled discussions are not part of the project")
            return 1
    if options.endpoint:
        measure_reading_model(dev, options)
        return 0
    models = train.cross_validated(train.load(dev))
    for style in ("bare", "alone"):
        print(measure(load_score(), dev, style, models))
    return 0


if __name__ == "__main__":
    sys.exit(main())
