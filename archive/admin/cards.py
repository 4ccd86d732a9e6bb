"""The kinds of cards in the queue: each says what it shows, why it is there and which actions it offers.

A new kind is a line in ``kinds``, one class here, with ``@card``, and a ``queue.put`` where its reason arises.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any, NamedTuple

from django.urls import reverse
from django.utils import timezone

from archive import kinds, queries, queue
from archive.models import Decision, Waiting

Action = Decision.Action
MOST_REPORTS = 10  # of one comment that its card shows


class Reason(NamedTuple):
    """One line of why something waits: what is said in front, and what belongs to it."""

    words: str
    detail: str = ""
    url: str = ""


class Kind:
    """One kind of card: ``name`` is what ``Waiting.kind`` holds, ``label`` is on cards. Whose it is: ``kinds``."""

    name: str
    label: str

    @property
    def plural(self) -> str:
        return kinds.KINDS[self.name].plural

    def actions(self, item: Waiting) -> Sequence[str]:
        """What can be decided right on the card."""
        return (Action.APPROVE, Action.HIDE, Action.SPAM) if item.comment_id else (Action.APPROVE, Action.HIDE)

    def reasons(self, item: Waiting) -> list[Reason]:
        raise NotImplementedError

    def matches(self, item: Waiting) -> list[tuple[int, int]]:
        """Which parts of the text it waits for: half-open ranges of code points."""
        return []

    def elsewhere(self, item: Waiting) -> tuple[str, str] | None:
        """Address and words of the page where it is settled, if it is not settled here."""
        return None

    def subject(self, item: Waiting) -> str:
        """What it is about, where that is neither a comment nor an article."""
        return ""


KINDS: dict[str, Kind] = {}


def card[C: type[Kind]](chosen: C) -> C:
    KINDS[chosen.name] = chosen()
    return chosen


def kinds_for(user: Any) -> list[Kind]:
    return [KINDS[name] for name in kinds.names_for(user)]


@card
class Reported(Kind):
    name, label = queue.REPORT, "Reported"

    def reasons(self, item: Waiting) -> list[Reason]:
        found = queries.reports().about(item.article_id or 0, item.comment_id).waiting()[:MOST_REPORTS]
        return [Reason(f"A reader says: {report.reason}", getattr(report, "note", "")) for report in found]


@card
class Held(Kind):
    name, label = queue.HELD, "Held by a rule"

    def reasons(self, item: Waiting) -> list[Reason]:
        hits = item.why.get("rules", [])
        if not hits:
            return [Reason("A moderator held it.")]
        return [
            Reason("By the rule", f"{hit['name']}, version {hit['version']}", reverse("admin:rule", args=[hit["rule"]]))
            for hit in hits
        ]

    def matches(self, item: Waiting) -> list[tuple[int, int]]:
        return [(start, end) for hit in item.why.get("rules", []) for start, end in hit.get("at", [])]


@card
class Duplicate(Kind):
    name, label = queue.DUPLICATE, "Said twice"

    def reasons(self, item: Waiting) -> list[Reason]:
        first = item.why.get("first", 0)
        url = reverse("comment", args=[item.article_id, first])
        return [Reason("The same name has said exactly this before, in this thread.", "the first", url)]


@card
class InReview(Kind):
    name, label = queue.REVIEW, "To review"

    def actions(self, item: Waiting) -> Sequence[str]:
        return ()

    def reasons(self, item: Waiting) -> list[Reason]:
        n = item.why.get("uncertain", 0)
        return [Reason("1 question is open" if n == 1 else f"{n} questions are open", "where comments start, or reply")]

    def elsewhere(self, item: Waiting) -> tuple[str, str] | None:
        return reverse("admin:archive_article_review", args=[item.article_id]), "Open the review"


@card
class Requested(Kind):
    """A case, until it is over. Who asks, and for what, stands on its own page."""

    name, label = queue.CASE, "Case"

    def actions(self, item: Waiting) -> Sequence[str]:
        return ()

    def reasons(self, item: Waiting) -> list[Reason]:
        said = item.why.get("deadline")
        if not said:
            return [Reason("Someone asked, and no deadline was set.")]
        due = date.fromisoformat(said)
        late = due < timezone.localdate()
        return [Reason("It was to be answered by" if late else "To be answered by", f"{due:%-d %B %Y}")]

    def elsewhere(self, item: Waiting) -> tuple[str, str] | None:
        return reverse("admin:archive_case_change", args=[item.subject_id]), "Open the case"

    def subject(self, item: Waiting) -> str:
        return f"Case {item.subject_id}"
