"""Cases: what was asked, what it is about, what has been done, and the next step."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from allauth.account.decorators import reauthentication_required
from django import forms
from django.conf import settings
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import F
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.text import capfirst

from archive import cases, masks, queries, scope
from archive.admin.articles import MAX_DIGITS
from archive.admin.moderation import lines
from archive.admin.site import Workplace, badge, workplace
from archive.models import Case, CaseNote, Entity, Site
from archive.scope import Scope

MOST_LISTED = 200  # notes and log entries that a page names
_COMMENT = re.compile(r"/c/([0-9]{1,18})\b|(?:^|[\s,])([0-9]{1,18})(?=[\s,]|$)")
_ARTICLE = re.compile(r"/a/([0-9]{1,18})\b|(?:^|[\s,])([0-9]{1,18})(?=[\s,]|$)")
_ENTITY = re.compile(r"(?:.*/entity/)?([0-9]{1,18})(?:/.*)?")


class RequestForm(forms.ModelForm):  # type: ignore[type-arg]
    """Who asks for what, why, and until when."""

    class Meta:
        model = Case
        fields = ("kind", "requester", "contact", "basis", "deadline")
        labels = {"kind": "What is asked for", "requester": "Who asks", "basis": "Why", "deadline": "To be answered by"}
        widgets = {
            "kind": forms.RadioSelect(),
            "basis": forms.Textarea(attrs={"rows": 3}),
            "requester": forms.TextInput(attrs={"autocomplete": "off"}),
            "contact": forms.TextInput(attrs={"autocomplete": "off"}),
            "deadline": forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        }
        help_texts = {
            "requester": "A name, or a role. Only who works on cases sees it.",
            "contact": "Where an answer reaches them.",
            "basis": "A law, a contract, a wish: in a sentence or two.",
            "deadline": "",
        }

    def __init__(self, data: Any = None, **kwargs: Any) -> None:
        super().__init__(data, **kwargs)
        self.label_suffix = ""
        self.fields["kind"].choices = Case.Kind.choices  # type: ignore[attr-defined]


class ScopeForm(forms.Form):
    """What a case is about: conditions that narrow each other, comments that are added, and words to be masked."""

    query = forms.CharField(label="Comments that a search finds", required=False, max_length=500)
    author = forms.CharField(label="Comments under the name", required=False, max_length=500)
    site = forms.ModelChoiceField(Site.objects.none(), label="On the site", required=False, empty_label="any site")
    entity = forms.CharField(
        label="Comments that mention",
        required=False,
        max_length=500,
        help_text="A person, organisation or place: its name, or the address of its page.",
    )
    articles = forms.CharField(
        label="Comments under the articles",
        required=False,
        max_length=5_000,
        help_text="Addresses or numbers.",
    )
    comments = forms.CharField(
        label="And these comments",
        required=False,
        max_length=50_000,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text="Addresses or numbers: added to what the conditions above find.",
    )
    texts = forms.CharField(
        label="And these articles themselves",
        required=False,
        max_length=5_000,
        help_text="Addresses or numbers: their title, byline and text. The comments under them stay.",
    )
    words = forms.CharField(
        label="Words to mask",
        required=False,
        max_length=cases.MAX_WORDS * (cases.MAX_WORD + 2),
        widget=forms.Textarea(attrs={"rows": 3, "spellcheck": "false"}),
        help_text="A name or an address a line. Masked, or erased, wherever they are said as whole words.",
    )

    def __init__(self, data: Any = None, *, initial: dict[str, Any]) -> None:
        super().__init__(data, initial=initial, label_suffix="")
        self.fields["site"].queryset = queries.sites()  # type: ignore[attr-defined]
        for name in ("query", "author", "entity", "articles", "texts"):
            self.fields[name].widget.attrs["autocomplete"] = "off"

    def clean_entity(self) -> int | None:
        said = self.cleaned_data["entity"].strip()
        if not said:
            return None
        number = _ENTITY.fullmatch(said)
        rows = Entity.objects.filter(pk=int(number[1])) if number else Entity.objects.filter(name__iexact=said)
        entity = rows.order_by("-mention_count", "pk").first()
        if entity is None:
            raise forms.ValidationError("Nothing of this name is known here: copy the address of its page.")
        return entity.pk

    def clean_articles(self) -> list[int]:
        return self.numbers(_ARTICLE, "articles", queries.articles())

    def clean_texts(self) -> list[int]:
        return self.numbers(_ARTICLE, "texts", queries.articles().filter(is_erased=False))

    def clean_comments(self) -> list[int]:
        return self.numbers(_COMMENT, "comments", queries.comments())

    def numbers(self, pattern: re.Pattern[str], name: str, rows: Any) -> list[int]:
        said = self.cleaned_data[name]
        wanted = {int(one or other) for one, other in pattern.findall(said)}
        known = set(rows.filter(pk__in=wanted).values_list("pk", flat=True))
        if missing := sorted(wanted - known)[:5] or (said.strip() and not wanted):
            named = ", ".join(map(str, missing)) if isinstance(missing, list) else "this"
            raise forms.ValidationError(f"Not found: {named}.")
        return sorted(known)

    def scope(self, before: Scope) -> Scope:
        """What was said, with what was taken out by hand so far."""
        said = self.cleaned_data
        site = said["site"].pk if said["site"] else None
        return Scope(
            said["query"].strip(),
            said["entity"],
            site,
            said["author"].strip(),
            said["articles"],
            said["comments"],
            before.left_out,
            before.found,
            said["texts"],
        )

    def said_words(self) -> list[str]:
        return [word.strip() for word in self.cleaned_data["words"].splitlines() if word.strip()]


def said_before(case: Case) -> dict[str, Any]:
    """What the scope's form shows."""
    known = Scope.of(case)
    return {
        "query": known.query,
        "author": known.author,
        "site": known.site,
        "entity": known.entity or "",
        "articles": ", ".join(map(str, known.articles)),
        "comments": ", ".join(map(str, known.comments)),
        "texts": ", ".join(map(str, known.texts)),
        "words": "\n".join(case.words),
    }


