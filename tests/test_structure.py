import json
import zlib
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from archive.ingest.records import UNKNOWN, Basis, Claim, Span
from archive.ingest.structure import hashed, recover
from archive.ingest.structure.boilerplate import boilerplate_kind
from archive.ingest.structure.characters import PART as CHARACTERS_PART
from archive.ingest.structure.characters import Characters
from archive.ingest.structure.habits import HABITS, habits_of
from archive.ingest.structure.hashed import NOWHERE, places_of
from archive.ingest.structure.lines import split_lines
from archive.ingest.structure.markers import find_marks
from archive.ingest.structure.model import WEIGHTS, Model, built_in, from_arrays, to_arrays
from archive.ingest.structure.page import NAMES, Page, look_at
from archive.ingest.structure.parents import quoted_comments
from archive.ingest.structure.recovery import end_of, one_each
from archive.ingest.structure.trees import Trees, mean_of
from archive.ingest.structure.views import PART, POSITION, VIEWS, Views
from archive.ingest.structure.vocabulary import NEVER, Vocabulary, shared, words_of

ARTICLE = [
    "The town council voted on Tuesday to close the harbour bridge for repairs, the mayor said in a statement.",
    "Officials told reporters that engineers had found cracks in two of the pillars during an inspection in 2019.",
    "“We expect the work to take eleven months,” the head of the works department said after the vote.",
]
COMMENTS = [
    "Thanks for writing this! I drive over that bridge every day and you can feel it shake :)",
    "@anna me too!! Do you know if there will be a ferry?",
    "lol eleven months, I don't believe you or them",
    "Great, what am I supposed to do now? My office is on the other side...",
    "I agree with you. Hello detour!",
]


def page(*lines: str) -> str:
    return "\n".join(lines) + "\n"


def stub(splits: dict[int, float], starts: float = 0.0) -> Model:
    """A model that puts the first comment on the given lines and lets each later line begin one with ``starts``."""

    class Stub(Model):
        __slots__ = ()

        def start_probabilities(self, page: Page) -> tuple[list[float], list[float]]:
            ends = [splits.get(i, 0.0) for i in range(len(page.rows))]
            ended = [sum(ends[:i]) for i in range(len(page.rows))]
            return [e + d * starts for e, d in zip(ends, ended, strict=True)], ends

    known = {field.name: getattr(built_in(), field.name) for field in fields(Model)}
    as_said = np.array([[0.0, 1.0], [0.0, 1.0]])
    head = replace(built_in().head, threshold=0.33, none=0.35, sure_first=as_said, sure_start=as_said)
    return Stub(**known | {"head": head})


def texts(text: str, model: Model) -> list[str]:
    found = recover(text, model)
    return [text[s.start : s.end] for s in (found.article, *(c.span for c in found.comments))]


def test_lines_end_at_newlines_only() -> None:
    lines = split_lines("a\x0bb\u2028c\x85d\r\n\r e \n\n\tf")
    assert [line.text for line in lines] == ["a\x0bb\u2028c\x85d", "e", "f"]


def test_a_line_covers_its_text_in_the_source() -> None:
    text = "  one \r\n\r\n\t two"
    assert [text[a:b] for (a, b), _ in split_lines(text)] == ["one", "two"]


def test_comments_start_where_the_model_says() -> None:
    assert texts(page("a", "b", "c", "d"), stub({2: 0.9}, starts=0.9)) == ["a\nb", "c", "d"]


def test_lines_that_start_nothing_continue_the_comment() -> None:
    assert texts(page("a", "b", "c", "d"), stub({1: 0.9}, starts=0.1)) == ["a", "b\nc\nd"]


def test_where_no_comments_is_likely_enough_there_are_none() -> None:
    assert texts(page("a", "b", "c"), stub({1: 0.3, 2: 0.3}, starts=0.9)) == ["a\nb\nc"]


def test_among_many_places_the_likeliest_ends_the_article() -> None:
    splits = {1: 0.1, 2: 0.4, 3: 0.1, 4: 0.1, 5: 0.1}
    assert texts(page(*"abcdef"), stub(splits, starts=0.0))[0] == "a\nb"


def test_below_the_articles_end_what_counts_is_whether_a_new_writer_begins() -> None:
    # Taken with the chance that the article has ended at all, only the fifth line would be sure enough.
    splits = {1: 0.3, 3: 0.1, 4: 0.1, 5: 0.2}
    assert texts(page(*"abcdef"), stub(splits, starts=0.9)) == ["a", "b", "c", "d", "e", "f"]
    assert texts(page(*"abcdef"), stub(splits, starts=0.3)) == ["a", "b\nc\nd\ne\nf"]


