"""Decisions on many: in parts, to their end whatever happens in between, and as one decision."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from procrastinate.contrib.django.models import ProcrastinateJob

from accounts.models import User
from archive import bulk, decision_log, jobs, moderation, queries
from archive.models import Article, Bulk, Comment, Decision
from tests.makers import comments_of, make_article, make_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def moderator() -> User:
    return make_user("moderator")


@pytest.fixture(autouse=True)
def small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bulk, "AT_ONCE", 2)
    monkeypatch.setattr(bulk, "IN_REQUEST", 0)


def pairs(*articles: Article) -> list[tuple[int, int]]:
    return [(comment.article_id, comment.pk) for article in articles for comment in comments_of(article)]


def asked(by: User, *articles: Article, action: str = "hide", **known: Any) -> Bulk:
    found = bulk.decide(pairs(*articles), action=action, by=by, reason="spam", **known)
    assert isinstance(found, Bulk)
    return found


def whole(found: Bulk) -> Decision:
    found.refresh_from_db()
    return Decision.objects.get(pk=found.decision_id or 0)


def states() -> list[str]:
    return list(Comment.objects.order_by("article_id", "position").values_list("status", flat=True))


def test_what_is_more_than_a_few_is_for_a_worker(moderator: User) -> None:
    found = asked(moderator, make_article(comments="abc"))
    assert (found.done, set(states())) == (0, {"published"})
    job = ProcrastinateJob.objects.get(task_name=bulk.WORK)
    jobs.work_on_bulk(**job.args)
    assert set(states()) == {"hidden"}


def test_a_few_are_decided_on_at_once(moderator: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bulk, "IN_REQUEST", 3)
    found = asked(moderator, make_article(comments="abc"))
    assert (found.changed, found.finished_at is not None, states()) == (3, True, ["hidden"] * 3)


def test_all_parts_are_of_one_decision_in_an_unbroken_log(moderator: User) -> None:
    found = asked(moderator, make_article(comments="abc"), make_article(comments="de"))
    bulk.carry_out(found.pk)
    parts = Decision.objects.filter(parent_id=whole(found).pk)
    assert (parts.count(), Decision.objects.count(), decision_log.verify().broken) == (5, 6, 0)
    assert (found.done, found.changed, found.unchanged, found.ids) == (5, 5, 0, [])


def test_killed_half_way_it_goes_on_where_it_was(moderator: User, monkeypatch: pytest.MonkeyPatch) -> None:
    found = asked(moderator, make_article(comments="abcde"))
    append, calls = decision_log.append_parts, []

    def killed(*given: Any, **known: Any) -> None:
        append(*given, **known)
        calls.append(1)
        if len(calls) == 2:
            raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(decision_log, "append_parts", killed)
        with pytest.raises(KeyboardInterrupt):
            bulk.carry_out(found.pk)
    found.refresh_from_db()
    assert (found.done, states().count("hidden")) == (2, 2)
    bulk.carry_out(found.pk)
    assert (states().count("hidden"), Decision.objects.filter(parent_id=whole(found).pk).count()) == (5, 5)
    bulk.carry_out(found.pk)
    assert (Decision.objects.count(), decision_log.verify().broken) == (6, 0)


def test_stopped_it_leaves_what_is_done_and_can_be_undone(moderator: User) -> None:
    found = asked(moderator, make_article(comments="abcde"))
    bulk.carry_out_part(found.pk)
    bulk.stop(found.pk)
    bulk.carry_out(found.pk)
    decision = whole(found)
    assert (found.done, found.finished_at is not None, states().count("hidden")) == (2, True, 2)
    undoing = bulk.undo(decision, by=moderator, reason="")
    assert isinstance(undoing, Bulk)
    bulk.carry_out(undoing.pk)
    assert (set(states()), whole(undoing).undoes_id) == ({"published"}, decision.pk)


def test_what_is_under_way_is_not_undone(moderator: User) -> None:
    found = asked(moderator, make_article(comments="abcde"))
    bulk.carry_out_part(found.pk)
    said = "it is still being carried out: stop it first, or wait until it is done"
    assert moderation.undo(whole(found), by=moderator).problems[0].why == said
    answer = bulk.undo(whole(found), by=moderator, reason="")
    assert isinstance(answer, moderation.Problem)
    assert answer.why == said


def test_it_is_undone_once_at_a_time(moderator: User) -> None:
    found = asked(moderator, make_article(comments="abc"))
    bulk.carry_out(found.pk)
    first, second = (bulk.undo(whole(found), by=moderator, reason="") for _ in range(2))
    assert isinstance(first, Bulk)
    assert isinstance(second, moderation.Problem)
    assert second.why == "it is being undone already"


def test_what_was_decided_on_since_is_left_and_named(moderator: User) -> None:
    article = make_article(comments="abc")
    seen = queries.decisions().last_number()
    moderation.decide(comments_of(article)[1], action="approve", by=make_user("moderator"))
    found = asked(moderator, article, seen=seen)
    bulk.carry_out(found.pk)
    found.refresh_from_db()
    assert (found.changed, found.unchanged, states()) == (2, 1, ["hidden", "published", "hidden"])
    ((name, pk, why),) = found.problems
    assert (name, pk, "decided on since you saw it" in why) == ("comment", comments_of(article)[1].pk, True)


def test_who_may_not_decide_any_more_decides_nothing_more(moderator: User) -> None:
    found = asked(moderator, make_article(comments="abc"))
    bulk.carry_out_part(found.pk)
    User.objects.filter(pk=moderator.pk).update(is_active=False)
    bulk.carry_out(found.pk)
    found.refresh_from_db()
    assert (found.changed, found.unchanged, states().count("published")) == (2, 1, 1)
    assert found.problems[0][2] == "whoever asked for it does not moderate its site any more"


@pytest.mark.parametrize(("number", "why"), [(0, "nothing to decide on"), (4, "more than 3 comments")])
def test_nothing_and_too_many_are_refused(
    moderator: User, monkeypatch: pytest.MonkeyPatch, number: int, why: str
) -> None:
    monkeypatch.setattr(bulk, "MOST", 3)
    given = pairs(make_article(comments="abcd"))[:number]
    answer = bulk.decide(given, action="hide", by=moderator, reason="x")
    assert isinstance(answer, moderation.Problem)
    assert why in answer.why


def test_its_page_says_how_far_it_is_and_stops_it(client: Client, moderator: User) -> None:
    found = asked(moderator, make_article(comments="abcde"))
    bulk.carry_out_part(found.pk)
    client.force_login(moderator)
    url = found.get_absolute_url()
    assert '<progress id="progress" value="2" max="5">' in client.get(url).text
    answer = client.get(url, headers={"accept": "application/json"}).json()
    assert answer == {"done": 2, "changed": 2, "finished": False}
    client.post(url, {"act": "stop"})
    assert "It stops after the part" in client.get(url).text
    bulk.carry_out(found.pk)
    assert "It was stopped after 2 of 5." in client.get(url).text


def test_its_page_is_for_who_asked_and_who_moderates_everywhere(client: Client, moderator: User) -> None:
    url = asked(moderator, make_article(comments="a")).get_absolute_url()
    narrowed = make_user("moderator", scopes={"moderator": [0]})
    for user, status in [(moderator, 200), (make_user("moderator"), 200), (narrowed, 404), (make_user("reader"), 404)]:
        client.force_login(user)
        assert client.get(url).status_code == status


def test_the_desk_leads_to_what_is_under_way(client: Client, moderator: User) -> None:
    client.force_login(moderator)
    found = asked(moderator, make_article(comments="abc"))
    context = client.get(reverse("admin:index")).context
    assert context["under_way"] == [(found, "Hiding 3 comments")]
    bulk.carry_out(found.pk)
    assert client.get(reverse("admin:index")).context["under_way"] == []


def test_a_bulk_is_undone_on_the_page_of_its_decision(client: Client, moderator: User) -> None:
    found = asked(moderator, make_article(comments="abc"))
    bulk.carry_out(found.pk)
    client.force_login(moderator)
    answer = client.post(reverse("admin:archive_decision_undo", args=[whole(found).pk]), {"reason": "too fast"})
    undoing = Bulk.objects.get(undoes_id=found.decision_id)
    assert answer.headers["Location"] == undoing.get_absolute_url()
    bulk.carry_out(undoing.pk)
    assert "3 given their earlier state back" in client.get(undoing.get_absolute_url()).text
