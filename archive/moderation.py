"""Every decision: the change and its log entry in one transaction, and its undoing.

Nothing here raises for what a moderator may run into: what could not be done comes back in ``Result.problems``.
Who may decide is settled by the caller.

Locks are taken in one order, so that decisions never wait for each other in a ring: the article, its comments, the
entities whose counts change, and last the log; the cards and reports that a decision then settles are of these
articles. Each is locked by a statement that names one ``article_id``, because a cluster can lock rows of one article
but not across articles.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from django.db import transaction

from archive import counters, decision_log, masks, outbox, prepared, queries, queue, reports
from archive.decision_log import Machine
from archive.models import Article, Bulk, Comment, Decision, FormerComment

if TYPE_CHECKING:
    from accounts.models import User

Action, Cause = Decision.Action, Decision.Cause
COMMENT, ARTICLE = "comment", "article"
CASE = "case"  # its steps are taken, and taken back, by ``cases``
RULE = "rule"  # is written, changed and switched by ``rules``
WORDS = "words"  # of a comment, covered by a rule
INFERENCE = "inference"  # what was inferred of a comment, and somebody has found right
STRUCTURE = "structure"  # of an article: corrected, published and discarded in its review, and undone there
MAX_REASON = 500  # characters
SEEN = Comment.Status.PUBLISHED  # the one state in which readers see a comment


class State(NamedTuple):
    """What a target is when its row is locked. ``cause`` is empty where nobody decided."""

    status: str
    version: int
    cause: str = ""


class Seen(NamedTuple):
    """What somebody had before their eyes: the number of the log's last entry then, and the comment's version."""

    decision: int
    version: int | None = None


class Key(NamedTuple):
    """What is decided on. For an article, ``target_id`` is its own id."""

    target: str
    article_id: int
    target_id: int


@dataclass(frozen=True)
class Problem:
    """Something that was not done, and why, in words for the person who asked."""

    why: str
    key: Key | None = None

    def __str__(self) -> str:
        return f"{self.key.target} {self.key.target_id}: {self.why}" if self.key else self.why


@dataclass(frozen=True)
class Result:
    """What came of a request. ``decision`` is None, and nothing was written, where nothing changed."""

    decision: Decision | None
    changed: Sequence[Key]
    problems: Sequence[Problem]


# From which states an action leads where. What its site removed and what was erased is not a moderator's to show.
TRANSITIONS: dict[tuple[str, str], tuple[frozenset[str], str]] = {
    (COMMENT, Action.HIDE): (
        frozenset({Comment.Status.PUBLISHED, Comment.Status.HELD, Comment.Status.SPAM}),
        Comment.Status.HIDDEN,
    ),
    (COMMENT, Action.RESTORE): (
        frozenset({Comment.Status.HIDDEN, Comment.Status.HELD, Comment.Status.SPAM}),
        Comment.Status.PUBLISHED,
    ),
    (COMMENT, Action.APPROVE): (
        frozenset({Comment.Status.PUBLISHED, Comment.Status.HIDDEN, Comment.Status.HELD, Comment.Status.SPAM}),
        Comment.Status.PUBLISHED,
    ),
    (COMMENT, Action.HOLD): (frozenset({Comment.Status.PUBLISHED}), Comment.Status.HELD),
    (COMMENT, Action.SPAM): (
        frozenset({Comment.Status.PUBLISHED, Comment.Status.HELD, Comment.Status.HIDDEN}),
        Comment.Status.SPAM,
    ),
    (ARTICLE, Action.HIDE): (frozenset({Article.Status.PUBLISHED}), Article.Status.HIDDEN),
    (ARTICLE, Action.APPROVE): (
        frozenset({Article.Status.PUBLISHED, Article.Status.HIDDEN}),
        Article.Status.PUBLISHED,
    ),
    (ARTICLE, Action.RESTORE): (frozenset({Article.Status.HIDDEN}), Article.Status.PUBLISHED),
    (ARTICLE, Action.PUBLISH): (frozenset({Article.Status.IN_REVIEW}), Article.Status.PUBLISHED),
}
# The article first, and only then its comments: a statement that asks for both could take them in any order.
_LOCK = """
    WITH article AS MATERIALIZED (
        SELECT id, status, version FROM archive_article WHERE id = %(article)s FOR NO KEY UPDATE
    ), comment AS MATERIALIZED (
        SELECT comment.id, comment.status, comment.version, comment.cause
        FROM article JOIN archive_comment AS comment ON comment.article_id = article.id
        WHERE comment.article_id = %(article)s AND comment.id = ANY(%(comments)s::bigint[])
        ORDER BY comment.id FOR NO KEY UPDATE OF comment
    )
    SELECT 'article', id, status, version, '' FROM article
    UNION ALL SELECT 'comment', id, status, version, cause FROM comment
