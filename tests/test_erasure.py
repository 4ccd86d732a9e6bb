"""What was erased is found nowhere: in no column of any table, on no page, in no export, in no restored backup."""

from __future__ import annotations

import io
import itertools
import json
import logging
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
import zstandard
from django.apps import apps
from django.contrib.postgres.search import SearchVectorField
from django.core.management import call_command
from django.db import connection, models
from django.test import Client
from django.utils import timezone

from archive import (
    cases,
    checks,
    counters,
    decision_log,
    health,
    holdings,
    masks,
    moderation,
    queries,
    queue,
    suppressions,
)
from archive.entities import resolver
from archive.ingest import importer, loader
from archive.ingest.readers.decoding import decode
from archive.ingest.records import Basis, Claim, Discussion, Post, Span
from archive.models import (
    Alias,
    Article,
    Case,
    CaseNote,
    Comment,
    Correction,
    Entity,
    Judgement,
    Mention,
    Reason,
    Report,
    Review,
    Revision,
    Rule,
    RuleVersion,
    SavedView,
    Source,
)
from archive.scope import Scope
from archive.search import sync
from tests.makers import make_article, make_user
from tests.test_permissions import CONVERTER, routes

HOLDS_TEXT = (models.CharField, models.TextField, models.JSONField, models.BinaryField, SearchVectorField)


@pytest.fixture(autouse=True)
def own_list(settings: Any, tmp_path: Path) -> None:
    settings.SUPPRESSIONS = str(tmp_path / "suppressions.jsonl")
    settings.PUBLIC_LOG = True


def columns() -> Iterator[str]:
    for model in apps.get_app_config("archive").get_models():
        for column in model._meta.concrete_fields:
            if isinstance(column, HOLDS_TEXT):
                yield f"{model.__name__}.{column.name}"


def test_every_column_that_can_hold_text_is_known() -> None:
    """A new column fails here until somebody has said how an erasure reaches it."""
    swept = {f"{model.__name__}.{name}" for model, fields in holdings.SWEPT.items() for name in fields}
    assert swept & set(holdings.WITHOUT_WORDS) == set()
    assert swept | set(holdings.WITHOUT_WORDS) == set(columns())


# --- Planting --------------------------------------------------------------------------------------------------------


@dataclass
class Planted:
    """A word that nothing else has, where it was planted, and the case about it."""

    word: str
    name: str
    article: int
    comment: int
    reply: int
    entity: int
    data: bytes
    case: Case

    @property
    def needles(self) -> tuple[str, str]:
        return self.word, self.name


def planted() -> Planted:
    """The secret in a comment, its quotes, its entity, a revision, the source, a report, a correction, a name."""
    word, name = f"q{secrets.token_hex(6)}", f"n{secrets.token_hex(6)}"
    said = f"I keep {word} and eleven grey herons behind the old tannery"
    texts = ["The herons\nAn article about birds.", f"By {name}", said, "Another speaks.", f"> {said}\nReally?"]
    data = "\n\n".join(texts).encode()
    spans = [Span(data.decode().index(text), data.decode().index(text) + len(text)) for text in texts]
    found = Discussion(
        key=word[:1],
        title="The herons",
        body=f"An article about birds, not by {name}.",
        article_span=spans[0],
        byline=name,
        url=f"https://example.org/{name}/herons",
        comments=[
            Post("a", said, spans[2], author=name, boundary_claim=Claim(Basis.INFERRED, 0.5, f"says {name}")),
            Post("b", f"Another speaks, of {name}.", spans[3], missing(name)),
            Post("c", texts[4], spans[4], "a"),
        ],
    )
    source = importer.receive(data, name=f"{name}.txt")
    Source.objects.filter(pk=source.pk).update(format="text", report={"problems": [f"odd: {name}"]}, state="done")
    loader.store(found, source=source, site=loader.site_named("Birds"))
    article = Article.objects.get(source=source)
    first, _, reply = Comment.objects.filter(article=article).order_by("position")
    make_article(title="Elsewhere", comments=[f"They told us: {said}. Imagine that."])
    entity = surroundings(article, first, word, name)
    sync.rebuild()
    sync.run()
    by = make_user("moderator")
    case = cases.open_case(by=by, kind="erasure", requester="R", contact="", basis=f"about {name}", deadline=None)
    cases.set_scope(case, Scope(comments=[first.pk]), [name], by=by)
    cases.note(case, by=by, text=f"rang about {name}, who wrote: {said}")
    case.refresh_from_db()
    return Planted(word, name, article.pk, first.pk, reply.pk, entity, data, case)


