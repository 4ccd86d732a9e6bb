"""A page of 1,000 comments against the floor: the same SQL and a plain string join.

    python -m archive.postgres run --temporary -- python tests/bench/rendering.py [COMMENTS]

Both run in this process, alternating; medians. Ours is the whole request, from URL to bytes, middleware included.
Target: at most 4 times the floor.
"""

from __future__ import annotations

import html
import os
import random
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "archive.settings")
os.environ.setdefault("AFTERWORD_LOG_LEVEL", "ERROR")

import django

django.setup()

from django.conf import settings
from django.core.management import call_command
from django.test import Client

from archive import queries
from archive.ingest import loader
from archive.ingest.records import Basis, Claim, Discussion, Post
from archive.models import Source

COMMENTS = 1000
RUNS = 40
TEXT = "the last bus to harrow lane left at midnight and nobody asked nurses what they thought about it"
WORDS = TEXT.split()


def make_thread(comments: int) -> int:
    """Store an article with a thread as flattened text gives it; return its id."""
    chance = random.Random(1)
    source = Source.objects.create(sha256="0" * 64, name="bench", size=0)
    posts = [
        Post(
            external_id=str(n),
            text="\n".join(
                " ".join(chance.choices(WORDS, k=chance.randint(5, 60))) for _ in range(chance.choice((1, 1, 2)))
            ),
            parent=str(chance.randrange(max(0, n - 8), n)) if n and chance.random() < 0.6 else None,
            author=f"author {chance.randrange(200)}",
            boundary_claim=Claim(Basis.INFERRED, round(chance.random(), 2)),
            parent_claim=Claim(Basis.INFERRED, round(chance.random(), 2)),
        )
        for n in range(comments)
    ]
    discussion = Discussion(key="bench", title="The last night bus", body=" ".join(WORDS) * 20, comments=posts)
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
    print(f"ratio {page / bare:.2f} times the floor (target at most 4), medians of {RUNS}")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else COMMENTS)
