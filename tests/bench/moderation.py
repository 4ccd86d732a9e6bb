"""What moderators wait for: one decision, the queue with 100,000 waiting, and thousands decided on at once.

    python -m archive.postgres run --temporary -- python tests/bench/moderation.py [--waiting N] [--bulk N] [--runs N]

Prints medians. A decision is compared with the least that would do without any of what hangs on it: one UPDATE of the
comment and one INSERT into the log, in a transaction. The queue is a whole request through Django's test client.
"""

from __future__ import annotations

import argparse
import os
import re
import statistics
import sys
import time
from collections.abc import Callable
from html import unescape
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "archive.settings")
os.environ.setdefault("AFTERWORD_LOG_LEVEL", "ERROR")

import django

django.setup()

from django.conf import settings
from django.core.management import call_command
from django.db import connection, transaction
from django.test import Client
from django.utils import timezone

from accounts.models import User
from archive import bulk, counters, moderation, queue
from archive.models import Article, Bulk, Comment, Decision, Rule
from archive.queue import Item
from tests.makers import make_article, make_user

THREAD = 1_000  # comments under each article
FURTHER = re.compile(r'id="further" href="([^"]+)"')
MOST_TIMES, MOST_PAGE_MS, MOST_BULK_S = 3.0, 50.0, 10.0


def took(do: Callable[[int], object], run: int) -> float:
    """Milliseconds."""
    start = time.perf_counter()
    do(run)
    return (time.perf_counter() - start) * 1000


def median(do: Callable[[int], object], runs: int) -> float:
    """Milliseconds; the first run, which prepares what is kept, does not count."""
    return statistics.median([took(do, run) for run in range(runs + 1)][1:])


