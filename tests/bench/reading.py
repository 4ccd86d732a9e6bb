"""What readers wait for, in archives of two sizes: pages made anew, pages kept ready, and how they grow.

    python -m archive.postgres run --temporary -- python tests/bench/reading.py [--comments N] [--most N] [--runs N]

Makes two databases beside each other, of 10,000 and of N comments (a million by default), with threads of 10, 1,000 and
100,000 among them; then grows the large one to --most, if given. Threads to be measured go through the loader; the rest
are copies of one thread of 100, made in SQL; five million take three minutes and 5 GB. All figures are medians of whole
requests through the WSGI application with its whole middleware, taken in turns so that a busy machine is as busy for
the one as for the other: by the clock, and beside it this process's own work, without Postgres.
"""

from __future__ import annotations

import argparse
import io
import os
import random
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "archive.settings")
os.environ.setdefault("AFTERWORD_LOG_LEVEL", "ERROR")

import django

django.setup()

from django.conf import settings
from django.core.management import call_command
from django.core.wsgi import get_wsgi_application
from django.db import connection
from django.http import HttpResponse
from django.test import Client
from django.urls import path

from archive import counters, queries, urls
from archive.ingest import loader
from archive.ingest.records import Basis, Claim, Discussion, Post
from archive.models import Article, Comment, Source

PUBLIC_INBOX = 520.0  # ms for 1,000 messages, measured on this machine
SMALL, LARGE = 10_000, 1_000_000
COPIED = 100  # comments of the thread that is copied
SITES = 4  # so that a site fills a page of a list even in the small archive
ARTICLES_AT_ONCE = 5_000
IN_A_ROW = 12  # requests before it is the other one's turn
TEXT = "the last bus to harrow lane left at midnight and nobody asked nurses what they thought about it"
WORDS = TEXT.split()

urls.urlpatterns.append(path("empty/", lambda request: HttpResponse("")))
application = get_wsgi_application()


# --- Archives to measure in ---


def load(name: str, comments: int, *, site: str, seed: int = 1) -> int:
    """Store a thread as flattened text gives it; return its article's id."""
    chance = random.Random(seed)
    source, _ = Source.objects.get_or_create(sha256="0" * 64, name="bench", size=0)
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
    discussion = Discussion(key=name, title=name, body=" ".join(WORDS) * 20, comments=posts)
    stored = loader.store(discussion, source=source, site=loader.site_named(site))
    assert stored.article_id is not None
    return stored.article_id


def copied(model: type[Article | Comment], many: int, whose: str, changed: Mapping[str, str]) -> str:
    """A statement that copies the rows ``whose`` condition holds ``many`` times, with other values in some columns."""
    table, names = model._meta.db_table, [str(field.column) for field in model._meta.concrete_fields]
    values = ", ".join(changed.get(name, f"old.{name}") for name in names)
    rows = f"FROM {table} AS old, generate_series(1, {many}) AS g WHERE {whose} ORDER BY g, old.id"
    return f"INSERT INTO {table} ({', '.join(names)}) SELECT {values} {rows}"


