"""Taking away for good: what is wiped where, following an entry of the list of suppressions.

An erasure writes its entry first (``entry_for``, ``suppressions.append``) and then follows it (``follow``): so does
``manage.py apply_suppressions`` on a database that was restored from an older backup, and an import that brings the
same material again (``suppress``). All of it may be done twice without harm. Each article is one transaction. What is
left is the comment's place, as a tombstone, and log entries without content.
"""

from __future__ import annotations

import codecs
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import zstandard
from django.db import transaction
from django.db.models import Model, QuerySet
from django.utils import timezone

from archive import counters, decision_log, holdings, masks, outbox, queries, redaction, suppressions
from archive.decision_log import Machine
from archive.entities import resolver
from archive.holdings import How
from archive.ingest.readers.decoding import decode
from archive.models import (
    Alias,
    Article,
    Author,
    Case,
    Comment,
    Correction,
    Decision,
    DecisionReason,
    Entity,
    Judgement,
    Masked,
    Mention,
    Reason,
    Report,
    Review,
    Revision,
    Rule,
    SavedView,
    SearchDocument,
    Source,
    Suppression,
    Trial,
    Waiting,
)
from archive.redaction import RUN, Marks, merged
from archive.search import index
from archive.suppressions import Entry

if TYPE_CHECKING:
    from accounts.models import User

LEAST_WHOLE = 3  # words of a short comment that are looked for anywhere else, and not only as a quoted line
RESTORED = Machine("list of suppressions")

type Progress = Callable[[int], None]
type Spans = list[tuple[int, int]]

# A comment's place stays, and when it was written; what it said and who wrote it do not.
_WIPED: dict[str, Any] = {
    **dict.fromkeys(("body", "html", "author_name", "external_id", "missing_parent"), ""),
    **dict.fromkeys(("author", "boundary_reason", "parent_reason", "author_reason", "date_reason")),
    "status": Comment.Status.ERASED,
    "cause": Decision.Cause.CASE,
}
ERASED_TITLE = "Erased article"
# Where an article was published, when, and its discussion stay; what it says and who wrote it do not.
_WIPED_TEXT: dict[str, Any] = {
    **dict.fromkeys(("byline", "body", "html", "url", "slug", "language"), ""),
    "title": ERASED_TITLE,
    "is_erased": True,
}


# --- The entry -------------------------------------------------------------------------------------------------------


def article_name(article: Article) -> str:
    """The digest of an article's name: what it is known by in the list, whatever its id in another database."""
    return suppressions.digest()(["article", article.site.name, bytes(article.key).hex()])


def comment_name(article_digest: str, external_key: bytes) -> str:
    return suppressions.digest()(["comment", article_digest, bytes(external_key).hex()])


def entry_for(
    case_id: int,
    members: Mapping[int, Collection[int]],
    *,
    touched: Collection[int],
    quoting: Mapping[int, Collection[int]],
    words: Iterable[str],
    left_out: Collection[str],
    entry_id: str,
    texts_of: Collection[int] = (),
) -> Entry:
    """The entry of an erasure: ``members`` are comments by article, ``touched`` other articles to be swept.

    ``quoting`` are other comments of which some lines may be a part of what a member says. ``texts_of`` are articles
    of which the text itself goes.
    """
    digest = suppressions.digest()
    named = redaction.marks_of(words, digest)
    whole, quoted, runs, texts = named.anywhere, dict[int, set[str]](), set[str](), set[str]()
    called: dict[int, set[str]] = {}
    entry = Entry(entry_id, case_id, timezone.now().isoformat(timespec="seconds"), left_out=sorted(left_out))
    for article in _articles({*members, *touched, *texts_of}):
        name = article_name(article)
        entry.articles.append([article.pk, name])
        if article.pk in texts_of:
            entry.own.append(name)
            for text in _own_texts(article):
                runs |= redaction.runs_of(text, digest)
                quoted = merged(quoted, redaction.lines_of(text, digest))
                if len(said := redaction.keys(text)) >= RUN:
                    texts.add(digest(said))
            called = merged(called, redaction.marks_of((article.title, article.byline), digest).anywhere)
        for comment in _comments(article.pk, members.get(article.pk, ())):
            entry.comments.append([article.pk, comment.pk, comment_name(name, bytes(comment.external_key))])
            for body in (comment.body, *_earlier(comment)):
                runs |= redaction.runs_of(body, digest)
                quoted = merged(quoted, redaction.lines_of(body, digest))
                said = redaction.keys(body)
                if len(said) >= RUN:
                    texts.add(digest(said))
                elif len(said) >= LEAST_WHOLE:
                    whole = merged(whole, {len(said): [digest(said)]})
    quoted = merged(quoted, _quoted_in(quoting, members, texts_of, digest))
    entry.runs.extend(sorted(runs))
    entry.texts.extend(sorted(texts))
    entry.words.update({str(length): sorted(some) for length, some in whole.items()})
    entry.names.update({str(length): sorted(some) for length, some in called.items()})
    entry.quoted.update({str(length): sorted(some) for length, some in quoted.items()})
    entry.sources.update(_spans(entry, members, texts_of))
    return entry


