"""Words that a case or a rule has covered in everything readers can see, and giving them back.

A case's mask belongs to the articles in which it covered something, and is put on article by article, each in a
transaction of its own. A rule's mask belongs to the comments in which the rule found something, and to one entry of
the log. What was there before is kept (``Masked``). An import that brings the text again puts the masks on again, in
its own transaction: ``put_on_again``.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from django.db import transaction
from django.db.models import Model, Q, TextField
from django.db.models.functions import Cast

from archive import counters, holdings, matching, outbox, queries, redaction
from archive.entities import resolver
from archive.models import (
    Alias,
    Article,
    Author,
    Case,
    Comment,
    Decision,
    Entity,
    FormerComment,
    Masked,
    Mention,
    Reason,
    Rule,
    RuleVersion,
)
from archive.redaction import BLOCK, Marks, keys, marks_of
from archive.search import index
from archive.text import render_text

ROWS = 2_000  # read and written at once
_MASKED: tuple[type[Model], ...] = (Article, *holdings.PUBLIC, Entity, Alias, Reason)
_ENTITY = holdings.SHARED[Entity]
_AS_JSON = "external_ids"  # the one column of these that is no text
_TABLES = {model._meta.model_name or "": model for model in _MASKED}
WITH_MASK = (Case.State.MASKED, Case.State.SCHEDULED)


def put_on(case: Case, article_id: int, *, left_out: Collection[str] = ()) -> bool:
    """Cover the case's words in one article; return whether anything was. Doing it again changes nothing.

    ``left_out`` names what a person took out: ``article:1`` for its own text, ``comment:1`` for a comment.
    """
    with transaction.atomic():
        article = _locked(article_id)
        if article is None:
            return False
        kept = _cover(article, marks_of(case.words), left_out)
        keep(kept, case=case)
        if kept:
            _bring_up_to_date(article_id, _touched(kept))
    return bool(kept)


def put_on_again(article_id: int) -> None:
    """Cover again what was covered in an article whose rows were replaced. Belongs into the import's transaction."""
    cases = Case.objects.filter(state__in=WITH_MASK, pk__in=Masked.objects.filter(article_id=article_id).values("case"))
    for case in cases.order_by("pk"):
        article = Article.objects.get(pk=article_id)
        Masked.objects.filter(case=case, article_id=article_id).delete()
        kept = _cover(article, marks_of(case.words), case.scope.get("left_out", ()))
        if not kept:  # it stays one of the mask's
            kept = [_kept(article_id, article, "title", article.title, article.title)]
        keep(kept, case=case)
    _put_rules_on_again(article_id)


def _put_rules_on_again(article_id: int) -> None:
    """The same for rules: on the comments that had the mask, and on those that such a comment was joined into."""
    kept = Masked.objects.filter(article_id=article_id, decision_id__isnull=False)
    had: dict[tuple[int, int], set[int]] = defaultdict(set)
    for version_id, decision_id, comment_id in kept.values_list("version_id", "decision_id", "comment_id"):
        had[decision_id or 0, version_id or 0].add(comment_id or 0)
    if not had:
        return
    kept.delete()
    former = FormerComment.objects.filter(article_id=article_id, comment_id__in=set().union(*had.values()))
    heirs = dict(former.values_list("comment_id", "heir_id"))
    for (decision_id, version_id), pks in sorted(had.items()):
        version = RuleVersion.objects.get(pk=version_id)
        alive = pks | {heir for pk in pks if (heir := heirs.get(pk))}
        keep(cover_by(version, article_id, alive), version=version, decision_id=decision_id)


def cover_by(rule: Rule | RuleVersion, article_id: int, comment_ids: Collection[int]) -> list[Masked]:
    """Cover what a rule finds in these comments of an article that is locked."""
    texts = queries.comments().filter(article_id=article_id, pk__in=comment_ids).values_list("pk", "body")
    return cover_comments(
        article_id, {pk: matching.marks_in(rule.kind, rule.body, body) for pk, body in texts.order_by("pk")}
    )


def cover_comments(article_id: int, marks: Mapping[int, Marks]) -> list[Masked]:
    """Cover in each of these comments, of an article that is locked, what is marked for it, as a rule's mask does.

    Covered are the comment and what repeats it: its earlier texts, its author's name, what was said of places in it.
    Who is mentioned by a word that is covered is not mentioned for the time being. What was there before is returned,
    for ``keep``.
    """
    kept: list[Masked] = []
    for model, names in holdings.PUBLIC.items():
        fields = {name: holdings.OF_ARTICLE[model][name] for name in names}
        manager: Any = model._default_manager
        which = "pk__in" if model is Comment else "comment_id__in"
        rows = manager.filter(**{"article_id": article_id, which: list(marks)}).order_by("pk")
        found = [(row, holdings.changes(row, fields, marks[_comment_of(row) or 0])) for row in rows.iterator(ROWS)]
        changed = [(row, new) for row, new in found if new]
        if model is Mention:
            for _, new in changed:
                new["review"] = Mention.Review.REJECTED
        kept += _write(article_id, changed)
        if model is Mention and changed:
            counters.recount_entities({row.entity_id for row, _ in changed})
    return kept