def grow(template: int, comments: int) -> None:
    """Copy the template's thread until the archive has so many comments."""
    sites = [loader.site_named(f"Site {number}").pk for number in range(SITES)]
    first = Comment.objects.filter(article_id=template).order_by("pk")[0].pk
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM archive_comment")
        missing = (comments - cursor.fetchone()[0]) // COPIED
        for start in range(0, missing, ARTICLES_AT_ONCE):
            many = min(ARTICLES_AT_ONCE, missing - start)
            cursor.execute("SELECT (SELECT max(id) FROM archive_article), (SELECT max(id) FROM archive_comment)")
            article, comment = cursor.fetchone()
            of_article = {
                "id": f"{article} + g",
                "site_id": f"(ARRAY{sites})[1 + mod(g * 7, {SITES})]",
                "key": f"sha256(('copy ' || {article} + g)::bytea)",
                "title": f"'Discussion ' || {article} + g",
                "published_at": f"timestamptz '2010-01-01 UTC' + mod(({article} + g) * 7919, 1000) * interval '1 day'",
                "counted_comments": "NULL",
                "comment_count": "100 + mod(g * 31, 400)",
            }
            move = f"{comment} + (g - 1) * {COPIED} - {first} + 1"
            of_comment = {
                "id": f"old.id + {move}",
                "article_id": f"{article} + g",
                "parent_id": f"old.parent_id + {move}",
            }
            cursor.execute(copied(Article, many, f"old.id = {template}", of_article))
            cursor.execute(copied(Comment, many, f"old.article_id = {template}", of_comment))
        for table in ("archive_article", "archive_comment"):
            cursor.execute(f"SELECT setval(pg_get_serial_sequence('{table}', 'id'), (SELECT max(id) FROM {table}))")
        ids = list(Article.objects.filter(counted_comments__isnull=True).values_list("pk", flat=True))
        cursor.execute(counters._TALLY, {"articles": ids})
        counters.sum_up()
        cursor.execute("VACUUM ANALYZE")


class Archive(NamedTuple):
    """A database, and the addresses of pages in it."""

    name: str
    paths: dict[str, str]

    def use(self) -> None:
        connection.close()
        connection.settings_dict["NAME"] = self.name
        for url in self.paths.values():
            ask(url)


def make(name: str, comments: int, *, threads: list[int]) -> Archive:
    started = time.perf_counter()
    with connection.cursor() as cursor:
        cursor.execute(f"DROP DATABASE IF EXISTS {name}")
        cursor.execute(f"CREATE DATABASE {name}")
    connection.close()
    connection.settings_dict["NAME"] = name
    call_command("migrate", interactive=False, verbosity=0)
    paths = {}
    for size in threads:
        article = queries.articles().get(pk=load(f"Thread of {size}", size, site=f"Site of {size}"))
        paths[f"{size:,}"] = article.get_absolute_url()
    author = queries.comments().filter(article__title="Thread of 10").order_by("pk")[0].author_id
    comment = queries.comments().filter(article__title="Thread of 1000").order_by("-pk")[0]
    paths |= {"a comment": comment.get_absolute_url()}
    paths |= {"home": "/", "discussed": "/?order=discussed", "author": f"/author/{author}/"}
    grow(load("Copied", COPIED, site="Site 0"), comments)
    paths |= {"a year": "/?order=discussed&period=2011", "a site": loader.site_named("Site 2").get_absolute_url()}
    paths |= {"feed": "/feed/", "site map": "/sitemap.xml"}
    told(name, started)
    return Archive(name, paths)


def told(name: str, started: float) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_database_size(current_database()), count(*) FROM archive_comment")
        size, comments = cursor.fetchone()
    took = time.perf_counter() - started
    print(f"{name}: {comments:,} comments, {size / 1e9:.2f} GB, made in {took:.0f} s", flush=True)


# --- Requests ---


def ask(url: str, **headers: str) -> bytes:
    """One request through the application; what it answers. AssertionError where that is neither 200 nor 304."""
    where, _, query = url.partition("?")
    environ: dict[str, Any] = {
        "REQUEST_METHOD": "GET",
        "PATH_INFO": where,
        "QUERY_STRING": query,
        "SERVER_NAME": "localhost",
        "SERVER_PORT": "80",
        "HTTP_HOST": "localhost",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "wsgi.input": io.BytesIO(),
        "wsgi.errors": sys.stderr,
        "wsgi.url_scheme": "http",
        "wsgi.multithread": False,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
        **headers,
    }
    status: list[str] = []
    answer: Any = application(environ, lambda line, headers: status.append(line))  # type: ignore[arg-type]
    body = b"".join(answer)
    answer.close()
    assert status[0][:3] in {"200", "304"}, f"{url}: {status[0]}"
    return body


