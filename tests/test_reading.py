"""Reading a thread: its orders, depths and pages. Whatever the way, each comment is shown once, in order."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.test import RequestFactory, override_settings
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from archive import queries, threads
from archive.ingest import loader
from archive.ingest.records import Discussion, Post
from archive.models import Article, Comment, Source, ThreadOrder
from archive.queries import Order
from archive.threads import Sort
from archive.views import selection
from archive.views.thread import MAX_LEVEL
from tests.makers import comments_of, make_article
from tests.test_views import Nesting, chain, forests, get, name_author, queries_of

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


def store_orders(article: Article) -> None:
    rows = Comment.objects.filter(article=article).order_by("thread_rank")
    depth, size, posted = zip(*rows.values_list("depth", "subtree_size", "posted_at"), strict=True)
    for sort, levels, ranks in threads.orders(depth, size, [at and at.timestamp() for at in posted]):
        ThreadOrder.objects.create(article=article, sort=sort, levels=levels, ranks=ranks)


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
    # the article with its site; the order; its comments; entities; how sure it is. A short thread's order is made.
    few, many = make_article(comments=["x"] * 3), make_article(comments=["x"] * 300)
    store_orders(many)
    assert len(queries_of(f"{many.get_absolute_url()}?sort=newest")) == 5
    assert len(queries_of(f"{few.get_absolute_url()}?sort=newest")) == 6


def test_queries_of_a_page_that_goes_on_from_a_comment() -> None:
    # as ever, and the place of the comment
    article = make_article(comments=["x"] * 300)
    after = comments_of(article)[99].pk
    assert len(queries_of(f"{article.get_absolute_url()}?rank=100&after={after}")) == 6


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
    found = selection.Selection([], [], 0, 1_000_000)
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