def test_confidence_is_the_models_and_never_certainty() -> None:
    assert [c.boundary.confidence for c in recover(page("a", "b", "c"), stub({1: 1.0}, starts=0.5)).comments] == [
        0.98,
        0.5,
    ]
    assert recover(page("a", "b"), stub({1: 0.7})).article_claim.confidence == 0.7


def test_an_article_and_its_readers_are_told_apart() -> None:
    text = page(*ARTICLE, *COMMENTS)
    assert text[slice(*recover(text).article)] == "\n".join(ARTICLE)


def test_an_article_alone_stays_whole() -> None:
    assert recover(page(*ARTICLE)).comments == ()


def test_one_line_is_an_article() -> None:
    assert recover("Only this.").article == Span(0, 10)


def test_authors_and_dates_of_bare_text_stay_unknown() -> None:
    for comment in recover(page(*ARTICLE, *COMMENTS)).comments:
        assert (comment.author, comment.posted_at) == (None, None)
        assert (comment.author_claim, comment.date_claim) == (UNKNOWN, UNKNOWN)


def test_boilerplate_at_the_edge_is_left_out_with_a_reason() -> None:
    text = page("article", "Share this", "2 Comments", "first")
    found = recover(text, stub({1: 0.9}))
    assert found.left_out[0].reason == "boilerplate: share link, comment heading"
    assert [text[slice(*c.span)] for c in found.comments] == ["first"]


@pytest.mark.parametrize("line", ["Leave a Reply", "12 Kommentare", "Commentaires (3)", "ähnliche Beiträge:", "分享"])
def test_boilerplate_is_known_in_several_languages(line: str) -> None:
    assert boilerplate_kind(line)


@pytest.mark.parametrize("line", ["Share this with your mother", "I like this:", "", "12", "No comments from me"])
def test_what_somebody_may_have_written_is_no_boilerplate(line: str) -> None:
    assert boilerplate_kind(line) == ""


def test_a_quote_of_an_earlier_comment_is_found() -> None:
    text = page(
        "article", "the bridge was never safe in winter", "other", "> the bridge was never safe in winter", "no"
    )
    spans = [line.span for line in split_lines(text)][1:]
    assert quoted_comments(text, spans) == [None, None, 0, None]


def test_a_quote_of_the_article_is_of_no_comment() -> None:
    text = page("the council voted to close the bridge", "“the council voted to close the bridge” they never asked")
    assert quoted_comments(text, [split_lines(text)[1].span]) == [None]


def test_chances_of_all_endings_add_up_to_one() -> None:
    page_seen = look_at(split_lines(page(*ARTICLE, *COMMENTS)))
    assert sum(built_in().split_probabilities(page_seen)) == pytest.approx(1)


def test_a_reason_names_what_was_seen() -> None:
    comments = recover(page(*ARTICLE, *COMMENTS)).comments
    reasons = [comment.boundary.reason for comment in comments]
    assert any(": " in reason for reason in reasons)
    assert all("_" not in reason for reason in reasons)


def test_confidence_lies_between_the_knots_of_its_calibration() -> None:
    model = stub({})
    assert model.head.sure(0.25, True) == pytest.approx(0.25)
    assert built_in().head.sure(2.0, False) == built_in().head.sure_start[1][-1]


def habit(name: str, *texts: str) -> list[float]:
    rows = habits_of(texts, Vocabulary(texts))
    return [row[HABITS.index(name)] for row in rows]


def test_a_line_of_earlier_words_is_a_quote() -> None:
    assert habit("quoted_words", "the bridge was never safe", "no", "the bridge was never safe") == [0, 0, 2 / 3]


def test_a_list_goes_on_where_its_numbers_do() -> None:
    assert habit("next_number", "1. one", "2. two", "see 3.", "3) three", "9. nine") == [0, 1, 0, 1, 0]


def test_a_name_that_signs_elsewhere_is_seen_in_a_greeting() -> None:
    far = " for all that you have written about it"
    found = habit("opening_name_signs", "Hi Ann, thanks" + far, "Ann", "Bob, no thanks" + far)
    assert found == [pytest.approx(0.231, abs=0.001), 0, 0]


@pytest.mark.parametrize(
    ("text", "lengths"), [("Don't stop", [5, 4]), ("it's 'so' x2y", [4, 2, 1, 1]), ("桥很老 ok", [2, 2, 2]), ("", [])]
)
def test_words_are_letters_with_apostrophes_and_pairs_where_no_spaces_are_written(
    text: str, lengths: list[int]
) -> None:
    assert words_of([text]).length.tolist() == lengths


def test_a_word_has_its_number_wherever_it_stands_and_whatever_its_case() -> None:
    words = words_of(["The bridge, the BRIDGE", "bridges"])
    assert [words.number.tolist().index(number) for number in words.number.tolist()] == [0, 1, 0, 1, 4]


