"""Finding words again and covering them: nothing moves, nothing marked is left, nothing else is touched."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archive.redaction import (
    BLOCK,
    RUN,
    Marks,
    cover,
    covered,
    covered_html,
    covered_json,
    covered_slug,
    covered_url,
    keyed,
    keys,
    lines_of,
    marks_of,
    quotes,
    runs_of,
)

NAME = marks_of(["Jane Roe"])


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("Jane Roe", "████ ███"),
        ("JANE  ROE said", "████  ███ said"),
        ("jane-roe@example.org", "████████@example.org"),
        ("Jane\nRoe", "████\n███"),
        ("Jane Roebuck", "Jane Roebuck"),
        ("MaryJane Roe", "MaryJane Roe"),
        ("Jane, Roe and Jane Roe", "█████ ███ and ████ ███"),
        ("", ""),
    ],
)
def test_whole_words_are_covered_whatever_their_case(text: str, left: str) -> None:
    assert covered(text, NAME) == left


@given(st.text(max_size=300), st.lists(st.text(min_size=1, max_size=12), max_size=4))
def test_nothing_moves_and_nothing_marked_is_left(text: str, words: list[str]) -> None:
    marks = marks_of(words)
    seen = covered(text, marks)
    assert len(seen) == len(text)
    assert covered(seen, marks) == seen
    assert [at for at, (a, b) in enumerate(zip(text, seen, strict=True)) if a != b and b != BLOCK] == []


@given(st.text(max_size=200), st.text(min_size=1, max_size=20))
def test_keyed_digests_find_what_plain_words_find(text: str, word: str) -> None:
    assert covered(text, marks_of([word], keyed(b"k" * 32))) == covered(text, marks_of([word]))


def test_two_keys_have_nothing_in_common() -> None:
    assert keyed(b"a" * 32)(["jane"]) != keyed(b"b" * 32)(["jane"])


@pytest.mark.parametrize(
    "html",
    [
        "<p>Jane Roe</p>",
        '<p><a class="kind-person" href="/entity/5/jane-roe/">Jane</a> Roe</p>',
        '<p><a href="https://x.org/Jane%20Roe">she</a></p>',
        "<p>&amp;Jane&nbsp;<em>Roe</em></p>",
    ],
)
def test_words_in_html_are_covered_across_tags_and_in_addresses(html: str) -> None:
    seen = covered_html(html, NAME)
    assert "roe" not in seen.lower()
    assert re.findall(r"<\w+|</\w+>", seen) == re.findall(r"<\w+|</\w+>", html)


def test_html_without_the_words_stays_as_it_is() -> None:
    html = '<p>A &amp; B, <a href="/?q=a%20b&amp;c=1">there</a></p>'
    assert covered_html(html, NAME) == html


@given(st.text(alphabet="<>&;\"'= ajneroJR", max_size=80))
def test_hostile_html_is_no_error(html: str) -> None:
    covered_html(html, NAME)


def test_addresses_and_slugs() -> None:
    assert "roe" not in covered_url("https://x.org/jane-roe/1", NAME)
    assert covered_url("https://x.org/a%20b", NAME) == "https://x.org/a%20b"
    assert covered_slug("about-jane-roe-today", NAME) == "about-today"
    assert covered_slug("about-jane", NAME) == "about-jane"


def test_json_is_covered_at_every_depth_without_recursion() -> None:
    deep: Any = "Jane Roe"
    for _ in range(20_000):
        deep = [deep]
    seen = covered_json({"a": [1, None, {"Jane Roe": "by Jane Roe"}], "deep": deep}, NAME)
    assert seen["a"] == [1, None, {"████ ███": "by ████ ███"}]
    while isinstance(seen["deep"], list):
        seen["deep"] = seen["deep"][0]
    assert seen["deep"] == "████ ███"


def test_a_quoted_line_is_covered_and_the_same_words_elsewhere_are_not() -> None:
    marks = Marks(quoted=lines_of("I agree", lambda words: " ".join(words)))
    assert covered("> I agree\nI agree", marks) == ">██████████\nI agree".replace("██████████", " █ █████")


@pytest.mark.parametrize(
    ("reply", "is_quote"),
    [
        ("> seven eight nine\nno", True),
        ("seven eight nine", False),
        ("> nine eight", False),
        ("he said: one two three four five six seven eight, imagine", True),
        ("he said: one two three four five six seven", False),
        (">", False),
    ],
)
def test_what_a_quote_is(reply: str, is_quote: bool) -> None:
    said = "One two three four five six seven eight nine ten"
    assert RUN == 8
    runs = runs_of(said, lambda words: " ".join(words))
    assert quotes(reply, runs, [" ".join(["", *keys(said), ""])]) is is_quote


def test_places_that_overlap_or_lie_outside_are_covered_once() -> None:
    assert cover("abcdef", [(1, 3), (2, 4), (5, 99)]) == f"a{BLOCK * 3}e{BLOCK}"