def planted_article() -> Planted:
    """The secret in an article's title, byline, text, address, earlier text, source and quotes."""
    word, name = f"q{secrets.token_hex(6)}", f"n{secrets.token_hex(6)}"
    title, told = f"The {word} herons", f"They kept {word} and eleven grey herons behind the old tannery."
    texts = [f"{title}\nBy {name}\n{told}", "First speaks.", f"> {told}\nReally?", f"So {told[:-1]}, it says."]
    data = "\n\n".join([f"{title} | Birds", *texts]).encode()
    spans = [Span(data.decode().index(text), data.decode().index(text) + len(text)) for text in texts]
    found = Discussion(
        key=word[:1],
        title=title,
        body=told,
        html=f'<p title="{word}">{told}</p>',
        article_span=spans[0],
        byline=f"By {name}",
        url=f"https://example.org/{word}/herons",
        comments=[Post(key, text, span) for key, text, span in zip("abc", texts[1:], spans[1:], strict=True)],
    )
    source = importer.receive(data, name=f"the-{word}-herons.txt")
    Source.objects.filter(pk=source.pk).update(format="text", report={"title": title, "by": f"by {name}"}, state="done")
    loader.store(found, source=source, site=loader.site_named("Birds"))
    article = Article.objects.get(source=source)
    first, _, quote = Comment.objects.filter(article=article).order_by("position")
    make_article(title="Elsewhere", comments=[f"As I read: {told}"])
    make_article(title="Copied", body=f"It was told that {told} So much for it.")
    entity = around_article(article, word, name)
    sync.rebuild()
    sync.run()
    by = make_user("moderator")
    case = cases.open_case(by=by, kind="erasure", requester="R", contact="", basis="a wish", deadline=None)
    cases.set_scope(case, Scope(texts=[article.pk]), [], by=by)
    case.refresh_from_db()
    return Planted(word, name, article.pk, first.pk, quote.pk, entity, data, case)


def around_article(article: Article, word: str, name: str) -> int:
    """Rows around an article that repeat what it says of itself."""
    entity = Entity.objects.create(kind="person", name=word)
    Alias.objects.create(entity=entity, kind="person", key=word)
    start = article.body.index(word)
    place: Any = {"entity": entity, "start": start, "end": start + len(word), "surface": word}
    Mention.objects.create(article=article, revision=1, extractor="x", **place)
    Judgement.objects.create(article_id=article.pk, verdict="confirm", **place)
    Revision.objects.create(article=article, number=9, cause="read again", body=f"once {word}")
    Report.objects.create(article_id=article.pk, reason=f"rude {word}", note=word, snapshot=article.body)
    Review.objects.create(article=article, proposal={"lines": [], "reasons": [[0, word]], "comments": []})
    operation = {"op": "title", "title": article.title, "by": article.byline}
    Correction.objects.create(article=article, number=1, operation=operation, words=f"by {name}", by_name="x")
    counters.recount_entities([entity.pk])
    return entity.pk


def missing(name: str) -> str:
    return f"reply-to-{name}"


def surroundings(article: Article, first: Comment, word: str, name: str) -> int:
    """Rows around a comment that repeat what it says."""
    entity = Entity.objects.create(kind="person", name=word, description=f"or {name}", external_ids={"x": name})
    Alias.objects.create(entity=entity, kind="person", key=word)
    start = first.body.index(word)
    place = {"comment_id": first.pk, "entity": entity, "start": start, "end": start + len(word), "surface": word}
    Mention.objects.create(article=article, revision=1, extractor="x", **place)
    Judgement.objects.create(article_id=article.pk, verdict="confirm", **place)
    Revision.objects.create(article=article, comment=first, number=9, cause="read again", body=f"once {word}")
    Revision.objects.create(article=article, number=9, cause="read again", body=f"once {name}")
    Report.objects.create(
        article_id=article.pk, comment_id=first.pk, reason=f"rude {word}", note=word, snapshot=first.body
    )
    Report.objects.create(article_id=article.pk, reason=f"names {name}", snapshot=f"by {name}", outcome=f"told {name}")
    claims = [["stated", None, ""]] * 4
    remark = [place["start"], None, name, None, *claims]
    Review.objects.create(article=article, proposal={"lines": [], "reasons": [], "comments": [remark]})
    operation = {"op": "author", "author": name}
    Correction.objects.create(article=article, number=1, operation=operation, words=f"by {name}", by_name="x")
    Reason.objects.get_or_create(text=f"names {name}")
    SavedView.objects.create(owner=make_user("moderator"), name=f"about {name}", words=word)
    in_the_workplace(article, name)
    resolver.relink(article.pk, [first.pk])
    counters.recount_entities([entity.pk])
    return entity.pk


