"""Reviewing a recovered discussion: propose, correct, publish. Each step is checked, kept, and logged, in one go.

What people corrected is kept apart from what the machine proposed; the two are put together when somebody looks, and
become rows when the review is published. Until then readers see the article as it was published, if it was: what is
corrected meanwhile is a draft, which can be discarded. Who may review is settled by the caller.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import zstandard
from django.db import transaction
from django.utils import timezone

from archive import masks, moderation, queries, queue, threads
from archive.ingest import corrections, importer, loader
from archive.ingest.corrections import Outline
from archive.ingest.readers.decoding import decode
from archive.ingest.records import Basis, Discussion, Problem
from archive.models import Article, Correction, Decision, Review

if TYPE_CHECKING:
    from accounts.models import User

MOST_TOLD = 3  # corrections by others that a conflict names; the rest is counted
IMPOSSIBLE = (
    f"only a discussion that was read from plain text of at most {corrections.MAX_LINES:,} lines, "
    "and whose text was kept, can be reviewed"
)


@dataclass(frozen=True)
class State:
    """A review as it stands. ``unmatched`` are corrections that the present proposal has no place for.

    ``published`` is the version that readers see, where they see the article; ``is_open`` says whether it can be
    corrected.
    """

    article: Article
    version: int
    published: int
    is_open: bool
    proposal: Outline = field(repr=False)
    outline: Outline = field(repr=False)
    can_undo: bool
    can_redo: bool
    unmatched: list[Problem]


@dataclass(frozen=True)
class Answer:
    """What came of a request. With a ``problem`` nothing was written; ``conflict`` where somebody was faster."""

    after: State | None
    before: State | None = None
    problem: str = ""
    conflict: bool = False
    said: str = ""


def hidden_spans(article_id: int) -> list[tuple[int, int, str]]:
    """Start, end and status of each comment that readers do not see."""
    return loader.hidden_spans(article_id)


def can_be_reviewed(article: Article) -> bool:
    return article.source.format == "text" and article.span_start is not None


def state_of(article: Article, *, as_published: bool = False) -> State | None:
    """The review of an article as it stands, or None where it can have none; a proposal made for it is kept.

    ``as_published`` leaves out what was corrected since it was published.
    """
    if not can_be_reviewed(article) or article.source.content is None:
        return None
    review = Review.objects.filter(article_id=article.pk).first()
    data = zstandard.decompress(bytes(article.source.content))
    if review is None or review.proposal is None:
        proposal = _proposed(data, article)
        fields = {"proposal": corrections.to_json(proposal), "uncertain": len(corrections.questions(proposal))}
        review = Review.objects.update_or_create(article_id=article.pk, defaults=fields)[0]
    else:
        proposal = corrections.from_json(decode(data).text, review.proposal)
    if len(proposal.lines) > corrections.MAX_LINES:
        return None
    return _standing(article, proposal, review, upto=review.published if as_published else None)


def _proposed(data: bytes, article: Article) -> Outline:
    reading = importer.read(data, name=article.source.name, format=article.source.format)
    return corrections.outline_of(reading.text, next(iter(reading.discussions)))


def _standing(article: Article, proposal: Outline, review: Review, upto: int | None = None) -> State:
    operations, can_redo = loader.standing_corrections(article.pk, upto=upto)
    outline, unmatched = corrections.apply(proposal, operations)
    is_open = review.is_open and article.status != Article.Status.HIDDEN
    known = (review.version, review.published, is_open, proposal, outline)
    return State(article, *known, bool(operations), can_redo, unmatched)


def correct(article_id: int, given: Mapping[str, Any], *, version: int, by: User) -> Answer:
    """Carry one operation out, or ``undo`` or ``redo`` one, on the version that the person saw."""
    with transaction.atomic():
        before = _opened(article_id, version)
        if isinstance(before, Answer):
            return before
        try:
            operation = _step(before, given)
        except ValueError as error:
            return Answer(before, problem=str(error))
        words = corrections.describe(before.outline, operation)[:200]
        after = _written(before, operation, words, by=by)
        moderation.log_structure(
            before.article, action=Decision.Action.CORRECT, operation=operation["op"], words=words, by=by
        )
    return Answer(after, before, said=words)


def _written(before: State, operation: dict[str, Any], words: str, *, by: User) -> State:
    """Add one row to the corrections; the state that follows from it.

    One more correction is made on what stands; only what takes some back needs all of them carried out anew.
    """
    article_id, number = before.article.pk, before.version + 1
    row = {"operation": operation, "words": words, "by": by, "by_name": by.get_username()}
    Correction.objects.create(article_id=article_id, number=number, **row)
    if operation["op"] in {"undo", "redo", "discard"}:
        review = Review(version=number, published=before.published, is_open=before.is_open)
        after = _standing(before.article, before.proposal, review)
    else:
        outline = corrections.apply(before.outline, [operation]).outline
        after = replace(before, version=number, outline=outline, can_undo=True, can_redo=False)
    uncertain = len(corrections.questions(after.outline))
    Review.objects.filter(article_id=article_id).update(version=number, uncertain=uncertain)
    queue.follow_reviews([article_id])
    return after


def _locked(article_id: int) -> State | None:
    """The state, with the article locked: of two people who correct at once the second sees what the first did."""
    rows = queries.articles().filter(pk=article_id).select_related("source", "site")
    article = rows.select_for_update(no_key=True, of=("self",)).first()
    return state_of(article) if article else None


def _opened(article_id: int, version: int) -> State | Answer:
    """The locked state, where it is open and still the one that the person saw; else the answer that says why not."""
    state = _locked(article_id)
    if state is None:
        return Answer(None, problem=IMPOSSIBLE)
    return _refusal(state, version) or state


def _refusal(state: State, version: int) -> Answer | None:
    if version != state.version:
        return Answer(state, problem=_told(state, version), conflict=True)
    if state.article.status == Article.Status.HIDDEN:
        return Answer(state, problem="a moderator has hidden this article: it can be reviewed once it is restored")
    if not state.is_open:
        return Answer(state, problem="this article is not in review: reopen it first")
    return None


def _told(state: State, version: int) -> str:
    """Who changed what since the version that the person saw."""
    rows = list(Correction.objects.filter(article_id=state.article.pk, number__gt=version).order_by("-number"))
    told = [f"{row.by_name}: {row.words} ({timezone.localtime(row.at):%H:%M})" for row in rows[:MOST_TOLD]]
    more = f", and {len(rows) - MOST_TOLD} more" if len(rows) > MOST_TOLD else ""
    what = "; ".join(told) + more if told else "the page that you have is not of this review"
    return f"not saved, because somebody was faster. {what}. Here is the newest state: do yours again if it still fits"


def _step(state: State, given: Mapping[str, Any]) -> dict[str, Any]:
    """The operation as it is to be kept. ValueError, in words, where it would do nothing or cannot be done."""
    op = given.get("op")
    if op in {"undo", "redo"}:
        if not (state.can_undo if op == "undo" else state.can_redo):
            raise ValueError(f"there is nothing to {op}")
        return {"op": op}
    operation = corrections.named(state.outline, given)
    outline, problems = corrections.apply(state.outline, [operation])
    if problems:
        raise ValueError(problems[0].what)
    if outline == state.outline:
        raise ValueError("nothing to change: it is so already")
    return operation


def publish(article_id: int, *, version: int, by: User) -> Answer:
    """Make the reviewed structure the article's own and show it to readers, in place of the one that they saw."""
    with transaction.atomic():
        before = _opened(article_id, version)
        if isinstance(before, Answer):
            return before
        made = corrections.discussion_of(before.outline, _known(before.article))
        if why := _would_show(before.article, made, before.outline):
            return Answer(before, problem=why)
        loader.rebuild(before.article, made)
        if before.article.status == Article.Status.IN_REVIEW:
            moderation.publish(before.article, by=by)
        else:
            words = "its corrected structure replaced the one that was published"
            moderation.log_structure(before.article, action=Decision.Action.PUBLISH, words=words, by=by)
        Review.objects.filter(article_id=article_id).update(published=version, is_open=False)
        queue.follow_reviews([article_id])
    before.article.refresh_from_db()
    return Answer(before, before)


