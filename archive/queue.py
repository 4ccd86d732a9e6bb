"""What waits for a person: the only writer of ``Waiting``, called in the transaction of what causes it.

A report, a rule's hit or a review that was opened puts a row there; a decision on the comment or article settles it,
and the undoing of that decision opens it again. How many wait is kept as a ledger of differences (``WaitingTally``), so
that no page counts rows and no two transactions wait for each other over a counter.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

from django.conf import settings
from django.db import connection
from django.db.models import F, Q, Sum
from django.utils import timezone

from archive import outbox, prepared
from archive.models import Waiting, WaitingTally

if TYPE_CHECKING:
    from accounts.models import User

REPORT, HELD, REVIEW, DUPLICATE, DOUBT, CASE = "report", "held", "review", "duplicate", "doubt", "case"
CLAIM_LASTS = timedelta(minutes=15)
AT_ONCE = 5_000  # rows a statement
SCORE = "archive.jobs.score_waiting"
SCORED_AT_ONCE = 500  # rows a job

type Target = tuple[int, int | None]
"""Article and comment; None for the article itself."""


class Item(NamedTuple):
    """Something that is to wait. ``why`` is what its card explains: names, numbers and offsets, never a text."""

    kind: str
    article_id: int | None
    comment_id: int | None
    why: dict[str, Any]
    score: float = 0.0
    subject_id: int | None = None


_PUT = """
    WITH added AS (
        INSERT INTO archive_waiting AS waiting
            (kind, site_id, article_id, comment_id, subject_id, rule_id, why, score, created_at)
        SELECT new.kind, article.site_id, new.article_id, new.comment_id, new.subject_id,
            (new.why #>> '{rules,0,rule}')::bigint, new.why, new.score, now()
        FROM unnest(%s::text[], %s::bigint[], %s::bigint[], %s::bigint[], %s::jsonb[], %s::float[])
            WITH ORDINALITY AS new (kind, article_id, comment_id, subject_id, why, score, place)
        LEFT JOIN archive_article AS article ON article.id = new.article_id
        ORDER BY new.place
        ON CONFLICT (kind, article_id, comment_id, subject_id) WHERE settled_at IS NULL
        DO UPDATE SET why = excluded.why, rule_id = excluded.rule_id, score = greatest(waiting.score, excluded.score)
        RETURNING waiting.kind, waiting.site_id, waiting.id, waiting.xmax = 0 AS is_new
    ), counted AS (
        INSERT INTO archive_waitingtally (kind, site_id, waiting)
        SELECT kind, site_id, count(*) FROM added WHERE is_new GROUP BY 1, 2
    )
    SELECT id FROM added WHERE is_new ORDER BY id
"""
_SETTLE = """
    WITH done AS (
        UPDATE archive_waiting AS waiting SET settled_at = now(), decision_id = %(decision)s
        {which} AND settled_at IS NULL RETURNING kind, site_id
    )
    INSERT INTO archive_waitingtally (kind, site_id, waiting) SELECT kind, site_id, -count(*) FROM done GROUP BY 1, 2
    RETURNING kind
"""
# Pairs are compared as pairs: for two lists, an index would be asked for each of the one with each of the other.
_TARGETS = "unnest(%(articles)s::bigint[], %(comments)s::bigint[]) AS target (article_id, comment_id)"
_IS_TARGET = "waiting.article_id = target.article_id AND waiting.comment_id = target.comment_id"
_ABOUT = f"FROM {_TARGETS} WHERE {_IS_TARGET}"
_SETTLE_COMMENTS = _SETTLE.format(which=_ABOUT)
_SETTLE_OF_KIND = _SETTLE.format(which=f"{_ABOUT} AND kind = %(kind)s")
_SETTLE_ARTICLES = _SETTLE.format(
    which="WHERE article_id = ANY(%(articles)s::bigint[]) AND comment_id IS NULL AND kind = ANY(%(kinds)s::text[])"
)
_SETTLE_DOUBTS = _SETTLE.format(which="WHERE article_id = %(article)s AND kind = 'doubt'")
_SETTLE_SUBJECT = _SETTLE.format(which="WHERE kind = ANY(%(kinds)s::text[]) AND subject_id = %(subject)s")
# What waits again by now, for a new reason, is not opened a second time. Comments are compared by "=", for which there
# is an index: with IS NOT DISTINCT FROM each of thousands of cards was compared with all others of its article. Rows
# are found by what they are about and only then asked for their decision: one on many has as many, and each of them
# was compared with each target.
_REOPEN = """
    WITH closed AS MATERIALIZED (
        SELECT waiting.id, waiting.decision_id FROM archive_waiting AS waiting {about}
    ), again AS (
        UPDATE archive_waiting AS waiting SET settled_at = NULL, decision_id = NULL FROM closed
        WHERE waiting.id = closed.id AND closed.decision_id = ANY(%(decisions)s::bigint[]) AND NOT EXISTS (
            SELECT FROM archive_waiting AS other WHERE other.settled_at IS NULL AND other.kind = waiting.kind
            AND other.article_id = waiting.article_id AND other.comment_id {same}
        ) RETURNING kind, site_id
    )
    INSERT INTO archive_waitingtally (kind, site_id, waiting) SELECT kind, site_id, count(*) FROM again GROUP BY 1, 2
"""
_REOPEN_COMMENTS = _REOPEN.format(about=f"JOIN {_TARGETS} ON {_IS_TARGET}", same="= waiting.comment_id")
_REOPEN_ARTICLES = _REOPEN.format(
    about="WHERE article_id = ANY(%(articles)s::bigint[]) AND comment_id IS NULL", same="IS NULL"
)
_FOLLOW_REVIEWS = """
    SELECT article.id, review.uncertain, review.is_open AND article.status IN ('published', 'in_review')
    FROM archive_article AS article JOIN archive_review AS review ON review.article_id = article.id
    WHERE article.id = ANY(%s)
"""


def put(items: Iterable[Item]) -> list[int]:
    """Let these wait; what waits already for the same gets the new reason. Returns the ids of the new rows."""
    once = {(item.kind, item.article_id, item.comment_id, item.subject_id): item for item in items}
    rows = list(once.values())
    ids: list[int] = []
    with connection.cursor() as cursor:
        for start in range(0, len(rows), AT_ONCE):
            part = rows[start : start + AT_ONCE]
            values = ((r.kind, r.article_id, r.comment_id, r.subject_id, json.dumps(r.why), r.score) for r in part)
            columns = zip(*values, strict=True)
            cursor.execute(_PUT, [list(column) for column in columns])
            ids += [pk for (pk,) in cursor.fetchall()]
    for start in range(0, len(ids) if settings.SCORER else 0, SCORED_AT_ONCE):
        outbox.run_later(SCORE, waiting_ids=ids[start : start + SCORED_AT_ONCE])
    return ids


def settle(targets: Sequence[Target], *, decision_id: int | None) -> set[str]:
    """What was decided on waits no more, whatever it waited for; a review has an end of its own. Returns the kinds."""
    comments, articles = _apart(targets)
    rows: list[tuple[str]] = []
    if comments["comments"]:
        rows += prepared.run(_SETTLE_COMMENTS, {**comments, "decision": decision_id})
    if articles:
        given = {"articles": articles, "kinds": [REPORT], "decision": decision_id}
        rows += prepared.run(_SETTLE_ARTICLES, given)
    return {kind for (kind,) in rows}


def release(targets: Sequence[Target], *, decision_id: int | None) -> None:
    """These are held no more, because that was undone: no card asks what to do about it."""
    comments, _ = _apart(targets)
    prepared.run(_SETTLE_OF_KIND, {**comments, "decision": decision_id, "kind": HELD})


def settle_doubt(target: Target, *, decision_id: int) -> None:
    """Somebody has found right what was inferred of a comment; what else waits about it goes on waiting."""
    comments, _ = _apart([target])
    prepared.run(_SETTLE_OF_KIND, {**comments, "decision": decision_id, "kind": DOUBT})


def settle_doubts(article_id: int) -> None:
    """A person has gone through the whole discussion: nothing of it is in doubt any more."""
    prepared.run(_SETTLE_DOUBTS, {"decision": None, "article": article_id})


def _apart(targets: Sequence[Target]) -> tuple[dict[str, list[int]], list[int]]:
    """Articles and comments in two columns; and those that are articles themselves."""
    pairs = [(article, comment) for article, comment in targets if comment is not None]
    columns = {"articles": [article for article, _ in pairs], "comments": [comment for _, comment in pairs]}
    return columns, [article for article, comment in targets if comment is None]


def settle_subject(kind: str, subject_id: int, *, decision_id: int | None) -> None:
    """The same of something that is neither an article nor a comment: a case that was closed."""
    prepared.run(_SETTLE_SUBJECT, {"decision": decision_id, "kinds": [kind], "subject": subject_id})


def reopen(decision_ids: Collection[int], targets: Sequence[Target]) -> None:
    """These decisions were undone on these targets: what they settled waits again."""
    comments, articles = _apart(targets)
    decisions = list(decision_ids)
    if comments["comments"]:
        prepared.run(_REOPEN_COMMENTS, {**comments, "decisions": decisions})
    if articles:
        prepared.run(_REOPEN_ARTICLES, {"articles": articles, "decisions": decisions})


def follow_reviews(article_ids: Collection[int]) -> None:
    """Bring the cards of these articles' reviews to what the reviews say."""
    if not article_ids:
        return
    with connection.cursor() as cursor:
        cursor.execute(_FOLLOW_REVIEWS, [list(article_ids)])
        rows = cursor.fetchall()
    if done := [article for article, _, is_open in rows if not is_open]:
        prepared.run(_SETTLE_ARTICLES, {"decision": None, "articles": done, "kinds": [REVIEW]})
    put(Item(REVIEW, article, None, {"uncertain": uncertain}) for article, uncertain, is_open in rows if is_open)


def put_once(items: Iterable[Item]) -> None:
    """Let these wait, but for what waited for the same before: an import that is repeated asks nothing again."""
    new = list(items)
    if not new:
        return
    known = Waiting.objects.filter(
        kind__in={item.kind for item in new},
        article_id__in={item.article_id for item in new},
        comment_id__in=[item.comment_id for item in new],
    )
    before = set(known.values_list("kind", "article_id", "comment_id"))
    put(item for item in new if (item.kind, item.article_id, item.comment_id) not in before)


def claim(waiting_id: int, *, by: User) -> bool:
    """Say that somebody looks at it; again, that they do not any more. False where another one does, or it is done."""
    now = timezone.now()
    rows = Waiting.objects.filter(pk=waiting_id, settled_at__isnull=True)
    if rows.filter(claimed_by=by, claimed_at__gt=now - CLAIM_LASTS).update(claimed_by=None, claimed_at=None):
        return True
    free = Q(claimed_by__isnull=True) | Q(claimed_by=by) | Q(claimed_at__lte=now - CLAIM_LASTS)
    return bool(rows.filter(free).update(claimed_by=by, claimed_at=now))


def add_to_score(waiting_id: int, score: float) -> None:
    """Let it come sooner by so much."""
    Waiting.objects.filter(pk=waiting_id, settled_at__isnull=True).update(score=F("score") + score)


_SUM_UP = """
    WITH gone AS (DELETE FROM archive_waitingtally RETURNING kind, site_id, waiting)
    INSERT INTO archive_waitingtally (kind, site_id, waiting)
    SELECT kind, site_id, sum(waiting) FROM gone GROUP BY 1, 2 HAVING sum(waiting) <> 0
"""


def sum_up() -> None:
    """Make one row of all that the ledger has of a kind and site."""
    with connection.cursor() as cursor:
        cursor.execute(_SUM_UP)


def count(kind: str, site_id: int) -> int:
    """How many of a kind wait on one site."""
    return WaitingTally.objects.filter(kind=kind, site_id=site_id).aggregate(n=Sum("waiting"))["n"] or 0


def counts() -> dict[tuple[str, int | None], int]:
    """How many wait, by kind and site: read off the ledger."""
    sums = WaitingTally.objects.order_by().values_list("kind", "site_id").annotate(n=Sum("waiting"))
    return {(kind, site): n for kind, site, n in sums if n > 0}
