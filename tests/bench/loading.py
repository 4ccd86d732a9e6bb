"""Loading generated comments against bare COPY into an equal table with the same indexes.

    python -m archive.postgres run --temporary -- python tests/bench/loading.py [COMMENTS]

Prints the medians of three runs and, from processes of their own, the importer's peak memory at a quarter of the
input and at all of it. Targets: a tenth of bare COPY's rate or more; under 300 MB, and not growing with the input.
"""

from __future__ import annotations

import os
import random
import re
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "archive.settings")
os.environ.setdefault("AFTERWORD_LOG_LEVEL", "ERROR")

import django

django.setup()

from django.core.management import call_command
from django.db import connection

from archive.ingest import loader
from archive.ingest.records import STATED, Discussion, Post
from archive.models import Source

COMMENTS = 200_000
RUNS = 3
TEXT = "the last bus to harrow lane left at midnight and nobody asked nurses what they thought about it"
WORDS = TEXT.split()
START = datetime(2014, 3, 1, tzinfo=UTC)


def discussions(total: int, *, seed: int) -> Iterator[Discussion]:
    """Discussions of 1 to 400 comments, ``total`` comments in all, of 400 characters on average."""
    chance = random.Random(seed)
    number = 0
    while total > 0:
        size = min(total, chance.randint(1, 400))
        posts = [post(n, chance) for n in range(size)]
        yield Discussion(
            key=f"{seed}-{number}", title=f"Discussion {number}", body=" ".join(WORDS) * 10, comments=posts
        )
        total -= size
        number += 1


def post(n: int, chance: random.Random) -> Post:
    paragraphs = [
        " ".join(chance.choices(WORDS, k=chance.randint(5, 70))) for _ in range(chance.choice((1, 1, 1, 2, 4)))
    ]
    return Post(
        external_id=str(n),
        text="\n".join(paragraphs),
        parent=str(chance.randrange(n)) if n and chance.random() < 0.6 else None,
        author=f"author {chance.randrange(5000)}",
        posted_at=START + timedelta(minutes=n),
        parent_claim=STATED,
        author_claim=STATED,
        date_claim=STATED,
    )


def load(total: int, *, seed: int) -> float:
    """Seconds to store ``total`` comments; making them up is not counted."""
    source = Source.objects.create(sha256=f"{seed:064d}", name="bench", size=0)
    site = loader.site_named("bench")
    spent = 0.0
    for discussion in discussions(total, seed=seed):
        started = time.perf_counter()
        loader.store(discussion, source=source, site=site)
        spent += time.perf_counter() - started
    return spent


def bare_copy() -> float:
    """Seconds to COPY the rows that ``load`` stored into a fresh equal table."""
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE IF EXISTS bare")
        cursor.execute("CREATE TABLE bare (LIKE archive_comment INCLUDING ALL)")
        with cursor.copy("COPY archive_comment TO STDOUT") as copy:
            rows = [bytes(chunk) for chunk in copy]
        started = time.perf_counter()
        with cursor.copy("COPY bare FROM STDIN") as copy:
            for row in rows:
                copy.write(row)
    return time.perf_counter() - started


def empty() -> None:
    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE archive_source, archive_outbox, procrastinate_jobs CASCADE")


def peak_memory(total: int, seed: int) -> float:
    """Peak MB of a process that loads ``total`` comments and does nothing else."""
    command = [sys.executable, __file__, "--alone", str(total), str(seed)]
    return float(subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()[-1])


def own_peak() -> float:
    """Peak MB of this process. Not getrusage: its maximum is inherited from the process that started this one."""
    found = re.search(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text())
    return int(found.group(1)) / 1024 if found else 0.0


def main(total: int) -> None:
    call_command("migrate", interactive=False, verbosity=0)
    ours, bare = [], []
    for run in range(RUNS):
        empty()
        ours.append(load(total, seed=run))
        bare.append(bare_copy())
    mine, floor = total / statistics.median(ours), total / statistics.median(bare)
    small, large = peak_memory(total // 4, 101), peak_memory(total, 102)
    print(f"{'':32}{'comments/s':>12}{'seconds':>10}")
    print(f"{'bare COPY, same indexes':32}{floor:12,.0f}{statistics.median(bare):10.2f}")
    print(f"{'importer':32}{mine:12,.0f}{statistics.median(ours):10.2f}")
    print(f"ratio {mine / floor:.2f} of bare COPY (target 0.10 or more), {RUNS} runs of {total:,}")
    print(f"peak memory {small:.0f} MB for {total // 4:,} comments, {large:.0f} MB for {total:,} (target under 300)")


if __name__ == "__main__":
    if sys.argv[1:2] == ["--alone"]:
        load(int(sys.argv[2]), seed=int(sys.argv[3]))
        print(own_peak())
    else:
        main(int(sys.argv[1]) if len(sys.argv) > 1 else COMMENTS)
