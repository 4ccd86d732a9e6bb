"""Rules: what they hit, in linear time; tried before they are used; in the transaction of what they hide."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from hypothesis import given
from hypothesis import strategies as st

from accounts.models import User
from archive import bulk, decision_log, moderation, queue, rules
from archive.ingest import loader
from archive.ingest.records import Discussion, Post
from archive.models import Article, Bulk, Comment, Decision, Rule, RuleVersion, Source, Trial, TrialHit, Waiting
from tests.makers import comments_of, make_article, make_user

db = pytest.mark.django_db


def a_rule(body: str = "fool", kind: str = "words", action: str = "hold", **fields: Any) -> Rule:
    return Rule(name="insults", kind=kind, action=action, body=body, **fields)


@pytest.fixture
def moderator() -> User:
    return make_user("moderator")


def in_use(rule: Rule, by: User) -> Rule:
    assert rules.save(rule, by=by) is None
    rules.run_trial(rules.start_trial(rule).pk)
    assert rules.switch(rule, on=True, by=by) is None
    return rule


def load(*texts: str, key: str = "d") -> Article:
    source = Source.objects.get_or_create(sha256="0" * 64, name="x", size=0)[0]
    posts = [Post(external_id=str(n), text=text) for n, text in enumerate(texts)]
    found = Discussion(key=key, title="T", body="", comments=posts)
    stored = loader.store(found, source=source, site=loader.site_named("Example"))
    return Article.objects.get(pk=stored.article_id or 0)


def states() -> list[str]:
    return list(Comment.objects.order_by("article_id", "position").values_list("status", flat=True))


@pytest.mark.parametrize(
    ("words", "text", "said"),
    [
        ("fool", "You FOOL!", ["FOOL"]),
        ("fool", "foolish tomfool", []),
        ("fool*", "foolish tomfool", ["foolish"]),
        ("idiot\nold fool", "an old\n fool, an idiot", ["old\n fool", "idiot"]),
        ("дурак", "Ты дурак.", ["дурак"]),
        ("a+b", "a+b aab", ["a+b"]),
        ("fool\nidiot", "fool idiot fool", ["fool", "idiot", "fool"]),
    ],
)
def test_words_are_found_as_whole_words(words: str, text: str, said: list[str]) -> None:
    assert [text[start:end] for start, end in rules.places_in(a_rule(words), text)] == said


@given(st.text(), st.text(min_size=1, max_size=20))
def test_places_are_of_code_points_whatever_the_text(before: str, word: str) -> None:
    if rules.problem_of("words", "hold", word, 0):
        return
    for start, end in rules.places_in(a_rule(word), f"{before} {word} {before}"):
        assert 0 <= start < end <= 2 * len(before) + len(word) + 2


@pytest.mark.parametrize(
    ("kind", "body", "most"),
    [
        ("pattern", "(", 0),
        ("pattern", "a*", 0),
        ("pattern", r"(a)\1", 0),
        ("pattern", "x{1000}{1000}", 0),
        ("pattern", "x" * 1001, 0),
        ("words", "", 0),
        ("words", "*", 0),
        ("words", "x" * 101, 0),
        ("words", "\n".join(f"w{n}" for n in range(5001)), 0),
        ("links", "", -1),
        ("else", "x", 0),
    ],
)
def test_what_cannot_be_a_rule_is_said(kind: str, body: str, most: int) -> None:
    problem = rules.problem_of(kind, "hold", body, most)
    assert problem is not None
    assert problem.why


def test_five_thousand_words_are_one_rule() -> None:
    body = "\n".join(f"word{n}" for n in range(5000))
    assert rules.problem_of("words", "hold", body, 0) is None
    assert len(rules.places_in(a_rule(body), "here is word4999, once")) == 1


def test_a_hostile_pattern_comes_to_an_end() -> None:
    hostile = a_rule(r"(a|aa)*(a|aa)*(a|aa)*b", kind="pattern")
    assert rules.places_in(hostile, "a" * rules.MAX_SEARCHED) == []


def test_links_are_counted_and_repeated_texts_compared() -> None:
    links = a_rule("", kind="links", most=1)
    assert rules.places_in(links, "http://a.example") == []
    assert len(rules.places_in(links, "http://a.example and www.b.example")) == 2
    repeated = a_rule("", kind="repeated", most=1)
    texts = [
        (1, "Buy these pills at once"),
        (2, "buy  these pills at ONCE"),
        (3, "something else is said"),
        (4, "ok"),
        (5, "ok"),
    ]
    assert [hit.comment_id for hit in rules.hits_in(repeated, texts)] == [2]


@db
def test_what_comes_in_is_held_before_anybody_sees_it(moderator: User) -> None:
    rule = in_use(a_rule(), moderator)
    article = load("you fool", "a kind word")
    assert (states(), article.comment_count) == (["held", "published"], 1)
    row = Waiting.objects.get(kind=queue.HELD)
    assert row.why == {"rules": [{"rule": rule.pk, "name": "insults", "version": 1, "at": [[4, 8]]}]}
    entry = Decision.objects.get(target="comment", target_id__isnull=False)
    assert (entry.cause, entry.actor_id, entry.actor_name) == ("rule", None, f"rule {rule.pk}")
    assert decision_log.verify().broken == 0


@db
def test_what_is_spam_does_not_wait(moderator: User) -> None:
    in_use(a_rule(), moderator)
    in_use(a_rule("pills", action="spam"), moderator)
    load("you fool, buy pills")
    assert (states(), queue.counts()) == (["spam"], {})


@db
def test_a_rule_of_another_site_and_one_that_is_off_do_nothing(moderator: User) -> None:
    in_use(a_rule(site=loader.site_named("Other")), moderator)
    rules.switch(in_use(a_rule(), moderator), on=False, by=moderator)
    load("you fool")
    assert states() == ["published"]


@db
def test_what_a_person_approved_no_rule_touches_again(moderator: User) -> None:
    in_use(a_rule(), moderator)
    load("you fool")
    moderation.decide(Comment.objects.get(), action="approve", by=moderator)
    load("you fool", "another one")
    assert states() == ["published", "published"]


@db
def test_a_rule_is_tried_before_it_is_switched_on(moderator: User) -> None:
    rule = a_rule()
    rules.save(rule, by=moderator)
    problem = rules.switch(rule, on=True, by=moderator)
    assert problem is not None
    assert "try it on the archive first" in problem.why
    in_use(rule, moderator)
    assert Rule.objects.get().is_on


@db
def test_a_change_is_a_new_version_that_is_off(moderator: User) -> None:
    rule = in_use(a_rule(), moderator)
    rule.body = "idiot"
    rules.save(rule, by=moderator)
    assert (Rule.objects.get().is_on, rules.tried(rule)) == (False, None)
    assert list(RuleVersion.objects.values_list("number", "body")) == [(2, "idiot"), (1, "fool")]
    assert [e.action for e in Decision.objects.filter(target="rule").order_by("pk")] == ["open", "change", "change"]


@db
def test_a_trial_decides_nothing_and_names_each_hit(moderator: User) -> None:
    make_article(comments=["you fool", "kind", "old fool"])
    rules.save(rule := a_rule(), by=moderator)
    rules.run_trial(rules.start_trial(rule).pk)
    trial = Trial.objects.get()
    assert (trial.hits, trial.looked_at, set(states())) == (2, 3, {"published"})
    assert [hit.at for hit in TrialHit.objects.all()] == [[[4, 8]], [[4, 8]]]


@db
def test_a_trial_that_was_killed_goes_on_where_it_was(moderator: User) -> None:
    first, _ = make_article(comments=["fool"]), make_article(comments=["fool"])
    rules.save(rule := a_rule(), by=moderator)
    trial = rules.start_trial(rule)
    Trial.objects.update(after_article=first.pk, hits=1, looked_at=1)
    rules.run_trial(trial.pk)
    rules.run_trial(trial.pk)
    trial.refresh_from_db()
    assert (trial.hits, TrialHit.objects.count()) == (2, 1)


@db
def test_the_archive_is_held_in_one_decision_that_is_undone_as_one(moderator: User) -> None:
    for _ in range(2):
        make_article(comments=["you fool", "kind"])
    rules.save(rule := a_rule(), by=moderator)
    rules.run_trial(rules.start_trial(rule).pk)
    moderation.decide(Comment.objects.order_by("pk")[0], action="approve", by=moderator)  # decided since the trial
    result = bulk.decide_hits(Trial.objects.get().pk, by=moderator)
    assert isinstance(result, Bulk)
    assert (result.changed, result.unchanged, states().count("held")) == (1, 1, 1)
    assert sum(queue.counts().values()) == 1
    bulk.undo(Decision.objects.get(pk=result.decision_id or 0), by=moderator, reason="")
    assert (set(states()), queue.counts()) == ({"published"}, {})


@db
def test_a_trial_of_an_earlier_version_is_not_applied(moderator: User) -> None:
    rules.save(rule := a_rule(), by=moderator)
    rules.run_trial(rules.start_trial(rule).pk)
    rules.save(rule, by=moderator)
    assert isinstance(bulk.decide_hits(Trial.objects.get().pk, by=moderator), moderation.Problem)


@db
@pytest.mark.parametrize(("role", "status"), [("archivist", 404), ("moderator", 200)])
def test_who_moderates_may_open_the_pages(client: Client, moderator: User, role: str, status: int) -> None:
    rules.save(rule := a_rule(), by=moderator)
    client.force_login(make_user(role))
    urls = [reverse("admin:rules"), reverse("admin:rule-new"), reverse("admin:rule", args=[rule.pk])]
    assert [client.get(url).status_code for url in urls] == [status] * 3


@db
def test_a_rule_is_written_tried_and_switched_on_on_its_page(client: Client, moderator: User) -> None:
    make_article(comments=["you <b>fool</b>"])
    client.force_login(moderator)
    sent = {"act": "save", "name": "insults", "kind": "words", "action": "hold", "body": "fool", "most": ""}
    url = client.post(reverse("admin:rule-new"), sent).headers["Location"]
    client.post(url, {"act": "try"})
    rules.run_trial(Trial.objects.get().pk)
    assert "It would hit 1 comment" in client.get(url).text
    assert "you &lt;b&gt;<mark>fool</mark>" in client.get(f"{url}hits/").text
    client.post(url, {"act": "on"})
    client.post(url, {"act": "apply"})
    assert (Rule.objects.get().is_on, states()) == (True, ["held"])


@db
def test_a_pattern_that_cannot_be_used_is_one_clear_message(client: Client, moderator: User) -> None:
    client.force_login(moderator)
    sent = {"act": "save", "name": "x", "kind": "pattern", "action": "hold", "body": "(", "most": "0"}
    answer = client.post(reverse("admin:rule-new"), sent)
    assert (answer.status_code, Rule.objects.count()) == (422, 0)
    assert "This pattern cannot be used" in answer.text


@db
def test_comments_of_hidden_articles_are_not_tried(moderator: User) -> None:
    article = make_article(comments=["fool"])
    moderation.hide(article, by=moderator, reason="insult")
    rules.save(rule := a_rule(), by=moderator)
    rules.run_trial(rules.start_trial(rule).pk)
    assert (Trial.objects.get().looked_at, len(comments_of(article))) == (0, 1)