"""
_CHANGE = """
    UPDATE archive_comment AS comment SET status = new.status, cause = new.cause
    FROM unnest(%(articles)s::bigint[], %(ids)s::bigint[], %(states)s::text[], %(causes)s::text[])
        AS new (article_id, id, status, cause)
    WHERE comment.article_id = new.article_id AND comment.id = new.id
"""
_LATEST = """
    SELECT decision.target, decision.article_id, decision.target_id, max(decision.id)
    FROM unnest(%(targets)s::text[], %(articles)s::bigint[], %(ids)s::bigint[])
        AS asked (target, article_id, target_id)
    JOIN archive_decision AS decision USING (target, article_id, target_id) GROUP BY 1, 2, 3
"""


def key_of(target: Comment | Article) -> Key:
    if isinstance(target, Article):
        return Key(ARTICLE, target.pk, target.pk)
    return Key(COMMENT, target.article_id, target.pk)


def hide(target: Comment | Article, *, by: User | Machine, reason: str) -> Result:
    """Hide a comment, or an article with all its comments, by every door. The comment's place stays, as a tombstone."""
    return _decide([key_of(target)], action=Action.HIDE, by=by, reason=reason)


def restore(target: Comment | Article, *, by: User | Machine, reason: str) -> Result:
    """Show a comment or article again."""
    return _decide([key_of(target)], action=Action.RESTORE, by=by, reason=reason)


def decide(
    target: Comment | Article,
    *,
    action: str,
    by: User | Machine,
    reason: str = "",
    seen: Seen | None = None,
    cause: str = Cause.MODERATOR,
    case_id: int | None = None,
) -> Result:
    """Carry out any action that ``TRANSITIONS`` knows; refused where ``target`` is no longer as it was ``seen``.

    Approving is also for what is published already: it says that a person looked, which no rule overrules.
    """
    known: dict[str, Any] = {"seen": seen, "cause": cause, "case_id": case_id}
    return _decide([key_of(target)], action=action, by=by, reason=reason, **known)


def publish(article: Article, *, by: User) -> Result:
    """Show an article that was reviewed and that no reader has seen so far."""
    return _decide([key_of(article)], action=Action.PUBLISH, by=by, reason="its structure was reviewed")


def log_structure(article: Article, *, action: str, words: str, by: User | Machine, operation: str = "") -> Decision:
    """Enter into the log what ``archive.review`` has done about the article's structure: its status stays as it is."""
    decision_log.check_actor(by)
    key = Key(STRUCTURE, article.pk, article.pk)
    entry = _entry(key, action, "", operation, article.version)
    decision_log.append([entry], by=by, reason=words)
    return entry