def reopen(article_id: int, *, by: User) -> Answer:
    """Begin a draft beside what is published: readers see the article as it is until the draft is published."""
    with transaction.atomic():
        before = _locked(article_id)
        if before is None:
            return Answer(None, problem=IMPOSSIBLE)
        if before.is_open:
            return Answer(before, problem="it is open already")
        if before.article.status == Article.Status.HIDDEN:
            return _refusal(before, before.version) or Answer(before)
        Review.objects.filter(article_id=article_id).update(is_open=True)
        queue.follow_reviews([article_id])
        words = "its structure is reviewed again; readers see it as it was published"
        moderation.log_structure(before.article, action=Decision.Action.REOPEN, words=words, by=by)
    return Answer(before, before)


def discard(article_id: int, *, version: int, by: User) -> Answer:
    """End a draft: what was corrected since the article was published stands no more. The log keeps all of it."""
    with transaction.atomic():
        before = _opened(article_id, version)
        if isinstance(before, Answer):
            return before
        if before.article.status == Article.Status.IN_REVIEW:
            return Answer(before, problem="it was never published, so there is nothing to go back to: undo instead")
        words, after = corrections.WORDS["discard"], before
        if before.version > before.published:
            after = _written(before, {"op": "discard", "to": before.published}, words, by=by)
        Review.objects.filter(article_id=article_id).update(published=after.version, is_open=False)
        queue.follow_reviews([article_id])
        moderation.log_structure(before.article, action=Decision.Action.DISCARD, words=words, by=by)
    return Answer(after, before, said=words)


