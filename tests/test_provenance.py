"""From a comment to its place in the source and back; what is hidden is blank there, too."""

from __future__ import annotations

import html
import re
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from archive import moderation
from archive.ingest import importer, loader
from archive.ingest.records import Discussion, LeftOut, Post, Span
from archive.models import Article, Comment
from tests.makers import make_user

pytestmark = pytest.mark.django_db
TEXT = "A headline\nThe article says <this>.\nAnn:\nfirst of ann\nmore of ann\nBob: hi from bob\nCy:\nlast\n"


def make() -> Article:
    def span(of: str) -> Span:
        return Span(TEXT.index(of), TEXT.index(of) + len(of))

    posts = [Post(str(span(t).start), t, span(t)) for t in ("first of ann\nmore of ann", "hi from bob", "last")]
    whole = span("A headline\nThe article says <this>.")
    ends = [whole.end, *(post.span.end for post in posts if post.span)]
    begins = [*(post.span.start for post in posts if post.span), len(TEXT)]
    gaps = [LeftOut(Span(a, b), "byline") for a, b in zip(ends, begins, strict=True) if a < b]
    source = importer.receive(TEXT.encode(), name="s.txt")
    found = Discussion("k", "A headline", "x", posts, article_span=whole, left_out=gaps)
    done = loader.store(found, source=source, site=loader.site_named("S"))
    return Article.objects.get(pk=done.article_id or 0)


def lines(client: Client, article: Article, at: int = 0) -> list[tuple[str, str]]:
    """The look and the text of each line of the page."""
    answer: Any = client.get(f"/a/{article.pk}/source/", {"at": at})
    assert answer.status_code == 200
    found = re.findall(r'<li class="([\w ]+)".*?<span class="text"[^>]*>(.*?)</span>', answer.content.decode(), re.S)
    return [(look, html.unescape(text)) for look, text in found]


def test_without_a_place_nothing_is_marked(client: Client) -> None:
    page = client.get(f"/a/{make().pk}/source/").content.decode()
    assert page.count("<li class=") == 8
    assert " here" not in page.partition('<ol class="source"')[2].partition("</ol>")[0]


def test_each_line_says_what_it_became(client: Client) -> None:
    shown = lines(client, make(), TEXT.index("first"))
    assert [look for look, _ in shown] == [
        "article",
        "article",
        "out",
        "comment here",
        "comment here",
        "comment",
        "out",
        "comment",
    ]
    assert shown[1][1] == "The article says <this>."


def test_a_comment_leads_to_its_place_and_back(client: Client) -> None:
    article = make()
    comment = Comment.objects.get(body="last")
    answer: Any = client.get(comment.get_absolute_url())
    link = re.findall(r'href="(/a/\d+/c/\d+/source/)"', answer.content.decode())[0]
    place = client.get(link)["Location"]
    assert place == f"/a/{article.pk}/source/?at={TEXT.index('last')}#here"
    assert comment.get_absolute_url() in client.get(place).content.decode()
    assert article.pk == comment.article_id


@pytest.mark.parametrize("status", ["hidden", "in_review"])
def test_the_address_of_a_place_says_nothing_of_what_readers_do_not_see(client: Client, status: str) -> None:
    article, comment = make(), Comment.objects.get(body="last")
    with CaptureQueriesContext(connection) as asked:
        assert client.get(f"/a/{article.pk}/c/{comment.pk}/source/").status_code == 302
    assert len(asked) == 1  # the comment, with its article
    Article.objects.update(status=status)
    assert client.get(f"/a/{article.pk}/c/{comment.pk}/source/").status_code == 404
    Article.objects.update(status="published")
    moderation.hide(comment, by=make_user("moderator"), reason="insult")
    assert client.get(f"/a/{article.pk}/c/{comment.pk}/source/").status_code == 404


def test_what_is_hidden_is_blank_and_so_is_its_byline(client: Client) -> None:
    article = make()
    moderation.hide(Comment.objects.get(body__startswith="first"), by=make_user("moderator"), reason="insult")
    text = client.get(f"/a/{article.pk}/source/").content.decode()
    assert not any(word in text for word in ("first of ann", "more of ann", "Ann:"))
    assert "The article says" in text
    assert [look for look, _ in lines(client, article)][2:5] == ["gone"] * 3


def test_the_byline_of_a_hidden_comment_on_its_own_line_is_blank(client: Client) -> None:
    article = make()
    moderation.hide(Comment.objects.get(body="hi from bob"), by=make_user("moderator"), reason="insult")
    text = client.get(f"/a/{article.pk}/source/").content.decode()
    assert "Bob" not in text
    assert "more of ann" in text


def test_an_article_that_readers_do_not_see_has_no_source(client: Client) -> None:
    article = make()
    for status in ("hidden", "in_review"):
        Article.objects.filter(pk=article.pk).update(status=status)
        assert client.get(f"/a/{article.pk}/source/").status_code == 404


def test_the_page_is_bounded_and_leads_on(client: Client) -> None:
    body = "\n".join(f"Line number {n} of it." for n in range(1, 301))
    report = importer.import_source(body.encode(), name="long.txt")
    article = Article.objects.get(pk=report.article_id or 0)
    first = lines(client, article)
    assert len(first) == 80
    answer: Any = client.get(f"/a/{article.pk}/source/?at=100000")
    assert "Line number 300 of it." in answer.content.decode()
    assert "Lines before" in answer.content.decode()


@pytest.mark.parametrize("at", ["-5", "x", "9" * 30, ""])
def test_any_offset_is_answered(client: Client, at: str) -> None:
    assert client.get(f"/a/{make().pk}/source/", {"at": at}).status_code == 200