def in_the_workplace(article: Article, name: str) -> None:
    """What moderators have typed: reasons in the log, a rule, a case that is over, the outcome of a report."""
    by = make_user("moderator")
    other = Comment.objects.filter(article=article).order_by("position")[1]
    moderation.hide(other, by=by, reason=f"tells of {name}")
    moderation.restore(other, by=by, reason="insult")
    rule = Rule.objects.create(name=f"about {name}", kind="words", action="hold", body=name, version=1, is_on=True)
    RuleVersion.objects.create(rule=rule, number=1, name=f"about {name}", kind="words", action="hold", body=name)
    queue.put([queue.Item(queue.HELD, article.pk, other.pk, {"rules": [{"rule": 1, "name": f"about {name}"}]})])
    over: Any = {"state": "closed", "closed_at": timezone.now(), "outcome": f"told {name}", "scope": {"query": name}}
    case = Case.objects.create(kind="takedown", requester="S", basis=f"of {name}", words=[name], **over)
    CaseNote.objects.create(case=case, text=f"{name} called", by_name="x")
    known: Any = {"article_id": article.pk, "comment_id": other.pk, "token": "t"}
    Report.objects.create(reason="rude", snapshot="", outcome=f"told {name}", **known)


# --- Looking for it --------------------------------------------------------------------------------------------------


def traces(*needles: str) -> list[str]:
    """Tables of which some row, as text or in its bytes, holds one of these; stored sources are decompressed."""
    found = []
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            for needle in needles:
                both = [f"%{needle}%", f"%{needle.encode().hex()}%"]
                cursor.execute(f'SELECT count(*) FROM "{table}" t WHERE t::text ILIKE %s OR t::text LIKE %s', both)
                found += [table] if cursor.fetchone()[0] else []
    for source in Source.objects.exclude(content=None):
        text = zstandard.decompress(bytes(source.content or b"")).decode()
        found += ["source bytes"] * any(needle in text for needle in needles)
    return found


def doors(known: Planted) -> Iterator[str]:
    """Every public route, filled with all that is there; searches and other ways to see the same."""
    numbers: dict[str, Any] = {
        "site_id": Article.objects.values_list("site_id", flat=True).distinct(),
        "author_id": queries.authors().values_list("pk", flat=True),
        "entity_id": [known.entity],
        "article_id": Article.objects.values_list("pk", flat=True),
        "comment_id": [known.comment, known.reply],
        "token": Report.objects.exclude(token=None).values_list("token", flat=True),
        "kind": ["txt", "bib", "json", "articles", "entities"],
        "slug": ["-"],
        "number": [0],
    }
    for route in routes():
        names = [one[1] or one[2] for one in CONVERTER.finditer(route)]
        if not route.startswith(("admin/", "account/", "sign-", "^sign-", "register/")):
            for values in itertools.product(*(list(numbers[name]) for name in names)):
                filled = iter(map(str, values))
                yield "/" + CONVERTER.sub(lambda _, filled=filled: next(filled), route)  # type: ignore[misc]
    article = known.article
    yield from (f"/search/?q={known.word}", f"/search/?q={known.name}", f"/search/feed/?q={known.name}")
    yield from (f"/a/{article}/-/?{asked}" for asked in ("sort=newest", f"by={known.name}", "view=print", "depth=1"))
    yield from (f"/a/{article}/c/new/?after=0", f"/log/?article={article}", "/?order=discussed")


def leaks(known: Planted, *needles: str) -> list[str]:
    """Addresses and exports that say one of these; an address that was asked for does not count as said."""
    client, found = Client(), []
    for address in doors(known):
        answer: Any = client.get(address, follow=True)
        asked = address.partition("?")[2]
        text = answer.content.decode() if asked.find("q=") < 0 and "by=" not in asked else main_of(answer)
        found += [address] * any(needle in text.lower() for needle in needles)
    for command in ("export_corrections", "export_log"):
        out = io.StringIO()
        call_command(command, stdout=out, stderr=out)
        found += [command] * any(needle in out.getvalue() for needle in needles)
    return found


