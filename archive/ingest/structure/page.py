"""A page as the model sees it: everything that is measured of its lines, once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from archive.ingest.structure.features import NAMES as PLAIN
from archive.ingest.structure.features import features_of
from archive.ingest.structure.habits import HABITS, habits_of
from archive.ingest.structure.hashed import Places, places_of
from archive.ingest.structure.lines import Line
from archive.ingest.structure.vocabulary import Known, Vocabulary

NAMES = PLAIN + HABITS


class Page(NamedTuple):
    """``rows`` is (lines, NAMES); ``places`` and ``after`` are as ``places_of`` returns them."""

    rows: NDArray[np.float32]
    places: Places
    after: Places


def look_at(lines: Sequence[Line], known: Known | None = None) -> Page:
    """Return what is seen of the lines; there must be at least one. Their words are added to ``known``."""
    texts = [line.text for line in lines]
    words = Vocabulary(texts, Known() if known is None else known)
    rows = np.hstack([features_of(texts, words), habits_of(texts, words)], dtype=np.float32, casting="same_kind")
    return Page(rows, *places_of(texts))
