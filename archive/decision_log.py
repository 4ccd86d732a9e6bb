"""The log of decisions: entries are only ever added, and each hash covers its entry and the one before.

Written by ``moderation`` and by what decides beside it (``cases``, ``rules``), each through ``append``, in the
transaction of what it tells of. Nothing of a text that is hidden or erased belongs into an entry.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC
from typing import TYPE_CHECKING, Any, NamedTuple

from django.contrib.auth import get_user_model
from django.utils import timezone

from archive import prepared, queries
from archive.models import Decision

if TYPE_CHECKING:
    from accounts.models import User

LOG_LOCK = 0x61667465  # the advisory lock under which entries are appended, one transaction at a time
FIRST_HASH = "0" * 64  # what the first entry has before it
MAX_LISTED = 100  # breaks that a verification names; all are counted

# Columns that came after the first entries were written: covered where they say something, so that the hashes of
# entries from before stay what they were.
LATER: dict[str, object] = {"cause": "", "case_id": None, "detail": {}}
COLUMNS = [column.attname for column in Decision._meta.concrete_fields]
HASHED = [name for name in COLUMNS if name != "hash"]
_NUMBER = """
    SELECT nextval(pg_get_serial_sequence('archive_decision', 'id')),
        (SELECT hash FROM archive_decision ORDER BY id DESC LIMIT 1)
    FROM generate_series(1, %(entries)s)
"""
_ADD = f"""
    INSERT INTO archive_decision ({", ".join(COLUMNS)})
    SELECT {", ".join(COLUMNS)} FROM jsonb_populate_recordset(NULL::archive_decision, %(rows)s::jsonb)
"""  # noqa: S608  names of columns


class Machine(NamedTuple):
    """What decides where no person does: a rule, a job. ``name`` is what the log shows, at most 150 characters."""

    name: str


def append(entries: Sequence[Decision], *, by: User | Machine, reason: str, parent_id: int | None = None) -> None:
    """Write the entries at the end of the chain; with ``parent_id``, as parts of that decision.

    The lock is the last that a decision takes, so nobody waits in it.
    """
    actor_id, actor_name = _actor(by)
    prepared.run("SELECT pg_advisory_xact_lock(%(lock)s)", {"lock": LOG_LOCK})
    numbered = prepared.run(
        _NUMBER, {"entries": len(entries)}
    )  # a statement of its own: it sees what others have added
    previous, at = numbered[0][1] or FIRST_HASH, timezone.now()
    for (pk, _), entry in zip(numbered, entries, strict=True):
        entry.pk, entry.at, entry.reason = pk, at, reason.strip()
        entry.actor_id, entry.actor_name, entry.parent_id = actor_id, actor_name, parent_id
        entry.previous_hash = previous
        entry.hash = previous = hash_of(entry)
    rows = [{name: getattr(entry, name) for name in COLUMNS} for entry in entries]
    prepared.run(_ADD, {"rows": json.dumps(rows, default=str)})


def append_parts(parent: Decision, entries: Sequence[Decision], *, by: User | Machine, reason: str) -> None:
    """Write a decision on many, unless it was written before, and these entries as parts of it."""
    if parent.pk is None:
        append([parent], by=by, reason=reason)
    append(entries, by=by, reason=reason, parent_id=parent.pk)


def check_actor(by: object) -> None:
    """Raise TypeError for what is neither a user with an account nor a ``Machine``."""
    if not isinstance(by, (get_user_model(), Machine)):
        raise TypeError(f"a decision is made by a user or a rule, not by {by!r}")


def _actor(by: User | Machine) -> tuple[int | None, str]:
    check_actor(by)
    return (None, by.name) if isinstance(by, Machine) else (by.pk, by.get_username())


def fields_of(entry: Decision) -> dict[str, Any]:
    """What an entry's hash covers, as it is exported: the time in UTC to the microsecond."""
    fields = {name: getattr(entry, name) for name in HASHED}
    fields["at"] = entry.at.astimezone(UTC).isoformat(timespec="microseconds")
    return {name: value for name, value in fields.items() if name not in LATER or value != LATER[name]}


def hash_of(entry: Decision) -> str:
    """sha256, in hex, of ``fields_of`` as JSON: keys sorted, no spaces, other than ASCII escaped."""
    canonical = json.dumps(fields_of(entry), sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()


def exported() -> Iterator[dict[str, Any]]:
    """Each entry from the first on, with its hash. Streamed: memory does not grow with the log."""
    for entry in queries.decisions().order_by("pk").iterator(chunk_size=2_000):
        yield as_exported(entry)


def as_exported(entry: Decision) -> dict[str, Any]:
    return {**fields_of(entry), "hash": entry.hash}


@dataclass(frozen=True)
class Break:
    """A place where the log is not what it was written as."""

    decision_id: int
    why: str

    def __str__(self) -> str:
        return f"decision {self.decision_id}: {self.why}"


@dataclass
class Verification:
    """What reading the whole log found. ``head`` is the last entry's hash: published elsewhere, it pins all before."""

    entries: int = 0
    head: str = FIRST_HASH
    broken: int = 0
    breaks: list[Break] = field(default_factory=list)
    published_found: bool = True

    def note(self, decision_id: int, why: str) -> None:
        self.broken += 1
        if len(self.breaks) < MAX_LISTED:
            self.breaks.append(Break(decision_id, why))


def verify(published_head: str = "") -> Verification:
    """Read the log from its first entry to its last and say where it was changed, cut or added to.

    Streamed: memory does not grow with the log. A cut at its very end shows only against a head that was published
    before: with ``published_head`` given, ``published_found`` tells whether the log still contains it.
    """
    found = Verification(published_found=not published_head or published_head == FIRST_HASH)
    for entry in queries.decisions().order_by("pk").iterator(chunk_size=2_000):
        found.entries += 1
        if entry.previous_hash != found.head:
            found.note(entry.pk, "an entry before it was removed, added or changed")
        if entry.hash != hash_of(entry):
            found.note(entry.pk, "it was changed after it was written")
        found.head = entry.hash
        found.published_found = found.published_found or entry.hash == published_head
    return found
