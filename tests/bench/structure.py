"""Measure structure recovery on sites the model did not see: ``python tests/bench/structure.py [DEV.jsonl]``.

Five models, each trained without the sites it is asked about; then the figures of shared/structure/score.py.
"""

import contextlib
import importlib.util
import io
import json
import sys
import tempfile
import time
from pathlib import Path
from types import ModuleType

ROOT = Path(__file__).resolve().parents[2]
SHARED = ROOT.parent / "shared" / "structure"
sys.path.insert(0, str(ROOT))

from archive.ingest.structure import recover, train
from archive.ingest.structure.model import Model


def load_score() -> ModuleType:
    spec = importlib.util.spec_from_file_location("score", SHARED / "score.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def answer(text: str, name: str, model: Model) -> str:
    found = recover(text, model)
    comments = [
        {"start": c.span.start, "end": c.span.end, "parent": c.parent, "boundary_confidence": c.boundary.confidence}
        for c in found.comments
    ]
    return json.dumps({"source": name, "article": found.article._asdict(), "comments": comments})


def measure(score: ModuleType, dev: Path, style: str, models: list[Model]) -> str:
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


def main() -> int:
    dev = Path(sys.argv[1]) if len(sys.argv) > 1 else SHARED / "dev.jsonl"
    for needed in (dev, SHARED / "score.py"):
        if not needed.exists():
            print(f"{needed} is not here: the labelled discussions are not part of the project")
            return 1
    models = train.cross_validated(train.load(dev))
    for style in ("bare", "alone"):
        print(measure(load_score(), dev, style, models))
    return 0


if __name__ == "__main__":
    sys.exit(main())
