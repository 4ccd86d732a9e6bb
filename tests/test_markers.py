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
    ["Does anybody know whether bicycles may still cross?", "I cannot find it anywhere.", "Thanks in advance for any hint."],
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
