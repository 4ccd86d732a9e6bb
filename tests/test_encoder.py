"""The encoder that reads pages word by word, where it is installed."""

from __future__ import annotations

import sys
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from archive.ingest import structure
from archive.ingest.structure import encoder as encoders
from archive.ingest.structure import model as models
from archive.ingest.structure import page as pages
from archive.ingest.structure import recover, recovery
from archive.ingest.structure.encoder import BEFORE, FIRST, LAST, MARK, OPINIONS, WINDOW, Encoder, cut, windows_of
from archive.ingest.structure.lines import split_lines
from archive.ingest.structure.model import Model

LONGEST = FIRST + LAST + 1  # pieces of a line with its mark
ARTICLE = (
    "The town library will close its reading room at the end of the month.",
    "The council says that repairs to the roof cost more than the building is worth.",
    "A decision on where the books will go is expected in spring.",
)
COMMENTS = (
    "This is a shame. My grandmother taught me to read in that room, and now it will be flats.",
    "@Peter nobody under thirty goes there, be honest.",
    "Sorry, but I work there, and on Saturdays you will not find a free chair.",
    "Great article, thanks!",
)
TEXT = "\n".join((*ARTICLE, *COMMENTS)) + "\n"
# An article whose headings are as regular as bylines, and dated.
CHRONICLE = """How the harbour was built
The harbour of the town is older than its walls. This is what the council's books say of it.
Entry by the harbour master, 3 March 1811
The first pier is finished. It cost nine hundred guilders, of which the fishermen paid a third.
Entry by the town clerk, 9 June 1812
A storm has taken the end of the pier and two boats. The council orders stone from the quarry in the hills.
Entry by the harbour master, 21 October 1814
The stone pier is finished, and a lamp was set on it. The keeper is paid from the toll on salt.
Entry by the town clerk, 2 May 1820
Steamers from the capital call twice a week in summer. The council lets the old customs house to an innkeeper.
"""


class Session:
    """Says of each line where in its window its mark stands, whose piece follows it, and how long the window is."""

    def __init__(self) -> None:
        self.sizes: list[int] = []

    def run(self, _: None, given: dict[str, Any]) -> list[Any]:
        pieces, marks = given["pieces"], given["marks"]
        self.sizes.append(pieces.size)
        after = np.take_along_axis(pieces, np.minimum(marks + 1, pieces.shape[1] - 1), axis=1)
        size = np.broadcast_to((pieces != encoders.PAD).sum(axis=1, keepdims=True), marks.shape)
        return [np.stack([marks, after, size], axis=2).astype(np.float32)]


class Pieces:
    """Cuts a line into its words, numbered from 10 on by their length."""

    def encode(self, texts: list[str]) -> list[list[int]]:
        return [[10 + len(word) for word in text.split()] for text in texts]


@pytest.fixture
def installed(monkeypatch: pytest.MonkeyPatch) -> Model:
    for name in ("onnxruntime", "sentencepiece"):
        pytest.importorskip(name)
    monkeypatch.delenv("AFTERWORD_ENCODER")
    for cached in (encoders.built_in, models.built_in):
        monkeypatch.setattr(sys.modules[cached.__module__], cached.__name__, cached.__wrapped__)
    return models.built_in()


@given(st.lists(st.integers(1, LONGEST), max_size=200))
def test_each_line_is_asked_about_once_and_in_order(sizes: list[int]) -> None:
    windows = list(windows_of(sizes))
    assert [line for its in windows for line in range(its.asked, its.end)] == list(range(len(sizes)))


@given(st.lists(st.integers(1, LONGEST), max_size=200))
def test_a_window_holds_no_more_than_is_read(sizes: list[int]) -> None:
    assert all(1 + sum(sizes[its.first : its.end]) <= WINDOW for its in windows_of(sizes))


@given(st.lists(st.integers(1, LONGEST), min_size=40, max_size=200))
def test_a_window_begins_with_what_stands_above(sizes: list[int]) -> None:
    for before, its in pairwise(windows_of(sizes)):
        assert before.end == its.asked
        assert its.first < its.asked
        assert sum(sizes[its.first : its.asked]) < BEFORE


