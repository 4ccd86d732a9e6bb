"""Finished pages: the same for every guest, for nobody else, and never older than the last decision."""

from __future__ import annotations

import gzip
import re
from collections.abc import Callable, Iterator, Sequence
from typing import Any
from unittest.mock import Mock

import pytest
import zstandard
from django.conf import settings
from django.db import connection, transaction
from django.http import HttpResponse
from django.test import Client
from django.test.utils import CaptureQueriesContext, override_settings
from psycopg import OperationalError

from archive import moderation, page_cache, prepared, queries, review
from archive.entities import resolver
from archive.entities.extractor import Found
from archive.ingest import importer, loader
from archive.ingest.records import Discussion, Post
from archive.ingest.stored import sha256
from archive.models import Article, Mention, Site
from archive.page_cache import STORE, best_encoding
from tests.makers import comments_of, make_article, make_user

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def page_cache_on(no_page_cache: None, settings: Any) -> Iterator[None]:
    settings.PAGE_CACHE_BYTES = 1_000_000
    STORE.forget()
    yield
    STORE.forget()


def ask(path: str, **headers: str) -> Any:
    return Client().get(path, headers=headers)


def text_of(path: str) -> str:
    """What a guest reads there, asked for twice: the second answer must be the first one, kept."""
    first, second = ask(path), ask(path)
    assert first.content == second.content
    return str(second.content, "utf-8") if first.status_code == 200 else str(first.status_code)


def test_a_page_is_made_once_for_all_guests() -> None:
    path = make_article(comments="ab").get_absolute_url()
    first = ask(path)
    with CaptureQueriesContext(connection) as captured:  # the version is asked for past this count
        second = ask(path)
    assert (len(captured), second.content) == (0, first.content)
    assert second["Content-Security-Policy"] == first["Content-Security-Policy"]
    assert second["X-Frame-Options"] == "DENY"


@pytest.mark.parametrize("path", ["/a/{0}/-/?rank=1", "/a/{0}/c/{1}/", "/a/{0}/feed/"])
def test_all_that_belongs_to_an_article_is_kept(path: str) -> None:
    article = make_article(comments="ab", title="-", slug="-")
    path = path.format(article.pk, comments_of(article)[0].pk)
    assert ask(path).status_code == 200
    assert len(STORE) == 1
    assert ask(path, **{"If-None-Match": ask(path)["ETag"]}).status_code == 304


# --- Nothing stale: a page is warmed, something is decided, and the page is asked for again ---------------------------

SECRET = "marzipan"
SAMPLE = next((settings.BASE_DIR / "archive" / "samples").glob("*.txt")).read_text(encoding="utf-8")


def hide_comment(article: Article) -> None:
    moderation.hide(comments_of(article)[0], by=make_user("moderator"), reason="x")


def hide_many(article: Article) -> None:
    ids = {article.pk: [comments_of(article)[0].pk]}
    moderation.decide_many(ids, action="hide", by=make_user("moderator"), reason="x")


def hide_article(article: Article) -> None:
    moderation.hide(article, by=make_user("moderator"), reason="x")


def read_again(article: Article) -> None:
    post = Post(external_id=SECRET, text="nougat")
    found = Discussion(key="x", title=article.title, body="x", comments=[post])
    Article.objects.filter(pk=article.pk).update(key=sha256("x"))
    assert loader.store(found, source=article.source, site=article.site).article_id == article.pk


@pytest.mark.parametrize("change", [hide_comment, hide_many, hide_article, read_again])
@pytest.mark.parametrize("path", ["/a/{0}/-/", "/a/{0}/c/{1}/", "/a/{0}/feed/"])
def test_what_was_hidden_a_moment_ago_is_on_no_kept_page(path: str, change: Callable[[Article], None]) -> None:
    article = make_article("-", comments=[SECRET, "plain"])
    path = path.format(article.pk, comments_of(article)[0].pk)
    assert SECRET in text_of(path)
    change(article)
    assert SECRET not in text_of(path)


def test_what_is_restored_is_there_again() -> None:
    article = make_article(comments=[SECRET])
    moderator = make_user("moderator")
    decision = moderation.hide(comments_of(article)[0], by=moderator, reason="x").decision
    assert SECRET not in text_of(article.get_absolute_url())
    assert decision is not None
    moderation.undo(decision, by=moderator)
    assert SECRET in text_of(article.get_absolute_url())


class Names:
    """Finds one word wherever it stands."""

    name, version = "test", "1"

    def extract(self, texts: Sequence[str]) -> list[list[Found]]:
        return [[Found(*hit.span(), "place") for hit in re.finditer("Cairo", text)] for text in texts]


