"""The discussion once more, for machines: schema.org's DiscussionForumPosting with its comments inside one another.

Only what a reader sees on the page, and of that a bounded part. What was hidden is not in it; an author is in it only
where the page shows one; nothing inferred is given as a fact, so a date or an author that the source did not state is
left out.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from typing import Any

from archive.ingest.records import Basis
from archive.models import Article
from archive.queries import ThreadRow
from archive.text import excerpt, html_to_text
from archive.views.environment import stored

MOST_COMMENTS = 30
LONGEST = 300  # code points of a text
SURE = {Basis.STATED.value, Basis.REVIEWED.value}
# What could end the element, or a line of a script, or begin a comment in HTML.
_UNSAFE = {"<": "\\u003c", ">": "\\u003e", "&": "\\u0026", "\u2028": "\\u2028", "\u2029": "\\u2029"}


def posting(article: Article, rows: Iterable[ThreadRow], *, absolute: Callable[[str], str]) -> str:
    """A data block for the page's head. ``absolute`` makes an address of a path."""
    own = absolute(article.get_absolute_url())
    post = _present(
        {
            "@context": "https://schema.org",
            "@type": "DiscussionForumPosting",
            "@id": own,
            "url": own,
            "headline": article.title[:110],
            "text": excerpt(article.body[: LONGEST * 2], LONGEST),
            "inLanguage": article.language,
            "datePublished": article.published_at.isoformat() if article.published_at else "",
            "author": _person(article.byline),
            "isPartOf": {"@type": "WebSite", "name": article.site.name},
            "commentCount": article.comment_count,
            "comment": _nested(rows, absolute(f"/a/{article.pk}/c/0/").removesuffix("0/")),
        }
    )
    return embedded(post)


def embedded(data: dict[str, Any]) -> str:
    """``data`` as an element that a browser does not run and whose end nothing in it can be taken for."""
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"))
    for character, escaped in _UNSAFE.items():
        text = text.replace(character, escaped)
    return stored(f'<script type="application/ld+json">{text}</script>')


def _nested(rows: Iterable[ThreadRow], prefix: str) -> list[dict[str, Any]]:
    """The first comments of a page, each in its parent where that is among them; replies to a hidden one move up."""
    roots: list[dict[str, Any]] = []
    made: dict[int, dict[str, Any]] = {}
    for row, _ in zip(rows, range(MOST_COMMENTS), strict=False):
        siblings = made[row.parent_id].setdefault("comment", []) if row.parent_id in made else roots
        if row.is_tombstone:
            continue
        url = f"{prefix}{row.id}/"
        made[row.id] = _present(
            {
                "@type": "Comment",
                "@id": url,
                "url": url,
                "text": excerpt(html_to_text(row.shown_html[: LONGEST * 2]), LONGEST),
                "datePublished": row.posted_at.isoformat() if row.posted_at and row.date_basis in SURE else "",
                "author": _person(row.shown_author if row.author_basis in SURE else ""),
            }
        )
        siblings.append(made[row.id])
    return roots


def _person(name: str) -> dict[str, str] | None:
    return {"@type": "Person", "name": name} if name else None


def _present(fields: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value not in ("", None, [])}
