"""Discussions that the sample has not: with names, dates and hidden comments; very deep; hostile; of several pages.

Run by itself, beside the database that ``DATABASE_URL`` names, it stores them and prints each one's article and
comments as JSON: tests of pages run in a process that has no database of Django's.
"""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "archive.settings")
if __name__ == "__main__":
    django.setup()

from archive import counters
from archive.models import Author, Comment, Site
from tests.makers import make_article, make_comments

FIRST = datetime(2017, 3, 14, 21, 7, tzinfo=UTC)
TOWER = "\u0300\u0301\u0302\u0303\u0308" * 40  # combining marks, piled up

FERRY = """\
The council voted on Tuesday to replace the ferry between the two banks with a bridge for walkers and cyclists.
“We cross it six hundred times a day, and six hundred times a day we wait,” said Ines Albrecht, who moved the motion.
The ferry has run since 1831. Its last skipper, Jonas Wirth, heard of the vote from a passenger."""

SMALL = {
    "a": ("nightshift_k", "Six people is six people who get home. I have been one of them for eleven years."),
    "b": ("P. Lindqvist", "> six people who get home\nSeven on Fridays. I counted, because nobody else does."),
    "c": ("", "Those counts are done in the afternoon. Ask anyone who works there."),
    "d": ("ratepayer55", "And who pays for the other six hundred seats?"),
    "e": ("", "hidden"),
    "f": ("Old Ferryman", "You can argue about the boat without bringing his daughter into it."),
    "g": ("שרה כ׳", "גשר הוא לא מעבורת. על גשר אף אחד לא אומר לך בוקר טוב."),
}
TEXTS = (
    "The timetable says twelve minutes. It has never once been twelve minutes.",
    "My grandmother took it to school, and complained about it in the same words.",
    "A bridge needs no timetable. That is the whole argument, and it is a good one.",
    "I would like to see the figures for winter before anybody orders steel.",
    "So would I.\nThe last ones published are from 2009, and they were wrong then: two boats were counted as one.",
    "No.",
    "He never said that. He said that he would *think* about it, which from him is rather a lot.",
)
DRESSED = [
    "author",
    "author_name",
    "author_basis",
    "posted_at",
    "date_basis",
    "parent_basis",
    "parent_confidence",
    "status",
]
NAMES = ("nightshift_k", "P. Lindqvist", "ratepayer55", "Old Ferryman", "M. Okafor", "")


type Fields = dict[str, Any]
type Tree = list[tuple[str, str | None, Fields]]  # name, name of the parent, and what differs from the others


def store() -> dict[str, dict[str, Any]]:
    """Make the discussions; each has its article's id, and its comments' ids by their names."""
    return {
        "small": stored("Council votes to replace the ferry with a bridge", small()),
        "deep": stored("What was said on the last crossing", deep()),
        "long": stored("Every crossing, counted", long()),
    }


def small() -> Tree:
    parents = {"b": "a", "d": "c", "c": "a", "f": "e"}
    made: Tree = [(key, parents.get(key), {"name": name, "body": text}) for key, (name, text) in SMALL.items()]
    made[2][2].update(parent_basis="inferred", parent_confidence=0.64)
    made[4][2]["status"] = "hidden"
    return made


def deep() -> Tree:
    """A chain of fourteen replies, with a second reply here and there, and what breaks pages in between."""
    odd: dict[int, Fields] = {
        1: {"name": "Donaudampfschifffahrtsgesellschaftskapitaensmuetze" * 3, "body": "wide" * 120},
        2: {"name": "Z" + TOWER, "body": f"Look at this: a{TOWER}b"},
        3: {"name": "שרה כ׳", "body": "שלום לכולם, זאת תגובה ארוכה https://example.org/" + "a" * 200},
        5: {"body": "> > > quoted\n> > again\n> once\nand answered"},
        6: {"body": "\n".join(TEXTS * 12)},
        7: {"status": "removed"},
    }
    chain: Tree = [(f"n{level}", f"n{level - 1}" if level else None, odd.get(level, {})) for level in range(14)]
    return [*chain, *((f"s{level}", f"n{level}", {}) for level in (0, 4, 8, 12)), ("z", None, {})]


def long() -> Tree:
    """450 comments: under every tenth a reply, and eight replies to that."""

    def parent(n: int) -> str | None:
        return None if n % 10 == 0 else f"t{n - 1}" if n % 10 == 1 else f"t{n - n % 10 + 1}"

    return [(f"t{n}", parent(n), {}) for n in range(450)]


def stored(title: str, tree: Tree) -> dict[str, Any]:
    site = Site.objects.get_or_create(name="The Northfield Courier", slug="northfield-courier")[0]
    known: Fields = {"byline": "Marta Eskilsen", "published_at": FIRST, "slug": "crossing", "language": "en"}
    article = make_article(title, FERRY, site=site, **known)
    names = [name for name, _, _ in tree]
    bodies = [fields.get("body", TEXTS[n % len(TEXTS)]) for n, (_, _, fields) in enumerate(tree)]
    made = make_comments(article, names, [parent for _, parent, _ in tree], bodies)
    for n, (comment, (_, _, fields)) in enumerate(zip(made, tree, strict=True)):
        _dress(comment, fields.get("name", NAMES[n % len(NAMES)]), n)
        for name in fields.keys() - {"name", "body"}:
            setattr(comment, name, fields[name])
    Comment.objects.bulk_update(made, DRESSED)
    counters.recount_articles([article.pk])
    return {"article": article.pk, "comments": {name: comment.pk for name, comment in zip(names, made, strict=True)}}


def _dress(comment: Comment, name: str, number: int) -> None:
    """A name and a date, as a source that kept them would state them."""
    comment.posted_at, comment.date_basis = FIRST + timedelta(hours=5 * number), "stated"
    if name:
        key = sha256(name.encode()).digest()
        site = comment.article.site
        comment.author = Author.objects.get_or_create(site=site, key=key, defaults={"name": name})[0]
        comment.author_name, comment.author_basis = name, "stated"


if __name__ == "__main__":
    print(json.dumps(store()))
