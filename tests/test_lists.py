"""Home, sites and the lists of authors and entities: what is here, how much, since when, and the way back."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from itertools import chain
from typing import Any

import pytest
from django.db import connection
from django.test import Client, override_settings
from django.test.utils import CaptureQueriesContext

from archive import queries
from archive.ingest.records import Basis
from archive.models import Article, Author, Comment, Entity, Mention, Site
from tests.makers import comments_of, make_article, make_user

pytestmark = pytest.mark.django_db

MARCH = datetime(2017, 3, 14, 12, tzinfo=UTC)


def get(path: str, **data: str) -> str:
    answer = Client().get(path, data)
    assert answer.status_code == 200, path
    return str(answer.content, "utf-8")


def titles(html: str) -> list[str]:
    return re.findall(r'<h2 dir="auto"><a href="[^"]*">([^<]*)</a>', html)


def link(html: str, words: str) -> str:
    found = re.search(rf'<a class="button[^"]*"[^>]* href="([^"]*)">{re.escape(words)}</a>', html)
    return found[1].replace("&amp;", "&") if found else ""


def site_named(name: str) -> Site:
    return Site.objects.create(name=name, slug=name.lower())


# --- Lists go forward and back ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("order", ["", "?order=discussed"])
@pytest.mark.parametrize("number", [5, 6, 7])
def test_who_goes_to_the_end_and_back_sees_the_same_pages(order: str, number: int) -> None:
    site = site_named("Courier")
    for n in range(number):
        make_article(f"A{n}", comments=["x"] * (n % 3), site=site)
    with override_settings(RESULTS_PER_PAGE=3):
        path, seen = f"{site.get_absolute_url()}{order}", []
        while path:
            html = get(path)
            seen.append(titles(html))
            path = link(html, "Further →")
        assert sorted(chain.from_iterable(seen)) == sorted(f"A{n}" for n in range(number))
        while back := link(html, "← Back"):
            html = get(back)
            seen.pop()
            assert titles(html) == seen[-1]
    assert len(seen) == 1
    assert link(html, "To the beginning") == ""


@pytest.mark.parametrize("order", ["", "?order=discussed"])
def test_going_back_past_the_beginning_gives_the_first_page(order: str) -> None:
    made = [make_article(f"A{n}") for n in range(4)]
    with override_settings(RESULTS_PER_PAGE=3):
        after = f"0-{made[0].pk}" if order else str(made[1].pk)
        html = get(f"/{order or '?'}&after={after}")
    assert titles(html) == ["A3", "A2", "A1"]
    assert not link(html, "← Back")


@pytest.mark.parametrize("after", ["x", "-1", "1-", "1-2-3", "9" * 40, f"{'9' * 18}-{'9' * 18}", "\0"])
@pytest.mark.parametrize("path", ["/", "/?order=discussed", "/site/{0}/-/"])
def test_any_after_gives_a_page(path: str, after: str) -> None:
    article = make_article("Tram")
    path = path.format(article.site_id).replace("/-/", f"/{article.site.slug}/")
    assert titles(get(f"{path}{'&' if '?' in path else '?'}after={after}")) == ["Tram"]


# --- How much, and since when -----------------------------------------------------------------------------------------


def test_home_says_how_much_there_is_and_since_when() -> None:
    make_article(comments="abc", published_at=MARCH)
    make_article(comments="ab", published_at=MARCH + timedelta(days=800))
    make_article()
    html = get("/")
    assert "<b>3</b> articles" in html
    assert "<b>5</b> comments" in html
    assert "published from <b>Mar 2017</b> to <b>May 2019</b>; 1 without a date" in html
    assert 'href="/?order=discussed&amp;since=2017-03-01&amp;until=2017-03-31"' in html


def test_what_is_hidden_is_in_no_figure_and_no_list_of_sites() -> None:
    one, other = site_named("Courier"), site_named("Gazette")
    make_article(comments="abc", site=one, published_at=MARCH)
    hidden = make_article(comments="ab", site=other, published_at=MARCH, status=Article.Status.HIDDEN)
    in_review = make_article(comments="ab", site=other, status=Article.Status.IN_REVIEW)
    for path in ("/", "/about/", "/search/", "/?site=gazette", one.get_absolute_url()):
        html = get(path)
        assert "Gazette" not in html
        assert "5" not in re.findall(r"<b>(\d+)</b> comments", html)
    assert Client().get(other.get_absolute_url()).status_code == 404
    assert {hidden.status, in_review.status} == {"hidden", "in_review"}
    client = Client()
    client.force_login(make_user("moderator"))
    assert client.get(other.get_absolute_url()).status_code == 200


def test_about_says_what_is_here() -> None:
    assert "What is here" not in get("/about/")
    make_article(comments="ab", published_at=MARCH)
    assert "1 article with 2 comments that can be read, published in Mar 2017" in get("/about/")


def test_a_name_says_how_much_stands_under_it_and_when() -> None:
    article = make_article(comments="abc")
    author = Author.objects.create(site=article.site, key=b"a" * 32, name="Ada")
    Comment.objects.update(author=author, author_name="Ada", author_basis=Basis.STATED, posted_at=MARCH)
    Comment.objects.filter(body="c").update(posted_at=MARCH + timedelta(days=3))
    Comment.objects.filter(body="b").update(status=Comment.Status.HIDDEN)
    html = get(author.get_absolute_url())
    assert "<b>2</b> comments</span> <span>in <b>1</b> discussion" in html
    assert "from <b>14 Mar 2017</b> to <b>17 Mar 2017</b>" in html
    assert "Comments by day" in html
    assert "only a name" in html


def test_an_entity_shows_when_it_was_mentioned() -> None:
    article = make_article(comments="ab", published_at=MARCH - timedelta(days=1))
    entity = Entity.objects.create(kind="place", name="Cairo", mention_count=3)
    Comment.objects.update(posted_at=MARCH)
    for number, comment in enumerate([None, *comments_of(article)]):
        fields: dict[str, Any] = {"start": number, "end": number + 1, "surface": "C", "extractor": "x", "revision": 1}
        Mention.objects.create(article=article, comment=comment, entity=entity, extractor_version="1", **fields)
    html = get(entity.get_absolute_url())
    assert ["13 Mar 2017</th><td>1" in html, "14 Mar 2017</th><td>2" in html] == [True, True]


# --- Sites ------------------------------------------------------------------------------------------------------------


def test_a_site_shows_its_articles_and_no_others() -> None:
    site = site_named("Courier")
    make_article("Ours", site=site)
    make_article("Theirs")
    html = get(site.get_absolute_url())
    assert titles(html) == ["Ours"]
    assert Client().get(f"/site/{site.pk}/").headers["Location"] == site.get_absolute_url()


@pytest.mark.parametrize("path", ["/site/999/x/", "/site/99999999999999999999/x/", "/site/{0}/x/"])
def test_a_site_without_articles_is_not_here(path: str) -> None:
    assert Client().get(path.format(site_named("Empty").pk)).status_code == 404


def test_the_most_discussed_of_a_year_and_of_a_month() -> None:
    site = site_named("Courier")
    for n, at in enumerate([MARCH, MARCH + timedelta(days=60), MARCH + timedelta(days=700), None]):
        make_article(f"A{n}", comments=["x"] * (4 - n), site=site, published_at=at)
    for path in ("/?order=discussed&", f"{site.get_absolute_url()}?"):
        assert titles(get(f"{path}period=2017")) == ["A0", "A1"]
        assert titles(get(f"{path}period=2017-05")) == ["A1"]
        assert titles(get(f"{path}period=undated")) == ["A3"]
        html = get(f"{path}period=2017-05")
        assert all(words in html for words in (">2017</a>", 'true">May</a>', ">All time</a>"))


@pytest.mark.parametrize(
    "period", ["17", "2017-13", "2017-00", "2017-3", "٢٠١٧", "undatedx", "2017\n", "x" * 5000, "\0"]
)
def test_a_period_that_is_none_is_said_and_left_out(period: str) -> None:
    article = make_article("Tram", published_at=MARCH)
    html = get("/", period=period)
    assert titles(html) == ["Tram"]
    assert "left out" in html
    assert titles(get(article.site.get_absolute_url(), period=period)) == ["Tram"]


@pytest.mark.parametrize("query", ["since=2017-01-01", "until=2018-01-01", "period=2017"])
def test_a_date_says_that_it_leaves_out_what_has_none_and_where_that_is(query: str) -> None:
    make_article("Dated", published_at=MARCH)
    make_article("Undated")
    html = get(f"/?{query}")
    assert titles(html) == ["Dated"]
    found = re.search(r'no date is known. <a href="([^"]*)"', html)
    assert found is not None
    assert titles(get(found[1].replace("&amp;", "&"))) == ["Undated"]


# --- Chance -----------------------------------------------------------------------------------------------------------


def test_a_discussion_at_random_is_one_that_readers_see() -> None:
    for status in ("hidden", "published", "in_review", "published", "hidden"):
        make_article(status=status)
    shown = set(Article.objects.filter(status="published").values_list("pk", flat=True))
    with CaptureQueriesContext(connection) as captured:
        found = {queries.random_article() for _ in range(30)}
    assert {article.pk for article in found if article} == shown
    assert len(captured) == 90
    answer = Client().get("/random/")
    assert (answer.status_code, answer["Cache-Control"]) == (302, "no-store")


def test_queries_of_a_discussion_at_random() -> None:
    # the first and the last id; the article
    counts = []
    for number in (3, 300):
        for _ in range(number):
            make_article()
        with CaptureQueriesContext(connection) as captured:
            Client().get("/random/")
        counts.append(len(captured))
    assert counts == [3, 3]


def test_at_random_in_an_empty_archive_leads_home() -> None:
    assert Client().get("/random/")["Location"] == "/"


# --- What pages cost --------------------------------------------------------------------------------------------------


def queries_of(path: str) -> int:
    with CaptureQueriesContext(connection) as captured:
        assert Client().get(path).status_code == 200
    return len(captured)


def test_queries_of_a_site_and_of_about() -> None:
    # the site; how much there is of each month; the articles. For about: how much there is of each month
    site, counts = site_named("Courier"), []
    for number in (3, 297):
        for n in range(number):
            make_article(site=site, published_at=MARCH + timedelta(days=31 * n))
        counts.append([queries_of(site.get_absolute_url()), queries_of("/about/")])
    assert counts == [[3, 1], [3, 1]]


def plan_of(rows: Any) -> str:
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute("SET LOCAL enable_sort = off")
        cursor.execute("SET LOCAL enable_bitmapscan = off")
    return str(rows.explain())


@pytest.mark.parametrize("period", ["", "2017", "2017-03", "undated"])
@pytest.mark.parametrize("of_site", [False, True])
def test_the_most_discussed_of_a_period_are_read_off_an_index(period: str, of_site: bool) -> None:
    article = make_article(published_at=MARCH)
    rows = queries.articles().visible_to(None).most_discussed()
    rows = rows.of_site(article.site) if of_site else rows
    plan = plan_of((rows.published_in(period) if period else rows)[:20])
    assert re.search(r"Index Scan (using|Backward using) article_\w*discussed", plan)
    assert "Sort" not in plan
