"""Pages whose template repeats once per comment, in styles and languages of our own making."""

from datetime import UTC, datetime
from itertools import cycle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archive.ingest.records import Basis
from archive.ingest.structure import Recovered, recover
from archive.ingest.structure.dates import day_first, read, stamps
from archive.ingest.structure.lines import split_lines
from archive.ingest.structure.markers import find_marks

ARTICLE = [
    "The council closed the old harbour bridge on Tuesday, after engineers had found cracks in two of its pillars.",
    "Repairs will take most of a year, and the ferry that ran until 1968 may come back for as long as they last.",
    "The mayor asked everybody to be patient and to leave the car at home where that is possible at all.",
]
TEXTS = [
    ["I drive over it every day and you can feel it shake when a bus comes the other way."],
    ["My grandfather worked on that ferry.", "He would have loved to see it back on the river, smoke and all."],
    ["A year! They said the same of the tunnel, and we waited for four."],
    [
        "Does anybody know whether bicycles may still cross?",
        "I cannot find it anywhere.",
        "Thanks in advance for any hint.",
    ],
    ["They may, on the north side only."],
    ["Nobody asked the people who live on the island what they need, as always."],
]
NAMES = ["Anna", "Jörg B.", "Marisol Vega", "old_salt", "Анна", "Anna"]


def page(above: str, below: str = "", count: int = 6) -> tuple[str, list[str]]:
    """Return a page, and what its comments say; the templates' lines are divided by "/ "."""
    lines, texts = list(ARTICLE), []
    for n, (name, body) in enumerate(zip(cycle(NAMES), TEXTS * 3, strict=False)):
        if n == count:
            break
        values = {"name": name, "n": n + 1, "day": n + 13, "few": n % 3 + 2, "hour": n + 10}
        lines += [line.format(**values) for line in above.split(" / ") if line] + body
        lines += [line.format(**values) for line in below.split(" / ") if line]
        texts.append("\n".join(body))
    return "\n".join(lines) + "\n", texts


def said(text: str, found: Recovered) -> list[str]:
    return [text[slice(*comment.span)] for comment in found.comments]


STYLES = {
    "german": ("{name} sagt: / 1{few}. März 2014 um {hour}:30 Uhr", "Antworten"),
    "german relative": ("{name} / vor {few} Stunden", "Antworten / Teilen"),
    "spanish": ("{name} dijo: / {day} de marzo de 2014 a las {hour}:05", "Responder"),
    "french": ("{name} / le {day} mars 2014 à {hour}h05", "Répondre / Signaler un abus"),
    "russian": ("{name} / {few} часа назад", "Ответить"),
    "chinese": ("{name} 说： / 2014年3月{day}日 {hour}:30", "回复"),
    "japanese": ("{n}. 名前：{name} / 2014/03/{day} {hour}:30", ""),
    "forum table": ("#{n} | {name} | {day}.03.2014", ""),
    "forum": ("{name} / Posts: {hour}5 / Joined: 0{few}/2009 / {day} Mar 2014, {hour}:15", "Quote / Report"),
    "votes": ("{name} / 2014-03-{day} {hour}:01", "+{few} / -{n} / Permalink"),
    "counted": ("{name} wrote on March {day}, 2014:", "{few} replies"),
    "date first": ("{day}/03/2014 {hour}:00 - {name}", ""),
    "number, name, date": ("{n} / {name} / {day}.03.2014 {hour}:30", "Zitieren"),
    "name last": ("Posted on {day} March 2014 by {name}", "Permalink"),
    "unknown language": ("{name} yazdı: / {day} Mart 2014 {hour}:30", "Yanıtla"),
    "no date": ("{name} napsal:", "Odpovědět"),
}


@pytest.mark.parametrize("style", STYLES)
def test_comments_are_what_stands_between_the_markers(style: str) -> None:
    text, texts = page(*STYLES[style])
    assert said(text, recover(text)) == texts


@pytest.mark.parametrize("style", STYLES)
def test_the_first_marker_ends_the_article(style: str) -> None:
    text, _ = page(*STYLES[style])
    assert text[slice(*recover(text).article)] == "\n".join(ARTICLE)


@pytest.mark.parametrize("style", STYLES)
def test_names_are_read_as_stated(style: str) -> None:
    comments = recover(page(*STYLES[style])[0]).comments
    assert [c.author for c in comments] == NAMES
    assert {c.author_claim.basis for c in comments} == {Basis.STATED}


def test_dates_are_read_as_utc() -> None:
    comments = recover(page(*STYLES["spanish"])[0]).comments
    assert comments[0].posted_at == datetime(2014, 3, 13, 10, 5, tzinfo=UTC)
    assert {c.date_claim.basis for c in comments} == {Basis.STATED}