def confirm(comment: Comment, *, by: User, seen: Seen) -> Result:
    """Enter into the log that somebody found right what was inferred of a comment: its card waits no more.

    The comment itself stays as it is, and so does what else waits about it.
    """
    decision_log.check_actor(by)
    key = Key(INFERENCE, comment.article_id, comment.pk)
    with transaction.atomic():
        locked = _lock([key_of(comment)]).get(key_of(comment))
        if locked is None:
            return Result(None, [], [Problem(_gone([key_of(comment)])[key_of(comment)], key)])
        if locked.version != seen.version:
            return Result(None, [], [Problem("its text was read anew since you saw it: look at it again", key)])
        if _latest_decisions([key]).get(key, 0) > seen.decision:
            return Result(None, [], [Problem("somebody else has looked at it since you saw it", key)])
        entry = _entry(key, Action.APPROVE, "inferred", "confirmed", locked.version)
        decision_log.append([entry], by=by, reason="")
        queue.settle_doubt((comment.article_id, comment.pk), decision_id=entry.pk)
    return Result(entry, [key], [])


def _undo_confirmed(decision: Decision, *, by: User | Machine, reason: str) -> Result:
    key = _key_of_entry(decision)
    with transaction.atomic():
        _lock([Key(ARTICLE, key.article_id, key.article_id)])
        if _latest_decisions([key]).get(key) != decision.pk or decision.action == Action.UNDO:
            return Result(None, [], [Problem("it was taken back, or somebody has looked at it again since", key)])
        states = decision.to_state, decision.from_state
        entry = _entry(key, Action.UNDO, *states, decision.revision or 0, undoes_id=decision.pk)
        decision_log.append([entry], by=by, reason=reason)
        queue.reopen([decision.pk], [_queued(decision)])
    return Result(entry, [key], [])


def decide_many(
    comment_ids_by_article: Mapping[int, Collection[int]],
    *,
    action: str,
    by: User | Machine,
    reason: str,
    cause: str = Cause.MODERATOR,
    case_id: int | None = None,
    seen: Seen | None = None,
    parent: Decision | None = None,
) -> Result:
    """Decide on many comments in one transaction: one decision, with one child for each that changed.

    As many statements however many there are, but for one that locks each article. What was decided on after ``seen``
    stays as it is, and is reported. With ``parent``, these are further children of a decision that was made before.
    """
    keys = [
        Key(COMMENT, article_id, pk) for article_id, pks in comment_ids_by_article.items() for pk in sorted(set(pks))
    ]
    if parent is None:
        parent = Decision(action=Action.BULK, target=COMMENT, to_state=TRANSITIONS[COMMENT, action][1])
    return _decide(keys, action=action, by=by, reason=reason, parent=parent, cause=cause, case_id=case_id, seen=seen)


def undo(
    decision: Decision,
    *,
    by: User | Machine,
    reason: str = "",
    parts: Collection[int] | None = None,
    parent: Decision | None = None,
) -> Result:
    """Give everything that ``decision`` changed its earlier state back, by a new decision.

    What has been decided on again since stays as it is and is reported: undoing an old decision must not silently
    overrule a newer one. Of a decision on many, only these ``parts`` are undone where they are given; with ``parent``,
    these are further children of an undoing that was begun before.
    """
    decision_log.check_actor(by)
    if trouble := undo_problem(decision, reason):
        return Result(None, [], [trouble])
    if decision.target == INFERENCE:
        return _undo_confirmed(decision, by=by, reason=reason)
    if decision.target == WORDS:
        return undo_words(decision, by=by, reason=reason)
    is_bulk = decision.target_id is None
    with transaction.atomic():
        found: Iterable[Decision] = [decision]
        if is_bulk:
            rows = queries.decisions().filter(parent_id=decision.pk).select_related(None).order_by("pk")
            found = rows if parts is None else rows.filter(pk__in=parts)
            parent = parent or Decision(action=Action.UNDO, target=decision.target, undoes_id=decision.pk)
        undone = {_key_of_entry(entry): entry for entry in found}
        entries, problems = _plan_undo(undone, _lock(undone))
        made = _carry_out(entries, parent=parent, by=by, reason=reason)
        if made:
            settled_by = [pk for pk in (decision.pk, decision.parent_id) if pk]
            targets = [_queued(entry) for entry in entries]
            queue.reopen(settled_by, targets)
            reports.reopen(settled_by, targets)
            if held := [_queued(entry) for entry in entries if entry.from_state == Comment.Status.HELD]:
                queue.release(held, decision_id=made.pk)
    return Result(made, [_key_of_entry(entry) for entry in entries], problems)


