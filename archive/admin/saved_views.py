"""Saved views: what somebody narrows the queue to, under a name; their own, and what others share with everybody.

A view is a filter and nothing else: opened, it shows what the person who opens it may see. One that asks for a kind or
a site that is not theirs is not even named to them, as its name may tell what is there.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from django.contrib import messages
from django.contrib.admin import AdminSite
from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils.text import capfirst

from archive import queries
from archive.admin.cards import kinds_for
from archive.admin.narrowing import Asked
from archive.kinds import sites
from archive.models import SavedView

MOST_OWN = 30
MOST_OFFERED = 80  # one's own, and as many shared ones as there is room for
MOST_NAME = 60
REMOVE = "archive.delete_savedview"

type Counted = Mapping[tuple[str, int | None], int]


class Offered(NamedTuple):
    """A view as the page shows it. ``n`` is None where nothing but counting would tell it."""

    view: SavedView
    asked: Asked
    n: int | None
    is_here: bool
    is_own: bool


def offered_to(user: Any, asked: Asked, counted: Counted) -> list[Offered]:
    """The person's own views and the shared ones that are within their reach: one query."""
    reach = {kind.name: sites(user, kind.name) for kind in kinds_for(user)}
    found = []
    for view in queries.saved_views().for_queue_of(user)[:MOST_OFFERED]:
        wanted = Asked.kept_in(view)
        kinds = [name for name in reach if wanted.kind in ("", name)]
        if not any(wanted.site is None or (on := reach[name]) is None or wanted.site in on for name in kinds):
            continue
        found.append(Offered(view, wanted, _count(wanted, kinds, counted), wanted == asked, view.owner_id == user.pk))
    return found


def _count(asked: Asked, kinds: list[str], counted: Counted) -> int | None:
    """What the queue's ledger says; it knows kinds and sites alone."""
    if asked.rule is not None or asked.age or asked.q:
        return None
    return sum(n for (kind, site), n in counted.items() if kind in kinds and asked.site in (None, site))


def keep(asked: Asked, *, name: str, is_shared: bool, by: Any) -> str:
    """Keep what is asked for under a name; returns why not, in words for the person, or nothing."""
    if not asked.query:
        return "narrow the queue first: a view is what it is narrowed to"
    if problem := _problem_of(name):
        return problem
    with transaction.atomic():
        if queries.saved_views().of(by).count() >= MOST_OWN:
            return f"you have {MOST_OWN} views: delete one of them first"
        try:
            with transaction.atomic():
                SavedView.objects.create(
                    owner=by, name=_plain(name), is_shared=is_shared, kind=asked.kind, site_id=asked.site,
                    rule_id=asked.rule, age=asked.age, words=asked.q,
                )  # fmt: skip
        except IntegrityError:
            return "you have a view of that name: give it another one"
    return ""


def change(view: SavedView, *, name: str, is_shared: bool) -> str:
    """Give a view another name, share it or no longer; returns why not, or nothing."""
    if problem := _problem_of(name):
        return problem
    try:
        with transaction.atomic():
            SavedView.objects.filter(pk=view.pk).update(name=_plain(name), is_shared=is_shared)
    except IntegrityError:
        return "you have a view of that name: give it another one"
    return ""


def _plain(name: str) -> str:
    return " ".join(name.replace("\0", "").split())


def _problem_of(name: str) -> str:
    if not _plain(name):
        return "give it a name"
    return f"a name has at most {MOST_NAME} characters" if len(_plain(name)) > MOST_NAME else ""


def _back(request: HttpRequest, asked: Asked, problem: str, said: str) -> HttpResponse:
    if problem:
        messages.error(request, f"{capfirst(problem)}.")
    else:
        messages.success(request, f"{said}.")
    return HttpResponseRedirect(f"{reverse('admin:queue')}?{asked.query}")


class SavedViews:
    """What the forms beside the filters are sent to, on one admin site."""

    def __init__(self, site: AdminSite) -> None:
        self.site = site

    def urls(self) -> list[URLPattern]:
        guarded = self.site.admin_view
        return [
            path("queue/views/", guarded(self.save), name="queue-views"),
            path("queue/views/<int:pk>/", guarded(self.settle), name="queue-view"),
        ]

    def save(self, request: HttpRequest) -> HttpResponse:
        """Keep what the form's hidden fields say under the name that was typed."""
        if request.method != "POST" or not kinds_for(request.user):
            raise PermissionDenied
        asked, name = Asked.of(request.POST), request.POST.get("name", "")
        problem = keep(asked, name=name, is_shared=bool(request.POST.get("shared")), by=request.user)
        return _back(request, asked, problem, f"Kept as “{_plain(name)}”")

    def settle(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Rename or share a view, or delete it: its owner, and an administrator what others share."""
        if request.method != "POST" or not kinds_for(request.user):
            raise PermissionDenied
        view = queries.saved_views().filter(pk=pk).first()
        is_own = view is not None and view.owner_id == request.user.pk
        if view is None or not (is_own or (view.is_shared and request.user.has_perm(REMOVE))):
            raise PermissionDenied
        asked = Asked.kept_in(view)
        if "delete" in request.POST:
            view.delete()
            return _back(request, asked, "", f"“{view.name}” is deleted")
        if not is_own:
            raise PermissionDenied
        name = request.POST.get("name", "")
        problem = change(view, name=name, is_shared=bool(request.POST.get("shared")))
        return _back(request, asked, problem, f"Kept as “{_plain(name)}”")
