"""A page as the model sees it: everything that is measured of its lines, once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from archive.ingest.structure.encoder import MOST, Encoder
from archive.ingest.structure.features import NAMES as PLAIN
from archive.ingest.structure.features import features_of
from archive.ingest.structure.habits import HABITS, habits_of
from archive.ingest.structure.hashed import Places, places_of
from archive.ingest.structure.lines import Line
from archive.ingest.structure.views import Views
from archive.ingest.structure.vocabulary import Vocabulary

NAMES = PLAIN + HABITS


@dataclass(frozen=True)
class Page:
    """``rows`` is (lines, NAMES); ``places`` and ``after`` are as ``places_of`` returns them.

    ``told`` is what the encoder says of the lines, None where it was not asked.
    """

    rows: NDArray[np.float32]
    places: Places
    after: Places
    told: NDArray[np.float32] | None = None

    @cached_property
    def views(self) -> Views:
        return Views(self.rows)


def look_at(lines: Sequence[Line], encoder: Encoder | None = None) -> Page:
    """Return what is seen of the lines; there must be at least one, and for the ``encoder`` not above MOST."""
    texts = [line.text for line in lines]
    words = Vocabulary(texts)
    rows = np.hstack([features_of(texts, words), habits_of(texts, words)], dtype=np.float32, casting="same_kind")
    told = encoder.read(texts) if encoder and len(texts) <= MOST else None
    return Page(rows, *places_of(texts), told)
