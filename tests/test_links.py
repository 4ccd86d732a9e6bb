"""Whom a comment answers, by what it says and who wrote it."""

import json
from pathlib import Path

import pytest

from archive.ingest.records import UNKNOWN, Basis, Span
from archive.ingest.structure.links import (
    PAIR,
    WEIGHTS,
    WIDTH,
    Page,
    Told,
    around,
    candidates,
    links_of,
    rows,
    weights,
)


def told(*comments: tuple[str, str]) -> Page:
    return Page([Told(text, author) for author, text in comments], [None] * len(comments))


def features(page: Page, index: int, parents: list[int | None], other: int) -> dict[str, float]:
    found, matrix = rows(page, index, parents, [0] * len(parents))
    return dict(zip(PAIR, matrix[found.index(other)], strict=True))


def spans_of(*texts: str) -> tuple[str, list[Span]]:
    text = "\n".join(texts)
    return text, [Span(at := text.index(one), at + len(one)) for one in texts]


def test_candidates_are_the_comment_before_and_its_ancestors() -> None:
    page = told(("a", "one"), ("b", "two"), ("c", "three"), ("d", "four"))
    assert candidates(page, 3, [None, 0, None]) == [2]
    assert candidates(page, 3, [None, 0, 1]) == [2, 1, 0]


def test_somebody_who_is_named_is_a_candidate() -> None:
    page = told(("Anna", "one"), ("Bo", "two"), ("Cy", "@Anna, three"))
    assert candidates(page, 2, [None, None]) == [1, 0]
    assert features(page, 2, [None, None], 0)["named_first"] == 1


def test_nobody_is_called_anonymous() -> None:
    assert candidates(told(("Anonymous", "one"), ("Bo", "two"), ("Cy", "anonymous, hm")), 2, [None, None]) == [1]


def test_trees_see_a_comment_between_its_neighbours() -> None:
    page = told(("Anna", "why?"), ("Bo", "two"), ("Anna", "three"))
    seen, width = around(page), (WIDTH - 1) // 4
    assert seen.shape == (3, WIDTH)
    assert seen[1, width : 2 * width].tolist() == seen[0, :width].tolist()
    assert seen[1, 2 * width : 3 * width].tolist() == seen[2, :width].tolist()
    assert seen[:, width - 2 : width].tolist() == [[0, 2], [0, 0], [2, 0]]  # since and until the same author's
    assert seen[2, -1] == pytest.approx(2 / 3)


def test_answering_back_is_seen() -> None:
    page = told(("Anna", "one"), ("Bo", "two"), ("Anna", "three"))
    assert features(page, 2, [None, 0], 1)["answers_back"] == 1
    assert features(page, 2, [None, None], 1)["answers_back"] == 0


def test_words_that_all_share_make_nothing_alike() -> None:
    page = told(("a", "bridge ferry"), ("b", "bridge tunnel"), ("c", "bridge tunnel"))
    assert page.likeness(2, 1) > page.likeness(1, 0)


def test_a_long_quote_names_the_parent() -> None:
    first, other = "the bridge was never safe in winter", "I would rather swim"
    text, spans = spans_of(first, other, f"“{first}” who told you that?")
    parent, claim = links_of(text, spans)[2]
    assert (parent, claim.basis) == (0, Basis.INFERRED)
    assert "quotes it" in claim.reason


def test_nobody_is_surer_of_an_answer_than_that_it_answers_a_comment() -> None:
    first = "the bridge was never safe in winter"
    text, spans = spans_of(first, "I would rather swim", f"“{first}” who told you that?")
    sure, less = (links_of(text, spans, comments_sure=its)[2][1].confidence for its in ([], [0.5, 0.9, 0.9]))
    assert sure is not None
    assert less == pytest.approx(sure / 2, abs=0.001)


def test_the_first_comment_answers_nobody() -> None:
    text, spans = spans_of("Anna, why?")
    assert links_of(text, spans, ["Anna"]) == [(None, UNKNOWN)]


def test_weights_name_every_feature() -> None:
    table = json.loads(WEIGHTS.read_text())
    assert set(table["named"]) == set(table["bare"]) == set(PAIR)
    assert {name: its for name, its in weights().items() if name != "trees"} == table
    assert all(trees.wanted.max() < WIDTH for trees in weights()["trees"].values())


def test_training_is_the_same_each_time(tmp_path: Path) -> None:
    pytest.importorskip("numpy")
    from archive.ingest.structure import train_links

    comments = [
        {"id": str(n), "parent_id": parent, "author": author, "paragraphs": [text]}
        for n, (parent, author, text) in enumerate([(None, "a", "one?"), ("0", "b", "yes"), (None, "c", "so")])
    ]
    gold = {"site": "s", "links_known": True, "article_paragraphs": ["about"], "comments": comments}
    path = tmp_path / "gold.jsonl"
    path.write_text(json.dumps(gold) + "\n" + json.dumps(gold | {"links_known": False}) + "\n")
    threads = train_links.load(path)
    assert [thread.parents for thread in threads] == [[None, 0, None]]
    for name in ("once.json", "twice.json"):
        train_links.main([str(path), str(tmp_path / name)])
    for suffix in (".json", ".npz"):
        assert (tmp_path / f"once{suffix}").read_bytes() == (tmp_path / f"twice{suffix}").read_bytes()
