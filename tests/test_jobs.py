"""What workers do, with a real worker process: work is done, and a killed worker's job is done by the next one."""

from __future__ import annotations

import hashlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.db import connection, transaction
from procrastinate.contrib.django import app

from archive import jobs, outbox
from archive.ingest import importer
from archive.ingest.loader import site_named
from archive.ingest.stored import sha256
from archive.models import Article, Mention, Outbox, SearchDocument, Source
from tests.makers import make_article

ROOT = Path(__file__).parents[1]
TEXT = b"Bridge to close in May\nThe mayor of Rotterdam said so on Tuesday.\nOh no, not again!\nwhy though\n"

real_worker = pytest.mark.django_db(transaction=True, serialized_rollback=True)


def worker(*options: str) -> subprocess.Popen[bytes]:
    """A worker of its own on this test's database."""
    found: dict[str, Any] = connection.settings_dict
    url = f"postgresql://{found['USER']}:{found['PASSWORD']}@/{found['NAME']}?host={found['HOST']}"
    environment = {**os.environ, "DATABASE_URL": url + (f"&port={found['PORT']}" if found["PORT"] else "")}
    command = [sys.executable, "manage.py", "procrastinate", "worker", *options]
    return subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def until(happened: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not happened():
        assert time.monotonic() < deadline
        time.sleep(0.1)


def value(statement: str) -> Any:
    with connection.cursor() as cursor:
        cursor.execute(statement)
        return (cursor.fetchone() or [None])[0]


@real_worker
def test_a_worker_imports_extracts_and_indexes() -> None:
    source = importer.receive(TEXT, name="page.txt")
    jobs.import_received.defer(source_id=source.pk, site="Courier", format=None)
    process = worker()
    until(lambda: SearchDocument.objects.exists() and Mention.objects.exists())
    process.send_signal(signal.SIGINT)
    process.wait(30)
    assert "/entity/" in Article.objects.get().html


@real_worker
def test_a_killed_workers_job_is_done_by_the_next_one() -> None:
    source = importer.receive(TEXT, name="page.txt")
    jobs.import_received.defer(source_id=source.pk, site="Courier", format=None)
    key = sha256(hashlib.sha256(TEXT).hexdigest()).hex()
    site = site_named("Courier")
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, %s))", [key, site.pk])  # holds the import up
        process = worker()
        until(lambda: value("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted") == 1)
        process.kill()
        process.wait()
    status = "SELECT status FROM procrastinate_jobs WHERE task_name = 'archive.jobs.import_received'"
    assert (Article.objects.count(), value(status)) == (0, "doing")
    with connection.cursor() as cursor:  # as if a minute had passed
        cursor.execute("UPDATE procrastinate_workers SET last_heartbeat = now() - interval '5 minutes'")
        cursor.execute("DELETE FROM procrastinate_jobs WHERE status = 'todo'")
    app.configure_task("archive.jobs.retry_stalled").defer(timestamp=0)  # what the clock does each minute
    second = worker()
    until(lambda: Source.objects.get().state == Source.State.DONE)
    second.send_signal(signal.SIGINT)
    second.wait(30)
    assert Article.objects.count() == 1


@pytest.mark.django_db
def test_a_change_without_its_nudge_is_indexed_by_the_clock() -> None:
    article = make_article(body="a tram")
    Outbox.objects.create(article_id=article.pk)
    jobs.sync_search(timestamp=0)
    assert SearchDocument.objects.filter(article=article).exists()


@pytest.mark.django_db
def test_many_changes_wait_for_one_job(django_capture_on_commit_callbacks: Any) -> None:
    article = make_article(body="a tram")
    with django_capture_on_commit_callbacks(execute=True):
        for _ in range(3):
            outbox.add(article.pk)
    waiting = f"SELECT count(*) FROM procrastinate_jobs WHERE task_name = '{outbox.SYNC_SEARCH}' AND status = 'todo'"
    assert (Outbox.objects.count(), value(waiting)) == (3, 1)