def keep(
    kept: Collection[Masked],
    *,
    case: Case | None = None,
    version: RuleVersion | None = None,
    decision_id: int | None = None,
) -> None:
    """Keep what was there before words were covered: for a case, or for a rule and the log's entry."""
    for one in kept:
        one.case, one.version, one.decision_id = case, version, decision_id
    Masked.objects.bulk_create(kept, batch_size=500)


def bring_up_to_date(article_id: int, kept: Collection[Masked]) -> None:
    """After ``cover_comments`` outside of an import: pages, links and search follow."""
    _bring_up_to_date(article_id, _touched(kept))


def _touched(kept: Iterable[Masked]) -> set[int | None]:
    """The texts to be linked and indexed anew: of comments, None for the article's own."""
    return {one.comment_id for one in kept if one.table in {"article", "comment", "mention"}}


def take_off(case: Case, article_id: int) -> int:
    """Give an article its words back; return how many values were changed by others since and so stay covered."""
    with transaction.atomic():
        article = _locked(article_id)
        kept = Masked.objects.filter(case=case, article_id=article_id)
        missed, touched = _give_back(kept, article)
        kept.delete()
        if article is not None:
            _cover_what_stands(article_id)
            _bring_up_to_date(article_id, touched)
    return len({(one.table, one.row, one.field) for one in missed})


class Undone(NamedTuple):
    """What became of comments (article and id): whether it could be done. ``kept`` is for ``keep``."""

    comments: dict[tuple[int, int], bool]
    versions: dict[int, int]
    kept: list[Masked]
    version: RuleVersion | None = None


def give_back(decision_id: int, comment_id: int | None = None) -> Undone:
    """Take a rule's mask, as an entry of the log has it, off its comments, or off one; not off texts that were changed.

    Article by article, each locked, in the order of their ids.
    """
    found = Undone({}, {}, [])
    rows = Masked.objects.filter(decision_id=decision_id)
    rows = rows.filter(comment_id=comment_id) if comment_id else rows
    for article_id in sorted(set(rows.order_by().values_list("article_id", flat=True)), key=lambda pk: pk or 0):
        article = _locked(article_id or 0)
        if article is None:
            continue
        here = rows.filter(article_id=article_id)
        pks = set(here.order_by().values_list("comment_id", flat=True).distinct())
        missed, touched = _give_back(here, article)
        here.exclude(pk__in=[one.pk for one in missed]).delete()
        _cover_what_stands(article.pk)
        _bring_up_to_date(article.pk, touched)
        stays = {one.comment_id for one in missed}
        found.comments.update({(article.pk, pk or 0): pk not in stays for pk in sorted(pk for pk in pks if pk)})
        found.versions.update(_versions(article.pk, pks))
    return found


def cover_again(decision_id: int, parts: Iterable[tuple[int | None, int | None]]) -> Undone:
    """Put a rule's mask on again, as the entry of the log says that it was, on these comments (article and id)."""
    detail = Decision.objects.values_list("detail", flat=True).get(pk=decision_id)
    version = RuleVersion.objects.filter(rule_id=detail.get("rule"), number=detail.get("version")).first()
    found = Undone({}, {}, [], version)
    wanted: dict[int, list[int]] = defaultdict(list)
    for article_id, pk in parts:
        wanted[article_id or 0].append(pk or 0)
    for article_id in sorted(wanted) if version else ():
        if version is None or _locked(article_id) is None:
            continue
        kept = cover_by(version, article_id, wanted[article_id])
        _bring_up_to_date(article_id, _touched(kept))
        covered = {one.comment_id for one in kept}
        found.kept.extend(kept)
        found.versions.update(_versions(article_id, wanted[article_id]))
        found.comments.update({(article_id, pk): pk in covered for pk in wanted[article_id]})
    return found


def _versions(article_id: int, pks: Iterable[int | None]) -> dict[int, int]:
    rows = queries.comments().filter(article_id=article_id, pk__in=[pk for pk in pks if pk]).order_by()
    return defaultdict(int, rows.values_list("pk", "version"))


def _locked(article_id: int) -> Article | None:
    return queries.articles().filter(pk=article_id).select_for_update(no_key=True).first()


