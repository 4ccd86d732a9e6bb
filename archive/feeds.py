"""Atom feeds of comments. They read through ``visible_to(None)``: a feed is what any stranger may see."""

from __future__ import annotations

import re
from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.contrib.syndication.views import Feed
from django.http import HttpRequest
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.feedgenerator import Atom1Feed

from archive import queries
from archive.models import Article, Comment
from archive.queries import CommentQuerySet

ENTRIES = 50
# Characters that XML 1.0 cannot hold, not even escaped: one of them in a comment would make the feed unreadable.
_NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def in_xml(text: str) -> str:
    """``text`` with the replacement character for whatever XML cannot hold."""
    return _NOT_XML.sub("\ufffd", text)


if TYPE_CHECKING:
    CommentFeed = Feed[Comment, Article | None]
else:
    CommentFeed = Feed  # generic only in the stubs


class LatestFeed(CommentFeed):
    """The comments that came into the archive last."""

    feed_type = Atom1Feed
    subtitle = "Comments as they come into the archive."

    def title(self, obj: Article | None) -> str:
        return f"{settings.SITE_NAME}: latest comments"

    def link(self, obj: Article | None) -> str:
        return reverse("home")

    def items(self, obj: Article | None) -> CommentQuerySet:
        return _latest()[:ENTRIES]

    def item_title(self, item: Comment) -> str:
        return in_xml(f"{item.author_name or 'Someone'} on {item.article.title}")

    def item_description(self, item: Comment) -> str:
        return in_xml(item.html)

    def item_author_name(self, item: Comment) -> str:
        return in_xml(item.author_name)

    def item_pubdate(self, item: Comment) -> datetime | None:
        return item.posted_at

    def item_updateddate(self, item: Comment) -> datetime:
        """Atom wants a date for each entry: without the comment's own, that of its coming here."""
        return item.posted_at or item.article.imported_at


class ArticleFeed(LatestFeed):
    """The comments under one article."""

    def get_object(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Article:
        return get_object_or_404(queries.articles().visible_to(None), pk=kwargs["article_id"])

    def title(self, obj: Article | None) -> str:
        return in_xml(f"{obj}: comments")

    def link(self, obj: Article | None) -> str:
        return obj.get_absolute_url() if obj else super().link(obj)

    def items(self, obj: Article | None) -> CommentQuerySet:
        return _latest().filter(article=obj)[:ENTRIES]


def _latest() -> CommentQuerySet:
    return queries.comments().visible_to(None).with_article().newest_first()
