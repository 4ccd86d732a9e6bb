"""The only way to read the archive: querysets named after what they promise.

Every read on someone's behalf starts with ``visible_to(user)``; what that person may not see is in none of its
results, by any door. A thread is the one place where a hidden comment keeps its row, as a tombstone: its text and
its author never leave the database (``for_thread``).
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from secrets import randbelow
from typing import TYPE_CHECKING, Any, NamedTuple, Self

import psycopg
from django.contrib.postgres.fields import ArrayField
from django.db import connection
from django.db.models import (
    BigIntegerField,
    BinaryField,
    BooleanField,
    Case,
    Count,
    Exists,
    F,
    Field,
    Func,
    IntegerField,
    OuterRef,
    Prefetch,
    Q,
    QuerySet,
    Subquery,
    Sum,
    TextField,
    Value,
    When,
)
from django.db.models.expressions import RawSQL
from django.db.models.fields.tuple_lookups import TupleGreaterThan, TupleLessThanOrEqual
from django.db.models.functions import Coalesce, Greatest, Left, Length, Substr

from archive import prepared, threads
from archive.ingest.records import Basis
from archive.models import (
    Article,
    Author,
    Comment,
    Decision,
    Entity,
    FormerComment,
    Mention,
    Report,
    Review,
    Rule,
    SavedView,
    Site,
    Source,
    Tally,
    ThreadOrder,
    Waiting,
)
from archive.models.queue import PLACE

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser

    from accounts.models import User

    type Viewer = User | AnonymousUser | None


EXCERPT = 400  # code points of a text that lists fetch; a text itself may be a megabyte
RANK = 4  # bytes of a stored rank
NEAR = 2_000  # places to either side in which a comment is looked for first
MAX_RANKS = 1 << 27  # more than a thread can have

# Repeats the article's id, so that it runs where comments are distributed by it.
_ANCESTORS = """ARRAY(
    WITH RECURSIVE up (id, parent_id, steps) AS (
        SELECT id, parent_id, 0 FROM archive_comment WHERE article_id = %s AND id = ANY(%s)
        UNION ALL
        SELECT above.id, above.parent_id, up.steps + 1
        FROM up JOIN archive_comment above ON above.article_id = %s AND above.id = up.parent_id
        WHERE up.steps < %s
    )
    SELECT id FROM up WHERE steps > 0
)"""
# The first places are read in order and no further: asked for those below a rank, Postgres takes these for a part of
# the thread that grows with its length, and reads all comments of the archive to find them.
_BASIS_TALLY = """
    SELECT count(*), count(*) FILTER (WHERE boundary_basis = 'inferred'),
        count(*) FILTER (WHERE parent_basis = 'inferred'), count(*) FILTER (WHERE author_basis = 'inferred'),
        count(*) FILTER (WHERE author_basis = 'unknown'), count(*) FILTER (WHERE date_basis = 'unknown')
    FROM (
        SELECT status, boundary_basis, parent_basis, author_basis, date_basis FROM archive_comment
        WHERE article_id = %s ORDER BY thread_rank LIMIT %s
    ) AS rows WHERE status = 'published'
"""
_MOST_NAMED = """
    SELECT entity.id, entity.name, entity.kind, most.n FROM (
        SELECT entity_id, count(*) AS n FROM (
            SELECT mention.entity_id FROM archive_mention AS mention
            LEFT JOIN archive_comment AS comment
                ON comment.article_id = mention.article_id AND comment.id = mention.comment_id
            WHERE mention.article_id = %s AND mention.review <> 'rejected'
                AND (mention.comment_id IS NULL OR comment.status = 'published')
            ORDER BY mention.id LIMIT %s
        ) AS first GROUP BY entity_id ORDER BY n DESC, entity_id LIMIT %s
    ) AS most JOIN archive_entity AS entity ON entity.id = most.entity_id ORDER BY most.n DESC, entity.id
"""
# Joined sideways, so that Postgres plans for an article like any other: told which, it may read a long thread by the
# ids of the whole archive.
_NEWER = """
    SELECT count(*), min(newer.thread_rank), (array_agg(newer.id ORDER BY newer.thread_rank))[1]
    FROM archive_article AS article, LATERAL (
        SELECT id, thread_rank FROM archive_comment
        WHERE article_id = article.id AND id > %s AND status = 'published' ORDER BY id LIMIT %s
    ) AS newer WHERE article.id = %s
