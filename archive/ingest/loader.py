"""Records -> rows. The only writer of imported rows: all of a discussion in one transaction, comments by COPY."""

from __future__ import annotations

import hashlib
import heapq
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from django.conf import settings
from django.db import connection, transaction
from django.utils.text import slugify

from archive import counters, erasure, masks, outbox, queue, rules, text, threads
from archive.ingest import corrections
from archive.ingest.records import Basis, Claim, Discussion, Post, Problem, storable
from archive.ingest.stored import StoredReading, sha256
from archive.ingest.structure.boilerplate import boilerplate_in
from archive.models import (
    Article,
    Comment,
    Correction,
    Review,
    SearchDocument,
    Site,
    Source,
    ThreadOrder,
)

MAX_COMMENTS = 2_000_000  # in one discussion: its thread order is computed in memory
SHORTEST_TWICE = 20  # code points: a shorter comment is said twice without being a doubt
MOST_TWICE = 1_000  # such doubts of one discussion
MOST_LINES = 5  # of one comment that look like a site's own and are pointed out
MOST_DOUBTS = 5  # of one discussion that are asked about, the least sure first
MOST_DOUBTFUL = 10_000  # that wait for one site; what more comes in is not asked about
MAX_REASON = 200  # code points of why something was inferred
MAX_NAME = 500  # code points of an author's name or a title, as the tables have it

type Progress = Callable[[int], None]


class Outcome(StrEnum):
    CREATED = "created"
    UPDATED = "updated"
    UNCHANGED = "unchanged"
    REJECTED = "rejected"


@dataclass(frozen=True, slots=True)
class Stored:
    """What became of one discussion. ``reason`` says why nothing changed or why it was rejected."""

    outcome: Outcome
    article_id: int | None = None
    comments: int = 0
    reason: str = ""
    problems: Sequence[Problem] = ()


def site_named(name: str) -> Site:
    """The site of this name, made where there is none."""
    name = storable(name).strip()[:200] or "Unsorted"
    slug = slugify(name, allow_unicode=True)[:200] or sha256(name).hex()[:12]
    if Site.objects.filter(slug=slug).exclude(name=name).exists():
        slug = f"{slug[:180]}-{sha256(name).hex()[:8]}"
    return Site.objects.get_or_create(name=name, defaults={"slug": slug})[0]


def store(
    discussion: Discussion, *, source: Source, site: Site, text: str = "", progress: Progress | None = None
) -> Stored:
    """Store a discussion, or bring the stored one up to date. Either all of it is there afterwards or none.

    ``text`` is the decoded source, where the discussion was recovered from plain text: with it, what archivists
    corrected in the stored reading is corrected in the new one, and an uncertain one waits for review.
    """
    if len(discussion.comments) > MAX_COMMENTS:
        reason = f"more than {MAX_COMMENTS:,} comments in one discussion"
        return Stored(Outcome.REJECTED, reason=reason)
    key, digest = sha256(discussion.key), discussion_digest(discussion)
    with transaction.atomic():
        with connection.cursor() as cursor:  # two imports of one discussion: the second waits and finds the first
            cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, %s))", [key.hex(), site.pk])
        article = Article.objects.select_for_update().filter(site=site, key=key).first()
        if article is not None and bytes(article.digest) == digest:
            return Stored(Outcome.UNCHANGED, article.pk, len(discussion.comments), "already in the archive")
        if article is not None:
            return _read_again(article, discussion, text, _Load(source, site, digest, progress))
        load = _Load(source, site, digest, progress)
        done = load.create(discussion)
        if text:
            done = _hold_for_review(discussion, text, done)
        load.ask_about_doubts(done)
        counters.recount_articles([done.article_id] if done.article_id else [])
        return done


