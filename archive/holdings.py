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
    DecisionReason,
    Entity,
    Judgement,
    Mention,
    Reason,
    Report,
    Review,
    Revision,
    Rule,
    RuleVersion,
    SavedView,
    Source,
    Waiting,
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
    Report: {"reason": TEXT, "note": TEXT, "snapshot": TEXT, "outcome": TEXT},
    Review: {"proposal": JSON},
    Correction: {"operation": JSON, "words": TEXT},
}
OWN: dict[str, How] = {"title": TEXT, "byline": TEXT, "body": TEXT, "html": HTML, "url": URL, "slug": SLUG}
SHARED: dict[type[Model], dict[str, How]] = {
    Entity: {"name": TEXT, "description": TEXT, "external_ids": JSON},
    Alias: {"key": TEXT},
    Author: {"name": TEXT},
    Reason: {"text": TEXT},
    SavedView: {"name": TEXT, "words": TEXT},
}
# What a rule looks for, and is called: one that looked for what was erased is switched off.
OF_RULE: dict[type[Model], dict[str, How]] = {
    Rule: {"name": TEXT, "body": TEXT},
    RuleVersion: {"name": TEXT, "body": TEXT},
    Waiting: {"why": JSON},
}
OF_LOG: dict[type[Model], dict[str, How]] = {DecisionReason: {"text": TEXT}}  # emptied as a whole
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
    **OF_RULE,
    **OF_LOG,
}
# What readers of public pages can come to see, and so what a mask covers.
PUBLIC: dict[type[Model], tuple[str, ...]] = {
    Comment: ("body", "html", "author_name"),
    Revision: ("body",),
    Mention: ("surface",),
    Judgement: ("surface",),
    Report: ("outcome",),
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
    if places and (marks.signs or resolver.is_derived(body, html)):
        return render_text(redaction.cover(body, places))
    said = redaction.marks_of((body[start:end] for start, end in places), marks.digest)
    return redaction.covered_html(html, Marks(redaction.merged(marks.anywhere, said.anywhere), digest=marks.digest))


def sweep(rows: Iterable[Any], fields: Mapping[str, How], marks: Marks) -> list[tuple[Any, dict[str, Any]]]:
    """The rows in which something is covered, with what changes; nothing is written."""
    return [(row, found) for row in rows if (found := changes(row, fields, marks))]


_CHOICE = "one of a few words of ours"
_DIGEST = "a digest"
# Columns that could hold text and hold none of a person's words, and why.
WITHOUT_WORDS: dict[str, str] = {
    "Site.name": "of a publication, typed by an archivist",
    "Site.slug": "of a publication",
    "Site.url": "of a publication",
    "Author.key": _DIGEST,
    "Article.key": _DIGEST,
    "Article.digest": _DIGEST,
    "Article.title_basis": _CHOICE,
    "Article.language": _CHOICE,
    "Article.activity": "days and counts",
    "Article.counted_month": "a month",
    "Article.status": _CHOICE,
    "Tally.month": "a month",
    "Comment.external_key": _DIGEST,
    "Comment.status": _CHOICE,
    "Comment.cause": _CHOICE,
    "Comment.boundary_basis": _CHOICE,
    "Comment.parent_basis": _CHOICE,
    "Comment.author_basis": _CHOICE,
    "Comment.date_basis": _CHOICE,
    "FormerComment.external_key": _DIGEST,
    "ThreadOrder.sort": _CHOICE,
    "ThreadOrder.ranks": "numbers",
    "Revision.cause": _CHOICE,
    "Entity.kind": _CHOICE,
    "Alias.kind": _CHOICE,
    "Mention.extractor": "of a program",
    "Mention.extractor_version": "of a program",
    "Mention.review": _CHOICE,
    "Judgement.verdict": _CHOICE,
    "Judgement.scope": _CHOICE,
    "Correction.by_name": "of an account",
    "Source.sha256": _DIGEST,
    "Source.format": _CHOICE,
    "Source.content": "overwritten span by span (erasure)",
    "Source.encoding": _CHOICE,
    "Source.reader_version": "of a program",
    "Source.state": _CHOICE,
    "Source.redacted": "numbers of an erasure",
    "Outbox.comment_ids": "numbers",
    "SearchDocument.vector": "made anew with what it was made of",
    "Bulk.action": _CHOICE,
    "Bulk.reason": "a moderator's, emptied when it is in the log",
    "Bulk.problems": "numbers, and words of ours",
    "Decision.actor_name": "of an account or a rule",
    "Decision.action": _CHOICE,
    "Decision.target": _CHOICE,
    "Decision.from_state": _CHOICE,
    "Decision.to_state": _CHOICE,
    "Decision.reason": "of entries from before reasons could be erased",
    "Decision.reason_digest": _DIGEST,
    "DecisionReason.salt": "a random number",
    "Decision.cause": _CHOICE,
    "Decision.detail": "numbers, and names that are ours",
    "Decision.previous_hash": _DIGEST,
    "Decision.hash": _DIGEST,
    "Report.token": "a random number",
    "Report.sender": _DIGEST,
    "Sent.sender": _DIGEST,
    "Case.kind": _CHOICE,
    "Case.state": _CHOICE,
    "Case.requester": "who asked: the archive has to answer for what it did",
    "Case.contact": "who asked: the archive has to answer for what it did",
    "Case.scope": "emptied when the case is erased",
    "Case.words": "emptied when the case is erased",
    "Case.erase_entry": "a random number",
    "Case.work": _CHOICE,
    "CaseNote.by_name": "of an account",
    "Masked.table": _CHOICE,
    "Masked.field": _CHOICE,
    "Masked.before": "covered, or deleted with the comment or the case (erasure)",
    "Masked.after": "covered, or deleted with the comment or the case (erasure)",
    "Suppression.entry": "a random number",
    "Waiting.kind": _CHOICE,
    "WaitingTally.kind": _CHOICE,
    "SavedView.kind": _CHOICE,
    "SavedView.age": _CHOICE,
    "Rule.kind": _CHOICE,
    "Rule.action": _CHOICE,
    "RuleVersion.kind": _CHOICE,
    "RuleVersion.action": _CHOICE,
    "RuleVersion.by_name": "of an account",
    "TrialHit.at": "offsets",
    "Subscription.digest": _CHOICE,
    "Subscription.token": "a random number",
    "Webhook.url": "of a receiver, typed by an administrator",
    "Webhook.secret": "a random number",
    "Webhook.trouble": "what went wrong, in our words",
}