type Step = Callable[[HttpRequest, Case], str]


def _hold(request: HttpRequest, case: Case) -> str:
    by: Any = request.user
    return cases.hold(case, by=by, with_quotes="with_quotes" in request.POST)[0]


def _note(request: HttpRequest, case: Case) -> str:
    by: Any = request.user
    return cases.note(case, by=by, text=request.POST.get("text", ""))


def _leave_out(request: HttpRequest, case: Case) -> str:
    by: Any = request.user
    return cases.leave_out(case, request.POST.get("key", ""), by=by, out=request.POST.get("out") == "1")


def _close(request: HttpRequest, case: Case) -> str:
    by: Any = request.user
    refused = request.POST.get("end") == "refused"
    return cases.close(case, by=by, refused=refused, outcome=request.POST.get("outcome", "").replace("\0", ""))


def _plain(step: Callable[..., str]) -> Step:
    return lambda request, case: step(case, by=request.user)


# What a button does, and what is said when it is done.
STEPS: dict[str, tuple[Step, str]] = {
    "note": (_note, "The note was added."),
    "leave_out": (_leave_out, ""),
    "hold": (_hold, "Held: readers see tombstones in their places."),
    "release": (_plain(cases.release), "Released: readers see them again."),
    "mask": (_plain(cases.mask), "A worker is masking the words."),
    "unmask": (_plain(cases.unmask), "A worker is giving the words back."),
    "call_off": (_plain(cases.call_off), "Called off: nothing will be erased."),
    "close": (_close, "The case is closed."),
}


