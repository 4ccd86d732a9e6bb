"""The log of decisions: entries are only ever added, and each hash covers its entry and the one before.

Written by ``moderation`` and by what decides beside it (``cases``, ``rules``), each through ``append``, in the
transaction of what it tells of. Nothing of a text that is hidden or erased belongs into an entry.
"""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC
from typing import TYPE_CHECKING, Any, NamedTuple

from django.contrib.auth import get_user_model
from django.utils import timezone

from archive import prepared, queries, redaction
from archive.models import Decision, DecisionReason
from archive.redaction import Marks

if TYPE_CHECKING:
    from accounts.models import User

LOG_LOCK = 0x61667465  # the advisory lock under which entries are appended, one transaction at a time
FIRST_HASH = "0" * 64  # what the first entry has before it
NOTHING = Marks()
MAX_LISTED = 100  # breaks that a verification names; all are counted

# Columns that came after the first entries were written: covered where they say something, so that the hashes of
# entries from before stay what they were.
LATER: dict[str, object] = {"cause": "", "case_id": None, "detail": {}, "said_id": None, "reason_digest": ""}
REASON = "reason"  # of an entry: what is erased of the log itself
COLUMNS = [column.attname for column in Decision._meta.concrete_fields if column.attname != "site_id"]
HASHED = [name for name in COLUMNS if name != "hash"]
_NUMBER = """
    SELECT nextval(pg_get_serial_sequence('archive_decision', 'id')),
        (SELECT hash FROM archive_decision ORDER BY id DESC LIMIT 1)
    FROM generate_series(1, %(entries)s)
"""
_SAY_AND_LOCK = """
    WITH said AS (
        INSERT INTO archive_decisionreason (text, salt) VALUES (%(text)s, %(salt)s) RETURNING id
    )
    SELECT id, pg_advisory_xact_lock(%(lock)s) FROM said
"""
_ADD = f"""
    INSERT INTO archive_decision ({", ".join(COLUMNS)}, site_id)
    SELECT {", ".join(f"entry.{name}" for name in COLUMNS)}, article.site_id
    FROM jsonb_populate_recordset(NULL::archive_decision, %(rows)s::jsonb) AS entry
    LEFT JOIN archive_article AS article ON article.id = entry.article_id
    ORDER BY entry.id
"""  # noqa: S608  names of columns


class Machine(NamedTuple):
    """What decides where no person does: a rule, a job. ``name`` is what the log shows, at most 150 characters."""

    name: str


def append(
    entries: Sequence[Decision],
    *,
    by: User | Machine,
    reason: str,
    parent_id: int | None = None,
    said: DecisionReason | None = None,
) -> None:
    """Write the entries at the end of the chain; with ``parent_id``, as parts of that decision.

    ``said`` is the reason where it is kept already.

    The lock is the last that a decision takes, so nobody waits in it.
    """
    actor_id, actor_name = _actor(by)
    said = _locked(reason.strip(), said)
    # A statement of its own, for one that began before it had the lock would not see what others added meanwhile.
    numbered = prepared.run(_NUMBER, {"entries": len(entries)})
    previous, at = numbered[0][1] or FIRST_HASH, timezone.now()
    digest = digest_of(said) if said else ""
    for (pk, _), entry in zip(numbered, entries, strict=True):
        entry.pk, entry.at, entry.said, entry.reason_digest = pk, at, said, digest
        entry.actor_id, entry.actor_name, entry.parent_id = actor_id, actor_name, parent_id
        entry.previous_hash = previous
        entry.hash = previous = hash_of(entry)
    rows = [{name: getattr(entry, name) for name in COLUMNS} for entry in entries]
    prepared.run(_ADD, {"rows": json.dumps(rows, default=str)})


def append_parts(parent: Decision, entries: Sequence[Decision], *, by: User | Machine, reason: str) -> None:
    """Write a decision on many, unless it was written before, and these entries as parts of it."""
    if parent.pk is None:
        append([parent], by=by, reason=reason)
    append(entries, by=by, reason=reason, parent_id=parent.pk, said=parent.said)


def _locked(reason: str, said: DecisionReason | None) -> DecisionReason | None:
    """Take the log's lock, and keep the reason beside the log: once for all that is decided together."""
    if said is not None or not reason:
        prepared.run("SELECT pg_advisory_xact_lock(%(lock)s)", {"lock": LOG_LOCK})
        return said
    said = DecisionReason(text=reason, salt=secrets.token_hex(16))
    ((said.pk, _),) = prepared.run(_SAY_AND_LOCK, {"text": said.text, "salt": said.salt, "lock": LOG_LOCK})
    return said


def digest_of(said: DecisionReason) -> str:
    """What an entry holds of its reason: without the salt, nobody could tell by it what the reason was."""
    return hashlib.sha256(f"{said.salt}\n{said.text}".encode()).hexdigest()


def erase_reasons(said: Collection[DecisionReason], *, case_id: int, by: User | Machine) -> None:
    """Empty these reasons for good, with an entry for each: without it, ``verify`` takes them for tampered with."""
    DecisionReason.objects.filter(pk__in=[one.pk for one in said]).update(text="", salt="", case_id=case_id)
    entries = [
        Decision(
            action=Decision.Action.ERASE,
            target=REASON,
            target_id=one.pk,
            to_state="erased",
            cause=Decision.Cause.CASE,
            case_id=case_id,
        )
        for one in said
    ]
    if entries:
        append(entries, by=by, reason="")


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


def exported(masked: Marks = NOTHING) -> Iterator[dict[str, Any]]:
    """Each entry from the first on, with its hash. Streamed: memory does not grow with the log."""
    for entry in queries.decisions().order_by("pk").iterator(chunk_size=2_000):
        yield as_exported(entry, masked)


def as_exported(entry: Decision, masked: Marks = NOTHING) -> dict[str, Any]:
    """``said`` is the reason and its salt, or for which case it was erased: the hash covers its digest alone.

    Where a case covers words of the reason, it is given with these covered, and without the salt.
    """
    found = {**fields_of(entry), "hash": entry.hash}
    if entry.said is None:
        return found
    if entry.said.case_id is not None:
        return {**found, "said": {"erased_for_case": entry.said.case_id}}
    shown = redaction.covered(entry.said.text, masked)
    salt = {"salt": entry.said.salt} if shown == entry.said.text else {}
    return {**found, "said": {"reason": shown, **salt}}


def _trouble_with_reason(entry: Decision, covered: Collection[tuple[int | None, int | None]]) -> str:
    """What is wrong with an entry's reason; ``covered``: which were erased, and for which case, as the log says."""
    if not entry.said_id:
        return ""
    if entry.said is None:
        return "its reason was taken away"
    if entry.said.case_id is not None:
        return "" if (entry.said_id, entry.said.case_id) in covered else "its reason was emptied, and no case erased it"
    return "" if digest_of(entry.said) == entry.reason_digest else "its reason was changed"


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
    erased = queries.decisions().filter(action=Decision.Action.ERASE, target=REASON)
    covered = set(erased.order_by().values_list("target_id", "case_id"))
    for entry in queries.decisions().order_by("pk").iterator(chunk_size=2_000):
        found.entries += 1
        if entry.previous_hash != found.head:
            found.note(entry.pk, "an entry before it was removed, added or changed")
        if entry.hash != hash_of(entry):
            found.note(entry.pk, "it was changed after it was written")
        elif trouble := _trouble_with_reason(entry, covered):
            found.note(entry.pk, trouble)
        found.head = entry.hash
        found.published_found = found.published_found or entry.hash == published_head
    return found