class Cost(NamedTuple):
    """Medians in ms: by the clock, and of this process's own work, which a busy machine delays but makes no longer."""

    wall: float
    own: float

    def over(self, other: Cost) -> str:
        """``1.04 times by the clock, 1.06 of own work``."""
        return f"{self.wall / other.wall:.2f} times by the clock, {self.own / other.own:.2f} of own work"


def in_turns(works: Mapping[str, Callable[[], object]], *, runs: int, in_a_row: int = IN_A_ROW) -> dict[str, Cost]:
    """What each costs: some requests of the one, some of the next, and again: a busy machine delays all alike."""
    times: dict[str, list[Cost]] = {name: [] for name in works}
    for _ in range(runs):
        for name, work in works.items():
            for _ in range(in_a_row):
                wall, own = time.perf_counter(), time.process_time()
                work()
                times[name].append(Cost((time.perf_counter() - wall) * 1000, (time.process_time() - own) * 1000))
    return {name: median(found) for name, found in times.items()}


def median(found: Sequence[Cost]) -> Cost:
    return Cost(*(statistics.median(column) for column in zip(*found, strict=True)))


def row(name: str, cost: Cost, note: str = "") -> None:
    print(f"{name:44}{cost.wall:10.2f}{cost.own:10.2f}  {note}".rstrip(), flush=True)


def made_anew(archive: Archive, runs: int) -> None:
    """Pages that nobody kept: a thousand comments at once, and any page of a thread of a hundred thousand."""
    archive.use()
    settings.COMMENTS_PER_PAGE = 1000
    whole = in_turns({"whole": lambda: ask(archive.paths["1,000"])}, runs=runs)["whole"]
    settings.COMMENTS_PER_PAGE = 200
    times = PUBLIC_INBOX / whole.wall
    row("1,000 comments on one page", whole, f"{times:.0f} times as fast as public-inbox (target 20)")
    works: dict[str, Callable[[], object]] = {"first": lambda: ask(archive.paths["1,000"])}
    for rank in (0, 200, 1_000, 50_000, 99_800):
        works[f"{rank:,}"] = partial(ask, f"{archive.paths['100,000']}?rank={rank}")
    found = in_turns(works, runs=runs * IN_A_ROW, in_a_row=1)
    row("first 200 of a thread of 1,000", found["first"])
    for name, cost in list(found.items())[1:]:
        row(f"200 of a thread of 100,000, from {name}", cost, f"{cost.over(found['first'])} (target 1.2)")


def compared(small: Archive, large: Archive, runs: int) -> None:
    """The same pages in both archives."""
    times: dict[str, dict[str, list[Cost]]] = {name: {"small": [], "large": []} for name in small.paths}
    for _ in range(runs):
        for size, archive in (("small", small), ("large", large)):
            archive.use()
            works = {name: partial(ask, url) for name, url in archive.paths.items() if name in times}
            for name, cost in in_turns(works, runs=2).items():
                times[name][size].append(cost)
    for name, of in times.items():
        one, other = median(of["small"]), median(of["large"])
        row(f"{name}: small archive", one)
        row(f"{name}: large archive", other, f"{other.over(one)} (target: within a tenth)")


def kept(archive: Archive, runs: int) -> None:
    """Pages kept ready, and clients that have them, against a view that does nothing."""
    archive.use()
    settings.PAGE_CACHE_BYTES = 32 * 1024 * 1024
    url, takes = archive.paths["1,000"], {"HTTP_ACCEPT_ENCODING": "gzip, zstd"}
    tag = tag_of(url)
    works = {
        "empty": lambda: ask("/empty/", **takes),
        "hit": lambda: ask(url, **takes),
        "304": lambda: ask(url, **takes, HTTP_IF_NONE_MATCH=tag),
    }
    found = in_turns(works, runs=runs * 20)
    settings.PAGE_CACHE_BYTES = 0
    row("an empty view", found["empty"])
    for name, words in (("hit", "a page of 200, kept ready"), ("304", "the same, which the client has: 304")):
        row(words, found[name], f"{found['empty'].wall / found[name].wall:.0%} of the empty view's rate (target 60 %)")