def main_of(answer: Any) -> str:
    """A page of results without the words that it repeats because they were asked for."""
    hits = answer.content.decode().partition("<main")[2]
    return "" if "<article" not in hits and 'class="hit' not in hits else hits


def erase(known: Planted) -> None:
    known.case.refresh_from_db()
    by = make_user("moderator")
    assert cases.schedule(known.case, by=by, typed=cases.phrase(known.case)) == ""
    Case.objects.filter(pk=known.case.pk).update(erase_after=timezone.now() - timedelta(seconds=1))
    assert cases.begin_due() == 1
    cases.carry_out(known.case.pk)


# --- The tests -------------------------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_what_was_planted_is_found_everywhere_before() -> None:
    """Else the tests below would look for it with closed eyes."""
    found = set(traces(*planted().needles))
    others = [*holdings.OF_RULE, *holdings.OF_LOG]
    swept: list[type[models.Model]] = [*holdings.OF_ARTICLE, *holdings.SHARED, *holdings.OF_CASE, *others, Article]
    assert found >= {model._meta.db_table for model in swept} | {
        "archive_source",
        "archive_searchdocument",
        "source bytes",
    }


@pytest.mark.django_db
def test_an_erased_secret_is_in_no_table_and_on_no_page(caplog: pytest.LogCaptureFixture) -> None:
    known = planted()
    assert leaks(known, known.word)
    with caplog.at_level(logging.DEBUG):
        erase(known)
    assert traces(*known.needles) == []
    assert leaks(known, *known.needles) == []
    assert not [needle for needle in known.needles if needle in caplog.text]
    assert not [needle for needle in known.needles if needle in suppressions.path().read_text()]
    assert decision_log.verify().broken == 0
    assert not Rule.objects.get().is_on


@pytest.mark.django_db
def test_a_view_that_looks_for_an_erased_name_goes_and_others_stay() -> None:
    known, owner = planted(), make_user("moderator")
    author = Comment.objects.values_list("author_name", flat=True).get(pk=known.comment)
    for words in (author.upper(), "herons"):
        SavedView.objects.create(owner=owner, name=words, words=words)
    cases.set_scope(known.case, Scope(comments=[known.comment]), [], by=owner)
    erase(known)
    assert list(SavedView.objects.filter(owner=owner).values_list("words", flat=True)) == ["herons"]


@pytest.mark.django_db
def test_an_erased_article_is_in_no_table_and_on_no_page(caplog: pytest.LogCaptureFixture) -> None:
    known = planted_article()
    assert {"archive_article", "archive_correction", "archive_source", "source bytes"} <= set(traces(*known.needles))
    assert leaks(known, known.word)
    assert leaks(known, known.name)
    with caplog.at_level(logging.DEBUG):
        erase(known)
    assert traces(*known.needles) == []
    assert leaks(known, *known.needles) == []
    assert not [needle for needle in known.needles if needle in caplog.text + suppressions.path().read_text()]


@pytest.mark.django_db
def test_what_was_said_about_an_erased_article_stays_readable() -> None:
    known = planted_article()
    erase(known)
    page = Client().get(Article.objects.get(pk=known.article).get_absolute_url()).text
    assert "This article was erased" in page
    assert "First speaks." in page
    assert "Really?" in page
    rows = Comment.objects.filter(article_id=known.article)
    assert set(rows.values_list("status", flat=True)) == {"published"}
    source = Source.objects.get(article=known.article)
    text = decode(zstandard.decompress(bytes(source.content or b""))).text
    assert len(text) == len(known.data.decode())
    assert "First speaks." in text
    entry = queries.decisions().get(action="erase", target="article")
    assert (entry.target_id, entry.to_state) == (known.article, "erased")


@pytest.mark.django_db
def test_no_import_brings_an_erased_article_back() -> None:
    known = planted_article()
    title, body = Article.objects.values_list("title", "body").get(pk=known.article)
    erase(known)
    Source.objects.update(reader_version="older")
    importer.import_source(known.data, name="again.txt", format="text")
    found = Discussion("other", title, body, [Post("z", "Who?")])
    source = importer.receive(f"{title}, again\n{body}\nWho?".encode(), name="other.txt")
    loader.store(found, source=source, site=loader.site_named("Elsewhere"))
    assert traces(known.word, known.name) == []
    assert Article.objects.filter(is_erased=True).count() == 2


