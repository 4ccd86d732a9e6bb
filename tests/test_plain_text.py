import hashlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archive.ingest.readers import READERS, choose
from archive.ingest.readers.language import language_of
from archive.ingest.readers.plain_text import MAX_BYTES, MAX_LINES, TITLE_LENGTH
from archive.ingest.records import Basis, Discussion, LeftOut, Post, Reading, Span, account

SHARED = Path(__file__).parents[1].parent / "shared"
STORY = (
    "Council closes the harbour bridge\n"
    "The council voted on Tuesday to close the bridge for repairs, the mayor said. Work starts in May.\n"
    "Officials told reporters that engineers had found cracks in two of the pillars in 2019.\n"
)
REPLIES = "Thanks for writing this! I drive there every day and you can feel it :)\n@anna me too!! Do you know why?\n"


def read(data: bytes | str) -> Reading:
    return READERS["text"].read(data.encode() if isinstance(data, str) else data, name="a.txt")


def only(data: bytes | str) -> Discussion:
    [discussion] = read(data).discussions
    return discussion


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"", "empty"),
        (b" \r\n\t\n\xe2\x80\x8b", "only blanks"),
        (b"%PDF-1.7 and more", "PDF"),
        (b"PK\x03\x04rest", "ZIP"),
        (bytes(range(32)) * 20, "binary"),
        ("no mark, two bytes a letter".encode("utf-16-le"), "UTF-16"),
        (b"a" * (MAX_BYTES + 1), "33,554,433 bytes"),
        (b"a\r\n" * (MAX_LINES + 1), "lines"),
    ],
)
def test_what_is_no_text_is_rejected_with_a_reason(data: bytes, sentence: str) -> None:
    reading = read(data)
    assert sentence in reading.rejected
    assert reading.rejected.endswith(".")
    assert list(reading.discussions) == []


def test_a_headline_is_the_title_and_not_in_the_body() -> None:
    story = only(STORY)
    assert (story.title, story.title_claim.basis) == ("Council closes the harbour bridge", Basis.STATED)
    assert story.body.startswith("The council voted")
    assert story.article_span is not None
    assert story.article_span.start == 0


@pytest.mark.parametrize("first", ["lower case to begin with", "https://example.org/a", "}", "A sentence.", "x" * 130])
def test_what_is_no_headline_is_not_said_to_be_stated(first: str) -> None:
    story = only(f"{first}\n{STORY.partition('\n')[2]}")
    assert story.title_claim.basis is Basis.INFERRED
    assert story.body.startswith(first)


def test_without_a_headline_the_first_sentence_stands_in() -> None:
    story = only("It rained all night.  Then it stopped.\nNobody minded.")
    assert (story.title, story.title_claim.basis) == ("It rained all night.", Basis.INFERRED)


def test_a_long_first_sentence_is_cut_at_a_word() -> None:
    title = only("word " * 100 + ".").title
    assert len(title) <= TITLE_LENGTH
    assert title.endswith("word…")


def test_one_line_is_an_article_and_a_problem() -> None:
    story = only("Just this one line.\r\n")
    assert list(story.comments) == []
    assert "only one line" in str(story.problems[0])


def test_the_key_is_of_the_bytes() -> None:
    assert only(STORY).key == hashlib.sha256(STORY.encode()).hexdigest()


@pytest.mark.parametrize("end", ["\n", "\r", "\r\n", "\n\n"])
def test_every_kind_of_line_end_gives_the_same_comments(end: str) -> None:
    posts = only((STORY + REPLIES).replace("\n", end)).comments
    assert [post.text.replace("\n\n", "\n") for post in posts] == [p.text for p in only(STORY + REPLIES).comments]
    assert posts


def test_a_comment_is_named_by_its_offset_and_is_the_text_there() -> None:
    reading = read((STORY + REPLIES).replace("\n", "\r\n"))
    [story] = reading.discussions
    for post in story.comments:
        assert post.span is not None
        assert post.external_id == str(post.span.start)
        assert post.text == reading.text[slice(*post.span)].replace("\r\n", "\n")


def test_reading_twice_gives_the_same() -> None:
    assert read(STORY + REPLIES) == read(STORY + REPLIES)


