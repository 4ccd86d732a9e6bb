"""One decision on many comments, or its undoing: asked for at once, carried out in parts.

What is meant is frozen when it is asked for. Each part is a transaction of its own, so that nobody waits for all of
them, and brings how far it is along: killed and begun again, it goes on where it was. All parts are children of one
decision, which is undone as one. A few are carried out in the request that asks for them, more by a worker.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING, Any

from django.db import IntegrityError, transaction
from django.db.models import F
from django.utils import timezone

from archive import moderation, outbox, queries, rules
from archive.models import Bulk, Decision, TrialHit
from archive.moderation import Key, Problem, Result

if TYPE_CHECKING:
    from accounts.models import User

MOST = 100_000  # comments
AT_ONCE = 2_000  # comments of one part
IN_REQUEST = 500  # comments that nobody needs a worker for
MOST_NAMED = 200  # problems that are kept; all are counted
WORK = "archive.jobs.work_on_bulk"


def decide(
    pairs: Collection[tuple[int, int]], *, action: str, by: User, reason: str, seen: int | None = None
) -> Bulk | Problem:
    """Ask for a decision on these comments, each named with its article."""
    return _ask(pairs, by=by, action=action, reason=reason, seen=seen)


def decide_hits(trial_id: int, *, by: User) -> Bulk | Problem:
    """Have a rule decide on all that its trial hit."""
    with transaction.atomic():
        found = rules.claim_hits(trial_id)
        if isinstance(found, rules.Problem):
            return Problem(found.why)
        pairs = TrialHit.objects.filter(trial_id=trial_id).values_list("article_id", "comment_id")
        return _ask(list(pairs), by=by, action=found.rule.action, trial_id=trial_id)


def undo(decision: Decision, *, by: User, reason: str) -> Bulk | Problem:
    """Ask for the undoing of a decision on many."""
    if problem := moderation.undo_problem(decision, reason):
        return problem
    parts = queries.decisions().filter(parent_id=decision.pk).order_by("pk").values_list("article_id", "pk")
    try:
        with transaction.atomic():
            action = Decision.Action.UNDO
            return _ask([(a or 0, pk) for a, pk in parts], by=by, action=action, reason=reason, undoes_id=decision.pk)
    except IntegrityError:
        return Problem("it is being undone already")


def _ask(pairs: Collection[tuple[int, int]], *, by: User, action: str, **fields: Any) -> Bulk | Problem:
    meant = sorted(set(pairs))
    if not meant:
        return Problem("there is nothing to decide on")
    if len(meant) > MOST:
        return Problem(f"more than {MOST:,} comments: choose fewer at once")
    articles, ids = zip(*meant, strict=True)
    with transaction.atomic():
        asked = Bulk.objects.create(
            asked_by=by, action=action, article_ids=list(articles), ids=list(ids), total=len(ids), **fields
        )
        if len(ids) > IN_REQUEST:
            outbox.run_later(WORK, bulk_id=asked.pk)
    if len(ids) <= IN_REQUEST:
        carry_out(asked.pk)
        asked.refresh_from_db()
    return asked


def stop(bulk_id: int) -> None:
    """Let no further part begin. What is done stays, and can be undone."""
    Bulk.objects.filter(pk=bulk_id, finished_at=None).update(stop=True)


def carry_out(bulk_id: int) -> None:
    """Go through it from where it is to its end, or until it is stopped."""
    while carry_out_part(bulk_id):
        pass


def carry_out_part(bulk_id: int) -> bool:
    """Do the next part; say whether there is more to do."""
    with transaction.atomic():
        rows = Bulk.objects.filter(pk=bulk_id, finished_at=None).defer("article_ids", "ids")
        bulk = rows.select_for_update().first()  # two workers never do the same part
        if bulk is None:
            return False
        if not bulk.stop:
            here = slice(bulk.done, bulk.done + AT_ONCE)
            ((articles, ids),) = rows.values_list(F("article_ids")[here], F("ids")[here])
            _note(bulk, len(ids), _decided(bulk, list(zip(articles, ids, strict=True))))
        if bulk.stop or bulk.done >= bulk.total:
            bulk.finished_at, bulk.article_ids, bulk.ids = timezone.now(), [], []
            bulk.reason = ""  # the log has it, where an erasure finds it
        bulk.save()
        return bulk.finished_at is None


def _note(bulk: Bulk, gone_through: int, result: Result) -> None:
    bulk.done += gone_through
    bulk.changed += len(result.changed)
    bulk.unchanged += len(result.problems)
    room = MOST_NAMED - len(bulk.problems)
    bulk.problems += [[*(p.key[::2] if p.key else ("", None)), p.why] for p in result.problems[:room]]
    if bulk.decision_id is None and result.decision:
        bulk.decision_id = result.decision.pk


def _decided(bulk: Bulk, pairs: Sequence[tuple[int, int]]) -> Result:
    """Who asked may have lost the right to it since: that is looked at for each part."""
    reached = _reached(bulk, {article for article, _ in pairs})
    why = "whoever asked for it does not moderate its site any more"
    refused = [Problem(why, _key(bulk, article, pk)) for article, pk in pairs if article not in reached]
    allowed = [(article, pk) for article, pk in pairs if article in reached]
    if not allowed:
        return Result(None, [], refused)
    parent = queries.decisions().filter(pk=bulk.decision_id).first() if bulk.decision_id else None
    done = _undone(bulk, allowed, parent) if bulk.undoes_id else _decided_on(bulk, allowed, parent)
    return Result(done.decision, done.changed, [*done.problems, *refused])


def _key(bulk: Bulk, article_id: int, pk: int) -> Key:
    return Key("decision" if bulk.undoes_id else moderation.COMMENT, article_id, pk)


def _reached(bulk: Bulk, article_ids: Collection[int]) -> Collection[int]:
    sites = queries.sites_with(bulk.asked_by, queries.MODERATE)
    if sites is None:
        return article_ids
    return set(queries.articles().filter(pk__in=article_ids, site_id__in=sites).values_list("pk", flat=True))


def _undone(bulk: Bulk, pairs: Sequence[tuple[int, int]], parent: Decision | None) -> Result:
    decision = queries.decisions().get(pk=bulk.undoes_id or 0)
    parts = [pk for _, pk in pairs]
    by: Any = bulk.asked_by
    return moderation.undo(decision, by=by, reason=bulk.reason, parts=parts, parent=parent)


def _decided_on(bulk: Bulk, pairs: Sequence[tuple[int, int]], parent: Decision | None) -> Result:
    chosen: dict[int, list[int]] = defaultdict(list)
    for article_id, pk in pairs:
        chosen[article_id].append(pk)
    seen = None if bulk.seen is None else moderation.Seen(bulk.seen)
    if bulk.trial_id:
        result = rules.decide_hits(bulk.trial_id, chosen, parent=parent)
        if isinstance(result, rules.Problem):
            return Result(None, [], [Problem(result.why, _key(bulk, article, pk)) for article, pk in pairs])
        return result
    by: Any = bulk.asked_by
    return moderation.decide_many(chosen, action=bulk.action, by=by, reason=bulk.reason, seen=seen, parent=parent)
