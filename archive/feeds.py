"""Atom feeds: everything, a site, an article, a name, an entity, a search.

They read through ``visible_to(None)``: a feed is what any stranger may see. Each is a page of at most ``ENTRIES``
entries, newest first, and names the next (RFC 5005); an entry's id is its permalink, which stays as it is.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from functools import wraps
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from django.conf import settings
from django.contrib.syndication.views import Feed
from django.db.models import Model
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.feedgenerator import Atom1Feed
from django.views.decorators.http import conditional_page

from archive import kinds, notices, queries, search
from archive.filters import ArticleFilter
from archive.models import Article, Comment, Waiting
from archive.search import MAX_TEXT
from archive.text import excerpt, highlight, render_text
from archive.views.environment import day
from archive.views.paging import Page, address, newest_first, number

ENTRIES = 50
SNIPPET = 280  # code points of the text around a mention
# Characters that XML 1.0 cannot hold, not even escaped: one of them in a comment would make the feed unreadable.
_NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)  # when a feed changed in which nothing has ever been


def in_xml(text: str) -> str:
    """``text`` with the replacement character for whatever XML cannot hold."""
    return _NOT_XML.sub("\ufffd", text)


class Entry(NamedTuple):
    """``id`` is the address that stays whatever it is called; ``html`` is safe; ``updated`` the text's own date or,
    where none is known, that of its coming here."""

    id: str
    url: str
    title: str
    html: str
    author: str
    published: datetime | None
    updated: datetime


class Contents(NamedTuple):
    """A page of a feed. ``link`` is the page that shows the same; ``next`` the address of the feed's next page."""

    title: str
    link: str
    entries: list[Entry]
    next: str


class PagedAtom(Atom1Feed):
    def add_root_elements(self, handler: Any) -> None:
        super().add_root_elements(handler)
        if self.feed["next"]:
            handler.addQuickElement("link", "", {"rel": "next", "href": self.feed["next"]})

    def latest_post_date(self) -> datetime:
        """That of the latest entry; of an empty feed a fixed one, so that it does not seem to change all the time."""
        return max((item["updateddate"] for item in self.items), default=_BEGINNING)


if TYPE_CHECKING:
    ContentsFeed = Feed[Entry, Contents]
else:
    ContentsFeed = Feed  # generic only in the stubs


