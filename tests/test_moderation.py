"""Decisions: what they change, what they log, and their undoing."""

from __future__ import annotations

import hashlib
import json

import pytest
from django.core.management import call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import User
from archive import counters, decision_log, moderation, queries
from archive.decision_log import Machine
from archive.models import Article, Comment, Decision, Entity, FormerComment, Mention, Outbox
from tests.makers import comments_of, make_article, make_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def moderator() -> User:
    return make_user("moderator")


def mention(comment: Comment, entity: Entity) -> None:
    Mention.objects.create(
        article_id=comment.article_id, comment=comment, entity=entity, revision=1, start=0, end=1, surface="a"
    )
    counters.recount_entities([entity.pk])


def chosen(comments: list[Comment]) -> dict[int, list[int]]:
    return {
        article_id: [c.pk for c in comments if c.article_id == article_id]
        for article_id in {c.article_id for c in comments}
    }


def test_a_hidden_comment_is_in_no_list_and_no_count(moderator: User) -> None:
    article = make_article(comments="a(b)c")
    moderation.hide(comments_of(article)[0], by=moderator, reason="insult")
    article.refresh_from_db()
    assert article.comment_count == 2
    assert [c.body for c in queries.comments().visible_to(None).order_by("position")] == ["b", "c"]


def test_its_place_in_the_thread_stays_as_a_tombstone_without_text(moderator: User) -> None:
    article = make_article(comments="a(b)")
    moderation.hide(comments_of(article)[0], by=moderator, reason="insult")
    rows = queries.comments().for_thread_page(article.pk, rank=0, limit=10)
    assert [(row.is_tombstone, row.shown_html) for row in rows] == [(True, ""), (False, "<p>b</p>")]


def test_hiding_raises_the_articles_version_and_tells_the_search(moderator: User) -> None:
    comment = comments_of(make_article(comments="a"))[0]
    moderation.hide(comment, by=moderator, reason="insult")
    assert Article.objects.get().version == 2
    assert Comment.objects.get().version == comment.version
    assert Outbox.objects.values_list("article_id", "comment_ids").get() == (comment.article_id, [comment.pk])


def test_hiding_recounts_the_entities_that_the_text_names(moderator: User) -> None:
    comment = comments_of(make_article(comments="a"))[0]
    entity = Entity.objects.create(kind="person", name="A")
    mention(comment, entity)
    moderation.hide(comment, by=moderator, reason="insult")
    entity.refresh_from_db()
    assert entity.mention_count == 0


def test_restoring_brings_it_back(moderator: User) -> None:
    comment = comments_of(make_article(comments="a"))[0]
    moderation.hide(comment, by=moderator, reason="insult")
    moderation.restore(comment, by=moderator, reason="a mistake")
    assert Comment.objects.get().status == "published"
    assert Article.objects.get().comment_count == 1


def test_hiding_what_is_hidden_writes_nothing_and_says_so(moderator: User) -> None:
    comment = comments_of(make_article(comments="a"))[0]
    moderation.hide(comment, by=moderator, reason="insult")
    again = moderation.hide(comment, by=moderator, reason="insult")
    assert (again.decision, len(again.changed)) == (None, 0)
    assert again.problems[0].why == "nothing to do: it is already hidden by a moderator"
    assert (Decision.objects.count(), Article.objects.get().version) == (1, 2)


@pytest.mark.parametrize("reason", ["", "   ", "x" * 501, "a\0b"])
def test_a_decision_needs_a_reason_that_can_be_kept(moderator: User, reason: str) -> None:
    result = moderation.hide(comments_of(make_article(comments="a"))[0], by=moderator, reason=reason)
    assert (result.decision, len(result.problems), Decision.objects.count()) == (None, 1, 0)


def test_only_a_user_decides() -> None:
    with pytest.raises(TypeError):
        moderation.hide(comments_of(make_article(comments="a"))[0], by="someone", reason="x")  # type: ignore[arg-type]


def test_what_was_erased_cannot_be_restored(moderator: User) -> None:
    comment = comments_of(make_article(comments="a"))[0]
    Comment.objects.update(status=Comment.Status.ERASED)
    assert moderation.restore(comment, by=moderator, reason="x").decision is None
    assert Comment.objects.get().status == "erased"


def test_a_hidden_article_takes_its_comments_out_of_sight_and_its_entities_out_of_the_count(moderator: User) -> None:
    article = make_article(comments="ab")
    entity = Entity.objects.create(kind="person", name="A")
    mention(comments_of(article)[0], entity)
    moderation.hide(article, by=moderator, reason="wrong site")
    entity.refresh_from_db()
    assert (queries.comments().visible_to(None).count(), entity.mention_count) == (0, 0)
    assert Outbox.objects.get().comment_ids is None


