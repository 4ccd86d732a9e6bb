"""Bringing a discussion in: paste or upload, then a page that says how far it is and what became of it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any, ClassVar
from urllib.parse import urlencode

from django import forms
from django.conf import settings
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.core.files.uploadedfile import UploadedFile
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.views.decorators.csrf import csrf_exempt
from procrastinate.contrib.django.models import ProcrastinateWorker

from archive import jobs, queries
from archive.admin.site import ModelAdmin, Workplace, badge, moment, workplace
from archive.ingest import importer
from archive.ingest.readers import READERS
from archive.models import Author, Site, Source

CHUNK = 256 * 1024  # bytes read at a time of what is thrown away
ALIVE = timedelta(seconds=60)  # a worker that has not stirred for longer is gone
WORKER_COMMAND = "python manage.py procrastinate worker"
MEGABYTE = 1024 * 1024
NOT_THIS_SITE = "Your role holds on some sites only: choose one of those in the list."
TOO_LARGE = (
    f"More than {settings.MAX_UPLOAD_BYTES // MEGABYTE} MB cannot be sent through a browser. "
    "Import the file on the server: python manage.py import_source PATH"
)


READING_MODEL_HELP = (
    "How much would be sent there is shown first, and nothing is sent before you agree. It answers with line numbers "
    "only, so it can change no word. Without it, and where it fails, the built-in model reads the text on this server."
)


def reading_model_label() -> str:
    """The reading model and its host, as the archivist agrees to them; empty where none can be used."""
    try:
        model = importer.reading_model()
    except ValueError:  # archive.checks says why
        return ""
    return model.label if model else ""


class ImportForm(forms.Form):
    """Exactly one of a text and a file, with what is known about it. ``data`` and ``name`` are what was received."""

    text = forms.CharField(
        label="Paste a text",
        required=False,
        strip=False,
        widget=forms.Textarea(attrs={"rows": 12, "spellcheck": "false"}),
        help_text="The article and everything below it, as you found them.",
    )
    upload = forms.FileField(
        label="Or choose a file",
        required=False,
        allow_empty_file=True,
        help_text=f"At most {settings.MAX_UPLOAD_BYTES // MEGABYTE} MB.",
    )
    site = forms.CharField(
        label="Site",
        max_length=200,
        initial=importer.DEFAULT_SITE,
        widget=forms.TextInput(attrs={"list": "known-sites", "autocomplete": "off"}),
        help_text="Where the discussion was published. A new name makes a new site.",
    )
    format = forms.ChoiceField(
        label="Format", required=False, help_text="“Automatic” tells it from the bytes.", choices=[]
    )

    def __init__(self, data: Any = None, files: Any = None) -> None:
        super().__init__(data, files, label_suffix="")
        names = [(name, name.replace("-", " ")) for name in sorted(READERS)]
        self.fields["format"].choices = [("", "automatic"), *names]  # type: ignore[attr-defined]
        if label := reading_model_label():
            self.fields["reading_model"] = forms.BooleanField(
                label=f"Let {label} read it",
                required=False,
                widget=forms.CheckboxInput(attrs={"value": label}),
                help_text=READING_MODEL_HELP,
            )

    def clean_reading_model(self) -> str:
        """The label of the model that was agreed to, which must be the one that is set now; empty for none."""
        if not self.cleaned_data["reading_model"]:
            return ""
        if self.data.get("reading_model") != reading_model_label():
            raise forms.ValidationError(
                "Another reading model is set now. Nothing was sent: look again, and send again."
            )
        return reading_model_label()

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        text: str = cleaned.get("text") or ""
        upload: UploadedFile[Any] | None = cleaned.get("upload")
        if bool(text.strip()) == bool(upload):
            both = "Both a text and a file were given: send one of them."
            self.add_error(None, both if upload else "Nothing was given: paste a text or choose a file.")
        elif upload and upload.size == 0:
            self.add_error("upload", f"{upload.name} is empty: nothing is in it.")
        elif max(len(text.encode()), (upload and upload.size) or 0) > settings.MAX_UPLOAD_BYTES:
            self.add_error("upload" if upload else "text", TOO_LARGE)
        return cleaned

    def received(self) -> tuple[bytes, str]:
        """The bytes and a name for them. A browser sends a pasted text with CRLF for each line end: that is undone."""
        if upload := self.cleaned_data["upload"]:
            return upload.read(), upload.name
        text = self.cleaned_data["text"].replace("\r\n", "\n")
        first = next(line.strip() for line in text.split("\n") if line.strip())
        return text.encode(), f"pasted: {first[:80]}"


class ConsentForm(forms.Form):
    """What was said about a source before the question how it is to be read."""

    site = forms.CharField(max_length=200, initial=importer.DEFAULT_SITE)
    format = forms.ChoiceField(required=False, choices=[("", "automatic"), *((name, name) for name in sorted(READERS))])


@workplace(Source)
class SourceAdmin(Workplace[Source]):
    list_display = ("name_and_progress", "outcome", "size_in_words", "received", "received_by")
    list_display_links = None
    list_filter = ("state", "received_at")
    search_fields = ("name__istartswith", "sha256__startswith")
    search_help_text = "The beginning of a name, or of a sha256"
    list_select_related = ("received_by",)
    ordering = ("-id",)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return queries.may_review(request.user)

    def get_queryset(self, request: HttpRequest) -> Any:
        return queries.sources_workable_by(request.user)

    @admin.display(description="source")
    def name_and_progress(self, source: Source) -> SafeString:
        return format_html('<a href="{}">{}</a>', reverse("admin:archive_source_progress", args=[source.pk]), source)

    @admin.display(description="size")
    def size_in_words(self, source: Source) -> str:
        return in_bytes(source.size)

    @admin.display(description="received")
    def received(self, source: Source) -> str:
        return moment(source.received_at)

    @admin.display(description="outcome")
    def outcome(self, source: Source) -> SafeString:
        """What became of it; until then, how far it is."""
        outcome = str(source.report.get("outcome", ""))
        return badge(outcome) if outcome else badge(source.state, source.get_state_display())

    def get_urls(self) -> list[URLPattern]:
        page = self.admin_site.admin_view
        return [
            # Exempt from the middleware's check, so that the limit is looked at before the body is read; admin_view
            # checks the token itself.
            path("import/", csrf_exempt(self.limited(page(self.import_view))), name="archive_source_import"),
            path("<int:pk>/progress/", page(self.progress_view), name="archive_source_progress"),
            path("<int:pk>/consent/", page(self.consent_view), name="archive_source_consent"),
            *super().get_urls(),
        ]

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: Any = None) -> HttpResponse:
        return HttpResponseRedirect(reverse("admin:archive_source_import"))

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        if not object_id.isdecimal():
            raise Http404
        return HttpResponseRedirect(reverse("admin:archive_source_progress", args=[object_id]))

    def limited(self, view: Any) -> Any:
        """Answer a body over the limit in words. Django would answer with a bare 400 while it reads the form."""

        def checked(request: HttpRequest) -> HttpResponse:
            size = int(request.META.get("CONTENT_LENGTH") or 0)
            most = settings.DATA_UPLOAD_MAX_MEMORY_SIZE or settings.MAX_UPLOAD_BYTES
            if request.method != "POST" or size <= most or not self.has_add_permission(request):
                return view(request)  # type: ignore[no-any-return]
            while request.read(CHUNK):  # a browser shows no answer before it has sent everything
                pass
            messages.error(request, TOO_LARGE)
            return HttpResponseRedirect(request.path)

        return checked

    def import_view(self, request: HttpRequest) -> HttpResponse:
        if not self.has_add_permission(request):
            raise PermissionDenied
        form = ImportForm(request.POST or None, request.FILES or None)
        if form.is_bound and form.is_valid() and not queries.may_import_into(request.user, form.cleaned_data["site"]):
            form.add_error("site", NOT_THIS_SITE)
        if request.method == "POST" and form.is_valid():
            return self.receive(request, form)
        context = {
            **self.admin_site.each_context(request),
            "title": "Import a discussion",
            "opts": self.opts,
            "form": form,
            "sites": queries.sites_reviewed_by(request.user).values_list("name", flat=True)[:500],
        }
        status = 422 if form.is_bound and not form.is_valid() else 200
        return TemplateResponse(request, "admin/archive/source/import.html", context, status=status)

    def receive(self, request: HttpRequest, form: ImportForm) -> HttpResponse:
        data, name = form.received()
        by: Any = request.user
        source = importer.receive(data, name=name, by=by)
        if source.state == Source.State.DONE:
            words = f"Exactly these bytes were received before, as “{source.name}” on {source.received_at:%d %B %Y}."
            messages.info(request, words)
        chosen = form.cleaned_data
        if chosen.get("reading_model"):
            importer.wait_for_consent(source)
            told = urlencode({"site": chosen["site"], "format": chosen["format"]})
            return HttpResponseRedirect(f"{reverse('admin:archive_source_consent', args=[source.pk])}?{told}")
        return self.start(source.pk, chosen["site"], chosen["format"], reading_model="")

    def start(self, pk: int, site: str, format: str, *, reading_model: str) -> HttpResponse:  # noqa: A002
        """Have a worker import what was received. ``reading_model`` is the label of the one that was agreed to."""
        importer.end_waiting(pk)
        jobs.import_received.defer(source_id=pk, site=site, format=format or None, reading_model=reading_model)
        return HttpResponseRedirect(reverse("admin:archive_source_progress", args=[pk]))

    def consent_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """What of a source would leave this machine, and the question whether it may."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        source = queries.sources_workable_by(request.user).filter(pk=pk).first()
        if source is None:
            raise Http404
        label = reading_model_label()
        sent = ConsentForm(request.POST if request.method == "POST" else request.GET)
        chosen = sent.cleaned_data if sent.is_valid() else {"site": importer.DEFAULT_SITE, "format": ""}
        if not queries.may_import_into(request.user, chosen["site"]):
            raise Http404
        if request.method == "POST":
            agreed = request.POST.get("agree", "")
            if not agreed or agreed == label:
                return self.start(pk, chosen["site"], chosen["format"], reading_model=agreed)
            messages.error(request, "Another reading model is set now. Nothing was sent: look again, and agree again.")
        plan, limits = importer.planned(pk, name=source.name, format=chosen["format"] or None)
        context = {
            **self.admin_site.each_context(request),
            "title": "What would leave this machine",
            "opts": self.opts,
            "source": source,
            "label": label,
            "plan": plan,
            "bounds": limits,
            "chosen": chosen,
            "size": in_bytes(source.size),
        }
        return TemplateResponse(request, "admin/archive/source/consent.html", context)

    def progress_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        if not self.has_view_permission(request):
            raise PermissionDenied
        source = queries.sources_workable_by(request.user).select_related("received_by").filter(pk=pk).first()
        if source is None:
            raise Http404
        if source.state == Source.State.ASKED:
            return HttpResponseRedirect(reverse("admin:archive_source_consent", args=[pk]))
        is_running = source.state in {Source.State.RECEIVED, Source.State.RUNNING}
        context = {
            **self.admin_site.each_context(request),
            "title": source.name,
            "opts": self.opts,
            "source": source,
            "size": in_bytes(source.size),
            "is_running": is_running,
            "no_worker": is_running and not a_worker_is_alive(),
            "worker_command": WORKER_COMMAND,
            "report": None if is_running else ReportInWords(source.report),
            "article": queries.articles().workable_by(request.user).filter(source_id=pk).order_by("pk").first(),
        }
        return TemplateResponse(request, "admin/archive/source/progress.html", context)


