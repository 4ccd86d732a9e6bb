"""Articles, as they were imported: to look at, to hide and to restore."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe

from archive import queries
from archive.admin import review as pages
from archive.admin.moderation import Moderated
from archive.admin.site import badge, moment, workplace
from archive.models import Article

MAX_DIGITS = 18  # of a number that fits into an id


def starting_with(term: str) -> QuerySet[Article]:
    """Articles by their number or by the beginning of their title."""
    found = queries.articles()
    if term.isdecimal() and len(term) <= MAX_DIGITS:
        return found.filter(pk=int(term))
    return found.filter(title__istartswith=term)


@workplace(Article)
class ArticleAdmin(Moderated[Article]):
    list_display = ("title", "site", "state", "size", "published_on", "imported", "on_the_site")
    list_filter = ("status", "site", "language", "imported_at")
    list_select_related = ("site",)
    search_fields = ("title",)
    search_help_text = "The number of an article, or the beginning of its title"
    ordering = ("-id",)

    def get_queryset(self, request: HttpRequest) -> Any:
        return queries.articles().workable_by(request.user).with_site()

    def get_urls(self) -> list[URLPattern]:
        guarded = self.admin_site.admin_view
        return [
            path("<int:pk>/review/", guarded(self.review_view), name="archive_article_review"),
            path("review/", guarded(self.queue_view), name="archive_article_queue"),
            *super().get_urls(),
        ]

    def review_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        return pages.review_view(self, request, pk)

    def queue_view(self, request: HttpRequest) -> HttpResponse:
        return pages.queue_view(self, request)

    def get_changelist_instance(self, request: HttpRequest) -> Any:
        """A list needs no texts: one can be megabytes long."""
        listed = super().get_changelist_instance(request)
        listed.result_list = listed.result_list.defer("body", "html")
        return listed

    def get_search_results(self, request: HttpRequest, queryset: Any, search_term: str) -> tuple[Any, bool]:
        term = search_term.strip()
        return (queryset.filter(pk__in=starting_with(term).values("pk")) if term else queryset), False

    @admin.display(description="state")
    def state(self, article: Article) -> SafeString:
        return badge(article.status, article.get_status_display() if article.status == "in_review" else "")

    @admin.display(description="discussion")
    def size(self, article: Article) -> str:
        return f"{article.comment_count:,} comment{'' if article.comment_count == 1 else 's'}"

    @admin.display(description="published")
    def published_on(self, article: Article) -> str:
        return f"{article.published_at:%-d %B %Y}" if article.published_at else ""

    @admin.display(description="imported")
    def imported(self, article: Article) -> str:
        return moment(article.imported_at)

    @admin.display(description="page")
    def on_the_site(self, article: Article) -> SafeString:
        return format_html('<a href="{}">view</a>', article.get_absolute_url())

    def explain(self, obj: Article) -> dict[str, Any]:
        facts = [
            *([("Erased", "title, byline and text, for good")] if obj.is_erased else []),
            ("Title", f"{obj.title_basis} in the source" if obj.title_basis == "stated" else obj.title_basis),
            ("Site", obj.site.name),
            ("Byline", obj.byline or "unknown"),
            ("Published", self.published_on(obj) or "unknown"),
            ("Language", obj.language or "could not be told"),
            ("Comments", f"{obj.comment_count:,} that readers can see"),
            ("Version", f"{obj.version}: grows with each change that readers can see"),
        ]
        comments = reverse("admin:archive_comment_changelist") + f"?article__id__exact={obj.pk}"
        source = reverse("admin:archive_source_progress", args=[obj.source_id])
        return {
            "heading": obj.title,
            "text": mark_safe(obj.html),  # noqa: S308  made safe by archive.text when it was stored
            "facts": facts,
            "links": [
                ("View on the site", obj.get_absolute_url()),
                ("Its comments", comments),
                ("Its source", source),
                ("Review its structure", reverse("admin:archive_article_review", args=[obj.pk])),
            ],
            "tombstone": "Readers find neither this article nor any of its comments.",
        }