def _cover_what_stands(article_id: int) -> None:
    """What was given back may be covered by another mask, which did not see it under the first."""
    standing = Masked.objects.filter(article_id=article_id).order_by()
    for case in Case.objects.filter(state__in=WITH_MASK, pk__in=standing.values("case")).order_by("pk"):
        article = Article.objects.get(pk=article_id)
        keep(_cover(article, marks_of(case.words), case.scope.get("left_out", ())), case=case)
    by_rules = standing.filter(decision_id__isnull=False).values_list("decision_id", "version_id", "comment_id")
    had: dict[tuple[int, int], set[int]] = defaultdict(set)
    for decision_id, version_id, comment_id in by_rules.distinct():
        had[decision_id or 0, version_id or 0].add(comment_id or 0)
    for (decision_id, version_id), pks in sorted(had.items()):
        version = RuleVersion.objects.get(pk=version_id)
        keep(cover_by(version, article_id, pks), version=version, decision_id=decision_id)


def cover_names(case: Case) -> list[int]:
    """Cover the words in what no article owns: entities and reasons; return the articles whose links name them."""
    marks = marks_of(case.words)
    with transaction.atomic():
        for reason in _saying(Reason, ("text",), case.words):
            if new := holdings.changes(reason, holdings.SHARED[Reason], marks):
                _put(case, reason, {"text": f"{new['text'][:180]} {reason.pk}"})  # two may differ in the name alone
        named = [
            entity.pk for entity in _saying(Entity, tuple(_ENTITY), case.words) if _cover_entity(case, entity, marks)
        ]
        rows = queries.mentions().filter(entity_id__in=named).order_by()
        return sorted(set(rows.values_list("article_id", flat=True)))


def uncover_names(case: Case) -> None:
    with transaction.atomic():
        kept = Masked.objects.filter(case=case, article_id=None)
        _give_back(kept, None)
        kept.delete()


def _saying(model: type[Model], names: Sequence[str], words: Iterable[str]) -> Iterable[Any]:
    """Rows that may have one of the words in these columns, locked: the first part of each is looked for."""
    wanted = Q()
    for first in (keys(word)[0] for word in words):
        for name in names:
            wanted |= Q(**{f"{name}_said__icontains": first})
    manager: Any = model._default_manager
    texts = {f"{name}_said": Cast(name, TextField()) for name in names}
    return list(manager.alias(**texts).filter(wanted).select_for_update(no_key=True).order_by("pk"))


def _cover_entity(case: Case, entity: Entity, marks: Marks) -> bool:
    new = holdings.changes(entity, _ENTITY, marks)
    if new:
        _put(case, entity, new)
    for alias in Alias.objects.filter(entity=entity) if "name" in new else ():
        if holdings.changes(alias, holdings.SHARED[Alias], marks):
            _put(case, alias, {"key": f"{BLOCK}{alias.pk}"})
    return bool(new)


def _put(case: Case, row: Any, new: Mapping[str, Any]) -> None:
    keep([_kept(None, row, name, getattr(row, name), value) for name, value in new.items()], case=case)
    type(row)._default_manager.filter(pk=row.pk).update(**new)


def _cover(article: Article, marks: Marks, left_out: Collection[str]) -> list[Masked]:
    """Cover the words in the rows of an article that is locked; what was there before, not kept yet."""
    kept: list[Masked] = []
    if f"article:{article.pk}" not in left_out:
        kept += _write(article.pk, [(article, holdings.changes(article, holdings.OWN, marks))])
    out = {int(key.partition(":")[2]) for key in left_out if key.startswith("comment:")}
    for model, names in holdings.PUBLIC.items():
        fields = {name: holdings.OF_ARTICLE[model][name] for name in names}
        manager: Any = model._default_manager
        rows = manager.filter(article_id=article.pk).order_by("pk").iterator(chunk_size=ROWS)
        kept_out = (row for row in rows if _comment_of(row) not in out)
        kept += _write(article.pk, holdings.sweep(kept_out, fields, marks))
    return kept


def _comment_of(row: Any) -> int | None:
    return None if isinstance(row, Article) else int(row.pk) if isinstance(row, Comment) else row.comment_id


def _write(article_id: int, changed: Iterable[tuple[Any, dict[str, Any]]]) -> list[Masked]:
    kept: list[Masked] = []
    for row, new in changed:
        kept += [_kept(article_id, row, name, getattr(row, name), value) for name, value in new.items()]
        if "author_name" in new:
            new["author_id"] = author_named(article_id, new["author_name"])
        if new:
            type(row)._default_manager.filter(pk=row.pk, **_where(row)).update(**new)
    return kept


def _where(row: Any) -> dict[str, Any]:
    return {} if isinstance(row, Article) else {"article_id": row.article_id}