def in_bytes(size: int) -> str:
    if size < 1024:
        return f"{size} bytes"
    return f"{size / 1024:,.0f} kB" if size < MEGABYTE else f"{size / MEGABYTE:,.1f} MB"


def a_worker_is_alive() -> bool:
    return ProcrastinateWorker.objects.filter(last_heartbeat__gte=timezone.now() - ALIVE).exists()


class ReportInWords:
    """``Source.report``, said to a person. Missing parts of the report are left unsaid."""

    SENTENCES: ClassVar[dict[str, str]] = {
        "created": "A new discussion is in the archive.",
        "updated": "The discussion was here already and has been brought up to date.",
        "unchanged": "Nothing changed: the archive has all of this already.",
        "rejected": "Nothing was imported.",
    }

    def __init__(self, report: dict[str, Any]) -> None:
        self.outcome: str = report.get("outcome", "")
        self.sentence = self.SENTENCES.get(self.outcome, "")
        self.reason = str(report.get("reason", "")).rstrip(".")
        self.title: str = report.get("title", "")
        self.comments: int | None = report.get("comments")
        self.encoding: str = report.get("encoding", "")
        self.seconds: float | None = report.get("seconds")
        self.problems: list[str] = report.get("problems", [])
        self.left_out: dict[str, int] = report.get("left_out") or {}
        outcomes: dict[str, int] = report.get("outcomes") or {}
        self.outcomes = [(word, count) for word, count in outcomes.items() if count]
        characters: dict[str, int] = report.get("characters") or {}
        counts = {words: characters.get(words, 0) for words in ("article", "comments", "left out")}
        self.parts = [(words, f"{count:,}") for words, count in counts.items()]
        self.total = f"{characters['total']:,}" if "total" in characters else ""
        self.adds_up = characters.get("total") == sum(counts.values())


@workplace(Site)
class SiteAdmin(ModelAdmin[Site]):
    list_display = ("name", "url")
    search_fields = ("name__istartswith",)
    fields = ("name", "slug", "url")
    prepopulated_fields: ClassVar[dict[str, Sequence[str]]] = {"slug": ("name",)}

    def get_queryset(self, request: HttpRequest) -> Any:
        return queries.sites_reviewed_by(request.user)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return super().has_add_permission(request) and queries.sites_with(request.user, queries.REVIEW) is None

    def has_delete_permission(self, request: HttpRequest, obj: Site | None = None) -> bool:
        return False


@workplace(Author)
class AuthorAdmin(Workplace[Author]):
    list_display = ("name", "site")
    list_filter = ("site",)
    list_select_related = ("site",)
    search_fields = ("name__istartswith",)
    search_help_text = "The beginning of a name"
    fields = ("name", "site")

    def get_queryset(self, request: HttpRequest) -> Any:
        return queries.authors().visible_to(request.user)