def _read_again(article: Article, discussion: Discussion, text: str, load: _Load) -> Stored:
    """Replace the stored reading, with what people corrected in it, unless that would undo what people decided."""
    corrected, review = _corrected(discussion, text, article) if text else (discussion, {})
    before = StoredReading(article, corrected)
    if why := before.objection(text):
        reason = f"kept as it was read before: {why}"
        return Stored(Outcome.UNCHANGED, article.pk, len(before.pks), reason)
    if review:
        Review.objects.filter(article_id=article.pk).update(**review)
        queue.follow_reviews([article.pk])
    done = load.replace(before, corrected, cause="read again")
    load.ask_about_doubts(done)
    return done


def standing_corrections(article_id: int, upto: int | None = None) -> tuple[list[corrections.Operation], bool]:
    """The operations that stand, in order, and whether there is one to redo; after correction ``upto``, if given."""
    rows = Correction.objects.filter(article_id=article_id).order_by("number")
    if upto is not None:
        rows = rows.filter(number__lte=upto)
    log: list[corrections.Operation] = list(rows.values_list("operation", flat=True))
    done, undone = corrections.standing(log)
    return [log[index] for index in done], bool(undone)


def _corrected(discussion: Discussion, text: str, article: Article) -> tuple[Discussion, dict[str, Any]]:
    """The machine's new reading with what people corrected in the earlier one; what finds no place is a problem.

    What they have corrected and not yet published stays a draft. Second, what changes in the review.
    """
    review = Review.objects.filter(article_id=article.pk).defer("proposal").first()
    if review is None:
        return discussion, {}
    proposal = corrections.outline_of(text, discussion)
    draft, problems = corrections.apply(proposal, standing_corrections(article.pk)[0])
    uncertain = len(corrections.questions(draft))
    outline = draft
    if article.status != Article.Status.IN_REVIEW and review.published < review.version:
        shown = standing_corrections(article.pk, upto=review.published)[0]
        outline, problems = corrections.apply(proposal, shown)
    made = corrections.discussion_of(outline, discussion)
    changes = {"proposal": corrections.to_json(proposal), "uncertain": uncertain}
    return replace(made, problems=[*made.problems, *problems]), changes


def _hold_for_review(discussion: Discussion, text: str, done: Stored) -> Stored:
    """Keep a new article back where something in it is less sure than the archive wants it."""
    least = corrections.least_confidence(discussion)
    if done.article_id is None or least is None or least >= settings.REVIEW_BELOW:
        return done
    outline = corrections.outline_of(text, discussion)
    if len(outline.lines) > corrections.MAX_LINES:
        return done
    uncertain = len(corrections.questions(outline))
    fields = {"proposal": corrections.to_json(outline), "uncertain": uncertain, "is_open": True}
    Review.objects.create(article_id=done.article_id, **fields)
    Article.objects.filter(pk=done.article_id).update(status=Article.Status.IN_REVIEW)
    queue.follow_reviews([done.article_id])
    return replace(done, reason="waits for review: something in it is less sure than this archive wants it")


def rebuild(article: Article, discussion: Discussion) -> Stored:
    """Replace the stored rows by a reviewed structure, in the caller's transaction. What is hidden stays hidden."""
    load = _Load(article.source, article.site, bytes(article.digest), None)
    queue.settle_doubts(article.pk)
    return load.replace(StoredReading(article, discussion), discussion, cause="corrected")


def hidden_spans(article_id: int) -> list[tuple[int, int, str]]:
    """Start, end and status of each comment that readers do not see, as far as it has a place in the source."""
    rows = Comment.objects.filter(article_id=article_id, span_start__isnull=False)
    rows = rows.exclude(status=Comment.Status.PUBLISHED).order_by("span_start")
    return [
        (start or 0, end or 0, status) for start, end, status in rows.values_list("span_start", "span_end", "status")
    ]


def discussion_digest(discussion: Discussion) -> bytes:
    """sha256 over everything of the discussion that is stored: equal digests, equal rows."""
    digest = hashlib.sha256()
    whole = replace(discussion, comments=(), left_out=(), problems=())
    digest.update(repr(whole).encode("utf-8", "surrogatepass"))
    for post in discussion.comments:
        digest.update(repr(post).encode("utf-8", "surrogatepass"))
    return digest.digest()


