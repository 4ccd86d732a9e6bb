"""A case's preview, in an archive of a million comments: what is meant, and every place where it can be seen.

    python -m archive.postgres run --temporary -- python tests/bench/cases.py [COMMENTS]

Words are as frequent as in English (Zipf), each comment has an author, one in twenty quotes the one it answers. Target:
every preview under 2 s. The slowest of three runs each, the first included. Making the archive takes some minutes.
"""

from __future__ import annotations

import itertools
import os
import random
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "archive.settings")
os.environ.setdefault("AFTERWORD_LOG_LEVEL", "ERROR")

import django

django.setup()

from django.core.management import call_command
from django.db import connection

from archive import scope
from archive.ingest import loader
from archive.ingest.stored import sha256
from archive.models import Article, Author, Case, Comment, Mention, Source
from archive.scope import Scope

TARGET = 2.0  # seconds
PER_ARTICLE = 1_000
AUTHORS = 5_000
VOCABULARY = 50_000
_DOCUMENTS = """
    INSERT INTO archive_searchdocument (article_id, comment_id, vector)
    SELECT article_id, id, to_tsvector('simple', author_name) || to_tsvector('afterword_en', body)
    FROM archive_comment
"""


def make(comments: int) -> int:
    """Fill the archive; return the id of its site."""
    site = loader.site_named("bench")
    source = Source.objects.create(sha256="0" * 64, name="bench", size=0)
    chance = random.Random(1)
    words = ["".join(chance.choices("abcdefghijklmnoprstuvw", k=chance.randint(3, 9))) for _ in range(VOCABULARY)]
    weights = list(itertools.accumulate(1 / (rank + 2) for rank in range(VOCABULARY)))
    authors = Author.objects.bulk_create(
        Author(site=site, name=f"author {number}", key=sha256(f"author {number}")) for number in range(AUTHORS)
    )
    pks = [author.pk for author in authors]
    for start in range(0, comments, PER_ARTICLE):
        article = Article.objects.create(
            site=site, source=source, key=b"%d" % start, digest=b"", title=f"Article {start}", language="en", body="x"
        )
        columns = ", ".join(loader.COLUMNS[1:])
        with connection.cursor() as cursor, cursor.copy(f"COPY archive_comment ({columns}) FROM STDIN") as copy:
            last = ""
            for rank in range(PER_ARTICLE):
                body = " ".join(chance.choices(words, cum_weights=weights, k=chance.randint(8, 70)))
                body = f"> {last}\n{body}" if chance.random() < 0.05 else body
                last = body[:200].rpartition(" ")[0].removeprefix("> ").partition("\n")[0]
                number = chance.randrange(AUTHORS)
                row = [article.pk, None, str(rank), b"%d" % rank, "", pks[number], f"author {number}", None, body, body]
                row += [rank, rank, 0, 0, "published", "", 1, None, None]
                copy.write_row([*row, *["stated", None] * 4, *[None] * 4])
    return site.pk


def index() -> None:
    """All at once: the index is made after the rows."""
    with connection.cursor() as cursor:
        cursor.execute("DROP INDEX search_document_vector")
        cursor.execute(_DOCUMENTS)
        cursor.execute("SET maintenance_work_mem = '512MB'")
        cursor.execute("CREATE INDEX search_document_vector ON archive_searchdocument USING gin (vector)")
        cursor.execute("VACUUM ANALYZE")


def measured(name: str, wanted: Scope, words: list[str]) -> float:
    case = Case.objects.create(kind="erasure", requester="bench", basis="", scope=wanted.as_json(), words=words)
    taken, meant = [], []
    for _ in range(3):
        started = time.perf_counter()
        found = scope.members(case)
        meant.append(time.perf_counter() - started)
        places = scope.preview(case, found)
        taken.append(time.perf_counter() - started)
    counts = {place.name: place.total for place in places if place.total}
    said = f"{max(taken):6.2f} s, of which {max(meant):.2f} for what is meant"
    print(f"  {name:24} {said}   {scope.size(found):,} comments; {counts}", flush=True)
    return max(taken)


def main() -> None:
    comments = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    call_command("migrate", interactive=False, verbosity=0)
    started = time.perf_counter()
    site = make(comments)
    index()
    print(f"{Comment.objects.count():,} comments, made in {time.perf_counter() - started:.0f} s", flush=True)
    article = Article.objects.order_by("pk")[0].pk
    rare = Comment.objects.order_by("pk")[7].body.split()[3]
    picked = list(Comment.objects.order_by("pk").values_list("pk", flat=True)[:500:50])
    words = ["author 7", "author 8"]
    slowest = max(
        measured("a name on a site", Scope(author="author 7", site=site), words),
        measured("a name, no words", Scope(author="author 9", site=site), []),
        measured("an article", Scope(articles=[article]), words),
        measured("a search", Scope(query=f'"{rare}"'), words),
        measured("a search in an article", Scope(query=rare, articles=[article]), words),
        measured("comments picked by hand", Scope(comments=picked), words),
    )
    assert not Mention.objects.exists()
    print(f"slowest {slowest:.2f} s, target {TARGET} s: {'met' if slowest < TARGET else 'MISSED'}")


if __name__ == "__main__":
    main()
