"""Who and what texts mention: suggestions of the machine, to be confirmed or rejected by a person."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.db.models import Q
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from archive import queries
from archive.admin.articles import MAX_DIGITS
from archive.admin.site import Workplace, badge, workplace
from archive.entities import resolver
from archive.models import Article, Comment, Entity, Judgement, Mention

MOST_JUDGED = 200  # mentions in one go
Verdict, Scope = Judgement.Verdict, Judgement.Scope


@workplace(Entity)
class EntityAdmin(Workplace[Entity]):
    list_display = ("name", "kind", "mention_count", "on_the_site")
    list_filter = ("kind",)
    search_fields = ("name__istartswith",)
    search_help_text = "The beginning of a name"
    ordering = ("-mention_count", "id")
    fields = ("name", "kind", "description", "external_ids", "merged_into", "mention_count")

    def get_queryset(self, request: HttpRequest) -> Any:
        return queries.entities().visible_to(request.user)

    @admin.display(description="page")
    def on_the_site(self, entity: Entity) -> SafeString:
        return format_html('<a href="{}">view</a>', entity.get_absolute_url())


@workplace(Mention)
class MentionAdmin(Workplace[Mention]):
    list_display = ("surface", "entity", "kind", "place", "sure", "judged")
    list_filter = ("review", "entity__kind", "extractor")
    list_select_related = ("entity",)
    search_fields = ("surface",)
    search_help_text = "The number of an article, or the beginning of the words in the text"
    ordering = ("-id",)
    fields = ("surface", "entity", "start", "end", "extractor", "extractor_version", "score", "review")
    actions = ("confirm", "reject_here", "reject_in_article", "reject_everywhere")

    def get_queryset(self, request: HttpRequest) -> Any:
        """Also rejected ones, but none in a text that the person may not see: its words are that text's."""
        moderated = queries.sites_with(request.user, queries.MODERATE)
        if moderated is None:
            return queries.mentions()
        seen = Q(comment__isnull=True) | Q(comment__status=Comment.Status.PUBLISHED)
        seen &= Q(article__status=Article.Status.PUBLISHED)
        return queries.mentions().filter(seen | Q(article__site_id__in=moderated) if moderated else seen)

    def get_search_results(self, request: HttpRequest, queryset: Any, search_term: str) -> tuple[Any, bool]:
        term = search_term.strip()
        if term.isdecimal() and len(term) <= MAX_DIGITS:
            return queryset.filter(article_id=int(term)), False
        return (queryset.filter(surface__istartswith=term) if term else queryset), False

    def has_judge_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.has_perm("archive.change_mention"))

    @admin.display(description="kind")
    def kind(self, mention: Mention) -> str:
        return mention.entity.get_kind_display()

    @admin.display(description="where")
    def place(self, mention: Mention) -> SafeString:
        if mention.comment_id is None:
            url = reverse("admin:archive_article_change", args=[mention.article_id])
            return format_html('<a href="{}">article {}</a>', url, mention.article_id)
        url = reverse("admin:archive_comment_change", args=[mention.comment_id])
        return format_html('<a href="{}">comment {}</a>', url, mention.comment_id)

    @admin.display(description="sure", empty_value="–")
    def sure(self, mention: Mention) -> str | None:
        return None if mention.score is None else f"{mention.score:.0%}"

    @admin.display(description="state")
    def judged(self, mention: Mention) -> SafeString:
        return badge(mention.review)

    @admin.action(description="Confirm", permissions=["judge"])
    def confirm(self, request: HttpRequest, queryset: Any) -> None:
        self.judge(request, queryset, Verdict.CONFIRM, Scope.HERE)

    @admin.action(description="Reject here", permissions=["judge"])
    def reject_here(self, request: HttpRequest, queryset: Any) -> None:
        self.judge(request, queryset, Verdict.REJECT, Scope.HERE)

    @admin.action(description="Reject in the whole article", permissions=["judge"])
    def reject_in_article(self, request: HttpRequest, queryset: Any) -> None:
        self.judge(request, queryset, Verdict.REJECT, Scope.ARTICLE)

    @admin.action(description="Reject everywhere", permissions=["judge"])
    def reject_everywhere(self, request: HttpRequest, queryset: Any) -> None:
        self.judge(request, queryset, Verdict.REJECT, Scope.EVERYWHERE)

    def judge(self, request: HttpRequest, queryset: Any, verdict: str, scope: str) -> None:
        allowed = queries.sites_with(request.user, "archive.change_mention")
        if allowed is not None and scope == Scope.EVERYWHERE:
            messages.error(request, "Your role holds on some sites only: reject here or in the article instead.")
            return
        queryset = queryset if allowed is None else queryset.filter(article__site_id__in=allowed)
        chosen = list(queryset.select_related("entity")[: MOST_JUDGED + 1])
        if len(chosen) > MOST_JUDGED:
            messages.error(request, f"More than {MOST_JUDGED:,} mentions were chosen. Narrow the list with a filter.")
            return
        by: Any = request.user
        for mention in chosen:
            resolver.judge(mention, verdict=verdict, scope=scope, by=by)
        word = "confirmed" if verdict == Verdict.CONFIRM else "rejected"
        where = {Scope.HERE: "", Scope.ARTICLE: " in their articles", Scope.EVERYWHERE: " everywhere"}[Scope(scope)]
        messages.success(request, f"{len(chosen):,} mention{'' if len(chosen) == 1 else 's'} {word}{where}.")
