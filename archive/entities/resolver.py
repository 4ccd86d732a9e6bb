"""Names in texts to entities in the database, and people's word on them. The only writer of machine mentions.

A run reads an article twice: first every text goes through the model, outside of any transaction because that takes
long; then, with the article locked, mentions are compared with what was found, changed where they differ, and the
linked HTML is made. Entities are made in between, in short transactions of their own: two workers that meet the same
new name in different articles wait for each other for milliseconds and then share one entity.

Order of locks, as in ``moderation``: articles, then what is under them, then entities by id.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from itertools import batched
from typing import TYPE_CHECKING, NamedTuple

from django.conf import settings
from django.db import transaction
from django.db.models import Q

from archive import counters, queries
from archive.entities import names
from archive.entities.extractor import KINDS, Extractor, Found, load
from archive.entities.propagation import Evidence, Identity, Named, Names
from archive.models import Alias, Comment, Entity, Judgement, Mention
from archive.text import Mark, render_text

if TYPE_CHECKING:
    from accounts.models import User

CHUNK = 500  # texts, names or rows handled at once
MAX_MERGES = 10  # redirects followed from a merged entity; a longer chain, or a circle, ends where it is then

Review, Verdict, Scope = Mention.Review, Judgement.Verdict, Judgement.Scope
REVIEW_OF: dict[str, str] = {Verdict.CONFIRM: Review.CONFIRMED, Verdict.REJECT: Review.REJECTED}


class _Text(NamedTuple):
    """The article's own text (``comment_id`` None) or a comment's."""

    comment_id: int | None
    version: int
    body: str
    html: str


class _Change(NamedTuple):
    """What has to happen to the mentions of one text, and the ones that stand afterwards, rejected ones included."""

    delete: list[Mention]
    create: list[Mention]
    renew: list[Mention]  # found again in the same place, by another version of the extractor
    standing: list[Mention]


def extract_article(article_id: int, *, extractor: Extractor | None = None) -> int:
    """Find the names in an article and all its comments, hidden ones too; return how many mentions stand.

    Replaces only unreviewed mentions of the same extractor and respects every judgement. Running it again changes
    nothing. Texts that change while it runs keep their mentions; the change asks for a run of its own. An article
    that does not exist has none. Raises OSError where the model is not installed.
    """
    extractor = extractor or load(settings.SPACY_MODEL)
    found, known = _read(article_id, extractor)
    entity_of = _entities_for(known.identities())
    with transaction.atomic():
        if not _lock_articles([article_id]):
            return 0
        run = _Run(article_id, extractor, known, entity_of)
        for texts in _texts(article_id):
            run.store([text for text in texts if text.comment_id in found], found)
        run.finish()
    return run.standing


def judge(mention: Mention, *, verdict: str, by: User, scope: str = Scope.HERE) -> Judgement:
    """Confirm or reject a mention, here, or the same name for the same entity in the article or everywhere.

    Judgements of a narrower scope stand against wider ones, later against earlier ones. Everything in one
    transaction; it takes time for every mention in scope, so "everywhere" may be work for a job.
    """
    if verdict not in REVIEW_OF or scope not in Scope:
        raise ValueError(f"a mention cannot be judged with {verdict!r}, {scope!r}")
    with transaction.atomic():
        judgement = Judgement.objects.create(
            verdict=verdict,
            scope=scope,
            entity_id=mention.entity_id,
            article_id=mention.article_id,
            comment_id=mention.comment_id,
            start=mention.start,
            end=mention.end,
            surface=mention.surface,
            by=by,
        )
        in_scope = _in_scope(mention, scope)
        article_ids = sorted(set(in_scope.order_by().values_list("article_id", flat=True)))
        _lock_articles(article_ids)  # all at once, in order: two judgements "everywhere" wait, not for each other
        touched = {entity for pk in article_ids for entity in _review(pk, in_scope)}
        counters.recount_entities(touched)
    # A run may have replaced the row meanwhile; the judgement stands for whatever is found in its place.
    rows = queries.mentions().filter(article_id=mention.article_id, pk=mention.pk).values_list("review", flat=True)
    mention.review = rows.first() or REVIEW_OF[verdict]
    return judgement


def relink(article_id: int, comment_ids: Collection[int | None]) -> bool:
    """Make the HTML of these texts (None: the article's own) from their mentions; return whether it changed.

    Belongs into the transaction that changed the mentions. The article's version is the caller's to increase.
    """
    links = _Links()
    changed = False
    for texts in _texts(article_id, comment_ids):
        rows = _mentions_in(article_id, texts)
        changed |= _write_html(article_id, texts, {text.comment_id: rows[text.comment_id] for text in texts}, links)
    return changed


# --- Reading ----------------------------------------------------------------------------------------------------------


def _texts(article_id: int, comment_ids: Collection[int | None] | None = None) -> Iterator[list[_Text]]:
    """The article's text and its comments', or only these, in groups of at most CHUNK."""
    if comment_ids is None or None in comment_ids:
        own = queries.articles().filter(pk=article_id).values_list("version", "body", "html")
        yield [_Text(None, *row) for row in own]
    comments = queries.comments().filter(article_id=article_id)
    ids = comments.in_thread_order().values_list("pk", flat=True) if comment_ids is None else comment_ids
    for some in batched(sorted(pk for pk in ids if pk is not None), CHUNK):
        rows = comments.filter(pk__in=some).order_by("pk").values_list("pk", "version", "body", "html")
        yield [_Text(*row) for row in rows]


class _Reading(NamedTuple):
    found: list[Found]
    body_hash: int  # to notice a text that changed since


def _read(article_id: int, extractor: Extractor) -> tuple[dict[int | None, _Reading], Names]:
    evidence = Evidence()
    readings: dict[int | None, _Reading] = {}
    for texts in _texts(article_id):
        bodies = [text.body for text in texts]
        found = extractor.extract(bodies)
        evidence.add(bodies, found)
        for text, names_found in zip(texts, found, strict=True):
            readings[text.comment_id] = _Reading(names_found, hash(text.body))
    return readings, evidence.conclude()


def _mentions_in(article_id: int, texts: Iterable[_Text]) -> defaultdict[int | None, list[Mention]]:
    comment_ids = [text.comment_id for text in texts]
    where = Q(comment_id__in=[pk for pk in comment_ids if pk is not None])
    if None in comment_ids:
        where |= Q(comment_id__isnull=True)
    rows: defaultdict[int | None, list[Mention]] = defaultdict(list)
    for row in queries.mentions().filter(where, article_id=article_id).order_by("start", "pk"):
        rows[row.comment_id].append(row)
    return rows


# --- Names to entities ------------------------------------------------------------------------------------------------


def _entities_for(identities: Iterable[Identity]) -> dict[str, int]:
    """``own_key`` of each identity -> the entity it leads to. Makes the entities that no alias leads to yet.

    What a person taught of the name itself comes first: a taught "TTP" is not what an article spells it out as.
    """
    entity_of: dict[str, int] = {}
    # In one order everywhere, so that two workers that make the same entities wait for each other and never both.
    for some in batched(sorted(identities, key=lambda identity: (identity.kind, identity.key)), CHUNK):
        known, taught = _aliases({key for identity in some for key in (identity.key, identity.own_key)})
        new = {(one.kind, one.key): one.name for one in some if (one.kind, one.key) not in known}
        made = _make_entities({pair: name for pair, name in new.items() if pair[1]})
        for one in some:
            own, full = (one.kind, one.own_key), (one.kind, one.key)
            entity_of[one.own_key] = taught.get(own) or known.get(full) or made[full]
    redirects = _redirects(entity_of.values())
    return {key: redirects[pk] for key, pk in entity_of.items()}


type _Pair = tuple[str, str]  # kind, key


def _aliases(keys: Collection[str]) -> tuple[dict[_Pair, int], dict[_Pair, int]]:
    """All aliases with these keys, and those of them that a person taught."""
    rows = Alias.objects.filter(kind__in=KINDS, key__in=keys).order_by()
    known, taught = {}, {}
    for kind, key, entity_id, is_taught in rows.values_list("kind", "key", "entity_id", "taught"):
        known[kind, key] = entity_id
        if is_taught:
            taught[kind, key] = entity_id
    return known, taught


def _make_entities(new: Mapping[_Pair, str]) -> dict[_Pair, int]:
    """Entities with one alias each. Where another worker was faster, its entity is taken and ours removed again."""
    if not new:
        return {}
    with transaction.atomic():
        made = Entity.objects.bulk_create(Entity(kind=kind, name=name) for (kind, _), name in new.items())
        Alias.objects.bulk_create(
            (Alias(entity=entity, kind=kind, key=key) for entity, (kind, key) in zip(made, new, strict=True)),
            ignore_conflicts=True,
        )
        known, _ = _aliases({key for _, key in new})
        lost = {entity.pk for entity in made} - set(known.values())
        if lost:
            Entity.objects.filter(pk__in=lost).delete()
    return {pair: known[pair] for pair in new}


def _redirects(entity_ids: Iterable[int]) -> dict[int, int]:
    """Each entity -> the one that it was merged into in the end, itself where it was not."""
    end_of = {pk: pk for pk in entity_ids}
    for _ in range(MAX_MERGES):
        merged = Entity.objects.filter(pk__in=set(end_of.values()), merged_into__isnull=False)
        step = dict(merged.order_by().values_list("pk", "merged_into_id"))
        if not step:
            break
        end_of = {pk: step.get(end, end) or end for pk, end in end_of.items()}
    return end_of


# --- People's word ----------------------------------------------------------------------------------------------------


class _Rules:
    """The confirmations and rejections that reach into an article. Narrower before wider, later before earlier."""

    def __init__(self, article_id: int, entity_ids: Collection[int]) -> None:
        about = Q(entity_id__in=entity_ids) | Q(entity__merged_into_id__in=entity_ids)
        reaches = Q(article_id=article_id) | Q(scope=Scope.EVERYWHERE)
        rows = list(Judgement.objects.filter(about, reaches, verdict__in=REVIEW_OF).order_by("pk"))
        redirects = _redirects({row.entity_id for row in rows})
        self._here: dict[tuple[int | None, int | None, int | None, str, int], str] = {}
        self._named: dict[tuple[str, str, int], str] = {}
        for row in rows:
            entity = redirects[row.entity_id]
            if row.scope == Scope.HERE:
                self._here[row.comment_id, row.start, row.end, row.surface, entity] = row.verdict
            else:
                self._named[row.scope, names.key(row.surface), entity] = row.verdict

    def verdict(self, comment_id: int | None, start: int, end: int, surface: str, entity_id: int) -> str:
        """What was decided on this name in this place, or ''."""
        if here := self._here.get((comment_id, start, end, surface, entity_id)):
            return here
        if not self._named:
            return ""
        key = names.key(surface)
        wider = (self._named.get((scope, key, entity_id)) for scope in (Scope.ARTICLE, Scope.EVERYWHERE))
        return next(filter(None, wider), "")


def _in_scope(mention: Mention, scope: str) -> queries.MentionQuerySet:
    """The mentions that a judgement on this one reaches: of the same entity, by a name with the same key."""
    if scope == Scope.HERE:
        return queries.mentions().filter(article_id=mention.article_id, pk=mention.pk)
    end = _redirects([mention.entity_id])[mention.entity_id]
    rows = queries.mentions().filter(Q(entity_id=end) | Q(entity__merged_into_id=end) | Q(entity_id=mention.entity_id))
    if scope == Scope.ARTICLE:
        rows = rows.filter(article_id=mention.article_id)
    key = names.key(mention.surface)
    surfaces = rows.order_by().values_list("surface", flat=True).distinct()
    return rows.filter(surface__in=[surface for surface in surfaces if names.key(surface) == key])


def _review(article_id: int, in_scope: queries.MentionQuerySet) -> set[int]:
    """Apply the judgements to mentions of one article; return the entities whose mentions changed."""
    rows = list(in_scope.filter(article_id=article_id).order_by("pk"))
    redirects = _redirects({row.entity_id for row in rows})
    rules = _Rules(article_id, set(redirects.values()))
    changed = defaultdict(list)
    for row in rows:
        verdict = rules.verdict(row.comment_id, row.start, row.end, row.surface, redirects[row.entity_id])
        if verdict and row.review != REVIEW_OF[verdict]:
            changed[REVIEW_OF[verdict]].append(row)
    for review, some in changed.items():
        queries.mentions().filter(article_id=article_id, pk__in=[row.pk for row in some]).update(review=review)
    every = [row for some in changed.values() for row in some]
    if every:
        relink(article_id, {row.comment_id for row in every})
        counters.raise_versions([article_id])
    return {row.entity_id for row in every}


# --- Storing ----------------------------------------------------------------------------------------------------------


class _Run:
    """One extraction being stored, the article locked. Counts what stands, and remembers what it touched."""

    def __init__(self, article_id: int, extractor: Extractor, known: Names, entity_of: Mapping[str, int]) -> None:
        self.article_id = article_id
        self.extractor = extractor.name
        self.extractor_version = extractor.version
        self.known = known
        self.entity_of = entity_of
        self.rules = _Rules(article_id, set(entity_of.values()))
        self.links = _Links()
        self.touched: set[int] = set()
        self.changed = False
        self.standing = 0

    def store(self, texts: Sequence[_Text], readings: Mapping[int | None, _Reading]) -> None:
        texts = [text for text in texts if readings[text.comment_id].body_hash == hash(text.body)]
        rows = _mentions_in(self.article_id, texts)
        standing: dict[int | None, list[Mention]] = {}
        changes = []
        for text in texts:
            named = self.known.in_text(text.body, readings[text.comment_id].found)
            change = self._compare(text, rows[text.comment_id], named)
            changes.append(change)
            # A text that had no mentions and has none keeps its HTML as it is.
            if change.standing or change.delete:
                standing[text.comment_id] = change.standing
                self.standing += sum(row.review != Review.REJECTED for row in change.standing)
        self._write(changes)
        self.changed |= _write_html(self.article_id, texts, standing, self.links)

    def finish(self) -> None:
        counters.recount_entities(self.touched)
        if self.changed:
            counters.raise_versions([self.article_id])

    def _compare(self, text: _Text, rows: Sequence[Mention], named: Sequence[Named]) -> _Change:
        mine = {(row.start, row.end): row for row in rows if self._is_replaceable(row)}
        standing = [row for row in rows if not self._is_replaceable(row)]
        decided = [row for row in standing if row.review != Review.SUGGESTED and _is_in(text.body, row)]
        spoken_for = {point for row in decided if row.review == Review.CONFIRMED for point in range(row.start, row.end)}
        # The unique key holds whatever the text says by now, so rows of this extractor block their exact place.
        rejected = {(row.start, row.end) for row in decided}
        rejected |= {(row.start, row.end) for row in standing if row.extractor == self.extractor}
        create, renew = [], []
        for (start, end, _, score), identity in named:
            if (start, end) in rejected or start in spoken_for or end - 1 in spoken_for:
                continue
            row = self._wanted(text, start, end, score, identity)
            if row is None:
                continue
            old = mine.get((start, end))
            if old is None or _facts(old) != _facts(row):
                create.append(row)
                standing.append(row)
                continue
            standing.append(mine.pop((start, end)))
            if old.extractor_version != self.extractor_version:
                renew.append(old)
        return _Change(list(mine.values()), create, renew, standing)

    def _is_replaceable(self, row: Mention) -> bool:
        return row.review == Review.SUGGESTED and row.extractor == self.extractor

    def _wanted(self, text: _Text, start: int, end: int, score: float | None, identity: Identity) -> Mention | None:
        """The row for a name in a text, or None where a person rejected it."""
        surface, entity_id = text.body[start:end], self.entity_of[identity.own_key]
        verdict = self.rules.verdict(text.comment_id, start, end, surface, entity_id)
        if verdict == Verdict.REJECT:
            return None
        return Mention(
            article_id=self.article_id,
            comment_id=text.comment_id,
            entity_id=entity_id,
            revision=text.version,
            start=start,
            end=end,
            surface=surface,
            extractor=self.extractor,
            extractor_version=self.extractor_version,
            score=score,
            review=REVIEW_OF[verdict] if verdict else Review.SUGGESTED,
        )

    def _write(self, changes: Iterable[_Change]) -> None:
        """Delete before creating: a new row may take an old one's place."""
        delete = [row for change in changes for row in change.delete]
        create = [row for change in changes for row in change.create]
        renew = [row.pk for change in changes for row in change.renew]
        rows = queries.mentions().filter(article_id=self.article_id)
        if delete:
            rows.filter(pk__in=[row.pk for row in delete], review=Review.SUGGESTED).delete()
        Mention.objects.bulk_create(create)
        if renew:
            rows.filter(pk__in=renew).update(extractor_version=self.extractor_version)
        self.touched |= {row.entity_id for row in [*delete, *create]}
        self.changed |= bool(delete or create)


def _facts(row: Mention) -> tuple[object, ...]:
    return row.entity_id, row.surface, row.score, row.review


def _is_in(body: str, row: Mention) -> bool:
    """Whether the text still says, in this place, what the mention was found in: it may have been corrected since."""
    return 0 <= row.start < row.end <= len(body) and body[row.start : row.end][:300] == row.surface


def _lock_articles(article_ids: Iterable[int]) -> int:
    """Lock these articles until the end of the transaction, in the order of their ids; return how many exist."""
    rows = queries.articles().filter(pk__in=article_ids).order_by("pk").select_for_update(no_key=True)
    return len(rows.values_list("pk", flat=True))


# --- Links in the HTML ------------------------------------------------------------------------------------------------


_LINK = re.compile(r'<a class="kind-[A-Za-z0-9_-]*" href="[^"]*">([^<]*)</a>')  # as render_text() writes marks


class _Links:
    """Where mentions of an entity lead, and what kind it is; each entity is read once."""

    def __init__(self) -> None:
        self._of: dict[int, tuple[str, str]] = {}

    def to(self, entity_ids: Iterable[int]) -> dict[int, tuple[str, str]]:
        missing = set(entity_ids) - self._of.keys()
        if missing:
            redirects = _redirects(missing)
            entities = Entity.objects.in_bulk(set(redirects.values()))
            for pk, end in redirects.items():
                self._of[pk] = (entities[end].get_absolute_url(), entities[end].kind)
        return self._of


def is_derived(body: str, html: str) -> bool:
    """Whether the HTML was made of the body, with mentions linked or without, and not received as HTML."""
    return _LINK.sub(r"\1", html) == render_text(body)


def _write_html(
    article_id: int, texts: Iterable[_Text], rows: Mapping[int | None, Sequence[Mention]], links: _Links
) -> bool:
    """Store the HTML of those texts in ``rows`` for which it comes out differently; return whether there were any.

    HTML that was made from HTML, and not from the body, stays: offsets in the body say nothing about places in it, and
    making it anew from the body would take away the writer's own links and emphasis.
    """
    to = links.to({row.entity_id for some in rows.values() for row in some})
    comments = []
    own = None
    for text in texts:
        if text.comment_id not in rows:
            continue
        html = render_text(text.body, _marks(text.body, rows[text.comment_id], to))
        if html == text.html or not is_derived(text.body, text.html):
            continue
        if text.comment_id is None:
            own = html
        else:
            comments.append(Comment(pk=text.comment_id, html=html))
    if own is not None:
        queries.articles().filter(pk=article_id).update(html=own)
    if comments:
        queries.comments().filter(article_id=article_id).bulk_update(comments, ["html"], batch_size=100)
    return own is not None or bool(comments)


def _marks(body: str, rows: Iterable[Mention], to: Mapping[int, tuple[str, str]]) -> list[Mark]:
    """The mentions to be linked, none overlapping another: confirmed ones first, then the longest."""
    shown = [row for row in rows if row.review != Review.REJECTED and _is_in(body, row)]
    taken: set[int] = set()
    marks = []
    for row in sorted(shown, key=lambda row: (row.review != Review.CONFIRMED, row.start - row.end, row.start)):
        if taken.isdisjoint(range(row.start, row.end)):
            taken.update(range(row.start, row.end))
            marks.append(Mark(row.start, row.end, *to[row.entity_id]))
    return sorted(marks)