def tag_of(url: str) -> str:
    return str(Client().get(url, headers={"host": "localhost"})["ETag"])


def served(archive: Archive, runs: int) -> None:
    """The same three through gunicorn, over one connection that stays open."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    database = connection.settings_dict
    url = f"postgresql://{database['USER']}@/{archive.name}?host={database['HOST']}&port={database['PORT']}"
    command = ["gunicorn", "tests.bench.reading:application", "--bind", f"127.0.0.1:{port}", "--threads", "4"]
    command += ["--worker-tmp-dir", "/dev/shm", "--keep-alive", "60", "--no-control-socket", "--log-level", "warning"]
    environ = {**os.environ, "DATABASE_URL": url}
    server = subprocess.Popen([Path(sys.executable).with_name(command[0]), *command[1:]], env=environ)
    try:
        connect = patiently(port)
        page = archive.paths["1,000"]
        tag = next(line for line in over(connect, page)[0].splitlines() if line.startswith("ETag:"))[6:]
        works = {
            "empty": lambda: over(connect, "/empty/"),
            "hit": lambda: over(connect, page),
            "304": lambda: over(connect, page, f"If-None-Match: {tag}\r\n"),
        }
        found = in_turns(works, runs=runs * 20)
    finally:
        server.terminate()
        server.wait()
    row("gunicorn: an empty view", found["empty"])
    for name in ("hit", "304"):
        row(f"gunicorn: {name}", found[name], f"{found['empty'].wall / found[name].wall:.0%} of the empty view's rate")


def patiently(port: int) -> socket.socket:
    for _ in range(100):
        try:
            return socket.create_connection(("127.0.0.1", port))
        except OSError:
            time.sleep(0.2)
    raise AssertionError("gunicorn did not start")


def over(connect: socket.socket, url: str, more: str = "") -> tuple[str, bytes]:
    """Head and body of an answer over a connection that stays open."""
    request = f"GET {url} HTTP/1.1\r\nHost: localhost\r\nAccept-Encoding: gzip, zstd\r\n{more}\r\n"
    connect.sendall(request.encode())
    data = b""
    while b"\r\n\r\n" not in data:
        data += connect.recv(65536)
    head, _, body = data.partition(b"\r\n\r\n")
    lengths = [line for line in head.decode().splitlines() if line.lower().startswith("content-length:")]
    missing = (int(lengths[0].split(":")[1]) if lengths else 0) - len(body)
    while missing > 0:
        more_data = connect.recv(65536)
        body += more_data
        missing -= len(more_data)
    return head.decode(), body


def main(options: argparse.Namespace) -> None:
    settings.PAGE_CACHE_BYTES = 0
    home = connection.settings_dict["NAME"]
    small = make("bench_small", SMALL, threads=[10, 1_000])
    connection.close()
    connection.settings_dict["NAME"] = home
    large = make("bench_large", options.comments, threads=[10, 1_000, 100_000])
    print(f"\n{'medians of ' + str(options.runs) + ' runs':44}{'ms':>10}{'own work':>10}")
    made_anew(large, options.runs)
    kept(large, options.runs)
    served(large, options.runs)
    compared(small, large, options.runs)
    if options.most > options.comments:
        started = time.perf_counter()
        large.use()
        template = Article.objects.get(title="Copied").pk
        grow(template, options.most)
        told("\nbench_large", started)
        compared(small, large, options.runs)


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--comments", type=int, default=LARGE)
    parser.add_argument("--most", type=int, default=0)
    parser.add_argument("--runs", type=int, default=5)
    main(parser.parse_args())
