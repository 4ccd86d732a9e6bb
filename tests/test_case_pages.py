"""The pages of cases: who may open and change them, what they say, and that they cost no more with more rows."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts.models import User
from archive import cases, scope
from archive.models import Case, CaseNote
from archive.scope import Scope
from tests.makers import comments_of, make_article, make_user

pytestmark = pytest.mark.django_db
LIST = "admin:archive_case_changelist"
ASKED = {"kind": "erasure", "requester": "R. Quester", "contact": "q@example.org", "basis": "a law"}


@pytest.fixture(autouse=True)
def own_list(settings: Any, tmp_path: Path) -> None:
    settings.SUPPRESSIONS = str(tmp_path / "suppressions.jsonl")


@pytest.fixture
def by(client: Client) -> User:
    user = make_user("moderator", password="correct horse battery")
    client.force_login(user)
    return user


def make_case(by: User, deadline: date | None = None, **known: Any) -> Case:
    case = cases.open_case(by=by, deadline=deadline, **ASKED)
    cases.set_scope(case, Scope(**known), [], by=by)
    return case


def page(client: Client, case: Case) -> str:
    return str(client.get(case.get_absolute_url()).content.decode())


def step(client: Client, case: Case, name: str, **sent: str) -> Any:
    return client.post(reverse("admin:archive_case_step", args=[case.pk]), {"step": name, **sent}, follow=True)


def test_a_case_is_opened_and_asked_what_it_is_about(client: Client, by: User) -> None:
    answer: Any = client.post(reverse("admin:archive_case_add"), ASKED)
    case = Case.objects.get()
    assert answer.url == reverse("admin:archive_case_scope", args=[case.pk])
    assert (case.requester, case.opened_by) == ("R. Quester", by)


def test_a_request_without_a_requester_is_not_opened(client: Client, by: User) -> None:
    answer = client.post(reverse("admin:archive_case_add"), {**ASKED, "requester": " "})
    assert (answer.status_code, Case.objects.count()) == (422, 0)


@pytest.mark.parametrize("name", ["scope", "request", "erase", "step"])
def test_only_who_works_on_cases_may_open_their_steps(client: Client, name: str) -> None:
    case = make_case(make_user("moderator"))
    client.force_login(make_user("archivist"))
    assert client.get(reverse(f"admin:archive_case_{name}", args=[case.pk])).status_code in {302, 404}
    assert client.post(reverse("admin:archive_case_step", args=[case.pk]), {"step": "hold"}).status_code == 404


@pytest.mark.parametrize("name", ["scope", "request", "step"])
def test_a_case_that_does_not_exist_is_not_found(client: Client, by: User, name: str) -> None:
    assert client.post(reverse(f"admin:archive_case_{name}", args=[999]), {"step": "hold"}).status_code == 404


@pytest.mark.parametrize("said", [{}, {"step": ""}, {"step": "erase"}, {"step": "nothing"}])
def test_a_step_that_is_none_is_not_found(client: Client, by: User, said: dict[str, str]) -> None:
    case = make_case(by)
    assert client.post(reverse("admin:archive_case_step", args=[case.pk]), said).status_code == 404


def test_the_scope_takes_addresses_and_numbers(client: Client, by: User) -> None:
    first, second = comments_of(make_article(comments="ab"))
    said = {"comments": f"https://x.org{first.get_absolute_url()}, {second.pk}", "words": "Ann\n\nMill Lane\n"}
    case = make_case(by)
    client.post(reverse("admin:archive_case_scope", args=[case.pk]), said)
    case.refresh_from_db()
    assert case.scope["comments"] == sorted([first.pk, second.pk])
    assert case.words == ["Ann", "Mill Lane"]


@pytest.mark.parametrize(
    "said", [{"comments": "999999"}, {"articles": "nowhere"}, {"entity": "Nobody"}, {"words": "x"}, {"site": "zz"}]
)
def test_a_scope_that_cannot_be_read_says_so(client: Client, by: User, said: dict[str, str]) -> None:
    case = make_case(by)
    answer = client.post(reverse("admin:archive_case_scope", args=[case.pk]), said)
    assert answer.status_code == 422
    assert 'role="alert"' in answer.content.decode()


def test_the_page_shows_hits_and_takes_one_out(client: Client, by: User) -> None:
    comment = comments_of(make_article(comments=["one <b>bold</b> word"]))[0]
    case = make_case(by, comments=[comment.pk])
    assert "one &lt;b&gt;bold&lt;/b&gt; word" in page(client, case)
    step(client, case, "leave_out", key=f"comment:{comment.pk}", out="1")
    assert "Put back in" in page(client, case)
    assert "bold" not in page(client, case)


def test_notes_are_listed_newest_first(client: Client, by: User) -> None:
    case = make_case(by)
    for text in ("first", "second"):
        step(client, case, "note", text=text)
    text = page(client, case)
    assert text.index("second") < text.index(">first") or text.index("second") < text.index("first")
    assert CaseNote.objects.count() == 2


def test_the_list_begins_with_what_is_due_first_and_ends_with_what_is_over(client: Client, by: User) -> None:
    over, late = make_case(by, date(2020, 1, 1)), make_case(by, date(2020, 2, 2))
    open_ended, soon = make_case(by), make_case(by, date(2999, 1, 1))
    cases.close(over, by=by, refused=False, outcome="done")
    text = client.get(reverse(LIST)).content.decode()
    shown = [int(pk) for pk in re.findall(r"/admin/archive/case/(\d+)/change/", text)]
    assert shown == [late.pk, soon.pk, open_ended.pk, over.pk]
    assert text.count("overdue") == 1


def test_an_erasure_asks_who_it_is_and_then_for_the_phrase(client: Client, by: User) -> None:
    case = make_case(by, comments=[comments_of(make_article(comments="a"))[0].pk])
    address = reverse("admin:archive_case_erase", args=[case.pk])
    asked: Any = client.get(address)
    assert asked.status_code == 302
    client.post(asked.url, {"password": "correct horse battery"})
    assert client.post(address, {"typed": "please"}).status_code == 422
    client.post(address, {"typed": f"erase case {case.pk}"})
    case.refresh_from_db()
    assert case.state == "scheduled"
    assert "Will be erased on" in page(client, case)
    step(client, case, "call_off")
    case.refresh_from_db()
    assert case.state == "open"


def test_a_case_waits_in_the_queue_until_it_is_over(client: Client, by: User) -> None:
    case = make_case(by, date(2020, 2, 2))
    queue = client.get(reverse("admin:queue")).content.decode()
    assert f"Case {case.pk}" in queue
    assert "2 February 2020" in queue
    step(client, case, "close", outcome="answered", end="closed")
    assert f"Case {case.pk}" not in client.get(reverse("admin:queue")).content.decode()


def test_the_list_costs_the_same_with_more_cases(client: Client, by: User) -> None:
    # session, user, permissions twice, count, rows
    counts = []
    for many in (3, 297):
        Case.objects.bulk_create(Case(**ASKED) for _ in range(many))
        with CaptureQueriesContext(
            connection,
        ) as asked:
            client.get(reverse(LIST))
        counts.append(len(asked))
    assert counts[0] == counts[1] <= 12


def test_a_page_costs_the_same_with_more_hits(client: Client, by: User, monkeypatch: pytest.MonkeyPatch) -> None:
    # Session, account, permissions; the case, its members three times, one to three for each kind of place, notes,
    # history. Quotes are looked for as long as ``PATIENCE`` lasts, eight comments at a time: not counted here.
    monkeypatch.setattr(scope, "PATIENCE", -1.0)
    counts = []
    for many in (3, 300):
        article = make_article(comments=["some words"] * many)
        case = make_case(by, articles=[article.pk])
        CaseNote.objects.bulk_create(CaseNote(case=case, text="x") for _ in range(many))
        page(client, case)
        with CaptureQueriesContext(connection) as asked:
            page(client, case)
        counts.append(len(asked))
    assert counts[0] == counts[1] <= 40


def test_who_moderates_one_site_is_shown_no_case(client: Client) -> None:
    case = make_case(make_user("moderator"))
    client.force_login(make_user("moderator", only_on=make_article().site))
    assert f"Case {case.pk}" not in client.get(reverse("admin:queue")).content.decode()
    assert reverse(LIST) not in client.get(reverse("admin:index")).content.decode()
