"""The pages on which moderators write rules, try them on the archive, and switch them on."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.admin import AdminSite
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.text import capfirst

from archive import bulk, moderation, queries, rules
from archive.admin.queue import marked
from archive.models import Bulk, Comment, Rule, RuleVersion, Trial, TrialHit
from archive.views.paging import number

HITS_PER_PAGE = 50
AROUND = 160  # code points around the first match that a list of hits shows
MOST_VERSIONS = 20

type Said = rules.Problem | moderation.Problem | Bulk | str


class RuleForm(forms.ModelForm):  # type: ignore[type-arg]
    """What is looked for, where, and what is then done. Whether it can be used is for ``rules`` to say."""

    class Meta:
        model = Rule
        fields = ("name", "site", "kind", "body", "most", "action")
        widgets = {
            "kind": forms.RadioSelect,
            "action": forms.RadioSelect,
            "body": forms.Textarea(attrs={"rows": 8, "spellcheck": "false"}),
        }
        labels = {
            "site": "Where",
            "kind": "Looks for",
            "body": "Words or pattern",
            "most": "How many are still all right",
            "action": "What is done",
        }
        help_texts = {
            "body": "Words: one a line, in any case, as whole words; a star at the end stands for the rest of a word. "
            "A pattern is a regular expression as RE2 takes it.",
            "most": "For links and repeated text: hit is what has more.",
            "action": "Covered words are given back when that is undone. Only words and patterns can be covered.",
        }

    def __init__(self, data: Any, *, instance: Rule) -> None:
        super().__init__(data, instance=instance, label_suffix="")
        site: Any = self.fields["site"]
        site.empty_label = "all sites"
        kind: Any = self.fields["kind"]
        action: Any = self.fields["action"]
        kind.choices, action.choices = Rule.Kind.choices, Rule.Action.choices
        self.fields["most"].required = False

    def clean_most(self) -> int:
        return self.cleaned_data.get("most") or 0


class Rules:
    """The pages, on one admin site."""

    def __init__(self, site: AdminSite) -> None:
        self.site = site

    def urls(self) -> list[URLPattern]:
        guarded = self.site.admin_view
        return [
            path("rules/", guarded(self.listed), name="rules"),
            path("rules/new/", guarded(self.one), name="rule-new"),
            path("rules/<int:pk>/", guarded(self.one), name="rule"),
            path("rules/<int:pk>/hits/", guarded(self.hits), name="rule-hits"),
        ]

    def listed(self, request: HttpRequest) -> HttpResponse:
        self._check(request)
        found = list(Rule.objects.select_related("site"))
        return self._page(request, "list.html", title="Rules", rules=found)

    def one(self, request: HttpRequest, pk: int | None = None) -> HttpResponse:
        """A rule with its form, its last trial and its versions; sent, one of its buttons."""
        self._check(request)
        rule = self._rule(pk) if pk else Rule(kind=Rule.Kind.WORDS, action=Rule.Action.HOLD)
        act = request.POST.get("act", "") if request.method == "POST" else ""
        form = RuleForm(request.POST if act == "save" else None, instance=rule)
        if act == "save" and form.is_valid():
            by: Any = request.user
            if problem := rules.save(form.instance, by=by):
                form.add_error(None, f"{capfirst(problem.why)}.")
            else:
                messages.success(request, "Kept. Now try it on the archive.")
                return self._back(form.instance.pk)
        elif act and act != "save" and pk:
            return self._act(request, rule, act)
        status = 422 if form.errors else 200
        return self._page(request, "rule.html", status=status, form=form, **self._about(pk))

    def _about(self, pk: int | None) -> dict[str, Any]:
        if pk is None:
            return {"title": "New rule", "rule": None}
        rule = self._rule(pk)
        trial = Trial.objects.filter(rule=rule, version=rule.version).first()
        versions = RuleVersion.objects.filter(rule=rule).order_by("-number")[:MOST_VERSIONS]
        known = {"title": rule.name, "rule": rule, "trial": trial, "versions": versions}
        return {**known, "most_at_once": rules.MAX_HITS, "covered": rules.covered(rule)}

    def _act(self, request: HttpRequest, rule: Rule, act: str) -> HttpResponse:
        by: Any = request.user
        match act:
            case "try":
                rules.start_trial(rule)
                said: rules.Problem | moderation.Problem | Bulk | str = (
                    "A worker tries it now. Reload this page to see how far it is."
                )
            case "on" | "off":
                said = rules.switch(rule, on=act == "on", by=by) or f"Switched {act}."
            case "off-and-back":
                said = (
                    rules.switch(rule, on=False, by=by, give_back=True)
                    or "Switched off. A worker gives the words back."
                )
            case "back":
                said = rules.give_back_later(rule, by=by) or "A worker gives the words back."
            case "apply":
                said = self._applied(request, rule)
            case _:
                raise Http404
        if isinstance(said, Bulk):
            return HttpResponseRedirect(said.get_absolute_url())
        if isinstance(said, rules.Problem | moderation.Problem):
            messages.error(request, f"{capfirst(said.why)}.")
        else:
            messages.success(request, said)
        return self._back(rule.pk)

    def _applied(self, request: HttpRequest, rule: Rule) -> Said:
        trial = rules.tried(rule)
        if trial is None:
            return rules.Problem("try it first")
        if rule.action == Rule.Action.MASK:
            return rules.mask_later(trial) or "A worker covers the words now. Reload this page to see when it is done."
        by: Any = request.user
        return bulk.decide_hits(trial.pk, by=by)

    def hits(self, request: HttpRequest, pk: int) -> HttpResponse:
        """What the last trial of a rule hit, page by page, each with the words around the match."""
        self._check(request)
        rule = self._rule(pk)
        trial = Trial.objects.filter(rule=rule, version=rule.version).first()
        if trial is None:
            raise Http404
        after = number(request.GET.get("after", "")) or 0
        found = list(TrialHit.objects.filter(trial=trial, pk__gt=after).order_by("pk")[: HITS_PER_PAGE + 1])
        more = found[HITS_PER_PAGE - 1].pk if len(found) > HITS_PER_PAGE else None
        found = found[:HITS_PER_PAGE]
        texts = queries.comments().filter(
            article_id__in={h.article_id for h in found}, pk__in=[h.comment_id for h in found]
        )
        comments = {comment.pk: comment for comment in texts.defer("html")}
        shown = [
            (comments[hit.comment_id], _around(comments[hit.comment_id], hit))
            for hit in found
            if hit.comment_id in comments
        ]
        title = f"What “{rule.name}” would {'cover' if rule.action == Rule.Action.MASK else 'hit'}"
        return self._page(request, "hits.html", title=title, rule=rule, trial=trial, shown=shown, more=more)

    def _check(self, request: HttpRequest) -> None:
        if not queries.moderates_everywhere(request.user):  # a rule may be for all sites
            raise PermissionDenied

    def _rule(self, pk: int) -> Rule:
        found = Rule.objects.select_related("site").filter(pk=pk).first()
        if found is None:
            raise Http404
        return found

    def _back(self, pk: int) -> HttpResponse:
        return HttpResponseRedirect(reverse("admin:rule", args=[pk]))

    def _page(self, request: HttpRequest, template: str, status: int = 200, **context: Any) -> HttpResponse:
        shared = self.site.each_context(request)
        return TemplateResponse(request, f"admin/archive/rule/{template}", {**shared, **context}, status=status)


def _around(comment: Comment, hit: TrialHit) -> str:
    first = hit.at[0][0] if hit.at else 0
    start = max(0, first - AROUND // 2)
    part = comment.body[start : start + 2 * AROUND]
    inside = [(max(0, a - start), b - start) for a, b in hit.at if a >= start and b - start <= len(part)]
    return marked(part, inside)