def undo_problem(decision: Decision, reason: str = "") -> Problem | None:
    """Why a decision cannot be undone, or not here."""
    if decision.target == STRUCTURE:
        return Problem("a correction is undone in the review of its article")
    if decision.action == Action.ERASE:
        return Problem("what was erased is gone for good")
    if decision.target == RULE:
        return Problem("a rule is changed and switched on its own page")
    if decision.target == CASE:
        return Problem("the steps of a case are taken back on the case's own page")
    if decision.target_id is None and Bulk.objects.filter(decision_id=decision.pk, finished_at=None).exists():
        return Problem("it is still being carried out: stop it first, or wait until it is done")
    return _reason_problem(reason, required=False)


def undo_words(decision: Decision, *, by: User | Machine, reason: str, cause: str = "") -> Result:
    """Give the words back that a rule has covered, or cover again what was given back: of all comments, or of one.

    ``cause`` says that the rule was switched off; else it is a person's word on these comments, which no rule touches.
    """
    parts = {(part.article_id, part.target_id): part.pk for part in _parts_of(decision)}
    problems: list[Problem] = []
    entries: list[Decision] = []
    with transaction.atomic():
        if was_covered := bool(decision.to_state):
            found = masks.give_back(decision.parent_id or decision.pk, decision.target_id)
        else:
            found = masks.cover_again(_first_of(decision), parts)
        for (article_id, pk), done in found.comments.items():
            key = Key(WORDS, article_id, pk)
            if done:
                states = ("masked", "") if was_covered else ("", "masked")
                undone = parts.get((article_id, pk), decision.pk)
                entries.append(_entry(key, Action.UNDO, *states, found.versions[pk], undone))
            else:
                problems.append(Problem("its text was changed since: it stays as it is", key))
        if not found.comments:
            problems.append(Problem("there is nothing of it any more: it was undone, or the texts are others by now"))
        whole = Decision(
            action=Action.UNDO, target=WORDS, undoes_id=decision.pk, to_state="" if was_covered else "masked"
        )
        made = None
        for entry in [whole, *entries]:
            entry.cause = cause
        if entries:
            made = _log(entries, parent=None if decision.target_id else whole, by=by, reason=reason)
            masks.keep(found.kept, version=found.version, decision_id=made.pk)
    return Result(made, [_key_of_entry(entry) for entry in entries], problems)


def _parts_of(decision: Decision) -> Iterable[Decision]:
    return [decision] if decision.target_id else queries.decisions().filter(parent_id=decision.pk).order_by("pk")


def _first_of(decision: Decision) -> int:
    """Of words that were covered, given back, covered again: the entry of the rule that covered them first."""
    while decision.undoes_id:
        decision = queries.decisions().get(pk=decision.undoes_id)
    return decision.parent_id or decision.pk


def _decide(
    keys: Sequence[Key],
    *,
    action: str,
    by: User | Machine,
    reason: str,
    parent: Decision | None = None,
    cause: str = Cause.MODERATOR,
    case_id: int | None = None,
    seen: Seen | None = None,
) -> Result:
    decision_log.check_actor(by)
    if trouble := _reason_problem(reason, required=action != Action.APPROVE):
        return Result(None, [], [trouble])
    with transaction.atomic():
        entries, problems = _plan(keys, _lock(keys), action, seen)
        for entry in [*entries, *([parent] if parent and parent.pk is None else [])]:
            entry.cause, entry.case_id = cause, case_id
        made = _carry_out(entries, parent=parent, by=by, reason=reason)
        if made and action != Action.HOLD:  # what is held waits; what else is decided waits no more
            targets = [_queued(entry) for entry in entries]
            if queue.REPORT in queue.settle(targets, decision_id=made.pk):
                reports.answer(targets, decision_id=made.pk, to_state=entries[0].to_state)
    return Result(made, [_key_of_entry(entry) for entry in entries], problems)


