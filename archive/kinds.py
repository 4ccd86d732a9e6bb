"""The kinds of what waits for a person: what each is called, and who works on it.

The queue's cards, the desk, the digest and the feed of what waits all go by this one table.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from django.db.models import Q

from archive import queries, queue
from archive.queries import MODERATE, REVIEW

if TYPE_CHECKING:
    from archive.queries import Viewer


class Kind(NamedTuple):
    """``plural`` follows a number; ``everywhere``: only for who has the permission on all sites."""

    plural: str
    permission: str
    everywhere: bool = False


KINDS = {
    queue.REPORT: Kind("reported by readers", MODERATE),
    queue.HELD: Kind("held by a rule", MODERATE),
    queue.DUPLICATE: Kind("said twice in a thread", MODERATE),
    queue.DOUBT: Kind("guesses in doubt", MODERATE),
    queue.REVIEW: Kind("discussions to review", REVIEW),
    queue.CASE: Kind("cases", "archive.view_case", everywhere=True),
}


def sites(user: Viewer, name: str) -> frozenset[int] | None:
    """The ids of the sites of which the person works on this kind: None for all of them."""
    kind = KINDS[name]
    found = queries.sites_with(user, kind.permission)
    return frozenset() if kind.everywhere and found is not None else found


def names_for(user: Viewer) -> list[str]:
    """The kinds on which the person works, of whatever site."""
    return [name for name in KINDS if sites(user, name) != frozenset()]


def reaches(user: Viewer, name: str, site_id: int | None) -> bool:
    """Whether something of this kind and site is the person's to work on."""
    return _includes(sites(user, name), site_id)


def within_reach(user: Viewer) -> Q:
    """The same of rows that wait: a condition that is empty for who works on all sites."""
    narrowed = {name: found for name in KINDS if (found := sites(user, name)) is not None}
    if not narrowed:
        return Q()
    reached = ~Q(kind__in=narrowed)
    for name, found in narrowed.items():
        reached |= Q(kind=name, site_id__in=found)
    return reached


def counts_for(user: Viewer) -> dict[tuple[str, int | None], int]:
    """How many wait for the person, by kind and site: read off the queue's ledger, in one query."""
    reach = {name: sites(user, name) for name in KINDS}
    return {(name, site): n for (name, site), n in queue.counts().items() if _includes(reach[name], site)}


def _includes(found: frozenset[int] | None, site_id: int | None) -> bool:
    return found is None or site_id in found
