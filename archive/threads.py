"""Parent links to thread order: where each comment stands, how deep, and how many stand below it.

Pure. Nothing here recurses, because a chain of a million replies is only a large file; every step is linear in the
number of comments, and what is kept per comment is four machine integers.
"""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from dataclasses import dataclass

from archive.ingest.records import Problem

TOP_LEVEL = -1
MISSING = -2  # a parent was named, and there is no such comment

NAMED_PROBLEMS = 20  # of each kind; a broken export must not turn into a report as long as itself


@dataclass(frozen=True, slots=True)
class Arrangement:
    """The thread order of one article's comments. Every array is indexed by source position, 0-based.

    parent:        source position of the parent, -1 at top level; orphans and cut cycles are repaired to -1
    rank:          number in pre-order from 0, siblings in source order; a permutation of the positions
    depth:         0 at top level
    subtree_size:  number of descendants, the comment itself not counted: its subtree is rank .. rank + subtree_size
    orphans:       positions whose named parent does not exist, ascending; kept at top level
    cut:           positions whose link to their parent closed a cycle, ascending; kept at top level
    """

    parent: array[int]
    rank: array[int]
    depth: array[int]
    subtree_size: array[int]
    orphans: list[int]
    cut: list[int]

    def problems(self) -> list[Problem]:
        """What had to be repaired. Names at most 20 comments of each kind, counted from 1, then how many more."""
        return [
            *self._described(self.orphans, "the comment it answers is not in the source"),
            *self._described(self.cut, "its reply links lead back to itself"),
        ]

    def _described(self, positions: list[int], what: str) -> list[Problem]:
        done = "kept at top level"
        named = [
            Problem(f"comment {position + 1} of {len(self.parent)}", what, done)
            for position in positions[:NAMED_PROBLEMS]
        ]
        more = len(positions) - len(named)
        return [*named, Problem(f"and {more} more", what, done)] if more else named


def arrange(ids: Sequence[str], parents: Sequence[str | None]) -> Arrangement:
    """Thread order from external ids, both sequences in source order and of one length (else ValueError).

    ``parents`` holds the id of the comment answered, or None. Where an id repeats, replies go to the first.
    """
    if len(ids) != len(parents):
        raise ValueError(f"{len(ids)} ids, but {len(parents)} parents")
    # Filled from the end, so that the first comment with an id is the one that stays.
    position_of = dict(zip(reversed(ids), range(len(ids) - 1, -1, -1), strict=True))
    return renumber(
        array("q", (TOP_LEVEL if parent is None else position_of.get(parent, MISSING) for parent in parents))
    )


def renumber(parents_by_index: Sequence[int]) -> Arrangement:
    """Thread order from positions: each comment's parent as a position in the same sequence, -1 for top level.

    Any other number outside the sequence is a parent that does not exist: the comment becomes an orphan.
    """
    parent, orphans = _without_orphans(parents_by_index)
    cut = _cut_cycles(parent)
    rank, depth, subtree_size = _numbered(parent)
    return Arrangement(parent, rank, depth, subtree_size, orphans, cut)


def _without_orphans(parents_by_index: Sequence[int]) -> tuple[array[int], list[int]]:
    parent = array("q", parents_by_index)
    count = len(parent)
    orphans = [position for position, above in enumerate(parent) if not TOP_LEVEL <= above < count]
    for position in orphans:
        parent[position] = TOP_LEVEL
    return parent, orphans


def _cut_cycles(parent: array[int]) -> list[int]:
    """Cut, in place, each cycle at its first comment in source order. Returns the positions cut, ascending.

    Climbs from each comment until it meets the top or a comment that was climbed before; only where that happened in
    the same climb is there a cycle, so no link is followed more than twice.
    """
    climb_of = _filled(len(parent), -1)
    cut = []
    for start in range(len(parent)):
        position = start
        while position != TOP_LEVEL and climb_of[position] == -1:
            climb_of[position] = start
            position = parent[position]
        if position != TOP_LEVEL and climb_of[position] == start:
            first, member = position, parent[position]
            while member != position:
                first = min(first, member)
                member = parent[member]
            parent[first] = TOP_LEVEL
            cut.append(first)
    return sorted(cut)


def _numbered(parent: array[int]) -> tuple[array[int], array[int], array[int]]:
    """Rank, depth and subtree size of a forest without cycles, by one walk along child and sibling links."""
    first_child, next_sibling = _child_links(parent)
    count = len(parent)
    rank, depth, subtree_size = _filled(count, 0), _filled(count, 0), _filled(count, 0)
    level = 0
    position = first_child[count]
    for number in range(count):
        rank[position] = number
        depth[position] = level
        if first_child[position] != -1:
            position = first_child[position]
            level += 1
            continue
        while position != TOP_LEVEL and next_sibling[position] == -1:
            position = parent[position]
            level -= 1
            if position != TOP_LEVEL:  # all its descendants are numbered now
                subtree_size[position] = number - rank[position]
        if position != TOP_LEVEL:
            position = next_sibling[position]
    return rank, depth, subtree_size


def _child_links(parent: array[int]) -> tuple[array[int], array[int]]:
    """First child and next sibling of each position, -1 for none; the last first child is that of the top level."""
    count = len(parent)
    first_child, next_sibling = _filled(count + 1, -1), _filled(count, -1)
    for position in range(count - 1, -1, -1):  # backwards, so that siblings come out in source order
        above = parent[position] if parent[position] != TOP_LEVEL else count
        next_sibling[position] = first_child[above]
        first_child[above] = position
    return first_child, next_sibling


def _filled(count: int, value: int) -> array[int]:
    return array("q", [value]) * count