def _own_texts(article: Article) -> list[str]:
    """What an article says and said itself, its title included."""
    row = Article.objects.values_list("title", "body").get(pk=article.pk)
    own = Revision.objects.filter(article_id=article.pk, comment=None).values_list("body", flat=True)
    kept = Masked.objects.filter(table="article", row=article.pk, field__in=["title", "body"])
    return [*row, *own, *kept.values_list("before", flat=True)]


def _articles(article_ids: Collection[int]) -> Iterable[Article]:
    for pk in sorted(article_ids):
        if article := queries.articles().select_related("site").defer("body", "html").filter(pk=pk).first():
            yield article


def _comments(article_id: int, pks: Collection[int]) -> Iterable[Comment]:
    rows = queries.comments().filter(article_id=article_id, pk__in=pks).defer("html").order_by("pk")
    return rows.iterator(chunk_size=2_000)


def _earlier(comment: Comment) -> list[str]:
    """What the comment said before it was read again or masked."""
    own = Revision.objects.filter(article_id=comment.article_id, comment=comment).values_list("body", flat=True)
    kept = Masked.objects.filter(article_id=comment.article_id, table="comment", row=comment.pk, field="body")
    return [*own, *kept.values_list("before", flat=True)]


def _quoted_in(
    quoting: Mapping[int, Collection[int]],
    members: Mapping[int, Collection[int]],
    texts_of: Collection[int],
    digest: redaction.Digest,
) -> dict[int, set[str]]:
    """The quoted lines that are a part of what a member, or one of these articles, says, by their number of words."""
    lines: dict[str, int] = {}
    for article_id, pks in quoting.items():
        for comment in _comments(article_id, pks):
            for body in (comment.body, *_earlier(comment)):
                lines.update((" ".join(said), len(said)) for said in redaction.quoted_lines(body))
    found: dict[int, set[str]] = {}
    said_by = (comment.body for article_id, pks in members.items() for comment in _comments(article_id, pks))
    own = (text for article in _articles(texts_of) for text in _own_texts(article))
    for text in (*own, *said_by) if lines else ():
        whole = " ".join(["", *redaction.keys(text), ""])
        for line in [line for line in lines if f" {line} " in whole]:
            found.setdefault(lines.pop(line), set()).add(digest(line.split(" ")))
    return found


def _spans(
    entry: Entry, members: Mapping[int, Collection[int]], texts_of: Collection[int]
) -> dict[str, list[list[int]]]:
    """Where in each source something is to be overwritten: the comments, bylines beside them, and what is marked."""
    found: dict[str, list[list[int]]] = {}
    ids = [pk for pk, _ in entry.articles]
    marks, digest = entry.marks(), suppressions.digest()
    for source in Source.objects.filter(article__in=ids).distinct().order_by("pk").iterator(chunk_size=1):
        if source.content is None:
            continue
        text = decode(zstandard.decompress(bytes(source.content))).text
        places: Spans = []
        kept: Spans = []
        for article in Article.objects.filter(source=source, pk__in=ids).order_by("pk"):
            wiped, stay = _places(article.pk, text, members.get(article.pk, ()), entry.left_out)
            places, kept = places + wiped, kept + stay
            if article.pk in texts_of:
                places += _places_of_text(article, text)
        seen = redaction.cover(text, kept)  # what a person took out of the scope is not looked at
        places += redaction.find(seen, marks)
        whole = merged(_whole_texts(members, source), _whole_articles(texts_of, source))
        places += redaction.find(seen, redaction.Marks(whole, digest=digest))
        if places:
            found[source.sha256] = [list(place) for place in sorted(set(places))]
    return found