"""
AROUND = 140  # code points of context before a mention


MODERATE, REVIEW = "archive.moderate_comment", "archive.add_source"


def sites_with(user: Viewer, permission: str) -> frozenset[int] | None:
    """The ids of the sites on which the person has a permission: None for all of them, none where they lack it."""
    if user is None or not user.has_perm(permission):
        return frozenset()
    return user.sites_with(permission) if user.is_authenticated else None


def may_moderate(user: Viewer, site_id: int | None = None) -> bool:
    """Whether the person may decide on what comes from a site; without one, whether from any site at all."""
    return _includes(sites_with(user, MODERATE), site_id)


def moderates_everywhere(user: Viewer) -> bool:
    """A case reaches into every site: it is only for who moderates all of them."""
    return sites_with(user, MODERATE) is None


def may_review(user: Viewer, site_id: int | None = None) -> bool:
    """Who may bring discussions in may also correct what was made of them; the site as for ``may_moderate``."""
    return _includes(sites_with(user, REVIEW), site_id)


def _includes(sites: frozenset[int] | None, site_id: int | None) -> bool:
    return sites is None or (bool(sites) if site_id is None else site_id in sites)


def may_import_into(user: Viewer, name: str) -> bool:
    """Whether the person may bring discussions into the site of this name; a new one is only for who may everywhere."""
    allowed = sites_with(user, REVIEW)
    return allowed is None or Site.objects.filter(name=name.strip(), pk__in=allowed).exists()


def may_undo(user: Viewer, entry: Decision) -> bool:
    """Whether all that a decision was on comes from sites on which the person decides."""
    allowed = sites_with(user, MODERATE)
    if not allowed:
        return allowed is None
    parts = Decision.objects.filter(parent_id=entry.pk).values("article_id")
    ids: Any = parts if entry.article_id is None else [entry.article_id]
    return not Article.objects.filter(pk__in=ids).exclude(site_id__in=allowed).exists()


class ArticleQuerySet(QuerySet[Article]):
    def visible_to(self, user: Viewer) -> Self:
        """Published articles; a moderator also sees hidden ones and those in review, of the sites they moderate."""
        moderated = sites_with(user, MODERATE)
        if moderated is None:
            return self
        published = Q(status=Article.Status.PUBLISHED)
        return self.filter(published | Q(site_id__in=moderated) if moderated else published)

    def with_lines(self) -> Self:
        """Those that were read from plain text and are made of its lines: what a review can correct."""
        return self.filter(source__format="text", source__content__isnull=False, span_start__isnull=False)

    def workable_by(self, user: Viewer) -> Self:
        """What the person sees and, for an archivist, what waits for review."""
        moderated, reviewed = sites_with(user, MODERATE), sites_with(user, REVIEW)
        if moderated is None or reviewed == frozenset():
            return self.visible_to(user)
        waiting = Q(status=Article.Status.IN_REVIEW)
        waiting = waiting if reviewed is None else waiting & Q(site_id__in=reviewed)
        return self.filter(Q(status=Article.Status.PUBLISHED) | waiting | Q(site_id__in=moderated))

    def corrected(self) -> Self:
        """Published articles of which an archivist corrected the structure, in the order of their ids."""
        found = self.filter(status=Article.Status.PUBLISHED, correction__number=1)
        return found.select_related("site", "source").order_by("pk")

    def newest_first(self) -> Self:
        return self.order_by("-id")

    def most_discussed(self) -> Self:
        return self.order_by("-comment_count", "-id")

    def published_in(self, period: str) -> Self:
        """Those of a year or a month (``2017``, ``2017-03``), or those without a date (``undated``)."""
        if len(period) == 4:
            return self.alias(year=Left("counted_month", 4)).filter(year=period)
        return self.filter(counted_month=period)

    def of_site(self, site: Site) -> Self:
        return self.filter(site=site)

    def with_site(self) -> Self:
        return self.select_related("site")

    def with_newest_comment(self) -> Self:
        """With the highest id among the comments as ``newest_comment``: one row of an index."""
        newest = Comment.objects.filter(article_id=OuterRef("pk")).order_by("-id").values("id")
        return self.annotate(newest_comment=Subquery(newest[:1]))

    def with_digest(self) -> Self:
        """With the sha256 of the source as ``source_sha256``, in hex."""
        return self.annotate(source_sha256=F("source__sha256"))

    def with_start(self) -> Self:
        """The first ``EXCERPT`` code points of the text as ``start``, and not the text itself."""
        return self.annotate(start=Substr("body", 1, EXCERPT)).defer("body", "html")

    def mentioning(self, entity_id: int) -> Self:
        """Articles of which the text or a visible comment names the entity."""
        return self.filter(pk__in=mentions().filter(entity_id=entity_id).in_visible_texts().values("article_id"))


class BasisTally(NamedTuple):
    """Of so many comments of a thread, how many have what the source did not state."""

    comments: int
    starts_inferred: int
    replies_inferred: int
    authors_inferred: int
    authors_unknown: int
    dates_unknown: int


class Grounds(NamedTuple):
    """What a comment's place and head rest on: for each a basis, a confidence and a reason. ``place``: its offset."""

    place: int | None
    boundary_basis: str
    boundary_confidence: float | None
    boundary_reason: str | None
    parent_basis: str
    parent_confidence: float | None
    parent_reason: str | None
    author_basis: str
    author_confidence: float | None
    author_reason: str | None
    date_basis: str
    date_confidence: float | None
    date_reason: str | None


def tally_of(rows: Iterable[ThreadRow]) -> BasisTally:
    """The same of rows that are at hand."""
    shown = [row for row in rows if row.status == "published"]
    inferred, unknown = Basis.INFERRED.value, Basis.UNKNOWN.value
    return BasisTally(
        comments=len(shown),
        starts_inferred=sum(row.boundary_basis == inferred for row in shown),
        replies_inferred=sum(row.parent_basis == inferred for row in shown),
        authors_inferred=sum(row.author_basis == inferred for row in shown),
        authors_unknown=sum(row.author_basis == unknown for row in shown),
        dates_unknown=sum(row.date_basis == unknown for row in shown),
    )


