"""The one entrance for what comes in: bytes -> reader -> loader, with a report that adds up."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import zstandard
from django.conf import settings

from archive import erasure
from archive.ingest import loader
from archive.ingest.loader import Outcome
from archive.ingest.progress import LiveProgress
from archive.ingest.readers import READERS, Reader, choose
from archive.ingest.readers.plain_text import BY_MODEL, PlainText
from archive.ingest.reading_model import FileCache, Plan, ReaderModel, ReadingModel, Table, Unavailable, parse
from archive.ingest.records import Discussion, Reading, account, storable
from archive.models import Article, Source

if TYPE_CHECKING:
    from accounts.models import User

HEAD = 64 * 1024  # bytes that a reader sees to recognise its format
MAX_KEPT_BYTES = 256 * 1024 * 1024  # larger sources are kept as name, size and digest only
MAX_PROBLEMS = 100  # that a report names; the rest is counted
DEFAULT_SITE = "Unsorted"


@dataclass
class Report:
    """What became of one source. The outcomes count discussions and add up to ``discussions``.

    ``characters`` counts code points of the decoded text; article, comments and left out add up to the total.
    """

    source: str
    sha256: str = ""
    format: str = ""
    encoding: str = ""
    outcomes: dict[str, int] = field(default_factory=lambda: {outcome.value: 0 for outcome in Outcome})
    reason: str = ""
    article_id: int | None = None
    title: str = ""
    comments: int = 0
    characters: dict[str, int] = field(default_factory=dict)
    left_out: dict[str, int] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)
    seconds: float = 0.0

    @property
    def outcome(self) -> str:
        """The word for the whole source: the most that happened to any of its discussions."""
        happened = [outcome.value for outcome in Outcome if self.outcomes[outcome.value]]
        return happened[0] if happened else Outcome.REJECTED.value

    @property
    def discussions(self) -> int:
        return sum(self.outcomes.values())

    def as_json(self) -> dict[str, Any]:
        return {**asdict(self), "outcome": self.outcome}

    def note(self, problems: list[str]) -> None:
        room = MAX_PROBLEMS - len(self.problems)
        self.problems += problems[:room]
        if len(problems) > room >= 0:
            self.problems[-1:] = [f"and more problems: {len(problems) - room + 1} are not listed here"]


def rejected(name: str, reason: str) -> Report:
    report = Report(source=name, reason=reason)
    report.outcomes[Outcome.REJECTED.value] = 1
    return report


def size_limit() -> int:
    """Bytes that the most patient reader takes."""
    return max(reader.max_bytes for reader in READERS.values())


def reading_model() -> ReadingModel | None:
    """The reading model that the settings name, with the answers kept in ``AFTERWORD_DATA``; None without one.

    ValueError, with a sentence, where nothing may be sent to what they name.
    """
    url, name = settings.READING_MODEL_URL, settings.READING_MODEL_NAME
    if not (url and name):
        return None
    cache = FileCache(settings.DATA_DIR / "reading-cache")
    return ReadingModel(url, name, settings.READING_MODEL_KEY, cache, calibration=calibration())


def calibration() -> Table:
    """How often the reading model is right, as it was measured; empty where that is not set. ValueError as above."""
    path = settings.READING_MODEL_CALIBRATION
    if not path:
        return ()
    try:
        return parse(Path(path).read_text(encoding="utf-8"))
    except OSError as error:
        raise ValueError(f"its calibration cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise ValueError("its calibration is not JSON") from None


def agreed_model(label: str) -> ReaderModel | None:
    """The reading model to which an archivist agreed, and no other; None for an empty label.

    Texts go nowhere but where the archivist was told: settings may have changed since, or differ on the worker.
    """
    if not label:
        return None
    try:
        model = reading_model()
    except ValueError:
        model = None
    if model is not None and model.label == label:
        return model
    return Unavailable(f"{label} was to read it and is not the reading model that is set now; nothing was sent")


def plan(data: bytes, *, name: str, format: str | None = None, model: ReadingModel) -> Plan:  # noqa: A002
    """What reading ``data`` with ``model`` would send. No database, sends nothing; never raises on bad input."""
    reader = choose(data[:HEAD], name, format)
    if not isinstance(reader, PlainText) or len(data) > reader.max_bytes:
        return Plan()
    text = reader.text_of(data)
    return model.plan(text) if text else Plan()


def planned(source_id: int, *, name: str, format: str | None) -> tuple[Plan, str]:  # noqa: A002
    """What reading a received source with the reading model would send, and within which bounds. Sends nothing."""
    try:
        model = reading_model()
    except ValueError:
        model = None
    content = Source.objects.filter(pk=source_id).values_list("content", flat=True).first()
    if model is None or content is None:
        return Plan(refusal="no reading model can be asked about it"), ""
    data = zstandard.decompress(bytes(content))
    return plan(data, name=name, format=format, model=model), model.limits.in_words()


def wait_for_consent(source: Source) -> None:
    """A source that is new waits until somebody has said whether it may be sent; one that was read stays as it is."""
    Source.objects.filter(pk=source.pk, state=Source.State.RECEIVED).update(state=Source.State.ASKED)


def end_waiting(source_id: int) -> None:
    Source.objects.filter(pk=source_id, state=Source.State.ASKED).update(state=Source.State.RECEIVED)


def _asking(reader: Reader, model: ReaderModel | None) -> Reader:
    return reader.asking(model) if model and isinstance(reader, PlainText) else reader


def read(
    data: bytes,
    *,
    name: str,
    format: str | None = None,  # noqa: A002  the command's word
    reader_model: ReaderModel | None = None,
) -> Reading:
    """What a reader makes of ``data``. No database; never raises on bad input.

    ``reader_model`` is asked where the format has no structure of its own.
    """
    reader = choose(data[:HEAD], name, format)
    if reader is None:
        return Reading("", "", rejected="no reader knows this format; name one with --format")
    if len(data) > reader.max_bytes:
        return Reading(reader.format, reader.version, rejected=too_large(len(data), reader.max_bytes))
    return _asking(reader, reader_model).read(data, name=name)


def too_large(size: int, limit: int) -> str:
    return f"too large: {size / 1e6:,.0f} MB, and at most {limit / 1e6:,.0f} MB are read at once; split it"


def receive(data: bytes, *, name: str, by: User | None = None, digest: str = "") -> Source:
    """Keep what was received, before anything is made of it. The same bytes again give the same source.

    What was erased of these bytes is not kept again; ``digest`` names them where that was done before.
    """
    digest = digest or hashlib.sha256(data).hexdigest()
    data = erasure.redacted(digest, data)
    content = zstandard.compress(data) if len(data) <= MAX_KEPT_BYTES else None
    fields = {"name": storable(name)[:500], "size": len(data), "content": content, "received_by": by}
    return Source.objects.get_or_create(sha256=digest, defaults=fields)[0]


def import_source(
    data: bytes,
    *,
    name: str,
    site: str = DEFAULT_SITE,
    format: str | None = None,  # noqa: A002
    by: User | None = None,
    progress: Callable[[int], None] | None = None,
    reader_model: ReaderModel | None = None,
) -> Report:
    """Read ``data`` and store what is in it; a source that cannot be read leaves nothing behind."""
    started = time.monotonic()
    digest = hashlib.sha256(data).hexdigest()
    data = erasure.redacted(digest, data)
    earlier = Source.objects.filter(sha256=digest).defer("content").first()
    if earlier and (report := _already_imported(earlier, name=name, format=format, model=reader_model)):
        return report
    reading = read(data, name=name, format=format, reader_model=reader_model)
    if reading.rejected:
        return rejected(name, reading.rejected)
    if earlier and _failed_to_better(earlier, reading):
        return _unchanged(earlier, name=name, problems=_problems(reading))
    source = receive(data, name=name, by=by, digest=digest)
    return _store(reading, source=source, site=site, name=name, started=started, progress=progress)


def import_received(
    source_id: int,
    *,
    site: str,
    format: str | None = None,  # noqa: A002
    reader_model: ReaderModel | None = None,
) -> Report:
    """Import what ``receive`` kept: the worker's half of an upload. Rejections stay on the source, to be read."""
    started = time.monotonic()
    source = Source.objects.get(pk=source_id)
    if report := _already_imported(source, name=source.name, format=format, model=reader_model):
        return report
    if source.content is None:
        reading = Reading("", "", rejected="the bytes of this source were too large to be kept; import its file again")
    else:
        Source.objects.filter(pk=source_id).update(state=Source.State.RUNNING, progress=0)
        data = zstandard.decompress(bytes(source.content))
        reading = read(data, name=source.name, format=format, reader_model=reader_model)
    if reading.rejected:
        report = rejected(source.name, reading.rejected)
        Source.objects.filter(pk=source_id).update(state=Source.State.REJECTED, report=report.as_json())
        return report
    if _failed_to_better(source, reading):
        Source.objects.filter(pk=source_id).update(state=Source.State.DONE)
        return _unchanged(source, name=source.name, problems=_problems(reading))
    try:
        with LiveProgress(source_id) as progress:
            return _store(reading, source=source, site=site, name=source.name, started=started, progress=progress)
    except Exception:  # said to the person who waits; the worker logs it and tries again
        report = rejected(source.name, "stopped by an error that is not in the source; it is kept, import it again")
        Source.objects.filter(pk=source_id).update(state=Source.State.REJECTED, report=report.as_json())
        raise