def test_words_are_numbered_the_same_in_a_long_page() -> None:
    words = words_of(["one two"] * (CHARACTERS_PART + 1))
    assert len(set(words.number.tolist())) == 2
    assert [part.counts.sum() for part in words.parts()] == [2 * CHARACTERS_PART, 2]


@pytest.mark.parametrize("text", ["hello there", "0", "naïve", "日本", "😀", "it's"])
def test_what_stands_in_a_text_is_numbered_by_its_checksum(text: str) -> None:
    tokens = hashed._tokens([text])
    parts = text.split()
    assert [int(number) & 0xFFFFFFFF for number in tokens.number] == [zlib.crc32(part.encode()) for part in parts]


def test_kinds_of_characters_are_told_by_line() -> None:
    chars = Characters(["Why?? (no)", "İ 2", "x ..."], 5)
    assert chars.any("question").tolist() == [True, False, False]
    assert chars.any("parenthesis").tolist() == [False, False, False]  # beyond the width
    assert chars.count(chars.of("digit")).tolist() == [0, 1, 0]
    assert chars.holds("..", " 2").tolist() == [False, True, True]
    assert chars.run(chars.points == ord("?"), 2).tolist() == [True, False, False]


def test_what_recurs_knows_the_line_before_and_the_first() -> None:
    found = shared(np.array([7, 5, 7, 7, 5]), np.array([0, 1, 1, 1, 4]))
    assert list(zip(found.line, found.before, found.first, found.lines, strict=True)) == [
        (1, NEVER, 1, 2), (4, 1, 1, 2), (0, NEVER, 0, 2), (1, 0, 0, 2),
    ]  # fmt: skip


def test_a_page_with_too_many_words_remembers_the_first_of_them() -> None:
    found = shared(np.array([1, 2, 3, 1, 3]), np.array([0, 0, 1, 2, 2]))
    assert found.line[found.seen_before(2)].tolist() == [2]
    assert found.line[found.seen_before(3)].tolist() == [2, 2]


def test_words_keep_their_places_whatever_stands_around_them() -> None:
    (first, _), (second, _) = places_of(["hello there", "x"]), places_of(["y", "hello there"])
    own = [i for i in range(first.shape[1]) if first[0, i] != NOWHERE]
    assert set(first[0, own]) <= set(second[1])


def test_the_first_line_has_none_before_it() -> None:
    rows = np.arange(6, dtype=np.float32).reshape(3, 2)
    before, rest = (2 * list(VIEWS).index(name) for name in ("before", "rest"))
    assert Views(rows).columns(np.array([before, before + 1])).tolist() == [[0, 0], [0, 1], [2, 3], [4, 5]]
    assert Views(rows).columns(np.array([rest]))[:, 0].tolist() == [2, 3, 4, 0]


def test_a_long_page_is_seen_in_parts() -> None:
    rows = np.ones((PART + 5, 1), np.float32)
    assert [part.shape[1] for part in Views(rows).parts()] == [PART, 6]


def test_columns_are_the_features_view_by_view_then_the_position() -> None:
    rows = np.arange(6, dtype=np.float32).reshape(3, 2)
    last = 15 * 2 + len(POSITION) - 1
    assert Views(rows).columns(np.array([1, 2, last])).round(2).tolist()[1] == [3, 0, pytest.approx(2 / 3**0.5, 0.01)]


def test_a_tree_goes_right_above_its_edge_and_its_steps_add_up() -> None:
    column, edge = np.array([[0, 0, 1]], np.int32), np.array([[0.5, np.inf, 0.5]], np.float32)
    value = np.array([[0, -1, 1, -1, 0, 1, 3]], np.float32)
    trees = Trees(np.array([4, 7]), column, edge, value)
    assert trees.scores(np.array([[0.5, 1, 1], [1, 0, 1]], np.float32)).tolist() == [-1, 1, 3]
    assert trees.shares(np.array([[1], [1]], np.float32)).tolist() == [[[0, 0], [1, 2]]]


def test_the_mean_of_trees_scores_the_mean() -> None:
    edge, value = np.array([[0.5]], np.float32), np.array([[0, 2, 4]], np.float32)
    one, other = (Trees(np.array([wanted]), np.array([[0]], np.int32), edge, value) for wanted in (7, 4))
    mean = mean_of([one, other])
    assert mean.wanted.tolist() == [4, 7]
    assert mean.scores(np.array([[1, 0], [0, 0]], np.float32)).tolist() == [3, 2]


def test_a_comment_is_less_sure_to_be_one_where_another_may_begin_in_it() -> None:
    sure = [Claim(Basis.INFERRED, 0.9), Claim(Basis.INFERRED, 0.8)]
    assert one_each([1, 3], sure, [0, 0.9, 0.05, 0.8, 0.2, 0.5]) == pytest.approx([0.9, 0.8 * 0.5])