class Newer(NamedTuple):
    """How many comments came after one, and the place and id of the first of them in thread order, if there is any."""

    comments: int
    rank: int | None
    id: int | None


class EntityTally(NamedTuple):
    """An entity and how often it is mentioned, in visible texts."""

    id: int
    name: str
    kind: str
    mentions: int


class ThreadRow(NamedTuple):
    """One comment of a thread page: exactly the columns of ``THREAD_COLUMNS``, empty text for a tombstone."""

    id: int
    parent_id: int | None
    position: int
    thread_rank: int
    depth: int
    subtree_size: int
    status: str
    posted_at: datetime | None
    boundary_basis: str
    boundary_confidence: float | None
    parent_basis: str
    parent_confidence: float | None
    author_basis: str
    author_confidence: float | None
    date_basis: str
    date_confidence: float | None
    missing_parent: str
    shown_html: str
    shown_author: str
    shown_author_id: int | None

    @property
    def is_tombstone(self) -> bool:
        return self.status != Comment.Status.PUBLISHED


class Head(NamedTuple):
    """A comment in an outline; no author and no text of a tombstone."""

    id: int
    thread_rank: int
    subtree_size: int
    shown_author: str
    start: str


def _if_published(field: str, otherwise: Any, kind: Field[Any, Any]) -> Case:
    # The kind is said: Postgres's text and varchar are two kinds to Django, which refuses to guess.
    return Case(When(status=Comment.Status.PUBLISHED, then=F(field)), default=Value(otherwise), output_field=kind)


class Order(NamedTuple):
    """In which order a thread is read, and how many levels of it; 0 for all."""

    sort: threads.Sort = threads.Sort.THREAD
    levels: int = 0


class Stretch(NamedTuple):
    """A part of a thread in some order: the ranks from place ``start`` on, and how many places the order has."""

    start: int
    ranks: list[int]
    length: int


class _IsAny(Func):
    """Equal to one of an array: one parameter however many there are, where Django's ``in`` makes each its own."""

    template = "%(expressions)s)"
    arg_joiner = " = ANY("
    output_field = BooleanField()


