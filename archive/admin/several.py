"""One decision on many cards of the queue: those that were chosen, or all that a filter leaves."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from typing import Any

from django.contrib.admin import AdminSite
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path

from archive import moderation, queries
from archive.admin.cards import KINDS
from archive.admin.moderation import USUAL_REASONS, ReasonForm, outcomes
from archive.admin.narrowing import PER_PAGE, Asked, matching, number
from archive.admin.queue import SAID, remember, rows_of
from archive.models import Comment, Decision, Waiting

MOST_AT_ONCE = 10_000  # cards that are decided on together
PREVIEWED = 20


class Several:
    """The pages, on one admin site."""

    def __init__(self, site: AdminSite) -> None:
        self.site = site

    def urls(self) -> list[URLPattern]:
        return [path("queue/several/", self.site.admin_view(self.decide), name="queue-several")]

    def decide(self, request: HttpRequest) -> HttpResponse:
        """First what was chosen, or all that the filter leaves, and what to do; sent from there, what came of it."""
        if not queries.may_moderate(request.user):
            raise PermissionDenied
        given = request.POST if request.method == "POST" else request.GET
        asked = Asked.of(given)
        rows = matching(asked, request.user).filter(comment_id__isnull=False)
        if not given.get("all"):
            rows = rows.filter(
                pk__in=[pk for one in given.getlist("chosen")[:PER_PAGE] if (pk := number(one)) is not None]
            )
        items = list(rows.select_related("claimed_by")[: MOST_AT_ONCE + 1])
        problem = _not_at_once(items)
        form = ReasonForm(request.POST if request.method == "POST" else None)
        action = request.POST.get("action", "")
        if action in SAID and not problem and form.is_valid():
            return self._decided(request, items, action, form.cleaned_data["reason"])
        context = {
            **self.site.each_context(request),
            "title": "Decide on several",
            "problem": problem,
            "asked": asked,
            "all": given.get("all", ""),
            "count": len(items),
            "kinds": [(KINDS[name], n) for name, n in Counter(item.kind for item in items).most_common()],
            "rows": rows_of(items[:PREVIEWED], "", request.user),
            "chosen": [] if given.get("all") else [item.pk for item in items],
            "seen": number(given.get("seen", "")) or queries.decisions().last_number(),
            "form": form,
            "usual_reasons": USUAL_REASONS,
        }
        return TemplateResponse(
            request, "admin/archive/queue/several.html", context, status=422 if form.errors else 200
        )

    def _decided(self, request: HttpRequest, items: Sequence[Waiting], action: str, reason: str) -> HttpResponse:
        chosen: dict[int, list[int]] = defaultdict(list)
        for item in items:
            chosen[item.article_id or 0].append(item.comment_id or 0)
        seen = moderation.Seen(number(request.POST.get("seen", "")) or 0)
        by: Any = request.user
        result = moderation.decide_many(chosen, action=action, by=by, reason=reason, seen=seen)
        if result.decision:
            remember(request, result.decision.pk, reason if action == Decision.Action.HIDE else "")
        context = {
            **self.site.each_context(request),
            "opts": Comment._meta,
            "title": "What was decided",
            "done": SAID[Decision.Action(action)].lower(),
            **outcomes(result),
        }
        return TemplateResponse(request, "admin/archive/decided.html", context)


def _not_at_once(items: Sequence[Waiting]) -> str:
    if not items:
        return "Nothing that waits was chosen. Choose some in the list, or narrow it to what you mean."
    if len(items) > MOST_AT_ONCE:
        return f"More than {MOST_AT_ONCE:,} match. Narrow the list first."
    return ""
