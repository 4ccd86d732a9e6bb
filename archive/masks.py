"""Words that a case has covered in everything readers can see, and giving them back.

A mask belongs to a case and to the articles in which it covered something. It is put on article by article, each in a
transaction of its own, and what was there before is kept (``Masked``). An import that brings the text again puts the
mask on again, in its own transaction: ``put_on_again``.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from django.db import transaction
from django.db.models import Model, Q, TextField
from django.db.models.functions import Cast

from archive import counters, holdings, outbox, queries
from archive.entities import resolver
from archive.models import Alias, Article, Author, Case, Comment, Entity, Masked, Mention, Reason
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
        article = queries.articles().filter(pk=article_id).select_for_update(no_key=True).first()
        if article is None:
            return False
        touched = _cover(case, article, marks_of(case.words), left_out)
        if touched:
            _bring_up_to_date(article_id, touched)
    return bool(touched)


def put_on_again(article_id: int) -> None:
    """Cover again what was covered in an article whose rows were replaced. Belongs into the import's transaction."""
    cases = Case.objects.filter(state__in=WITH_MASK, pk__in=Masked.objects.filter(article_id=article_id).values("case"))
    for case in cases.order_by("pk"):
        article = Article.objects.get(pk=article_id)
        Masked.objects.filter(case=case, article_id=article_id).delete()
        _cover(case, article, marks_of(case.words), case.scope.get("left_out", ()))
        if not Masked.objects.filter(case=case, article_id=article_id).exists():
            _keep(case, article_id, article, "title", article.title, article.title)  # it stays one of the mask's


def take_off(case: Case, article_id: int) -> int:
    """Give an article its words back; return how many values were changed by others since and so stay covered."""
    with transaction.atomic():
        article = queries.articles().filter(pk=article_id).select_for_update(no_key=True).first()
        kept = Masked.objects.filter(case=case, article_id=article_id)
        missed, touched = _give_back(kept, article)
        kept.delete()
        if article is not None:
            _bring_up_to_date(article_id, touched)
    return missed


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
    for name, value in new.items():
        _keep(case, None, row, name, getattr(row, name), value)
    type(row)._default_manager.filter(pk=row.pk).update(**new)


def _cover(case: Case, article: Article, marks: Marks, left_out: Collection[str]) -> set[int | None]:
    """Cover the words in the rows of an article that is locked; the comments that changed, None for its own text."""
    touched: set[int | None] = set()
    if f"article:{article.pk}" not in left_out:
        touched |= _write(case, article.pk, [(article, holdings.changes(article, holdings.OWN, marks))])
    out = {int(key.partition(":")[2]) for key in left_out if key.startswith("comment:")}
    for model, names in holdings.PUBLIC.items():
        fields = {name: holdings.OF_ARTICLE[model][name] for name in names}
        manager: Any = model._default_manager
        rows = manager.filter(article_id=article.pk).order_by("pk").iterator(chunk_size=ROWS)
        kept_out = (row for row in rows if _comment_of(row) not in out)
        touched |= _write(case, article.pk, holdings.sweep(kept_out, fields, marks))
    return touched


def _comment_of(row: Any) -> int | None:
    return int(row.pk) if isinstance(row, Comment) else row.comment_id


def _write(case: Case, article_id: int, changed: Iterable[tuple[Any, dict[str, Any]]]) -> set[int | None]:
    touched: set[int | None] = set()
    for row, new in changed:
        for name, value in new.items():
            _keep(case, article_id, row, name, getattr(row, name), value)
        if "author_name" in new:
            new["author_id"] = author_named(article_id, new["author_name"])
        if new:
            type(row)._default_manager.filter(pk=row.pk, **_where(row)).update(**new)
            if isinstance(row, (Article, Comment, Mention)):
                touched.add(None if isinstance(row, Article) else _comment_of(row))
    return touched


def _where(row: Any) -> dict[str, Any]:
    return {} if isinstance(row, Article) else {"article_id": row.article_id}


def _keep(case: Case, article_id: int | None, row: Any, field: str, before: Any, after: Any) -> None:
    if field == _AS_JSON:
        before, after = json.dumps(before), json.dumps(after)
    table = row._meta.model_name
    Masked.objects.create(
        case=case, article_id=article_id, table=table, row=row.pk, field=field, before=before, after=after
    )


def author_named(article_id: int, name: str) -> int | None:
    """The id of a name within the article's site, made where there is none; None for no name."""
    if not name:
        return None
    site = Article.objects.values_list("site_id", flat=True).get(pk=article_id)
    return Author.objects.get_or_create(site_id=site, key=queries.author_key(name), defaults={"name": name})[0].pk


def _give_back(kept: Any, article: Article | None) -> tuple[int, set[int | None]]:
    """Write back what nobody has changed since; how many values were changed, and the texts that are whole again."""
    missed = 0
    touched: set[int | None] = set()
    rows: dict[tuple[str, int], list[Masked]] = defaultdict(list)
    for one in kept.order_by("-pk"):
        rows[one.table, one.row].append(one)
    for (table, pk), values in rows.items():
        manager: Any = _TABLES[table]._default_manager
        row = manager.filter(pk=pk).first()
        standing = {one.field: _read(one, one.before) for one in values if row and _stands(row, one)}
        if row and any(one.field == "html" for one in values) and resolver.is_derived(row.body, row.html):
            standing["html"] = render_text(standing.get("body", row.body))  # links were made anew since; and are again
        missed += len({one.field for one in values}) - len(standing)
        if "author_name" in standing and article is not None:
            standing["author_id"] = author_named(article.pk, standing["author_name"])
        if standing:
            manager.filter(pk=pk).update(**standing)
        if table in {"article", "comment", "mention"}:
            touched.add(None if table == "article" else _comment_of(row) if row else None)
    return missed, touched


def _read(kept: Masked, value: str) -> Any:
    return json.loads(value) if kept.field == _AS_JSON else value


def _stands(row: Any, kept: Masked) -> bool:
    return bool(getattr(row, kept.field) == _read(kept, kept.after))


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


def on(article_id: int) -> Marks | None:
    """The words that are covered in an article, for pages made from its source; None where there are none."""
    cases = Masked.objects.filter(article_id=article_id).order_by().values("case")
    words = Case.objects.filter(pk__in=cases).values_list("words", flat=True)
    found = [word for some in words for word in some]
    return marks_of(found) if found else None


def covers(case: Case) -> bool:
    return Masked.objects.filter(case=case).exists()


def articles_of(case: Case) -> list[int]:
    rows = Masked.objects.filter(case=case, article_id__isnull=False).order_by()
    return sorted(pk for pk in set(rows.values_list("article_id", flat=True)) if pk)
