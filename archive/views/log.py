"""The log of decisions as everyone may read it, where the archive publishes it: what was done and why, and no text."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import NamedTuple

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse

from archive import masks, queries, redaction
from archive.decision_log import REASON
from archive.models import Article, Comment, Decision
from archive.moderation import ARTICLE, CASE, COMMENT, INFERENCE, STRUCTURE, WORDS
from archive.redaction import Marks
from archive.views.page import page
from archive.views.paging import address, newest_first, number, ways

SHOWN = 50
IN_PARTS = {Decision.Action.BULK, Decision.Action.UNDO, Decision.Action.MASK}
# What the filter offers: what the log may be asked for, in a reader's words.
KINDS = {
    "hide": "hidden",
    "restore": "restored",
    "approve": "approved",
    "hold": "held",
    "spam": "marked as spam",
    "mask": "masked",
    "erase": "erased",
    "undo": "undone",
    "structure": "corrected by archivists",
}
# What a decision on many has done, by what they are afterwards.
IN_BULK: dict[str, str] = {
    Comment.Status.HIDDEN: "hid {}",
    Comment.Status.PUBLISHED: "restored {}",
    Comment.Status.HELD: "held {}",
    Comment.Status.SPAM: "marked {} as spam",
}
# What undoing has done about words that a rule had covered, by what they are afterwards.
WORDS_AGAIN = {"": "gave the covered words of {} back", "masked": "covered words of {} again"}


class Line(NamedTuple):
    """An entry as a sentence. ``url`` is where the comment or article stands, empty where readers do not see it."""

    number: int
    at: datetime
    words: str
    place: str
    url: str
    reason: str
    because: str
    parts_url: str
    undone_by: int | None


def log(request: HttpRequest) -> HttpResponse:
    if not settings.PUBLIC_LOG:
        raise Http404
    article, part_of = number(request.GET.get("article")), number(request.GET.get("part-of"))
    kind = request.GET.get("kind", "") if request.GET.get("kind") in KINDS else ""
    entries = queries.decisions().public(article_id=article, parent_id=part_of, kind=kind)
    found = newest_first(entries, request, limit=SHOWN)
    return page(
        request,
        "log.html",
        title="Decisions",
        description=f"What was decided on the discussions that {settings.SITE_NAME} keeps, and why.",
        path=address(request),
        lines=lines(found.rows),
        kinds=[(name, words, address(request, kind=name, before=None, after=None)) for name, words in KINDS.items()],
        kind=kind,
        any_url=address(request, kind=None, before=None, after=None),
        only=f"decision {part_of}" if part_of else f"article {article}" if article else "",
        whole_url=request.path,
        head=queries.decisions().newest_first().values_list("pk", "hash").first(),
        **ways(request, found),
    )


def lines(entries: Collection[Decision]) -> list[Line]:
    """Three queries, however many entries: which articles readers see, what was undone, which words are masked."""
    ids = {entry.article_id for entry in entries if entry.article_id}
    seen = queries.articles().visible_to(None).only("pk", "slug", "title").in_bulk(list(ids))
    undone = queries.decisions().undoings_of([entry.pk for entry in entries])
    marks = masks.of_all_cases()
    return [line(entry, seen, undone.get(entry.pk), marks) for entry in entries]


def line(entry: Decision, seen: Mapping[int, Article], undone_by: int | None, marks: Marks) -> Line:
    article = seen.get(entry.article_id or 0)
    told = not entry.actor_id or entry.cause in {"", Decision.Cause.MODERATOR}  # by who decided
    is_bulk = entry.target_id is None and entry.action in IN_PARTS
    return Line(
        number=entry.pk,
        at=entry.at,
        words=sentence(entry),
        place=article.title if article else "",
        url=url_of(entry, article) if article else "",
        reason=redaction.covered(entry.why, marks),
        because="" if told else Decision.Cause(entry.cause).label,
        parts_url=f"{reverse('log')}?part-of={entry.pk}" if is_bulk else "",
        undone_by=undone_by,
    )


def sentence(entry: Decision) -> str:
    """ "A moderator hid comment 12": who decided is told by the role alone, unless it was a rule."""
    role = "An archivist" if entry.target == STRUCTURE else "A moderator"
    who = role if entry.actor_id else entry.actor_name or "A rule"
    return f"{who} {did(entry)}"


def did(entry: Decision) -> str:
    """What was done, without who: "hid comment 12"."""
    if entry.target == STRUCTURE:
        return f"{entry.get_action_display()} the structure of article {entry.article_id}"
    if entry.target == REASON:
        return "erased the reason of a decision"
    if entry.target == INFERENCE:
        done = f"undid decision {entry.undoes_id} on" if entry.undoes_id else "found right"
        return f"{done} what was inferred of comment {entry.target_id}"
    kind = COMMENT if entry.target == WORDS else entry.target
    what = f"{kind} {entry.target_id}" if entry.target_id else "several comments"
    if entry.action == Decision.Action.UNDO:
        return _undid(entry).format(what)
    if entry.action == Decision.Action.BULK:
        return IN_BULK.get(entry.to_state, "decided on {}").format(what)
    return f"marked {what} as spam" if entry.action == Decision.Action.SPAM else f"{entry.get_action_display()} {what}"


def _undid(entry: Decision) -> str:
    if entry.target == CASE:
        return "took back a step of {}"
    return WORDS_AGAIN[entry.to_state] if entry.target == WORDS else f"undid decision {entry.undoes_id} on {{}}"


def url_of(entry: Decision, article: Article) -> str:
    if entry.target in {COMMENT, WORDS, INFERENCE} and entry.target_id:
        return reverse("comment", args=[article.pk, entry.target_id])
    return article.get_absolute_url() if entry.target in {ARTICLE, STRUCTURE} else ""
