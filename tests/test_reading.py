"""Reading a thread: its orders, depths and pages. Whatever the way, each comment is shown once, in order."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.test import Client, RequestFactory, override_settings
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from archive import queries, threads
from archive.ingest import loader
from archive.ingest.records import Discussion, Post
from archive.models import Article, Comment, Entity, Source, ThreadOrder
from archive.queries import Order
from archive.search import index
from archive.threads import Sort
from archive.views import selection
from archive.views.environment import moment
from archive.views.thread import MAX_LEVEL, when
from tests.makers import comments_of, make_article, store_orders
from tests.test_views import HOSTILE, Nesting, chain, forests, get, hide, mention, name_author, queries_of

pytestmark = pytest.mark.django_db

START = datetime(2017, 3, 14, 21, tzinfo=UTC)
ORDERS = [Order(sort, levels) for sort in Sort for levels in ((0, 1, 2, 3) if sort != Sort.FLAT else (0,))]


def make_forest(parents: list[int | None], minutes: list[int | None]) -> Article:
    """An article whose comments answer the ones at ``parents`` and were written so many minutes after another."""
    names = [str(number) for number in range(len(parents))]
    article = make_article(comments=names)
    order = threads.arrange(names, [None if parent is None else str(parent) for parent in parents])
    rows = comments_of(article)
    for i, row in enumerate(rows):
        row.parent_id = None if (parent := parents[i]) is None else rows[parent].pk
        row.thread_rank, row.depth, row.subtree_size = order.rank[i], order.depth[i], order.subtree_size[i]
        row.posted_at = None if (minute := minutes[i]) is None else START + timedelta(minutes=minute)
    Comment.objects.bulk_update(rows, ["parent", "thread_rank", "depth", "subtree_size", "posted_at"])
    return article


def pages_of(path: str) -> Iterator[str]:
    """The page at ``path`` and those that its links to the next one lead to."""
    base = path.partition("?")[0]
    while path:
        page = get(path)
        yield page
        found = re.search(r'rel="next" href="([^"#]*)"', page)
        path = found[1].replace("&amp;", "&") if found else ""
        assert not path or path.startswith(base)


def shown(page: str) -> list[int]:
    """The numbers of the comments on a page, in order, without those that are only context."""
    return [int(found[1]) for found in re.finditer(r'<li id="c(\d+)"(?! class="context")', page)]


def expected(article: Article, order: Order) -> list[int]:
    """The same by another way: siblings sorted at each parent, and a walk with a stack."""
    rows = {row.pk: row for row in comments_of(article)}

    def date(row: Comment) -> float:
        assert row.posted_at
        return row.posted_at.timestamp()

    def key(row: Comment) -> Any:
        if order.sort == Sort.THREAD:
            return row.thread_rank
        if order.sort == Sort.DISCUSSED:
            return (-row.subtree_size, row.thread_rank)
        if row.posted_at is None:
            return (1, 0, row.thread_rank)
        return (0, -date(row), -row.thread_rank) if order.sort == Sort.NEWEST else (0, date(row), row.thread_rank)

    if order.sort == Sort.FLAT:
        return [row.pk for row in sorted(rows.values(), key=key)]
    waiting, found = sorted((row for row in rows.values() if not row.parent_id), key=key, reverse=True), []
    while waiting:
        row = waiting.pop()
        if not order.levels or row.depth < order.levels:
            found.append(row.pk)
        waiting += sorted((other for other in rows.values() if other.parent_id == row.pk), key=key, reverse=True)
    return found


@pytest.mark.parametrize("stored", [False, True])
@given(forests(), st.data())
@settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_the_pages_of_every_order_show_each_comment_once_in_order(
    stored: bool, parents: list[int | None], data: st.DataObject
) -> None:
    dates = st.lists(st.one_of(st.none(), st.integers(0, 9)), min_size=len(parents), max_size=len(parents))
    article = make_forest(parents, data.draw(dates))
    if stored:
        store_orders(article)
    order = data.draw(st.sampled_from(ORDERS))
    size = data.draw(st.integers(1, 20))
    with override_settings(COMMENTS_PER_PAGE=size):
        pages = list(pages_of(f"{article.get_absolute_url()}?sort={order.sort}&depth={order.levels}"))
    assert [pk for page in pages for pk in shown(page)] == expected(article, order)
    for page in pages:
        nesting = Nesting(page)
        assert (nesting.wrong, nesting.open) == ([], [])
        assert len(nesting.levels) <= size + MAX_LEVEL


def grow(article: Article) -> None:
    """A comment comes in front of all others, as when its source is read again."""
    for row in Comment.objects.filter(article=article).order_by("-thread_rank"):
        Comment.objects.filter(pk=row.pk).update(thread_rank=row.thread_rank + 1, position=row.position + 1)
    old = comments_of(article)[0]
    name = f"new {old.pk}"
    old.pk, old.external_id, old.external_key, old.position, old.thread_rank = None, name, name.encode(), 0, 0
    old.posted_at = START - timedelta(days=1)
    old.save(force_insert=True)


@pytest.mark.parametrize("query", ["", "?sort=oldest", "?sort=flat"])
def test_who_reads_on_while_comments_come_misses_none_and_sees_none_twice(query: str) -> None:
    article = make_forest([None] * 9, list(range(9)))
    before = [row.pk for row in comments_of(article)]
    seen: list[int] = []
    with override_settings(COMMENTS_PER_PAGE=4):
        for page in pages_of(f"{article.get_absolute_url()}{query}"):
            seen += shown(page)
            grow(article)
    assert seen == before


def test_the_way_back_ends_where_the_page_began() -> None:
    article = make_article(comments=["x"] * 9)
    first, *_ = rows = [row.pk for row in comments_of(article)]
    with override_settings(COMMENTS_PER_PAGE=4):
        page = get(article.get_absolute_url(), rank="3", before=str(rows[3]))
        assert shown(page) == rows[:3]
        assert shown(get(article.get_absolute_url(), rank="4", after="999999999")) == rows[4:8]
    assert first == shown(page)[0]


def test_queries_of_another_order() -> None:
    # the article with its site; the order; its comments; entities; of many, how sure it is; of few, the order is made
    few, many = make_article(comments=["x"] * 3), make_article(comments=["x"] * 300)
    store_orders(many)
    assert len(queries_of(f"{many.get_absolute_url()}?sort=newest")) == 5
    assert len(queries_of(f"{few.get_absolute_url()}?sort=newest")) == 5


def test_queries_of_a_page_that_goes_on_from_a_comment() -> None:
    # as ever, with an outline (2), and the place of the comment
    article = make_article(comments=["x"] * 300)
    store_orders(article)
    after = comments_of(article)[99].pk
    assert len(queries_of(f"{article.get_absolute_url()}?rank=100&after={after}")) == 8


def test_a_depth_keeps_replies_a_link_away() -> None:
    article = make_article(comments="a(b(c))d")
    a, b, _, d = comments_of(article)
    page = get(article.get_absolute_url(), depth="1")
    assert shown(page) == [a.pk, d.pk]
    assert f'<p class="rest"><a href="{a.get_absolute_url()}">Show 2 replies</a></p>' in page
    assert f'href="{b.get_absolute_url()}"' not in page


@pytest.mark.parametrize("sort", ["", "newest", "flat", "discussed", "x", "\0", "THREAD"])
@pytest.mark.parametrize("number", ["", "2", "-1", "x", "9" * 18, "9" * 40, "\0", "1.0"])
def test_no_order_and_no_place_is_an_error(sort: str, number: str) -> None:
    article = make_article(comments="a(b)")
    page = get(article.get_absolute_url(), sort=sort, **dict.fromkeys(("depth", "rank", "after", "before"), number))
    assert "<p>a</p>" in page


def test_other_orders_are_known_by_the_article_itself() -> None:
    article = make_article(comments="a(b)", slug="tram")
    page = get(article.get_absolute_url(), sort="newest", depth="1")
    assert f'<link rel="canonical" href="http://testserver/a/{article.pk}/tram/">' in page


def test_orders_by_date_are_offered_only_where_there_are_dates() -> None:
    article = make_article(comments="abc")
    assert "Newest first" not in get(article.get_absolute_url())
    Article.objects.filter(pk=article.pk).update(last_comment_at=START)
    assert "Newest first" in get(article.get_absolute_url())


def test_a_very_long_thread_offers_a_bounded_number_of_pages() -> None:
    request = RequestFactory().get("/")
    found = selection.Selection([], [], 0, 1_000_000, [])
    assert len(selection.pager(request, found, size=200).jumps) <= selection.MAX_JUMPS


def test_the_byline_marks_who_wrote_under_the_same_name() -> None:
    article = make_article(comments="ab", byline="By  Ada  Lovelace")
    for row, name in zip(comments_of(article), ("ada lovelace", "Ada"), strict=True):
        name_author(row, name)
    assert get(article.get_absolute_url()).count('class="byline"') == 1
    Comment.objects.update(author_basis="inferred")
    assert 'class="byline"' not in get(article.get_absolute_url())


def test_a_parent_that_the_source_does_not_have_is_said() -> None:
    article = make_article(comments="a")
    Comment.objects.update(missing_parent="<lost@example>")
    page = get(article.get_absolute_url())
    assert "in reply to a comment that the source does not have" in page
    assert "lost@example" not in page


def test_a_comment_leads_to_its_place_only_where_there_is_one() -> None:
    article = make_article(comments="a")
    place = f"{comments_of(article)[0].get_absolute_url()}source/"
    assert place not in get(article.get_absolute_url())
    Article.objects.update(span_start=0)
    assert place in get(article.get_absolute_url())
    Comment.objects.update(status=Comment.Status.HIDDEN)
    assert place not in get(article.get_absolute_url())


def test_a_chain_is_followed_upwards_step_by_step_only() -> None:
    article = make_article(comments=[])
    chain(article, 50)
    last = comments_of(article)[-1]
    above = queries.comments().ancestors_of(article.pk, [last.pk], limit=3)
    assert [row.thread_rank for row in above] == [46, 47, 48]


def test_a_thread_too_deep_to_indent_goes_on_on_its_own_page() -> None:
    article = make_article(comments=[])
    chain(article, 12)
    rows = comments_of(article)
    page = get(article.get_absolute_url())
    assert page.count("Continue this thread") == 1
    assert f'<p class="deeper"><a href="{rows[8].get_absolute_url()}">' in page
    assert Nesting(get(rows[8].get_absolute_url())).levels[f"c{rows[11].pk}"] == 7


def test_the_loader_stores_the_orders_of_long_threads_only() -> None:
    source = Source.objects.create(sha256="0" * 64, name="x", size=0)
    for count in (threads.ORDERED_FROM, threads.ORDERED_FROM + 1):
        posts = [Post(str(n), "x", parent=str(n - 1) if n % 3 else None) for n in range(count)]
        discussion = Discussion(key=str(count), title="x", body="x", comments=posts)
        article_id = loader.store(discussion, source=source, site=loader.site_named("x")).article_id or 0
        stored = dict(ThreadOrder.objects.filter(article_id=article_id, levels=1).values_list("sort", "ranks"))
        assert len(stored) == (4 if count > threads.ORDERED_FROM else 0)
        for ranks in stored.values():
            assert threads.unpacked(bytes(ranks)) == list(range(0, count, 3))


# --- Filters ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def talk() -> Article:
    article = make_article(comments="a(b(c)d)e", slug="talk")
    a, b, c, _, e = comments_of(article)
    for row, name in ((a, "Ada"), (c, "Bob"), (e, "Bob")):
        name_author(row, name)
    Comment.objects.filter(pk=c.pk).update(posted_at=START)
    mention(article, b, name="Cairo")
    index.index(article.pk, None)
    return article


@pytest.mark.parametrize(
    ("query", "matches", "replied_to"),
    [
        ({"by": "Bob"}, "ce", "ab"),
        ({"words": "d"}, "d", "a"),
        ({"since": "2017-03-14"}, "c", "ab"),
        ({"until": "2017-03-14", "by": "Bob"}, "c", "ab"),
        ({"by": "Bob", "sort": "flat"}, "ce", ""),
        ({"by": "bob"}, "", ""),
        ({"words": "-d"}, "", ""),
    ],
)
def test_a_filter_shows_what_matches_and_what_that_replies_to(
    talk: Article, query: dict[str, str], matches: str, replied_to: str
) -> None:
    page = get(talk.get_absolute_url(), **query)
    ids = {row.external_id: row.pk for row in comments_of(talk)}
    assert re.findall(r'<li id="c(\d+)" class="match"', page) == [str(ids[name]) for name in matches]
    assert re.findall(r'<li id="c(\d+)" class="context"', page) == [str(ids[name]) for name in replied_to]
    assert (Nesting(page).wrong, Nesting(page).open) == ([], [])
    assert f'href="{talk.get_absolute_url()}#discussion">Show all comments' in page


def test_a_filter_by_entity_shows_the_comments_that_mention_it(talk: Article) -> None:
    entity = Entity.objects.get(name="Cairo")
    page = get(talk.get_absolute_url(), entity=str(entity.pk))
    assert "1 of them matches" in page
    assert "mentioning Cairo" in page


def test_hidden_comments_never_match(talk: Article) -> None:
    for row in comments_of(talk):
        Comment.objects.filter(pk=row.pk).update(status=Comment.Status.HIDDEN)
    for query in ({"by": "Bob"}, {"words": "d"}, {"since": "2017-03-14"}):
        page = get(talk.get_absolute_url(), **query)
        assert "No comment here is all of that" in page
        assert 'class="match"' not in page


def test_pages_of_a_filter_show_each_match_once() -> None:
    article = make_article(comments="a(b(c(d)))e(f)ghi")
    for row in comments_of(article)[1::2]:
        name_author(row)
    with override_settings(MATCHES_PER_PAGE=2):
        pages = list(pages_of(f"{article.get_absolute_url()}?by=Ada"))
    assert [pk for page in pages for pk in shown(page)] == [row.pk for row in comments_of(article)[1::2]]
    assert len(pages) == 2


def test_a_day_that_is_none_is_left_out_and_said(talk: Article) -> None:
    page = get(talk.get_absolute_url(), since="yesterday")
    assert "“yesterday” is not a day" in page
    assert len(shown(page)) == 5


def test_queries_of_a_filter() -> None:
    # the article with its site; the places that match; their comments; what is above them
    counts = []
    for length in (3, 300):
        article = make_article(comments=["x"] * length)
        for row in comments_of(article)[:3] if length == 3 else comments_of(article):
            name_author(row)
        counts.append(len(queries_of(f"{article.get_absolute_url()}?by=Ada")))
    assert counts == [4, 4]


@pytest.mark.parametrize("text", [*HOSTILE, "\0", "9" * 30, "x" * 3000, "-" * 50])
def test_no_filter_is_an_error(text: str) -> None:
    article = make_article(comments="a(b)")
    found = Nesting(get(article.get_absolute_url(), **dict.fromkeys((*selection.FILTERS, "from", "to", "view"), text)))
    assert found.tags & {"img", "iframe", "style"} == set()
    assert (found.wrong, found.open) == ([], [])


# --- Permalinks -------------------------------------------------------------------------------------------------------


def test_a_part_of_a_thread_has_an_address() -> None:
    article = make_article(comments="a(b(c)d)e", slug="tram")
    rows = comments_of(article)
    with override_settings(COMMENTS_PER_PAGE=2):
        path = f"{article.get_absolute_url()}?from={rows[3].pk}&to={rows[1].pk}"
        first, second = pages_of(path)
    assert shown(first) + shown(second) == [row.pk for row in rows[1:4]]
    assert f'href="http://testserver{path.replace("&", "&amp;")}"' in first
    assert shown(get(path, **{"from": "1", "to": "9" * 30})) == [row.pk for row in rows]


@pytest.mark.parametrize(("asked", "levels"), [("0", 0), ("1", 1), ("2", 2), ("99", 2), ("x", 2)])
def test_a_comment_is_shown_with_as_much_above_it_as_asked_for(asked: str, levels: int) -> None:
    article = make_article(comments="a(b(c))")
    last = comments_of(article)[2]
    page = get(last.get_absolute_url(), context=asked)
    assert Nesting(page).levels[f"c{last.pk}"] == levels
    assert f'<link rel="canonical" href="http://testserver{last.get_absolute_url()}">' in page


@pytest.mark.parametrize(("upto", "last"), [("3", 2), ("1", 0), ("0", 0), ("99", 4), ("9" * 18, 4)])
def test_a_part_is_asked_for_by_the_number_of_its_last_comment(upto: str, last: int) -> None:
    article = make_article(comments="a(b(c)d)e", slug="tram")
    rows = comments_of(article)
    answer = Client().get(f"{article.get_absolute_url()}?from={rows[1].pk}&upto={upto}")
    part = f"?from={rows[1].pk}&to={rows[last].pk}#discussion"
    assert (answer.status_code, answer["Location"]) == (302, article.get_absolute_url() + part)
    assert f'name="from" value="{rows[1].pk}"' in get(rows[1].get_absolute_url())


@pytest.mark.parametrize("query", ["upto=2", "from=1&upto=x", "from=x&upto=2", "from=1&upto="])
def test_half_of_a_part_is_the_whole_thread(query: str) -> None:
    assert shown(get(f"{make_article(comments='ab', slug='tram').get_absolute_url()}?{query}"))


def test_what_is_new_is_counted_over_the_whole_thread() -> None:
    article = make_article(comments="a(b(c)d)e")
    rows = comments_of(article)
    hide(rows[2])
    path = f"/a/{article.pk}/c/new/?after="
    with override_settings(COMMENTS_PER_PAGE=2):
        found = Client().get(f"{path}{rows[1].pk}").json()
    assert found == {"count": 2, "more": False, "first": f"{article.get_absolute_url()}?rank=2#c{rows[3].pk}"}
    assert Client().get(f"{path}{rows[4].pk}").json() == {"count": 0, "more": False, "first": ""}
    assert Client().get(f"{path}x").json()["count"] == 4
    Article.objects.update(status="hidden")
    assert Client().get(path).status_code == 404


def test_queries_of_what_is_new() -> None:
    # the article; its newer comments
    for length in (3, 300):
        article = make_article(comments=["x"] * length)
        assert len(queries_of(f"/a/{article.pk}/c/new/?after=0")) == 2


def rest(page: str) -> str:
    found = re.search(r'<p class="rest"><a href="([^"]+)">', page)
    return found[1] if found else ""


@given(forests())
@settings(max_examples=15, deadline=None)
def test_replies_are_loaded_each_once_in_order(parents: list[int | None]) -> None:
    article = make_forest(parents, [None] * len(parents))
    root = comments_of(article)[0]
    found: list[int] = []
    path = root.get_absolute_url()
    with override_settings(COMMENTS_PER_PAGE=3):
        while path:
            part = str(Client().get(path, headers={"HX-Request": "true"}).content, "utf-8")
            whole = get(path)
            nesting = Nesting(f"<ol><li>{part}</li></ol>")
            assert (nesting.wrong, nesting.open, Nesting(whole).wrong) == ([], [], [])
            assert shown(whole)[1:] == shown(part)
            found += shown(part)
            path = rest(part)
            assert path == rest(whole)
    below = [row.pk for row in sorted(comments_of(article), key=lambda row: row.thread_rank)]
    assert found == below[1 : 1 + root.subtree_size]


def test_a_part_of_a_page_is_not_kept_as_the_page() -> None:
    article = make_article(comments="a(b)")
    path = comments_of(article)[0].get_absolute_url()
    page = get(path)
    part = Client().get(path, headers={"HX-Request": "true"})
    assert "<html" in page
    assert b"<html" not in part.content
    assert "HX-Request" in part["Vary"]
    assert get(path) == page


@pytest.mark.parametrize("kind", ["txt", "bib", "json"])
def test_citations_are_files(kind: str) -> None:
    article = make_article("Trams & trains", comments="a")
    row = comments_of(article)[0]
    name_author(row, "Ada")
    for path in (f"/a/{article.pk}/cite.{kind}", f"{row.get_absolute_url()}cite.{kind}"):
        response = Client().get(path)
        assert response.status_code == 200
        assert response["Content-Disposition"].endswith(f'.{kind}"')
        assert article.source.sha256 in str(response.content, "utf-8")
        assert ("Ada" in str(response.content, "utf-8")) == ("/c/" in path)
        assert path in get(path.partition("cite.")[0] if "/c/" in path else article.get_absolute_url())


def test_a_whole_thread_is_tallied_like_the_start_of_a_long_one() -> None:
    article = make_article(comments=["x"] * 4)
    Comment.objects.filter(thread_rank__lt=2).update(boundary_basis="inferred", author_basis="inferred")
    hide(comments_of(article)[0])
    rows = queries.comments().for_thread_page(article.pk, rank=0, limit=9)
    assert queries.tally_of(rows) == queries.comments().basis_tally(article.pk, first=9)
    assert queries.tally_of(rows[:2]) == queries.comments().basis_tally(article.pk, first=2)


@pytest.mark.parametrize(
    "at", [START, START.replace(hour=0), START.replace(year=987, second=1), START.replace(microsecond=9)]
)
def test_a_date_in_a_thread_reads_as_everywhere(at: datetime) -> None:
    assert f">{moment(at)}<" in when(at)


def test_what_was_inferred_is_not_cited() -> None:
    article = make_article(comments="a")
    row = comments_of(article)[0]
    name_author(row, "Ada")
    Comment.objects.update(author_basis="inferred", posted_at=START, date_basis="inferred")
    cited = str(Client().get(f"{row.get_absolute_url()}cite.txt").content, "utf-8")
    assert "Ada" not in cited
    assert "2017" not in cited


@pytest.mark.parametrize("path", ["/a/{a}/cite.pdf", "/a/{a}/c/999999/cite.bib", "/a/999999/cite.bib"])
def test_there_is_no_citation_of_what_is_not_here(path: str) -> None:
    assert Client().get(path.format(a=make_article().pk)).status_code == 404


# --- The whole thread -------------------------------------------------------------------------------------------------


def test_a_thread_is_printed_in_one_piece_and_says_what_is_left_out() -> None:
    article = make_article(comments=["x"] * 5)
    with override_settings(COMMENTS_PER_PAGE=2):
        assert len(shown(get(article.get_absolute_url(), view="print"))) == 5
    with override_settings(COMMENTS_PER_PRINT=3):
        page = get(article.get_absolute_url(), view="print")
    assert len(shown(page)) == 3
    assert "the other 2 are left out" in page


def test_a_long_thread_has_an_outline_that_leads_to_its_pages() -> None:
    article = make_article(comments="ab(cde)f(g)")
    b, f = comments_of(article)[1], comments_of(article)[5]
    with override_settings(COMMENTS_PER_PAGE=3):
        page = get(article.get_absolute_url())
    found = re.findall(r'<li><a href="[^"]*\?rank=(\d+)#c(\d+)">.*?</a> <span>([^<]*)</span>', page)
    assert found == [("0", str(b.pk), "3 replies"), ("3", str(f.pk), "1 reply")]
    assert "The longest threads" not in get(article.get_absolute_url())


def test_queries_of_the_other_pages_of_a_thread() -> None:
    # a part: the article, its ends (2), its comments, entities, how sure. Print: the article, the last rank, comments.
    # an outline: as ever, the order and its heads. A citation: the article and the comment.
    for length in (3, 300):
        article = make_article(comments=["x"] * length)
        store_orders(article)
        rows, own = comments_of(article), article.get_absolute_url()
        assert len(queries_of(f"{own}?from={rows[0].pk}&to={rows[-1].pk}")) == 6
        assert len(queries_of(f"{own}?view=print")) == 3
        assert len(queries_of(f"{rows[0].get_absolute_url()}cite.bib")) == 2
        with override_settings(COMMENTS_PER_PAGE=2):
            assert len(queries_of(own)) == 7


# --- Hidden means hidden ----------------------------------------------------------------------------------------------


DOORS = [
    "?sort=newest",
    "?sort=flat",
    "?depth=1",
    "?from={c}&to={c}",
    "?view=print",
    "?by=Secretname",
    "?words=secretword",
    "?since=1999-01-01",
    "?entity={e}",
    "?by=Ada",
    "cite.txt",
    "c/{c}/",
    "c/{c}/?context=3",
    "c/{c}/cite.txt",
    "c/{c}/cite.bib",
    "c/{c}/cite.json",
]


def secret(**fields: Any) -> tuple[Article, str, str]:
    """An article whose first comment is not shown, its address, and what may be nowhere."""
    article = make_article("Open title", comments=["secretword here", "plain"], slug="-", **fields)
    first, second = comments_of(article)
    name_author(first, "Secretname")
    name_author(second, "Ada")
    Comment.objects.filter(pk=first.pk).update(posted_at=START, date_basis="stated")
    entity = mention(article, first, name="Secretplace")
    mention(article, second, name="Secretplace")
    index.index(article.pk, None)
    hide(first)
    return article, str(first.pk), str(entity.pk)


def at(article: Article, door: str, comment: str, entity: str) -> str:
    path = door.format(c=comment, e=entity)
    return f"/a/{article.pk}/{'-/' if path.startswith('?') else ''}{path}"


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize("header", [{}, {"HX-Request": "true"}])
def test_a_hidden_comment_is_behind_no_door(door: str, header: dict[str, str]) -> None:
    article, comment, entity = secret()
    response = Client().get(at(article, door, comment, entity), headers=header)
    assert response.status_code == 200
    text = str(response.content, "utf-8").replace("Secretname</bdi> <span aria", "").replace("?q=secretword", "")
    for word in ("secretword here", ">Secretname<", "Secretname,", '"Secretname"}', "14 Mar 2017"):
        assert word not in text


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize("status", [Article.Status.HIDDEN, Article.Status.IN_REVIEW])
def test_an_article_that_is_not_shown_is_behind_no_door(door: str, status: str) -> None:
    article, comment, entity = secret(status=status)
    assert Client().get(at(article, door, comment, entity)).status_code == 404


def told(page: str) -> list[str]:
    """What comments say of their place to those who do not see the indents."""
    return re.findall(r'<span class="unseen">(Level [^<]*): </span>', page)


def test_a_comment_says_its_level_and_which_reply_it_is() -> None:
    article = make_article(comments="a(b(c)d)e")
    levels = ["Level 1", "Level 2, reply 1 of 2", "Level 3, reply 1 of 1", "Level 2, reply 2 of 2", "Level 1"]
    assert told(get(article.get_absolute_url())) == levels


@override_settings(COMMENTS_PER_PAGE=2)
def test_no_count_of_replies_is_said_that_the_page_has_not_seen() -> None:
    article = make_article(comments="a(bcd)e")
    first, second = told(get(article.get_absolute_url())), told(get(f"{article.get_absolute_url()}?rank=2"))
    assert (first, second) == (["Level 1", "Level 2"], ["Level 1", "Level 2", "Level 2"])


def test_a_page_of_the_thread_names_the_newest_comment_and_one_comments_page_does_not() -> None:
    article = make_article(comments="a(b)")
    newest = comments_of(article)[-1]
    assert f'data-newest="{newest.pk}"' in get(article.get_absolute_url())
    assert "data-newest" not in get(newest.get_absolute_url())