def test_dates_that_name_no_day_stay_unknown() -> None:
    comments = recover(page(*STYLES["german relative"])[0]).comments
    assert {(c.posted_at, c.date_claim.basis) for c in comments} == {(None, Basis.UNKNOWN)}


def test_one_date_tells_the_order_of_all() -> None:
    comments = recover(page("{name} / 0{few}/{day}/2014", "Reply")[0]).comments
    assert comments[0].posted_at == datetime(2014, 2, 13, tzinfo=UTC)


def test_an_unknown_order_is_not_guessed() -> None:
    comments = recover(page("{name} / 0{few}/0{n}/2014", "Reply")[0]).comments
    assert [c.posted_at for c in comments] == [None] * 6


def test_marker_lines_are_left_out_with_what_they_are() -> None:
    text, _ = page("{name} / {day} March 2014", "Reply / {few} replies", count=3)
    reasons = {text[slice(*left.span)].strip(): left.reason for left in recover(text).left_out}
    assert reasons["Anna"] == "byline"
    assert reasons["13 March 2014"] == "date line"
    assert reasons["Reply"] == "link line"
    assert reasons["2 replies"] == "number line"


@pytest.mark.parametrize("style", STYLES)
def test_nothing_of_a_marked_page_is_lost(style: str) -> None:
    text, _ = page(*STYLES[style], count=17)
    found = recover(text)
    spans = sorted([found.article, *(c.span for c in found.comments), *(left.span for left in found.left_out)])
    assert "".join(text[a:b] for a, b in spans) == text


def test_two_comments_are_enough() -> None:
    text, texts = page("{name} says: / {day} March 2014", "Reply", count=2)
    assert said(text, recover(text)) == texts


def test_one_comment_is_no_template() -> None:
    assert find_marks(split_lines(page("{name} says: / {day} March 2014", "Reply", count=1)[0])) is None


def test_a_line_that_only_some_comments_have_is_no_text() -> None:
    text, texts = page("{name} / {day} March 2014", "Reply", count=12)
    lines = text.split("\n")
    for at in [i for i, line in enumerate(lines) if line == "Reply"][::3]:
        lines[at] += "\nSee 2 replies"
    text = "\n".join(lines)
    assert said(text, recover(text)) == texts


@pytest.mark.parametrize("line", ["Hello all", "A/LP"])
def test_words_above_some_of_the_texts_are_text(line: str) -> None:
    text, texts = page("{name} / {day} March 2014", "Reply", count=12)
    for body in (TEXTS[2], TEXTS[4]):
        text = text.replace(f"\n{body[0]}", f"\n{line}\n{body[0]}")
        texts = [f"{line}\n{its}" if its == body[0] else its for its in texts]
    assert said(text, recover(text)) == texts


def test_a_signature_below_the_texts_is_no_marker() -> None:
    text, texts = page("{name} says: / {day} March 2014", "Reply", count=3)
    signed = [f"{texts[0]}\nold_salt", texts[1], f"{texts[2]}\nold_salt"]
    for body in (TEXTS[0], TEXTS[2]):
        text = text.replace(body[-1], f"{body[-1]}\nold_salt")
    assert said(text, recover(text)) == signed


def test_dates_of_the_article_begin_no_comment() -> None:
    text, texts = page("{name} says: / {day} March 2014", "Reply", count=8)
    text = "".join(f"{day} May 2013\nThe bridge was closed once more, for a day of work.\n" for day in (2, 9)) + text
    found = recover(text)
    assert said(text, found) == texts
    assert [comment.author for comment in found.comments] == [*NAMES, *NAMES[:2]]


def test_dated_bylines_are_believed_rather_than_an_interview() -> None:
    text, texts = page("by {name} » {day} March 2014", count=4)
    asked = [f"{name} asks:\n{line}\n{line[::-1]}\n" for name in ("Ida", "Ole", "Per", "Uwe") for line in ARTICLE]
    text = "".join(asked) + text
    assert said(text, recover(text)) == texts


def test_what_two_texts_say_is_less_than_three_bylines() -> None:
    texts = [
        "Thanks for the news.",
        "Very good. I will look at it tomorrow.",
        "Thanks for the timetable of the ferry ..",
    ]
    heads = [f"by {name} » {day} March 2014" for day, name in enumerate(NAMES[:3], 13)]
    lines = [line for pair in zip(heads, texts, strict=True) for line in pair]
    text = "\n".join([*ARTICLE, *lines]) + "\n"
    assert said(text, recover(text)) == texts


