"""Atom feeds of comments."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from xml.etree import ElementTree

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from archive import counters, moderation
from archive.feeds import ENTRIES, in_xml
from archive.models import Article, Author, Comment, Entity, Mention, Site
from archive.search import index
from tests.makers import comments_of, make_article, make_user

pytestmark = pytest.mark.django_db

ATOM = "{http://www.w3.org/2005/Atom}"


def entries(path: str) -> list[ElementTree.Element]:
    response = Client().get(path)
    assert response["Content-Type"].startswith("application/atom+xml")
    return ElementTree.fromstring(response.content).findall(f"{ATOM}entry")


def summaries(path: str) -> list[str]:
    return [entry.findtext(f"{ATOM}summary", "") for entry in entries(path)]


def test_the_feed_has_the_latest_comments_first() -> None:
    make_article(comments="ab")
    make_article(comments="c")
    assert summaries("/feed/") == ["<p>c</p>", "<p>b</p>", "<p>a</p>"]


def test_an_article_has_a_feed_of_its_own() -> None:
    article = make_article(comments="a")
    make_article(comments="b")
    assert summaries(f"/a/{article.pk}/feed/") == ["<p>a</p>"]


def test_a_hidden_comment_is_in_no_feed() -> None:
    article = make_article(comments="ab")
    Comment.objects.filter(body="a").update(status=Comment.Status.HIDDEN)
    assert summaries("/feed/") == summaries(f"/a/{article.pk}/feed/") == ["<p>b</p>"]


def test_a_hidden_article_has_no_feed() -> None:
    article = make_article(comments="a", status=Article.Status.HIDDEN)
    assert summaries("/feed/") == []
    assert Client().get(f"/a/{article.pk}/feed/").status_code == 404


def test_every_entry_has_a_date_and_the_address_of_its_comment() -> None:
    article = make_article(comments="ab")
    Comment.objects.filter(body="b").update(posted_at=datetime(2017, 3, 14, tzinfo=UTC))
    second, first = entries("/feed/")
    assert second.findtext(f"{ATOM}updated") == "2017-03-14T00:00:00+00:00"
    assert first.findtext(f"{ATOM}updated") == article.imported_at.isoformat()
    link = second.find(f"{ATOM}link")
    assert link is not None
    assert link.get("href") == f"http://testserver{comments_of(article)[1].get_absolute_url()}"


def test_characters_that_xml_cannot_hold_do_not_break_it() -> None:
    article = make_article("A\x08B\uffff", comments=["x"])
    Comment.objects.update(author_name="\x1b[31m", html="<p>\x0c</p>")
    assert len(entries("/feed/")) == len(entries(f"/a/{article.pk}/feed/")) == 1
    assert in_xml("a\tb\x00\ud800") == "a\tb\ufffd\ufffd"


@pytest.fixture
def everywhere() -> dict[str, str]:
    """One comment that all feeds have, and where each of them is."""
    article = make_article("Tram", comments=["marzipan in Cairo", "plain"])
    comment = comments_of(article)[0]
    author = Author.objects.create(site=article.site, key=b"a" * 32, name="Ada")
    Comment.objects.filter(pk=comment.pk).update(author=author, author_name="Ada")
    entity = Entity.objects.create(kind="place", name="Cairo")
    fields: dict[str, Any] = {"start": 12, "end": 17, "surface": "Cairo", "extractor": "x", "extractor_version": "1"}
    Mention.objects.create(article=article, comment=comment, entity=entity, revision=1, **fields)
    counters.recount_entities([entity.pk])
    index.index(article.pk, None)
    return {
        "latest": "/feed/",
        "article": f"/a/{article.pk}/feed/",
        "author": f"/author/{author.pk}/feed/",
        "entity": f"/entity/{entity.pk}/feed/",
        "search": "/search/feed/?q=marzipan",
    }


def ids_of(path: str) -> list[str]:
    return [entry.findtext(f"{ATOM}id", "") for entry in entries(path)]


def test_a_comment_is_in_each_feed_that_it_belongs_to_under_its_permalink(everywhere: dict[str, str]) -> None:
    permalink = f"http://testserver{comments_of(Article.objects.get())[0].get_absolute_url()}"
    for path in everywhere.values():
        assert permalink in ids_of(path), path
        assert "marzipan" in "".join(summaries(path)).replace("<mark>", "").replace("</mark>", "")


@pytest.mark.parametrize("name", ["latest", "article", "author", "entity", "search"])
@pytest.mark.parametrize("what", ["comment", "article"])
def test_what_is_hidden_is_in_no_feed(everywhere: dict[str, str], name: str, what: str) -> None:
    article, moderator = Article.objects.get(), make_user("moderator")
    assert "marzipan" in str(Client().get(everywhere[name]).content)
    target = article if what == "article" else comments_of(article)[0]
    moderation.hide(target, by=moderator, reason="x")
    answer = Client().get(everywhere[name])
    assert answer.status_code in {200, 404}
    body = str(answer.content).replace("q=marzipan", "").replace("\\xe2\\x80\\x9cmarzipan", "")  # what was asked for
    assert "marzipan" not in body
    assert "Ada" not in body


def test_a_site_has_a_feed_of_its_discussions() -> None:
    site = Site.objects.create(name="Courier", slug="courier")
    article = make_article("Ours", body="What it says.", site=site, byline="R. Halloran")
    make_article("Theirs")
    make_article("In review", site=site, status=Article.Status.IN_REVIEW)
    found = entries(f"/site/{site.pk}/feed/")
    assert [entry.findtext(f"{ATOM}title") for entry in found] == ["Ours"]
    assert found[0].findtext(f"{ATOM}id") == f"http://testserver/a/{article.pk}/"
    assert found[0].findtext(f"{ATOM}summary") == "<p>What it says.</p>"


def test_a_site_of_which_readers_see_nothing_has_no_feed() -> None:
    article = make_article(status=Article.Status.HIDDEN)
    assert Client().get(f"/site/{article.site_id}/feed/").status_code == 404


def test_who_has_a_feed_is_told_so_until_it_changes() -> None:
    article = make_article(comments="ab")
    for path in ("/feed/", f"/a/{article.pk}/feed/", f"/site/{article.site_id}/feed/", "/search/feed/?q=zzz"):
        first = Client().get(path)
        again = Client().get(path, headers={"If-None-Match": first["ETag"]})
        assert (again.status_code, again.content, again["Cache-Control"]) == (304, b"", "no-cache")
    tag = Client().get("/feed/")["ETag"]
    moderation.hide(comments_of(article)[0], by=make_user("moderator"), reason="x")
    assert Client().get("/feed/", headers={"If-None-Match": tag}).status_code == 200


def test_the_pages_of_a_feed_have_each_entry_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("archive.feeds.ENTRIES", 2)
    make_article(comments=["x"] * 5)
    path, seen = "/feed/", []
    while path:
        seen += ids_of(path)
        links = ElementTree.fromstring(Client().get(path).content).findall(f"{ATOM}link")
        path = next((link.get("href", "") for link in links if link.get("rel") == "next"), "")
    assert len(seen) == len(set(seen)) == 5


def test_pages_lead_to_their_feeds(everywhere: dict[str, str]) -> None:
    author, entity = Author.objects.get(), Entity.objects.get()
    pages = {
        author.get_absolute_url(): everywhere["author"],
        entity.get_absolute_url(): everywhere["entity"],
        author.site.get_absolute_url(): f"/site/{author.site_id}/feed/",
        "/search/?q=marzipan&site=example&before=999999": "/search/feed/?q=marzipan&amp;site=example",
    }
    for page, path in pages.items():
        html = str(Client().get(page).content, "utf-8")
        assert html.count(f'href="{path}"') == 2, page


def test_a_merged_entity_has_the_feed_of_what_it_became(everywhere: dict[str, str]) -> None:
    merged = Entity.objects.create(kind="place", name="Kairo", merged_into=Entity.objects.get())
    assert ids_of(f"/entity/{merged.pk}/feed/") == ids_of(everywhere["entity"])


@pytest.mark.parametrize("query", ["", "q=", "q=%00", "q=x&before=x", "q=x&since=x&site=nobody", "q=" + "x " * 3000])
def test_any_search_is_a_feed(query: str) -> None:
    make_article(comments="ab")
    assert entries(f"/search/feed/?{query}") == []


def test_queries_of_the_feeds(everywhere: dict[str, str]) -> None:
    # the comments with their articles; before them the article, or the name with its site. Of an entity: itself, the
    # mentions with their texts. Of a search: ids, articles with their sites, comments
    counts = []
    for length in (0, 300):
        article = make_article(comments=["marzipan"] * length)
        Comment.objects.filter(article=article).update(author=Author.objects.get())
        index.index(article.pk, None)
        with CaptureQueriesContext(connection) as captured:
            found = []
            for path in everywhere.values():
                before = len(captured)
                entries(path)
                found.append(len(captured) - before)
        counts.append(found)
    assert counts == [[1, 2, 2, 2, 3]] * 2


def test_queries_of_a_sites_feed() -> None:
    # the site; its articles
    counts = []
    for length in (3, 100):
        made = [make_article() for _ in range(length)]
        with CaptureQueriesContext(connection) as captured:
            assert len(entries(f"/site/{made[0].site_id}/feed/")) == min(length, ENTRIES)
        counts.append(len(captured))
    assert counts == [2, 2]
