"""Corrections: operations on an outline. None loses or changes a character; what makes no sense is reported."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from archive.ingest import corrections
from archive.ingest.corrections import Kind, Operation, Outline, apply, discussion_of, outline_of, questions, standing
from archive.ingest.readers import plain_text
from archive.ingest.records import STATED, Basis, Claim, Discussion, LeftOut, Post, Span, account
from archive.ingest.structure import recover

TEXT = "Headline of it\nThe article says this.\nIt ends here.\nFirst.\nMore of first.\nSecond!\nShare this\nThird?\n"
LINES = TEXT.splitlines()


def at(line: int) -> int:
    """The offset at which the line, counted from 1, starts."""
    return sum(len(text) + 1 for text in LINES[: line - 1])


def found(*spans: tuple[int, int], article: tuple[int, int] = (1, 3), **fields: Any) -> Discussion:
    """A discussion of ``TEXT`` whose parts are given as first and last line."""
    posts = [post(*span) for span in spans]
    whole = Discussion("k", "Headline of it", "", posts, article_span=between(*article), **fields)
    return discussion_of(outline_of(TEXT, whole), whole)


def between(first: int, last: int) -> Span:
    return Span(at(first), at(last) + len(LINES[last - 1]))


def post(first: int, last: int, **fields: Any) -> Post:
    span = between(first, last)
    claim = Claim(Basis.INFERRED, 0.6, "a guess")
    return Post(str(span.start), TEXT[slice(*span)], span=span, boundary_claim=claim, **fields)


PROPOSED = outline_of(TEXT, found((4, 5), (6, 6), (8, 8)))
CODES = {Kind.ARTICLE: "a", Kind.START: "S", Kind.CONTINUES: "c", Kind.LEFT_OUT: "-"}


def shape(outline: Outline) -> str:
    return "".join(CODES[kind] for kind in outline.kinds)


def corrected(*operations: dict[str, Any], outline: Outline = PROPOSED) -> Outline:
    for given_ in operations:
        applied = apply(outline, [corrections.named(outline, given_)])
        assert applied.problems == []
        outline = applied.outline
    return outline


def op(name: str, line: int, **fields: Any) -> dict[str, Any]:
    return {"op": name, "at": at(line), **fields}


def test_the_outline_says_what_each_line_is() -> None:
    assert shape(PROPOSED) == "aaaScS-S"


@pytest.mark.parametrize(
    ("operation", "expected"),
    [
        (op("article_end", 2), "aaSScS-S"),
        (op("article_end", 4), "aaaaSS-S"),
        (op("article_end", 5), "aaaaaS-S"),
        (op("article_end", 8), "aaaaaa-a"),
        (op("start", 5), "aaaSSS-S"),
        (op("start", 2), "aScScS-S"),
        (op("start", 7), "aaaScSSS"),
        (op("join", 6), "aaaScc-S"),
        (op("join", 4), "aaaaaS-S"),
        (op("leave_out", 4), "aaa-SS-S"),
        (op("leave_out", 5), "aaaS-S-S"),
        (op("leave_out", 6), "aaaSc--S"),
        (op("leave_out", 1), "-aaScS-S"),
        (op("keep", 7), "aaaScScS"),
    ],
)
def test_an_operation_changes_what_lines_are(operation: dict[str, Any], expected: str) -> None:
    assert shape(corrected(operation)) == expected


@pytest.mark.parametrize(
    ("operations", "why"),
    [
        ([{"op": "dance", "at": 0}], "cannot be understood"),
        ([{"op": "start"}], "cannot be understood"),
        ([{"op": ["start"], "at": 0, "digest": "x"}], "cannot be understood"),
        ([{"op": "start", "at": 1, "digest": "0"}], "no longer in the source"),
        ([{"op": "start", "at": 0, "digest": corrections.digest(LINES[0])}], "nothing would be left of the article"),
        ([{"op": "join", "at": 0, "digest": corrections.digest(LINES[0])}], "no comment starts there"),
    ],
)
def test_what_makes_no_sense_is_reported_and_changes_nothing(operations: list[Operation], why: str) -> None:
    applied = apply(PROPOSED, operations)
    assert (applied.outline, why in str(applied.problems[0])) == (PROPOSED, True)


def test_a_comment_answers_another() -> None:
    outline = corrected(op("reply", 6, to=at(4)), op("reply", 8, to=at(6)))
    assert [remark.parent for remark in outline.comments.values()] == [None, at(4), at(6)]
    assert outline.comments[at(8)].parent_claim.basis is Basis.REVIEWED


def test_a_circle_of_replies_is_refused() -> None:
    outline = corrected(op("reply", 6, to=at(4)))
    with_circle = apply(outline, [corrections.named(outline, op("reply", 4, to=at(6)))])
    assert "cannot answer itself" in str(with_circle.problems[0])


def test_indent_and_outdent_are_replies() -> None:
    outline = corrected(op("indent", 6), op("indent", 8))
    assert [remark.parent for remark in outline.comments.values()] == [None, at(4), at(4)]
    outline = corrected(op("indent", 8), outline=outline)
    assert outline.comments[at(8)].parent == at(6)
    outline = corrected(op("outdent", 8), op("outdent", 8), outline=outline)
    assert outline.comments[at(8)].parent is None


def test_indenting_the_first_says_why_not() -> None:
    with pytest.raises(ValueError, match="no comment above"):
        corrections.named(PROPOSED, op("indent", 4))


def test_replies_follow_a_comment_whose_start_moves() -> None:
    outline = corrected(op("reply", 8, to=at(4)), op("leave_out", 4))
    assert outline.comments[at(8)].parent == at(5)


def test_replies_to_a_joined_comment_go_to_the_one_above() -> None:
    outline = corrected(op("reply", 8, to=at(6)), op("join", 6))
    assert outline.comments[at(8)].parent == at(4)


def test_a_byline_is_set_for_all_of_its_comments() -> None:
    outline = corrected(op("author", 4, author="Anm"), op("author", 6, author="Anm"))
    outline = corrected(op("author", 4, author=" Ann  Lee", all=True), outline=outline)
    assert [remark.author for remark in outline.comments.values()] == ["Ann Lee", "Ann Lee", None]


def test_a_date_is_read_or_refused() -> None:
    outline = corrected(op("date", 4, posted_at="2017-03-14 21:07"))
    assert str(outline.comments[at(4)].posted_at) == "2017-03-14 21:07:00+00:00"
    refused = apply(PROPOSED, [corrections.named(PROPOSED, op("date", 4, posted_at="soon"))])
    assert "write it as 2017-03-14" in str(refused.problems[0])


def test_a_line_left_out_of_the_middle_is_no_part_of_the_text() -> None:
    outline = corrected(op("join", 6), op("join", 8), op("leave_out", 6))
    made = discussion_of(outline, found())
    assert [one.text for one in made.comments] == ["First.\nMore of first.\nThird?"]
    assert sum(account(made, len(TEXT)).values()) == len(TEXT)


def test_an_operation_finds_its_line_by_its_text_after_a_re_parse() -> None:
    kept = corrections.named(PROPOSED, op("start", 5))
    longer = "A new line.\n" + TEXT
    shifted = outline_of(longer, plain_text.discussion_of(longer, recover(longer), key="k"))
    applied = apply(shifted, [kept])
    assert (applied.problems, at(5) + 12 in applied.outline.comments) == ([], True)


def test_an_operation_whose_line_is_gone_is_reported() -> None:
    kept = corrections.named(PROPOSED, op("start", 5))
    other = TEXT.replace("More", "Less")
    applied = apply(outline_of(other, plain_text.discussion_of(other, recover(other), key="k")), [kept])
    assert "no longer in the source" in str(applied.problems[0])


def test_the_least_certain_is_asked_first() -> None:
    asked = questions(corrected(op("accept", 4)))
    assert [(one.at, one.about) for one in asked] == [(at(6), "reply"), (at(8), "reply")]
    assert questions(corrected({"op": "accept_rest"})) == []


def test_what_was_accepted_stands_on_any_proposal() -> None:
    seen = corrected(op("start", 5), op("reply", 8, to=at(6)))
    kept = corrections.named(seen, {"op": "accept_rest"})
    other = outline_of(TEXT, found((2, 2), (3, 8), article=(1, 1)))
    applied = apply(other, [json.loads(json.dumps(kept))])
    assert (shape(applied.outline), applied.problems) == (shape(seen), [])
    assert [r.parent for r in applied.outline.comments.values()] == [r.parent for r in seen.comments.values()]


def test_undo_and_redo_have_no_limit() -> None:
    def log(letters: str) -> list[dict[str, str]]:
        return [{"op": {"u": "undo", "r": "redo"}.get(letter, "start")} for letter in letters]

    assert standing(log("aaa")) == ([0, 1, 2], [])
    assert standing(log("aaauu")) == ([0], [2, 1])
    assert standing(log("aaauur")) == ([0, 1], [2])
    assert standing(log("aaauua")) == ([0, 5], [])
    assert standing(log("uura")) == ([3], [])


def test_a_line_that_the_reader_cut_in_two_is_two() -> None:
    text = "The article is here.\nAnn: hello there\nBob: well\n"
    byline = LeftOut(Span(21, 25), "byline")
    cut = Discussion("k", "t", "", [Post("26", "hello there", Span(26, 37))], Span(0, 20), STATED, left_out=[byline])
    outline = outline_of(text, cut)
    assert [text[slice(*span)] for span in outline.lines] == [
        "The article is here.",
        "Ann:",
        "hello there",
        "Bob: well",
    ]
    assert shape(outline) == "a-S-"


paragraphs = st.lists(
    st.sampled_from(["I agree.", "> I agree.", "Share this", " ", "Ann:", "Officials said so on Monday.", "\u2028x"]),
    min_size=1,
    max_size=14,
)
operations = st.lists(
    st.tuples(st.sampled_from([*corrections.OPERATIONS, "indent", "outdent"]), st.integers(0, 13), st.integers(-1, 13)),
    max_size=14,
)


@settings(max_examples=300, deadline=None)
@given(paragraphs, st.sampled_from(["\n", "\r\n", "\r", "\n\n"]), operations)
def test_no_correction_loses_or_changes_a_character(
    lines: list[str], ending: str, wanted: list[tuple[str, int, int]]
) -> None:
    text = "Headline\n" + ending.join(lines)
    proposal = plain_text.discussion_of(text, recover(text), key="k")
    outline = outline_of(text, proposal)
    log = []
    for name, number, to in wanted:
        places = outline.lines
        given_: dict[str, Any] = {"op": name, "at": places[number % len(places)].start, "author": "A"}
        given_ |= {"to": None if to < 0 else places[to % len(places)].start, "posted_at": "2020-01-01", "all": to > 5}
        given_ |= {"until": places[to % len(places)].start} if to % 2 else {}
        try:
            log.append(corrections.named(outline, given_))
        except ValueError:
            continue
        outline = apply(outline, log[-1:]).outline
        assert_sound(outline, text, proposal)
    assert apply(outline_of(text, proposal), json.loads(json.dumps(log))).outline == outline


def assert_sound(outline: Outline, text: str, proposal: Discussion) -> None:
    """The parts tile the text, each starts where a comment starts, no reply goes astray, and JSON keeps it all."""
    made = discussion_of(outline, proposal)
    account(made, len(text))  # raises where a character is lost or doubled
    starts = {s.start for s, kind in zip(outline.lines, outline.kinds, strict=True) if kind is Kind.START}
    assert starts == set(outline.comments)
    assert all(remark.parent is None or remark.parent in starts for remark in outline.comments.values())
    assert Kind.ARTICLE in outline.kinds
    again = outline_of(text, made)
    assert (again.kinds, dict(again.comments)) == (outline.kinds, dict(outline.comments))
    kept = json.loads(json.dumps(corrections.to_json(outline)))
    assert corrections.from_json(text, kept) == outline


# Several lines at once


def several(name: str, first: int, last: int, **fields: Any) -> dict[str, Any]:
    return op(name, first, **{"until": at(last), **fields})


@pytest.mark.parametrize(
    ("operation", "expected"),
    [
        (several("leave_out", 4, 6), "aaa----S"),  # two comments go, all of them
        (several("leave_out", 2, 4), "a---Sc-S".replace("Sc", "SS")),  # the rest of the last one stays a comment
        (several("leave_out", 6, 7), "aaaSc--S"),
        (several("start", 4, 8), "aaaSSS-S"),  # what is left out stays so
        (several("start", 3, 6), "aaSSSS-S"),
        (several("join", 4, 8), "aaaScc-c"),
        (several("join", 5, 6), "aaaScc-S"),
        (several("join", 3, 6), "aaaaaa-S"),  # into the article
    ],
)
def test_several_lines_are_one_operation(operation: dict[str, Any], expected: str) -> None:
    assert shape(corrected(operation)) == expected


def test_several_lines_are_kept_again() -> None:
    outline = corrected(several("leave_out", 2, 8))
    assert shape(outline) == "a-------"
    assert shape(corrected(several("keep", 3, 8), outline=outline)) == "a-aaaaaa"


def test_several_comments_answer_one_and_move_along() -> None:
    nested = corrected(op("reply", 8, to=at(6)))
    moved = corrected(several("reply", 6, 8, to=at(4)), outline=nested)
    assert [remark.parent for remark in moved.comments.values()] == [None, at(4), at(6)]
    assert corrected(several("indent", 6, 8), outline=nested) == moved
    assert [r.parent for r in corrected(several("outdent", 6, 8), outline=moved).comments.values()][1:] == [None, at(6)]


def test_several_comments_are_accepted() -> None:
    assert [question.at for question in questions(corrected(several("accept", 4, 7)))] == [at(8)]


@pytest.mark.parametrize(
    "operation",
    [
        several("leave_out", 1, 3),  # all of the article
        several("start", 1, 3),
        several("start", 7, 7, until=at(6)),  # upside down
        several("join", 1, 3),
        several("reply", 4, 6, to=at(6)),  # to one of themselves
        several("reply", 1, 3, to=at(6)),
        several("leave_out", 4, 6, until=7),  # no line starts there
        several("leave_out", 4, 6, until="x"),
    ],
)
def test_several_lines_are_refused_as_a_whole(operation: dict[str, Any]) -> None:
    try:
        outline, problems = apply(PROPOSED, [corrections.named(PROPOSED, operation)])
    except ValueError as refused:
        assert str(refused)  # noqa: PT017  some are refused when they are named, the others when they are carried out
    else:
        assert (outline, len(problems)) == (PROPOSED, 1)


def test_several_lines_are_said_in_words() -> None:
    kept = corrections.named(PROPOSED, several("leave_out", 4, 6))
    assert corrections.describe(PROPOSED, kept) == "lines 4 to 6 are left out"
