"""The moderators' queue page: what it shows, what its buttons do with and without the script, and its queries."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts.models import User
from archive import moderation, queries, queue, rules
from archive.admin import narrowing
from archive.models import Comment, Report, Review, Rule, Site, Waiting
from archive.queue import DUPLICATE, HELD, REPORT, Item
from tests.makers import comments_of, make_article, make_user

pytestmark = pytest.mark.django_db
PAGE = "admin:queue"
JSON = {"Accept": "application/json"}


@pytest.fixture
def moderator(client: Client) -> User:
    user = make_user("moderator")
    client.force_login(user)
    return user


def report(comment: Comment, reason: str = "an insult") -> int:
    Report.objects.create(article_id=comment.article_id, comment_id=comment.pk, reason=reason, snapshot=comment.body)
    queue.put([Item(REPORT, comment.article_id, comment.pk, {}, 1)])
    return Waiting.objects.get(kind=REPORT, comment_id=comment.pk, settled_at=None).pk


def sent(pk: int, action: str, **fields: Any) -> dict[str, Any]:
    item = Waiting.objects.get(pk=pk)
    version = Comment.objects.values_list("version", flat=True).get(pk=item.comment_id or 0)
    seen = queries.decisions().last_number()
    return {"action": action, "seen": seen, "version": version, **fields}


def decide(client: Client, pk: int, action: str, **fields: Any) -> Any:
    return client.post(reverse("admin:queue-decide", args=[pk]), sent(pk, action, **fields), headers=JSON)


def text_of(answer: Any) -> str:
    return str(answer.content.decode())


@pytest.mark.parametrize(("role", "status"), [("reader", 404), ("archivist", 200), ("moderator", 200)])
def test_who_works_here_may_open_it(client: Client, role: str, status: int) -> None:
    client.force_login(make_user(role))
    assert client.get(reverse(PAGE)).status_code == status


def test_an_archivist_sees_reviews_and_no_reports(client: Client) -> None:
    article = make_article(comments="a")
    pk = report(comments_of(article)[0])
    Review.objects.create(article=article, is_open=True)
    queue.follow_reviews([article.pk])
    client.force_login(make_user("archivist"))
    shown = client.get(reverse(PAGE))
    assert [row.kind.name for row in shown.context["rows"]] == ["review"]
    assert client.get(reverse("admin:queue-card", args=[pk])).status_code == 404
    assert client.post(reverse("admin:queue-decide", args=[pk]), {"action": "hide"}).status_code == 404


def test_a_card_shows_the_comment_in_its_thread_and_why_it_waits(client: Client, moderator: User) -> None:
    article = make_article(comments="a(b(c)d)e")
    report(comments_of(article)[1], "it names me")
    shown = client.get(reverse(PAGE)).context
    assert ([one.row.shown_html for one in shown["before"]], shown["comment"].body) == (["<p>a</p>"], "b")
    assert [one.role for one in shown["after"]] == ["below", "beside", "beside"]
    assert [reason.words for reason in shown["reasons"]] == ["A reader says: it names me"]


def test_what_a_rule_matched_is_marked(client: Client, moderator: User) -> None:
    (comment,) = comments_of(make_article(comments=["You <b>fool</b> & friend"]))
    why = {"rules": [{"rule": 1, "name": "insults", "version": 2, "at": [[7, 11]]}]}
    queue.put([Item(HELD, comment.article_id, comment.pk, why)])
    shown = text_of(client.get(reverse(PAGE)))
    assert "You &lt;b&gt;<mark>fool</mark>&lt;/b&gt; &amp; friend" in shown
    assert "insults, version 2" in shown


@pytest.mark.parametrize(("action", "state"), [("approve", "published"), ("hide", "hidden"), ("spam", "spam")])
def test_each_button_decides(client: Client, moderator: User, action: str, state: str) -> None:
    (comment,) = comments_of(make_article(comments="a"))
    pk = report(comment)
    answer = decide(client, pk, action, reason="insult").json()
    comment.refresh_from_db()
    assert (comment.status, answer["problem"], answer["what"][str(pk)][1]) == (state, "", True)


def test_the_answer_brings_the_next_card(client: Client, moderator: User) -> None:
    first, second = (report(one) for one in comments_of(make_article(comments="ab")))
    answer = decide(client, first, "spam", next=second).json()
    assert answer["at"] == second
    assert f'data-id="{second}"' in answer["card"]


def test_a_stale_decision_is_refused_with_what_changed(client: Client, moderator: User) -> None:
    (comment,) = comments_of(make_article(comments="a"))
    pk = report(comment)
    stale = sent(pk, "approve")
    moderation.hide(comment, by=make_user("moderator", username="anna"), reason="insult")
    answer = client.post(reverse("admin:queue-decide", args=[pk]), stale, headers=JSON)
    assert answer.status_code == 409
    assert "hidden by a moderator now" in answer.json()["problem"]
    assert "by anna" in answer.json()["what"][str(pk)][0]


def test_hiding_needs_a_reason_and_remembers_it(client: Client, moderator: User) -> None:
    first, second = (report(one) for one in comments_of(make_article(comments="ab")))
    assert "reason" in decide(client, first, "hide").json()["problem"]
    assert (
        'value="names a neighbour"'
        in decide(client, first, "hide", reason="names a neighbour", next=second).json()["card"]
    )


def test_replies_go_with_it_only_if_asked(client: Client, moderator: User) -> None:
    comments = comments_of(make_article(comments="a(b(c))d"))
    pk = report(comments[0])
    assert "with 2 below it" in decide(client, pk, "hide", reason="insult", replies="1").json()["said"]
    assert list(Comment.objects.order_by("position").values_list("status", flat=True)) == [*["hidden"] * 3, "published"]


def test_undo_opens_the_last_card_again_and_then_the_one_before(client: Client, moderator: User) -> None:
    first, second = (report(one) for one in comments_of(make_article(comments="ab")))
    decide(client, first, "hide", reason="insult")
    decide(client, second, "spam")
    undone = [client.post(reverse("admin:queue-undo"), headers=JSON).json()["at"] for _ in range(2)]
    assert undone == [second, first]
    assert set(Comment.objects.values_list("status", flat=True)) == {"published"}
    assert client.post(reverse("admin:queue-undo"), headers=JSON).status_code == 409


def test_a_claim_is_seen_by_others(client: Client, moderator: User) -> None:
    pk = report(comments_of(make_article(comments="a"))[0])
    decide(client, pk, "claim")
    client.force_login(make_user("moderator"))
    news = client.get(reverse("admin:queue-news"), {"ids": f"{pk},x,"}).json()["what"]
    assert f"with {moderator.username}" in news[str(pk)][0]
    assert decide(client, pk, "claim").status_code == 409


def test_without_a_script_a_form_leads_back_to_the_next_card(client: Client, moderator: User) -> None:
    first, second = (report(one) for one in comments_of(make_article(comments="ab")))
    url = reverse("admin:queue-decide", args=[first])
    answer = client.post(url, sent(first, "spam", next=second, query="kind=report&card=1"))
    assert answer.headers["Location"] == f"{reverse(PAGE)}?kind=report&card={second}"


def test_a_comment_that_is_gone_can_be_taken_off_the_list(client: Client, moderator: User) -> None:
    (comment,) = comments_of(make_article(comments="a"))
    pk = report(comment)
    Comment.objects.all().delete()
    assert "No longer in the archive" in text_of(client.get(reverse(PAGE)))
    client.post(reverse("admin:queue-decide", args=[pk]), {"action": "dismiss"})
    assert queue.counts() == {}


@pytest.mark.parametrize(
    "query", ["kind=nothing", "site=x", "rule=-1", "age=old", "after=x,y", "after=nan,1", "card=99", "q=%00"]
)
def test_nonsense_in_the_address_is_no_error(client: Client, moderator: User, query: str) -> None:
    report(comments_of(make_article(comments="a"))[0])
    assert client.get(f"{reverse(PAGE)}?{query}").status_code == 200


def test_the_list_is_narrowed(client: Client, moderator: User) -> None:
    comments = comments_of(make_article(comments=["the red bus", "the blue bus"]))
    report(comments[0])
    queue.put([Item(DUPLICATE, comments[1].article_id, comments[1].pk, {"first": comments[0].pk})])

    def found(query: str) -> list[int | None]:
        return [row.item.comment_id for row in client.get(f"{reverse(PAGE)}?{query}").context["rows"]]

    red, blue = (comment.pk for comment in comments)
    assert [found("kind=report"), found("q=BLUE"), found("age=day"), found("site=999999")] == [[red], [blue], [], []]


def test_a_card_names_the_words_that_were_matched(client: Client, moderator: User) -> None:
    (comment,) = comments_of(make_article(comments=["You fool, you  old fool"]))
    why = {"rules": [{"rule": 1, "name": "insults", "version": 2, "at": [[4, 8], [19, 23], [10, 18], [90, 99]]}]}
    queue.put([Item(HELD, comment.article_id, comment.pk, why)])
    assert client.get(reverse(PAGE)).context["reasons"][0].matched == ["fool", "you old"]


def test_what_a_rule_took_for_spam_shows_the_rule_and_the_word(client: Client, moderator: User) -> None:
    comment, repeated = comments_of(make_article(comments=["Buy pills now", "an innocent text"]))
    pk = report(comment)
    rule = Rule(name="pills, cheap", kind="words", action="spam", body="pill*")
    rules.save(rule, by=moderator)
    Rule.objects.update(is_on=True)
    rules.apply(comment.article_id, comment.article.site_id)
    rule.body = "something else by now"
    rules.save(rule, by=moderator)
    card = text_of(client.get(reverse("admin:queue-card", args=[pk])))
    assert "pills, cheap, version 1" in card
    assert "Buy <mark>pills</mark> now" in card
    shown = text_of(client.get(reverse("admin:archive_comment_change", args=[comment.pk])))
    assert "pills, cheap, version 1: “pills”" in shown
    assert "pills, cheap" not in text_of(client.get(reverse("admin:archive_comment_change", args=[repeated.pk])))


def held(comment: Comment, *by: Rule) -> None:
    whys = [{"rule": rule.pk, "name": rule.name, "version": 1, "at": []} for rule in by]
    queue.put([Item(HELD, comment.article_id, comment.pk, {"rules": whys})])


def make_rule(name: str) -> Rule:
    return Rule.objects.create(name=name, version=1, kind="words", action="hold", body="x")


def test_a_rule_that_holds_something_can_be_chosen(client: Client, moderator: User) -> None:
    first, second = comments_of(make_article(comments="ab"))
    insults, links, idle = (make_rule(name) for name in ("insults", "links", "idle"))
    held(first, insults, links)
    held(second, links)
    shown = client.get(f"{reverse(PAGE)}?rule={links.pk}").context
    assert ([rule.name for rule in shown["rules"]], [row.item.comment_id for row in shown["rows"]]) == (
        ["insults", "links"],
        [second.pk],
    )
    assert client.get(f"{reverse(PAGE)}?rule={idle.pk}").context["holds_nothing"]


def test_rules_that_hold_something_elsewhere_are_not_named(client: Client) -> None:
    held(comments_of(make_article(comments="a"))[0], make_rule("insults"))
    client.force_login(make_user("moderator", only_on=Site.objects.create(name="Mine", slug="mine")))
    assert client.get(reverse(PAGE)).context["rules"] == []


def test_words_are_found_however_far_down(client: Client, moderator: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(narrowing, "LOOKED_THROUGH", 3)
    for one in comments_of(make_article(comments=["a", "b", "a quokka", "c", "d", "e", "a quokka"])):
        report(one)
    found, looked, url = [], [], "?q=quokka"
    while url:
        shown = client.get(reverse(PAGE) + url).context
        found += [row.excerpt for row in shown["rows"]]
        looked.append(shown["looked_through"])
        url = shown["next_page"]
    assert (found, looked) == (["a quokka", "a quokka"], [3, 6, 0])


def test_words_in_names_and_in_titles_of_what_is_to_review_are_found(client: Client) -> None:
    article = make_article(title="The quokka", comments="a")
    Review.objects.create(article=article, is_open=True)
    queue.follow_reviews([article.pk])
    Comment.objects.update(author_name="Mr Quokka")
    report(comments_of(article)[0])
    client.force_login(make_user("administrator"))
    assert len(client.get(f"{reverse(PAGE)}?q=QUOKKA").context["rows"]) == 2


def test_a_card_of_a_later_page_is_opened_on_that_page(client: Client, moderator: User) -> None:
    for one in comments_of(make_article(comments=[str(n) for n in range(60)])):
        report(one)
    shown = client.get(reverse(PAGE) + client.get(reverse(PAGE)).context["next_page"]).context
    again = client.get(reverse(PAGE) + shown["rows"][3].url).context
    assert [row.item.pk for row in again["rows"]] == [row.item.pk for row in shown["rows"]]


def test_pages_follow_each_other_without_gap_or_repeat(client: Client, moderator: User) -> None:
    for one in comments_of(make_article(comments=[str(n) for n in range(120)])):
        report(one)
    seen: list[int] = []
    url = reverse(PAGE)
    while url:
        shown = client.get(url).context
        seen += [row.item.pk for row in shown["rows"]]
        url = shown["next_page"] and reverse(PAGE) + shown["next_page"]
    assert seen == list(Waiting.objects.order_by("-score", "pk").values_list("pk", flat=True))


def test_the_page_takes_as_many_queries_for_3_as_for_300(client: Client, moderator: User) -> None:
    counts = []
    for size in (3, 300):
        article = make_article(comments=[str(n) for n in range(size)])
        for one in comments_of(article):
            report(one)
        with CaptureQueriesContext(
            connection,
        ) as found:
            client.get(reverse(PAGE))
        counts.append(len(found))
    # session, person, rights (2); list, counts, sites, views, rules; comments, articles of the list; card: article,
    # comment, reports, ancestors, neighbours, decisions, last number
    assert counts[0] == counts[1] <= 18, counts


def several(client: Client, **sent: Any) -> Any:
    seen = queries.decisions().last_number()
    return client.post(reverse("admin:queue-several"), {"reason": "off topic", "seen": seen, **sent}, follow=True)


def test_several_are_previewed_and_decided_on_as_one(client: Client, moderator: User) -> None:
    pks = [report(one) for one in comments_of(make_article(comments="abc"))]
    assert "2 comments: 2 reported by readers" in text_of(
        client.get(reverse("admin:queue-several"), {"chosen": pks[:2]})
    )
    assert "2 hidden" in text_of(several(client, chosen=pks[:2], action="hide"))
    assert list(Comment.objects.order_by("position").values_list("status", flat=True)) == [
        "hidden",
        "hidden",
        "published",
    ]
    client.post(reverse("admin:queue-undo"))
    assert set(Comment.objects.values_list("status", flat=True)) == {"published"}


def test_all_that_match_are_decided_on_but_for_what_was_decided_since(client: Client, moderator: User) -> None:
    first, other = comments_of(make_article(comments=["a red bus", "a blue bus"]))
    for one in (first, other):
        report(one)
    answer = several(client, all="1", q="red", action="spam")
    assert "1 marked as spam" in text_of(answer)
    seen = 0
    moderation.decide(other, action="hide", by=make_user("moderator"), reason="insult")
    report(other)
    late = several(client, all="1", action="approve", seen=seen)
    assert "decided on since you saw it" in text_of(late)


def test_several_of_nothing_is_said(client: Client, moderator: User) -> None:
    assert "Nothing that waits was chosen" in text_of(
        client.get(reverse("admin:queue-several"), {"chosen": ["x", "9"]})
    )
    assert "Nothing that waits was chosen" in text_of(several(client, action="hide"))


def test_several_are_for_moderators_and_need_a_reason(client: Client, moderator: User) -> None:
    pk = report(comments_of(make_article(comments="a"))[0])
    assert several(client, chosen=[pk], action="hide", reason="").status_code == 422
    client.force_login(make_user("archivist"))
    assert several(client, chosen=[pk], action="hide").status_code == 404
