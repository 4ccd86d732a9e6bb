"""Atom feeds of comments."""

from __future__ import annotations

from datetime import UTC, datetime
from xml.etree import ElementTree

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from archive.feeds import ENTRIES, in_xml
from archive.models import Article, Comment
from tests.makers import comments_of, make_article

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


def test_queries_of_the_feeds() -> None:
    # the comments with their articles; and before them, for an article's feed, the article
    counts = []
    for length in (3, 300):
        article = make_article(comments=["x"] * length)
        for path in ("/feed/", f"/a/{article.pk}/feed/"):
            with CaptureQueriesContext(connection) as captured:
                assert len(entries(path)) == min(length, ENTRIES)
            counts.append(len(captured))
        Comment.objects.all().delete()
    assert counts == [1, 2, 1, 2]
