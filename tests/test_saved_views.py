"""Saved views of the queue: kept, shared, changed, deleted, and counted where the ledger tells how many wait."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts.models import User
from archive import queue
from archive.admin import saved_views
from archive.models import Case, SavedView, Site
from archive.queue import CASE, REPORT, Item
from tests.makers import comments_of, make_article, make_user

pytestmark = pytest.mark.django_db
PAGE = "admin:queue"


@pytest.fixture
def moderator(client: Client) -> User:
    user = make_user("moderator")
    client.force_login(user)
    return user


def view(owner: User, name: str = "mine", **fields: Any) -> SavedView:
    return SavedView.objects.create(owner=owner, name=name, **(fields or {"kind": REPORT}))


def offered(client: Client, query: str = "") -> list[tuple[str, int | None]]:
    return [(one.view.name, one.n) for one in client.get(f"{reverse(PAGE)}?{query}").context["views"]]


def save(client: Client, **sent: str) -> str:
    answer = client.post(reverse("admin:queue-views"), sent, follow=True)
    return " ".join(str(one) for one in answer.context["messages"])


def change(client: Client, one: SavedView, **sent: str) -> Any:
    return client.post(reverse("admin:queue-view", args=[one.pk]), sent)


def test_what_the_list_is_narrowed_to_is_found_again_under_its_name(client: Client, moderator: User) -> None:
    assert "Kept as “Bus, old”" in save(client, name=" Bus,  old ", kind="report", age="week", q="bus")
    shown = client.get(reverse(PAGE)).context["views"]
    assert [one.asked.query for one in shown] == ["kind=report&age=week&q=bus"]


@pytest.mark.parametrize(
    ("sent", "why"),
    [
        ({"name": "all"}, "Narrow the queue first"),
        ({"name": " \0", "kind": "report"}, "Give it a name"),
        ({"name": "x" * 61, "kind": "report"}, "at most 60"),
        ({"name": "mine", "kind": "held"}, "of that name"),
        ({"kind": "report"}, "Give it a name"),
        ({"name": "odd", "kind": "none", "site": "x", "age": "never"}, "Narrow the queue first"),
    ],
)
def test_what_cannot_be_kept_is_said(client: Client, moderator: User, sent: dict[str, str], why: str) -> None:
    view(moderator)
    assert why in save(client, **sent)
    assert SavedView.objects.count() == 1


def test_nobody_has_views_without_end(client: Client, moderator: User) -> None:
    for n in range(saved_views.MOST_OWN):
        view(moderator, str(n))
    assert "delete one of them" in save(client, name="one more", kind="report")


def test_a_view_has_its_count_where_the_ledger_has_it(client: Client, moderator: User) -> None:
    comments = comments_of(make_article(comments="abc"))
    queue.put(Item(REPORT, one.article_id, one.pk, {}) for one in comments)
    view(moderator, "site", site_id=comments[0].article.site_id)
    view(moderator, "words", kind=REPORT, words="b")
    view(moderator, "elsewhere", site_id=999)
    assert offered(client) == [("elsewhere", 0), ("site", 3), ("words", None)]


def test_others_see_what_is_shared_and_nothing_else(client: Client, moderator: User) -> None:
    view(moderator, "mine")
    view(moderator, "ours", kind=REPORT, is_shared=True)
    client.force_login(make_user("moderator"))
    assert [name for name, _ in offered(client)] == ["ours"]


def test_a_view_of_what_one_may_not_see_is_not_named_and_shows_nothing(client: Client) -> None:
    boss, site = make_user("administrator"), Site.objects.create(name="Mine", slug="mine")
    other = comments_of(make_article(comments="a"))[0]
    queue.put([Item(REPORT, other.article_id, other.pk, {})])
    queue.put([Item(CASE, None, None, {}, subject_id=Case.objects.create(kind="erasure", requester="R", basis="b").pk)])
    view(boss, "cases", kind=CASE, is_shared=True)
    view(boss, "other site", site_id=other.article.site_id, is_shared=True)
    client.force_login(make_user("moderator", only_on=site))
    assert offered(client) == []
    for query in ("kind=case", f"site={other.article.site_id}"):
        assert client.get(f"{reverse(PAGE)}?{query}").context["rows"] == []


def test_its_owner_renames_shares_and_deletes_it(client: Client, moderator: User) -> None:
    mine = view(moderator)
    change(client, mine, name="reports", shared="1")
    assert list(SavedView.objects.values_list("name", "is_shared")) == [("reports", True)]
    change(client, mine, delete="1")
    assert not SavedView.objects.exists()


def test_a_name_that_is_taken_is_refused(client: Client, moderator: User) -> None:
    mine = view(moderator)
    view(moderator, "other")
    change(client, mine, name="other")
    assert set(SavedView.objects.values_list("name", flat=True)) == {"mine", "other"}


@pytest.mark.parametrize(("role", "is_shared", "status"), [
    ("moderator", True, 404), ("moderator", False, 404), ("administrator", True, 302), ("administrator", False, 404),
])  # fmt: skip
def test_only_an_administrator_removes_what_another_shares(
    client: Client, role: str, is_shared: bool, status: int
) -> None:
    theirs = view(make_user("moderator"), kind=REPORT, is_shared=is_shared)
    client.force_login(make_user(role))
    assert change(client, theirs, name="other").status_code == 404
    assert change(client, theirs, delete="1").status_code == status
    assert SavedView.objects.filter(name="mine").exists() is (status == 404)


def test_views_take_as_many_queries_for_3_as_for_300(client: Client, moderator: User) -> None:
    counts = []
    for size in (3, 300):
        for n in range(size):
            view(make_user("moderator", username=f"{size}-{n}"), f"{n}", kind=REPORT, is_shared=True)
        with CaptureQueriesContext(connection) as found:
            assert len(offered(client)) == min(sum({3, size}), saved_views.MOST_OFFERED)
        counts.append(len(found))
    assert counts[0] == counts[1], counts