def _places(article_id: int, text: str, pks: Collection[int], left_out: Collection[str]) -> tuple[Spans, Spans]:
    """The spans of the comments and of their authors' names beside them; and the spans of those that were taken out."""
    rows = list(
        queries.comments()
        .filter(article_id=article_id, span_start__isnull=False)
        .order_by("span_start")
        .values_list("pk", "span_start", "span_end", "author_name")
    )
    wiped: Spans = []
    kept: Spans = []
    members = set(pks)
    for number, (pk, start, end, author) in enumerate(rows):
        if f"comment:{pk}" in left_out:
            kept.append((start or 0, end or 0))
        if pk not in members or start is None or end is None:
            continue
        wiped.append((start, end))
        before = rows[number - 1][2] or 0 if number else 0
        after = (rows[number + 1][1] or 0) if number + 1 < len(rows) else len(text)
        names = redaction.marks_of([author])
        for gap, gap_end in ((before, start), (end, after)):
            wiped += [(gap + a, gap + b) for a, b in redaction.find(text[gap:gap_end], names)]
    return wiped, kept


def _places_of_text(article: Article, text: str) -> Spans:
    """The span of an article's own text, its title and byline wherever they stand, but nothing of the comments."""
    if article.span_start is None or article.span_end is None:
        return []
    rows = queries.comments().filter(article_id=article.pk, span_start__isnull=False).order_by("span_start")
    outside: Spans = []
    at = 0
    for start, end in [*rows.values_list("span_start", "span_end"), (len(text), len(text))]:
        outside += [(at, start or 0)] if (start or 0) > at else []
        at = max(at, end or 0)
    names = redaction.marks_of((article.title, article.byline))
    own = [(max(a, article.span_start), min(b, article.span_end)) for a, b in outside]
    named = [(a + start, a + end) for a, b in outside for start, end in redaction.find(text[a:b], names)]
    return [(a, b) for a, b in own if a < b] + named


def _whole_articles(texts_of: Collection[int], source: Source) -> dict[int, set[str]]:
    """The same of articles that have no place of their own in the source: title, byline and text."""
    digest, found = suppressions.digest(), dict[int, set[str]]()
    for article in Article.objects.filter(source=source, pk__in=texts_of, span_start__isnull=True):
        for text in (article.title, article.byline, article.body):
            if said := redaction.keys(text):
                found.setdefault(len(said), set()).add(digest(said))
    return found


def _whole_texts(members: Mapping[int, Collection[int]], source: Source) -> dict[int, set[str]]:
    """The texts of comments that have no place of their own in the source, by their number of words."""
    digest, found = suppressions.digest(), dict[int, set[str]]()
    for pk in Article.objects.filter(source=source, pk__in=members).values_list("pk", flat=True):
        for comment in queries.comments().filter(article_id=pk, pk__in=members[pk], span_start__isnull=True):
            for text in (comment.body, comment.author_name):
                if said := redaction.keys(text):
                    found.setdefault(len(said), set()).add(digest(said))
    return found


# --- Following it ----------------------------------------------------------------------------------------------------


def follow(entry: Entry, *, by: User | Machine = RESTORED, done: int = 0, progress: Progress | None = None) -> int:
    """Wipe what the entry names, wherever it is; return how many comments were wiped. ``done`` articles are skipped."""
    comments = 0
    sources = dict(entry.sources)
    marks = entry.marks()
    for number, article_id in enumerate(_found(entry), 1):
        if number > done:
            comments += _follow_in(entry, article_id, marks, by)
        if progress:
            progress(number)
    for sha256, spans in sources.items():
        with transaction.atomic():
            _overwrite(sha256, [(start, end) for start, end in spans], entry.case, marks, entry.marks_of_names())
    with transaction.atomic():
        _sweep_shared(marks)
        _sweep_rules(marks)
        _sweep_cases(entry.case, marks)
        erase_reasons(DecisionReason.objects.filter(case_id=None), marks, case_id=entry.case, by=by)
        Suppression.objects.get_or_create(entry=entry.id)
    return comments


