"""What a comment's place and head rest on, in sentences: stated, inferred by whom and why, settled, or unknown."""

from __future__ import annotations

from typing import NamedTuple

from archive.ingest.records import Basis
from archive.queries import Grounds
from archive.views.thread import percent

BY = "read by "  # how the reason of a reading model begins: its name and a colon follow
SENTENCES = {
    Basis.STATED.value: "The source says so.",
    Basis.REVIEWED.value: "An archivist read the source and settled it.",
    Basis.UNKNOWN.value: "The source does not say, and nothing in it tells.",
}


class Ground(NamedTuple):
    """``basis`` is a word for the page, ``why`` a sentence. Neither is HTML."""

    about: str
    basis: str
    why: str


def told(grounds: Grounds, *, is_root: bool) -> list[Ground]:
    """Where the comment starts, whom it answers, who wrote it and when: what each of these rests on."""
    g = grounds
    place = "That it answers the article" if is_root and g.parent_basis != Basis.UNKNOWN else "Whose reply it is"
    return [
        _ground("Where it starts", g.boundary_basis, g.boundary_confidence, g.boundary_reason),
        _ground(place, g.parent_basis, g.parent_confidence, g.parent_reason),
        _ground("Who wrote it", g.author_basis, g.author_confidence, g.author_reason),
        _ground("When", g.date_basis, g.date_confidence, g.date_reason),
    ]


def _ground(about: str, basis: str, confidence: float | None, reason: str | None) -> Ground:
    if basis != Basis.INFERRED:
        return Ground(about, basis, SENTENCES[basis])
    sure = percent(confidence)
    reader, why = "This archive\u2019s own model", reason or ""
    if why.startswith(BY):
        name, _, why = why.removeprefix(BY).partition(": ")
        reader = f"The reading model {name}"
    said = f"{reader} concluded it{f', {sure}\u00a0% sure' if sure is not None else ''}"
    return Ground(about, basis, f"{said}: {why}." if why else f"{said}.")