def threads(comments: int) -> list[Article]:
    flat = [f"What somebody said, the {n}th time, about the last bus to Harrow Lane." for n in range(THREAD)]
    made = [make_article(title=f"Thread {n}", comments=flat) for n in range(comments // THREAD)]
    with connection.cursor() as cursor:  # a month of days
        cursor.execute(
            "UPDATE archive_comment SET posted_at = timestamptz '2017-03-01 0:00Z' + position * interval '45 min'"
        )
    counters.recount_articles([article.pk for article in made])
    return made


def decision(article: Article, by: User, runs: int) -> None:
    comments = list(Comment.objects.filter(article=article).order_by("-thread_rank")[: 2 * runs + 2])

    def bare(run: int) -> None:
        with transaction.atomic():
            Comment.objects.filter(article_id=article.pk, pk=comments[run].pk).update(
                status="hidden", cause="moderator"
            )
            Decision.objects.create(
                at=timezone.now(), actor_id=by.pk, actor_name=by.username, action="hide", target="comment",
                article_id=article.pk, target_id=comments[run].pk, revision=1, from_state="published",
                to_state="hidden", reason="insult", previous_hash="0" * 64, hash="1" * 64,
            )  # fmt: skip

    def whole(run: int) -> None:
        seen = moderation.Seen(10**9, 1)  # as from the queue: whether it was decided on since is looked up
        made = moderation.decide(comments[runs + 1 + run], action="hide", by=by, reason="insult", seen=seen)
        assert made.decision is not None

    least, ours = [], []
    for run in range(runs + 1):  # in turns, so that whatever else the machine does slows both
        least.append(took(bare, run))
        ours.append(took(whole, run))
    bare_ms, whole_ms = statistics.median(least[1:]), statistics.median(ours[1:])
    print(f"a decision: {whole_ms:.2f} ms; a bare UPDATE and INSERT: {bare_ms:.2f} ms", end="")
    print(f"; {whole_ms / bare_ms:.1f} times (at most {MOST_TIMES:g})")


RARE = """
    UPDATE archive_comment SET body = body || ' Or a quokka.', author_name = 'Jane Rarename' WHERE id % 40000 = 0
"""


def waits(article_id: int, pk: int) -> Item:
    """Two of three were reported; every third is held by one of five rules."""
    if pk % 3:
        return Item(queue.REPORT, article_id, pk, {}, pk % 7)
    rule = {"rule": 1 + pk % 5, "name": "a rule", "version": 1, "at": [[0, 4]]}
    return Item(queue.HELD, article_id, pk, {"rules": [rule]}, pk % 7)


def page(waiting: int, articles: list[Article], by: User, runs: int) -> None:
    rows = Comment.objects.filter(article__in=articles).values_list("article_id", "pk")[:waiting]
    for number in range(1, 6):
        Rule.objects.create(pk=number, name=f"Rule {number}", version=1, kind="words", action="hold", body="x")
    start = time.perf_counter()
    queue.put(waits(article, pk) for article, pk in rows)
    print(f"put into the queue: {waiting:,} in {time.perf_counter() - start:.1f} s")
    with connection.cursor() as cursor:
        cursor.execute(RARE)
        cursor.execute("ANALYZE archive_waiting")
    client = Client(HTTP_HOST="localhost")
    client.force_login(by)
    for words, url in (
        ("first page", ""),
        ("of one site", "?site=1"),
        ("of one kind", "?kind=held"),
        ("held by one rule", "?rule=2"),
        ("far down", "?after=0,50000"),
        ("a word that all have", "?q=bus"),
        ("a word that three have", "?q=quokka"),
        ("a name", "?q=rarename"),
        ("a word that none has", "?q=zzzz"),
    ):
        taken = median(lambda _, url=url: client.get(f"/admin/queue/{url}"), runs)  # type: ignore[misc]
        print(f"the queue, {words}: {taken:.1f} ms (at most {MOST_PAGE_MS:g})")
    start, pages, url = time.perf_counter(), 0, "?q=zzzz"
    while url and (answer := client.get(f"/admin/queue/{url}")):
        found = FURTHER.search(answer.content.decode())
        pages, url = pages + 1, unescape(found[1]) if found else ""
    print(f"the queue, that word in all that waits: {time.perf_counter() - start:.2f} s, {pages} pages")


def many(size: int, articles: list[Article], by: User) -> None:
    """As a worker does it, part by part: what is timed is all from being asked for to its end."""
    rows = Comment.objects.filter(article__in=articles).order_by("article_id", "pk")
    pairs = list(rows.values_list("article_id", "pk")[:size])
    start = time.perf_counter()
    made = bulk.decide(pairs, action="spam", by=by, reason="spam")
    assert isinstance(made, Bulk)
    carried_out("in bulk", made, start)
    start = time.perf_counter()
    undone = bulk.undo(Decision.objects.get(pk=made.decision_id or 0), by=by, reason="")
    assert isinstance(undone, Bulk)
    carried_out("undone", undone, start)


def carried_out(words: str, asked: Bulk, start: float) -> None:
    asked_ms, parts, begun = (time.perf_counter() - start) * 1000, [], time.perf_counter()
    while bulk.carry_out_part(asked.pk):
        parts.append(time.perf_counter() - begun)
        begun = time.perf_counter()
    taken = time.perf_counter() - start
    asked.refresh_from_db()
    print(f"{words}: {asked.changed:,} in {taken:.1f} s (at most {MOST_BULK_S:g}); asked for in", end="")
    print(f" {asked_ms:.0f} ms; {len(parts) + 1} parts, the longest {max(parts, default=taken) * 1000:.0f} ms")


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--waiting", type=int, default=100_000)
    parser.add_argument("--bulk", type=int, default=50_000)
    parser.add_argument("--runs", type=int, default=30)
    options = parser.parse_args()
    name = f"afterword_bench_{os.getpid()}"
    with connection.cursor() as cursor:
        cursor.execute(f"CREATE DATABASE {name}")
    connection.close()
    server = settings.DATABASES["default"]["NAME"]
    settings.DATABASES["default"]["NAME"] = connection.settings_dict["NAME"] = name
    try:
        call_command("migrate", verbosity=0)
        by = make_user("moderator")
        articles = threads(options.waiting)
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE")
        decision(articles[0], by, options.runs)
        page(options.waiting, articles[1:], by, options.runs)
        many(options.bulk, articles[1:], by)
    finally:
        connection.close()
        settings.DATABASES["default"]["NAME"] = connection.settings_dict["NAME"] = server
        with connection.cursor() as cursor:
            cursor.execute(f"DROP DATABASE {name} WITH (FORCE)")


if __name__ == "__main__":
    main()