def _already_imported(
    source: Source,
    *,
    name: str,
    format: str | None,  # noqa: A002
    model: ReaderModel | None,
) -> Report | None:
    """The report for bytes that were imported before by the same reader, under whatever name.

    What a reading model read stays as it is where none is asked for: an import without it must not undo its reading.
    """
    reader = READERS.get(format or source.format)
    if source.state != Source.State.DONE or reader is None:
        return None
    stays = model is None and format in {None, source.format} and BY_MODEL in source.reader_version
    if not stays and _asking(reader, model).version != source.reader_version:
        return None
    return _unchanged(source, name=name)


def _failed_to_better(source: Source, reading: Reading) -> bool:
    """Whether a reading model was to read again what one had read, and could not: the built-in reading is worse."""
    read_by_model = BY_MODEL in source.reader_version and source.format == reading.format
    return read_by_model and BY_MODEL not in reading.reader_version


def _problems(reading: Reading) -> list[str]:
    return [str(problem) for discussion in reading.discussions for problem in discussion.problems]


def _unchanged(source: Source, *, name: str, problems: Sequence[str] = ()) -> Report:
    report = Report(source=name, sha256=source.sha256, format=source.format, encoding=source.encoding)
    articles = Article.objects.filter(source_id=source.pk).order_by("pk")
    report.outcomes[Outcome.UNCHANGED.value] = articles.count()
    if first := articles.first():
        report.article_id, report.title = first.pk, first.title
    report.comments = source.report.get("comments", 0)
    report.characters = source.report.get("characters", {})
    report.left_out = source.report.get("left_out", {})
    renamed = f" as {source.name}" if source.name != name else ""
    report.reason = f"already imported{renamed} on {source.received_at:%Y-%m-%d}"
    if problems:
        report.reason = "kept as a reading model read it before: this time none did"
        report.note(list(problems))
    return report


