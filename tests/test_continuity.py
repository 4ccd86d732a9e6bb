"""Which comment lives on as which: by the overlap of spans, the larger part first; and where a place in a text went."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archive.ingest.continuity import Known, heirs, match, moved, overlaps
from archive.ingest.records import Span


def known(*spans: tuple[int, int]) -> list[Known]:
    return [Known(str(span).encode(), Span(*span)) for span in spans]


def lives(earlier: list[Known], new: list[Known]) -> dict[int, int]:
    return match(earlier, new, overlaps(earlier, new))


@pytest.mark.parametrize(
    ("earlier", "new", "expected"),
    [
        ([(0, 10), (10, 20)], [(0, 7), (7, 20)], {0: 0, 1: 1}),  # a boundary moved
        ([(0, 10)], [(0, 4), (4, 10)], {1: 0}),  # a split: the larger part
        ([(0, 10)], [(0, 5), (5, 10)], {0: 0}),  # a tie: the first
        ([(0, 4), (4, 10)], [(0, 10)], {0: 1}),  # a join: the larger one
        ([(0, 5), (5, 10)], [(0, 10)], {0: 0}),
        ([(0, 10)], [(10, 20)], {}),  # side by side is not shared
        ([], [(0, 3)], {}),
    ],
)
def test_the_largest_overlap_wins(
    earlier: list[tuple[int, int]], new: list[tuple[int, int]], expected: dict[int, int]
) -> None:
    assert lives(known(*earlier), known(*new)) == expected


def test_what_has_no_place_is_matched_by_its_name() -> None:
    earlier = [Known(b"a", None), Known(b"b", None)]
    assert lives(earlier, [Known(b"b", None), Known(b"c", None)]) == {0: 1}


def test_what_was_joined_leads_to_where_most_of_it_went() -> None:
    earlier, new = known((0, 10), (20, 30)), known((0, 3), (3, 12))
    assert heirs([0, 1], overlaps(earlier, new)) == {0: 1, 1: None}


cuts = st.lists(st.integers(0, 40), max_size=8, unique=True).map(sorted)


@given(cuts, cuts)
def test_every_pair_that_overlaps_is_found_and_none_twice(a: list[int], b: list[int]) -> None:
    earlier, new = (known(*pairwise(some)) for some in (a, b))
    found = {(one.earlier, one.new): one.size for one in overlaps(earlier, new)}
    sizes = {
        (i, j): min(x.span.end, y.span.end) - max(x.span.start, y.span.start)
        for i, x in enumerate(earlier)
        for j, y in enumerate(new)
        if x.span and y.span
    }
    assert found == {pair: size for pair, size in sizes.items() if size > 0}
    made = match(earlier, new, overlaps(earlier, new))
    assert len(set(made.values())) == len(made)


@pytest.mark.parametrize(
    ("new", "expected"),
    [
        ("one\nin Riga\nthree", 7),
        ("in Riga\nthree", 3),  # the line before it went
        ("zero\none\nin Riga", 12),
        ("they met in Riga", 12),  # its line became a part of another
        ("one\nthree", None),
        ("", None),
    ],
)
def test_a_place_is_found_in_its_line(new: str, expected: int | None) -> None:
    old = "one\nin Riga\nthree"
    assert old[7:11] == "Riga"
    assert moved(old, new, 7, 11) == expected
