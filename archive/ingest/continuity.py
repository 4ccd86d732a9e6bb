"""Which comment of an earlier reading lives on as which comment of a new one, and where a place in its text went.

Pure: no Django. Comments are matched by the overlap of their spans in the source, and by their names where a format
has no spans, so that moving the place where a comment begins changes nothing of who it is. Offsets count code points;
spans are half-open.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from typing import NamedTuple

from archive.ingest.records import Span

AROUND = 30  # code points on both sides of a place by which it is found again where its line was cut differently


class Known(NamedTuple):
    """A comment: its name in its source, or a digest of it, and where it is in the source, if that is known."""

    key: bytes
    span: Span | None


class Overlap(NamedTuple):
    """So many code points of an earlier comment are in a new one; both are indices."""

    size: int
    earlier: int
    new: int


def overlaps(earlier: Sequence[Known], new: Sequence[Known]) -> list[Overlap]:
    """All pairs that share a part of the source, in the order of ``earlier``. No two spans of ``new`` overlap."""
    theirs = sorted((one.span, index) for index, one in enumerate(new) if one.span)
    found = []
    for index, one in enumerate(earlier):
        if one.span is None:
            continue
        at = bisect_right(theirs, one.span.start, key=lambda pair: pair[0].end)
        while at < len(theirs) and theirs[at][0].start < one.span.end:
            span, other = theirs[at]
            found.append(Overlap(min(one.span.end, span.end) - max(one.span.start, span.start), index, other))
            at += 1
    return found


def match(earlier: Sequence[Known], new: Sequence[Known], shared: Sequence[Overlap]) -> dict[int, int]:
    """New index -> the earlier index that lives on in it.

    The largest overlap wins: of a comment that was split, the larger part is still that comment, of two that were
    joined, the larger one goes on. At a tie, the first in the source. What shares nothing is matched by its name.
    """
    lives: dict[int, int] = {}
    taken = set[int]()
    for _, index, other in sorted(shared, key=lambda one: -one.size):  # stable: ties stay in the order of the source
        if index not in taken and other not in lives:
            lives[other] = index
            taken.add(index)
    named = {one.key: index for index, one in enumerate(earlier) if index not in taken}
    for other, one in enumerate(new):
        if other not in lives and one.key in named:
            lives[other] = named.pop(one.key)
    return lives


def heirs(gone: Sequence[int], shared: Sequence[Overlap]) -> dict[int, int | None]:
    """Earlier index -> the new index that holds most of its text, the first at a tie; None where none does."""
    best: dict[int, Overlap] = {}
    for one in shared:
        if one.earlier not in best or one.size > best[one.earlier].size:
            best[one.earlier] = one
    return {index: best[index].new if index in best else None for index in gone}


def moved(old: str, new: str, start: int, end: int) -> int | None:
    """Where ``old[start:end]`` begins in ``new``: in the same whole lines, or between the same words around it.

    None where it cannot be found again.
    """
    if old == new:
        return start
    first = old.rfind("\n", 0, start) + 1
    last = f"{old}\n".index("\n", end)
    at = f"\n{new}\n".find(f"\n{old[first:last]}\n")
    if at < 0:
        first, last = max(first, start - AROUND), min(last, end + AROUND)
        at = new.find(old[first:last])
    return at + start - first if at >= 0 else None