def test_mentions_appear_and_go_as_they_are_found_and_rejected() -> None:
    article = make_article(comments=["From Cairo"])
    path = article.get_absolute_url()
    assert "kind-place" not in text_of(path)
    resolver.extract_article(article.pk, extractor=Names())
    assert "kind-place" in text_of(path)
    resolver.judge(Mention.objects.get(), verdict="reject", by=make_user("archivist"))
    assert "kind-place" not in text_of(path)


def test_an_article_in_review_is_no_page_and_its_publication_shows_at_once(settings: Any) -> None:
    settings.REVIEW_BELOW = 1
    article = Article.objects.get(pk=importer.import_source(SAMPLE.encode(), name="x").article_id or 0)
    archivist, path = make_user("archivist"), article.get_absolute_url()
    assert text_of(path) == "404"
    assert not review.publish(article.pk, version=0, by=archivist).problem
    last = SAMPLE.splitlines()[-1]
    assert last in text_of(path)
    review.reopen(article.pk, by=archivist)
    out = {"op": "leave_out", "at": SAMPLE.rindex(last)}
    assert not review.correct(article.pk, out, version=0, by=archivist).problem
    assert last in text_of(path)
    assert not review.publish(article.pk, version=1, by=archivist).problem
    assert last not in text_of(path)


def test_another_name_of_the_site_shows() -> None:
    article = make_article()
    assert "Courier" not in text_of(article.get_absolute_url())
    Site.objects.update(name="Courier")
    assert "Courier" in text_of(article.get_absolute_url())


def test_other_settings_or_files_are_another_page(monkeypatch: pytest.MonkeyPatch) -> None:
    path = make_article(comments="ab").get_absolute_url()
    tags = {ask(path)["ETag"]}
    for change in ({"COMMENTS_PER_PAGE": 1}, {"SITE_NAME": "Another"}):
        with override_settings(**change):
            tags.add(ask(path)["ETag"])
    monkeypatch.setattr(page_cache, "_files", lambda: "another template")
    assert len(tags | {ask(path)["ETag"]}) == 4


def test_a_part_that_a_script_asks_for_is_not_the_page() -> None:
    path = comments_of(make_article(comments="a(b)"))[0].get_absolute_url()
    whole, part = ask(path), ask(path, **{"HX-Request": "true"})
    assert (b"<title>" in whole.content, b"<title>" in part.content, len(STORE)) == (True, False, 2)
    assert ask(path).content == whole.content


def test_the_host_and_the_scheme_belong_to_the_page() -> None:
    path = make_article().get_absolute_url()
    with override_settings(ALLOWED_HOSTS=["*"]):
        assert "http://one.example/" in str(ask(path, host="one.example").content)
        assert "http://two.example/" in str(ask(path, host="two.example").content)


# --- Nobody else's ----------------------------------------------------------------------------------------------------


def test_who_is_signed_in_neither_fills_nor_gets_it() -> None:
    article = make_article(comments="ab", status=Article.Status.HIDDEN)
    path = article.get_absolute_url()
    client = Client()
    client.force_login(make_user("moderator"))
    answer = client.get(path)
    assert (answer.status_code, answer["Cache-Control"], len(STORE)) == (200, "private, no-cache", 0)
    assert ask(path).status_code == 404


def test_a_hidden_article_has_no_kept_page_even_for_who_has_its_tag() -> None:
    article = make_article(comments="ab")
    path = article.get_absolute_url()
    tag = ask(path)["ETag"]
    hide_article(article)
    assert ask(path, **{"If-None-Match": tag}).status_code == 404


@pytest.mark.parametrize("query", ["q=x", "utm=1", "rank=1&q=x", "rank=" + "1" * 300, "%72ank=1", "a"])
def test_an_address_that_is_none_of_ours_is_not_kept(query: str) -> None:
    path = f"{make_article(comments='ab').get_absolute_url()}?{query}"
    assert not ask(path).has_header("ETag")
    assert len(STORE) == 0


@pytest.mark.parametrize("path", ["/a/999/x/", "/a/{0}/wrong/", "/a/99999999999999999999/x/", "/", "/about/"])
def test_only_pages_of_articles_are_kept(path: str) -> None:
    ask(path.format(make_article().pk))
    assert len(STORE) == 0


