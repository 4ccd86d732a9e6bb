"""A page of 1,000 comments against the floor: the same SQL and a plain string join. And pages of a very long thread.

    python -m archive.postgres run --temporary -- python tests/bench/rendering.py [COMMENTS]

Both run in this process, alternating; medians. Ours is the whole request, from URL to bytes, middleware included.
Target: at most 3 times the floor. Pages of 200 of a thread of 100,000, anywhere and in other orders, are set against
the first page of a thread of 1,000; target: within 1.2 times.
"""

from __future__ import annotations

import html
import os
import random
import statistics
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "archive.settings")
os.environ.setdefault("AFTERWORD_LOG_LEVEL", "ERROR")

import django

django.setup()

from django.conf import settings
from django.core.management import call_command
from django.db import connection
from django.test import Client

from archive import queries
from archive.ingest import loader
from archive.ingest.records import Basis, Claim, Discussion, Post
from archive.models import Source

COMMENTS = 1000
RUNS = 40
TEXT = "the last bus to harrow lane left at midnight and nobody asked nurses what they thought about it"
WORDS = TEXT.split()


LONG = 100_000
PAGES = {
    "first page of 1,000": (COMMENTS, ""),
    "first page of 100,000": (LONG, ""),
    "its middle": (LONG, "?rank=50000"),
    "its end": (LONG, "?rank=99800"),
    "newest first, its middle": (LONG, "?sort=newest&rank=50000"),
    "most replies first, its end": (LONG, "?sort=discussed&rank=99800"),
    "by date, its middle": (LONG, "?sort=flat&rank=50000"),
    "top level only, middle": (LONG, "?depth=1&rank=20000"),
}


def make_thread(comments: int) -> int:
    """Store an article with a thread as flattened text gives it; return its id."""
    chance = random.Random(1)
    source = Source.objects.create(sha256=f"{comments:064}", name="bench", size=0)
    posts = [
        Post(
            external_id=str(n),
            text="\n".join(
                " ".join(chance.choices(WORDS, k=chance.randint(5, 60))) for _ in range(chance.choice((1, 1, 2)))
            ),
            parent=str(chance.randrange(max(0, n - 8), n)) if n and chance.random() < 0.6 else None,
            author=f"author {chance.randrange(200)}",
            posted_at=datetime(2017, 3, 14, tzinfo=UTC) + timedelta(minutes=chance.randrange(100_000)),
            boundary_claim=Claim(Basis.INFERRED, round(chance.random(), 2)),
            parent_claim=Claim(Basis.INFERRED, round(chance.random(), 2)),
        )
        for n in range(comments)
    ]
    discussion = Discussion(
        key=f"bench {comments}", title="The last night bus", body=" ".join(WORDS) * 20, comments=posts
    )
    stored = loader.store(discussion, source=source, site=loader.site_named("bench"))
    assert stored.article_id is not None
    return stored.article_id


def floor(article_id: int, comments: int) -> bytes:
    """The same rows from the same SQL, joined into the least that could be called a page."""
    rows = queries.comments().for_thread_page(article_id, rank=0, limit=comments)
    parts = [
        f'<li id="c{row.id}" class="d{row.depth}"><b>{html.escape(row.shown_author)}</b>{row.shown_html}</li>'
        for row in rows
    ]
    return f"<!doctype html><ol>{''.join(parts)}</ol>".encode()


def seconds(work: Callable[[], bytes]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def main(comments: int) -> None:
    call_command("migrate", interactive=False, verbosity=0)
    article_id = make_thread(comments)
    settings.COMMENTS_PER_PAGE = comments
    settings.PAGE_CACHE_BYTES = 0
    client = Client()
    path = queries.articles().get(pk=article_id).get_absolute_url()

    def ours() -> bytes:
        answer = client.get(path, headers={"host": "localhost"})
        assert answer.status_code == 200
        return answer.content

    def least() -> bytes:
        return floor(article_id, comments)

    assert ours().count(b'<li id="c') == comments == least().count(b"<li id")
    times = [(seconds(ours), seconds(least)) for _ in range(RUNS)]
    page, bare = (statistics.median(column) * 1000 for column in zip(*times, strict=True))
    print(f"{'page of ' + format(comments, ','):32}{'ms':>8}{'KB':>8}")
    print(f"{'same SQL and a string join':32}{bare:8.1f}{len(least()) / 1000:8.0f}")
    print(f"{'the page':32}{page:8.1f}{len(ours()) / 1000:8.0f}")
    print(f"ratio {page / bare:.2f} times the floor (target at most 3), medians of {RUNS}")
    very_long(client)


def very_long(client: Client) -> None:
    """Pages in turn, so that a busy machine is busy for all of them alike."""
    settings.COMMENTS_PER_PAGE = 200
    articles = {count: queries.articles().get(pk=make_thread(count)) for count in {COMMENTS + 1, LONG}}
    articles[COMMENTS] = articles.pop(COMMENTS + 1)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    times: dict[str, list[float]] = {name: [] for name in PAGES}
    for _ in range(RUNS):
        for name, (count, query) in PAGES.items():
            path = articles[count].get_absolute_url() + query

            def page(path: str = path) -> bytes:
                return client.get(path, headers={"host": "localhost"}).content

            times[name].append(seconds(page) * 1000)
    first = statistics.median(times["first page of 1,000"])
    print(f"{'page of 200':32}{'ms':>8}{'times':>8}")
    for name, found in times.items():
        print(f"{name:32}{statistics.median(found):8.1f}{statistics.median(found) / first:8.2f}")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else COMMENTS)
