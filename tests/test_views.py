"""The public pages: what they show, what they never show, and what they cost."""

from __future__ import annotations

import hashlib
import json
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.template.loader import render_to_string
from django.test import Client, override_settings
from django.test.utils import CaptureQueriesContext
from django.urls import set_script_prefix
from hypothesis import given
from hypothesis import strategies as st

from archive import counters, queries, threads
from archive.ingest.records import Basis
from archive.models import Article, Author, Comment, Entity, Mention, Site
from archive.queries import ThreadRow
from archive.search import index
from archive.views.environment import url
from archive.views.thread import MAX_LEVEL, doubt, thread
from tests.makers import comments_of, make_article, store_orders

pytestmark = pytest.mark.django_db

NAUGHTY = Path(__file__).parents[2] / "shared" / "hostile" / "blns" / "blns.json"
VOID = {"meta", "link", "input", "br", "hr", "img"}


class Nesting(HTMLParser):
    """Notes end tags that do not fit, elements outside the page's own list, and where comments stand."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.wrong: list[str] = []
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.levels: dict[str, int] = {}
        self.under: dict[str, int | None] = {}  # the comment that each comment stands under
        self.answering: set[str] = set()  # comments that name whom they answer
        self.path: list[str] = []  # comments that are open
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        own = (dict(attrs).get("src") or "").startswith("/static/") or attrs == [("type", "application/ld+json")]
        self.tags.add("own script" if tag == "script" and own else tag)
        self.attributes |= {name for name, _ in attrs}
        if tag == "li" and self.open[-1:] not in (["ol"], ["ul"]):
            self.wrong.append("li outside a list")
        if tag == "li" and (name := dict(attrs).get("id") or "").startswith("c"):
            del self.path[self.open.count("ol") - 1 :]
            self.levels[name] = self.open.count("ol") - 1
            self.under[name] = int(self.path[-1][1:]) if self.path else None
            self.path.append(name)
        if self.path and (dict(attrs).get("class") or "").split()[:1] == ["to"]:
            self.answering.add(self.path[-1])
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open.pop() != tag:
            self.wrong.append(f"</{tag}>")


def get(path: str, **data: str) -> str:
    response = Client().get(path, data)
    assert response.status_code == 200, path
    return str(response.content, "utf-8")


def queries_of(path: str) -> list[str]:
    Client().get(path)  # whatever is looked up once in a process
    with CaptureQueriesContext(connection) as captured:
        assert Client().get(path).status_code == 200
    return [query["sql"] for query in captured]


def name_author(comment: Comment, name: str = "Ada") -> Author:
    author, _ = Author.objects.get_or_create(
        site=comment.article.site, key=hashlib.sha256(name.encode()).digest(), defaults={"name": name}
    )
    Comment.objects.filter(pk=comment.pk).update(author=author, author_name=name, author_basis=Basis.STATED)
    return author


def mention(article: Article, comment: Comment | None = None, name: str = "Cairo", at: int = 0) -> Entity:
    entity, _ = Entity.objects.get_or_create(kind="place", name=name)
    Mention.objects.create(
        article=article,
        comment=comment,
        entity=entity,
        revision=1,
        start=at,
        end=at + len(name),
        surface=name,
        extractor="test",
        extractor_version="1",
    )
    counters.recount_entities([entity.pk])
    return entity


def hide(comment: Comment) -> None:
    Comment.objects.filter(pk=comment.pk).update(status=Comment.Status.HIDDEN)
    counters.recount_articles([comment.article_id])
    counters.recount_entities(counters.entities_in([comment.article_id], [comment.pk]))


# --- What pages cost: the same for 3 rows and for 300 ----------------------------------------------------------------


def test_queries_of_home() -> None:
    # the articles with their sites; sites and languages to choose from; how much there is of each month; the largest
    # sites, and their names; the most mentioned entities
    for number in range(3):
        mention(make_article(f"Article {number}"), name=f"Name {number}")
    few = len(queries_of("/"))
    for number in range(3, 300):
        make_article(f"Article {number}", site=Site.objects.create(name=f"Site {number}", slug=f"site-{number}"))
    assert (few, len(queries_of("/"))) == (7, 7)


def test_queries_of_an_article() -> None:
    # the article with its site; the last rank; a page of the thread; entities in it
    few = make_article(comments=["x"] * 3)
    many = make_article(comments=["x"] * 300)
    for comment in comments_of(many):
        mention(many, comment)
    with override_settings(COMMENTS_PER_PAGE=300):
        assert len(queries_of(few.get_absolute_url())) == len(queries_of(many.get_absolute_url())) == 4


def test_queries_of_a_later_page_of_an_article() -> None:
    # the same, how sure it is, what the first comment replies to, and an outline: the order and the comments it names
    article = make_article(comments=[])
    chain(article, 300)
    store_orders(article)
    assert len(queries_of(f"{article.get_absolute_url()}?rank=200")) == 8


def test_queries_of_a_comment() -> None:
    # the article with its site; the comment; what is above it; what is below it; what it rests on
    for length in (3, 300):
        article = make_article(comments=[])
        chain(article, length)
        assert len(queries_of(comments_of(article)[1].get_absolute_url())) == 5


def test_queries_of_an_author() -> None:
    # the author with the site; the comments with their articles and sites; when they were written
    counts = []
    for length in (3, 300):
        article = make_article(comments=["x"] * length)
        author = name_author(comments_of(article)[0])
        Comment.objects.filter(article=article).update(author=author)
        counts.append(len(queries_of(author.get_absolute_url())))
    assert counts == [3, 3]


def test_queries_of_an_entity() -> None:
    # the entity; its other names; the mentions with their texts and sites; when those were written
    counts = []
    for length in (3, 300):
        article = make_article(comments=["Cairo"] * length)
        for comment in comments_of(article):
            entity = mention(article, comment)
        counts.append(len(queries_of(entity.get_absolute_url())))
    assert counts == [4, 4]


def test_queries_of_a_search() -> None:
    # sites and languages to choose from; ids from the index; articles; their sites come along; comments
    counts = []
    for length in (3, 300):
        article = make_article(comments=["marzipan"] * length)
        index.index(article.pk, None)
        counts.append(len(queries_of("/search/?q=marzipan")))
    assert counts == [5, 5]


def chain(article: Article, length: int) -> None:
    """``length`` comments, each a reply to the one before."""
    make = Comment(article=article, parent_basis=Basis.STATED, boundary_basis=Basis.STATED, body="x", html="<p>x</p>")
    for rank in range(length):
        make.pk, make.external_id, make.external_key = None, str(rank), str(rank).encode()
        make.position = make.thread_rank = make.depth = rank
        make.subtree_size, make.author_basis, make.date_basis = length - rank - 1, Basis.UNKNOWN, Basis.UNKNOWN
        make.parent_id = Comment.objects.create(
            **{f.attname: getattr(make, f.attname) for f in Comment._meta.fields if f.attname != "id"}
        ).pk
    counters.recount_articles([article.pk])


# --- The thread -------------------------------------------------------------------------------------------------------


def rows_of(parents: list[int | None]) -> list[ThreadRow]:
    names = [str(number) for number in range(len(parents))]
    order = threads.arrange(names, [None if parent is None else str(parent) for parent in parents])
    made = [
        ThreadRow(
            number + 1,
            None if parent is None else parent + 1,
            number,
            order.rank[number],
            order.depth[number],
            order.subtree_size[number],
            "published",
            None,
            "stated",
            None,
            "stated",
            None,
            "unknown",
            None,
            "unknown",
            None,
            "",
            f"<p>{number}</p>",
            "<b>",
            None,
        )
        for number, parent in enumerate(parents)
    ]
    return sorted(made, key=lambda row: row.thread_rank)


@st.composite
def forests(draw: st.DrawFn) -> list[int | None]:
    parents: list[int | None] = []
    for number in range(draw(st.integers(1, 60))):
        back = draw(st.sampled_from([None, 1, 1, 1, 2, 5]))
        parents.append(None if back is None or back > number else number - back)
    return parents


@given(forests(), st.integers(0, 59))
def test_lists_nest_for_any_forest_from_any_row(parents: list[int | None], start: int) -> None:
    rows = rows_of(parents)[start:]
    found = Nesting(f"<ol>{thread(rows, Article(pk=1))}</ol>")
    assert (found.wrong, found.open, len(found.levels)) == ([], [], len(rows))
    assert "b" not in found.tags


@given(forests())
def test_a_row_stands_as_deep_as_it_is_up_to_the_limit(parents: list[int | None]) -> None:
    rows = rows_of(parents)
    found = Nesting(f"<ol>{thread(rows, Article(pk=1))}</ol>")
    assert found.levels == {f"c{row.id}": min(row.depth, MAX_LEVEL) for row in rows}


@given(forests(), st.integers(0, 59))
def test_every_reply_stands_under_its_parent_or_names_it(parents: list[int | None], start: int) -> None:
    rows = rows_of(parents)[start:]
    page = Nesting(f"<ol>{thread(rows, Article(pk=1))}</ol>")
    for row in rows:
        assert (f"c{row.id}" in page.answering) == (
            row.parent_id is not None and page.under[f"c{row.id}"] != row.parent_id
        )


def test_a_page_of_a_thread_says_which_part_it_is() -> None:
    article = make_article(comments=["x"] * 5)
    with override_settings(COMMENTS_PER_PAGE=2):
        page = get(article.get_absolute_url(), rank="2")
    assert "3–4 of 5" in page
    assert [f"#{number}</a>" in page for number in range(1, 6)] == [False, False, True, True, False]


def test_a_later_page_shows_what_its_first_comment_replies_to() -> None:
    article = make_article(comments="a(b(c)d)")
    with override_settings(COMMENTS_PER_PAGE=2):
        found = Nesting(get(article.get_absolute_url(), rank="2"))
    a, b, c, d = (f"c{comment.pk}" for comment in comments_of(article))
    assert found.levels == {a: 0, b: 1, c: 2, d: 1}


@pytest.mark.parametrize("rank", ["", "-1", "1.5", "x", "9" * 30, "٣", "1e3", "0x1", " 1", "\0"])
def test_any_rank_gives_a_page(rank: str) -> None:
    assert "<p>a</p>" in get(make_article(comments="a(b)").get_absolute_url(), rank=rank)


def test_the_canonical_address_of_a_page_is_where_its_part_begins() -> None:
    article = make_article(comments=["x"] * 5, slug="tram")
    with override_settings(COMMENTS_PER_PAGE=2):
        page = get(f"/a/{article.pk}/tram/", rank="3")
    assert f'<link rel="canonical" href="http://testserver/a/{article.pk}/tram/?rank=2">' in page


@pytest.mark.parametrize("wrong", ["", "x/", "Tram/"])
def test_a_wrong_slug_leads_to_the_right_one_with_the_query(wrong: str) -> None:
    article = make_article(slug="tram")
    response = Client().get(f"/a/{article.pk}/{wrong}?rank=2")
    assert (response.status_code, response["Location"]) == (301, f"/a/{article.pk}/tram/?rank=2")


def test_a_slug_in_another_script_is_not_redirected() -> None:
    assert "<h1" in get(make_article(slug="عبارة-ليلية").get_absolute_url())


def test_a_comment_is_shown_between_what_is_above_and_below_it() -> None:
    article = make_article(comments="a(b(c)d)e")
    a, b, c, _, _ = comments_of(article)
    page = get(b.get_absolute_url())
    assert Nesting(page).levels == {f"c{a.pk}": 0, f"c{b.pk}": 1, f"c{c.pk}": 2}
    assert f'id="c{b.pk}" class="here"' in page


def test_a_comment_with_too_many_replies_leads_to_the_rest() -> None:
    article = make_article(comments="a(bcdef)")
    first, *replies = comments_of(article)
    with override_settings(COMMENTS_PER_PAGE=3):
        page = get(first.get_absolute_url())
    assert f'<a href="{first.get_absolute_url()}?after={replies[2].pk}">2 more replies</a>' in page


@pytest.mark.parametrize("path", ["/a/{0}/c/{2}/", "/a/{1}/c/999999/", "/a/999999/x/", "/a/99999999999999999999/x/"])
def test_what_is_not_here_is_404(path: str) -> None:
    one, other = make_article(comments="a"), make_article(comments="b")
    found = path.format(one.pk, other.pk, comments_of(other)[0].pk)
    assert Client().get(found).status_code == 404


# --- The basis --------------------------------------------------------------------------------------------------------


def said(start: Any = ("stated", None), place: Any = ("stated", None), is_root: bool = False) -> tuple[str, str] | None:
    found = doubt(is_root, start, place, ("unknown", None), ("unknown", None))
    return (found.kind, found.words) if found else None


def test_what_the_source_states_is_not_marked() -> None:
    assert said() is None


def test_an_unsure_reply_is_said_in_words_a_sure_one_only_marked() -> None:
    assert said(place=("inferred", 64)) == ("plain", "reply inferred, 64\u00a0%")
    assert said(place=("inferred", 38)) == ("strong", "reply inferred, 38\u00a0%")
    assert said(place=("inferred", 95)) == ("faint", "")
    assert said(place=("inferred", 64), is_root=True) == ("plain", "top level inferred, 64\u00a0%")


def test_inference_without_a_confidence_is_said() -> None:
    assert said(start=("inferred", None)) == ("plain", "start inferred")


def test_the_page_says_what_was_inferred_and_what_is_unknown() -> None:
    article = make_article(comments="a(b)")
    Comment.objects.update(parent_basis=Basis.INFERRED, parent_confidence=0.999)
    page = get(article.get_absolute_url())
    assert "author not in the source" in page
    assert "reply inferred, 99\u00a0%" in page  # never 100: nobody said certain
    assert 'href="/about/#basis"' in page
    assert 'id="basis"' in get("/about/")


# --- Hidden means hidden ----------------------------------------------------------------------------------------------


@pytest.fixture
def hidden() -> Comment:
    article = make_article(comments=["secretword", "plain"], slug="an-article")
    comment = comments_of(article)[0]
    name_author(comment, "Secretname")
    mention(article, comment, name="Secretplace")
    index.index(article.pk, None)
    hide(comment)
    return Comment.objects.get(pk=comment.pk)


@pytest.mark.parametrize("path", ["/", "/a/{a}/an-article/", "/a/{a}/c/{c}/", "/feed/"])
def test_a_hidden_comment_is_on_no_page(hidden: Comment, path: str) -> None:
    page = get(path.format(a=hidden.article_id, c=hidden.pk))
    for word in ("<p>secretword", "<mark>secretword", "Secretname", "Secretplace"):
        assert word not in page


def test_the_words_of_a_hidden_comment_find_nothing_before_the_index_has_heard_of_it(hidden: Comment) -> None:
    assert "No article is all of that" in get("/?words=secretword")
    assert "Nothing was found" in get("/search/?q=secretword")


def test_a_hidden_comment_takes_its_author_and_entity_pages_along(hidden: Comment) -> None:
    assert hidden.author is not None
    assert Client().get(hidden.author.get_absolute_url()).status_code == 404
    assert Client().get(Entity.objects.get(name="Secretplace").get_absolute_url()).status_code == 404


def test_a_hidden_comment_leaves_its_place_and_its_replies() -> None:
    article = make_article(comments="a(b)")
    hide(comments_of(article)[0])
    page = get(article.get_absolute_url())
    assert "hidden by a moderator" in page
    assert "<p>b</p>" in page
    assert "1 comment<" in page


def test_a_hidden_article_is_nowhere() -> None:
    article = make_article("Secret title", comments="a", status=Article.Status.HIDDEN)
    assert Client().get(article.get_absolute_url()).status_code == 404
    assert Client().get(comments_of(article)[0].get_absolute_url()).status_code == 404
    assert "Secret title" not in get("/")


# --- Lists ------------------------------------------------------------------------------------------------------------


def titles(page: str) -> list[str]:
    return [title for title in ("One", "Two", "Three") if f">{title}</a>" in page]


def follow(page: str) -> str:
    start = page.index('rel="next" href="') + len('rel="next" href="')
    return page[start : page.index('"', start)].replace("&amp;", "&")


@pytest.mark.parametrize("order", ["", "?order=discussed"])
def test_pages_of_home_show_each_article_once(order: str) -> None:
    for title, comments in (("One", "abc"), ("Two", "abc"), ("Three", "a")):
        make_article(title, comments=comments)
    with override_settings(RESULTS_PER_PAGE=1):
        first = get(f"/{order}")
        second = get(follow(first))
        third = get(follow(second))
    assert sorted(titles(first) + titles(second) + titles(third)) == ["One", "Three", "Two"]
    assert titles(third) == (["Three"] if order else ["One"])
    assert 'rel="next"' not in third


@pytest.mark.parametrize("before", ["x", "-1", "1-", "1-2-3", "9" * 40, f"{'9' * 18}-{'9' * 18}", "\0", "1-x"])
@pytest.mark.parametrize("path", ["/", "/?order=discussed", "/search/?q=a"])
def test_any_before_gives_a_page(path: str, before: str) -> None:
    make_article("One")
    assert Client().get(f"{path}{'&' if '?' in path else '?'}before={before}").status_code == 200


def test_an_empty_archive_says_how_to_begin() -> None:
    assert "import_source" in get("/")


def test_an_author_is_only_a_name_within_a_site() -> None:
    article = make_article(comments=["first words"])
    page = get(name_author(comments_of(article)[0]).get_absolute_url())
    assert "only a name" in page
    assert "first words" in page


def test_an_entity_page_shows_where_it_is_mentioned() -> None:
    article = make_article(comments=["From Cairo with love"])
    page = get(mention(article, comments_of(article)[0], at=5).get_absolute_url())
    assert "From <mark>Cairo</mark> with love" in page


def test_the_text_around_a_mention_is_cut_between_words() -> None:
    body = f"{'wording ' * 50}Cairo {'wording ' * 100}"
    named = mention(make_article(body=body), at=body.index("Cairo"))
    shown = get(named.get_absolute_url()).split('class="excerpt"')[1].split("</p>")[0]
    words = re.findall(r"\w+", re.sub(r"<[^>]*>", " ", shown.partition(">")[2]))
    assert set(words) == {"wording", "Cairo"}


def test_a_merged_entity_leads_to_what_it_became() -> None:
    entity = mention(make_article("Cairo"))
    old = Entity.objects.create(kind="place", name="Kairo", merged_into=entity)
    response = Client().get(old.get_absolute_url())
    assert (response.status_code, response["Location"]) == (301, entity.get_absolute_url())


# --- Nothing a stranger wrote is trusted ------------------------------------------------------------------------------


def everywhere(text: str) -> list[str]:
    """The addresses of pages on which ``text`` stands, wherever it can stand."""
    site = Site.objects.create(name=text[:200], slug="site")
    article = make_article(
        text[:500], body=text, comments=[text], site=site, byline=text[:500], url=f"javascript:{text}"[:999]
    )
    comment = comments_of(article)[0]
    author = name_author(comment, text[:500])
    entity = mention(article, comment, name=text[:300])
    index.index(article.pk, None)
    return [
        "/",
        "/search/",
        article.get_absolute_url(),
        comment.get_absolute_url(),
        author.get_absolute_url(),
        entity.get_absolute_url(),
        f"/?entity={entity.pk}",
        "/?site=site",
    ]


HOSTILE = [
    "</title><script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "' onmouseover='alert(1)",
    "{{ 7*7 }}{% raw %}",
    "</bdi></a></li></ol><iframe>",
    "<!--",
    "]]>",
    "&lt;script&gt;",
    "\u202eevil\u2066",
    "a" + "\u0301" * 300,
    "&#0;&#x1F;",
]


@pytest.mark.parametrize("text", HOSTILE)
def test_markup_in_texts_and_names_never_breaks_out(text: str) -> None:
    for path in everywhere(text):
        page = get(path)
        found = Nesting(page)
        assert found.tags & {"script", "img", "iframe", "style"} == set(), path
        assert not {name for name in found.attributes if name.startswith("on") or name == "style"}, path
        assert (found.wrong, found.open) == ([], []), path
        assert 'href="javascript:' not in page


def test_no_parameter_is_an_error() -> None:
    make_article("One")
    naughty = json.loads(NAUGHTY.read_text()) if NAUGHTY.exists() else []
    for number, text in enumerate([*HOSTILE, *naughty, "\0", "\0", "x" * 3000, "x" * 3000, "9" * 30, "-" * 50]):
        every = dict.fromkeys(("words", "q", "site", "entity", "since", "until", "language", "order", "before"), text)
        found = Nesting(get(("/", "/search/")[number % 2], **every))
        assert found.tags & {"script", "img", "iframe", "style"} == set(), text
        assert (found.wrong, found.open) == ([], []), text


# --- Every page -------------------------------------------------------------------------------------------------------


@pytest.fixture
def addresses() -> list[str]:
    article = make_article("One", comments="a(b)")
    comment = comments_of(article)[0]
    return [
        "/",
        "/search/?q=a",
        "/about/",
        article.get_absolute_url(),
        comment.get_absolute_url(),
        name_author(comment).get_absolute_url(),
        mention(article, comment).get_absolute_url(),
    ]


def test_every_page_states_its_address_and_has_one_heading_and_no_inline_code(addresses: list[str]) -> None:
    for path in addresses:
        page = get(path)
        found = Nesting(page)
        assert page.count('<link rel="canonical" href="http://testserver/') == 1, path
        assert (page.count("<h1"), page.count("<title>"), page.count("<main")) == (1, 1, 1), path
        assert found.tags & {"script", "style"} == set(), path
        assert found.attributes & {"style", "onclick"} == set(), path
        assert 'name="q"' in page, path


def test_addresses_follow_where_the_archive_is_mounted() -> None:
    set_script_prefix("/kept/")
    assert url("article", [7, "tram"]) == "/kept/a/7/tram/"
    set_script_prefix("/")
    assert url("article", [7, "tram"]) == "/a/7/tram/"


def test_pages_send_a_content_security_policy_without_inline(addresses: list[str]) -> None:
    policy = Client().get("/").headers["Content-Security-Policy"]
    assert "default-src 'self'" in policy
    assert "unsafe-inline" not in policy


def test_robots_may_read_threads_but_not_search() -> None:
    text = get("/robots.txt")
    assert "Disallow: /search/" in text
    assert "Disallow: /a/" not in text


@pytest.mark.parametrize("name", ["400.html", "403.html", "403_csrf.html", "404.html", "500.html"])
def test_error_pages_need_neither_request_nor_database(name: str) -> None:
    with CaptureQueriesContext(connection) as captured:
        page = render_to_string(name)
    assert len(captured) == 0
    assert 'action="/search/"' in page
    assert Nesting(page).wrong == []


def test_a_broken_view_gives_a_page_without_queries(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*args: object) -> None:
        raise RuntimeError

    monkeypatch.setattr(queries, "articles", broken)
    with CaptureQueriesContext(connection) as captured:
        response = Client(raise_request_exception=False).get("/")
    assert (response.status_code, len(captured)) == (500, 0)
    assert b"Something broke" in response.content


def test_a_foreign_host_gets_the_page_for_bad_requests() -> None:
    response = Client(raise_request_exception=False).get("/", headers={"host": "evil.example"})
    assert response.status_code == 400
    assert b"could not be read" in response.content
