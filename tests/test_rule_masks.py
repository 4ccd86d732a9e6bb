"""Rules that cover words: before anybody sees them, on the archive, again after an import; and giving them back."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from hypothesis import given
from hypothesis import strategies as st

from accounts.models import User
from archive import cases, decision_log, matching, moderation, redaction, rules
from archive.ingest import importer, loader
from archive.ingest.records import Discussion, Post
from archive.models import (
    Article,
    Comment,
    Decision,
    Entity,
    Masked,
    Mention,
    Revision,
    Rule,
    SearchDocument,
    Source,
    Trial,
)
from archive.scope import Scope
from archive.search import sync
from tests.makers import comments_of, make_article, make_user

db = pytest.mark.django_db


@pytest.fixture
def moderator() -> User:
    return make_user("moderator")


def a_mask(body: str = "fool", kind: str = "words", **fields: Any) -> Rule:
    return Rule(name="insults", kind=kind, action="mask", body=body, **fields)


def in_use(rule: Rule, by: User) -> Rule:
    assert rules.save(rule, by=by) is None
    rules.run_trial(rules.start_trial(rule).pk)
    assert rules.switch(rule, on=True, by=by) is None
    return rule


def applied(rule: Rule, by: User) -> Trial:
    """Tried on the archive, and what it hits is covered."""
    assert rules.save(rule, by=by) is None
    trial = rules.start_trial(rule)
    rules.run_trial(trial.pk)
    trial.refresh_from_db()
    assert rules.mask_later(trial) is None
    rules.mask_hits(trial.pk)
    trial.refresh_from_db()
    return trial


def load(*texts: str, html: str | None = None) -> Article:
    source = Source.objects.get_or_create(sha256="0" * 64, name="x", size=0)[0]
    posts = [Post(external_id=str(n), text=text, html=html) for n, text in enumerate(texts)]
    found = Discussion(key="d", title="T", body="", comments=posts)
    stored = loader.store(found, source=source, site=loader.site_named("Example"))
    return Article.objects.get(pk=stored.article_id or 0)


def bodies() -> list[str]:
    return list(Comment.objects.order_by("article_id", "position").values_list("body", flat=True))


def whole(trial: Trial) -> Decision:
    return Decision.objects.get(pk=trial.decision_id or 0)


@given(st.text(max_size=200), st.text(min_size=1, max_size=20))
def test_what_a_mask_covers_is_found_no_more(text: str, word: str) -> None:
    if rules.problem_of("words", "mask", word, 0):
        return
    seen = redaction.covered(text, matching.marks_in("words", word, text))
    assert len(seen) == len(text)
    assert matching.places_in("words", word, seen) == []


@pytest.mark.parametrize(
    ("kind", "body", "text", "seen"),
    [
        ("words", "fool", "You FOOL, foolish", "You ████, foolish"),
        ("words", "fool\nidiot", "fool idiot fool", "████ █████ ████"),
        ("words", "\U0001f4a9", "so \U0001f4a9 there", "so █ there"),
        ("pattern", r"\d{4}", "call 555-1234 now", "call 555-████ now"),
        ("pattern", "oo", "a fool", "a ████"),
        ("pattern", "(?s).+", "one two three\nfour five six seven eight nine ten", None),
    ],
)
def test_whole_words_are_covered(kind: str, body: str, text: str, seen: str | None) -> None:
    covered = redaction.covered(text, matching.marks_in(kind, body, text))
    assert covered == (seen or redaction.cover(text, [(0, len(text))]))


@pytest.mark.parametrize("kind", ["links", "repeated"])
def test_links_and_repeated_texts_cannot_be_covered(kind: str) -> None:
    problem = rules.problem_of(kind, "mask", "", 1)
    assert problem is not None
    assert "only words and patterns" in problem.why


@db
def test_what_comes_in_is_covered_before_anybody_sees_it(moderator: User) -> None:
    rule = in_use(a_mask(), moderator)
    article = load("you fool, fool", "a kind word")
    assert bodies() == ["you █████ ████", "a kind word"]
    first = comments_of(article)[0]
    assert (first.status, "fool" in first.html) == ("published", False)
    entry = Decision.objects.get(target="words", target_id=first.pk)
    assert (entry.actor_name, entry.cause, entry.to_state) == (f"rule {rule.pk}", "rule", "masked")
    assert entry.detail == {"places": 1}


@db
def test_the_log_names_rule_version_and_places_and_never_the_words(moderator: User) -> None:
    rule = in_use(a_mask(), moderator)
    load("you fool and a fool")
    entry = Decision.objects.get(target="words", target_id=None)
    assert entry.detail == {"rule": rule.pk, "version": 1, "places": 2, "comments": 1}
    assert entry.why == "rule “insults”, version 1"
    assert not [line for line in decision_log.exported() if "fool" in str(line)]
    assert decision_log.verify().broken == 0


@db
def test_what_one_rule_covers_another_holds_all_the_same(moderator: User) -> None:
    in_use(a_mask(), moderator)
    in_use(Rule(name="too", kind="words", action="hold", body="fool"), moderator)
    article = load("you fool")
    assert [(c.body, c.status) for c in comments_of(article)] == [("you ████", "held")]


@db
def test_html_that_was_received_is_covered_as_well(moderator: User) -> None:
    in_use(a_mask("fool\n\U0001f4a9"), moderator)
    article = load("you fool", html='<p>you <em title="fool">fool</em></p>')
    assert "fool" not in comments_of(article)[0].html
    assert "<em" in comments_of(article)[0].html


@db
def test_an_import_that_brings_the_text_again_covers_it_again(moderator: User) -> None:
    rule = in_use(a_mask(), moderator)
    load("you fool")
    rules.switch(rule, on=False, by=moderator)
    load("you fool", "and a fool")
    assert bodies() == ["you ████", "and a fool"]
    assert Masked.objects.filter(field="body", before="you fool").count() == 1


@db
def test_what_a_person_gave_back_no_import_covers_again(moderator: User) -> None:
    in_use(a_mask(), moderator)
    load("you fool")
    moderation.undo(Decision.objects.get(target="words", target_id__isnull=False), by=moderator)
    assert (bodies(), Masked.objects.count()) == (["you fool"], 0)
    load("you fool", "another fool")
    assert bodies() == ["you fool", "another ████"]


@db
def test_the_archive_is_covered_in_one_decision_that_is_undone_as_one(moderator: User) -> None:
    for _ in range(2):
        make_article(comments=["you fool, you fool", "kind"])
    before = bodies()
    trial = applied(a_mask(), moderator)
    assert (trial.places, trial.hits, trial.skipped) == (4, 2, 0)
    assert bodies() == ["you ████, you ████", "kind"] * 2
    assert Decision.objects.filter(parent_id=trial.decision_id).count() == 2
    result = moderation.undo(whole(trial), by=moderator)
    assert (len(result.changed), result.problems, bodies()) == (2, [], before)
    assert moderation.undo(whole(trial), by=moderator).problems
    assert decision_log.verify().broken == 0


@db
def test_an_undoing_is_undone(moderator: User) -> None:
    make_article(comments=["you fool"])
    undone = moderation.undo(whole(applied(a_mask(), moderator)), by=moderator).decision
    assert undone
    again = moderation.undo(undone, by=moderator).decision
    assert again
    assert (again.to_state, bodies()) == ("masked", ["you ████"])
    moderation.undo(again, by=moderator)
    assert (bodies(), Masked.objects.count()) == (["you fool"], 0)


@db
def test_what_was_decided_on_since_the_trial_is_left(moderator: User) -> None:
    article = make_article(comments=["fool one", "fool two"])
    rules.save(rule := a_mask(), by=moderator)
    trial = rules.start_trial(rule)
    rules.run_trial(trial.pk)
    moderation.decide(comments_of(article)[0], action="approve", by=moderator)
    rules.mask_later(Trial.objects.get())
    rules.mask_hits(trial.pk)
    assert (bodies(), Trial.objects.get().skipped) == (["fool one", "████ two"], 1)


@db
def test_a_text_that_was_changed_since_stays_covered_and_is_named(moderator: User) -> None:
    make_article(comments=["fool one", "fool two"])
    trial = applied(a_mask(), moderator)
    Comment.objects.filter(body="████ two").update(body="something else")
    result = moderation.undo(whole(trial), by=moderator)
    assert (len(result.changed), [p.why for p in result.problems]) == (
        1,
        ["its text was changed since: it stays as it is"],
    )
    assert bodies() == ["fool one", "something else"]


@db
def test_search_earlier_texts_and_links_follow(moderator: User) -> None:
    article = make_article(comments=["ask fool here"])
    (comment,) = comments_of(article)
    entity = Entity.objects.create(kind="person", name="Fool", mention_count=1)
    place: Any = {"comment": comment, "entity": entity, "start": 4, "end": 8, "surface": "fool"}
    Mention.objects.create(article=article, revision=1, **place)
    Revision.objects.create(article=article, comment=comment, number=9, cause="x", body="once fool")
    sync.rebuild()
    sync.run()
    trial = applied(a_mask(), moderator)
    entity.refresh_from_db()
    assert (Revision.objects.get().body, entity.mention_count) == ("once ████", 0)
    assert not SearchDocument.objects.filter(vector="fool").exists()
    moderation.undo(whole(trial), by=moderator)
    entity.refresh_from_db()
    mention = Mention.objects.get()
    assert (entity.mention_count, mention.review, mention.surface) == (1, "suggested", "fool")
    assert SearchDocument.objects.filter(vector="fool").exists()
    assert "/entity/" in comments_of(article)[0].html


@db
def test_a_case_over_a_rule_and_a_rule_under_a_case(moderator: User) -> None:
    article = make_article(comments=["Jane Roe, you fool"])
    sync.rebuild()
    sync.run()
    trial = applied(a_mask("roe\nfool"), moderator)
    case = cases.open_case(by=moderator, kind="erasure", requester="R", contact="", basis="x", deadline=None)
    scope = Scope(comments=[comments_of(article)[0].pk])
    cases.set_scope(case, scope, ["Jane Roe", "you"], by=moderator)
    cases.mask(case, by=moderator)
    cases.carry_out(case.pk)
    assert bodies() == ["Jane ███, ███ ████"]
    moderation.undo(whole(trial), by=moderator)
    assert bodies() == ["████ ███, ███ fool"]  # the case looks again at what the rule gave back
    cases.unmask(case, by=moderator)
    cases.carry_out(case.pk)
    assert (bodies(), Masked.objects.count()) == (["Jane Roe, you fool"], 0)


@db
def test_switching_off_leaves_the_words_or_gives_them_back(moderator: User, client: Client) -> None:
    rule = in_use(a_mask(), moderator)
    load("you fool")
    client.force_login(moderator)
    page = reverse("admin:rule", args=[rule.pk])
    assert "It covers words in 1 comment." in client.get(page).text
    client.post(page, {"act": "off"})
    assert "Give the words back" in client.get(page).text
    assert bodies() == ["you ████"]
    assert rules.give_words_back(Rule.objects.get(), by=moderator) == 1
    assert (bodies(), Masked.objects.count()) == (["you fool"], 0)
    again = applied(Rule.objects.get(), moderator)  # nobody has looked at the comment itself
    assert (again.hits, bodies()) == (1, ["you ████"])


@db
def test_a_mask_is_written_tried_and_applied_on_its_page(client: Client, moderator: User) -> None:
    make_article(comments=["you fool, you fool"])
    client.force_login(moderator)
    sent = {"act": "save", "name": "insults", "kind": "words", "action": "mask", "body": "fool", "most": ""}
    url = client.post(reverse("admin:rule-new"), sent).headers["Location"]
    client.post(url, {"act": "try"})
    rules.run_trial(Trial.objects.get().pk)
    assert "It would cover 2 places in 1 comment" in client.get(url).text
    assert "you <mark>fool</mark>, you <mark>fool</mark>" in client.get(f"{url}hits/").text
    client.post(url, {"act": "apply"})
    assert "A worker is covering them" in client.get(url).text
    rules.mask_hits(Trial.objects.get().pk)
    assert "These were covered by" in client.get(url).text
    entry = Decision.objects.get(target="words", target_id=None)
    shown = client.get(reverse("admin:archive_decision_change", args=[entry.pk])).text
    assert f"rule {Rule.objects.get().pk} masked words of several comments" in shown


@db
def test_a_rule_that_cannot_cover_says_so_on_its_form(client: Client, moderator: User) -> None:
    client.force_login(moderator)
    sent = {"act": "save", "name": "x", "kind": "links", "action": "mask", "body": "", "most": "2"}
    answer = client.post(reverse("admin:rule-new"), sent)
    assert (answer.status_code, Rule.objects.count()) == (422, 0)
    assert "Only words and patterns can be covered" in answer.text


@db
def test_the_source_shows_no_word_that_a_rule_has_covered(client: Client, moderator: User) -> None:
    in_use(a_mask(), moderator)
    said = "\n\n{} says:\nMay 3, 2019 at 9:12 am\n{}\nReply"
    data = ("The herons\nOf birds.\n\nComments (2)" + said.format("Ann", "you fool") + said.format("Bo", "ah")).encode()
    importer.import_source(data, name="x.txt", format="text")
    article = Article.objects.get()
    assert Masked.objects.exists()
    assert "fool" not in client.get(reverse("source", args=[article.pk])).text