def test_undo_gives_the_earlier_state_back_and_is_a_decision_itself(moderator: User) -> None:
    comment = comments_of(make_article(comments="a"))[0]
    Comment.objects.update(status=Comment.Status.SPAM)
    hidden = moderation.hide(comment, by=moderator, reason="insult").decision
    assert hidden is not None
    undone = moderation.undo(hidden, by=moderator).decision
    assert undone is not None
    assert (undone.action, undone.undoes_id, undone.to_state) == ("undo", hidden.pk, "spam")
    assert Comment.objects.get().status == "spam"


def test_an_undo_can_be_undone(moderator: User) -> None:
    comment = comments_of(make_article(comments="a"))[0]
    hidden = moderation.hide(comment, by=moderator, reason="insult").decision
    assert hidden is not None
    undone = moderation.undo(hidden, by=moderator).decision
    assert undone is not None
    moderation.undo(undone, by=moderator)
    assert Comment.objects.get().status == "hidden"


def test_undo_does_not_overrule_a_newer_decision(moderator: User) -> None:
    comment = comments_of(make_article(comments="a"))[0]
    first = moderation.hide(comment, by=moderator, reason="insult").decision
    assert first is not None
    moderation.restore(comment, by=moderator, reason="x")
    newest = moderation.hide(comment, by=moderator, reason="a judge asked").decision
    assert newest is not None
    result = moderation.undo(first, by=moderator)
    assert result.decision is None
    assert result.problems[0].why == f"it was decided on again since, by decision {newest.pk}"


def test_a_bulk_decision_has_one_child_for_each_comment_that_changed(moderator: User) -> None:
    comments = comments_of(make_article(comments="abc")) + comments_of(make_article(comments="d"))
    moderation.hide(comments[0], by=moderator, reason="insult")
    result = moderation.decide_many(chosen(comments), action="hide", by=moderator, reason="spam")
    assert result.decision is not None
    assert (result.decision.action, result.decision.target_id) == ("bulk", None)
    children = Decision.objects.filter(parent_id=result.decision.pk)
    assert {child.target_id for child in children} == {c.pk for c in comments[1:]}
    assert [problem.key for problem in result.problems] == [moderation.key_of(comments[0])]


def test_the_statements_of_a_bulk_decision_do_not_grow_with_its_comments(moderator: User) -> None:
    counts = []
    for letters in ("abc", "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"):
        comments = comments_of(make_article(comments=letters))
        with CaptureQueriesContext(
            connection,
        ) as seen:
            moderation.decide_many(chosen(comments), action="hide", by=moderator, reason="spam")
        counts.append(len(seen))
    assert counts[0] == counts[1]


def test_undo_of_a_bulk_decision_leaves_what_was_decided_on_since(moderator: User) -> None:
    comments = comments_of(make_article(comments="abc"))
    bulk = moderation.decide_many(chosen(comments), action="hide", by=moderator, reason="spam").decision
    assert bulk is not None
    moderation.restore(comments[1], by=moderator, reason="not spam")
    result = moderation.undo(bulk, by=moderator)
    assert {key.target_id for key in result.changed} == {comments[0].pk, comments[2].pk}
    assert [problem.key for problem in result.problems] == [moderation.key_of(comments[1])]
    assert set(Comment.objects.values_list("status", flat=True)) == {"published"}


def test_the_log_of_honest_decisions_is_whole(moderator: User) -> None:
    comments = comments_of(make_article(comments="abc"))
    bulk = moderation.decide_many(chosen(comments), action="hide", by=moderator, reason="spam").decision
    assert bulk is not None
    moderation.undo(bulk, by=moderator, reason="too fast")
    found = decision_log.verify()
    assert (found.entries, found.broken) == (8, 0)
    assert found.head == Decision.objects.order_by("-pk").values_list("hash", flat=True)[0]


@pytest.mark.parametrize("field", ["reason", "actor_name", "to_state", "article_id", "at"])
def test_a_changed_entry_is_found(moderator: User, field: str) -> None:
    comments = comments_of(make_article(comments="abc"))
    made = [moderation.hide(comment, by=moderator, reason="insult").decision for comment in comments]
    changed = {"article_id": -1, "at": "2001-01-01T00:00Z"}.get(field, "else")
    Decision.objects.filter(pk=made[1].pk if made[1] else 0).update(**{field: changed})
    assert [(b.decision_id, b.why) for b in decision_log.verify().breaks] == [
        (made[1] and made[1].pk, "it was changed after it was written")
    ]


