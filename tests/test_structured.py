"""The discussion as structured data: what the page shows, bounded, and never able to break out of its element."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from typing import Any

import pytest
from django.test import Client

from archive import counters, moderation
from archive.ingest.records import Basis
from archive.models import Article, Comment
from archive.views.structured import LONGEST, MOST_COMMENTS, embedded
from tests.makers import comments_of, make_article, make_user

pytestmark = pytest.mark.django_db


def data_of(article: Article) -> dict[str, Any]:
    html = str(Client().get(article.get_absolute_url()).content, "utf-8")
    found = re.findall(r'<script type="application/ld\+json">(.*?)</script>', html, re.S)
    assert len(found) == 1
    made: dict[str, Any] = json.loads(found[0])
    return made


def forest(comments: list[dict[str, Any]]) -> str:
    return "".join(f"{c['text']}({forest(c['comment'])})" if "comment" in c else c["text"] for c in comments)


def test_comments_lie_in_one_another_as_on_the_page() -> None:
    found = data_of(
        make_article("Tram", body="What it says.", comments="a(b(c)d)e", published_at=datetime(2017, 3, 14, tzinfo=UTC))
    )
    assert (found["@type"], found["headline"], found["text"]) == ("DiscussionForumPosting", "Tram", "What it says.")
    assert (found["datePublished"], found["commentCount"]) == ("2017-03-14T00:00:00+00:00", 5)
    assert forest(found["comment"]) == "a(b(c)d)e"


def test_a_hidden_comment_is_not_in_it_and_its_replies_are() -> None:
    article = make_article(comments="a(b)c")
    Comment.objects.update(author_name="Secretname", author_basis=Basis.STATED)
    moderation.hide(comments_of(article)[0], by=make_user("moderator"), reason="x")
    Comment.objects.exclude(pk=comments_of(article)[0].pk).update(author_name="")
    found = data_of(article)
    assert forest(found["comment"]) == "bc"
    assert "Secretname" not in json.dumps(found)


def test_only_what_was_stated_or_reviewed_is_given_as_a_fact() -> None:
    article = make_article(comments="ab")
    at = datetime(2017, 3, 14, tzinfo=UTC)
    Comment.objects.update(author_name="Ada", posted_at=at, author_basis=Basis.INFERRED, date_basis=Basis.INFERRED)
    Comment.objects.filter(body="a").update(author_basis=Basis.STATED, date_basis=Basis.REVIEWED)
    a, b = data_of(article)["comment"]
    assert (a["author"], a["datePublished"]) == ({"@type": "Person", "name": "Ada"}, at.isoformat())
    assert not {"author", "datePublished"} & b.keys()


def test_it_is_bounded() -> None:
    found = data_of(make_article(body="word " * 5000, comments=["word " * 5000] * (MOST_COMMENTS + 5)))
    assert len(found["comment"]) == MOST_COMMENTS
    assert max(len(comment["text"]) for comment in found["comment"]) <= LONGEST
    assert len(found["text"]) <= LONGEST


def test_an_article_shows_when_it_was_discussed_and_leads_to_the_comments_of_a_day() -> None:
    article = make_article(comments="abc")
    for comment, day in zip(comments_of(article), (14, 14, 16), strict=True):
        Comment.objects.filter(pk=comment.pk).update(posted_at=datetime(2017, 3, day, 12, tzinfo=UTC))
    counters.recount_articles([article.pk])
    html = str(Client().get(article.get_absolute_url()).content, "utf-8")
    found = re.findall(r'<th scope="row"><a href="([^"]*)">(.*?)</a></th><td>(\d+)', html)
    assert [(day, count) for _, day, count in found] == [("14 Mar 2017", "2"), ("16 Mar 2017", "1")]
    narrowed = str(Client().get(found[0][0].replace("&amp;", "&")).content, "utf-8")
    assert ["<p>a</p>" in narrowed, "<p>c</p>" in narrowed, 'class="bar away"' in narrowed] == [True, False, True]


def test_only_the_first_page_of_a_thread_has_it() -> None:
    article = make_article(comments=["x"] * 300)
    assert "ld+json" not in str(Client().get(f"{article.get_absolute_url()}?rank=200").content)


@pytest.mark.parametrize(
    "text", ["</script><script>alert(1)</script>", "<!--<script>", "a&amp;b", "\u2028", "]]>", '"']
)
def test_nothing_ends_its_element(text: str) -> None:
    made = embedded({"text": text})
    inside = made.removeprefix('<script type="application/ld+json">').removesuffix("</script>")
    assert not set("<>&\u2028") & set(inside)
    assert json.loads(inside) == {"text": text}