def test_the_encoding_is_stated() -> None:
    reading = read(STORY.encode("cp1252") + b"caf\xe9\n")
    assert reading.encoding == "cp1252"
    assert "Windows-1252" in str(reading.problems[0])


@given(
    st.one_of(
        st.text(),
        st.lists(st.sampled_from([*STORY.split("\n"), *REPLIES.split("\n"), "Share this", "\r"])).map("\n".join),
    )
)
def test_every_character_is_accounted_for(text: str) -> None:
    reading = read(text.encode("utf-8", "surrogatepass"))
    for story in reading.discussions:
        assert sum(account(story, reading.length).values()) == len(reading.text)
        assert story.title.strip()


@given(st.binary())
def test_no_bytes_crash_it(data: bytes) -> None:
    reading = read(data)
    assert bool(reading.rejected) != bool(list(reading.discussions))


@pytest.mark.parametrize(
    ("article", "left", "what"),
    [((0, 4), (5, 9), "4 to 5 are lost"), ((0, 6), (5, 9), "counted twice"), ((0, 2), (2, 8), "end at 8")],
)
def test_accounting_finds_what_is_lost_or_doubled(article: tuple[int, int], left: tuple[int, int], what: str) -> None:
    story = Discussion("k", "t", "b", [], Span(*article), left_out=[LeftOut(Span(*left), "because")])
    with pytest.raises(ValueError, match=what):
        account(story, 9)


def test_accounting_names_the_three_places() -> None:
    story = Discussion("k", "t", "b", [Post("5", "x", Span(5, 9))], Span(0, 4), left_out=[LeftOut(Span(4, 5), "break")])
    assert account(story, 9) == {"article": 4, "comments": 4, "left_out": 1}


def test_a_paragraph_of_a_megabyte_is_read() -> None:
    story = only(STORY + "word " * 200_000 + "\n" + REPLIES)
    assert account(story, len(STORY + REPLIES) + 1_000_001)


@pytest.mark.parametrize(
    ("text", "code"),
    [("Die Brücke am Hafen wird im Mai für elf Monate gesperrt.", "de"), ("12345 67 --- !!", ""), ("ok", "")],
)
def test_the_language_is_told_or_left_open(text: str, code: str) -> None:
    assert language_of(text) == code


def test_the_language_is_told_from_more_than_the_headline() -> None:
    assert (
        language_of(
            "Star Wars Episode IV: A New Hope (Blu-ray Special Edition)\n" * 2 + "Das ist mein liebster Film. " * 40
        )
        == "de"
    )


def test_a_reader_is_found_by_name_or_by_the_bytes() -> None:
    assert choose(b"Hello", "a.txt", None) is READERS["text"]
    assert choose(b"<html>", "a.html", "text") is READERS["text"]
    assert choose(b"\xef\xbb\xbf <!DOCTYPE html>", "a.txt", None) is None
    assert choose(b"Hello", "a.txt", "no such format") is None


def test_the_real_source_is_read_whole() -> None:
    paths = sorted((SHARED / "source").glob("*.txt"))
    if not paths:
        pytest.skip(f"{SHARED / 'source'} is not on this machine")
    for path in paths:
        reading = read(path.read_bytes())
        [story] = reading.discussions
        assert (reading.encoding, reading.problems, story.language) == ("utf-8", (), "en")
        account(story, reading.length)


def test_that_the_real_source_has_no_comments_is_not_said_without_doubt() -> None:
    paths = sorted((SHARED / "source").glob("*.txt"))
    if not paths:
        pytest.skip(f"{SHARED / 'source'} is not on this machine")
    for path in paths:
        [story] = read(path.read_bytes()).discussions
        assert story.comments or (story.article_claim and (story.article_claim.confidence or 0) < 0.8)


def test_the_hostile_texts_never_crash_it() -> None:
    folder = SHARED / "hostile"
    if not folder.exists():
        pytest.skip(f"{folder} is not on this machine")
    for path in [*(folder / "utf8tests").iterdir(), *(folder / "blns").iterdir()]:
        reading = read(path.read_bytes())
        for story in reading.discussions:
            account(story, reading.length)