def _found(entry: Entry) -> list[int]:
    """The articles by their names: by their ids where these still are theirs, looked for otherwise."""
    ids, missing = [], set()
    for pk, name in entry.articles:
        article = queries.articles().select_related("site").only("key", "site__name").filter(pk=pk).first()
        if article is not None and article_name(article) == name:
            ids.append(pk)
        else:
            missing.add(name)
    if missing:
        rows = queries.articles().select_related("site").only("key", "site__name").order_by("pk")
        ids += [article.pk for article in rows.iterator() if article_name(article) in missing]
    return ids


def _follow_in(entry: Entry, article_id: int, marks: Marks, by: User | Machine) -> int:
    with transaction.atomic():
        article = _locked(article_id)
        if article is None:
            return 0
        names = {name for _, _, name in entry.comments}
        own = article_name(article)
        keys = queries.comments().filter(article_id=article_id).values_list("pk", "external_key", "status")
        members = [pk for pk, key, status in keys.iterator() if comment_name(own, bytes(key)) in names]
        text = own in entry.own
        return _wipe(article, members, marks, text=text, left_out=entry.left_out, case_id=entry.case, by=by).comments


def suppress(article_id: int) -> None:
    """Take out of an article that was just stored what was erased before. Belongs into the import's transaction."""
    known = suppressions.entries()
    if not known:
        return
    article = _locked(article_id)
    if article is None:
        return
    own, digest = article_name(article), suppressions.digest()
    here = [entry for entry in known if any(name == own for _, name in entry.articles)]
    names = {name for entry in here for _, _, name in entry.comments}
    texts = {text for entry in known for text in entry.texts}
    rows = queries.comments().filter(article_id=article_id).values_list("pk", "external_key", "body")
    members = [
        pk
        for pk, key, body in rows.iterator(chunk_size=2_000)
        if comment_name(own, bytes(key)) in names or digest(redaction.keys(body)) in texts
    ]
    parts = [entry.marks() for entry in here]
    runs = {RUN: frozenset(run for entry in known for run in entry.runs)}
    marks = Marks(
        merged(runs, *(part.anywhere for part in parts)), merged(*(part.quoted for part in parts)), digest=digest
    )
    left_out = {key for entry in here for key in entry.left_out}
    text = any(own in entry.own for entry in known) or digest(redaction.keys(article.body)) in texts
    spans = _spans_again(article, members, text=text) if members or text else []
    if _wipe(article, members, marks, text=text, left_out=left_out, case_id=None, by=RESTORED).changed:
        _overwrite(article.source.sha256, spans, None, marks, Marks(), everywhere=True)


def _spans_again(article: Article, members: Collection[int], *, text: bool) -> Spans:
    """Where in another source, from which the article was read, what was erased before stands."""
    if article.source.content is None:
        return []
    said = decode(zstandard.decompress(bytes(article.source.content))).text
    places = _places(article.pk, said, members, ())[0]
    own = _places_of_text(article, said) if text else []
    whole = merged(
        _whole_texts({article.pk: members}, article.source),
        _whole_articles([article.pk] if text else [], article.source),
    )
    return [*places, *own, *redaction.find(said, Marks(whole, digest=suppressions.digest()))]


def redacted(sha256: str, data: bytes) -> bytes:
    """The bytes of a source as they may be kept: what was erased of them is overwritten."""
    spans = suppressions.spans_in(sha256)
    if not spans:
        return data
    text = decode(data).text
    return data if redaction.BLOCK in text and _stands(text, spans) else _encoded(redaction.cover(text, spans))


def _stands(text: str, spans: Spans) -> bool:
    return redaction.cover(text, spans) == text


def _encoded(text: str) -> bytes:
    """With a mark, so that the text comes out as it is, whatever it begins with."""
    return codecs.BOM_UTF8 + text.encode()