def test_of_a_long_line_both_ends_are_read() -> None:
    assert cut(range(100, 1_100)) == [MARK, *range(100, 100 + FIRST), *range(1_100 - LAST, 1_100)]


def test_a_huge_line_is_not_cut_into_pieces_whole() -> None:
    assert len(encoders.clean("word " * 1_000_000)) < 10_000


def test_each_line_gets_what_is_said_at_its_mark() -> None:
    texts = ["w" * (1 + at) for at in range(300)]
    told = Encoder(Session(), Pieces()).read(texts)
    assert told[:, 1].tolist() == [11 + at for at in range(300)]
    assert told[0, 0] == 1


def test_no_more_than_a_window_is_read_at_once() -> None:
    session = Session()
    Encoder(session, Pieces()).read(["some words " * 20] * 400)
    assert len(session.sizes) > 1
    assert max(session.sizes) <= WINDOW


def test_of_no_line_nothing_is_said() -> None:
    assert Encoder(Session(), Pieces()).read([]).shape == (0, OPINIONS)


def test_it_can_be_switched_off() -> None:
    assert not encoders.is_installed()
    assert structure.version() == structure.VERSION


def test_without_its_weights_it_is_not_used(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("AFTERWORD_ENCODER")
    monkeypatch.setattr(encoders, "FOLDER", tmp_path)
    assert not encoders.is_installed()


def test_without_its_libraries_it_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AFTERWORD_ENCODER")
    monkeypatch.setattr(encoders, "find_spec", lambda _: None)
    assert not encoders.is_installed()


def test_where_it_is_installed_the_version_says_so(installed: Model) -> None:
    assert structure.version() == structure.VERSION + structure.WITH_ENCODER


def test_its_weights_are_below_thirty_megabytes() -> None:
    assert sum(file.stat().st_size for file in encoders.FOLDER.iterdir()) < 30_000_000


def test_the_model_hears_it(installed: Model) -> None:
    lines = split_lines(TEXT)
    read = pages.look_at(lines, installed.encoder)
    assert installed.start_probabilities(read) != installed.start_probabilities(pages.look_at(lines))


def test_the_article_and_its_comments_are_found(installed: Model) -> None:
    found = recover(TEXT, installed)
    assert TEXT[slice(*found.article)] == "\n".join(ARTICLE)
    assert [TEXT[slice(*comment.span)] for comment in found.comments] == list(COMMENTS)


def test_it_says_the_same_each_time(installed: Model) -> None:
    assert recover(TEXT, installed) == recover(TEXT, installed)


@pytest.mark.parametrize("text", [TEXT, CHRONICLE], ids=["bare", "dated"])
def test_a_page_too_long_for_it_is_read_without_it(
    text: str, installed: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pages, "MOST", 3)
    monkeypatch.setattr(recovery, "DATED_LIKE_WRITERS", 2.0)  # nobody who is asked believes dates
    assert recover(text, installed) == recover(text, replace(installed, aided=None, encoder=None))


def test_dated_headings_are_no_bylines_where_it_hears_one_writer(installed: Model) -> None:
    assert recover(CHRONICLE, replace(installed, aided=None, encoder=None)).comments
    assert not recover(CHRONICLE, installed).comments


def test_it_is_not_asked_about_a_long_template(installed: Model) -> None:
    its = [f"{name} on {day} March 2014:\n{COMMENTS[day % 3]}" for day, name in enumerate(["Anna", "Bo", "Cy"] * 5, 1)]
    asked = Encoder(Session(), Pieces())
    recover("\n".join([*ARTICLE, *its]), replace(installed, encoder=asked))
    assert asked._session.sizes == []


@given(text=st.text(max_size=400))
def test_any_line_can_be_read(text: str) -> None:
    for name in ("onnxruntime", "sentencepiece"):
        pytest.importorskip(name)
    lines = [line.text for line in split_lines(text)]
    assert np.isfinite(_opened().read(lines)).all()


def _opened(found: list[Encoder] = []) -> Encoder:  # noqa: B006 - opened once
    if not found:
        found.append(encoders.opened())
    return found[0]