def _queued(entry: Decision) -> tuple[int, int | None]:
    """As the queue names it: article and comment, or None for the article itself."""
    return entry.article_id or 0, None if entry.target == ARTICLE else entry.target_id


def _reason_problem(reason: str, *, required: bool) -> Problem | None:
    if required and not reason.strip():
        return Problem("give a reason: the log shows it to everyone who asks why")
    if len(reason) > MAX_REASON:
        return Problem(f"the reason is longer than {MAX_REASON} characters: shorten it")
    return Problem("the reason contains a NUL character: remove it") if "\0" in reason else None


def _key_of_entry(entry: Decision) -> Key:
    return Key(entry.target, entry.article_id or 0, entry.target_id or 0)


def _lock(keys: Iterable[Key]) -> dict[Key, State]:
    """The state and version of each target that exists, its row locked until the end of the transaction.

    The article's row is locked even for a comment: its counts and version are about to be written, and two decisions
    that counted at the same time would each miss the other's.
    """
    comment_ids: dict[int, list[int]] = defaultdict(list)
    for key in keys:
        comment_ids[key.article_id] += [key.target_id] if key.target == COMMENT else []
    states: dict[Key, State] = {}
    for article_id in sorted(comment_ids):
        values = {"article": article_id, "comments": comment_ids[article_id]}
        for target, pk, status, version, cause in prepared.run(_LOCK, values):
            states[Key(target, article_id, pk)] = State(status, version, cause)
    return states


def _plan(
    keys: Collection[Key], states: Mapping[Key, State], action: str, seen: Seen | None
) -> tuple[list[Decision], list[Problem]]:
    entries: list[Decision] = []
    problems: list[Problem] = []
    gone = _gone([key for key in keys if key not in states])
    latest = _latest_decisions(keys) if seen else {}
    for key in keys:
        allowed, to_state = TRANSITIONS[key.target, action]
        if key not in states:
            problems.append(Problem(gone[key], key))
            continue
        status, version, was_for = states[key]
        if seen and latest.get(key, 0) > seen.decision:
            now = f"it is {_in_words(key, status)} now"
            problems.append(Problem(f"it was decided on since you saw it, by decision {latest[key]}: {now}", key))
        elif seen and seen.version is not None and version != seen.version:
            problems.append(Problem("its text was read anew since you saw it: look at it again", key))
        elif status in allowed:
            entries.append(_entry(key, action, status, to_state, version, was_for=was_for))
        elif status == to_state:
            problems.append(Problem(f"nothing to do: it is already {_in_words(key, status)}", key))
        else:
            problems.append(Problem(f"it is {_in_words(key, status)}, and that is not a moderator's to change", key))
    return entries, problems


def _gone(keys: Collection[Key]) -> dict[Key, str]:
    """What became of what is not there: a comment may have been joined into another since."""
    if not keys:
        return {}
    former = FormerComment.objects.filter(
        article_id__in={key.article_id for key in keys}, comment_id__in={key.target_id for key in keys}
    )
    heirs = {(row.article_id, row.comment_id): row.heir_id for row in former}
    words = dict.fromkeys(keys, "it does not exist any more")
    for key in keys:
        if key.target == COMMENT and (key.article_id, key.target_id) in heirs:
            heir = heirs[key.article_id, key.target_id]
            joined = f"it was joined into comment {heir} when the discussion was corrected or read again"
            words[key] = (
                joined if heir else "its text is in no comment since the discussion was corrected or read again"
            )
    return words