@pytest.mark.django_db
def test_an_article_is_held_with_its_comments_and_released() -> None:
    known = planted_article()
    by = make_user("moderator")
    assert cases.hold(known.case, by=by)[0] == ""
    assert Client().get(f"/a/{known.article}/-/").status_code == 404
    assert cases.holds(known.case)
    assert cases.release(known.case, by=by) == ""
    assert Article.objects.get(pk=known.article).status == "published"
    cases.hold(known.case, by=by)
    erase(known)
    assert Article.objects.get(pk=known.article).status == "published"


@pytest.mark.django_db
def test_a_secret_that_was_masked_first_is_erased_as_well() -> None:
    known = planted()
    cases.mask(known.case, by=make_user("moderator"))
    cases.carry_out(known.case.pk)
    erase(known)
    assert traces(*known.needles) == []


@pytest.mark.django_db
def test_a_masked_name_is_seen_through_no_door() -> None:
    known = planted()
    assert leaks(known, known.name)
    cases.mask(known.case, by=make_user("moderator"))
    cases.carry_out(known.case.pk)
    assert leaks(known, known.name) == []
    assert masks.is_masked(known.article)


@pytest.mark.django_db
def test_what_is_held_is_seen_through_no_door() -> None:
    known = planted()
    assert cases.hold(known.case, by=make_user("moderator"), with_quotes=True)[0] == ""
    sync.run()
    Revision.objects.all().delete()
    assert leaks(known, known.word) == []


@pytest.mark.django_db
def test_what_was_hidden_elsewhere_is_reached_as_well() -> None:
    """The search index knows nothing of it."""
    known = planted()
    said = Comment.objects.get(pk=known.comment).body
    make_article(title="Hidden", comments=[f"He wrote: {said}"], status="hidden")
    other = make_article(title="Seen", comments=[f"It was {known.name}."])
    Comment.objects.filter(article=other).update(status="spam")
    erase(known)
    assert traces(*known.needles) == []


@pytest.mark.django_db
def test_only_what_was_meant_is_gone() -> None:
    known = planted()
    erase(known)
    rows = Comment.objects.filter(article_id=known.article).order_by("position")
    assert [row.status for row in rows] == ["erased", "published", "published"]
    assert rows[1].body.startswith("Another speaks, of ")
    assert rows[2].body.endswith("\nReally?")
    source = Source.objects.get(article=known.article)
    text = decode(zstandard.decompress(bytes(source.content or b""))).text
    assert len(text) == len(known.data.decode())
    assert text.startswith("The herons\nAn article about birds.")
    assert source.redacted[0]["case"] == known.case.pk


@pytest.mark.django_db
def test_the_same_bytes_bring_nothing_back() -> None:
    known = planted()
    erase(known)
    Source.objects.update(reader_version="older")  # so that the bytes are read anew
    importer.import_source(known.data, name="again.txt", format="text")
    importer.receive(known.data, name="again.txt")
    assert traces(known.word) == []


@pytest.mark.django_db
def test_another_source_with_the_same_text_brings_nothing_back() -> None:
    known = planted()
    said = Comment.objects.get(pk=known.comment).body
    erase(known)
    found = Discussion("other", "Copied", "No birds.", [Post("z", said, author="Somebody"), Post("y", f"He: {said}!")])
    source = Source.objects.create(sha256="9" * 64, name="x", size=1)
    loader.store(found, source=source, site=loader.site_named("Elsewhere"))
    first, second = Comment.objects.filter(article__title="Copied").order_by("position")
    assert (first.status, first.body, second.status) == ("erased", "", "published")
    assert known.word not in second.body


@pytest.mark.django_db
def test_the_same_comment_imported_again_stays_a_tombstone() -> None:
    known = planted()
    erase(known)
    Article.objects.filter(pk=known.article).update(key=b"moved", title="Old")
    key = known.word[:1]
    found = Discussion(key, "The herons", "Birds.", [Post("a", "short", author="Somebody")])
    source = Source.objects.create(sha256="8" * 64, name="x", size=1)
    loader.store(found, source=source, site=loader.site_named("Birds"))
    assert Comment.objects.get(article__title="The herons").status == "erased"


