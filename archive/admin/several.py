"""One decision on many: what is chosen in the queue, and how far any decision on many is and what came of it."""

from __future__ import annotations

from collections import Counter
from typing import Any

from django.contrib.admin import AdminSite
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse

from archive import bulk, queries
from archive.admin.cards import KINDS
from archive.admin.moderation import MOST_LISTED, USUAL_REASONS, ReasonForm, led_to, target_url
from archive.admin.narrowing import PER_PAGE, Asked, matching
from archive.admin.queue import SAID, remember, rows_of
from archive.admin.sources import WORKER_COMMAND, a_worker_is_alive
from archive.models import Bulk, Decision
from archive.views.paging import number

PREVIEWED = 20
MOST_UNDER_WAY = 10  # that the desk names
DOING = {
    Decision.Action.HIDE: ("Hiding", "hidden"),
    Decision.Action.RESTORE: ("Restoring", "restored"),
    Decision.Action.APPROVE: ("Approving", "approved"),
    Decision.Action.HOLD: ("Holding", "held"),
    Decision.Action.SPAM: ("Marking as spam", "marked as spam"),
    Decision.Action.UNDO: ("Undoing a decision on", "given their earlier state back"),
}


class Several:
    """The pages, on one admin site."""

    def __init__(self, site: AdminSite) -> None:
        self.site = site

    def urls(self) -> list[URLPattern]:
        return [
            path("queue/several/", self.site.admin_view(self.decide), name="queue-several"),
            path("bulk/<int:pk>/", self.site.admin_view(self.one), name="bulk"),
        ]

    def decide(self, request: HttpRequest) -> HttpResponse:
        """First what was chosen, or all that the filter leaves, and what to do; sent from there, that is begun."""
        if not queries.may_moderate(request.user):
            raise PermissionDenied
        given = request.POST if request.method == "POST" else request.GET
        asked = Asked.of(given)
        rows = matching(asked, request.user).filter(comment_id__isnull=False)
        if not given.get("all"):
            rows = rows.filter(
                pk__in=[pk for one in given.getlist("chosen")[:PER_PAGE] if (pk := number(one)) is not None]
            )
        found = list(rows.values_list("kind", "article_id", "comment_id")[: bulk.MOST + 1])
        problem = _not_at_once(len(found))
        form = ReasonForm(request.POST if request.method == "POST" else None)
        action = request.POST.get("action", "")
        if action in SAID and not problem and form.is_valid():
            return self._begun(request, {(article, comment) for _, article, comment in found}, action, form)
        first = [] if problem else list(rows.select_related("claimed_by")[:PREVIEWED])
        context = {
            **self.site.each_context(request),
            "title": "Decide on several",
            "problem": problem,
            "asked": asked,
            "all": given.get("all", ""),
            "count": len({comment for _, _, comment in found}),
            "kinds": [(KINDS[name], n) for name, n in Counter(kind for kind, _, _ in found).most_common()],
            "rows": rows_of(first, "", request.user),
            "chosen": [] if given.get("all") else rows.values_list("pk", flat=True),
            "seen": number(given.get("seen", "")) or queries.decisions().last_number(),
            "form": form,
            "usual_reasons": USUAL_REASONS,
        }
        return TemplateResponse(
            request, "admin/archive/queue/several.html", context, status=422 if form.errors else 200
        )

    def _begun(self, request: HttpRequest, pairs: set[Any], action: str, form: ReasonForm) -> HttpResponse:
        reason, seen = form.cleaned_data["reason"], number(request.POST.get("seen", "")) or 0
        by: Any = request.user
        begun = bulk.decide(pairs, action=action, by=by, reason=reason, seen=seen)
        if isinstance(begun, Bulk) and begun.decision_id and begun.finished_at:  # what is small enough for one key
            remember(request, begun.decision_id, reason if action == Decision.Action.HIDE else "")
        return led_to(request, begun, reverse("admin:queue"))

    def one(self, request: HttpRequest, pk: int) -> HttpResponse:
        """How far a decision on many is, and what came of it: for who asked for it and who moderates every site."""
        found = Bulk.objects.select_related("asked_by").defer("article_ids", "ids").filter(pk=pk).first()
        may = found and (found.asked_by_id == request.user.pk or queries.moderates_everywhere(request.user))
        if found is None or not may or not queries.may_moderate(request.user):
            raise Http404
        if request.method == "POST":
            bulk.stop(pk)
            return HttpResponseRedirect(found.get_absolute_url())
        if "application/json" in request.headers.get("Accept", ""):
            return JsonResponse({"done": found.done, "changed": found.changed, "finished": bool(found.finished_at)})
        is_running = found.finished_at is None
        context = {
            **self.site.each_context(request),
            "title": doing(found) if is_running else "What was decided",
            "bulk": found,
            "done": DOING[Decision.Action(found.action)][1],
            "is_running": is_running,
            "was_stopped": not is_running and found.done < found.total,
            "no_worker": is_running and not a_worker_is_alive(),
            "worker_command": WORKER_COMMAND,
            **(_came_of(found) if not is_running else {}),
        }
        return TemplateResponse(request, "admin/archive/bulk.html", context)


def doing(found: Bulk) -> str:
    return f"{DOING[Decision.Action(found.action)][0]} {found.total:,} comment{'' if found.total == 1 else 's'}"


def under_way(user: Any) -> list[tuple[Bulk, str]]:
    """What is being carried out, and what to call it: the person's own, and all to who moderates every site."""
    running = Bulk.objects.filter(finished_at=None).defer("article_ids", "ids").order_by("-pk")
    if not queries.moderates_everywhere(user):
        running = running.filter(asked_by=user)
    return [(found, doing(found)) for found in running[:MOST_UNDER_WAY]]


def _came_of(found: Bulk) -> dict[str, Any]:
    """What changed and what did not, each up to a limit; whether the decision was undone since."""
    parts = queries.decisions().filter(parent_id=found.decision_id or 0).order_by("pk")[:MOST_LISTED]
    undone = queries.decisions().filter(undoes_id=found.decision_id or 0).values_list("pk", flat=True).first()
    kept = [(name, pk, why, _address(name, pk)) for name, pk, why in found.problems]
    return {"parts": [(part, target_url(part)) for part in parts], "kept": kept, "undone_by": undone}


def _address(name: str, pk: int | None) -> str:
    return reverse(f"admin:archive_{name}_change", args=[pk]) if name else ""


def _not_at_once(count: int) -> str:
    if not count:
        return "Nothing that waits was chosen. Choose some in the list, or narrow it to what you mean."
    return f"More than {bulk.MOST:,} match. Narrow the list first." if count > bulk.MOST else ""
