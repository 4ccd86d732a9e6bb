import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archive.ingest.records import UNKNOWN, Span
from archive.ingest.structure import recover
from archive.ingest.structure.boilerplate import boilerplate_kind
from archive.ingest.structure.features import NAMES, features_of
from archive.ingest.structure.lines import split_lines
from archive.ingest.structure.model import WEIGHTS, Model, built_in, contrasts, from_json
from archive.ingest.structure.parents import quoted_comments

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

        def start_probabilities(self, rows: Any) -> tuple[list[float], list[float]]:
            ends = [splits.get(i, 0.0) for i in range(len(rows))]
            ended = [sum(ends[:i]) for i in range(len(rows))]
            return [e + d * starts for e, d in zip(ends, ended, strict=True)], ends

    return Stub(threshold=0.33, none=0.35, split=built_in().split, start=built_in().start)


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
    # The first line that is sure enough is the fifth, but the article hardly ends there.
    splits = {1: 0.25, 3: 0.1, 4: 0.1, 5: 0.22}
    assert texts(page(*"abcdef"), stub(splits, starts=0.9))[:2] == ["a", "b\nc\nd"]


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
    rows = features_of(split_lines(page(*ARTICLE, *COMMENTS)))
    assert sum(built_in().split_probabilities(rows)) == pytest.approx(1)


def test_training_and_use_weigh_the_same_numbers() -> None:
    train = pytest.importorskip("archive.ingest.structure.train")
    np = pytest.importorskip("numpy")
    rows, model = features_of(split_lines(page(*ARTICLE, *COMMENTS))), built_in()
    scores = train.split_matrix(np.array(rows)) @ np.concatenate(list(model.split.values()))
    assert np.log(model.split_probabilities(rows)) - scores == pytest.approx(
        np.full(len(rows), -np.log(np.exp(scores).sum()))
    )
    lines = 1 / (1 + np.exp(-train.start_matrix(np.array(rows)) @ np.concatenate(list(model.start.values()))))
    assert model.continued_probabilities(rows) == pytest.approx(lines.tolist())


def test_training_is_the_same_each_time(tmp_path: Path) -> None:
    train = pytest.importorskip("archive.ingest.structure.train")
    gold = {"site": "s", "article_paragraphs": ARTICLE, "comments": [{"paragraphs": [c]} for c in COMMENTS]}
    path = tmp_path / "gold.jsonl"
    path.write_text("\n".join(json.dumps(gold | {"site": s}) for s in "abcdef"))
    assert train.fit(train.load(path)) == train.fit(train.load(path))
    folds = train.folds(train.load(path) * 2)
    assert folds[:6] == folds[6:]


def test_contrast_is_later_less_earlier() -> None:
    assert contrasts([0.0, 0.0, 1.0, 1.0]) == pytest.approx([2 / 3, 1, 2 / 3, 0])


def test_the_weights_name_every_feature() -> None:
    data = json.loads(WEIGHTS.read_text())
    assert set(data["split"]["first"]) == set(NAMES)
    del data["start"]["line"]["question"]
    with pytest.raises(KeyError):
        from_json(data)


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"]), max_size=60), max_size=12).map("\n".join))
def test_any_text_is_tiled(text: str) -> None:
    found = recover(text)
    spans = sorted([found.article, *(c.span for c in found.comments), *(left.span for left in found.left_out)])
    assert "".join(text[a:b] for a, b in spans) == text
    assert sum(b - a for a, b in spans) == len(text)
