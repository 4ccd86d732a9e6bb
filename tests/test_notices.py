"""Digests and the private feed of what waits; signed webhooks of what was decided."""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from django.core import mail
from django.test import Client
from django.utils import timezone

from accounts.models import User
from archive import moderation, notices, queue
from archive.admin.notices import WebhookForm
from archive.models import Article, Subscription, Webhook
from tests.makers import comments_of, make_article, make_user
from tests.reading_server import Play, ReadingServer, sending, serving

pytestmark = pytest.mark.django_db
MONDAY = datetime(2026, 11, 23, 6, tzinfo=UTC)


@pytest.fixture
def moderator() -> User:
    return make_user("moderator", email="ada@example.org")


def wait(article: Article, kind: str = queue.HELD) -> None:
    queue.put(queue.Item(kind, article.pk, comment.pk, {}) for comment in comments_of(article))


def subscribe(user: User, digest: str = "daily") -> Subscription:
    subscription = notices.subscription_of(user)
    subscription.digest = digest
    subscription.save()
    return subscription


def test_a_digest_says_how_much_waits_and_nothing_of_it(moderator: User) -> None:
    article = make_article(title="Zebra crossing", comments="ab")
    wait(article)
    subscribe(moderator)
    assert notices.send_digests(MONDAY) == 1
    (letter,) = mail.outbox
    assert letter.to == ["ada@example.org"]
    assert "      2  held by a rule" in letter.body
    assert "Zebra" not in letter.body


def test_nobody_is_written_to_twice_a_day(moderator: User) -> None:
    wait(make_article(comments="a"))
    subscribe(moderator)
    hours = [0, 1, 24]
    assert [notices.send_digests(MONDAY + timedelta(hours=after)) for after in hours] == [1, 0, 1]


def test_nothing_that_waits_is_no_mail(moderator: User) -> None:
    subscribe(moderator)
    assert notices.send_digests(MONDAY) == 0


@pytest.mark.parametrize(("digest", "sent"), [("never", [0, 0]), ("daily", [1, 1]), ("weekly", [1, 0])])
def test_a_digest_comes_when_it_was_asked_for(moderator: User, digest: str, sent: list[int]) -> None:
    wait(make_article(comments="a"))
    subscribe(moderator, digest)
    assert [notices.send_digests(MONDAY + timedelta(days=day)) for day in (0, 1)] == sent


def test_a_reader_who_was_a_moderator_is_told_nothing(moderator: User) -> None:
    wait(make_article(comments="a"))
    token = subscribe(moderator).token
    User.objects.filter(pk=moderator.pk).update(is_staff=False)
    assert notices.send_digests(MONDAY) == 0
    assert Client().get(f"/waiting/{token}/feed/").status_code == 404


def test_only_what_a_role_may_see_is_told() -> None:
    wait(make_article(comments="ab"))
    assert notices.waiting_for(make_user("archivist")) == []


def test_the_feed_of_what_waits_holds_no_text(moderator: User) -> None:
    article = make_article(title="Zebra crossing", comments="a")
    wait(article)
    shown = Client().get(f"/waiting/{subscribe(moderator).token}/feed/").content.decode()
    assert f"Held by a rule: comment {comments_of(article)[0].pk}" in shown
    assert "Zebra" not in shown


def test_a_feed_of_nobody_is_not_there() -> None:
    assert Client().get("/waiting/x/feed/").status_code == 404


def test_the_page_of_notices_saves_and_renews(client: Client, moderator: User) -> None:
    client.force_login(moderator)
    client.post("/admin/notices/", {"digest": "weekly"})
    saved = Subscription.objects.get(user=moderator)
    client.post("/admin/notices/", {"renew": "1"})
    renewed = Subscription.objects.get(user=moderator)
    assert (saved.digest, renewed.digest) == ("weekly", "weekly")
    assert saved.token != renewed.token
    assert renewed.token in client.get("/admin/notices/").content.decode()


# Webhooks


@contextlib.contextmanager
def hooked(*plays: Play) -> Iterator[tuple[Webhook, ReadingServer]]:
    with serving(*plays) as server:
        yield Webhook.objects.create(url=server.url), server


def hide_each(comments: str, by: User) -> None:
    for comment in comments_of(make_article(comments=comments)):
        moderation.hide(comment, by=by, reason="insult")


def test_a_server_is_told_each_decision_once_and_in_order(moderator: User) -> None:
    with hooked(sending(b"", 204)) as (hook, server):
        hide_each("ab", moderator)
        assert [notices.deliver_all(), notices.deliver_all()] == [2, 0]
        moderation.restore(comments_of(Article.objects.get())[0], by=moderator, reason="harmless")
        assert notices.deliver_all() == 1
    assert [[entry["action"] for entry in body["entries"]] for body in server.asked] == [["hide", "hide"], ["restore"]]
    hook.refresh_from_db()
    assert hook.cursor == server.asked[-1]["entries"][-1]["id"]


def test_what_is_sent_names_nobody_and_is_signed(moderator: User) -> None:
    with hooked(sending(b"{}")) as (hook, server):
        hide_each("a", moderator)
        notices.deliver_all()
    assert moderator.username not in json.dumps(server.asked)
    at, made = server.headers[0]["Afterword-Signature"].split(",")
    body = json.dumps(server.asked[0]).encode()
    again = hmac.new(hook.secret.encode(), f"{at.removeprefix('t=')}.".encode() + body, hashlib.sha256).hexdigest()
    assert made == f"v1={again}"


def test_what_failed_is_sent_again_later_and_nothing_is_missed(moderator: User) -> None:
    with hooked(sending(b"", 500), sending(b"")) as (hook, server):
        hide_each("a", moderator)
        assert [notices.deliver_all(), notices.deliver_all()] == [0, 0]  # the second waits for its pause
        hook.refresh_from_db()
        assert (hook.failures, hook.trouble) == (1, "refused with status 500")
        Webhook.objects.update(next_at=timezone.now())
        assert notices.deliver_all() == 1
        assert server.asked[0]["entries"] == server.asked[1]["entries"]
    hook.refresh_from_db()
    assert (hook.failures, hook.trouble) == (0, "")


def test_a_server_that_never_answers_is_asked_no_more(moderator: User) -> None:
    with hooked(sending(b"", 410)) as (hook, _):
        Webhook.objects.update(failures=notices.GIVES_UP_AFTER - 1)
        hide_each("a", moderator)
        notices.deliver_all()
    hook.refresh_from_db()
    assert not hook.is_on


def test_a_redirect_is_not_followed(moderator: User) -> None:
    with hooked(sending(b"", 302, Location="http://127.0.0.1:1/")) as (hook, _):
        hide_each("a", moderator)
        assert notices.deliver_all() == 0
    hook.refresh_from_db()
    assert "redirect" in hook.trouble


@pytest.mark.parametrize("url", ["http://example.org/hook", "ftp://example.org/", "https://user:word@example.org/"])
def test_an_address_that_is_not_safe_is_refused(url: str) -> None:
    assert "url" in WebhookForm({"url": url, "is_on": "on"}).errors


def test_a_new_server_is_told_what_comes_after_it(client: Client, moderator: User) -> None:
    hide_each("a", moderator)
    client.force_login(make_user("administrator"))
    client.post("/admin/archive/webhook/add/", {"url": "https://example.org/hook", "is_on": "on"})
    assert Webhook.objects.get().cursor > 0


def test_moderators_do_not_see_the_servers(client: Client, moderator: User) -> None:
    client.force_login(moderator)
    assert client.get("/admin/archive/webhook/").status_code == 404
