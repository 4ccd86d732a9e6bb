"""Rows of a thread to HTML: one flat loop, whatever is nested in what.

A page of 1,000 comments is made in milliseconds because nothing here calls into Django for a row: addresses are a
prefix and a number, what is said of the basis is kept by its values, and the rows are joined as text; a template's loop
over them cost as much as everything else together. So everything printed here is HTML: names are escaped, once each,
and texts are those that ``archive.text`` made safe when they were stored. ``_thread.html`` says what a comment looks
like, for those who style and script it.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable
from datetime import datetime
from functools import lru_cache
from html import escape
from typing import NamedTuple

from django.urls import reverse

from archive.ingest.records import Basis
from archive.models import Article, Comment
from archive.queries import ThreadRow
from archive.views.environment import counted, day

MAX_DEPTH = 1 << 31
MAX_LEVEL = 8  # nested lists; replies below stand one under the other and say to whom they reply
SURE = 80  # per cent; from here on, a mark without words says that something was inferred
DOUBTFUL = 50  # per cent; below, the words stand out
LONG = 3_000  # characters of HTML; a longer comment is folded by the stylesheet until it is asked for
STATUS = {status.value: str(status.label) for status in Comment.Status}

PUBLISHED, STATED, INFERRED = Comment.Status.PUBLISHED.value, Basis.STATED.value, Basis.INFERRED.value

LIST = "<ol>"
END = "</details></li>"
ENDS = [END + ("</ol>" + END) * levels for levels in range(MAX_LEVEL + 1)]
GONE = '<span class="who unknown">{}</span>'
UNKNOWN = '<span class="who unknown">author not in the source</span>'
TOMBSTONE = '<div class="body gone" lang="en"><p>What stood here is not shown.{}</p></div>'
GHOST = '<span class="to">in reply to a comment that the source does not have</span>'
BYLINE = '\n<span class="byline" title="The same name as in the article’s byline">the article’s byline</span>'
DEEPER = '<p class="deeper"{2}><a href="{0}{1}/">Continue this thread on its own page</a></p>\n'
WHOLE = '<details class="whole"><summary{}>Show all of it</summary></details>'


class Doubt(NamedTuple):
    """What of a comment was not stated: ``words`` to be read at a glance, ``whole`` to be read out or pointed at."""

    words: str
    whole: str
    kind: str


class Look(NamedTuple):
    """How a page shows its rows.

    context:  ids of rows that are there only so that others can be understood
    matches:  ids of rows that were looked for
    here:     id of the comment that the page is about
    root:     id of a comment that the outermost rows stand under, in a page that has it already
    rest:     a paragraph below the replies to ``here``, safe HTML
    levels:   so many are shown, and what is below a link away; 0 for all
    nested:   False for an order that is not the thread's: then nothing stands under anything
    """

    context: Collection[int] = ()
    matches: Collection[int] = ()
    here: int = 0
    rest: str = ""
    root: int | None = None
    nested: bool = True
    levels: int = 0


PLAIN = Look()


def thread(rows: Iterable[ThreadRow], article: Article, look: Look = PLAIN) -> str:
    """The rows as ``<li>`` elements that open and close the lists below them.

    Rows come in any order in which a comment's descendants follow it, and any may be missing: a row stands under the
    nearest of its ancestors among the rows before it, at most ``MAX_LEVEL`` deep, and names its parent where that is
    not the comment it stands under.
    """
    rows = list(rows)
    setting = _setting(article, look)
    marks = _marks(look)
    places = _places(rows) if look.nested else {}
    seen: dict[int, ThreadRow] = {}
    parts: list[str] = []
    path: list[tuple[int, int]] = []  # first and last rank of the subtrees that the row stands in, outermost first
    under: list[int | None] = [look.root] + [None] * (MAX_LEVEL + 1)  # by level, the comment whose list that is
    level = last = home = 0
    for row in rows:
        id_, rank, size = row.id, row.thread_rank, row.subtree_size
        while path and not path[-1][0] < rank <= path[-1][1]:
            path.pop()
        level = min(len(path), MAX_LEVEL)
        if parts:
            parts.append(LIST if level > last else ENDS[last - level])
        parts.append(_row(row, under[level], seen, marks.get(id_, ""), places.get(id_, ""), setting))
        if size and len(path) == MAX_LEVEL:
            parts.append(DEEPER.format(setting.comments, id_, setting.english))
        under[level + 1] = id_
        seen[id_] = row
        if id_ == look.here:
            home = level
        if look.nested:
            path.append((rank, rank + size))
        last = level
    if look.rest:
        parts.append("" if level == home else ENDS[level - home - 1] + "</ol>")
        parts.append(look.rest)
        level = home
    return "".join([*parts, ENDS[level]]) if parts else ""


def loaded(rows: Iterable[ThreadRow], article: Article, here: int, rest: str) -> str:
    """Replies to the comment ``here`` and a paragraph below them, as a script puts them into a page that has it."""
    body = thread(rows, article, Look(root=here))
    return f"<ol>{body}</ol>{rest}" if body else ""


def rest_of(article: Article, comment_id: int, *, after: int, count: int) -> str:
    """A paragraph that leads to the replies after ``after``."""
    setting = _setting(article, PLAIN)
    href = f"{setting.comments}{comment_id}/?after={after}"
    return f'<p class="rest"{setting.english}><a href="{href}">{counted(count, "more reply", "more replies")}</a></p>'


class Setting(NamedTuple):
    """What all rows of a page have in common: what addresses begin with, what is said in which language, and how."""

    comments: str
    authors: str
    about: str
    english: str  # an attribute for what the archive itself says, where the article is in another language
    byline: str  # a key to compare names by
    has_source: bool
    levels: int


def _setting(article: Article, look: Look) -> Setting:
    return Setting(
        reverse("comment", args=[article.pk or 0, 0]).removesuffix("0/"),
        reverse("author", args=[0]).removesuffix("0/"),
        f"{reverse('about')}#basis",
        ' lang="en"' if article.language not in ("", "en") else "",
        name_key(article.byline.removeprefix("By ").removeprefix("by ")),
        article.span_start is not None,
        look.levels or MAX_DEPTH,
    )


def name_key(name: str) -> str:
    return " ".join(name.split()).casefold()


def _marks(look: Look) -> dict[int, str]:
    marks = dict.fromkeys(look.context, ' class="context"') | dict.fromkeys(look.matches, ' class="match"')
    return marks | {look.here: ' class="here"'}


def _places(rows: list[ThreadRow]) -> dict[int, str]:
    """By id, what those are told who do not see the indents: the level, and which of how many replies a comment is.

    The latter only where all replies to the same comment are among the rows: their subtrees then fill its own.
    """
    replies = Counter(row.parent_id for row in rows)
    filled = defaultdict[int | None, int](int)
    for row in rows:
        filled[row.parent_id] += row.subtree_size + 1
    whole = {row.id for row in rows if row.subtree_size and filled.get(row.id) == row.subtree_size}
    nth: defaultdict[int | None, int] = defaultdict(int)
    made: dict[int, str] = {}
    for row in rows:
        parent, among = row.parent_id, ""
        if parent in whole:
            nth[parent] += 1
            among = f", reply {nth[parent]} of {replies[parent]}"
        made[row.id] = f'<span class="unseen">Level {row.depth + 1}{among}: </span>'
    return made


def _row(row: ThreadRow, under: int | None, seen: dict[int, ThreadRow], mark: str, place: str, setting: Setting) -> str:
    """One comment, from its ``<li>`` to the end of its text; its ``<details>`` stays open for the replies to it.

    Whoever wrote under exactly the name that stands in the article's byline is marked as such, where the name was
    not inferred: the name is the same, and no more than that is said.
    """
    comments, authors, about, english, byline, has_source, levels = setting
    # Taken apart at once: attributes looked up one by one took a fifth of the time.
    id_, parent_id, _, rank, depth, size, status, posted_at = row[:8]
    bases = boundary, _, parent, _, author, _, date, _ = row[8:16]
    missing_parent, html, name, author_id = row[16:]
    number, own = rank + 1, f"{comments}{id_}/"
    replies = "" if not size else "1 reply" if size == 1 else f"{size:,} replies"
    to = GHOST if missing_parent else "" if parent_id == under else reply_to(parent_id, seen, comments)
    if status == PUBLISHED:
        named = byline if byline and author != INFERRED else ""
        dated = "" if posted_at is None else when(posted_at)
        doubted = ""
        if not (boundary == parent == STATED and author != INFERRED and date != INFERRED):
            doubted = doubt_link(bases, parent_id is None, about)
        head = f"{who(name, author_id, authors, named)}\n{dated}\n{to}\n{doubted}\n"
        source = f'<a class="src" href="{own}source/">source</a>\n' if has_source else ""
        whole = WHOLE.format(english) if len(html) > LONG else ""
        text = f'<div class="body" dir="auto">{html}</div>{whole}'
    else:
        head, source = f"{GONE.format(STATUS[status])}\n{to}\n", ""
        text = TOMBSTONE.format(" The replies to it are." if size else "")
    count = f'<span class="re">{replies}</span>\n' if size else ""
    rest = f'\n<p class="rest"{english}><a href="{own}">Show {replies}</a></p>' if size and depth >= levels - 1 else ""
    return (
        f'<li id="c{id_}"{mark}>\n<div class="head"{english}>{place}{head}{count}{source}'
        f'<a class="n" href="{own}"><span class="unseen">Comment </span>#{number}</a></div>\n'
        f'<details open><summary{english}><span class="unseen">Comment {number}{" and its " if size else ""}{replies}'
        f"</span></summary>\n{text}{rest}\n"
    )


@lru_cache(maxsize=4096)
def who(name: str, author_id: int | None, authors: str, byline: str) -> str:
    if not name:
        return UNKNOWN
    mark = BYLINE if byline and name_key(name) == byline else ""
    if author_id is None:
        return f'<bdi class="who">{escape(name)}</bdi>{mark}'
    return f'<a class="who" href="{authors}{author_id}/"><bdi>{escape(name)}</bdi></a>{mark}'


def when(at: datetime) -> str:
    """As ``moment``, from the pieces that the attribute needs anyway: a page may have a thousand."""
    iso = at.replace(tzinfo=None).isoformat()  # all dates are read in UTC; asking the zone took half of the time
    clock = "" if iso[11:19] == "00:00:00" else f", {iso[11:16]} UTC"
    return f'<time datetime="{iso}Z">{_day(iso[:10])}{clock}</time>'


@lru_cache(maxsize=4096)
def _day(iso: str) -> str:
    return day(datetime.fromisoformat(iso))


def reply_to(parent_id: int | None, seen: dict[int, ThreadRow], comments: str) -> str:
    """A link to a parent that the lists do not show: on this page where it is on it."""
    if parent_id is None:
        return ""
    parent = seen.get(parent_id)
    if parent is None:
        return f'<a class="to" href="{comments}{parent_id}/">in reply to an earlier comment</a>'
    name = f"<bdi>{escape(parent.shown_author)}</bdi>, " if parent.shown_author else ""
    return f'<a class="to" href="#c{parent_id}">in reply to {name}#{parent.thread_rank + 1}</a>'


type Bases = tuple[str, float | None, str, float | None, str, float | None, str, float | None]


@lru_cache(maxsize=4096)
def doubt_link(bases: Bases, is_root: bool, about: str) -> str:
    """What is to be said of where a comment starts, its place, author and date, each a basis and a confidence.

    In words where it is worth a look; a mark that says the same when pointed at or read out, where it is not.
    """
    start, sure_of_start, place, sure_of_place, author, sure_of_author, date, sure_of_date = bases
    where = (start, percent(sure_of_start)), (place, percent(sure_of_place))
    found = doubt(is_root, *where, (author, percent(sure_of_author)), (date, percent(sure_of_date)))
    if found is None:
        return ""
    shown = found.words or f'<span aria-hidden="true">≈</span><span class="unseen">{found.whole}</span>'
    return f'<a class="doubt {found.kind}" href="{about}" title="{found.whole}">{shown}</a>'


def percent(confidence: float | None) -> int | None:
    """Rounded, but never to a certainty that nobody claimed."""
    return None if confidence is None else max(1, min(99, round(confidence * 100)))


type Claimed = tuple[str, int | None]


def doubt(is_root: bool, start: Claimed, place: Claimed, author: Claimed, date: Claimed) -> Doubt | None:
    """What to say of a comment with these bases: each a basis and a confidence in per cent."""
    named = {"start": start, "top level" if is_root else "reply": place, "author": author, "date": date}
    inferred = {name: sure for name, (basis, sure) in named.items() if basis == Basis.INFERRED}
    said = {name: _said(name, sure) for name, sure in inferred.items()}
    # That author or date is unknown shows by itself: nothing stands where they would.
    if start[0] == Basis.UNKNOWN:
        said["start"] = "start not known"
    if place[0] == Basis.UNKNOWN:
        said["place"] = "not known whether this is a reply" if is_root else "not known to whom this replies"
    if not said:
        return None
    unsure = [name for name, sure in inferred.items() if sure is None or sure < SURE]
    lowest = min((sure for sure in inferred.values() if sure is not None), default=100)
    kind = "strong" if lowest < DOUBTFUL else "plain" if unsure else "faint"
    return Doubt(", ".join(said[name] for name in unsure), "; ".join(said.values()), kind)


def _said(name: str, sure: int | None) -> str:
    return f"{name} inferred" if sure is None else f"{name} inferred, {sure}\u00a0%"
