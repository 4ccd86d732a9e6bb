"""Telling the worker what changed: a row in the transaction of the change, and a nudge once it is committed.

The row is what counts. Should the nudge be lost, the worker's own clock finds the row within a minute.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from django.db import connection, transaction
from procrastinate import exceptions
from procrastinate.contrib.django import app

from archive import prepared
from archive.models import Outbox

SYNC_SEARCH = "archive.jobs.sync_search"
EXTRACT = "archive.jobs.extract_entities"
WORK_ON_CASE = "archive.jobs.work_on_case"
_ADD_COMMENTS = """
    INSERT INTO archive_outbox (article_id, comment_ids, created_at)
    SELECT article_id, jsonb_agg(comment_id), now()
    FROM unnest(%(articles)s::bigint[], %(comments)s::bigint[]) AS changed (article_id, comment_id) GROUP BY 1
"""


def add(article_id: int, comment_ids: Sequence[int] | None = None) -> None:
    """The article changed, or only these comments of it: search has to be brought up to date."""
    Outbox.objects.create(article_id=article_id, comment_ids=None if comment_ids is None else list(comment_ids))
    transaction.on_commit(_nudge_search)


def add_comments(pairs: Iterable[tuple[int, int]]) -> None:
    """These comments changed, each named with its article."""
    articles, comments = zip(*pairs, strict=True)
    prepared.run(_ADD_COMMENTS, {"articles": list(articles), "comments": list(comments)})
    transaction.on_commit(_nudge_search)


def extract_later(article_id: int) -> None:
    """The texts of the article changed: its mentions have to be found again. Deferred in the same transaction."""
    app.configure_task(EXTRACT, lock=f"article-{article_id}").defer(article_id=article_id)


def work_on_case(case_id: int) -> None:
    """A case is to be masked, unmasked or erased. Deferred in the same transaction; one job at a time for each case."""
    app.configure_task(WORK_ON_CASE, lock=f"case-{case_id}").defer(case_id=case_id)


def run_later(task: str, **arguments: Any) -> None:
    """Have a worker do something, once the transaction is committed."""
    app.configure_task(task).defer(**arguments)


def _is_waiting(lock: str) -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1 FROM procrastinate_jobs WHERE queueing_lock = %s AND status = 'todo'", [lock])
        return cursor.fetchone() is not None


def _nudge_search() -> None:
    if _is_waiting(SYNC_SEARCH):  # the usual case while much is decided: no transaction for nothing
        return
    try:
        with transaction.atomic():  # the refusal below is a database error; it must not take a transaction along
            app.configure_task(SYNC_SEARCH, queueing_lock=SYNC_SEARCH).defer()
    except exceptions.AlreadyEnqueued:  # one waiting job reads all rows
        return
