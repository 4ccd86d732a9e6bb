"""The moderator's workplace: deciding with a reason, the log of all decisions, undo, readers' reports."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, StreamingHttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.text import capfirst

from archive import bulk, decision_log, masks, moderation, queries
from archive.admin.site import Workplace, moment, workplace
from archive.models import Article, Bulk, Comment, Decision, Report
from archive.views.log import did

MOST_LISTED = 200  # history entries, parts of a bulk decision, or results that one page names
USUAL_REASONS = ("names a private person", "insult", "spam", "off topic", "asked for by its author", "decided too fast")


class ReasonForm(forms.Form):
    """Why. It goes into the log, where everyone who may read the log sees it."""

    reason = forms.CharField(
        max_length=moderation.MAX_REASON,
        widget=forms.TextInput(attrs={"list": "usual-reasons", "autocomplete": "off"}),
        help_text="Goes into the log, where others read it. Do not repeat what is to be hidden.",
    )

    def __init__(self, data: Any = None, *, required: bool = True) -> None:
        super().__init__(data, label_suffix="")
        self.fields["reason"].required = required
        self.fields["reason"].label = "Reason" if required else "Reason (optional)"


class Line:
    """A decision as a sentence, with where it leads."""

    def __init__(self, decision: Decision, *, undone_by: int | None = None) -> None:
        self.decision = decision
        self.undone_by = undone_by
        self.url = reverse("admin:archive_decision_change", args=[decision.pk])
        self.target_url = target_url(decision)

    def __str__(self) -> str:
        return f"{self.decision.actor_name} {did(self.decision)}"


def target_url(decision: Decision) -> str:
    if decision.target_id is None or decision.target == decision_log.REASON:
        return ""
    if decision.target == moderation.RULE:
        return reverse("admin:rule", args=[decision.target_id])
    return page_of(decision.target, decision.target_id)


def page_of(target: str, pk: int) -> str:
    """Where the workplace shows what was decided on."""
    of_comment = dict.fromkeys((moderation.WORDS, moderation.INFERENCE), "comment")
    model = {moderation.STRUCTURE: "article", **of_comment}.get(target, target)
    return reverse(f"admin:archive_{model}_change", args=[pk])


def lines(decisions: Iterable[Decision]) -> list[Line]:
    """The decisions as sentences; one query finds which of them were undone."""
    found = list(decisions)
    undoings = queries.decisions().filter(undoes_id__in=[entry.pk for entry in found]).order_by("pk")
    undone = dict(undoings.values_list("undoes_id", "pk"))
    return [Line(entry, undone_by=undone.get(entry.pk)) for entry in found]


def undo_link(decision: Decision) -> SafeString:
    return format_html('<a href="{}">Undo</a>', reverse("admin:archive_decision_undo", args=[decision.pk]))


def announce(request: HttpRequest, result: moderation.Result, done: str) -> None:
    """Say on the next page what was done, with a way back, and what was not."""
    if result.decision:
        messages.success(request, format_html("{} {}", done, undo_link(result.decision)))
    for problem in result.problems:
        messages.warning(request, f"{capfirst(problem.why)}.")


def led_to(request: HttpRequest, begun: Bulk | moderation.Problem, back: str) -> HttpResponse:
    """To the page of what was asked for, or back with why not."""
    if isinstance(begun, Bulk):
        return HttpResponseRedirect(begun.get_absolute_url())
    messages.error(request, f"{capfirst(begun.why)}.")
    return HttpResponseRedirect(back)


class Moderated[M: (Article, Comment)](Workplace[M]):
    """Pages of what can be hidden and restored: its text, its history, and a form that decides."""

    change_form_template = "admin/archive/moderated.html"

    def get_urls(self) -> list[URLPattern]:
        name = f"archive_{self.opts.model_name}_decide"
        return [path("<int:pk>/decide/", self.admin_site.admin_view(self.decide_view), name=name), *super().get_urls()]

    def explain(self, obj: M) -> dict[str, Any]:
        """What the page says about ``obj`` besides its history: ``heading``, ``text``, ``facts``, ``links``."""
        raise NotImplementedError

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        obj = self.get_object(request, object_id) if object_id.isdecimal() else None
        if not self.has_view_permission(request, obj):
            raise PermissionDenied
        if obj is None:
            raise Http404
        return self.page(request, obj, ReasonForm())

    def page(self, request: HttpRequest, obj: M, form: ReasonForm, status: int = 200) -> HttpResponse:
        key = moderation.key_of(obj)
        history = queries.decisions().about(target=key.target, article_id=key.article_id, target_id=key.target_id)
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": str(obj),
            "original": obj,
            "kind": key.target,
            "is_hidden": obj.status != "published",
            "history": lines(history.order_by("-pk")[:MOST_LISTED]),
            "action": self.possible_action(obj) if queries.may_moderate(request.user, site_of(obj)) else "",
            "decide_url": reverse(f"admin:archive_{self.opts.model_name}_decide", args=[obj.pk]),
            "form": form,
            "usual_reasons": USUAL_REASONS,
            **self.explain(obj),
        }
        return TemplateResponse(request, str(self.change_form_template), context, status=status)

    def possible_action(self, obj: M) -> str:
        """The one decision that makes sense now, or nothing."""
        target = moderation.key_of(obj).target
        for action in (Decision.Action.HIDE, Decision.Action.RESTORE):
            if obj.status in moderation.TRANSITIONS[target, action][0]:
                return str(action)
        return ""

    def decide_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        obj = self.get_object(request, str(pk))
        if not queries.may_moderate(request.user, site_of(obj) if obj else None):
            raise PermissionDenied
        action = request.POST.get("action")
        if obj is None or request.method != "POST" or action not in {"hide", "restore"}:
            raise Http404
        form = ReasonForm(request.POST)
        if not form.is_valid():
            return self.page(request, obj, form, status=422)
        decide = moderation.hide if action == "hide" else moderation.restore
        by: Any = request.user
        result = decide(obj, by=by, reason=form.cleaned_data["reason"])
        announce(request, result, "Hidden." if action == "hide" else "Restored.")
        return HttpResponseRedirect(reverse(f"admin:archive_{self.opts.model_name}_change", args=[pk]))


def site_of(target: Article | Comment) -> int:
    return target.site_id if isinstance(target, Article) else target.article.site_id


class WhenFilter(admin.DateFieldListFilter):
    """By time, under a title that reads."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.title = "time"