class _Load:
    """One discussion on its way into the tables, inside the transaction that ``store`` opened."""

    def __init__(self, source: Source, site: Site, digest: bytes, progress: Progress | None) -> None:
        self.source = source
        self.site = site
        self.digest = digest
        self.progress = progress
        self.before: StoredReading | None = None

    def create(self, discussion: Discussion) -> Stored:
        self._take(discussion)
        article = Article.objects.create(site=self.site, key=sha256(discussion.key), **self._article_fields())
        self._copy_comments(article.pk)
        return self._done(article.pk, Outcome.CREATED)

    def replace(self, before: StoredReading, discussion: Discussion, *, cause: str) -> Stored:
        """Put the discussion in the place of the reading that is stored; ``cause`` is noted on replaced texts.

        The foreign keys are checked at commit, so a comment that comes back under its id is never missed.
        """
        self._take(discussion)
        self.before, article = before, before.article
        named = counters.entities_in([article.pk])
        before.take_out(cause=cause)
        SearchDocument.objects.filter(article_id=article.pk).delete()
        with connection.cursor() as cursor:
            cursor.execute("DELETE FROM archive_comment WHERE article_id = %s", [article.pk])
        Article.objects.filter(pk=article.pk).update(**self._article_fields())
        counters.raise_versions([article.pk])
        before.bring_along(self._copy_comments(article.pk))
        counters.recount_articles([article.pk])
        counters.recount_entities(named)
        return self._done(article.pk, Outcome.UPDATED)

    def _take(self, discussion: Discussion) -> None:
        self.discussion = discussion
        self.posts = discussion.comments
        self.order = threads.arrange([post.external_id for post in self.posts], [post.parent for post in self.posts])

    def _done(self, article_id: int, outcome: Outcome) -> Stored:
        self._store_orders(article_id)
        masks.put_on_again(article_id)
        rules.apply(article_id, self.site.pk)
        queue.put_once(self._said_twice(article_id))
        erasure.suppress(article_id)
        outbox.add(article_id)
        outbox.extract_later(article_id)
        problems = [*self.discussion.problems, *self.order.problems()]
        return Stored(outcome, article_id, len(self.posts), problems=problems)

    def _article_fields(self) -> dict[str, Any]:
        found = self.discussion
        title = storable(found.title)[:MAX_NAME]
        body = storable(found.body)
        start, end = found.article_span or (None, None)
        return {
            "source": self.source,
            "digest": self.digest,
            "title": title,
            "title_basis": found.title_claim.basis.value,
            "slug": slugify(title, allow_unicode=True)[:80].strip("-_"),
            "url": storable(found.url)[:2000],
            "byline": storable(found.byline)[:MAX_NAME],
            "published_at": found.published_at,
            "language": found.language,
            "body": body,
            "html": text.clean_html(found.html) if found.html is not None else text.render_text(body),
            "span_start": start,
            "span_end": end,
        }

    def _copy_comments(self, article_id: int) -> Sequence[int]:
        """Write the comments; return their ids."""
        self.ids = ids = self._ids()
        authors, self.reasons = self._authors(), self._reasons()
        columns = ", ".join(COLUMNS)
        with connection.cursor() as cursor:
            cursor.execute(_LATEST_REVISIONS, [article_id])
            numbers = dict(cursor.fetchall())
            with cursor.copy(f"COPY archive_comment ({columns}) FROM STDIN") as copy:
                for done, row in enumerate(self._rows(article_id, ids, authors, numbers), 1):
                    copy.write_row(row)
                    if self.progress and done % 1000 == 0:
                        self.progress(1000)
        if self.progress:
            self.progress(len(self.posts) % 1000)
        return ids

    def _rows(
        self, article_id: int, ids: Sequence[int], authors: dict[str, int], numbers: dict[int, int]
    ) -> Iterator[tuple[Any, ...]]:
        order = self.order
        orphans = set(order.orphans)
        for i, post in enumerate(self.posts):
            body = storable(post.text)
            parent = order.parent[i]
            name = _author_name(post)
            yield (
                ids[i],
                article_id,
                ids[parent] if parent >= 0 else None,
                storable(post.external_id),
                sha256(post.external_id),
                storable(post.parent or "") if i in orphans else "",
                authors[name] if name else None,
                name,
                post.posted_at,
                body,
                text.clean_html(post.html) if post.html is not None else text.render_text(body),
                i,
                order.rank[i],
                order.depth[i],
                order.subtree_size[i],
                *(self.before.status_of(i) if self.before else ("published", "")),
                numbers.get(ids[i], 0) + 1,
                *(post.span or (None, None)),
                *_claim(post.boundary_claim),
                *_claim(post.parent_claim),
                *_claim(post.author_claim),
                *_claim(post.date_claim),
                *(self.reasons.get(_reason(claim)) for claim in _claims(post)),
            )

    def _said_twice(self, article_id: int) -> list[queue.Item]:
        """A doubt for each comment that says just what its name has said before: a page may hold a comment twice."""
        first: dict[bytes, int] = {}
        found: list[queue.Item] = []
        for pk, post in zip(self.ids, self.posts, strict=True):
            if not post.author or len(post.text) < SHORTEST_TWICE:
                continue
            earlier = first.setdefault(sha256(f"{_author_name(post)}\0{post.text}"), pk)
            if earlier != pk and len(found) < MOST_TWICE:
                found.append(queue.Item(queue.DUPLICATE, article_id, pk, {"first": earlier}))
        return found

    def ask_about_doubts(self, done: Stored) -> None:
        """Put the least sure of what was inferred into the queue, unless the whole discussion waits to be reviewed.

        A few of a discussion and no more than a site's people can see the end of: a mailing list of a million comments
        has as many guesses. Each card says how many more its discussion has.
        """
        if done.article_id is None or not settings.DOUBT_BELOW:
            return
        doubts = ((doubt, pk) for pk, post in zip(self.ids, self.posts, strict=True) if (doubt := _doubt(post)))
        least: list[tuple[float, int, int, dict[str, Any]]] = []
        found = 0
        for found, ((sure, why), pk) in enumerate(doubts, 1):
            heapq.heappush(least, (-sure, -found, pk, why))
            if len(least) > MOST_DOUBTS:
                heapq.heappop(least)
        if not found or Review.objects.filter(article_id=done.article_id, is_open=True).exists():
            return
        if queue.count(queue.DOUBT, self.site.pk) >= MOST_DOUBTFUL:
            return
        put = queue.put_once if self.before else queue.put
        more = found - len(least)
        put(
            queue.Item(queue.DOUBT, done.article_id, pk, {**why, "more": more}, score)
            for score, _, pk, why in sorted(least, reverse=True)
        )

    def _store_orders(self, article_id: int) -> None:
        """The orders of a long thread besides its own, in place of those of an earlier reading."""
        ThreadOrder.objects.filter(article_id=article_id).delete()
        with connection.cursor() as cursor, cursor.copy(_COPY_ORDERS) as copy:
            if len(self.posts) > threads.ORDERED_FROM:
                for order in self._orders():
                    copy.write_row((article_id, *order))

    def _orders(self) -> Iterator[tuple[str, int, bytes]]:
        by_rank = sorted(range(len(self.posts)), key=self.order.rank.__getitem__)
        dates = (self.posts[i].posted_at for i in by_rank)
        return threads.orders(
            [self.order.depth[i] for i in by_rank],
            [self.order.subtree_size[i] for i in by_rank],
            [None if date is None else date.timestamp() for date in dates],
        )

    def _ids(self) -> list[int]:
        """The id of each post: its earlier one where it had one, the sequence's next otherwise."""
        known = self.before.ids() if self.before else [None] * len(self.posts)
        missing = known.count(None)
        with connection.cursor() as cursor:
            cursor.execute(_NEXT_IDS, [missing])
            fresh = iter([row[0] for row in cursor.fetchall()])
        return [next(fresh) if pk is None else pk for pk in known]

    def _authors(self) -> dict[str, int]:
        """The id of each author's name on this site; names that are new to it are added."""
        keys = {sha256(name): name for name in {_author_name(post) for post in self.posts} if name}
        if not keys:
            return {}
        with connection.cursor() as cursor:
            ordered = sorted(keys)  # one order in every import, so that two of them never wait for each other
            cursor.execute(_ADD_AUTHORS, [self.site.pk, ordered, [keys[key] for key in ordered]])
            cursor.execute(
                "SELECT key, id FROM archive_author WHERE site_id = %s AND key = ANY(%s)", [self.site.pk, ordered]
            )
            return {keys[bytes(key)]: pk for key, pk in cursor.fetchall()}

    def _reasons(self) -> dict[str, int]:
        """The id of each reason that a claim gives; new ones are added."""
        texts = sorted({text for post in self.posts for claim in _claims(post) if (text := _reason(claim))})
        if not texts:
            return {}
        with connection.cursor() as cursor:
            cursor.execute(_ADD_REASONS, [texts])
            cursor.execute("SELECT text, id FROM archive_reason WHERE text = ANY(%s)", [texts])
            return dict(cursor.fetchall())