def test_a_missing_name_leaves_the_others_in_place() -> None:
    text, texts = page("{name} / {day} March 2014", "Reply / Share", count=12)
    text = text.replace("Share\nold_salt\n", "Share\n", 1)
    found = recover(text)
    assert said(text, found) == texts
    assert [c.author for c in found.comments].count(None) == 1


def test_a_comment_that_looks_like_a_marker_stays_one_comment() -> None:
    text, texts = page("{name} says: / {day} March 2014", "Reply")
    text = text.replace(TEXTS[2][0], "As my mother always says:\n" + TEXTS[2][0])
    assert len(recover(text).comments) == len(texts)


def test_the_articles_own_byline_begins_no_comment() -> None:
    text, texts = page("by {name} on {day} March 2014")
    text = "The bridge\nby Harbour Desk on 12 March 2014\n" + text
    assert said(text, recover(text)) == texts


def test_what_repeats_in_an_article_is_no_template() -> None:
    recipe = ["Serves four people.", "Cook for 20 minutes and stir.", "Advertisement"] * 6
    assert find_marks(split_lines("\n".join([*ARTICLE, *recipe]))) is None


def test_somebody_who_signs_above_each_text_says_so_in_the_text() -> None:
    text, texts = page("{name} said on {day} March 2014:", "Reply", 18)
    for body in (TEXTS[2], TEXTS[4], TEXTS[5]):
        text = text.replace(f"\n{body[0]}", f"\nMaury:\n{body[0]}")
        texts = [f"Maury:\n{its}" if its == body[0] else its for its in texts]
    assert said(text, recover(text)) == texts


def test_a_name_at_the_start_names_the_parent() -> None:
    text, _ = page("{name} / {day} March 2014", "Reply")
    text = text.replace(TEXTS[2][0], "@Anna a year! They said the same of the tunnel.")
    comment = recover(text).comments[2]
    assert comment.parent == 0
    assert "names its author" in comment.parent_claim.reason


@pytest.mark.parametrize(
    ("line", "moment"),
    [
        ("March 5th, 2014 at 12:07 am", datetime(2014, 3, 5, 0, 7, tzinfo=UTC)),
        ("Mo., 3. März 2014, 14:30 Uhr", datetime(2014, 3, 3, 14, 30, tzinfo=UTC)),
        ("le 5 mars 2014 à 15h07", datetime(2014, 3, 5, 15, 7, tzinfo=UTC)),
        ("2014-03-05T23:30:00+01:00", datetime(2014, 3, 5, 22, 30, tzinfo=UTC)),
        ("2014年3月5日 10:11", datetime(2014, 3, 5, 10, 11, tzinfo=UTC)),
        ("5 января 2014 в 10:07", datetime(2014, 1, 5, 10, 7, tzinfo=UTC)),
        ("25/04/2014", datetime(2014, 4, 25, tzinfo=UTC)),
        ("03/04/2014", None),
        ("30 February 2014", None),
        ("9 years ago", None),
        ("vor 3 Stunden", None),
        ("gestern, 12:30", None),
    ],
)
def test_a_date_is_found_whole_and_read_only_if_it_is_sure(line: str, moment: datetime | None) -> None:
    [stamp] = stamps(line)
    assert line[stamp.start : stamp.end] in (line, line.removeprefix("le "))
    assert read(stamp) == moment


@pytest.mark.parametrize("line", ["I have 3 people", "version 3.6.13", "0.50", "+3 / -1", "5 hours", ""])
def test_other_numbers_are_no_dates(line: str) -> None:
    assert stamps(line) == []


def test_the_order_of_dates_is_learned_only_where_they_agree() -> None:
    assert day_first(stamps("13/03/2014")) is True
    assert day_first(stamps("03/13/2014")) is False
    assert day_first([*stamps("13/03/2014"), *stamps("03/13/2014")]) is None


PIECES = [
    "Reply",
    "Anna says:",
    "1 March 2014",
    "9 years ago",
    "#3 | x",
    "> so",
    "2 replies",
    "@",
    "",
    "25:61 am",
    "\x00",
]


@given(st.lists(st.sampled_from(PIECES) | st.text(max_size=20), max_size=40).map("\n".join))
def test_any_page_is_tiled(text: str) -> None:
    found = recover(text)
    spans = sorted([found.article, *(c.span for c in found.comments), *(left.span for left in found.left_out)])
    assert "".join(text[a:b] for a, b in spans) == text
    assert all(c.parent is None or c.parent < n for n, c in enumerate(found.comments))
    assert all(c.span.start < c.span.end for c in found.comments)
