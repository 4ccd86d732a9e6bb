"""The lines of a source around a place, from pieces: the same lines, numbers and offsets as in the whole of it."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from archive import source_text
from archive.ingest import importer
from archive.ingest.corrections import line_number
from archive.source_text import Piece, lines_around, lines_of, pieces_of

texts = st.lists(st.sampled_from(["a", "åß𝒳", "", " ", "long line of it"]), max_size=30)


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(source_text, "PIECE", 7)


@given(texts, st.sampled_from(["\n", "\r\n", "\r"]))
def test_pieces_are_the_text_cut_at_its_lines(lines: list[str], ending: str) -> None:
    text = ending.join(lines)
    pieces = list(pieces_of(text))
    assert "".join(piece.data.decode() for piece in pieces) == text
    found = [line for piece in pieces for line in lines_of(piece)]
    assert [line.text for line in found] == [line for line in lines if line.strip()]
    assert all(text[slice(*line.span)] == line.text for line in found)
    assert [line.number for line in found] == [line_number(text, line.span.start) for line in found]


@given(texts, st.integers(0, 400))
@example(["", "a", "a", "åß𝒳", "a"], 0)
def test_the_line_at_an_offset_is_found_with_those_around_it(lines: list[str], at: int) -> None:
    pieces = list(pieces_of("\n".join(lines)))
    every = [line for piece in pieces for line in lines_of(piece)]
    found, here = lines_around(pieces, at, before=2, after=3)
    if not every:
        assert (found, here) == ([], 0)
        return
    wanted = max(0, sum(line.span.start <= at for line in every) - 1)
    assert found[here] == every[wanted]
    assert every[max(0, wanted - 2) : wanted + 4] == found[max(0, here - 2) : here + 4]


def test_a_page_of_blank_lines_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[int] = []

    def counted(piece: Piece) -> list[source_text.Line]:
        read.append(piece.start)
        return []

    monkeypatch.setattr(source_text, "lines_of", counted)
    lines_around([Piece(n * 7, 1, b"") for n in range(999)], 3_000, before=80, after=80)
    assert len(read) <= 2 * source_text.MOST_PIECES + 1


def test_what_was_asked_for_longest_ago_goes_first() -> None:
    kept = source_text._Kept(most=10)
    for name in ("a", "b", "a", "c", "a"):
        if kept.get(name) is None:
            kept.put(name, (Piece(0, 1, b"1234"),))
    assert (list(kept.sources), kept.size) == (["c", "a"], 8)
    kept.put("huge", (Piece(0, 1, b"x" * 11),))
    assert (list(kept.sources), kept.size) == (["c", "a"], 8)


@pytest.mark.django_db
def test_a_source_is_decoded_once(django_assert_num_queries: object) -> None:
    source = importer.receive(b"One line\nand another of it\n", name="x")
    first = source_text.pieces(source)
    with django_assert_num_queries(0):  # type: ignore[operator]
        assert source_text.pieces(source) is first
