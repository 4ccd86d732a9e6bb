"""What a case is about: a scope that can be evaluated again, and every place where what it means can be seen.

Reads only. Counts stop at ``MOST``, and each kind of place is looked up with a fixed number of queries, so that a
preview takes no longer in a larger archive.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from itertools import batched
from typing import Any, NamedTuple

from django.db.models import Q, QuerySet
from django.db.models.functions import Left
from django.urls import reverse

from archive import queries, redaction
from archive.models import (
    Article,
    Case,
    Comment,
    Correction,
    Decision,
    DecisionReason,
    Judgement,
    Masked,
    Report,
    Revision,
    SearchDocument,
    Site,
    Source,
)
from archive.search import grammar, index

MOST = 50_000  # comments of one case; a wider scope has to be made narrower
PATIENCE = 0.7  # seconds that a preview looks for quotes; carrying out looks for those of all
PROBED = 8  # comments of which quotes are looked for at once
PROBES = 4  # places of a comment's text that are looked up
TEXT_PROBES = 60  # of an article's
REPEATED = 200  # comments that are looked at for each
PROBE = 5  # words of each
SAMPLES = 8  # hits of each kind that a preview names
MOST_COUNTED = 10_000
MOST_COMPARED = 5_000  # comments of a case that hidden texts elsewhere are compared with
EXCERPT = 160  # code points


@dataclass(frozen=True)
class Scope:
    """The conditions narrow each other; ``comments`` were picked by hand and are added, ``left_out`` is taken away.

    ``texts`` are articles of which the text itself is meant, not the comments under it.
    ``left_out`` and what is handed out as a hit's ``key`` are ``comment:1`` or ``article:1``. ``found`` is what it
    meant when something was carried out: masked words are not found again by the words.
    """

    query: str = ""
    entity: int | None = None
    site: int | None = None
    author: str = ""
    articles: list[int] = field(default_factory=list)
    comments: list[int] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)
    found: list[int] = field(default_factory=list)
    texts: list[int] = field(default_factory=list)

    @classmethod
    def of(cls, case: Case) -> Scope:
        known = cls.__dataclass_fields__
        return cls(**{name: value for name, value in case.scope.items() if name in known})

    def as_json(self) -> dict[str, Any]:
        return {name: value for name, value in asdict(self).items() if value}

    @property
    def is_empty(self) -> bool:
        return not (self.query or self.entity or self.author or self.articles or self.comments or self.texts)

    def own_texts(self) -> list[int]:
        """The articles of which the text itself is meant, but for what was taken out."""
        return sorted(set(self.texts) - set(self.ids_left_out("article")))

    def ids_left_out(self, kind: str) -> list[int]:
        return [int(pk) for name, _, pk in (key.partition(":") for key in self.left_out) if name == kind]


class Hit(NamedTuple):
    """A place, with a link to it. ``key`` takes it out of the scope; empty where it belongs to another hit."""

    key: str
    words: str
    excerpt: str
    url: str


class Place(NamedTuple):
    """Hits of one kind. ``more`` says that there are more than were counted."""

    name: str
    title: str
    total: int
    more: bool
    hits: list[Hit]
    note: str = ""


type Members = dict[int, list[int]]  # article -> comments


def members(case: Case) -> Members:
    """The comments of a case by article, at most ``MOST`` + 1: what its scope means now, and what it decided on."""
    scope = Scope.of(case)
    rows: set[tuple[int, int]] = set()
    for found in _parts(case, scope):
        rows.update(found.order_by().values_list("article_id", "pk")[: MOST + 1 - len(rows)])
    out = set(scope.ids_left_out("comment"))
    by_article: Members = defaultdict(list)
    for article_id, pk in sorted(rows):
        if pk not in out:
            by_article[article_id].append(pk)
    return dict(by_article)


def _parts(case: Case, scope: Scope) -> Iterable[QuerySet[Comment]]:
    """The scope's conditions, what was picked by hand, and what the case has decided on, as three sets."""
    alive = queries.comments().exclude(status=Comment.Status.ERASED)
    if scope.query or scope.entity or scope.author or scope.articles:
        yield alive.filter(_conditions(scope))
    if picked := [*scope.comments, *scope.found]:
        yield alive.filter(pk__in=picked)
    decided = queries.decisions().filter(case_id=case.pk, target="comment", target_id__isnull=False)
    yield alive.filter(pk__in=decided.order_by().values("target_id"), cause=Decision.Cause.CASE)


