import codecs
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archive.ingest.readers.decoding import decode

SHARED = Path(__file__).parents[1].parent / "shared"


@pytest.mark.parametrize(
    ("mark", "encoding"),
    [
        (codecs.BOM_UTF16_LE, "utf-16-le"),
        (codecs.BOM_UTF16_BE, "utf-16-be"),
        (codecs.BOM_UTF32_LE, "utf-32-le"),
        (codecs.BOM_UTF32_BE, "utf-32-be"),
    ],
)
def test_a_byte_order_mark_states_the_encoding_and_is_dropped(mark: bytes, encoding: str) -> None:
    assert decode(mark + "Grüße 🎈".encode(encoding)) == ("Grüße 🎈", encoding, ())


def test_the_mark_of_utf8_is_dropped() -> None:
    assert decode(b"\xef\xbb\xbfdone") == ("done", "utf-8-sig", ())


def test_plain_utf8_has_no_problems() -> None:
    assert decode("naïve 東京".encode()) == ("naïve 東京", "utf-8", ())


def test_encoded_lone_surrogates_are_replaced_and_counted() -> None:
    text, encoding, problems = decode(b"a\xed\xa0\x80b\xed\xb0\x80c")
    assert (text, encoding) == ("a\ufffdb\ufffdc", "utf-8")
    assert "2 lone surrogate" in str(problems[0])


def test_a_surrogate_pair_encoded_in_halves_is_one_character() -> None:
    assert decode(b"\xed\xa0\xbc\xed\xbe\x88").text == "🎈"


def test_nul_is_replaced_one_for_one_and_counted() -> None:
    text, _, problems = decode(b"a\0b\0")
    assert text == "a\ufffdb\ufffd"
    assert "2 NUL" in str(problems[0])


def test_mostly_utf8_keeps_what_is_good_and_names_the_first_bad_byte() -> None:
    text, encoding, problems = decode("äöü ß".encode() + b" \xff end")
    assert (text, encoding) == ("äöü ß \ufffd end", "utf-8")
    assert problems[0].where == "byte 10"
    assert problems[0].what.startswith("1 bytes")


def test_without_utf8_it_is_windows_1252_and_says_so() -> None:
    text, encoding, problems = decode(b"caf\xe9 \x93quoted\x94")
    assert (text, encoding) == ("café “quoted”", "cp1252")
    assert problems[0].where == "byte 3"
    assert "Windows-1252" in problems[0].done


def test_bytes_undefined_in_windows_1252_become_controls() -> None:
    assert decode(b"\xe9\x81\x8d\x8f\x90\x9d").text == "é\x81\x8d\x8f\x90\x9d"


def test_a_truncated_utf16_file_is_read_with_a_problem() -> None:
    text, _, problems = decode(codecs.BOM_UTF16_LE + "ab".encode("utf-16-le") + b"c")
    assert text == "ab\ufffd"
    assert problems[0].where == "byte 6"


@given(st.one_of(st.binary(), st.binary().map(lambda b: codecs.BOM_UTF16_LE + b), st.text().map(str.encode)))
def test_any_bytes_give_text_that_can_be_stored(data: bytes) -> None:
    text = decode(data).text
    assert "\0" not in text
    text.encode("utf-8")  # raises on a lone surrogate


def test_the_utf8_test_suite_never_crashes() -> None:
    folder = SHARED / "hostile" / "utf8tests"
    if not folder.exists():
        pytest.skip(f"{folder} is not on this machine")
    for path in folder.iterdir():
        data = path.read_bytes()
        for line in [data, *data.split(b"\n")]:
            decode(line).text.encode("utf-8")
