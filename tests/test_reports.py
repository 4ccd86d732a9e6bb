"""Reports by readers: kept with the text, limited by address, put into the queue, answered by the decision."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import User
from archive import moderation, queue, reports
from archive.models import Comment, Report, Sent, Waiting
from tests.makers import comments_of, make_article, make_user

pytestmark = pytest.mark.django_db
REASON = reports.REASONS[0]


@pytest.fixture
def comment() -> Comment:
    return comments_of(make_article(comments=["a secret", "b"]))[0]


def form_of(comment: Comment) -> str:
    return reverse("report", args=[comment.article_id, comment.pk])


def send(client: Client, comment: Comment, **fields: Any) -> Any:
    return client.post(form_of(comment), {"reason": REASON, **fields})


def text_of(answer: Any) -> str:
    return str(answer.content.decode())


def test_a_report_keeps_the_text_and_puts_the_comment_into_the_queue(client: Client, comment: Comment) -> None:
    answer = send(client, comment, note="It is me.")
    report = Report.objects.get()
    assert (report.snapshot, report.note, report.reason) == ("a secret", "It is me.", REASON)
    assert answer.headers["Location"] == reverse("report-receipt", args=[report.token])
    assert Waiting.objects.get().comment_id == comment.pk


@pytest.mark.parametrize("sent", [{}, {"reason": "because"}, {"reason": REASON, "note": "x" * 1001}])
def test_what_is_no_report_is_said_and_kept_nowhere(client: Client, comment: Comment, sent: dict[str, str]) -> None:
    answer = client.post(form_of(comment), sent)
    assert (answer.status_code, Report.objects.count(), Waiting.objects.count()) == (422, 0, 0)
    assert 'role="alert"' in text_of(answer)


def test_what_readers_do_not_see_cannot_be_reported(client: Client, comment: Comment) -> None:
    moderation.hide(comment, by=make_user("moderator"), reason="insult")
    assert [client.get(form_of(comment)).status_code, send(client, comment).status_code] == [404, 404]


def test_an_address_sends_so_many_an_hour_and_others_go_on(client: Client, comment: Comment) -> None:
    answers = [send(client, comment, REMOTE_ADDR="x").status_code for _ in range(reports.PER_HOUR + 1)]
    assert answers == [302] * reports.PER_HOUR + [429]
    other = client.post(form_of(comment), {"reason": REASON}, REMOTE_ADDR="192.0.2.9")
    assert (other.status_code, Report.objects.count()) == (302, reports.PER_HOUR + 1)


def test_the_same_reader_twice_counts_once(client: Client, comment: Comment) -> None:
    for address in ("192.0.2.1", "192.0.2.1", "2001:db8::1", "2001:db8::2"):
        client.post(form_of(comment), {"reason": REASON}, REMOTE_ADDR=address)
    assert (Waiting.objects.get().score, queue.counts()) == (2.0, {("report", comment.article.site_id): 1})


@pytest.mark.parametrize(
    ("action", "words"), [("hide", "has hidden it"), ("approve", "left it as it is"), ("spam", "spam")]
)
def test_the_receipt_says_what_came_of_it(client: Client, comment: Comment, action: str, words: str) -> None:
    url = send(client, comment).headers["Location"]
    assert "has not looked at it yet" in text_of(client.get(url))
    made = moderation.decide(comment, action=action, by=make_user("moderator"), reason="insult").decision
    assert words in text_of(client.get(url))
    assert made is not None
    moderation.undo(made, by=make_user("moderator"))
    assert "has not looked at it yet" in text_of(client.get(url))


def test_the_receipt_shows_nothing_of_the_comment_and_of_other_reports(client: Client, comment: Comment) -> None:
    url = send(client, comment, note="mine").headers["Location"]
    send(client, comment, note="from another")
    shown = text_of(client.get(url))
    assert ("a secret" in shown, "from another" in shown, "mine" in shown) == (False, False, True)


@pytest.mark.parametrize("token", ["x", "x" * 44, "%00"])
def test_a_guessed_receipt_is_not_there(client: Client, comment: Comment, token: str) -> None:
    send(client, comment)
    assert client.get(f"/report/{token}/").status_code == 404


def test_the_form_looks_the_same_whether_or_not_others_reported(comment: Comment) -> None:
    before = Client().get(form_of(comment))
    send(Client(), comment)
    after = Client().get(form_of(comment))
    assert len(before.content) == len(after.content)
    assert after.headers["Cache-Control"] == "private, no-store"


def test_pages_of_comments_stay_the_same_for_guests_and_link_to_the_form(client: Client, comment: Comment) -> None:
    answer = client.get(comment.get_absolute_url())
    assert form_of(comment) in text_of(answer)
    assert not answer.cookies


def test_old_counts_are_forgotten(client: Client, comment: Comment) -> None:
    send(client, comment)
    Sent.objects.update(hour="2020-01-01T00:00Z")
    reports.forget()
    assert not Sent.objects.exists()


def test_the_card_shows_what_readers_said(client: Client, comment: Comment) -> None:
    send(client, comment, note="<b>It is me</b>")
    client.force_login(make_user("moderator"))
    assert "&lt;b&gt;It is me" in text_of(client.get(reverse("admin:queue")))
    assert User.objects.count() == 1
