"""A small transformer that reads the lines of a page word by word, each with the lines around it. Optional.

It is used where the extra ``encoder`` is installed (onnxruntime, sentencepiece) and AFTERWORD_ENCODER is not "off".
Its weights are in encoder/: model.onnx, int8, and pieces.model, how text becomes pieces. Both are written by
``train_encoder``. It says its opinion of each line; how much that counts is learned with the other opinions: see model.
"""

from __future__ import annotations

import os
import unicodedata
from collections.abc import Iterator, Sequence
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

FOLDER = Path(__file__).with_name("encoder")
MODEL, PIECES, HEAD = "model.onnx", "pieces.model", "head.npz"

BEGIN, PAD, MARK = 0, 1, 2  # pieces: of a window, after its end, before each line
FIRST, LAST = 40, 16  # pieces of a line's beginning and of its end that are read; what lies between is left out
LONGEST = 2_000  # code points at each end of a line that are cut into pieces
WINDOW = 384  # pieces that are read together
BEFORE = 128  # pieces of it, at most, of lines above those that are asked about
MOST_BEFORE = 12  # lines
MOST = 5_000  # lines; a longer page is not read, or it would take minutes
OPINIONS = 3  # a writer begins on this line; it is a reader's, not the article's; it is the first of a reader

Array = NDArray[np.float32]


class Window(NamedTuple):
    """Lines ``first`` to before ``end`` are read together, and those from ``asked`` on are asked about."""

    first: int
    asked: int
    end: int


def windows_of(sizes: Sequence[int]) -> Iterator[Window]:
    """Yield windows that ask about each line once. ``sizes`` are the pieces of each line, its mark among them."""
    total, asked = len(sizes), 0
    while asked < total:
        first, used = asked, 1
        while first and asked - first < MOST_BEFORE and used + sizes[first - 1] <= BEFORE:
            first -= 1
            used += sizes[first]
        end = asked
        while end < total and used + sizes[end] <= WINDOW:
            used += sizes[end]
            end += 1
        yield Window(first, asked, end)
        asked = end


def cut(pieces: Sequence[int]) -> list[int]:
    """Return the mark and the pieces of a line that are read."""
    return [MARK, *(pieces if len(pieces) <= FIRST + LAST else [*pieces[:FIRST], *pieces[-LAST:]])]


def clean(text: str) -> str:
    """Return what of a line is cut into pieces."""
    some = text if len(text) <= 2 * LONGEST else text[:LONGEST] + " " + text[-LONGEST:]
    return unicodedata.normalize("NFKC", some)


class Encoder:
    """Reads lines. ``session`` is onnxruntime's, ``pieces`` sentencepiece's processor."""

    def __init__(self, session: Any, pieces: Any) -> None:
        self._session, self._pieces = session, pieces

    def read(self, texts: Sequence[str]) -> Array:
        """Return what it says of each of the lines, as log odds: (n, OPINIONS). Linear in their number."""
        told = np.zeros((len(texts), OPINIONS), np.float32)
        lines = [cut(pieces) for pieces in self._pieces.encode([clean(text) for text in texts])]
        # One window at a time: several would be padded to one length, and take more time and far more memory.
        for its in windows_of([len(line) for line in lines]):
            read = lines[its.first : its.end]
            pieces = np.array([[BEGIN, *(piece for line in read for piece in line)]])
            marks = np.cumsum([1, *(len(line) for line in read[:-1])])[None]
            (said,) = self._session.run(None, {"pieces": pieces, "marks": marks})
            told[its.asked : its.end] = said[0, its.asked - its.first :]
        return told


def opened(folder: Path = FOLDER, threads: int = 1) -> Encoder:
    """Return the encoder whose weights are in ``folder``. One thread: workers share the machine with the web."""
    import onnxruntime
    import sentencepiece

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
    options.log_severity_level = 3
    # Windows differ in length: an arena would keep memory of each, and never give it back.
    options.enable_cpu_mem_arena = False
    session = onnxruntime.InferenceSession(str(folder / MODEL), options, providers=["CPUExecutionProvider"])
    return Encoder(session, sentencepiece.SentencePieceProcessor(model_file=str(folder / PIECES)))


def is_installed() -> bool:
    """Say whether pages are to be read with the encoder: its libraries and weights are here, and it is not off."""
    if os.environ.get("AFTERWORD_ENCODER", "").strip().lower() == "off" or not (FOLDER / MODEL).is_file():
        return False
    return all(find_spec(name) is not None for name in ("onnxruntime", "sentencepiece"))


@cache
def built_in() -> Encoder | None:
    """Return the encoder that comes with the project, or None where it is not installed."""
    return opened() if is_installed() else None