def _conditions(scope: Scope) -> Q:
    wanted = Q()
    if scope.query:
        wanted &= Q(pk__in=index.comment_ids_with(grammar.parse(scope.query)))
    if scope.entity:
        about = Q(entity_id=scope.entity) | Q(entity__merged_into_id=scope.entity)
        named = queries.mentions().accepted().filter(about, comment__isnull=False)
        wanted &= Q(pk__in=named.order_by().values("comment_id"))
    if scope.author:
        authors = queries.authors().filter(key=queries.author_key(scope.author))
        if scope.site:
            authors = authors.filter(site_id=scope.site)
        wanted &= Q(author_id__in=list(authors.order_by().values_list("pk", flat=True)[:1000]))
    if scope.articles:
        wanted &= Q(article_id__in=scope.articles)
    if scope.site and not scope.author:
        wanted &= Q(article__site_id=scope.site)
    return wanted


def size(found: Mapping[int, Collection[int]]) -> int:
    return sum(map(len, found.values()))


# --- Quotes and words elsewhere --------------------------------------------------------------------------------------


def quotes(found: Members, *, left_out: Collection[int], patience: float | None = None) -> tuple[Members, int]:
    """Other comments that repeat these, and of how many of these they were looked for.

    Direct replies, and what the search index knows of their words: a line that begins with ">" and is a part of one of
    them, or ``redaction.RUN`` words in the same order. ``patience`` in seconds; None looks for those of all.
    """
    pairs = [(article_id, pk) for article_id, pks in found.items() for pk in pks]
    out = {pk for _, pk in pairs} | set(left_out)
    quoting: dict[int, set[int]] = defaultdict(set)
    started, looked = time.monotonic(), 0
    for some in batched(pairs, PROBED):
        if patience is not None and time.monotonic() - started > patience:
            break
        for article_id, pk in _quoting(some, out):
            quoting[article_id].add(pk)
        looked += len(some)
    return {article_id: sorted(pks) for article_id, pks in quoting.items()}, looked


def _quoting(pairs: Sequence[tuple[int, int]], out: Collection[int]) -> list[tuple[int, int]]:
    rows = queries.comments().filter(article_id__in={pair[0] for pair in pairs}, pk__in=[pk for _, pk in pairs])
    written = list(rows.order_by().values_list("body", "article__language"))
    runs = {run for body, _ in written for run in redaction.runs_of(body, redaction.plain)}
    whole = [" ".join(["", *redaction.keys(body), ""]) for body, _ in written]
    candidates = (_replies(pairs) | _repeating(written)) - set(out)
    other = queries.comments().filter(pk__in=candidates).exclude(status=Comment.Status.ERASED).order_by("pk")
    columns = other.values_list("article_id", "pk", "body")
    return [(article_id, pk) for article_id, pk, body in columns.iterator() if redaction.quotes(body, runs, whole)]


def _replies(pairs: Sequence[tuple[int, int]]) -> set[int]:
    rows = queries.comments().filter(article_id__in={pair[0] for pair in pairs}, parent_id__in=[pk for _, pk in pairs])
    return set(rows.order_by().values_list("pk", flat=True)[:MOST_COUNTED])


def _repeating(bodies: Sequence[tuple[str, str]]) -> set[int]:
    """Comments that the search index finds with some words of these in the same order; to be looked at."""
    probes = [(probe, language) for body, language in bodies for probe in probes_of(body, PROBES)]
    found = index.repeating(list(dict.fromkeys(probes)), most=REPEATED) if probes else set()
    return {pk for _, pk in found if pk is not None}