@pytest.mark.django_db
def test_a_mask_is_on_again_after_an_import() -> None:
    known = planted()
    cases.mask(known.case, by=make_user("moderator"))
    cases.carry_out(known.case.pk)
    found = Discussion(known.word[:1], f"By {known.name}", "New.", [Post("b", f"Ask {known.name}.", author=known.name)])
    source = Source.objects.create(sha256="7" * 64, name="x", size=1)
    Mention.objects.all().delete()
    Judgement.objects.all().delete()
    stored = loader.store(found, source=source, site=loader.site_named("Birds"))
    assert stored.outcome == "updated", stored.reason
    assert Comment.objects.filter(article_id=known.article, body__contains=known.name).count() == 0
    assert known.name not in Article.objects.get(pk=known.article).title


@pytest.mark.django_db
def test_the_list_is_checked_at_start_and_by_the_probe() -> None:
    suppressions.append(suppressions.Entry("f" * 32, 1, "2026-01-01"))
    assert [one.id for one in checks.check_suppressions(None, databases=["default"])] == ["archive.E007"]
    assert "apply_suppressions" in health.not_ready()
    call_command("apply_suppressions", stdout=io.StringIO())
    assert checks.check_suppressions(None, databases=["default"]) == []
    assert health.not_ready() == ""


@pytest.mark.django_db
def test_a_list_that_is_damaged_or_lacks_its_key_is_said_so() -> None:
    suppressions.append(suppressions.Entry("f" * 32, 1, "2026-01-01"))
    with suppressions.path().open("a") as file:
        file.write("{broken\n")
    assert [one.id for one in checks.check_suppressions(None, databases=["default"])] == ["archive.E008"]
    assert health.not_ready()


@pytest.mark.django_db
def test_what_is_in_the_list_is_ids_digests_and_offsets() -> None:
    known = planted()
    erase(known)
    (entry,) = [json.loads(line) for line in suppressions.path().read_text().splitlines()]
    assert entry["comments"][0][:2] == [known.article, known.comment]
    assert list(entry["sources"]) == [Source.objects.get(article=known.article).sha256]
    assert all(len(run) == 22 for run in entry["runs"])


@pytest.mark.django_db(transaction=True, serialized_rollback=True)
def test_a_restored_backup_holds_nothing_once_the_list_is_applied() -> None:
    """The database is copied before the erasure, and the copy put in its place afterwards."""
    known = planted()
    with backup() as restore:
        erase(known)
        assert traces(*known.needles) == []
        restore()
        assert traces(*known.needles)
        assert health.not_ready()
        out = io.StringIO()
        call_command("apply_suppressions", stdout=out)
        assert "1 comments wiped" in out.getvalue()
        assert traces(*known.needles) == []
        assert leaks(known, *known.needles) == []
        call_command("apply_suppressions", "--all", stdout=out)
        assert traces(*known.needles) == []


@pytest.mark.django_db(transaction=True, serialized_rollback=True)
def test_a_restored_backup_holds_nothing_of_an_erased_article() -> None:
    known = planted_article()
    with backup() as restore:
        erase(known)
        restore()
        assert traces(*known.needles)
        call_command("apply_suppressions", stdout=io.StringIO())
        assert traces(*known.needles) == []
        assert leaks(known, *known.needles) == []
        assert Article.objects.get(pk=known.article).is_erased


class backup:  # noqa: N801  reads as what it is
    """A copy of the test's database; calling what it gives puts the copy in the database's place."""

    def __enter__(self) -> Any:
        self.name = connection.settings_dict["NAME"]
        self.run(f'CREATE DATABASE "{self.name}_backup" TEMPLATE "{self.name}"')
        return self.restore

    def restore(self) -> None:
        self.run(f'DROP DATABASE "{self.name}" WITH (FORCE)')
        self.run(f'CREATE DATABASE "{self.name}" TEMPLATE "{self.name}_backup"')

    def run(self, statement: str) -> None:
        connection.close()
        known = connection.get_connection_params()
        given = {key: known[key] for key in ("host", "port", "user", "password") if known.get(key)}
        with psycopg.connect(dbname="postgres", autocommit=True, **given) as session:
            session.execute(statement.encode())

    def __exit__(self, *_: object) -> None:
        self.run(f'DROP DATABASE IF EXISTS "{self.name}_backup" WITH (FORCE)')


@pytest.mark.django_db
def test_a_page_that_was_kept_is_not_served_any_more(settings: Any) -> None:
    settings.PAGE_CACHE_BYTES = 2**20
    known, client = planted(), Client()
    address = Article.objects.get(pk=known.article).get_absolute_url()
    assert known.word in client.get(address).content.decode()
    erase(known)
    assert known.word not in client.get(address, follow=True).content.decode()