def test_a_page_that_sets_a_cookie_or_forbids_it_is_not_kept() -> None:
    wants_a_cookie, forbids = HttpResponse("x"), HttpResponse("x", headers={"Cache-Control": "no-store"})
    wants_a_cookie.set_cookie("a", "b")
    path = make_article().get_absolute_url()
    varies = HttpResponse("x", headers={"Vary": "Accept-Language"})
    for answer in (wants_a_cookie, forbids, varies):
        request = Client().get(path).wsgi_request
        STORE.forget()
        assert page_cache.PageCacheMiddleware(Mock(return_value=answer))(request) is answer
        assert len(STORE) == 0


# --- As the client takes it -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("accepted", "encoding"),
    [
        ("", ""),
        ("gzip, deflate, br, zstd", "zstd"),
        ("gzip", "gzip"),
        ("GZIP ; q=0.5", "gzip"),
        ("zstd;q=0, gzip;q=0.1", "gzip"),
        ("gzip;q=0.9, zstd;q=0.5", "gzip"),
        ("*", "zstd"),
        ("*;q=0", ""),
        ("zstd;q=0, *;q=0.5", "gzip"),
        ("identity, gzip;q=0.5", ""),
        ("br", ""),
        ("gzip;q=x", ""),
        (",,;q=1,\x00", ""),
    ],
)
def test_the_encoding_is_what_the_client_likes_best(accepted: str, encoding: str) -> None:
    assert best_encoding(accepted) == encoding


def test_a_kept_page_reads_the_same_in_every_encoding() -> None:
    path = make_article(comments=[SECRET]).get_absolute_url()
    plain = ask(path)
    zstd, zipped = ask(path, **{"Accept-Encoding": "zstd"}), ask(path, **{"Accept-Encoding": "gzip"})
    assert zstandard.ZstdDecompressor().decompress(zstd.content) == gzip.decompress(zipped.content) == plain.content
    assert [answer["Content-Length"] for answer in (plain, zstd)] == [str(len(a.content)) for a in (plain, zstd)]
    assert plain["Vary"] == zstd["Vary"] == "Accept-Encoding, Cookie, HX-Request"
    assert plain["Cache-Control"] == "no-cache"


@pytest.mark.parametrize("header", ["{0}", '"x", {0}', "{1}", "*"])
def test_who_has_the_page_is_told_so(header: str) -> None:
    path = make_article(comments="ab").get_absolute_url()
    tag = ask(path)["ETag"]
    STORE.forget()  # that the page is the same is known without it
    answer = ask(path, **{"If-None-Match": header.format(tag, tag.removeprefix("W/"))})
    assert (answer.status_code, answer.content, answer["ETag"], len(STORE)) == (304, b"", tag, 0)
    assert answer["Vary"] == "Accept-Encoding, Cookie, HX-Request"


@pytest.mark.parametrize("header", ["", '"x"', "W/", "x" * 5000, '""'])
def test_who_has_another_page_gets_this_one(header: str) -> None:
    path = make_article(comments="ab").get_absolute_url()
    assert ask(path, **{"If-None-Match": header}).status_code == 200


# --- The room it takes ------------------------------------------------------------------------------------------------


def test_the_least_recently_used_make_room(settings: Any) -> None:
    settings.PAGE_CACHE_BYTES = 250_000
    paths = [make_article(comments="ab").get_absolute_url() for _ in range(40)]
    for path in paths:
        ask(paths[0])
        ask(path)
    assert STORE.size <= 250_000
    assert 2 <= len(STORE) < 40
    with CaptureQueriesContext(connection) as captured:
        ask(paths[0])
    assert len(captured) == 0


def test_a_huge_page_does_not_push_all_others_out(settings: Any) -> None:
    settings.PAGE_CACHE_BYTES = 50_000
    ask(make_article(body="x " * 20_000).get_absolute_url())
    assert (len(STORE), STORE.size) == (0, 0)


def test_without_room_nothing_is_kept(settings: Any) -> None:
    settings.PAGE_CACHE_BYTES = 0
    assert not ask(make_article().get_absolute_url()).has_header("ETag")


def test_a_database_that_went_away_is_no_version(monkeypatch: pytest.MonkeyPatch) -> None:
    article = make_article()
    monkeypatch.setattr(prepared, "run_unasked", Mock(side_effect=OperationalError("the connection is closed")))
    assert queries.version_for_readers(article.pk) is None


def test_what_was_rolled_back_takes_no_version_along() -> None:
    """psycopg throws what was prepared away with each rollback."""
    article = make_article()
    first = queries.version_for_readers(article.pk)
    with transaction.atomic():
        transaction.set_rollback(True)
    assert (queries.version_for_readers(article.pk), first is None) == (first, False)
