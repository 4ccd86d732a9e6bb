from __future__ import annotations

from array import array

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archive.threads import NAMED_PROBLEMS, Arrangement, arrange, renumber
from tests.makers import forest

# Few ids among many comments, so that repeats, orphans ("x"), cycles and self-parents are all common.
COMMENTS = st.lists(st.tuples(st.sampled_from("abcdefgh"), st.sampled_from([None, *"abcdefghx"])), max_size=14)


def by_id(text: str, values: str) -> dict[str, int]:
    ids, parents = forest(text)
    return dict(zip(ids, getattr(arrange(ids, parents), values), strict=True))


def test_rank_is_pre_order() -> None:
    assert by_id("a(b(c)d)e", "rank") == {"a": 0, "b": 1, "c": 2, "d": 3, "e": 4}


def test_depth_counts_from_the_top_level() -> None:
    assert by_id("a(b(c)d)e", "depth") == {"a": 0, "b": 1, "c": 2, "d": 1, "e": 0}


def test_subtree_size_counts_descendants() -> None:
    assert by_id("a(b(c)d)e", "subtree_size") == {"a": 3, "b": 1, "c": 0, "d": 0, "e": 0}


def test_siblings_keep_the_order_of_the_source() -> None:
    # By time: the first comment gets its second reply after the second comment was made.
    order = arrange("acbd", [None, None, "a", "a"])
    assert list(order.rank) == [0, 3, 1, 2]


def test_a_reply_may_come_before_its_parent() -> None:
    order = arrange("ba", ["a", None])
    assert (list(order.parent), list(order.rank), list(order.depth)) == ([1, -1], [1, 0], [1, 0])


def test_an_orphan_stays_at_top_level() -> None:
    order = arrange("ab", [None, "gone"])
    assert (order.orphans, list(order.depth), order.cut) == ([1], [0, 0], [])


def test_a_cycle_is_cut_at_its_first_comment() -> None:
    order = arrange("xabc", ["c", "b", "c", "a"])  # x hangs on the cycle and is no part of it
    assert (order.cut, list(order.parent)) == ([1], [3, -1, 3, 1])


def test_a_comment_that_answers_itself_is_cut() -> None:
    order = arrange("ab", [None, "b"])
    assert (order.cut, list(order.parent)) == ([1], [-1, -1])


def test_each_of_several_cycles_is_cut_once() -> None:
    assert arrange("abcd", ["d", "c", "b", "a"]).cut == [0, 1]


def test_replies_go_to_the_first_of_a_repeated_id() -> None:
    assert list(arrange("aab", [None, None, "a"]).parent) == [-1, -1, 0]


def test_renumber_takes_positions() -> None:
    order = renumber([-1, 0, 7, -5])
    assert (list(order.parent), order.orphans) == ([-1, 0, -1, -1], [2, 3])


def test_renumber_leaves_what_it_is_given_alone() -> None:
    given_parents = array("q", [0])
    renumber(given_parents)
    assert list(given_parents) == [0]


def test_no_comments_are_no_error() -> None:
    assert list(arrange([], []).rank) == []


def test_ids_without_parents_are_a_mistake_of_the_caller() -> None:
    with pytest.raises(ValueError, match="2 ids, but 1 parents"):
        arrange("ab", [None])


def test_problems_say_where_what_and_what_was_done() -> None:
    problems = arrange("abc", ["gone", None, "c"]).problems()
    assert [str(problem) for problem in problems] == [
        "comment 1 of 3: the comment it answers is not in the source; kept at top level",
        "comment 3 of 3: its reply links lead back to itself; kept at top level",
    ]


def test_problems_are_bounded() -> None:
    problems = renumber([99] * 25 + list(range(25, 47))).problems()
    assert [problem.where for problem in problems[NAMED_PROBLEMS :: NAMED_PROBLEMS + 1]] == ["and 5 more", "and 2 more"]
    assert len(problems) == 2 * (NAMED_PROBLEMS + 1)


def test_twenty_problems_need_no_summary() -> None:
    assert len(renumber([99] * NAMED_PROBLEMS).problems()) == NAMED_PROBLEMS


@pytest.mark.parametrize("shape", ["chain", "star", "ring"])
def test_a_huge_thread_takes_seconds(shape: str) -> None:
    count = 300_000
    above = {"chain": [-1, *range(count - 1)], "star": [-1] + [0] * (count - 1), "ring": [count - 1, *range(count - 1)]}
    order = renumber(above[shape])
    assert order.subtree_size[0] == count - 1


@given(COMMENTS)
def test_the_same_as_a_naive_arrangement(comments: list[tuple[str, str | None]]) -> None:
    ids, parents = [made for made, _ in comments], [parent for _, parent in comments]
    assert arrange(ids, parents) == naively_arranged(ids, parents)


@given(COMMENTS)
def test_ranks_are_a_permutation_and_subtrees_are_ranges(comments: list[tuple[str, str | None]]) -> None:
    order = arrange([made for made, _ in comments], [parent for _, parent in comments])
    assert sorted(order.rank) == list(range(len(comments)))
    for position, rank in enumerate(order.rank):
        last = rank + order.subtree_size[position]
        in_range = {other for other, number in enumerate(order.rank) if rank < number <= last}
        assert in_range == {other for other in range(len(comments)) if position in ancestors(order, other)}


def ancestors(order: Arrangement, position: int) -> list[int]:
    above = order.parent[position]
    return [] if above == -1 else [above, *ancestors(order, above)]


def naively_arranged(ids: list[str], parents: list[str | None]) -> Arrangement:
    """What arrange() promises, by recursion and repeated search."""
    named = [None if parent is None else ids.index(parent) if parent in ids else -2 for parent in parents]
    parent = [-1 if above is None or above == -2 else above for above in named]
    cut = []
    for start in range(len(ids)):  # in source order, so that the first of a cycle is cut and the rest is none any more
        position = parent[start]
        for _ in ids:
            if position not in (-1, start):
                position = parent[position]
        if position == start:
            parent[start] = -1
            cut.append(start)

    def below(position: int) -> list[int]:
        children = [child for child, above in enumerate(parent) if above == position]
        return [found for child in children for found in [child, *below(child)]]

    def depth(position: int) -> int:
        return 0 if parent[position] == -1 else 1 + depth(parent[position])

    rank = {position: number for number, position in enumerate(below(-1))}
    everyone = range(len(ids))
    return Arrangement(
        array("q", parent),
        array("q", [rank[position] for position in everyone]),
        array("q", [depth(position) for position in everyone]),
        array("q", [len(below(position)) for position in everyone]),
        [position for position, above in enumerate(named) if above == -2],
        cut,
    )