def quotes_of_texts(
    articles: Collection[int], *, left_out: Collection[int], most: int | None = None
) -> tuple[Members, set[int]]:
    """Comments that repeat the text of one of these articles, and the other articles that do, as ``quotes`` says.

    Of each, at most so many comments are looked at.
    """
    quoting: dict[int, list[int]] = defaultdict(list)
    others: set[int] = set()
    for article in queries.articles().filter(pk__in=articles).defer("html").order_by("pk"):
        runs = redaction.runs_of(f"{article.title}\n{article.body}", redaction.plain)
        whole = [" ".join(["", *redaction.keys(text), ""]) for text in (article.title, article.body)]
        probes = [(probe, article.language) for probe in probes_of(article.body, TEXT_PROBES)]
        found = index.repeating(probes, most=REPEATED) if probes else set()
        rows = queries.comments().filter(Q(article_id=article.pk) | Q(pk__in=[pk for _, pk in found if pk]))
        rows = rows.exclude(pk__in=left_out).exclude(status=Comment.Status.ERASED).order_by("pk")
        for article_id, pk, body in rows.values_list("article_id", "pk", "body")[:most].iterator():
            if redaction.quotes(body, runs, whole):
                quoting[article_id].append(pk)
        texts = queries.articles().filter(pk__in={pk for pk, comment in found if comment is None} - set(articles))
        others |= {pk for pk, body in texts.values_list("pk", "body") if redaction.quotes(body, runs, whole)}
    return dict(quoting), others


def joined(*parts: Members) -> Members:
    whole: dict[int, list[int]] = defaultdict(list)
    for part in parts:
        for article_id, pks in part.items():
            whole[article_id] += pks
    return dict(whole)


