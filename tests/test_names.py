"""Names as keys, and countries by all their names."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archive.entities import gazetteer
from archive.entities.names import MAX_KEY, key


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("U.S.", "US"),
        ("the US", "US"),
        ("U. S.", "US"),
        ("US’s", "US"),
        ("J. K. Rowling", "J.K. Rowling"),
        ("Al-Nour", "Al Nour"),
        ("Al\u2013Nour", "al  nour"),
        ("“Vera Lindqvist”", "Vera Lindqvist"),
        ("VERA LINDQVIST", "Vera Lindqvist"),
        ("O’Dowd's", "O'Dowd"),
        ("The Hague", "Hague"),
        ("UNICEF", "Unicef"),
        ("\uff35\uff33", "US"),
        ("Ost\u00adwind", "Ostwind"),
    ],
)
def test_spellings_of_one_name_have_one_key(one: str, other: str) -> None:
    assert key(one) == key(other)


@pytest.mark.parametrize(
    ("one", "other"), [("US", "us"), ("WHO", "who"), ("Müller", "Muller"), ("Theo", "o"), ("Hans", "Han")]
)
def test_different_names_have_different_keys(one: str, other: str) -> None:
    assert key(one) != key(other)


@pytest.mark.parametrize("surface", ["", "...", "“”", "- -", "\u200b"])
def test_what_holds_no_letter_or_digit_has_no_key(surface: str) -> None:
    assert key(surface) == ""


def test_a_key_fits_its_column() -> None:
    assert len(key("ﷺ" * 300)) <= MAX_KEY
    assert len(key("x" * 5000)) == MAX_KEY


@given(st.text(max_size=60))
def test_any_text_has_a_key_without_loose_spaces(surface: str) -> None:
    assert key(surface) == " ".join(key(surface).split())


@pytest.mark.parametrize("surface", ["US", "U.S.", "the USA", "America", "United States of America"])
def test_the_united_states_are_one_country(surface: str) -> None:
    assert gazetteer.country(key(surface)) == "United States"


@pytest.mark.parametrize(("surface", "name"), [("Britain", "United Kingdom"), ("Burma", "Myanmar"), ("Peru", "Peru")])
def test_a_country_has_one_name(surface: str, name: str) -> None:
    assert gazetteer.country(key(surface)) == name


@pytest.mark.parametrize("surface", ["us", "French", "Congo", "Korea", "England", ""])
def test_peoples_pronouns_and_shared_names_are_no_country(surface: str) -> None:
    assert gazetteer.country(key(surface)) == ""


def test_a_country_that_is_also_a_first_name_is_not_surely_a_place() -> None:
    assert gazetteer.is_surely_place(key("Qatar"))
    assert not gazetteer.is_surely_place(key("Jordan"))


def test_no_name_leads_to_two_countries() -> None:
    lines = [line.split("|") for line in gazetteer._COUNTRIES.strip().splitlines()]
    keys = [key(name) for names in lines for name in names]
    assert len(keys) == len(set(keys))