def _known(article: Article) -> Discussion:
    """What is known of the article besides its structure."""
    return Discussion(
        key="",
        title=article.title,
        body=article.body,
        comments=(),
        byline=article.byline,
        url=article.url,
        published_at=article.published_at,
        language=article.language,
    )


def _would_show(article: Article, made: Discussion, outline: Outline) -> str:
    """Why the structure cannot be published: it would make a part of a hidden comment readable. Empty if it can."""
    hidden = loader.hidden_spans(article.pk)
    spans = [post.span for post in made.comments if post.span]
    for start, end, _ in hidden:
        lines = [line for line in outline.lines if start <= line.start and line.end <= end]
        if not all(any(span.start <= line.start and line.end <= span.end for span in spans) for line in lines):
            number = corrections.line_number(outline.text, start)
            return f"the comment at line {number} is hidden, and a part of it would be shown: it has to stay a comment"
    return ""


def labelled(article: Article) -> dict[str, Any] | None:
    """A reviewed discussion as training data for ``ingest.structure``: paragraphs and links, nothing hidden.

    None where a part of it is hidden or masked, or the text of the source was not kept.
    """
    kept_back = loader.hidden_spans(article.pk) or masks.is_masked(article.pk)
    state = None if kept_back else state_of(article, as_published=True)
    if state is None or not state.outline.comments:
        return None
    found = corrections.discussion_of(state.outline, _known(article))
    start, end = found.article_span or (0, 0)
    parents = {post.external_id: post.parent for post in found.comments}
    ranks = threads.arrange(list(parents), list(parents.values())).rank
    claims = [remark.parent_claim.basis for remark in list(state.outline.comments.values())[1:]]
    return {
        "id": f"{article.site.slug}#{article.pk}",
        "source_repo": "",
        "source_path": article.source.name,
        "site": article.site.slug,
        "kind": "text",
        "lang": article.language,
        "title": found.title,
        "order": "thread" if list(ranks) == sorted(ranks) else "chrono",
        "links_known": all(basis in {Basis.REVIEWED, Basis.STATED} for basis in claims),
        "article_paragraphs": _paragraphs(state.outline.text[start:end]),
        "comments": [
            {
                "id": post.external_id,
                "parent_id": post.parent,
                "author": post.author,
                "date": post.posted_at.isoformat() if post.posted_at else None,
                "paragraphs": _paragraphs(post.text),
            }
            for post in found.comments
        ],
    }


def _paragraphs(text: str) -> list[str]:
    return [line for raw in text.replace("\r", "\n").split("\n") if (line := raw.strip())]