def _locked(article_id: int) -> Article | None:
    rows = queries.articles().filter(pk=article_id).select_related("site", "source")
    rows = rows.defer("source__content")
    return rows.select_for_update(no_key=True, of=("self",)).first()


# --- One article -----------------------------------------------------------------------------------------------------


class Wiped(NamedTuple):
    """How many comments were emptied, and whether anything at all was taken away."""

    comments: int
    changed: bool


def _wipe(
    article: Article,
    members: Sequence[int],
    marks: Marks,
    *,
    text: bool,
    left_out: Collection[str],
    case_id: int | None,
    by: User | Machine,
) -> Wiped:
    """Empty these comments of an article that is locked, and cover what is marked in everything else of it.

    ``text``: empty the article's own text as well.
    """
    rows = list(queries.comments().filter(article_id=article.pk, pk__in=members).order_by("pk"))
    fresh = [row for row in rows if row.status != Comment.Status.ERASED]
    named = counters.entities_in([article.pk])
    if case_id and rows:
        said = queries.decisions().filter(article_id=article.pk, target_id__in=[row.pk for row in rows])
        reasons = DecisionReason.objects.filter(case_id=None, pk__in=said.order_by().values("said_id"))
        erase_reasons(reasons, redaction.marks_of({row.author_name for row in rows}), case_id=case_id, by=by)
    _empty(article, rows)
    gone = [_log_entry(row, case_id) for row in fresh]
    if text:
        gone += [] if article.is_erased else [_log_entry(article, case_id)]
        _empty_text(article)
    swept = _sweep(article, marks, members, left_out)
    if not gone and not swept:
        return Wiped(0, False)
    resolver.relink(article.pk, swept)
    list(Entity.objects.filter(pk__in=named).order_by("pk").select_for_update(no_key=True).values_list("pk"))
    _forget_entities(named)
    counters.recount_articles([article.pk])
    counters.recount_entities(named)
    counters.raise_versions([article.pk])
    index.index(article.pk, None)
    outbox.add(article.pk)
    if gone:
        decision_log.append(gone, by=by, reason="erased")
    return Wiped(len(fresh), True)


def _log_entry(row: Comment | Article, case_id: int | None) -> Decision:
    target, article_id = ("comment", row.article_id) if isinstance(row, Comment) else ("article", row.pk)
    return Decision(
        action=Decision.Action.ERASE,
        target=target,
        article_id=article_id,
        target_id=row.pk,
        revision=row.version,
        from_state=row.status,
        to_state=Comment.Status.ERASED,
        cause=Decision.Cause.CASE,
        case_id=case_id,
    )


def _empty_text(article: Article) -> None:
    """The article's own text and what belongs to it alone; what archivists noted of its title and byline, too."""
    here = {"article_id": article.pk, "comment_id": None}
    for model in (Revision, Mention, Judgement, SearchDocument):
        manager: Any = model._default_manager
        manager.filter(**here).delete()
    Report.objects.filter(**here).update(snapshot="", reason="", note="", outcome="")
    Masked.objects.filter(table="article", row=article.pk).delete()
    Review.objects.filter(article_id=article.pk).update(proposal=None)
    names = redaction.marks_of((article.title, article.byline))
    _save(Correction.objects.filter(article_id=article.pk), holdings.OF_ARTICLE[Correction], names)
    Article.objects.filter(pk=article.pk).update(**_WIPED_TEXT)
    article.refresh_from_db()


def _empty(article: Article, rows: Sequence[Comment]) -> None:
    """The comments and what belongs to them alone: revisions, mentions, judgements, reports, what a mask kept."""
    pks = [row.pk for row in rows]
    if not pks:
        return
    here = {"article_id": article.pk, "comment_id__in": pks}
    for model in (Revision, Mention, Judgement, SearchDocument):
        manager: Any = model._default_manager
        manager.filter(**here).delete()
    Report.objects.filter(**here).update(snapshot="", reason="", note="", outcome="")
    Masked.objects.filter(article_id=article.pk, table="comment", row__in=pks).delete()
    names = redaction.marks_of({row.author_name for row in rows})
    Review.objects.filter(article_id=article.pk).update(proposal=None)
    _save(Correction.objects.filter(article_id=article.pk), holdings.OF_ARTICLE[Correction], names)
    queries.comments().filter(article_id=article.pk, pk__in=pks).update(**_WIPED)
    gone = {row.author_id: row.author_name for row in rows if row.author_id}
    for author_id in list(gone):
        if queries.comments().filter(author_id=author_id).exists():
            del gone[author_id]
    Author.objects.filter(pk__in=gone).delete()
    _forget_views(redaction.marks_of(gone.values()))


