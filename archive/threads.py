"""Parent links to thread order: where each comment stands, how deep, and how many stand below it. And the other orders.

Pure. Nothing here recurses, because a chain of a million replies is only a large file; every step is linear in the
number of comments, but for sorting them, and what is kept per comment is four machine integers.
"""

from __future__ import annotations

import sys
from array import array
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from archive.ingest.records import Problem

TOP_LEVEL = -1
MISSING = -2  # a parent was named, and there is no such comment

ORDERED_FROM = 200  # comments; the other orders of a longer thread are stored, those of a shorter one made as asked for
LEVELS = (1, 2, 3)  # how many levels a reader can ask to see, besides all

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


class Sort(StrEnum):
    """Orders of a thread. All but the last keep a comment and what is below it together: they order siblings.

    Comments without a date come after those with one, in thread order, whether the oldest or the newest come first.
    """

    THREAD = "thread"  # as the source has them
    OLDEST = "oldest"
    NEWEST = "newest"
    DISCUSSED = "discussed"  # most replies first, direct and indirect
    FLAT = "flat"  # all comments by date, without regard to what they answer


type Times = Sequence[float | None]  # seconds since 1970, by rank; None without a date


def ordered(sort: Sort, depth: Sequence[int], subtree_size: Sequence[int], posted: Times) -> array[int]:
    """The ranks of a thread in the order ``sort``; all sequences are indexed by rank.

    Parents are placed before their replies, level by level, and each takes as much room as its subtree needs.
    """
    count = len(depth)
    if sort == Sort.THREAD:
        return array("i", range(count))
    key = _sort_key(sort, subtree_size, posted)
    if sort == Sort.FLAT:
        return array("i", sorted(range(count), key=key))
    parent = _parents(depth)
    order, free = array("i", [0]) * count, array("i", [0]) * (count + 1)  # the last is the top level's
    for rank in sorted(range(count), key=lambda rank: (depth[rank], key(rank))):
        place = free[parent[rank]]
        order[place] = rank
        free[rank] = place + 1
        free[parent[rank]] = place + 1 + subtree_size[rank]
    return order


def _sort_key(sort: Sort, subtree_size: Sequence[int], posted: Times) -> Callable[[int], tuple[float, ...]]:
    def by_size(rank: int) -> tuple[float, ...]:
        return (-subtree_size[rank], rank)

    def by_date(rank: int) -> tuple[float, ...]:
        at = posted[rank]
        if at is None:
            return (1, 0, rank)
        return (0, -at, -rank) if sort == Sort.NEWEST else (0, at, rank)

    return by_size if sort == Sort.DISCUSSED else by_date


def _parents(depth: Sequence[int]) -> array[int]:
    """The rank of each comment's parent, the number of comments for the top level's."""
    count = len(depth)
    parent, above = array("i", [count]) * count, array("i")
    for rank in range(count):
        del above[depth[rank] :]
        if above:
            parent[rank] = above[-1]
        above.append(rank)
    return parent


def down_to(levels: int, order: Sequence[int], depth: Sequence[int]) -> array[int]:
    """The part of an order that is on the first ``levels`` levels; all of it for 0."""
    return array("i", order if not levels else (rank for rank in order if depth[rank] < levels))


def orders(depth: Sequence[int], subtree_size: Sequence[int], posted: Times) -> Iterator[tuple[Sort, int, bytes]]:
    """Every order that a reader can ask for, with its number of levels, packed; but for the thread's own."""
    for sort in Sort:
        order = ordered(sort, depth, subtree_size, posted)
        for levels in (0, *LEVELS) if sort != Sort.FLAT else (0,):
            if sort != Sort.THREAD or levels:
                yield sort, levels, packed(down_to(levels, order, depth))


def packed(order: array[int]) -> bytes:
    """Four bytes a rank, little-endian, so that a page of an order is a part of a string."""
    return _little_endian(order).tobytes()


def unpacked(page: bytes) -> list[int]:
    return _little_endian(array("i", page)).tolist()


def _little_endian(order: array[int]) -> array[int]:
    if sys.byteorder == "big":
        order = order[:]
        order.byteswap()
    return order
