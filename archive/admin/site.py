"""The admin's entrance, and what every workplace of it has in common."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from functools import update_wrapper
from itertools import chain
from typing import TYPE_CHECKING, Any, ClassVar

from django.conf import settings
from django.contrib import admin
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.db.models import Model
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.functional import cached_property
from django.utils.html import format_html
from django.utils.safestring import SafeString

from archive import kinds, queries
from archive.models import Case, Source

if TYPE_CHECKING:
    ModelAdmin = admin.ModelAdmin
else:

    class ModelAdmin(admin.ModelAdmin):
        """Django's, made to take its model in brackets at run time as the type checker wants it written."""

        def __class_getitem__(cls, model: Any) -> Any:
            return cls

        def _get_obj_does_not_exist_redirect(self, *asked: Any) -> HttpResponse:
            """What is not there is 404, as what one may not see is; Django would tell them apart."""
            raise Http404


MOST_COUNTED = 10_000  # rows that a list counts and leafs through; beyond it, a filter is asked for
RECENT = 6  # imports and decisions that the first page names

WORKPLACES: dict[type[Model], type[admin.ModelAdmin[Any]]] = {}


def workplace[A: type[admin.ModelAdmin[Any]]](model: type[Model]) -> Callable[[A], A]:
    """Put a class among those that every ``ArchiveAdminSite`` starts with.

    ``admin.register`` would not do: it asks for the default site, of which the class lies in this package, while
    the package is still being imported; two sites would be made and the models end on the one that is thrown away.
    """

    def remember(chosen: A) -> A:
        WORKPLACES[model] = chosen
        return chosen

    return remember


class ArchiveAdminSite(admin.AdminSite):
    site_header = settings.SITE_NAME
    site_title = settings.SITE_NAME
    index_title = "Workplace"
    enable_nav_sidebar = False

    def __init__(self, name: str = "admin") -> None:
        super().__init__(name)
        for model, chosen in WORKPLACES.items():
            self.register(model, chosen)

    def get_urls(self) -> list[Any]:
        from archive.admin.notices import Notices  # these modules build on this one
        from archive.admin.queue import Queue
        from archive.admin.rules import Rules
        from archive.admin.saved_views import SavedViews
        from archive.admin.several import Several

        pages = (Queue(self), Several(self), SavedViews(self), Rules(self), Notices(self))
        own = [page.urls() for page in pages]
        return [*chain.from_iterable(own), *super().get_urls()]

    def each_context(self, request: HttpRequest) -> dict[str, Any]:
        everywhere = queries.moderates_everywhere(request.user)
        return {
            **super().each_context(request),
            "works_on_cases": everywhere and request.user.has_perm("archive.view_case"),
        }

    def admin_view(self, view: Any, cacheable: bool = False) -> Any:
        """What a person may not see is not there: 404, whether it exists or not. Guests are asked to sign in."""

        def hidden(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            try:
                answer: HttpResponse = view(request, *args, **kwargs)
            except PermissionDenied:
                raise Http404 from None
            return answer

        guarded = super().admin_view(update_wrapper(hidden, view), cacheable)

        def looked(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            if request.user.is_authenticated and not self.has_permission(request):
                raise Http404
            return guarded(request, *args, **kwargs)

        return update_wrapper(looked, guarded)

    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """There is one sign-in page, the public one; who is already let in goes straight on."""
        if request.method == "GET" and self.has_permission(request):
            return HttpResponseRedirect(reverse("admin:index"))
        return redirect_to_login(request.GET.get("next") or reverse("admin:index"), settings.LOGIN_URL)

    def password_change(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:  # type: ignore[override]
        """People change their password where everybody does."""
        return HttpResponseRedirect(reverse("account_change_password"))

    def logout(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:  # type: ignore[override]
        """Signing out, too, is where it is for everybody, and takes a form."""
        return HttpResponseRedirect(reverse("home"))

    def index(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:  # type: ignore[override]
        return super().index(request, {**overview(request), **(extra_context or {})})


def overview(request: HttpRequest) -> dict[str, Any]:
    """What waits and what happened last, as far as the person may know it."""
    from archive.admin.moderation import lines  # these modules build on this one
    from archive.admin.several import under_way

    may = request.user.has_perm
    shown: dict[str, Any] = {"waiting": []}
    if may("archive.view_source"):
        imports = queries.sources_workable_by(request.user).select_related("received_by")
        shown["imports"] = imports[:RECENT]
        running = imports.filter(state__in=[Source.State.RECEIVED, Source.State.RUNNING]).count()
        shown["waiting"].append(_waiting("imports not finished", running, "source", "state__exact=received"))
    if queries.may_review(request.user):
        reviews = queries.reviews().waiting().workable_by(request.user).count()
        url = reverse("admin:archive_article_queue")
        shown["waiting"].append({"words": "to review", "count": reviews, "url": url})
    if kinds.names_for(request.user):
        count = sum(kinds.counts_for(request.user).values())
        shown["waiting"].append({"words": "in the queue", "count": count, "url": reverse("admin:queue")})
    if may("archive.view_case") and queries.moderates_everywhere(request.user):
        cases = Case.objects.filter(closed_at__isnull=True).count()
        words = "open case" if cases == 1 else "open cases"
        shown["waiting"].append(_waiting(words, cases, "case", "closed_at__isempty=1"))
    if may("archive.view_decision"):
        recent = queries.decisions().visible_to(request.user).filter(parent_id__isnull=True).order_by("-pk")[:RECENT]
        shown["decisions"] = lines(recent)
    if queries.may_moderate(request.user):
        shown["under_way"] = under_way(request.user)
    return shown


def _waiting(words: str, count: int, model: str, query: str) -> dict[str, Any]:
    return {"words": words, "count": count, "url": reverse(f"admin:archive_{model}_changelist") + f"?{query}"}


def badge(status: str, words: str = "") -> SafeString:
    return format_html('<span class="state state-{}">{}</span>', status, words or status)


def moment(at: datetime | None) -> str:
    """``14 Mar 2017, 21:07``, in UTC, as the public pages write it; empty where it is not known."""
    return f"{at.astimezone(UTC):%-d %b %Y, %H:%M}" if at else ""


class BoundedPaginator(Paginator):  # type: ignore[type-arg]
    """Counts and leafs through ``MOST_COUNTED`` rows at most: the cost of a list does not grow with the archive."""

    @cached_property
    def count(self) -> int:
        rows: Any = self.object_list
        return int(rows[: MOST_COUNTED + 1].count())

    @property
    def is_cut(self) -> bool:
        return self.count > MOST_COUNTED


class Workplace[M: Model](ModelAdmin[M]):
    """A list and pages to look at. Rows are written by the importer, the resolver or a decision, never by a form."""

    paginator = BoundedPaginator
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER
    list_per_page = 50
    list_max_show_all = 0
    empty_value_display = ""
    sortable_by: ClassVar[tuple[str, ...]] = ()  # each list has the one order that an index gives

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: M | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: M | None = None) -> bool:
        return False

    def has_moderate_permission(self, request: HttpRequest) -> bool:
        return queries.may_moderate(request.user)
