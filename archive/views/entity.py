"""Someone or something that texts mention, and where."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, cast

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse

from archive import queries
from archive.models import Entity, Mention
from archive.text import highlight
from archive.views.figures import LEAFED, span
from archive.views.page import moved, page
from archive.views.paging import address, newest_first, ways

ALIASES = 20
SNIPPET = 280  # code points


class Place(NamedTuple):
    """A text that mentions the entity; ``snippet`` is safe HTML with the mention marked."""

    mention: Mention
    snippet: str


def entity(request: HttpRequest, entity_id: int, slug: str) -> HttpResponse:
    named = get_object_or_404(queries.entities().known(), pk=entity_id)
    if elsewhere := moved(request, (named.merged_into or named).get_absolute_url()):
        return elsewhere
    mentions = queries.mentions().of_entity(named.pk)
    found = newest_first(mentions, request, limit=settings.RESULTS_PER_PAGE)
    dates = queries.mentions().written_when(named.pk, among=LEAFED + 1)
    return page(
        request,
        "entity.html",
        title=named.name,
        description=f"Articles and comments that mention {named.name}.",
        path=address(request),
        entity=named,
        aliases=_other_names(named),
        places=_places(found.rows),
        articles_url=f"{reverse('home')}?entity={named.pk}",
        span=span(dates, one="mention", many="mentions"),
        **ways(request, found),
    )


def _other_names(named: Entity) -> list[str]:
    keys = named.alias_set.values_list("key", flat=True)[:ALIASES]
    return [key for key in keys if key.casefold() != named.name.casefold()]


def _places(mentions: Sequence[Mention]) -> list[Place]:
    """Each text once, at the first of its mentions on this page: a long comment names its subject again and again."""
    texts: dict[tuple[int, int | None], Place] = {}
    for mention in mentions:
        place = Place(mention, highlight(_whole_words(mention), (mention.surface,), SNIPPET))
        texts.setdefault((mention.article_id, mention.comment_id), place)
    return list(texts.values())


def _whole_words(mention: Mention) -> str:
    """The text around a mention, without the halves of words at its cut ends."""
    context = cast("str", getattr(mention, "context", ""))  # the annotation of of_entity()
    if len(context) == queries.EXCERPT:
        context = f"{context.rpartition(' ')[0] or context}…"
    if mention.start > queries.AROUND:
        context = f"…{context.partition(' ')[2] or context}"
    return context