def _store(
    reading: Reading,
    *,
    source: Source,
    site: str,
    name: str,
    started: float,
    progress: Callable[[int], None] | None,
) -> Report:
    report = Report(source=name, sha256=source.sha256, format=reading.format, encoding=reading.encoding)
    home = loader.site_named(site)
    report.note([str(problem) for problem in reading.problems])
    for discussion in reading.discussions:
        stored = loader.store(discussion, source=source, site=home, text=reading.text, progress=progress)
        report.outcomes[stored.outcome.value] += 1
        report.comments += stored.comments
        report.reason = report.reason or stored.reason
        if report.article_id is None:
            report.article_id, report.title = stored.article_id, discussion.title
        report.note([str(problem) for problem in stored.problems])
        _count_characters(report, discussion, reading.length)
    report.seconds = round(time.monotonic() - started, 3)
    Source.objects.filter(pk=source.pk).update(
        state=Source.State.DONE,
        format=reading.format,
        encoding=reading.encoding,
        reader_version=reading.reader_version,
        report=report.as_json(),
    )
    return report


def _count_characters(report: Report, discussion: Discussion, length: int) -> None:
    """Say where each character of the text went. Formats that are not plain text have no spans to count."""
    if discussion.article_span is None:
        return
    report.characters = {name.replace("_", " "): count for name, count in account(discussion, length).items()}
    report.characters["total"] = length
    for span, reason in discussion.left_out:
        report.left_out[reason] = report.left_out.get(reason, 0) + span.end - span.start


def dry_run(reading: Reading, *, name: str) -> dict[str, Any]:
    """What an import would find, for ``--dry-run --json``: offsets in code points of the decoded text, half-open."""
    if reading.rejected:
        return {"source": name, "rejected": reading.rejected}
    discussion = next(iter(reading.discussions))
    index = {post.external_id: i for i, post in enumerate(discussion.comments)}
    start, end = discussion.article_span or (0, 0)
    comments = [
        {
            "start": post.span.start if post.span else None,
            "end": post.span.end if post.span else None,
            "parent": None if post.parent is None else index.get(post.parent),
            "author": post.author,
            "posted_at": post.posted_at.isoformat() if post.posted_at else None,
            "boundary_confidence": post.boundary_claim.confidence,
            "parent_confidence": post.parent_claim.confidence,
            "basis": {
                "boundary": post.boundary_claim.basis,
                "parent": post.parent_claim.basis,
                "author": post.author_claim.basis,
                "date": post.date_claim.basis,
            },
        }
        for post in discussion.comments
    ]
    article = {"start": start, "end": end}
    return {"source": name, "title": discussion.title, "article": article, "comments": comments}