def _forget_views(marks: Marks) -> None:
    """Nobody finds a name again in what moderators narrow the queue to once nothing stands under it."""
    if marks:
        views = SavedView.objects.order_by("pk").iterator()
        found = holdings.sweep(views, holdings.SHARED[SavedView], marks)
        SavedView.objects.filter(pk__in=[view.pk for view, _ in found]).delete()


def _sweep(article: Article, marks: Marks, members: Collection[int], left_out: Collection[str]) -> set[int | None]:
    """Cover what is marked in the rest of the article; return the texts that changed, None for its own."""
    swept: set[int | None] = set()
    if f"article:{article.pk}" not in left_out:
        swept |= {None} if _save([article], holdings.OWN, marks) else set()
    out = {int(key.partition(":")[2]) for key in left_out if key.startswith("comment:")} | set(members)
    for model, fields in holdings.OF_ARTICLE.items():
        manager: Any = model._default_manager
        rows = manager.filter(article_id=article.pk).order_by("pk").iterator(chunk_size=2_000)
        kept_out = (row for row in rows if _comment_of(row) not in out)
        if model in (Mention, Judgement):
            gone = [row for row, _ in holdings.sweep(kept_out, fields, marks)]
            manager.filter(article_id=article.pk, pk__in=[row.pk for row in gone]).delete()
            swept |= {row.comment_id for row in gone}
            continue
        changed = _save(kept_out, fields, marks)
        swept |= {row.pk for row in changed if isinstance(row, Comment)}
    _sweep_authors(article, swept)
    _save_masked(article.pk, marks)
    return swept


def _comment_of(row: Any) -> int | None:
    return int(row.pk) if isinstance(row, Comment) else getattr(row, "comment_id", None)


def _save(rows: Iterable[Any], fields: Mapping[str, How], marks: Marks) -> list[Any]:
    """Write what changes, row by row; return the rows."""
    changed = holdings.sweep(rows, fields, marks)
    for row, new in changed:
        where = {"article_id": row.article_id} if isinstance(row, Comment) else {}
        type(row)._default_manager.filter(pk=row.pk, **where).update(**new)
    return [row for row, _ in changed]


def _sweep_authors(article: Article, swept: Collection[int | None]) -> None:
    """A byline that was covered stands under a name of its own; the old one goes where nothing else has it."""
    rows = queries.comments().filter(article_id=article.pk, pk__in=[pk for pk in swept if pk], author__isnull=False)
    for comment in rows.select_related("author").order_by("pk"):
        author = comment.author
        if author is None or author.name == comment.author_name:
            continue
        named = masks.author_named(article.pk, comment.author_name)
        queries.comments().filter(article_id=article.pk, pk=comment.pk).update(author_id=named)
        if not queries.comments().filter(author_id=author.pk).exists():
            Author.objects.filter(pk=author.pk).delete()


def _save_masked(article_id: int, marks: Marks) -> None:
    for one in Masked.objects.filter(article_id=article_id).order_by("pk").iterator():
        cover = redaction.covered_html if one.field == "html" else redaction.covered
        before, after = cover(one.before, marks), cover(one.after, marks)
        if (before, after) != (one.before, one.after):
            Masked.objects.filter(pk=one.pk).update(before=before, after=after)


def _forget_entities(entity_ids: Collection[int]) -> None:
    """Entities that nothing mentions any more go with what mentioned them, and so do their other names."""
    for pk in sorted(entity_ids):
        if queries.mentions().filter(entity_id=pk).exists():
            continue
        Alias.objects.filter(entity_id=pk).delete()
        kept = Judgement.objects.filter(entity_id=pk) | Judgement.objects.filter(other_id=pk)
        if kept.exists() or Entity.objects.filter(merged_into_id=pk).exists():
            covered = {"name": f"erased {pk}", "description": "", "external_ids": {}}
            Entity.objects.filter(pk=pk).update(**covered)
        else:
            Entity.objects.filter(pk=pk).delete()


