"""Makers: the rows and records that tests start from, each from as little as the test wants to say."""

from __future__ import annotations

import hashlib
import itertools
import re
import time
from collections.abc import Sequence
from typing import Any

import zstandard
from django.contrib.auth.models import Group
from django.test import Client

from accounts.models import User
from accounts.staff import follow_roles
from archive import counters, threads
from archive.ingest.records import Basis
from archive.models import Article, Comment, Site, Source, ThreadOrder
from archive.text import render_text

_numbers = itertools.count(1)


def make_article(
    title: str = "An article", body: str = "What it says.", comments: str | Sequence[str] = "", **fields: Any
) -> Article:
    """An article and its comments, stored with the thread order that the loader would give them.

    ``comments`` is a forest such as ``"a(b(c)d)e"``, where each name is external id and text, or a list of texts,
    all at top level and with their positions as ids. ``fields`` are those of Article.
    """
    number = next(_numbers)
    fields.setdefault("site", Site.objects.get_or_create(name="Example", slug="example")[0])
    fields.setdefault("source", Source.objects.create(sha256=f"{number:064x}", name=f"{number}.txt", size=len(body)))
    fields.setdefault("key", _digest(f"article {number}"))
    fields.setdefault("digest", _digest(body))
    fields.setdefault("title_basis", Basis.STATED)
    fields.setdefault("html", render_text(body))
    article = Article.objects.create(title=title, body=body, **fields)
    if isinstance(comments, str):
        ids, parents = forest(comments)
        make_comments(article, ids, parents, ids)
    else:
        make_comments(article, [str(number) for number in range(len(comments))], [None] * len(comments), comments)
    counters.recount_articles([article.pk])
    article.refresh_from_db()
    return article


def store_orders(article: Article) -> None:
    """The thread's other orders, as the loader stores those of a long one."""
    rows = Comment.objects.filter(article=article).order_by("thread_rank")
    depth, size, posted = zip(*rows.values_list("depth", "subtree_size", "posted_at"), strict=True)
    for sort, levels, ranks in threads.orders(depth, size, [at and at.timestamp() for at in posted]):
        ThreadOrder.objects.create(article=article, sort=sort, levels=levels, ranks=ranks)


def store_source(article: Article) -> None:
    """The text from which the article and its comments could have been read, with where each of them is in it."""
    text = f"{article.title}\n{article.body}"
    Article.objects.filter(pk=article.pk).update(span_start=0, span_end=len(text))
    for comment in comments_of(article):
        start = len(text) + 2
        text += f"\n\n{comment.body}"
        Comment.objects.filter(pk=comment.pk).update(span_start=start, span_end=len(text))
    Source.objects.filter(pk=article.source_id).update(content=zstandard.compress(text.encode()), format="text")


def comments_of(article: Article) -> list[Comment]:
    """The article's comments in source order."""
    return list(Comment.objects.filter(article_id=article.pk).order_by("position"))


def make_comments(
    article: Article, ids: Sequence[str], parents: Sequence[str | None], bodies: Sequence[str]
) -> list[Comment]:
    """Comments as the loader would store them, all in source order; the article's counters are not touched."""
    order = threads.arrange(ids, parents)
    made = Comment.objects.bulk_create(
        Comment(
            article=article,
            external_id=external_id,
            external_key=_digest(external_id),
            body=bodies[position],
            html=render_text(bodies[position]),
            position=position,
            thread_rank=order.rank[position],
            depth=order.depth[position],
            subtree_size=order.subtree_size[position],
            boundary_basis=Basis.STATED,
            parent_basis=Basis.STATED,
            author_basis=Basis.UNKNOWN,
            date_basis=Basis.UNKNOWN,
        )
        for position, external_id in enumerate(ids)
    )
    for comment, above in zip(made, order.parent, strict=True):
        comment.parent = made[above] if above >= 0 else None
    Comment.objects.bulk_update(made, ["parent"])
    return made


def forest(text: str) -> tuple[list[str], list[str | None]]:
    """``"a(b(c)d)e"`` as names and the names of their parents, in reading order."""
    names: list[str] = []
    parents: list[str | None] = []
    above: list[str] = []
    for token in re.findall(r"[()]|[^\s()]", text):
        if token == "(":
            above.append(names[-1])
        elif token == ")":
            above.pop()
        else:
            names.append(token)
            parents.append(above[-1] if above else None)
    return names, parents


def _digest(text: str) -> bytes:
    return hashlib.sha256(text.encode()).digest()


def make_user(role: str = "", *, password: str | None = None, only_on: Site | None = None, **fields: Any) -> User:
    """An account with the rights of ``role``, on all sites or on one.

    Without a password, which takes long to hash, use ``force_login``.
    """
    if only_on:
        fields["scopes"] = {role: [only_on.pk]}
    fields.setdefault("username", f"{role or 'person'}-{next(_numbers)}")
    user = User.objects.create_user(password=password, **fields)
    if role:
        user.groups.add(Group.objects.get(name=role))
    follow_roles(user)
    return user


def confirm_it_is_them(client: Client) -> None:
    """As if the person who is signed in had just typed their password again: what sudo mode asks for."""
    session = client.session
    session["account_authentication_methods"] = [{"method": "password", "at": time.time(), "reauthenticated": True}]
    session["account_authentication_methods_user"] = session["_auth_user_id"]
    session.save()
