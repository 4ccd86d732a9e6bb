"""Who gets which answer where: every route, asked by every role, about every kind of object.

The answers stand in ``permissions.tsv``, and a route that is not there fails. After a change that is meant, write the
table anew and look at what is different before it is committed:

    python -m pytest tests/test_permissions.py --write-permissions

With ``-k`` and a part of a route, those routes alone are written, in seconds.

Each cell is the answer to GET and to POST: a status, or ``sign-in`` and ``confirm`` for being sent to sign in or to
show who one is; all who are signed in have just shown it, so that sudo mode asks for nothing. ``scoped`` is a moderator
of one site. The objects: ``public`` is what readers see; ``own`` is hidden, on the site of the scoped moderator;
``other`` is the same on another site; ``missing`` never was. Of accounts, ``own`` is one's own.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from http.cookies import SimpleCookie
from pathlib import Path
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from django.contrib.auth.models import Group
from django.core.cache import cache
from django.db import transaction
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

from accounts import invitations
from accounts.models import User
from archive import moderation, queue
from archive.models import (
    Article,
    Author,
    Bulk,
    Case,
    Comment,
    Decision,
    Entity,
    Mention,
    Report,
    Rule,
    SavedView,
    Site,
)
from tests.makers import comments_of, confirm_it_is_them, make_article, make_user, store_source

pytestmark = pytest.mark.django_db
TABLE = Path(__file__).with_name("permissions.tsv")
ROLES = ("guest", "reader", "archivist", "moderator", "administrator", "scoped")
OBJECTS = ("public", "own", "other", "missing")
NEVER = 999_999_999  # an id that nothing has
CONVERTER = re.compile(r"<(?:\w+:)?(\w+)>|\(\?P<(\w+)>[^)]*\)")
MODEL = re.compile(r"^admin/\w+/(\w+)/")
# What a form has to hold, so that the answer tells whether the person may, and not that the form is empty.
SENT: dict[str, dict[str, str]] = {
    "queue/<int:pk>/decide/": {"action": "hide", "reason": "insult", "seen": str(10**9)},
    "report/": {"reason": "insult"},
    "decide/": {"action": "restore", "reason": "it is fine"},
    "undo/": {"reason": "it is fine"},
    "queue/views/": {"kind": "report", "name": "reports"},
    "queue/views/<int:pk>/": {"delete": "1"},
    "rules/<int:pk>/": {"act": "try"},
    "source/import/": {"text": "Some words that are new.", "site": "Mine"},
    "consent/": {"site": "Mine", "format": "", "agree": ""},
}
TEXTS = {
    "slug": "-",
    "kind": "txt",
    "token": "x",
    "key": "x-y",
    "uidb36": "1",
    "url": "no/such/page",
    "app_label": "archive",
    "content_type_id": "1",
    "number": "1",
}


def routes() -> Iterator[str]:
    """Every route, once, in the order in which addresses are looked up."""
    seen = set()
    waiting: list[tuple[str, URLPattern | URLResolver]] = [("", one) for one in reversed(get_resolver().url_patterns)]
    while waiting:
        above, one = waiting.pop()
        route = above + str(one.pattern)
        if isinstance(one, URLResolver):
            waiting += [(route, below) for below in reversed(one.url_patterns)]
        elif route not in seen:
            seen.add(route)
            yield route


def read_table() -> dict[str, list[str]]:
    """The lines of the table by route."""
    found: dict[str, list[str]] = {}
    for line in TABLE.read_text().splitlines()[1:] if TABLE.exists() else []:
        found.setdefault(line.partition("\t")[0], []).append(line)
    return found


class World:
    """One object of each kind for each of ``OBJECTS``, and one person for each role, who is signed in."""

    def __init__(self) -> None:
        self.mine, self.theirs = (Site.objects.create(name=name, slug=name.lower()) for name in ("Mine", "Theirs"))
        self.people: dict[str, User | None] = {
            role: make_user(role, username=role) for role in ("reader", "archivist", "moderator", "administrator")
        }
        self.people |= {"guest": None, "scoped": make_user("moderator", username="scoped", only_on=self.mine)}
        self.stranger = make_user(username="stranger")
        User.objects.update(password="md5$a$b")  # one that could be typed, so that sudo mode can ask for it
        self.people = {role: person and User.objects.get(pk=person.pk) for role, person in self.people.items()}
        self.boss: Any = self.people["administrator"]
        self.objects = {
            name: self._objects(site, name)
            for name, site in zip(OBJECTS, (self.theirs, self.mine, self.theirs), strict=False)
        }
        self.clients = {role: self._signed_in(person) for role, person in self.people.items()}

    def _signed_in(self, person: User | None) -> Client:
        client = Client(raise_request_exception=False)
        if person:
            client.force_login(person)
            confirm_it_is_them(client)
        return client

    def _objects(self, site: Site, name: str) -> dict[str, int]:
        article = make_article(title=name, site=site, comments="a")
        store_source(article)
        (comment,) = comments_of(article)
        author = Author.objects.create(site=site, name=name, key=name.encode())
        Comment.objects.filter(pk=comment.pk).update(author=author, author_name=name, author_basis="stated")
        entity = Entity.objects.create(name=name, kind="person", mention_count=1)
        mention = Mention.objects.create(article=article, entity=entity, revision=1, start=0, end=1, surface=name[0])
        decision = moderation.hide(article, by=self.boss, reason="made for the table").decision
        assert decision
        if name == "public":
            moderation.restore(Article.objects.get(pk=article.pk), by=self.boss, reason="made for the table")
            decision = Decision.objects.latest("pk")
        case = Case.objects.create(kind="erasure", requester=name, basis="a wish")
        invitation, _ = invitations.invite(role="reader", email="", by=self.boss)
        return {
            "site": site.pk, "article": article.pk, "comment": comment.pk, "author": author.pk, "entity": entity.pk,
            "mention": mention.pk, "source": article.source_id, "decision": decision.pk, "case": case.pk,
            "report": Report.objects.create(article_id=article.pk, reason="rude", snapshot="what it said").pk,
            "waiting": self._waiting(article, comment), "invitation": invitation.pk,
            "rule": Rule.objects.create(name=name, site=site, version=1, kind="words", action="hold", body="x").pk,
            "group": Group.objects.get(name="reader").pk,
        }  # fmt: skip

    def _waiting(self, article: Article, comment: Comment) -> int:
        """A card in the queue."""
        (pk,) = queue.put([queue.Item(queue.REPORT, article.pk, comment.pk, {})])
        return pk

    def identity(self, kind: str, which: str, person: User | None) -> int:
        if which == "missing":
            return NEVER
        if kind == "user":
            return person.pk if person and which == "own" else self.stranger.pk
        if kind == "passkey":
            owner = person if person and which == "own" else self.stranger
            data = {"name": "a key", "credential": {}}
            made, _ = Authenticator.objects.get_or_create(user=owner, type="webauthn", defaults={"data": data})
            return int(made.pk)
        if kind == "bulk":  # nobody's is public: there is one's own, and what somebody else asked for
            owner = person if person and which == "own" else self.stranger
            return Bulk.objects.get_or_create(asked_by=owner, action="hide", total=1)[0].pk
        if kind == "view":
            owner = person if person and which == "own" else self.stranger
            shared = which == "public"
            view, _ = SavedView.objects.get_or_create(owner=owner, name=which, kind="report", is_shared=shared)
            return view.pk
        return self.objects[which].get(kind, NEVER)


def kind_of(route: str, name: str) -> str:
    """What the number in a route is of: its name says so, or the model of the admin."""
    if route.startswith("admin/queue/views/"):
        return "view"
    if route.startswith("admin/r/"):
        return "of no kind"  # what has the number there depends on which tests ran before
    if route.startswith("admin/queue/"):
        return "waiting"
    if route.startswith("admin/rules/"):
        return "rule"
    if route.startswith("admin/bulk/"):
        return "bulk"
    if name in {"pk", "object_id", "id"}:
        model = MODEL.match(route)
        return model[1] if model else "passkey"
    return name.removesuffix("_id")


def has_object(route: str) -> bool:
    return any((one[1] or one[2]) not in TEXTS for one in CONVERTER.finditer(route))


def address(route: str, which: str, world: World, person: User | None) -> str:
    def filled(match: re.Match[str]) -> str:
        name = match[1] or match[2]
        return TEXTS[name] if name in TEXTS else str(world.identity(kind_of(route, name), which, person))

    return "/" + CONVERTER.sub(filled, route).replace("^", "").replace("$", "")


def answer(client: Client, method: str, url: str, data: dict[str, str]) -> str:
    """One cell. What the request did is undone, its cookies included."""
    cookies = client.cookies.output(header="", sep=";")
    with transaction.atomic():
        got = client.get(url) if method == "GET" else client.post(url, data)
        transaction.set_rollback(True)
    client.cookies = SimpleCookie(cookies)
    location = got.get("Location", "")
    if got.status_code == 302 and location.startswith(("/sign-in/?", "/admin/login/?")):
        return "sign-in"
    return "confirm" if location.startswith("/account/confirm/") else str(got.status_code)


def lines_of(route: str, world: World) -> list[str]:
    data = next((sent for end, sent in SENT.items() if route.endswith(end)), {})
    rows: dict[str, list[str]] = {which: [] for which in (OBJECTS if has_object(route) else ("-",))}
    for role in ROLES:
        person, client = world.people[role], world.clients[role]
        for which, cells in rows.items():
            url = address(route, which, world, person)
            cells.append("/".join(answer(client, method, url, data) for method in ("GET", "POST")))
    return ["\t".join([route, which, *cells]) for which, cells in rows.items()]


@pytest.fixture(scope="module")
def world(django_db_setup: None, django_db_blocker: Any) -> Iterator[World]:
    """Made once, in a transaction of its own around those of the tests: each answer leaves it as it was."""
    with django_db_blocker.unblock(), transaction.atomic():
        yield World()
        transaction.set_rollback(True)


@pytest.mark.parametrize("route", list(routes()))
def test_everybody_gets_the_answer_that_the_table_says(
    world: World, route: str, request: pytest.FixtureRequest
) -> None:
    cache.clear()  # allauth's limits on how often something is asked for
    found, known = lines_of(route, world), read_table()
    if request.config.getoption("--write-permissions"):
        known[route] = found
        head = "\t".join(["route", "object", *ROLES])
        TABLE.write_text("\n".join([head, *(line for one in routes() for line in known.get(one, []))]) + "\n")
    assert found == known.get(route), f"python -m pytest {__file__} --write-permissions, then look at what is different"


def test_the_table_has_no_route_that_is_none() -> None:
    assert set(read_table()) == set(routes())


def test_nothing_is_broken_for_anybody() -> None:
    assert not [line for lines in read_table().values() for line in lines if re.search(r"\b5\d\d\b", line)]


def test_guests_readers_and_other_sites_moderators_learn_nothing_of_what_is_hidden() -> None:
    """Hidden and missing are one and the same to them, in the workplace and on public pages of a hidden article."""
    for route, lines in read_table().items():
        rows = {line.split("\t")[1]: line.split("\t")[2:] for line in lines}
        if "other" in rows and re.search(r"article|comment|decision", route):
            assert rows["other"][0] == rows["missing"][0], route
            assert rows["other"][1] == rows["missing"][1], route
            assert rows["other"][5] == rows["missing"][5], route


def test_the_workplace_is_not_there_for_readers() -> None:
    ways = ("admin/login/", "admin/logout/", "admin/password_change/", "admin/jsi18n/")
    for route, lines in read_table().items():
        if route.startswith("admin/") and route not in ways:
            assert {cell for line in lines for cell in line.split("\t")[3].split("/")} <= {"404", "405"}, route
