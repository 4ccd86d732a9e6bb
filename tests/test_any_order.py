"""Whatever people, rules and imports do in whatever order, log, states, counts and queue tell the same."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import transaction
from django.db.models import F, Sum
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from archive import bulk, counters, decision_log, moderation, queries, queue, reports, rules
from archive.ingest import importer
from archive.ingest.readers import READERS
from archive.ingest.records import Discussion, Post, Reading
from archive.models import Article, Bulk, Comment, Decision, Entity, Mention, Rule, Tally, Waiting
from tests.makers import make_user

MARCH = datetime(2017, 3, 14, tzinfo=UTC)
NAMES, WORDS = "abcdef", ("I took that bus for years", "who pays for the taxis then", "lol they never ask")
WHICH = st.integers(0, 9)
ACTIONS = st.sampled_from(["hide", "restore", "approve", "hold", "spam"])
SAID = st.dictionaries(st.sampled_from(NAMES), st.integers(0, 2), min_size=1)


class Lines:
    """A reader of a format that is as small as can be: a line for each comment, its name and what it says."""

    format, version, max_bytes = "lines", "1", 1_000

    def sniff(self, head: bytes, name: str) -> bool:
        return False

    def read(self, data: bytes, *, name: str) -> Reading:
        lines = data.decode().splitlines()
        days = [timedelta(days=len(line) % 5) for line in lines]
        posts = [
            Post(line[0], f"{line[0]}: {line[1:]}", posted_at=MARCH + day)
            for line, day in zip(lines, days, strict=True)
        ]
        found = Discussion(key="d", title="The last bus", body="It ends.", comments=posts)
        return Reading("lines", "1", discussions=[found])


class Moderation(RuleBasedStateMachine):
    """One discussion that is read again and again, while people and a rule decide on its comments."""

    def __init__(self) -> None:
        super().__init__()
        self.run_through = transaction.atomic()
        self.run_through.__enter__()

    def teardown(self) -> None:
        """Each run begins with nothing."""
        transaction.set_rollback(True)
        self.run_through.__exit__(None, None, None)

    @initialize(said=SAID)
    def begin(self, said: dict[str, int]) -> None:
        self.moderator = make_user("moderator")
        self.rule = Rule(name="taxis", kind="words", action="hold", body="taxis")
        assert rules.save(self.rule, by=self.moderator) is None
        rules.run_trial(rules.start_trial(self.rule).pk)
        assert rules.switch(self.rule, on=True, by=self.moderator) is None
        self.read(said)

    @rule(said=SAID)
    def read(self, said: dict[str, int]) -> None:
        """With the real importer: comments come, go and say something else."""
        data = "\n".join(f"{name}{WORDS[n]}" for name, n in sorted(said.items())).encode()
        importer.import_source(data, name="d.lines", format="lines", site="Example")
        entity, _ = Entity.objects.get_or_create(kind="thing", name="bus")
        for comment in self.comments():
            known = {"article_id": comment.article_id, "comment": comment, "start": 0, "end": 1, "extractor": "test"}
            Mention.objects.get_or_create(**known, defaults={"entity": entity, "revision": 1, "surface": "x"})
        counters.recount_entities([entity.pk])

    @rule(which=WHICH, action=ACTIONS)
    def decide(self, which: int, action: str) -> None:
        moderation.decide(self.comment(which), action=action, by=self.moderator, reason="x")

    @rule(which=st.sets(WHICH, min_size=1), action=ACTIONS, stops=st.booleans())
    def decide_on_many(self, which: set[int], action: str, stops: bool) -> None:
        pairs = {(comment.article_id, comment.pk) for comment in map(self.comment, which)}
        self.carry_out(bulk.decide(pairs, action=action, by=self.moderator, reason="x"), stops)

    @rule(back=st.integers(0, 3), stops=st.booleans())
    def undo(self, back: int, stops: bool) -> None:
        entries = queries.decisions().filter(parent_id=None, target="comment").order_by("-pk")[back : back + 1]
        for entry in entries:
            if entry.target_id is None:
                self.carry_out(bulk.undo(entry, by=self.moderator, reason=""), stops)
            else:
                moderation.undo(entry, by=self.moderator)

    @rule(which=WHICH)
    def report(self, which: int) -> None:
        reports.send(self.comment(which), reason="is spam", note="", address=f"10.0.0.{which}")

    @rule()
    def try_the_rule(self) -> None:
        trial = rules.start_trial(self.rule)
        rules.run_trial(trial.pk)
        self.carry_out(bulk.decide_hits(trial.pk, by=self.moderator), stops=False)

    @rule(shown=st.booleans())
    def hide_or_show_the_article(self, shown: bool) -> None:
        action = "restore" if shown else "hide"
        moderation.decide(Article.objects.get(), action=action, by=self.moderator, reason="x")

    @invariant()
    def states_follow_from_the_log(self) -> None:
        changes = Decision.objects.filter(target="comment").exclude(from_state=F("to_state")).order_by("pk")
        last = {entry.target_id: entry for entry in changes}
        for comment in self.comments():
            entry = last.get(comment.pk)
            found = (entry.to_state, entry.cause) if entry else ("published", "")
            assert (comment.status, comment.cause) == found
        assert decision_log.verify().broken == 0

    @invariant()
    def counts_are_those_of_a_recount(self) -> None:
        before = counted()
        counters.recount_articles(Article.objects.values_list("pk", flat=True))
        counters.recount_entities(Entity.objects.values_list("pk", flat=True))
        assert counted() == before

    @invariant()
    def the_queue_counts_what_waits(self) -> None:
        waiting = Counter(Waiting.objects.filter(settled_at=None).values_list("kind", "site_id"))
        assert queue.counts() == dict(waiting)
        held = Waiting.objects.filter(settled_at=None, kind=queue.HELD).values_list("comment_id", flat=True)
        assert set(Comment.objects.filter(pk__in=held).values_list("status", flat=True)) <= {"held"}

    def carry_out(self, asked: Bulk | moderation.Problem, stops: bool) -> None:
        if isinstance(asked, Bulk):
            bulk.carry_out_part(asked.pk)
            if stops:
                bulk.stop(asked.pk)
            bulk.carry_out(asked.pk)

    def comments(self) -> list[Comment]:
        return list(Comment.objects.order_by("position"))

    def comment(self, which: int) -> Comment:
        found = self.comments()
        return found[which % len(found)]


def counted() -> list[Any]:
    articles = Article.objects.values_list("comment_count", "last_comment_at", "activity")
    tallies = Tally.objects.order_by("month", "site_id").values_list("month", "site_id")
    sums = tallies.annotate(articles=Sum("articles"), comments=Sum("comments"))
    shown = [row for row in sums if any(row[2:])]
    return [*articles, *Entity.objects.order_by("pk").values_list("mention_count"), *shown]


@pytest.mark.django_db
def test_whatever_happens_the_log_tells_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(READERS, "lines", Lines())
    monkeypatch.setattr(bulk, "AT_ONCE", 2)
    monkeypatch.setattr(bulk, "IN_REQUEST", 0)
    limits = settings(max_examples=20, stateful_step_count=12, deadline=None)
    run_state_machine_as_test(Moderation, settings=limits)
