"""What the encoder is shown while it learns."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from archive.ingest.structure.encoder import BEGIN, MARK, WINDOW
from archive.ingest.structure.encoder_pages import (
    ARTICLE,
    BEGINS,
    FIRST,
    GOES_ON,
    MOST_POSTS,
    MOST_WINDOWS,
    UNKNOWN,
    Page,
    Part,
    batches,
    discussion,
    parts_of,
    thread,
)


class Pieces:
    """Cuts a line into its words, all of the same number."""

    def encode(self, texts: list[str]) -> list[list[int]]:
        return [[9] * len(text.split()) for text in texts]


def page(article: int, comments: int, words: int = 20) -> Page:
    roles = [ARTICLE] * article + [FIRST] + [BEGINS] * (comments - 1)
    return Page([[MARK, *[9] * words]] * len(roles), np.array(roles), 1.0)


def shown(its: Page, seed: int = 1) -> list[Part]:
    return parts_of(its, np.random.default_rng(seed))


def test_of_a_discussion_each_line_has_its_role() -> None:
    comments = [{"paragraphs": ["one", " \n ", "two"]}, {"paragraphs": ["three"]}, {"paragraphs": [""]}]
    found = discussion({"article_paragraphs": ["a b", "c"], "comments": comments}, Pieces(), 1.0)
    assert found.roles.tolist() == [ARTICLE, ARTICLE, FIRST, GOES_ON, BEGINS]
    assert found.lines[0] == [MARK, 9, 9]


def test_who_wrote_the_first_post_of_a_thread_is_not_asked() -> None:
    found = thread({"posts": [["one", "two"], ["three"], ["four", "five"]]}, Pieces())
    assert found.roles.tolist() == [UNKNOWN, GOES_ON, BEGINS, BEGINS, GOES_ON]
    assert found.article == 0


def test_a_long_thread_is_cut() -> None:
    assert len(thread({"posts": [["one"]] * 500}, Pieces()).lines) == MOST_POSTS


def test_a_long_discussion_counts_less() -> None:
    gold = {"article_paragraphs": ["a"], "comments": [{"paragraphs": ["x"] * 119}]}
    assert discussion(gold, Pieces(), 1.0).weight == pytest.approx(0.5)


@pytest.mark.parametrize("seed", range(5))
def test_all_below_the_article_is_shown(seed: int) -> None:
    parts = [part for part in shown(page(30, 40), seed) if part.end > 30]
    assert parts[0].first <= 30
    assert parts[-1].end == 70
    assert all(part.first <= before.end for before, part in pairwise(parts))


def test_of_a_huge_discussion_some_windows_are_shown_and_always_the_first() -> None:
    parts = [part for part in shown(page(10, 2_000)) if part.end > 10]
    assert len(parts) == MOST_WINDOWS
    assert parts[0].first <= 10


def test_a_window_begins_with_its_mark_and_fits() -> None:
    for part in shown(page(30, 40)):
        assert part.pieces[:2] == [BEGIN, MARK]
        assert len(part.pieces) <= WINDOW


def test_a_batch_has_few_pieces_and_none_is_lost() -> None:
    parts = shown(page(30, 200))
    found = batches(parts, 1_000, np.random.default_rng(1))
    assert sorted(part.first for batch in found for part in batch) == sorted(part.first for part in parts)
    assert all(len(batch) * max(len(part.pieces) for part in batch) <= 1_000 for batch in found)