class CommentQuerySet(QuerySet[Comment]):
    def visible_to(self, user: Viewer) -> Self:
        """Published comments of the articles that the person may see."""
        moderated = sites_with(user, MODERATE)
        published = self.filter(status=Comment.Status.PUBLISHED)
        if moderated is None:
            return published
        shown = Q(article__status=Article.Status.PUBLISHED)
        return published.filter(shown | Q(article__site_id__in=moderated) if moderated else shown)

    def workable_by(self, user: Viewer) -> Self:
        """Every comment for a moderator, of the sites they moderate; of others, what readers see."""
        moderated = sites_with(user, MODERATE)
        if moderated is None:
            return self
        shown = Q(status=Comment.Status.PUBLISHED, article__status=Article.Status.PUBLISHED)
        return self.filter(shown | Q(article__site_id__in=moderated) if moderated else shown)

    def newest_first(self) -> Self:
        return self.order_by("-id")

    def with_article(self) -> Self:
        """With the article and its site, but without the article's text."""
        return self.select_related("article", "article__site").defer("article__body", "article__html")

    def with_start(self) -> Self:
        """The first ``EXCERPT`` code points of the text as ``start``, and not the text itself."""
        return self.annotate(start=Substr("body", 1, EXCERPT)).defer("body", "html")

    def by_author(self, author_id: int) -> Self:
        return self.filter(author_id=author_id).newest_first().with_article().with_start()

    def written_when(self, *, among: int) -> list[tuple[int, datetime | None]]:
        """Article and date of the newest ``among`` of these."""
        return list(self.order_by("-id").values_list("article_id", "posted_at")[:among])

    def shown_in(self, article_id: int) -> Self:
        """What readers see of the thread of an article that they may see; no tombstones."""
        return self.filter(article_id=article_id, status=Comment.Status.PUBLISHED)

    def written_as(self, name: str, *, site_id: int) -> Self:
        """Comments under exactly this name."""
        found = authors().filter(site_id=site_id, key=author_key(name)).order_by()
        return self.filter(author_id=Subquery(found.values("pk")[:1]))

    def places(self, *, by_date: bool, limit: int) -> list[tuple[int, int]]:
        """Rank and id of each, at most ``limit``, in thread order, or by date with the undated last."""
        order = [F("posted_at").asc(nulls_last=True), "thread_rank"] if by_date else ["thread_rank"]
        return list(self.order_by(*order).values_list("thread_rank", "pk")[:limit])

    def heads(self, article_id: int, ranks: Sequence[int]) -> list[Head]:
        """The comments at these places of a thread, as an outline names them: in thread order."""
        rows = self.filter(_IsAny(F("thread_rank"), Value(list(ranks), ArrayField(IntegerField()))))
        rows = rows.filter(article_id=article_id).in_thread_order()
        named = rows.annotate(
            shown_author=_if_published("author_name", "", TextField()),
            start=Substr(_if_published("body", "", TextField()), 1, EXCERPT),
        )
        return [Head._make(row) for row in named.values_list(*Head._fields)]

    def thread_length(self, article_id: int) -> int:
        """How many places the thread has, tombstones included: read off the last rank, not counted."""
        last = self.filter(article_id=article_id).order_by("-thread_rank").values_list("thread_rank", flat=True).first()
        return 0 if last is None else last + 1

    def basis_tally(self, article_id: int, *, first: int) -> BasisTally:
        """Of what readers see in the thread's first ``first`` places: how much the source did not state."""
        with connection.cursor() as cursor:
            cursor.execute(_BASIS_TALLY, [article_id, first])
            return BasisTally._make(cursor.fetchone())

    def place_in_source(self, article_id: int, comment_id: int) -> int | None:
        """The offset at which a comment that readers see starts in its source; None for any other."""
        shown = self.filter(article_id=article_id, pk=comment_id, status=Comment.Status.PUBLISHED)
        return shown.values_list("span_start", flat=True).first()

    def in_source(self, article_id: int, *, start: int, end: int) -> list[tuple[int | None, int | None, int, str]]:
        """Start, end, id and status of the comments that begin between two offsets, and of one more on each side."""
        placed = self.filter(article_id=article_id, span_start__isnull=False).order_by()
        rows = placed.values_list("span_start", "span_end", "pk", "status")
        above = rows.filter(span_start__lt=start).order_by("-span_start")[:1]
        below = rows.filter(span_start__gt=end).order_by("span_start")[:1]
        inside = rows.filter(span_start__gte=start, span_start__lte=end)
        return list(inside.union(above, below, all=True).order_by("span_start"))

    def grounds(self, article_id: int, comment_id: int) -> Grounds | None:
        """What a comment that readers see rests on; None for any other."""
        parts = ("boundary", "parent", "author", "date")
        columns = [(f"{part}_basis", f"{part}_confidence", f"{part}_reason__text") for part in parts]
        shown = self.filter(article_id=article_id, pk=comment_id, status=Comment.Status.PUBLISHED)
        row = shown.values_list("span_start", *(name for names in columns for name in names)).first()
        return Grounds._make(row) if row else None

    def former(self, article_id: int, comment_id: int) -> FormerComment | None:
        """What became of an id that is no comment's any more; None for one that never was."""
        return FormerComment.objects.filter(article_id=article_id, comment_id=comment_id).first()

    def in_thread_order(self) -> Self:
        return self.order_by("thread_rank")

    def for_thread(self, article_id: int) -> QuerySet[Comment, ThreadRow]:
        """All rows of an article's thread, in order, tombstones included with neither text nor author.

        Whether the person may see the article itself is decided before, by ``articles().visible_to(user)``.
        """
        rows = self.filter(article_id=article_id).in_thread_order()
        shown = rows.annotate(
            shown_html=_if_published("html", "", TextField()),
            shown_author=_if_published("author_name", "", TextField()),
            shown_author_id=_if_published("author_id", None, BigIntegerField()),
        )
        return shown.values_list(*ThreadRow._fields, named=False)

    def for_thread_page(self, article_id: int, *, rank: int, limit: int) -> list[ThreadRow]:
        """``limit`` rows from ``thread_rank`` on: an index range scan, however long the thread is."""
        rows = self.for_thread(article_id).filter(thread_rank__gte=rank)[:limit]
        return [ThreadRow._make(row) for row in rows]

    def for_ranks(self, article_id: int, ranks: Sequence[int]) -> list[ThreadRow]:
        """The rows at these places of the thread, in the order of ``ranks``."""
        found = (
            self.for_thread(article_id)
            .order_by()
            .filter(_IsAny(F("thread_rank"), Value(list(ranks), ArrayField(IntegerField()))))
        )
        rows = {row.thread_rank: row for row in map(ThreadRow._make, found)}
        return [rows[rank] for rank in ranks if rank in rows]

    def for_subtree(self, article_id: int, *, rank: int, end: int, limit: int) -> list[ThreadRow]:
        """The first ``limit`` rows from ``rank`` to ``end``, both included."""
        rows = self.for_thread(article_id).filter(thread_rank__gte=rank, thread_rank__lte=end)[:limit]
        return [ThreadRow._make(row) for row in rows]

    def ancestors_of(self, article_id: int, comment_ids: Collection[int], *, limit: int) -> list[ThreadRow]:
        """The nearest ``limit`` ancestors of each of these comments, each once, in thread order.

        As many look-ups by primary key as there are ancestors, however long or deep the thread is.
        """
        if not comment_ids:
            return []
        above = RawSQL(_ANCESTORS, [article_id, list(comment_ids), article_id, limit])  # noqa: S611  a constant
        return [ThreadRow._make(row) for row in self.for_thread(article_id).filter(_IsAny(F("pk"), above))]

    def for_moderation(self, article_id: int, comment_id: int) -> Comment | None:
        """All of a comment, whatever its state, for who may moderate."""
        return self.filter(article_id=article_id, pk=comment_id).first()

    def with_reasons(self, article_id: int, comment_id: int) -> Comment | None:
        """A comment with what was concluded of its parent and its date, and by what. The parent has its name alone."""
        rows = self.filter(article_id=article_id, pk=comment_id).select_related("parent_reason", "date_reason")
        rows = rows.prefetch_related(
            Prefetch("parent", Comment.objects.filter(article_id=article_id).only("author_name", "thread_rank"))
        )
        return rows.defer("body", "html").first()

    def with_replies(self, comment: Comment, *, limit: int) -> list[int]:
        """The ids of a comment and of what readers see below it, direct and indirect."""
        last = comment.thread_rank + comment.subtree_size
        below = self.filter(article_id=comment.article_id, thread_rank__gt=comment.thread_rank, thread_rank__lte=last)
        shown = below.filter(status=Comment.Status.PUBLISHED).order_by("thread_rank")
        return [comment.pk, *shown.values_list("pk", flat=True)[:limit]]

    def untouched_in(self, article_id: int) -> Self:
        """What readers see of a thread and no person has decided on."""
        return self.undecided_in(article_id).filter(status=Comment.Status.PUBLISHED)

    def undecided_in(self, article_id: int) -> Self:
        """The comments of a thread, whatever their state, on which no person has decided."""
        decided = Decision.objects.filter(article_id=article_id, actor_id__isnull=False, target_id__isnull=False)
        # Who switches a rule off and has it give the words back has not looked at each comment.
        about = Q(target="comment") | (Q(target="words") & ~Q(cause=Decision.Cause.RULE))
        return (
            self.filter(article_id=article_id)
            .exclude(pk__in=decided.filter(about).values("target_id"))
            .exclude(status=Comment.Status.ERASED)
            .order_by("position")
        )

    def beginnings(self, targets: Collection[tuple[int, int]], *, length: int) -> dict[int, Comment]:
        """By id, comments (article and id) with the first ``length`` code points of their texts as ``start``."""
        rows = self.filter(article_id__in={a for a, _ in targets}, pk__in=[pk for _, pk in targets])
        return {row.pk: row for row in rows.annotate(start=Left("body", length)).defer("body", "html")}

    def states_by_author(self, author_id: int, *, among: int) -> dict[str, int]:
        """How many of the newest ``among`` comments under a name within a site have which status."""
        newest = self.filter(author_id=author_id).order_by("-id").values("pk")[:among]
        rows = self.filter(author_id=author_id, pk__in=newest).order_by()
        return dict(rows.values_list("status").annotate(n=Count("pk")))

    def rank_of(self, article_id: int, comment_id: int) -> int | None:
        """The place of a comment in its thread, None where the article has no such comment."""
        found = self.filter(article_id=article_id, pk=comment_id)
        return found.values_list("thread_rank", flat=True).first()

    def at_place(self, article_id: int, rank: int) -> int | None:
        """The id of the comment at this place of a thread, or of the last one where the thread ends before it."""
        found = self.filter(article_id=article_id, thread_rank__lte=rank).order_by("-thread_rank")
        return found.values_list("pk", flat=True).first()

    def newer_than(self, article_id: int, comment_id: int, *, limit: int) -> Newer:
        """What readers see of an article's comments that came after one, of which at most ``limit`` are counted."""
        with connection.cursor() as cursor:
            cursor.execute(_NEWER, [comment_id, limit, article_id])
            return Newer._make(cursor.fetchone())

    def in_order(self, article_id: int, order: Order, *, start: int, limit: int) -> Stretch:
        """A part of the thread in another order: stored, for a long thread, and made for a short one."""
        stored = ThreadOrder.objects.filter(article_id=article_id, sort=order.sort, levels=order.levels)
        part = Substr("ranks", start * RANK + 1, limit * RANK, output_field=BinaryField())
        found = stored.values_list(Length("ranks"), part).first()
        if found is not None:
            return Stretch(start, threads.unpacked(bytes(found[1])), found[0] // RANK)
        rows = self.filter(article_id=article_id).in_thread_order().values_list("depth", "subtree_size", "posted_at")
        depth, size, posted = zip(*rows, strict=True) if rows else ((), (), ())
        made = threads.ordered(order.sort, depth, size, [None if at is None else at.timestamp() for at in posted])
        whole = threads.down_to(order.levels, made, depth)
        return Stretch(start, whole[start : start + limit].tolist(), len(whole))

    def place_in_order(self, article_id: int, order: Order, rank: int, *, near: int) -> int | None:
        """Where the comment of this rank is in an order: looked for around ``near``, then in all of it.

        It is far away only where the thread has changed much since ``near`` was right. All of it is four bytes a
        comment, in one piece.
        """
        for start, limit in ((max(0, near - NEAR), 2 * NEAR), (0, MAX_RANKS)):
            found = self.in_order(article_id, order, start=start, limit=limit)
            if rank in found.ranks:
                return start + found.ranks.index(rank)
        return None


class MentionQuerySet(QuerySet[Mention]):
    def accepted(self) -> Self:
        return self.exclude(review=Mention.Review.REJECTED)

    def in_visible_texts(self) -> Self:
        """Mentions that are not rejected, in texts that any reader can see."""
        shown = Q(comment__isnull=True) | Q(comment__status=Comment.Status.PUBLISHED)
        return self.accepted().filter(shown, article__status=Article.Status.PUBLISHED)

    def of_entity(self, entity_id: int) -> Self:
        """Where readers can see the entity named, newest first, with the text around each place as ``context``."""
        text = Coalesce("comment__body", "article__body")
        found = self.in_visible_texts().filter(entity_id=entity_id).select_related("article__site", "comment")
        around = found.annotate(context=Substr(text, Greatest(F("start") - AROUND, Value(0)) + 1, EXCERPT))
        return around.defer("article__body", "article__html", "comment__body", "comment__html").order_by("-id")

    def written_when(self, entity_id: int, *, among: int) -> list[tuple[int, datetime | None]]:
        """Article and date of the texts of the newest ``among`` mentions that readers can see."""
        rows = self.in_visible_texts().filter(entity_id=entity_id).order_by("-id")
        at = Case(When(comment__isnull=True, then=F("article__published_at")), default=F("comment__posted_at"))
        return list(rows.annotate(at=at).values_list("article_id", "at")[:among])

    def in_comments_of(self, article_id: int, entity_id: int) -> QuerySet[Mention, Any]:
        """The ids of the article's comments that mention the entity, as a subquery; not whether these are shown."""
        found = self.accepted().filter(article_id=article_id, entity_id=entity_id, comment__isnull=False)
        return found.order_by().values("comment_id")

    def most_named_in(self, article_id: int, *, among: int, limit: int) -> list[EntityTally]:
        """The entities that the first ``among`` mentions of an article, which the person may see, name most often."""
        with connection.cursor() as cursor:
            cursor.execute(_MOST_NAMED, [article_id, among, limit])
            return [EntityTally._make(row) for row in cursor.fetchall()]


class EntityQuerySet(QuerySet[Entity]):
    def visible_to(self, user: Viewer) -> Self:
        """Entities that some visible text mentions."""
        return self.filter(mention_count__gt=0, merged_into__isnull=True)

    def known(self) -> Self:
        """Those, and the merged ones, which lead to what they were merged into."""
        return self.select_related("merged_into").filter(Q(mention_count__gt=0) | Q(merged_into__isnull=False))

    def most_mentioned(self) -> Self:
        return self.order_by("-mention_count", "id")


class AuthorQuerySet(QuerySet[Author]):
    def visible_to(self, user: Viewer) -> Self:
        """Names under which some visible comment stands."""
        return self.filter(pk__in=comments().visible_to(user).values("author_id"))


class ReviewQuerySet(QuerySet[Review]):
    def waiting(self) -> Self:
        """Those that wait for an archivist, the most uncertain first; not of articles that a moderator hid."""
        shown = [Article.Status.PUBLISHED, Article.Status.IN_REVIEW]
        return self.filter(is_open=True, article__status__in=shown).order_by("-uncertain", "article_id")

    def workable_by(self, user: Viewer) -> Self:
        """Of the sites whose discussions the person corrects."""
        reviewed = sites_with(user, REVIEW)
        return self if reviewed is None else self.filter(article__site_id__in=reviewed)

    def with_articles(self) -> Self:
        """With article and site, but without proposals and texts."""
        return self.select_related("article__site").defer("proposal", "article__body", "article__html")


# What a bulk decision has made of its comments, by the action of each of its parts.
_STATES: dict[str, str] = {
    Decision.Action.HIDE: Comment.Status.HIDDEN,
    Decision.Action.RESTORE: Comment.Status.PUBLISHED,
    Decision.Action.HOLD: Comment.Status.HELD,
    Decision.Action.SPAM: Comment.Status.SPAM,
}


class DecisionQuerySet(QuerySet[Decision]):
    def visible_to(self, user: Viewer) -> Self:
        """For who works on some sites, what was decided there, and their own decisions on many comments at once."""
        allowed = sites_with(user, "archive.view_decision")
        if allowed is None:
            return self
        mine = Q(site_id=None, article_id=None, actor_id=user.pk if user else None)
        return self.filter(Q(site_id__in=allowed) | mine)

    def about(self, *, target: str, article_id: int, target_id: int) -> Self:
        """Decisions on an article or a comment, those on comments that were joined into it included."""
        joined = FormerComment.objects.filter(article_id=article_id, heir_id=target_id).values("comment_id")
        own = Q(target_id=target_id) | (Q(target_id__in=joined) if target == "comment" else Q())
        kinds = ["comment", "words"] if target == "comment" else [target]
        return self.filter(own, target__in=kinds, article_id=article_id)

    def newest_first(self) -> Self:
        return self.order_by("-id")

    def on_author(self, author_id: int, *, among: int) -> Self:
        """Decisions on the newest ``among`` comments under a name within a site."""
        newest = Comment.objects.filter(author_id=author_id).order_by("-id").values("article_id", "pk")[:among]
        pairs = list(newest.values_list("article_id", "pk"))
        rows = self.filter(article_id__in={article for article, _ in pairs}, target_id__in=[pk for _, pk in pairs])
        return rows.filter(target__in=["comment", "words"]).newest_first()

    def last_number(self) -> int:
        """Of the newest entry; 0 for an empty log."""
        return self.order_by("-pk").values_list("pk", flat=True).first() or 0

    def public(self, *, article_id: int | None, parent_id: int | None, kind: str) -> Self:
        """What the public log lists: of a bulk decision the whole, or its parts where they are asked for.

        ``kind`` is an action, or ``structure`` for archivists' corrections; empty for all. The steps of a case are
        between the archive and who asked; what a case did to comments is listed.
        """
        found = (self if article_id else self.filter(parent_id=parent_id)).exclude(target__in=["case", "reason"])
        if article_id:
            found = found.filter(article_id=article_id)
        if kind == "structure":
            return found.filter(target="structure").newest_first()
        if kind in _STATES:
            in_bulk = Q(action=Decision.Action.BULK, to_state=_STATES[kind])
            return found.filter(Q(action=kind) | in_bulk).newest_first()
        return (found.filter(action=kind) if kind else found).newest_first()

    def undoings_of(self, ids: Collection[int]) -> dict[int, int]:
        """Which of these decisions were undone, and by which."""
        found = self.filter(undoes_id__in=ids).order_by("pk").values_list("undoes_id", "pk")
        return {undone: by for undone, by in found if undone}


class ReportQuerySet(QuerySet[Report]):
    def about(self, article_id: int, comment_id: int | None) -> Self:
        """Reports on a comment, or on an article itself."""
        return self.filter(article_id=article_id, comment_id=comment_id)

    def waiting(self) -> Self:
        """Those without an outcome, the newest first."""
        return self.filter(outcome="").order_by("-pk")


class WaitingQuerySet(QuerySet[Waiting]):
    def newest_first(self, kinds: Collection[str]) -> Self:
        """What waits of these kinds, the last that came first."""
        return self.filter(settled_at__isnull=True, kind__in=kinds).order_by("-id")

    def for_work_by(self, kinds: Collection[str]) -> Self:
        """What waits of these kinds, the most pressing first."""
        return self.filter(settled_at__isnull=True, kind__in=kinds).order_by(*PLACE)

    def after(self, score: float, pk: int) -> Self:
        """What comes after this place in that order."""
        return self.filter(TupleGreaterThan(PLACE, (-score, pk)))

    def until(self, score: float, pk: int) -> Self:
        """What comes before this place in that order, and what is there."""
        return self.filter(TupleLessThanOrEqual(PLACE, (-score, pk)))

    def by_rule(self, rule: int) -> Self:
        """What this rule holds; what another one holds that hit as well is that one's."""
        return self.filter(rule_id=rule)

    def waiting_since(self, before: datetime) -> Self:
        return self.filter(created_at__lt=before)

    def saying(self, words: str) -> Self:
        """What has these words in a comment's text or name, or in the title of an article that is meant as a whole.

        Asked of row after row, so that it ends where a page is full. Postgres would take ``EXISTS`` for a question to
        all comments of the archive at once; a value it looks up for each.
        """
        text = Comment.objects.filter(article_id=OuterRef("article_id"), pk=OuterRef("comment_id")).order_by()
        said = text.filter(Q(body__icontains=words) | Q(author_name__icontains=words))
        titled = Article.objects.filter(pk=OuterRef("article_id"), title__icontains=words).order_by()
        article = When(comment_id__isnull=True, then=_is_there(titled))
        return self.filter(Case(article, default=_is_there(said), output_field=BooleanField()))


def _is_there(rows: QuerySet[Any]) -> Subquery:
    return Subquery(rows.annotate(yes=Value(True)).values("yes")[:1], output_field=BooleanField())


class SavedViewQuerySet(QuerySet[SavedView]):
    def of(self, user: User) -> Self:
        return self.filter(owner=user)

    def for_queue_of(self, user: User) -> Self:
        """The person's own views, then what others share with everybody who works on the queue, by name."""
        rows = self.filter(Q(owner=user) | Q(is_shared=True)).select_related("owner")
        return rows.order_by(Case(When(owner=user, then=0), default=1), "name", "pk")


_VERSION = """
    SELECT article.version, site.name, site.slug FROM archive_article AS article
    JOIN archive_site AS site ON site.id = article.site_id
    WHERE article.id = %(article)s AND article.status = 'published'
"""


def version_for_readers(article_id: int) -> str | None:
    """What is another with each change of the article that readers can see; None where they do not see it.

    Asked for every finished page, and so past Django's cursor: Django asks before the first query of a request whether
    the connection is alive. None where it is not, as well; who then makes the page finds that out in Django's way.
    """
    try:
        rows = prepared.run_unasked(_VERSION, {"article": article_id})
    except psycopg.Error:
        return None
    return repr(rows[0]) if rows else None


def articles() -> ArticleQuerySet:
    return ArticleQuerySet(Article)


def comments() -> CommentQuerySet:
    return CommentQuerySet(Comment)


def mentions() -> MentionQuerySet:
    return MentionQuerySet(Mention)


def entities() -> EntityQuerySet:
    return EntityQuerySet(Entity)


def author_key(name: str) -> bytes:
    """What a name is looked up by."""
    return hashlib.sha256(name.strip().encode("utf-8", "surrogatepass")).digest()


def authors() -> AuthorQuerySet:
    return AuthorQuerySet(Author)


def decisions() -> DecisionQuerySet:
    """Entries of the log, with their reasons."""
    return DecisionQuerySet(Decision).select_related("said")


def reviews() -> ReviewQuerySet:
    return ReviewQuerySet(Review)


def reports() -> ReportQuerySet:
    return ReportQuerySet(Report)


def waiting() -> WaitingQuerySet:
    return WaitingQuerySet(Waiting)


def rules_holding(user: Viewer) -> list[Rule]:
    """The rules that hold something on the sites that the person moderates; each is one look into an index."""
    held = Waiting.objects.filter(settled_at__isnull=True, rule_id=OuterRef("pk")).order_by()
    if (sites := sites_with(user, MODERATE)) is not None:
        held = held.filter(site_id__in=sites)
    return list(Rule.objects.filter(Exists(held)).order_by("name", "pk")[:200])


def saved_views() -> SavedViewQuerySet:
    return SavedViewQuerySet(SavedView)


def sites() -> QuerySet[Site]:
    return Site.objects.order_by("name")


def sites_reviewed_by(user: Viewer) -> QuerySet[Site]:
    """The sites into which the person may bring discussions."""
    allowed = sites_with(user, REVIEW)
    return sites() if allowed is None else sites().filter(pk__in=allowed)


class Period(NamedTuple):
    """What readers can see of the articles published in a month: 2017-03, undated, or all for every one."""

    month: str
    articles: int
    comments: int


class SiteTally(NamedTuple):
    site: Site
    articles: int
    comments: int


def periods(site: Site | None = None) -> list[Period]:
    """How much there is of each month, the earliest first, and of all of them; of one site, or of the whole archive."""
    rows = Tally.objects.filter(site=site) if site else Tally.objects.filter(site__isnull=True)
    sums = rows.values("month").annotate(n=Sum("articles"), of=Sum("comments")).filter(n__gt=0).order_by("month")
    return [Period(row["month"], row["n"], row["of"]) for row in sums]


def largest_sites(limit: int) -> list[SiteTally]:
    """The sites with the most comments that readers can see."""
    rows = Tally.objects.filter(month=Tally.ALL, site__isnull=False)
    sums = rows.values("site_id").annotate(n=Sum("articles"), of=Sum("comments")).filter(n__gt=0)
    largest = list(sums.order_by("-of", "-n", "site_id")[:limit])
    found = Site.objects.in_bulk([row["site_id"] for row in largest])
    return [SiteTally(found[row["site_id"]], row["n"], row["of"]) for row in largest]


def sites_shown() -> QuerySet[Site]:
    """Sites of which readers see an article, by name."""
    rows = Tally.objects.filter(month=Tally.ALL, site__isnull=False).order_by()
    shown = rows.values("site_id").annotate(n=Sum("articles")).filter(n__gt=0)
    return sites().filter(pk__in=shown.values("site_id"))


# Whether there is anything in a part is one look into an index, for as many parts as there can be.
_PARTS = """
    SELECT kind, number FROM (VALUES
        ('articles', (SELECT max(id) FROM archive_article)), ('entities', (SELECT max(id) FROM archive_entity))
    ) AS kinds (kind, last), LATERAL generate_series(0, least(coalesce(last, -1), %(most)s) / %(part)s) AS number
    WHERE CASE kind WHEN 'articles' THEN EXISTS (
        SELECT FROM archive_article WHERE status = 'published'
        AND id BETWEEN number * %(part)s AND (number + 1) * %(part)s - 1
    ) ELSE EXISTS (
        SELECT FROM archive_entity WHERE mention_count > 0 AND merged_into_id IS NULL
        AND id BETWEEN number * %(part)s AND (number + 1) * %(part)s - 1
    ) END
    ORDER BY 1, 2
"""
MOST_IDS = 200_000_000  # of each kind that a site map lists; an index of one holds at most 50,000 parts


def sitemap_parts(part: int) -> list[tuple[str, int]]:
    """Kind and number of the ranges of ``part`` ids in which there is something that readers see."""
    with connection.cursor() as cursor:
        cursor.execute(_PARTS, {"part": part, "most": MOST_IDS})
        return [(kind, number) for kind, number in cursor.fetchall()]


def random_article() -> Article | None:
    """One that readers see, found by a number between the first and the last: the more gaps before it, the likelier."""
    shown = articles().visible_to(None).only("pk", "slug")
    ids = shown.values_list("pk", flat=True)
    oldest, newest = ids.order_by("pk").first(), ids.order_by("-pk").first()
    if oldest is None or newest is None:
        return None
    return shown.filter(pk__gte=oldest + randbelow(newest - oldest + 1)).order_by("pk").first()


# From one language to the next greater one: as many index look-ups as there are languages, where DISTINCT would read
# every article.
_LANGUAGES = """
    WITH RECURSIVE found (language) AS (
        SELECT min(language) FROM archive_article WHERE language > '' AND status = %s
        UNION ALL
        SELECT (SELECT min(language) FROM archive_article WHERE language > found.language AND status = %s)
        FROM found WHERE found.language IS NOT NULL
    )
    SELECT language FROM found WHERE language IS NOT NULL LIMIT 200
"""


def languages() -> list[str]:
    """ISO 639 codes of the languages that published articles are in, in the order of the codes."""
    shown = Article.Status.PUBLISHED.value
    with connection.cursor() as cursor:
        cursor.execute(_LANGUAGES, [shown, shown])
        return [language for (language,) in cursor.fetchall()]


def sources() -> QuerySet[Source]:
    return Source.objects.defer("content").order_by("-id")


def sources_workable_by(user: Viewer) -> QuerySet[Source]:
    """For somebody who works on some sites only: what they brought in, and what articles of these sites come from."""
    allowed = sites_with(user, "archive.view_source")
    if allowed is None:
        return sources()
    of_sites = Article.objects.filter(site_id__in=allowed).values("source_id")
    return sources().filter(Q(received_by_id=user.pk if user else None) | Q(pk__in=of_sites))
