"""The list of what was erased, kept outside of the database, so that an older backup brings none of it back.

A file of JSON lines that is only ever added to. It holds ids, offsets, and digests under a key that lies beside it:
no word of what was erased. ``erasure`` writes an entry before it wipes anything and follows it; after a restore,
``manage.py apply_suppressions`` follows all of them again.
"""

from __future__ import annotations

import fcntl
import json
import os
import secrets
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, fields
from functools import lru_cache
from pathlib import Path
from typing import Any

from django.conf import settings

from archive import redaction
from archive.models import Suppression
from archive.redaction import RUN, Digest, Marks, merged

KEY_BYTES = 32


@dataclass(frozen=True)
class Entry:
    """What one erasure took away, in digests (see ``digest``), ids and offsets of code points, half-open.

    ``articles``: id and digest of the article's name. ``comments``: article, id, digest of the comment's name.
    ``texts``: digests of whole comments. ``runs``: of each ``redaction.RUN`` words of them that follow one another.
    ``words`` are covered anywhere in these articles, ``quoted`` as whole quoted lines, both by their number of words.
    ``own``: digests of the names of articles of which the text itself is gone; ``names``: of their titles and bylines,
    by their number of words, which are looked for in what is known of their sources alone.
    ``sources``: sha256 of what was received -> spans. ``left_out``: ``comment:1``, ``article:1``.
    """

    id: str
    case: int
    at: str
    articles: list[list[Any]] = field(default_factory=list)
    comments: list[list[Any]] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)
    runs: list[str] = field(default_factory=list)
    words: dict[str, list[str]] = field(default_factory=dict)
    quoted: dict[str, list[str]] = field(default_factory=dict)
    sources: dict[str, list[list[int]]] = field(default_factory=dict)
    left_out: list[str] = field(default_factory=list)
    own: list[str] = field(default_factory=list)
    names: dict[str, list[str]] = field(default_factory=dict)

    def marks(self) -> Marks:
        anywhere = merged({int(length): some for length, some in self.words.items()}, {RUN: self.runs})
        quoted = {int(length): frozenset(some) for length, some in self.quoted.items()}
        return Marks(anywhere, quoted, digest())

    def marks_of_names(self) -> Marks:
        return Marks({int(length): some for length, some in self.names.items()}, digest=digest())


def path() -> Path:
    return Path(settings.SUPPRESSIONS)


def _key_path() -> Path:
    return path().with_name(path().name + ".key")


def digest() -> Digest:
    """How this installation's list compares words; its key is made when it is first needed."""
    return _digest_under(str(_key_path()))


@lru_cache(maxsize=8)
def _digest_under(name: str) -> Digest:
    file = Path(name)
    if not file.exists():
        if path().exists():
            raise FileNotFoundError(f"{file} is missing: without it the list of suppressions cannot be read")
        file.parent.mkdir(parents=True, exist_ok=True)
        made = file.with_name(f"{file.name}.{os.getpid()}")
        made.touch(mode=0o600)
        made.write_bytes(secrets.token_bytes(KEY_BYTES))
        try:
            os.link(made, file)  # of two processes that make one at once, the first wins
        except FileExistsError:
            pass
        finally:
            made.unlink()
    return redaction.keyed(file.read_bytes())


def entries() -> Sequence[Entry]:
    """All entries, the oldest first; kept in memory until the file changes. ValueError where a line is damaged."""
    try:
        found = path().stat()
    except FileNotFoundError:
        return ()
    return _entries(str(path()), found.st_mtime_ns, found.st_size)


@lru_cache(maxsize=2)
def _entries(name: str, changed: int, size: int) -> Sequence[Entry]:
    known = {one.name for one in fields(Entry)}
    found = []
    for number, line in enumerate(Path(name).read_text(encoding="utf-8").splitlines(), 1):
        try:
            given = json.loads(line)
            found.append(Entry(**{key: value for key, value in given.items() if key in known}))
        except (ValueError, TypeError, AttributeError):
            raise ValueError(f"{name}: line {number} is damaged") from None
    return tuple(found)


def append(entry: Entry) -> None:
    """Add an entry; it is on the disk when this returns. Two processes at once add one after the other."""
    digest()
    path().parent.mkdir(parents=True, exist_ok=True)
    line = json.dumps(asdict(entry), separators=(",", ":")) + "\n"
    with os.fdopen(os.open(path(), os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600), "ab") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        file.write(line.encode())
        file.flush()
        os.fsync(file.fileno())


def find(entry_id: str) -> Entry | None:
    return next((entry for entry in entries() if entry.id == entry_id), None)


def not_applied() -> list[Entry]:
    """Entries that this database has not followed: it was restored from a backup made before them."""
    found = entries()
    if not found:
        return []
    applied = set(Suppression.objects.values_list("entry", flat=True))
    return [entry for entry in found if entry.id not in applied]


def spans_in(sha256: str) -> list[tuple[int, int]]:
    """What was erased of a source, by the digest of what was received."""
    return sorted({(start, end) for entry in entries() for start, end in entry.sources.get(sha256, ())})