COLUMNS = [
    *("id", "article_id", "parent_id", "external_id", "external_key", "missing_parent", "author_id", "author_name"),
    "posted_at",
    *("body", "html", "position", "thread_rank", "depth", "subtree_size", "status", "cause", "version"),
    *("span_start", "span_end"),
    *("boundary_basis", "boundary_confidence", "parent_basis", "parent_confidence"),
    *("author_basis", "author_confidence", "date_basis", "date_confidence"),
    *("boundary_reason_id", "parent_reason_id", "author_reason_id", "date_reason_id"),
]
_COPY_ORDERS = "COPY archive_threadorder (article_id, sort, levels, ranks) FROM STDIN"
_NEXT_IDS = "SELECT nextval(pg_get_serial_sequence('archive_comment', 'id')) FROM generate_series(1, %s)"
_ADD_AUTHORS = """
    INSERT INTO archive_author (site_id, key, name)
    SELECT %s, new.key, new.name FROM unnest(%s::bytea[], %s::text[]) AS new (key, name)
    ORDER BY new.key ON CONFLICT (site_id, key) DO NOTHING
"""
_ADD_REASONS = """
    INSERT INTO archive_reason (text) SELECT new.text FROM unnest(%s::text[]) AS new (text)
    ORDER BY new.text ON CONFLICT (text) DO NOTHING
"""
_LATEST_REVISIONS = """
    SELECT comment_id, max(number) FROM archive_revision
    WHERE article_id = %s AND comment_id IS NOT NULL GROUP BY comment_id
"""