def _kept(article_id: int | None, row: Any, field: str, before: Any, after: Any) -> Masked:
    if field == _AS_JSON:
        before, after = json.dumps(before), json.dumps(after)
    where = {"table": row._meta.model_name, "row": row.pk, "field": field}
    comment_id = _comment_of(row) if article_id else None
    return Masked(article_id=article_id, comment_id=comment_id, before=before, after=after, **where)


def author_named(article_id: int, name: str) -> int | None:
    """The id of a name within the article's site, made where there is none; None for no name."""
    if not name:
        return None
    site = Article.objects.values_list("site_id", flat=True).get(pk=article_id)
    return Author.objects.get_or_create(site_id=site, key=queries.author_key(name), defaults={"name": name})[0].pk


def _give_back(kept: Any, article: Article | None) -> tuple[list[Masked], set[int | None]]:
    """Write back what nobody has changed since; what somebody has, and the texts that are whole again."""
    missed: list[Masked] = []
    touched: set[int | None] = set()
    rows: dict[tuple[str, int], list[Masked]] = defaultdict(list)
    for one in kept.order_by("-pk"):
        rows[one.table, one.row].append(one)
    known = {
        name: _TABLES[name]._default_manager.in_bulk([pk for of, pk in rows if of == name])
        for name in {name for name, _ in rows}
    }
    for (table, pk), values in rows.items():
        row: Any = known[table].get(pk)
        if row is None:
            continue
        whole, changed = _without(row, values)
        if any(one.field == "html" for one in values) and resolver.is_derived(row.body, row.html):
            whole["html"] = render_text(whole.get("body", row.body))  # links were made anew since; and are again
        missed += [one for one in changed if one.field not in whole]
        if whole:
            _give(row, whole, article)
        if table in {"article", "comment", "mention"}:
            touched.add(_comment_of(row))
    return missed, touched


def _without(row: Any, values: Iterable[Masked]) -> tuple[dict[str, Any], list[Masked]]:
    """What the row's values are without these masks, the newest first; and those under which one was changed."""
    whole: dict[str, Any] = {}
    changed: list[Masked] = []
    for one in values:
        value = _under(one, whole.get(one.field, getattr(row, one.field)))
        if value is None:
            changed.append(one)
        else:
            whole[one.field] = value
    return whole, changed


def _under(kept: Masked, value: Any) -> Any:
    """What a value is without this mask; None where it was changed otherwise."""
    if kept.field == _AS_JSON:
        return json.loads(kept.before) if value == json.loads(kept.after) else None
    return redaction.uncovered(value, kept.before, kept.after)


def _give(row: Any, standing: dict[str, Any], article: Article | None) -> None:
    if "author_name" in standing and article is not None:
        standing["author_id"] = author_named(article.pk, standing["author_name"])
    type(row)._default_manager.filter(pk=row.pk).update(**standing)
    if "review" in standing:
        counters.recount_entities([row.entity_id])


def _bring_up_to_date(article_id: int, touched: Collection[int | None]) -> None:
    """Links, the search index at once, and the version by which finished pages are kept."""
    resolver.relink(article_id, set(touched))
    counters.raise_versions([article_id])
    comments = [pk for pk in touched if pk is not None]
    index.index(article_id, None if None in touched else comments)
    outbox.add(article_id, None if None in touched else comments)


def is_masked(article_id: int) -> bool:
    """Whether something in the article is covered, so that its source must not be shown or exported as it is."""
    return Masked.objects.filter(article_id=article_id).exists()


def on(article_id: int, comment_ids: Collection[int]) -> Marks | None:
    """The words that are covered in an article, for pages made from a part of its source; None where there are none.

    ``comment_ids`` are the comments in that part: of rules' masks, the words that are covered in these.
    """
    kept = Masked.objects.filter(article_id=article_id).order_by()
    words = Case.objects.filter(pk__in=kept.values("case")).values_list("words", flat=True)
    found = [marks_of(word for some in words for word in some)]
    bodies = kept.filter(table="comment", field="body", comment_id__in=comment_ids, version__isnull=False)
    for kind, body, before in bodies.values_list("version__kind", "version__body", "before"):
        found.append(matching.marks_in(kind, body, before))
    return redaction.joined(found) or None


def of_all_cases() -> Marks:
    """The words that cases cover everywhere: reasons in the log are not changed, but shown with these covered."""
    words = Case.objects.filter(state__in=WITH_MASK).values_list("words", flat=True)
    return marks_of(word for some in words for word in some)


def covers(case: Case) -> bool:
    return Masked.objects.filter(case=case).exists()


def articles_of(case: Case) -> list[int]:
    rows = Masked.objects.filter(case=case, article_id__isnull=False).order_by()
    return sorted(pk for pk in set(rows.values_list("article_id", flat=True)) if pk)