def probes_of(body: str, most: int) -> list[str]:
    """A few stretches of a text, spread over it, each long enough to be rare."""
    words = redaction.keys(body)
    if len(words) < PROBE:
        return []
    step = max(PROBE - 1, (len(words) - PROBE) // most + 1)
    return [" ".join(words[at : at + PROBE]) for at in range(0, len(words) - PROBE + 1, step)]


def saying(words: Sequence[str], *, site: int | None, limit: int) -> list[tuple[int, int | None]]:
    """Article and comment (None: its own text) of visible texts with one of the words; the newest first."""
    phrases = [" ".join(keys) for word in words if (keys := redaction.keys(word))]
    found = index.saying(phrases).order_by("-pk")
    if site:
        found = found.filter(article__site_id=site)
    return list(found.values_list("article_id", "comment_id")[:limit])


def touched(case: Case, found: Members) -> list[int]:
    """The articles in which the case covers words: those of its comments, of their quotes, and where they are said."""
    scope = Scope.of(case)
    ids = {*found, *scope.articles}
    ids |= {article_id for article_id, _ in saying(case.words, site=scope.site, limit=MOST)}
    masked = Masked.objects.filter(case=case).order_by().values_list("article_id", flat=True)
    ids |= {pk for pk in masked.iterator() if pk}
    out = scope.ids_left_out("comment")
    ids |= set(quotes(found, left_out=out)[0])
    texts = scope.own_texts()
    quoting, others = quotes_of_texts(texts, left_out=out)
    ids |= {*texts, *quoting, *others}
    ids |= _not_indexed(found, case.words, texts) | _not_indexed_texts(case.words)
    return sorted(ids)


# Where no search looks, by article.
_UNSEARCHED: dict[Any, tuple[str, ...]] = {
    Revision: ("body",),
    Report: ("reason", "note", "snapshot", "outcome"),
    Correction: ("words",),
    Judgement: ("surface",),
}


def _not_indexed_texts(words: Sequence[str]) -> set[int]:
    """Articles of which the byline has the words, or what readers do not see: hidden and earlier texts, reports."""
    if not words:
        return set()
    marks = redaction.marks_of(words)
    hidden = ~Q(status=Article.Status.PUBLISHED) | _having(words, ["byline"])
    rows = queries.articles().filter(hidden).order_by().values_list("pk", "title", "byline", "body")
    found = {pk for pk, *texts in rows.iterator() if redaction.find("\n".join(texts), marks)}
    for model, names in _UNSEARCHED.items():
        said = model._default_manager.filter(_having(words, names)).order_by().values_list("article_id", *names)
        found |= {pk for pk, *texts in said.iterator() if redaction.find("\n".join(texts), marks)}
    return found


def _having(words: Sequence[str], names: Sequence[str]) -> Q:
    """Rows that may have one of the words in these columns: the first part of each is looked for."""
    wanted = Q()
    for first in {redaction.keys(word)[0] for word in words}:
        for name in names:
            wanted |= Q(**{f"{name}__icontains": first})
    return wanted


def _not_indexed(found: Members, words: Sequence[str], texts: Collection[int]) -> set[int]:
    """Articles where comments that readers do not see say the words, or repeat these comments, or texts of articles."""
    shown = Q(status=Comment.Status.PUBLISHED, article__status=Article.Status.PUBLISHED)
    rows = queries.comments().filter(~shown).exclude(article_id__in=found).order_by()
    pairs = [(article_id, pk) for article_id, pks in found.items() for pk in pks][:MOST_COMPARED]
    own = queries.comments().filter(article_id__in=found, pk__in=[pk for _, pk in pairs]).order_by()
    said = list(own.values_list("body", flat=True))
    said += queries.articles().filter(pk__in=texts).values_list("body", flat=True)
    runs = {run for body in said for run in redaction.runs_of(body, redaction.plain)}
    whole = [" ".join(["", *redaction.keys(body), ""]) for body in said]
    marks = redaction.marks_of(words)
    return {
        article_id
        for article_id, author, body in rows.values_list("article_id", "author_name", "body").iterator()
        if redaction.find(f"{author}\n{body}", marks) or redaction.quotes(body, runs, whole)
    }


# --- The preview -----------------------------------------------------------------------------------------------------


def preview(case: Case, found: Members) -> list[Place]:
    """Every kind of place with its number of hits and some of them; kinds without hits as well."""
    scope = Scope.of(case)
    pks = [pk for some in found.values() for pk in some]
    quoting, looked = quotes(found, left_out=scope.ids_left_out("comment"), patience=PATIENCE)
    said = [] if not case.words else saying(case.words, site=scope.site, limit=MOST_COUNTED + 1)
    out = set(scope.ids_left_out("comment")) | set(pks)
    elsewhere = [pk for _, pk in said if pk is not None and pk not in out]
    own = {pk for pk, comment in said if comment is None} - set(scope.ids_left_out("article"))
    texts = scope.own_texts()
    of_texts = quotes_of_texts(texts, left_out=[*scope.ids_left_out("comment"), *pks], most=MOST_COUNTED)[0]
    quoted = dict.fromkeys(pk for some in (*quoting.values(), *of_texts.values()) for pk in some)
    note = f"Looked for of the first {looked:,}; carrying it out looks for all." if looked < len(pks) else ""
    return [
        _comments("comments", "Comments", pks),
        _comments("quotes", "Quotes in other comments", list(quoted), note),
        _comments("words", "The words in other comments", elsewhere),
        _own_texts(found, own, case.words, scope),
        _mentions(found, pks, texts),
        _revisions(found, pks, texts),
        _sources(found, own | set(texts)),
        _search(found, pks, texts),
        _feeds({*found, *texts}),
        _reports(found, pks, texts),
        _reasons(case.words),
        _exports({*found, *texts}),
    ]


def _comments(name: str, title: str, pks: Sequence[int], note: str = "") -> Place:
    rows = queries.comments().filter(pk__in=pks[:SAMPLES]).order_by("pk")
    columns = rows.annotate(start=Left("body", EXCERPT)).values_list("pk", "author_name", "start")
    hits = [
        Hit(f"comment:{pk}", author or "author unknown", start, reverse("admin:archive_comment_change", args=[pk]))
        for pk, author, start in columns
    ]
    return Place(name, title, min(len(pks), MOST), len(pks) > MOST, hits, note)


def _own_texts(found: Members, own: set[int], words: Sequence[str], scope: Scope) -> Place:
    """Articles that are meant themselves, and those of which title, byline or text have one of the words."""
    marks, texts = redaction.marks_of(words), scope.own_texts()
    near = set(sorted(found)[:SAMPLES]) - set(scope.ids_left_out("article")) | set(texts[:SAMPLES])
    hits = []
    for article in queries.articles().filter(pk__in=near | set(sorted(own)[:SAMPLES])).defer("html").order_by("pk"):
        parts = [part for part in ("title", "byline", "body") if redaction.find(getattr(article, part), marks)]
        if parts or article.pk in texts:
            url = reverse("admin:archive_article_change", args=[article.pk])
            said = "in its " + ", ".join("text" if part == "body" else part for part in parts)
            said = "the article itself" if article.pk in texts else said
            hits.append(Hit(f"article:{article.pk}", article.title, said, url))
    count = max(len(own | set(texts)), len(hits))
    return Place("articles", "Articles’ own text and byline", count, False, hits[:SAMPLES])


def _counted(rows: QuerySet[Any]) -> tuple[int, bool]:
    count = rows.order_by()[: MOST_COUNTED + 1].count()
    return min(count, MOST_COUNTED), count > MOST_COUNTED


def _of(found: Members, pks: Sequence[int], texts: Collection[int]) -> Q:
    """Rows of these comments, and of these articles themselves."""
    return Q(article_id__in=found, comment_id__in=pks) | Q(article_id__in=texts, comment_id=None)


def _mentions(found: Members, pks: Sequence[int], texts: Collection[int]) -> Place:
    rows = queries.mentions().accepted().filter(_of(found, pks, texts))
    hits = [
        Hit("", row.entity.name, f"as “{row.surface}”", row.entity.get_absolute_url())
        for row in rows.select_related("entity").order_by("pk")[:SAMPLES]
    ]
    return Place("mentions", "Mentions of people and places", *_counted(rows), hits)


def _revisions(found: Members, pks: Sequence[int], texts: Collection[int]) -> Place:
    rows = Revision.objects.filter(_of(found, pks, texts))
    columns = rows.order_by("pk").values_list("number", "comment_id", "article_id", "cause")[:SAMPLES]
    hits = []
    for number, comment, article, cause in columns:
        kind, pk = ("comment", comment) if comment else ("article", article)
        url = reverse(f"admin:archive_{kind}_change", args=[pk])
        hits.append(Hit("", f"version {number} of {kind} {pk}", cause, url))
    return Place("revisions", "Earlier texts", *_counted(rows), hits)


def _sources(found: Members, own: Collection[int]) -> Place:
    rows = Source.objects.filter(article__in={*found, *own}, content__isnull=False).distinct()
    hits = [
        Hit("", name, "the text as it was received", reverse("admin:archive_source_progress", args=[pk]))
        for pk, name in rows.order_by("pk").values_list("pk", "name")[:SAMPLES]
    ]
    return Place("sources", "Sources", *_counted(rows), hits)


def _search(found: Members, pks: Sequence[int], texts: Collection[int]) -> Place:
    rows = SearchDocument.objects.filter(_of(found, pks, texts))
    return Place("search", "Search", *_counted(rows), [])


def _feeds(found: Collection[int]) -> Place:
    """The feeds that show the latest of an article or a site, and so may show these."""
    articles = Article.objects.filter(pk__in=sorted(found)[:MOST_COUNTED])
    sites = Site.objects.filter(pk__in=articles.order_by().values("site_id")).order_by("name")
    hits = [Hit("", site.name, "feed of the site", reverse("site-feed", args=[site.pk])) for site in sites[:SAMPLES]]
    return Place("feeds", "Feeds", len(found) + sites.count() if found else 0, False, hits)


def _reports(found: Members, pks: Sequence[int], texts: Collection[int]) -> Place:
    rows = Report.objects.filter(_of(found, pks, texts))
    hits = [
        Hit("", f"report {pk}", "with the text as it was", reverse("admin:archive_report_change", args=[pk]))
        for pk in rows.order_by("pk").values_list("pk", flat=True)[:SAMPLES]
    ]
    return Place("reports", "Readers’ reports", *_counted(rows), hits)


def _reasons(words: Sequence[str]) -> Place:
    """Reasons of decisions that have the words: an erasure empties them, a mask covers them in the public log."""
    marks, rows = redaction.marks_of(words), DecisionReason.objects.none()
    if words:
        rows = DecisionReason.objects.filter(_having(words, ["text"])).order_by("pk")
    found = {one.pk: one.text for one in rows[:MOST_COUNTED] if redaction.find(one.text, marks)}
    entries = queries.decisions().filter(said_id__in=found, parent_id=None).order_by("pk")[:SAMPLES]
    hits = [
        Hit("", f"decision {one.pk}", one.why, reverse("admin:archive_decision_change", args=[one.pk]))
        for one in entries
    ]
    return Place("reasons", "Reasons in the log", len(found), len(found) == MOST_COUNTED, hits)


def _exports(found: Collection[int]) -> Place:
    rows = queries.articles().corrected().filter(pk__in=sorted(found)[:MOST_COUNTED])
    hits = [
        Hit("", title, "in export_corrections", reverse("admin:archive_article_change", args=[pk]))
        for pk, title in rows.order_by("pk").values_list("pk", "title")[:SAMPLES]
    ]
    return Place("exports", "Exports", *_counted(rows), hits)
