"""The kinds of cards in the queue: each says what it shows, why it is there and which actions it offers.

A new kind is a line in ``kinds``, one class here, with ``@card``, and a ``queue.put`` where its reason arises.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any, NamedTuple

from django.urls import reverse
from django.utils import timezone

from archive import kinds, queries, queue, rules
from archive.models import Comment, Decision, Waiting

Action = Decision.Action
CONFIRM = "confirm"  # what was inferred is right
MOST_REPORTS = 10  # of one comment that its card shows
MATCHES, MOST_MATCHED = 5, 60  # what a rule matched that is named: how many, and code points of each


class Reason(NamedTuple):
    """One line of why something waits: what is said in front, what belongs to it, and where in the text it is.

    ``at`` are half-open ranges of code points; ``matched`` is what the text says there.
    """

    words: str
    detail: str = ""
    url: str = ""
    at: Sequence[tuple[int, int]] = ()
    matched: Sequence[str] = ()

    def read_in(self, text: str) -> Reason:
        """With what the text says at its places: each once, the first few."""
        said = dict.fromkeys(" ".join(text[start:end].split())[:MOST_MATCHED] for start, end in self.at)
        return self._replace(matched=[one for one in said if one][:MATCHES])


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

    def elsewhere(self, item: Waiting, user: Any) -> tuple[str, str] | None:
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


def of_rule(pk: int, name: str, version: int, at: Sequence[tuple[int, int]]) -> Reason:
    return Reason("By the rule", f"{name}, version {version}", reverse("admin:rule", args=[pk]), at)


def by_rule(comment: Comment) -> list[Reason]:
    """The rule that made a comment what it is, and where it hits: no card is needed for that."""
    found = rules.acted_on(comment)
    return [of_rule(found[0].rule_id, found[0].name, found[0].number, found[1]).read_in(comment.body)] if found else []


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
            of_rule(hit["rule"], hit["name"], hit["version"], [(start, end) for start, end in hit.get("at", [])])
            for hit in hits
        ]


@card
class Duplicate(Kind):
    name, label = queue.DUPLICATE, "Said twice"

    def reasons(self, item: Waiting) -> list[Reason]:
        first = item.why.get("first", 0)
        url = reverse("comment", args=[item.article_id, first])
        return [Reason("The same name has said exactly this before, in this thread.", "the first", url)]


@card
class InDoubt(Kind):
    """Whom a comment answers, or when it was written, where the import has guessed that and is not sure; and lines
    in it that look like the site's own.
    """

    name, label = queue.DOUBT, "In doubt"

    def actions(self, item: Waiting) -> Sequence[str]:
        return (CONFIRM,)

    def reasons(self, item: Waiting) -> list[Reason]:
        comment = queries.comments().with_reasons(item.article_id or 0, item.comment_id or 0)
        if comment is None:
            return []
        claims = {"parent": (comment.parent_confidence, comment.parent_reason), "date": _dated(comment)}
        found = [_guess(about, comment, *claims[about]) for about in item.why.get("inferred", {}) if about in claims]
        if printed := [(start, end) for start, end in item.why.get("printed", [])]:
            found.append(Reason("It holds what sites print and nobody writes", at=printed))
        if more := item.why.get("more", 0):
            found.append(Reason(f"{more:,} more comments of this discussion are in doubt, and not as much."))
        return found

    def elsewhere(self, item: Waiting, user: Any) -> tuple[str, str] | None:
        reviewed = queries.articles().with_lines().filter(pk=item.article_id or 0)
        if not queries.may_review(user, item.site_id) or not reviewed.exists():
            return None
        return reverse("admin:archive_article_review", args=[item.article_id]), "Correct it in the review"


def _dated(comment: Comment) -> tuple[float | None, Any]:
    return comment.date_confidence, comment.date_reason


def _guess(about: str, comment: Comment, confidence: float | None, why: Any) -> Reason:
    """What was inferred, how sure that is, and by what it was concluded."""
    if about == "date":
        what = f"was written on {comment.posted_at:%-d %B %Y}" if comment.posted_at else "has no date"
    elif comment.parent is None:
        what = "answers the article and no other comment"
    else:
        name = comment.parent.author_name
        what = f"answers #{comment.parent.thread_rank + 1}{' by ' if name else ''}{name}"
    sure = "" if confidence is None else f", {confidence:.0%} sure"
    return Reason(f"Guessed that it {what}{sure}", why.text if why else "")


@card
class InReview(Kind):
    name, label = queue.REVIEW, "To review"

    def actions(self, item: Waiting) -> Sequence[str]:
        return ()

    def reasons(self, item: Waiting) -> list[Reason]:
        n = item.why.get("uncertain", 0)
        return [Reason("1 question is open" if n == 1 else f"{n} questions are open", "where comments start, or reply")]

    def elsewhere(self, item: Waiting, user: Any) -> tuple[str, str] | None:
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

    def elsewhere(self, item: Waiting, user: Any) -> tuple[str, str] | None:
        return reverse("admin:archive_case_change", args=[item.subject_id]), "Open the case"

    def subject(self, item: Waiting) -> str:
        return f"Case {item.subject_id}"
