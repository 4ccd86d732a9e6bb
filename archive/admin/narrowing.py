"""What the queue is narrowed to: read from an address or a saved view, and the rows that this leaves."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, NamedTuple
from urllib.parse import urlencode

from django.http import QueryDict
from django.utils import timezone

from archive import queries
from archive.admin.cards import KINDS, kinds_for
from archive.kinds import within_reach
from archive.models import SavedView, Waiting
from archive.queries import WaitingQuerySet
from archive.views.paging import number

PER_PAGE = 50
LOOKED_THROUGH = 5_000  # rows in which one page looks for words
AGES = {"day": ("waiting for a day", 1), "week": ("for a week", 7), "month": ("for a month", 30)}
MOST_WORDS = 100  # code points


class Asked(NamedTuple):
    """What the list is narrowed to; anything that means nothing is left out."""

    kind: str = ""
    site: int | None = None
    rule: int | None = None
    age: str = ""
    q: str = ""

    @classmethod
    def of(cls, given: QueryDict) -> Asked:
        kind, age = given.get("kind", ""), given.get("age", "")
        return cls(
            kind=kind if kind in KINDS else "",
            site=number(given.get("site", "")),
            rule=number(given.get("rule", "")),
            age=age if age in AGES else "",
            q=given.get("q", "").replace("\0", "").strip()[:MOST_WORDS],
        )

    @classmethod
    def kept_in(cls, view: SavedView) -> Asked:
        return cls(view.kind, view.site_id, view.rule_id, view.age, view.words)

    @property
    def query(self) -> str:
        return urlencode({name: value for name, value in self._asdict().items() if value})


def matching(asked: Asked, user: Any) -> WaitingQuerySet:
    """What waits for the person and is asked for, in order; a kind that is not theirs has nothing for them."""
    names = [kind.name for kind in kinds_for(user) if asked.kind in ("", kind.name)]
    rows = queries.waiting().for_work_by(names).filter(within_reach(user))
    if asked.site is not None:
        rows = rows.filter(site_id=asked.site)
    if asked.rule is not None:
        rows = rows.by_rule(asked.rule)
    if asked.age:
        rows = rows.waiting_since(timezone.now() - timedelta(days=AGES[asked.age][1]))
    return rows.saying(asked.q) if asked.q else rows


class Leaf(NamedTuple):
    """One page of the list: its rows, where the next begins, and in how many rows words were looked for (0: in all)."""

    items: list[Waiting]
    next_place: tuple[float, int] | None
    looked_through: int


def leaf(asked: Asked, user: Any, after: tuple[float, int] | None) -> Leaf:
    """Words are looked for in the list's order, and no further than ``LOOKED_THROUGH`` rows for one page."""
    rows = matching(asked._replace(q=""), user)
    if after:
        rows = rows.after(*after)
    end = None
    if asked.q:
        last_two = list(rows.values_list("score", "pk")[LOOKED_THROUGH - 1 : LOOKED_THROUGH + 1])
        end = last_two[0] if len(last_two) == 2 else None
        rows = (rows.until(*end) if end else rows).saying(asked.q)
    items = list(rows.select_related("claimed_by")[: PER_PAGE + 1])
    if len(items) > PER_PAGE:
        last = items[PER_PAGE - 1]
        return Leaf(items[:PER_PAGE], (last.score, last.pk), 0)
    return Leaf(items, end, LOOKED_THROUGH if end else 0)