def _author_name(post: Post) -> str:
    return storable(post.author or "").strip()[:MAX_NAME]


def _claims(post: Post) -> tuple[Claim, Claim, Claim, Claim]:
    return post.boundary_claim, post.parent_claim, post.author_claim, post.date_claim


def _doubt(post: Post) -> tuple[float, dict[str, Any]] | None:
    """How sure the least sure is of what the archive asks about in a comment, and what that is.

    Less sure than the setting: whom it answers, and when it was written. And its lines that sites print and nobody
    writes, which stay where somebody's words stand above and below: of these nobody knows how often they are right.
    """
    found = {
        about: claim.confidence or 0.0
        for about, claim in (("parent", post.parent_claim), ("date", post.date_claim))
        if claim.basis is Basis.INFERRED and (claim.confidence or 0.0) < settings.DOUBT_BELOW
    }
    printed = boilerplate_in(post.text)[:MOST_LINES] if post.boundary_claim.basis is Basis.INFERRED else []
    if not found and not printed:
        return None
    why = {"inferred": found, "printed": printed} if printed else {"inferred": found}
    return min(found.values(), default=settings.DOUBT_BELOW), why


def _reason(claim: Claim) -> str:
    """What is kept of why: only an inference has a reason of its own, all others have the same one by their basis."""
    return storable(claim.reason)[:MAX_REASON] if claim.basis is Basis.INFERRED else ""


def _claim(claim: Claim) -> tuple[str, float | None]:
    return claim.basis.value, claim.confidence