def test_trees_learn_a_step() -> None:
    fitting = pytest.importorskip("archive.ingest.structure.fitting")
    x = np.linspace(0, 1, 200, dtype=np.float32)[:, None]
    goal = (x[:, 0] > 0.3).astype(float)
    how = fitting.Growth(trees=20, depth=1, rate=0.5, columns=1, rows=1.0, penalty=1.0)
    trees = fitting.boosted(fitting.binned(x), np.arange(200), lambda s: (s - goal, np.ones(200)), how)
    assert trees.scores(x[[10, 150]].T).tolist() == pytest.approx([0, 1], abs=0.05)


def test_the_lowest_point_is_found() -> None:
    fitting = pytest.importorskip("archive.ingest.structure.fitting")
    far = fitting.lowest(lambda x: (float((x - 3) @ (x - 3)), 2 * (x - 3)), np.zeros(4), 30)
    assert far == pytest.approx(np.full(4, 3.0))


def test_calibration_never_falls() -> None:
    fitting = pytest.importorskip("archive.ingest.structure.fitting")
    knots = fitting.rising(np.array([0.1, 0.2, 0.3, 0.4]), np.array([0.0, 1.0, 0.0, 1.0]), 1)
    assert knots[1].tolist() == [0, 0.5, 1]


def test_training_is_the_same_each_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    train = pytest.importorskip("archive.ingest.structure.train")
    for growth in ("SPLIT_GROWTH", "START_GROWTH"):
        monkeypatch.setattr(train, growth, getattr(train, growth)._replace(trees=2))
    monkeypatch.setattr(train, "WORD_STEPS", 2)
    gold = {"article_paragraphs": ARTICLE, "comments": [{"paragraphs": [c]} for c in COMMENTS]}
    path = tmp_path / "gold.jsonl"
    path.write_text("\n".join(json.dumps(gold | {"site": s}) for s in "abcdef"))
    for name in ("one", "two"):
        assert train.main([str(path), str(tmp_path / name)]) == 0
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()


def test_all_of_a_site_is_in_one_fold() -> None:
    train = pytest.importorskip("archive.ingest.structure.train")
    folds = train.folds("abcdefabcdef")
    assert folds[:6] == folds[6:]


def test_weights_for_other_features_are_refused() -> None:
    arrays: dict[str, Any] = to_arrays(built_in())
    assert arrays["names"].tolist() == list(NAMES)
    with pytest.raises(ValueError, match="other features"):
        from_arrays(arrays | {"names": arrays["names"][1:]})


def test_the_weights_are_a_small_file() -> None:
    assert WEIGHTS.stat().st_size < 1_000_000


def test_where_somebody_knows_of_comments_none_is_no_answer() -> None:
    text = page(*"abcd")
    sure_of_none = stub({2: 0.01})
    assert recover(text, sure_of_none).comments == ()
    assert [text[c.span.start : c.span.end] for c in recover(text, sure_of_none, with_comments=True).comments] == [
        "c\nd"
    ]


def test_half_a_character_is_no_error() -> None:
    said = [("Ann", COMMENTS[0]), ("Bob", COMMENTS[1]), ("Cy", COMMENTS[2]), ("Di", COMMENTS[3]), ("Eve", COMMENTS[4])]
    marked = [line for name, text in said for line in (f"{name} says:", "May 3, 2014", f"\udc80 {text}")]
    text = page(*ARTICLE, *marked)
    assert len(recover(text).comments) == 5


def test_lines_that_repeat_are_no_template_where_no_writer_changes() -> None:
    rules = [
        line
        for n in range(6)
        for line in (
            "RewriteEngine off",
            f"RewriteCond %{{SERVER_PORT}} !44{n}",
            f"The rule above sends what was asked of the old host number {n} to the new one.",
        )
    ]
    assert find_marks(split_lines(page(*ARTICLE, *rules))) is not None
    assert recover(page(*ARTICLE, *rules)).comments == ()


@settings(deadline=None)
@given(st.lists(st.text(st.characters(exclude_categories=["Cs"]), max_size=60), max_size=12).map("\n".join))
def test_any_text_is_tiled(text: str) -> None:
    found = recover(text)
    spans = sorted([found.article, *(c.span for c in found.comments), *(left.span for left in found.left_out)])
    assert "".join(text[a:b] for a, b in spans) == text
    assert sum(b - a for a, b in spans) == len(text)


def test_between_two_places_the_one_with_likelier_sides_is_the_articles_end() -> None:
    assert end_of([0.0, 0.30, 0.0, 0.0, 0.15, 0.28, 0.0]) == 5


def test_the_likeliest_place_is_the_articles_end_where_none_has_sides() -> None:
    assert end_of([0.0, 0.30, 0.0, 0.0, 0.0, 0.28]) == 1