@workplace(Case)
class CaseAdmin(Workplace[Case]):
    list_display = ("title", "state_badge", "due", "opened")
    list_filter = (("closed_at", admin.EmptyFieldListFilter), "state", "kind")
    search_fields = ("requester__istartswith",)
    search_help_text = "The number of a case, or the beginning of a requester’s name"
    ordering = (
        F("closed_at").desc(nulls_first=True),
        F("deadline").asc(nulls_last=True),
        "id",
    )

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).defer("scope", "words", "basis")

    def get_search_results(self, request: HttpRequest, queryset: Any, search_term: str) -> tuple[Any, bool]:
        term = search_term.strip()
        if term.isdecimal() and len(term) <= MAX_DIGITS:
            return queryset.filter(pk=int(term)), False
        return (queryset.filter(requester__istartswith=term) if term else queryset), False

    def has_view_permission(self, request: HttpRequest, obj: Case | None = None) -> bool:
        return super().has_view_permission(request, obj) and queries.moderates_everywhere(request.user)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.has_perm("archive.add_case")) and queries.moderates_everywhere(request.user)

    def may_work(self, request: HttpRequest) -> bool:
        return bool(request.user.has_perm("archive.change_case")) and queries.moderates_everywhere(request.user)

    @admin.display(description="case")
    def title(self, case: Case) -> str:
        return f"{case.pk}: {case.get_kind_display()} for {case.requester}"

    @admin.display(description="state")
    def state_badge(self, case: Case) -> SafeString:
        return badge(case.state, case.get_state_display())

    @admin.display(description="to be answered by")
    def due(self, case: Case) -> SafeString | str:
        if case.deadline is None:
            return "no deadline"
        day = f"{case.deadline:%-d %b %Y}"
        return format_html('<strong class="wrong">{}, overdue</strong>', day) if is_overdue(case) else day

    @admin.display(description="opened")
    def opened(self, case: Case) -> str:
        return f"{case.opened_at:%-d %b %Y}"

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view
        own = [
            path("<int:pk>/step/", view(self.step_view), name="archive_case_step"),
            path("<int:pk>/scope/", view(self.scope_view), name="archive_case_scope"),
            path("<int:pk>/request/", view(self.request_view), name="archive_case_request"),
            path("<int:pk>/erase/", view(self.erase_view), name="archive_case_erase"),
        ]
        return [*own, *super().get_urls()]

    def find(self, request: HttpRequest, pk: int) -> Case:
        if not self.may_work(request):
            raise PermissionDenied
        case = Case.objects.filter(pk=pk).first()
        if case is None:
            raise Http404
        return case

    def page(self, request: HttpRequest, name: str, title: str, status: int = 200, **context: Any) -> HttpResponse:
        known = {**self.admin_site.each_context(request), "opts": self.opts, "title": title, **context}
        return TemplateResponse(request, f"admin/archive/case/{name}.html", known, status=status)

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: Any = None) -> HttpResponse:
        if not self.has_add_permission(request):
            raise PermissionDenied
        form = RequestForm(request.POST or None, initial={"kind": Case.Kind.TAKEDOWN})
        if request.method == "POST" and form.is_valid():
            by: Any = request.user
            case = cases.open_case(by=by, **form.cleaned_data)
            return HttpResponseRedirect(reverse("admin:archive_case_scope", args=[case.pk]))
        return self.page(request, "request", "Open a case", 422 if form.errors else 200, form=form)

    def request_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        case = self.find(request, pk)
        form = RequestForm(request.POST or None, instance=case)
        if request.method == "POST" and form.is_valid():
            by: Any = request.user
            return self.done(request, case, cases.change(self.find(request, pk), by=by, **form.cleaned_data), "Saved.")
        return self.page(request, "request", f"Case {pk}", 422 if form.errors else 200, form=form, case=case)

    def scope_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        case = self.find(request, pk)
        form = ScopeForm(request.POST if request.method == "POST" else None, initial=said_before(case))
        if request.method == "POST" and form.is_valid():
            by: Any = request.user
            trouble = cases.set_scope(case, form.scope(Scope.of(case)), form.said_words(), by=by)
            if not trouble:
                return self.done(request, case, "", "This is what it finds.")
            form.add_error(None, capfirst(trouble) + ".")
        title = f"What case {pk} is about"
        return self.page(request, "scope", title, 422 if form.errors else 200, form=form, case=case)

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        if not self.has_view_permission(request):
            raise PermissionDenied
        number = object_id.isdecimal() and len(object_id) <= MAX_DIGITS
        case = Case.objects.filter(pk=int(object_id)).first() if number else None
        if case is None:
            raise Http404
        found = scope.members(case) if case.state not in cases.OVER else {}
        too_wide = scope.size(found) > scope.MOST
        logged = queries.decisions().filter(case_id=case.pk, parent_id=None).exclude(target="comment", action="erase")
        left_out = Scope.of(case).left_out
        context: dict[str, Any] = {
            "case": case,
            "is_over": case.state in cases.OVER,
            "is_overdue": is_overdue(case),
            "may_work": self.may_work(request),
            "conditions": conditions(case),
            "found": scope.size(found),
            "texts": len(Scope.of(case).own_texts()),
            "too_wide": cases.TOO_WIDE if too_wide else "",
            "places": [] if too_wide or case.state in cases.OVER else scope.preview(case, found),
            "left_out": [(key, key.replace(":", " ")) for key in left_out[:MOST_LISTED]],
            "is_held": cases.holds(case),
            "is_masked": masks.covers(case),
            "waits_for_second": cases.waits_for_second(case),
            "scheduled_by_me": case.erase_by_id == request.user.pk,
            "notes": CaseNote.objects.filter(case=case).order_by("-pk")[:MOST_LISTED],
            "history": lines(logged.order_by("-pk")[:MOST_LISTED]),
        }
        return self.page(request, "case", f"Case {case.pk}", **context)

    def step_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        case = self.find(request, pk)
        step = STEPS.get(request.POST.get("step", ""))
        if request.method != "POST" or step is None:
            raise Http404
        return self.done(request, case, step[0](request, case), step[1])

    @method_decorator(reauthentication_required)
    def erase_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """The one step that cannot be taken back asks again who it is, and for words to be typed."""
        case = self.find(request, pk)
        by: Any = request.user
        trouble = ""
        if request.method == "POST" and request.POST.get("step") == "second":
            return self.done(request, case, cases.second(case, by=by), "You agreed to the erasure.")
        if request.method == "POST":
            trouble = cases.schedule(case, by=by, typed=request.POST.get("typed", ""))
            if not trouble:
                return self.done(request, case, "", "Scheduled. It can be called off until then.")
        context: dict[str, Any] = {
            "case": case,
            "phrase": cases.phrase(case),
            "found": scope.size(scope.members(case)),
            "texts": len(Scope.of(case).own_texts()),
            "days": settings.ERASE_AFTER_DAYS,
            "two_people": settings.ERASE_TWO_PEOPLE,
            "trouble": trouble,
        }
        return self.page(request, "erase", f"Erase case {pk}?", 422 if trouble else 200, **context)

    def done(self, request: HttpRequest, case: Case, trouble: str, words: str) -> HttpResponse:
        if trouble:
            messages.warning(request, f"{capfirst(trouble)}.")
        elif words:
            messages.success(request, words)
        return HttpResponseRedirect(case.get_absolute_url())


def is_overdue(case: Case) -> bool:
    return case.closed_at is None and case.deadline is not None and case.deadline < timezone.localdate()


def conditions(case: Case) -> list[tuple[str, str]]:
    """The scope in words."""
    known = Scope.of(case)
    site = Site.objects.filter(pk=known.site).first() if known.site else None
    entity = Entity.objects.filter(pk=known.entity).first() if known.entity else None
    found = [
        ("A search for", known.query),
        ("Under the name", known.author),
        ("On the site", site.name if site else ""),
        ("That mention", entity.name if entity else ""),
        ("Under the articles", ", ".join(map(str, known.articles))),
        ("Picked by hand", f"{len(known.comments):,}" if known.comments else ""),
        ("The articles themselves", ", ".join(map(str, known.texts))),
        ("Words to mask", " · ".join(case.words)),
    ]
    return [(words, said) for words, said in found if said]