def test_a_removed_entry_is_found(moderator: User) -> None:
    for comment in comments_of(make_article(comments="abc")):
        moderation.hide(comment, by=moderator, reason="insult")
    Decision.objects.order_by("pk")[1].delete()
    assert [b.why for b in decision_log.verify().breaks] == ["an entry before it was removed, added or changed"]


def test_a_cut_end_shows_against_a_published_head(moderator: User) -> None:
    for comment in comments_of(make_article(comments="ab")):
        moderation.hide(comment, by=moderator, reason="insult")
    head = decision_log.verify().head
    assert decision_log.verify(head).published_found
    Decision.objects.order_by("-pk")[0].delete()
    assert not decision_log.verify(head).published_found


def test_the_command_prints_the_head_and_fails_on_a_break(moderator: User, capsys: pytest.CaptureFixture[str]) -> None:
    moderation.hide(comments_of(make_article(comments="a"))[0], by=moderator, reason="insult")
    call_command("verify_log")
    assert Decision.objects.get().hash in capsys.readouterr().out
    Decision.objects.update(reason="else")
    with pytest.raises(SystemExit) as stopped:
        call_command("verify_log")
    assert stopped.value.code == 1


def test_entries_from_before_a_column_keep_their_hash(moderator: User) -> None:
    (comment,) = comments_of(make_article(comments="a"))
    entry = moderation.hide(comment, by=moderator, reason="insult").decision
    assert entry is not None
    with_cause = entry.hash
    entry.cause, entry.said, entry.reason_digest = "", None, ""
    fields = {name: getattr(entry, name) for name in decision_log.HASHED if name not in decision_log.LATER}
    fields["at"] = entry.at.isoformat(timespec="microseconds")
    as_before = json.dumps(fields, sort_keys=True, separators=(",", ":"))
    assert decision_log.hash_of(entry) == hashlib.sha256(as_before.encode()).hexdigest() != with_cause


def test_undoing_gives_the_cause_back(moderator: User) -> None:
    article = make_article(comments="a")
    (comment,) = comments_of(article)
    moderation.decide_many({article.pk: [comment.pk]}, action="hide", by=Machine("rule 1"), reason="x", cause="rule")
    restored = moderation.restore(comment, by=moderator, reason="harmless").decision
    assert restored is not None
    moderation.undo(restored, by=moderator)
    comment.refresh_from_db()
    assert (comment.status, comment.cause) == ("hidden", "rule")


@pytest.mark.parametrize(("action", "state"), [("hold", "held"), ("spam", "spam"), ("approve", "published")])
def test_each_action_leads_to_its_state(moderator: User, action: str, state: str) -> None:
    (comment,) = comments_of(make_article(comments="a"))
    made = moderation.decide(comment, action=action, by=moderator, reason="x").decision
    assert made is not None
    comment.refresh_from_db()
    assert (comment.status, made.to_state, decision_log.verify().broken) == (state, state, 0)


def test_approving_what_is_published_is_logged_and_changes_no_page(moderator: User) -> None:
    (comment,) = comments_of(make_article(comments="a"))
    assert moderation.decide(comment, action="approve", by=moderator).decision
    assert (Article.objects.get().version, Outbox.objects.count()) == (1, 0)


def test_a_decision_on_what_was_decided_since_is_refused_with_what_it_is_now(moderator: User) -> None:
    (comment,) = comments_of(make_article(comments="a"))
    seen = moderation.Seen(queries.decisions().last_number(), comment.version)
    made = moderation.hide(comment, by=moderator, reason="insult").decision
    late = moderation.decide(comment, action="approve", by=make_user("moderator"), seen=seen)
    assert made is not None
    assert [problem.why for problem in late.problems] == [
        f"it was decided on since you saw it, by decision {made.pk}: it is hidden by a moderator now"
    ]


def test_a_decision_on_a_text_that_was_read_anew_is_refused(moderator: User) -> None:
    (comment,) = comments_of(make_article(comments="a"))
    late = moderation.decide(comment, action="spam", by=moderator, reason="spam", seen=moderation.Seen(9, 7))
    assert (late.decision, len(late.problems)) == (None, 1)


def test_undoing_what_was_joined_since_says_where_it_is(moderator: User) -> None:
    article = make_article(comments="ab")
    gone, heir = comments_of(article)
    made = moderation.hide(gone, by=moderator, reason="insult").decision
    FormerComment.objects.create(article=article, comment_id=gone.pk, heir_id=heir.pk, external_key=b"")
    gone.delete()
    assert made is not None
    assert [p.why for p in moderation.undo(made, by=moderator).problems] == [
        f"it was joined into comment {heir.pk} when the discussion was corrected or read again"
    ]