def _plan_undo(undone: Mapping[Key, Decision], states: Mapping[Key, State]) -> tuple[list[Decision], list[Problem]]:
    entries: list[Decision] = []
    problems: list[Problem] = []
    latest = _latest_decisions(undone)
    gone = _gone([key for key in undone if key not in states])
    for key, earlier in undone.items():
        if key not in states:
            problems.append(Problem(gone[key], key))
            continue
        status, version, was_for = states[key]
        if latest[key] != earlier.pk:
            problems.append(Problem(f"it was decided on again since, by decision {latest[key]}", key))
        elif status != earlier.to_state:
            problems.append(Problem(f"it is {_in_words(key, status)} by now", key))
        else:
            undoing = _entry(key, Action.UNDO, status, earlier.from_state, version, earlier.pk, was_for)
            undoing.cause = earlier.detail.get("was_for", "")
            entries.append(undoing)
    return entries, problems


def _entry(
    key: Key,
    action: str,
    from_state: str,
    to_state: str,
    revision: int,
    undoes_id: int | None = None,
    was_for: str = "",
) -> Decision:
    """An entry that ``decision_log.append`` completes. ``was_for`` is the earlier state's cause, for an undoing."""
    return Decision(
        action=action,
        target=key.target,
        article_id=key.article_id,
        target_id=key.target_id,
        revision=revision,
        from_state=from_state,
        to_state=to_state,
        undoes_id=undoes_id,
        detail={"was_for": was_for} if was_for else {},
    )


def _latest_decisions(keys: Collection[Key]) -> dict[Key, int]:
    """The newest log entry about each of these, in one query."""
    rows = prepared.run(_LATEST, _columns(keys))
    return {Key(target, article_id, target_id): newest for target, article_id, target_id, newest in rows}


def _columns(keys: Collection[Key]) -> dict[str, list[Any]]:
    targets, articles, ids = zip(*keys, strict=True) if keys else ((), (), ())
    return {"targets": list(targets), "articles": list(articles), "ids": list(ids)}


def _in_words(key: Key, status: str) -> str:
    return str((Article if key.target == ARTICLE else Comment).Status(status).label)


def _carry_out(entries: list[Decision], *, parent: Decision | None, by: User | Machine, reason: str) -> Decision | None:
    """Change the states, bring what depends on them up to date, and log it: the same order for every decision."""
    if not entries:
        return None
    if changing := [entry for entry in entries if entry.from_state != entry.to_state]:
        change = _change_comments if changing[0].target == COMMENT else _change_articles
        change(changing)
    return _log(entries, parent=parent, by=by, reason=reason)


def _log(entries: Sequence[Decision], *, parent: Decision | None, by: User | Machine, reason: str) -> Decision:
    if parent is None:
        decision_log.append(entries, by=by, reason=reason)
        return entries[0]
    decision_log.append_parts(parent, entries, by=by, reason=reason)
    return parent


def _change_comments(entries: Sequence[Decision]) -> None:
    keys = [_key_of_entry(entry) for entry in entries]
    states, causes = [entry.to_state for entry in entries], [entry.cause for entry in entries]
    prepared.run(_CHANGE, {**_columns(keys), "states": states, "causes": causes})
    seen = {
        (key.article_id, key.target_id): (entry.to_state == SEEN) - (entry.from_state == SEEN)
        for key, entry in zip(keys, entries, strict=True)
    }
    counters.follow(seen)
    outbox.add_comments(seen)


def _change_articles(entries: Sequence[Decision]) -> None:
    """With all that is under them: this is counted anew."""
    ids = {entry.article_id or 0 for entry in entries}
    for to_state in {entry.to_state for entry in entries}:
        pks = [entry.article_id or 0 for entry in entries if entry.to_state == to_state]
        queries.articles().filter(pk__in=pks).update(status=to_state)
        if to_state == Article.Status.IN_REVIEW:  # a publication was undone: somebody has to look again
            queries.reviews().filter(article_id__in=pks).update(is_open=True)
    counters.recount_articles(ids)
    counters.recount_entities(counters.entities_in(ids))
    counters.raise_versions(ids)
    queue.follow_reviews(ids)
    for article_id in ids:
        outbox.add(article_id)