@workplace(Decision)
class DecisionAdmin(Workplace[Decision]):
    """The log. Nothing in it can be changed; a decision is undone by another decision."""

    list_display = ("sentence", "when", "states", "why")
    list_display_links = ("sentence",)
    change_list_template = "admin/archive/decision/change_list.html"
    list_filter = ("action", "target", "cause", ("at", WhenFilter))
    search_fields = ("=actor_name", "=target_id", "=article_id")
    search_help_text = "The number of a comment or article, or a moderator's user name"
    ordering = ("-id",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Decision]:
        return queries.decisions().visible_to(request.user)

    def get_search_results(self, request: HttpRequest, queryset: Any, search_term: str) -> tuple[Any, bool]:
        term = search_term.strip()
        if not term:
            return queryset, False
        if term.isdecimal() and len(term) < 19:
            number = int(term)
            return queryset.filter(target_id=number) | queryset.filter(article_id=number), False
        return queryset.filter(actor_name__iexact=term), False

    @admin.display(description="decision")
    def sentence(self, entry: Decision) -> str:
        return str(Line(entry))

    @admin.display(description="when")
    def when(self, entry: Decision) -> str:
        return moment(entry.at)

    @admin.display(description="reason")
    def why(self, entry: Decision) -> str:
        return entry.why

    @admin.display(description="change")
    def states(self, entry: Decision) -> str:
        return f"{entry.from_state} → {entry.to_state}" if entry.from_state else entry.to_state

    def get_urls(self) -> list[URLPattern]:
        guarded = self.admin_site.admin_view
        return [
            path("<int:pk>/undo/", guarded(self.undo_view), name="archive_decision_undo"),
            path("export/", guarded(self.export_view), name="archive_decision_export"),
            *super().get_urls(),
        ]

    def export_view(self, request: HttpRequest) -> StreamingHttpResponse:
        """What the list is narrowed down to, the newest first, as ``manage.py export_log`` writes it."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        found = self.get_changelist_instance(request).get_queryset(request).iterator(chunk_size=2_000)
        marks = masks.of_all_cases()
        lines = (json.dumps(decision_log.as_exported(entry, marks), sort_keys=True) + "\n" for entry in found)
        disposition = {"Content-Disposition": 'attachment; filename="decisions.jsonl"'}
        return StreamingHttpResponse(lines, content_type="application/jsonl", headers=disposition)

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        if not self.has_view_permission(request):
            raise PermissionDenied
        entry = self.get_object(request, object_id) if object_id.isdecimal() else None
        if entry is None:
            raise Http404
        return TemplateResponse(request, "admin/archive/decision/change_form.html", self.about(request, entry))

    def about(self, request: HttpRequest, entry: Decision) -> dict[str, Any]:
        parts = queries.decisions().filter(parent_id=entry.pk).order_by("pk")
        (line,) = lines([entry])
        return {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": f"Decision {entry.pk}",
            "line": line,
            "entry": entry,
            "parts": [Line(part) for part in parts[:MOST_LISTED]] if entry.target_id is None else [],
            "part_count": parts.count() if entry.target_id is None else 0,
            "carried_out": Bulk.objects.filter(decision_id=entry.pk).defer("article_ids", "ids").first(),
            "may_undo": queries.may_undo(request.user, entry)
            and line.undone_by is None
            and moderation.undo_problem(entry) is None,
        }

    def undo_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        if not self.has_moderate_permission(request):
            raise PermissionDenied
        entry = queries.decisions().filter(pk=pk).first()
        if entry is None or not queries.may_undo(request.user, entry):
            raise Http404
        form = ReasonForm(request.POST or None, required=False)
        context = {**self.about(request, entry), "title": f"Undo decision {pk}", "form": form}
        context["usual_reasons"] = USUAL_REASONS
        if request.method != "POST" or not form.is_valid():
            return TemplateResponse(request, "admin/archive/decision/undo.html", context)
        by: Any = request.user
        reason = form.cleaned_data["reason"]
        if entry.target_id is None and entry.target == moderation.COMMENT:
            back = reverse("admin:archive_decision_change", args=[pk])
            return led_to(request, bulk.undo(entry, by=by, reason=reason), back)
        result = moderation.undo(entry, by=by, reason=reason)
        announce(request, result, f"Undone: {len(result.changed):,} changed back.")
        shown = result.decision.pk if result.decision else pk
        return HttpResponseRedirect(reverse("admin:archive_decision_change", args=[shown]))


class OpenFilter(admin.SimpleListFilter):
    title = "outcome"
    parameter_name = "outcome"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Sequence[tuple[str, str]]:
        return [("open", "waiting"), ("done", "with an outcome")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Report]) -> QuerySet[Report]:
        if self.value() == "open":
            return queryset.filter(outcome="")
        return queryset.exclude(outcome="") if self.value() == "done" else queryset


@workplace(Report)
class ReportAdmin(Workplace[Report]):
    """What readers flagged, with the text as it stood then. A moderator writes down what came of it."""

    list_display = ("reason", "when", "outcome")
    list_filter = (OpenFilter, "created_at")
    ordering = ("-id",)
    fields = ("when", "place", "reason", "snapshot", "outcome")
    readonly_fields = ("when", "place", "reason", "snapshot")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Report]:
        """Those on sites that the person moderates: a report holds a text that may be hidden by now."""
        moderated = queries.sites_with(request.user, queries.MODERATE)
        found: QuerySet[Report] = super().get_queryset(request)
        if moderated is None:
            return found
        return found.filter(article_id__in=queries.articles().filter(site_id__in=moderated).values("pk"))

    @admin.display(description="received")
    def when(self, report: Report) -> str:
        return moment(report.created_at)

    @admin.display(description="about")
    def place(self, report: Report) -> SafeString:
        target, pk = ("comment", report.comment_id) if report.comment_id else ("article", report.article_id)
        url = reverse(f"admin:archive_{target}_change", args=[pk])
        return format_html('<a href="{}">{} {}</a>', url, target, pk)

    def has_change_permission(self, request: HttpRequest, obj: Report | None = None) -> bool:
        return bool(request.user.has_perm("archive.change_report"))
