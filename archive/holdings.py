"""Where the archive holds words that people wrote: one table of fields, and how each is covered.

``SWEPT`` and ``WITHOUT_WORDS`` name every column of ours that can hold text: a test reads Django's models and fails for
a column that neither of them knows. Masks and erasures go through this table, so that they miss none of them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import Enum, auto
from typing import Any

from django.db.models import Model

from archive import redaction
from archive.entities import resolver
from archive.models import (
    Alias,
    Article,
    Author,
    Case,
    CaseNote,
    Comment,
    Correction,
    Entity,
    Judgement,
    Mention,
    Reason,
    Report,
    Review,
    Revision,
    Source,
)
from archive.redaction import Marks
from archive.text import render_text


class How(Enum):
    """How the words in a field are covered."""

    TEXT = auto()
    HTML = auto()  # the row's ``body`` as HTML
    URL = auto()
    SLUG = auto()
    JSON = auto()


TEXT, HTML, URL, SLUG, JSON = How
# Rows that belong to an article, by its id.
OF_ARTICLE: dict[type[Model], dict[str, How]] = {
    Comment: {"body": TEXT, "html": HTML, "author_name": TEXT, "external_id": TEXT, "missing_parent": TEXT},
    Revision: {"body": TEXT},
    Mention: {"surface": TEXT},
    Judgement: {"surface": TEXT},
    Report: {"reason": TEXT, "snapshot": TEXT, "outcome": TEXT},
    Review: {"proposal": JSON},
    Correction: {"operation": JSON, "words": TEXT},
}
OWN: dict[str, How] = {"title": TEXT, "byline": TEXT, "body": TEXT, "html": HTML, "url": URL, "slug": SLUG}
SHARED: dict[type[Model], dict[str, How]] = {
    Entity: {"name": TEXT, "description": TEXT, "external_ids": JSON},
    Alias: {"key": TEXT},
    Author: {"name": TEXT},
    Reason: {"text": TEXT},
}
OF_SOURCE: dict[str, How] = {"name": TEXT, "report": JSON}
OF_CASE: dict[type[Model], dict[str, How]] = {
    Case: {"basis": TEXT, "outcome": TEXT},
    CaseNote: {"text": TEXT},
}
SWEPT: dict[type[Model], Mapping[str, How]] = {
    **OF_ARTICLE,
    Article: OWN,
    **SHARED,
    Source: OF_SOURCE,
    **OF_CASE,
}
# What readers of public pages can come to see, and so what a mask covers.
PUBLIC: dict[type[Model], tuple[str, ...]] = {
    Comment: ("body", "html", "author_name"),
    Revision: ("body",),
    Mention: ("surface",),
    Judgement: ("surface",),
}


def changes(row: Any, fields: Mapping[str, How], marks: Marks) -> dict[str, Any]:
    """What the fields of a row are with the marked words covered: only those that change."""
    found: dict[str, Any] = {}
    for name, how in fields.items():
        value = getattr(row, name)
        if value and (new := _covered(row, value, how, marks)) != value:
            found[name] = new
    return found


def _covered(row: Any, value: Any, how: How, marks: Marks) -> Any:
    match how:
        case How.TEXT:
            return redaction.covered(value, marks)
        case How.HTML:
            return _html(row.body, value, marks)
        case How.URL:
            return redaction.covered_url(value, marks)
        case How.SLUG:
            return redaction.covered_slug(value, marks)
        case How.JSON:
            return redaction.covered_json(value, marks)


def _html(body: str, html: str, marks: Marks) -> str:
    """HTML that was made of the body is made anew; of other HTML the words are covered where they stand in it."""
    places = redaction.find(body, marks)
    if not places and "=" not in html:
        return html
    if places and resolver.is_derived(body, html):
        return render_text(redaction.cover(body, places))
    said = redaction.marks_of((body[start:end] for start, end in places), marks.digest)
    return redaction.covered_html(html, Marks(redaction.merged(marks.anywhere, said.anywhere), digest=marks.digest))


def sweep(rows: Iterable[Any], fields: Mapping[str, How], marks: Marks) -> list[tuple[Any, dict[str, Any]]]:
    """The rows in which something is covered, with what changes; nothing is written."""
    return [(row, found) for row in rows if (found := changes(row, fields, marks))]