class PageFeed(ContentsFeed):
    """A feed of what ``contents`` returns."""

    feed_type = PagedAtom

    def __init__(self, contents: Callable[..., Contents]) -> None:
        self.contents = contents

    def get_object(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Contents:
        return self.contents(request, **kwargs)

    def title(self, obj: Contents) -> str:
        return in_xml(obj.title)

    def link(self, obj: Contents) -> str:
        return obj.link

    def items(self, obj: Contents) -> list[Entry]:
        return obj.entries

    def feed_extra_kwargs(self, obj: Contents) -> dict[str, Any]:
        return {"next": obj.next}

    def item_title(self, item: Entry) -> str:
        return in_xml(item.title)

    def item_description(self, item: Entry) -> str:
        return in_xml(item.html)

    def item_link(self, item: Entry) -> str:
        return item.url

    def item_guid(self, item: Entry) -> str:
        return item.id

    def item_author_name(self, item: Entry) -> str:
        return in_xml(item.author)

    def item_pubdate(self, item: Entry) -> datetime | None:
        return item.published

    def item_updateddate(self, item: Entry) -> datetime:
        return item.updated


def feed(contents: Callable[..., Contents]) -> Callable[..., HttpResponse]:
    """A view that answers with a feed, or with 304 to a client that has it; nobody may keep it without asking."""
    made = conditional_page(cast("Any", PageFeed(contents)))

    @wraps(contents)
    def view(request: HttpRequest, **kwargs: Any) -> HttpResponse:
        response = cast("HttpResponse", made(request, **kwargs))
        response.headers["Cache-Control"] = "no-cache"
        return response

    return view


@feed
def latest(request: HttpRequest) -> Contents:
    """The comments that came into the archive last."""
    rows = queries.comments().visible_to(None).with_article().newest_first()
    title = f"{settings.SITE_NAME}: latest comments"
    return _comments(request, title, reverse("home"), newest_first(rows, request, limit=ENTRIES))


@feed
def of_article(request: HttpRequest, article_id: int) -> Contents:
    article = get_object_or_404(queries.articles().visible_to(None), pk=article_id)
    rows = queries.comments().visible_to(None).filter(article=article).with_article().newest_first()
    found = newest_first(rows, request, limit=ENTRIES)
    return _comments(request, f"{article}: comments", article.get_absolute_url(), found)


@feed
def of_author(request: HttpRequest, author_id: int) -> Contents:
    author = get_object_or_404(queries.authors().visible_to(None).select_related("site"), pk=author_id)
    rows = queries.comments().visible_to(None).filter(author=author).with_article().newest_first()
    title = f"{author.name} on {author.site.name}: comments"
    return _comments(request, title, author.get_absolute_url(), newest_first(rows, request, limit=ENTRIES))


@feed
def of_site(request: HttpRequest, site_id: int) -> Contents:
    """The discussions of a site that came into the archive last."""
    site = get_object_or_404(queries.sites_shown(), pk=site_id)
    rows = queries.articles().visible_to(None).of_site(site).newest_first().with_start()
    found = newest_first(rows, request, limit=ENTRIES)
    entries = [_article(article, render_text(excerpt(_start(article), 400))) for article in found.rows]
    return Contents(
        f"{site.name}: discussions", site.get_absolute_url(), _absolute(request, entries), _next(request, found)
    )


@feed
def of_entity(request: HttpRequest, entity_id: int) -> Contents:
    """Texts that mention it, each once; a merged one has those of what it became."""
    entity = get_object_or_404(queries.entities().known(), pk=entity_id)
    entity = entity.merged_into or entity
    found = newest_first(queries.mentions().of_entity(entity.pk), request, limit=ENTRIES)
    entries: dict[str, Entry] = {}
    for mention in found.rows:
        html = f"<p>{highlight(getattr(mention, 'context', ''), (mention.surface,), SNIPPET)}</p>"
        article, comment = mention.article, mention.comment
        entry = _article(article, html) if comment is None else _comment(comment, article, html)
        entries.setdefault(entry.url, entry)
    title = f"{entity.name}: where it is mentioned"
    return Contents(title, entity.get_absolute_url(), _absolute(request, entries.values()), _next(request, found))


@feed
def of_search(request: HttpRequest) -> Contents:
    """What a search finds, with the filters of the search page."""
    text = request.GET.get("q", "")[:MAX_TEXT].strip()
    asked = ArticleFilter(request.GET, queryset=queries.articles().visible_to(None))
    within = asked.qs if asked.values() else None
    before = number(request.GET.get("before"))
    found = search.find(text, user=None, articles=within, before=before, limit=ENTRIES) if text else None
    entries = [
        _comment(hit.comment, hit.article, html) if hit.comment else _article(hit.article, html)
        for hit in (found.hits if found else [])
        for html in [f"<p>{hit.snippet}</p>"]
    ]
    page = address(request, before=None).replace(request.path, reverse("search"), 1)
    further = request.build_absolute_uri(address(request, before=str(found.next))) if found and found.next else ""
    title = f"{settings.SITE_NAME}: “{text}”" if text else f"{settings.SITE_NAME}: search"
    return Contents(title, page, _absolute(request, entries), further)


@feed
def of_waiting(request: HttpRequest, token: str) -> Contents:
    """What waits for the person whose feed this is; nobody else knows its address. No text, no name."""
    person = notices.subscriber(token)
    if person is None:
        raise Http404
    rows = queries.waiting().newest_first(kinds.names_for(person)).filter(kinds.within_reach(person))
    found = newest_first(rows, request, limit=ENTRIES)
    entries = [_waiting(row, kinds.KINDS[row.kind].plural) for row in found.rows]
    title = f"{settings.SITE_NAME}: what waits"
    return Contents(title, reverse("admin:queue"), _absolute(request, entries), _next(request, found))


def _waiting(row: Waiting, words: str) -> Entry:
    url = reverse("admin:queue-card", args=[row.pk])
    about = f"comment {row.comment_id}" if row.comment_id else f"article {row.article_id}" if row.article_id else ""
    title = f"{words.capitalize()}: {about or row.subject_id}"
    return Entry(url, url, title, f"<p>Waiting since {day(row.created_at)}.</p>", "", row.created_at, row.created_at)


def _comments(request: HttpRequest, title: str, link: str, found: Page[Comment]) -> Contents:
    entries = [_comment(comment, comment.article, comment.html) for comment in found.rows]
    return Contents(title, link, _absolute(request, entries), _next(request, found))


def _next(request: HttpRequest, found: Page[Any]) -> str:
    return request.build_absolute_uri(address(request, before=found.next, after=None)) if found.next else ""


def _comment(comment: Comment, article: Article, html: str) -> Entry:
    title = f"{comment.author_name or 'Someone'} on {article.title}"
    at = comment.posted_at
    url = comment.get_absolute_url()
    return Entry(url, url, title, html, comment.author_name, at, at or article.imported_at)


def _article(article: Article, html: str) -> Entry:
    at = article.published_at
    shortest = reverse("article-feed", args=[article.pk]).removesuffix("feed/")  # it leads to the one with the title
    return Entry(shortest, article.get_absolute_url(), article.title, html, article.byline, at, article.imported_at)


def _start(article: Model) -> str:
    return cast("str", getattr(article, "start", ""))  # the annotation of with_start()


def _absolute(request: HttpRequest, entries: Iterable[Entry]) -> list[Entry]:
    return list(_with_addresses(request, entries))


def _with_addresses(request: HttpRequest, entries: Iterable[Entry]) -> Iterator[Entry]:
    for entry in entries:
        identity, url = request.build_absolute_uri(entry.id), request.build_absolute_uri(entry.url)
        yield entry._replace(id=identity, url=url)
