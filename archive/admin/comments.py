"""Comments: to look at with how sure their parts are, and to hide and restore, one or many."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.db.models.functions import Left
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.text import Truncator

from archive import bulk, queries
from archive.admin.articles import MAX_DIGITS, starting_with
from archive.admin.cards import Reason, by_rule
from archive.admin.moderation import USUAL_REASONS, Moderated, ReasonForm, led_to
from archive.admin.queue import text_of
from archive.admin.site import badge, moment, workplace
from archive.models import Comment, Decision

EXCERPT = 140  # characters of a comment that a list shows
PREVIEWED = 20  # comments that a confirmation shows


@workplace(Comment)
class CommentAdmin(Moderated[Comment]):
    list_display = ("excerpt", "author_name", "article_title", "state", "posted", "on_the_site")
    list_filter = ("status", "article__site", "parent_basis", "author_basis", "date_basis")
    list_select_related = ("article",)
    search_fields = ("id",)
    search_help_text = "The number of a comment, or the beginning of its article's title"
    ordering = ("-id",)
    actions = ("hide_selected", "restore_selected")

    def get_queryset(self, request: HttpRequest) -> Any:
        """Every comment for a moderator; for others only what readers see, because hidden is hidden here, too."""
        return (
            queries.comments()
            .workable_by(request.user)
            .select_related("article")
            .defer("article__body", "article__html")
        )

    def lookup_allowed(self, lookup: str, value: Any, request: HttpRequest) -> bool:
        return lookup == "article__id__exact" or super().lookup_allowed(lookup, value, request)

    def get_changelist_instance(self, request: HttpRequest) -> Any:
        """A list needs the beginning of each text, not texts of up to megabytes."""
        listed = super().get_changelist_instance(request)
        short = listed.result_list.defer("body", "html", "article__body", "article__html")
        listed.result_list = short.annotate(beginning=Left("body", EXCERPT + 1))
        return listed

    def get_search_results(self, request: HttpRequest, queryset: Any, search_term: str) -> tuple[Any, bool]:
        term = search_term.strip()
        if not term:
            return queryset, False
        if term.isdecimal() and len(term) <= MAX_DIGITS:
            return queryset.filter(pk=int(term)), False
        return queryset.filter(article_id__in=starting_with(term).values("pk")), False

    @admin.display(description="comment")
    def excerpt(self, comment: Comment) -> str:
        text = getattr(comment, "beginning", "") or comment.body[: EXCERPT + 1]
        return Truncator(" ".join(text.split())).chars(EXCERPT) or "(empty)"

    @admin.display(description="article")
    def article_title(self, comment: Comment) -> SafeString:
        url = reverse("admin:archive_article_change", args=[comment.article_id])
        return format_html('<a href="{}">{}</a>', url, Truncator(comment.article.title).chars(60))

    @admin.display(description="state")
    def state(self, comment: Comment) -> SafeString:
        return badge(comment.status)

    @admin.display(description="posted")
    def posted(self, comment: Comment) -> str:
        return moment(comment.posted_at)

    @admin.display(description="page")
    def on_the_site(self, comment: Comment) -> SafeString:
        return format_html('<a href="{}">view</a>', comment.get_absolute_url())

    def explain(self, obj: Comment) -> dict[str, Any]:
        article = reverse("admin:archive_article_change", args=[obj.article_id])
        links = [("View on the site", obj.get_absolute_url()), ("Its article", article)]
        if obj.parent_id:
            parent = reverse("admin:archive_comment_change", args=[obj.parent_id])
            links.append(("The comment it answers", parent))
        rules = by_rule(obj)
        return {
            "heading": f"Comment {obj.position + 1} on “{obj.article.title}”",
            "byline": (obj.author_name or "author unknown", obj.posted_at),
            "text": text_of(obj, [place for rule in rules for place in rule.at]),
            "facts": [*facts(obj), *(("Rule", _in_words(rule)) for rule in rules)],
            "links": links,
            "tombstone": "Readers see a tombstone in its place. Its replies stay.",
        }

    @admin.action(description="Hide…", permissions=["moderate"])
    def hide_selected(self, request: HttpRequest, queryset: Any) -> HttpResponse | None:
        return self.decide_selected(request, queryset, Decision.Action.HIDE)

    @admin.action(description="Restore…", permissions=["moderate"])
    def restore_selected(self, request: HttpRequest, queryset: Any) -> HttpResponse | None:
        return self.decide_selected(request, queryset, Decision.Action.RESTORE)

    def decide_selected(self, request: HttpRequest, queryset: Any, action: str) -> HttpResponse | None:
        """First a page that shows what was chosen and asks why; sent again from there, it is begun."""
        moderated = queries.sites_with(request.user, queries.MODERATE)
        queryset = queryset if moderated is None else queryset.filter(article__site_id__in=moderated)
        chosen = list(queryset.order_by("pk").values_list("article_id", "pk")[: bulk.MOST + 1])
        if len(chosen) > bulk.MOST:
            words = f"More than {bulk.MOST:,} comments were chosen. Narrow the list with a filter, then decide again."
            messages.error(request, words)
            return None
        is_confirmed = "confirmed" in request.POST
        form = ReasonForm(request.POST if is_confirmed else None)
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "action": action,
            "form": form,
            "usual_reasons": USUAL_REASONS,
            "count": len(chosen),
        }
        if is_confirmed and form.is_valid():
            return self.begun(request, chosen, action, form.cleaned_data["reason"])
        preview = queryset.order_by("-id").annotate(beginning=Left("body", EXCERPT + 1)).defer("body", "html")
        context |= {
            "title": f"{action.capitalize()} {len(chosen):,} comment{'' if len(chosen) == 1 else 's'}?",
            "preview": [(comment, self.excerpt(comment)) for comment in preview[:PREVIEWED]],
            "not_previewed": max(0, len(chosen) - PREVIEWED),
            "action_name": f"{action}_selected",
            "checkbox": ACTION_CHECKBOX_NAME,
            "selected": request.POST.getlist(ACTION_CHECKBOX_NAME),
            "select_across": request.POST.get("select_across", "0"),
        }
        return TemplateResponse(request, "admin/archive/comment/confirm.html", context)

    def begun(self, request: HttpRequest, chosen: list[tuple[int, int]], action: str, reason: str) -> HttpResponse:
        by: Any = request.user
        begun = bulk.decide(chosen, action=action, by=by, reason=reason)
        return led_to(request, begun, reverse("admin:archive_comment_changelist"))


def facts(comment: Comment) -> list[tuple[str, str]]:
    """Where each part of a recovered comment comes from and how sure it is, in words."""
    parent = certainty(comment.parent_basis, comment.parent_confidence)
    if comment.parent_id or comment.parent_basis != "unknown":
        parent = f"{'the comment linked above' if comment.parent_id else 'no other comment'}, {parent}"
    return [
        ("Where it begins and ends", certainty(comment.boundary_basis, comment.boundary_confidence)),
        ("Author", certainty(comment.author_basis, comment.author_confidence)),
        ("Date", certainty(comment.date_basis, comment.date_confidence)),
        ("What it answers", parent),
        ("Replies", f"{comment.subtree_size:,} below it, direct and indirect"),
        ("Place", f"number {comment.position + 1:,} in the source, {comment.thread_rank + 1:,} in the thread"),
        ("Text", f"version {comment.version}"),
    ]


def _in_words(rule: Reason) -> str:
    said = ", ".join(f"“{one}”" for one in rule.matched)
    return f"{rule.detail}: {said}" if said else rule.detail


def certainty(basis: str, confidence: float | None) -> str:
    if basis == "stated":
        return "stated in the source"
    if basis == "reviewed":
        return "settled by an archivist"
    if basis == "inferred":
        return f"inferred, {confidence:.0%} sure" if confidence is not None else "inferred"
    return "unknown: the source does not say"
