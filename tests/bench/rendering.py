"""A page of 1,000 comments against the floor: the same SQL and a plain string join. And pages of a very long thread.

    python -m archive.postgres run --temporary -- python tests/bench/rendering.py [COMMENTS]

Both run in this process, alternating; medians, by the clock and of this process's own work, without Postgres. Ours is
the whole request, from URL to bytes, middleware included. Target: at most 3 times the floor by the clock. Pages of 200
of a thread of 100,000, anywhere and in other orders, are set against the first page of a thread of 1,000; target:
within 1.2 times.
"""

from __future__ import annotations

import html
import os
import random
import sys
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "archive.settings")
os.environ.setdefault("AFTERWORD_LOG_LEVEL", "ERROR")

import django

django.setup()

from django.conf import settings
from django.core.management import call_command
from django.db import connection

from archive import queries
from archive.ingest import loader
from archive.ingest.records import Basis, Claim, Discussion, Post
from archive.models import Source
from tests.bench.reading import ask, in_turns, row

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


def main(comments: int) -> None:
    call_command("migrate", interactive=False, verbosity=0)
    article_id = make_thread(comments)
    settings.COMMENTS_PER_PAGE = comments
    settings.PAGE_CACHE_BYTES = 0
    path = queries.articles().get(pk=article_id).get_absolute_url()
    works = {"page": partial(ask, path), "floor": partial(floor, article_id, comments)}
    page, least = (work() for work in works.values())
    assert page.count(b'<li id="c') == comments == least.count(b"<li id")
    found = in_turns(works, runs=RUNS, in_a_row=1)
    print(f"{'medians of ' + str(RUNS):44}{'ms':>10}{'own work':>10}")
    row("same SQL and a string join", found["floor"], f"{len(least) // 1000} KB")
    row(f"page of {comments:,} comments", found["page"], f"{len(page) // 1000} KB")
    print(f"{found['page'].over(found['floor'])} (target at most 3)")
    very_long()


def very_long() -> None:
    """Pages in turn, so that a busy machine is busy for all of them alike."""
    settings.COMMENTS_PER_PAGE = 200
    articles = {count: queries.articles().get(pk=make_thread(count)) for count in {COMMENTS + 1, LONG}}
    articles[COMMENTS] = articles.pop(COMMENTS + 1)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    works = {name: partial(ask, articles[count].get_absolute_url() + query) for name, (count, query) in PAGES.items()}
    found = in_turns(works, runs=RUNS, in_a_row=1)
    first, *others = found
    row(f"200 comments: {first}", found[first])
    for name in others:
        row(name, found[name], f"{found[name].over(found[first])} (target 1.2)")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else COMMENTS)