# --- What no article owns --------------------------------------------------------------------------------------------


def _overwrite(
    sha256: str, spans: Spans, case_id: int | None, marks: Marks, names: Marks, *, everywhere: bool = False
) -> None:
    """Overwrite these parts of a source, and say so in its row. The sha256 stays: it is what was received.

    ``names`` are covered in its name and report as well; ``everywhere``: what is marked is looked for, too.
    """
    source = Source.objects.select_for_update().filter(sha256=sha256).first()
    if source is None:
        return
    for some in (marks, names):
        _save([source], holdings.OF_SOURCE, some)
        source.refresh_from_db(fields=["name", "report"])
    if source.content is None:
        return
    text = decode(zstandard.decompress(bytes(source.content))).text
    new = redaction.cover(text, spans + redaction.find(text, marks) if everywhere else spans)
    if new == text:
        return
    size = sum(a != b for a, b in zip(text, new, strict=True))
    source.redacted.append({"case": case_id, "at": timezone.now().isoformat(timespec="seconds"), "code_points": size})
    content = zstandard.compress(_encoded(new))
    Source.objects.filter(pk=source.pk).update(content=content, redacted=source.redacted)


def _sweep_shared(marks: Marks) -> None:
    for model, fields in holdings.SHARED.items():
        manager: Any = model._default_manager
        rows: Iterable[Model] = manager.order_by("pk").iterator(chunk_size=2_000)
        for row, new in holdings.sweep(rows, fields, marks):
            if isinstance(row, Alias | SavedView):
                row.delete()
            elif isinstance(row, Author):
                _cover_author(row, new["name"])
            elif isinstance(row, Reason):
                manager.filter(pk=row.pk).update(text=f"{new['text'][:180]} {row.pk}")
            else:
                manager.filter(pk=row.pk).update(**new)


def _cover_author(author: Author, name: str) -> None:
    """A name that only erased comments had is gone; one that stands over others keeps standing over them."""
    if not queries.comments().filter(author_id=author.pk).exists():
        author.delete()


def _sweep_rules(marks: Marks) -> None:
    """A rule that looks for what was erased is switched off, and has to be tried again before it is used.

    Cards of what a rule holds have its name.
    """
    for model, fields in holdings.OF_RULE.items():
        manager: Any = model._default_manager
        if model is Waiting:
            _save(manager.filter(kind="held").order_by("pk").iterator(chunk_size=2_000), fields, marks)
            continue
        for row in _save(manager.order_by("pk"), fields, marks):
            rule_id = row.pk if isinstance(row, Rule) else row.rule_id
            Rule.objects.filter(pk=rule_id).update(is_on=False)
            Trial.objects.filter(rule_id=rule_id).delete()


def _sweep_cases(case_id: int, marks: Marks) -> None:
    """What the case was about is not told any more, and no case's notes quote it; nor what others say that are over."""
    over = Case.objects.filter(closed_at__isnull=False)
    about = [one.pk for one in over if any(redaction.find(said, marks) for said in _scope_of(one))]
    Case.objects.filter(pk__in=[case_id, *about]).update(scope={}, words=[])
    Masked.objects.filter(case_id=case_id).delete()
    for model, fields in holdings.OF_CASE.items():
        manager: Any = model._default_manager
        _save(manager.order_by("pk"), fields, marks)


def _scope_of(case: Case) -> list[str]:
    return [*case.words, *(said for said in case.scope.values() if isinstance(said, str))]


def erase_reasons(rows: QuerySet[DecisionReason], marks: Marks, *, case_id: int, by: User | Machine) -> None:
    """Empty, of these reasons in the log, those that say what is marked."""
    found = [row for row in rows.order_by("pk").iterator(chunk_size=2_000) if redaction.find(row.text, marks)]
    decision_log.erase_reasons(found, case_id=case_id, by=by)
