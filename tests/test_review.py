"""Reviews: what people corrected is kept apart, logged, guarded against each other, and outlives a new reading."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from io import StringIO
from itertools import pairwise
from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client

from accounts.models import User
from archive import decision_log, moderation, queries, review
from archive.ingest import corrections, importer
from archive.ingest.loader import Outcome
from archive.ingest.readers import plain_text
from archive.ingest.records import Basis, Claim, LeftOut, Post, Span
from archive.models import Article, Comment, Correction, Decision, Entity, Mention, Review, Revision
from tests.makers import make_user

pytestmark = pytest.mark.django_db
TEXT = """\
Library to close its reading room on Sundays
The reading room of the Ostermoor library will close on Sundays from May, the town council said on Tuesday.
Officials said that fewer than forty people a week had used it, according to figures published in March.
I have used that room every Sunday for nine years and I was never counted once.
> I have used that room every Sunday for nine years
And who was supposed to count you? There is no one at the desk on Sundays, that is the whole point!
lol they never ask the people who are actually there
"""


def at(line: int) -> int:
    return sum(len(text) + 1 for text in TEXT.splitlines()[: line - 1])


@pytest.fixture
def archivist() -> User:
    return make_user("archivist")


@pytest.fixture
def article(settings: Any) -> Article:
    """In review, and with the comments that a test can count on: at lines 4, 5 and 7."""
    settings.REVIEW_BELOW = 1
    return imported()


def imported(text: str = TEXT, name: str = "library.txt") -> Article:
    report = importer.import_source(text.encode(), name=name)
    return Article.objects.get(pk=report.article_id or 0)


def do(article: Article, by: User, *operations: dict[str, Any]) -> review.Answer:
    """Carry out operations one by one, each on the newest version; the last answer."""
    for operation in operations:
        version = Review.objects.filter(article_id=article.pk).values_list("version", flat=True).first() or 0
        answer = review.correct(article.pk, operation, version=version, by=by)
        assert not answer.problem, answer.problem
    return answer


def lay_out(article: Article, by: User) -> None:
    """Comments at lines 4, 5 and 7, whatever the machine thinks."""
    wanted = [
        {"op": "article_end", "at": at(3)},
        {"op": "start", "at": at(5)},
        {"op": "start", "at": at(7)},
        {"op": "join", "at": at(6)},
    ]
    for operation in wanted:
        version = Review.objects.filter(article_id=article.pk).values_list("version", flat=True).first() or 0
        review.correct(article.pk, operation, version=version, by=by)


def starts(article: Article) -> list[int]:
    state = review.state_of(Article.objects.select_related("source").get(pk=article.pk))
    assert state is not None
    return sorted(state.outline.comments)


def test_by_default_everything_is_published_at_once() -> None:
    assert imported().status == Article.Status.PUBLISHED


def test_below_the_threshold_an_article_waits_and_no_reader_sees_it(article: Article) -> None:
    assert article.status == Article.Status.IN_REVIEW
    assert Review.objects.get().uncertain > 0
    assert queries.articles().visible_to(None).count() == queries.comments().visible_to(None).count() == 0
    assert queries.articles().workable_by(make_user("archivist")).count() == 1


def test_the_import_says_that_it_waits(settings: Any) -> None:
    settings.REVIEW_BELOW = 1
    assert importer.import_source(TEXT.encode(), name="a.txt").reason.startswith("waits for review")


def test_what_no_page_can_hold_is_published(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.REVIEW_BELOW = 1
    monkeypatch.setattr(corrections, "MAX_LINES", 3)
    article = imported()
    assert (article.status, review.state_of(article)) == ("published", None)


def test_what_is_sure_enough_is_published(settings: Any) -> None:
    settings.REVIEW_BELOW = 0.01
    assert imported().status == Article.Status.PUBLISHED


def silent(settings: Any, monkeypatch: pytest.MonkeyPatch) -> Article:
    """An article in which the reader found no comments, and was not sure of that."""
    found = plain_text.discussion_of

    def other(text: str, recovered: Any, *, key: str, problems: Any = ()) -> Any:
        made = found(text, recovered, key=key, problems=problems)
        doubt = Claim(Basis.INFERRED, 0.61, "reads like an article to the end")
        left = [LeftOut(Span(len(text) - 1, len(text)), "blank")]
        whole = Span(0, len(text) - 1)
        return replace(made, comments=[], article_span=whole, left_out=left, article_claim=doubt)

    monkeypatch.setattr(plain_text, "discussion_of", other)
    settings.REVIEW_BELOW = 0.7
    return imported()


def test_no_comments_is_doubted_like_anything_else(
    client: Client, settings: Any, monkeypatch: pytest.MonkeyPatch, archivist: User
) -> None:
    article = silent(settings, monkeypatch)
    assert (article.status, Review.objects.get().uncertain) == ("in_review", 1)
    client.force_login(archivist)
    asked = client.get(address(article)).context["data"]["none"]
    assert asked == [at(7), 0.61, "reads like an article to the end"]
    answer = post(client, article, {"op": "accept", "at": at(7)}, 0).json()
    assert (answer["said"], answer["none"]) == ("it is right that nobody comments", None)
    assert Review.objects.get().uncertain == 0


def test_comments_in_an_article_without_any_are_found_by_hand(
    settings: Any, monkeypatch: pytest.MonkeyPatch, archivist: User
) -> None:
    article = silent(settings, monkeypatch)
    do(article, archivist, {"op": "start", "at": at(4)})
    assert (starts(article), Review.objects.get().uncertain) == ([at(4)], 0)
    do(article, archivist, {"op": "join", "at": at(4)})
    assert (starts(article), Review.objects.get().uncertain) == ([], 0)  # by a person now, and not in doubt any more


def test_a_correction_is_kept_apart_and_logged(article: Article, archivist: User) -> None:
    lay_out(article, archivist)
    do(article, archivist, {"op": "join", "at": at(7)})
    kept = Correction.objects.order_by("-number")[0]
    entry = Decision.objects.order_by("-pk")[0]
    assert kept.operation["op"] == "join"
    assert (entry.action, entry.target, entry.article_id) == ("correct", "structure", article.pk)
    assert entry.why == kept.words == "line 7 belongs to what stands above it"
    assert decision_log.verify().broken == 0


def test_undo_and_redo_go_all_the_way(article: Article, archivist: User) -> None:
    lay_out(article, archivist)
    laid_out = starts(article)
    do(article, archivist, {"op": "join", "at": at(7)}, {"op": "join", "at": at(5)})
    assert starts(article) == [at(4)]
    do(article, archivist, {"op": "undo"}, {"op": "undo"})
    assert starts(article) == laid_out
    do(article, archivist, {"op": "redo"})
    assert starts(article) == [at(4), at(5)]


def test_undoing_nothing_says_so(article: Article, archivist: User) -> None:
    review.state_of(article)
    assert review.correct(article.pk, {"op": "undo"}, version=0, by=archivist).problem == "there is nothing to undo"


def test_two_archivists_do_not_overwrite_each_other(article: Article, archivist: User) -> None:
    lay_out(article, archivist)
    seen = Review.objects.get().version
    do(article, archivist, {"op": "join", "at": at(7)})
    late = review.correct(article.pk, {"op": "join", "at": at(5)}, version=seen, by=make_user("archivist"))
    assert late.conflict
    assert f"{archivist.username}: line 7 belongs to what stands above it" in late.problem
    assert starts(article) == [at(4), at(5)]


def test_what_changes_nothing_is_not_kept(article: Article, archivist: User) -> None:
    lay_out(article, archivist)
    before = Correction.objects.count()
    answer = review.correct(article.pk, {"op": "start", "at": at(7)}, version=before, by=archivist)
    assert (answer.problem, Correction.objects.count()) == ("nothing to change: it is so already", before)


def test_publishing_makes_the_structure_the_articles_own(article: Article, archivist: User) -> None:
    lay_out(article, archivist)
    do(article, archivist, {"op": "reply", "at": at(5), "to": at(4)}, {"op": "join", "at": at(7)})
    answer = review.publish(article.pk, version=Review.objects.get().version, by=archivist)
    assert answer.problem == ""
    article.refresh_from_db()
    rows = list(Comment.objects.order_by("thread_rank").values_list("span_start", "depth", "parent_basis"))
    assert (article.status, article.comment_count) == ("published", 2)
    assert [row[:2] for row in rows] == [(at(4), 0), (at(5), 1)]
    assert rows[1][2] == "reviewed"
    assert Decision.objects.filter(action="publish").count() == 1


def test_a_published_article_is_reopened_before_it_is_corrected(archivist: User) -> None:
    article = imported()
    review.state_of(article)
    refused = review.correct(article.pk, {"op": "accept_rest"}, version=0, by=archivist)
    assert "reopen it first" in refused.problem
    assert review.reopen(article.pk, by=archivist).problem == ""
    do(article, archivist, {"op": "accept_rest"})
    assert Review.objects.get().uncertain == 0
    assert "open already" in review.reopen(article.pk, by=archivist).problem


def live(article: Article) -> list[tuple[Any, ...]]:
    """What readers see of the discussion."""
    return list(queries.comments().visible_to(None).order_by("pk").values_list("pk", "body", "parent_id", "status"))


def drafted(article: Article, archivist: User) -> list[tuple[Any, ...]]:
    """A published article with a draft beside it, in which line 7 belongs to line 5; what readers see of it."""
    published(article, archivist)
    seen = live(article)
    review.reopen(article.pk, by=archivist)
    do(article, archivist, {"op": "join", "at": at(7)})
    return seen


def test_readers_see_what_was_published_while_it_is_corrected(article: Article, archivist: User) -> None:
    seen = drafted(article, archivist)
    assert len(seen) == 3
    assert live(article) == seen
    assert queries.reviews().waiting().count() == 1
    review.publish(article.pk, version=Review.objects.get().version, by=archivist)
    assert len(live(article)) == 2
    assert queries.reviews().waiting().count() == 0


def test_a_draft_that_is_discarded_leaves_what_was_published(article: Article, archivist: User) -> None:
    seen, before = drafted(article, archivist), starts(article)
    answer = review.discard(article.pk, version=Review.objects.get().version, by=archivist)
    assert (answer.problem, live(article)) == ("", seen)
    assert len(starts(article)) == len(before) + 1
    assert [d.action for d in Decision.objects.order_by("-pk")[:3]] == ["discard", "correct", "reopen"]
    review.reopen(article.pk, by=archivist)
    do(article, archivist, {"op": "undo"}, {"op": "redo"})  # a discarded draft is not among what can be undone
    assert len(starts(article)) == 3


def test_what_was_never_published_cannot_be_discarded(article: Article, archivist: User) -> None:
    lay_out(article, archivist)
    answer = review.discard(article.pk, version=Review.objects.get().version, by=archivist)
    assert "never published" in answer.problem
    assert queries.articles().visible_to(None).count() == 0


def test_discarding_what_somebody_else_changed_is_refused(article: Article, archivist: User) -> None:
    drafted(article, archivist)
    assert review.discard(article.pk, version=Review.objects.get().version - 1, by=archivist).conflict


def test_a_draft_of_a_hidden_article_waits(article: Article, archivist: User) -> None:
    drafted(article, archivist)
    moderation.hide(article, by=make_user("moderator"), reason="libel")
    answer = review.publish(article.pk, version=Review.objects.get().version, by=archivist)
    assert "a moderator has hidden" in answer.problem
    assert (queries.reviews().waiting().count(), queries.articles().visible_to(None).count()) == (0, 0)


def test_a_new_reading_does_not_publish_a_draft(
    article: Article, archivist: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    do(article, archivist, {"op": "accept_rest"})
    drafted(article, archivist)
    newer_reader(monkeypatch)
    assert importer.import_source(TEXT.encode(), name="again.txt").outcome == Outcome.UPDATED
    assert len(starts(article)) == Comment.objects.count() - 1


def test_labels_are_what_was_published(article: Article, archivist: User) -> None:
    drafted(article, archivist)
    assert len(exported()[0]["comments"]) == 3


def test_an_undone_publication_waits_again(article: Article, archivist: User) -> None:
    published(article, archivist)
    moderation.undo(Decision.objects.get(action="publish"), by=make_user("moderator"))
    assert queries.articles().visible_to(None).count() == 0
    assert queries.reviews().waiting().count() == 1


def newer_reader(monkeypatch: pytest.MonkeyPatch) -> None:
    """A reader of a later version, which takes every line from the second on for a comment."""
    found = plain_text.discussion_of

    def other(text: str, recovered: Any, *, key: str, problems: Any = ()) -> Any:
        made = found(text, recovered, key=key, problems=problems)
        spans = [Span(at(n), at(n) + len(line)) for n, line in enumerate(TEXT.splitlines(), 1)]
        posts = [Post(str(span.start), text[slice(*span)], span) for span in spans[1:]]
        gaps = [Span(a.end, b.start) for a, b in pairwise(spans)]
        left = [LeftOut(gap, "break") for gap in [*gaps, Span(len(text) - 1, len(text))]]
        return replace(made, article_span=spans[0], comments=posts, left_out=left)

    monkeypatch.setattr(plain_text, "discussion_of", other)
    monkeypatch.setattr(plain_text, "structure_version", lambda: "99")


def test_corrections_stand_after_a_re_import(article: Article, archivist: User) -> None:
    lay_out(article, archivist)
    do(article, archivist, {"op": "reply", "at": at(5), "to": at(4)})
    review.publish(article.pk, version=Review.objects.get().version, by=archivist)
    before = list(Comment.objects.order_by("pk").values())
    report = importer.import_source(TEXT.encode(), name="again.txt")
    assert (report.outcome, list(Comment.objects.order_by("pk").values())) == ("unchanged", before)


def test_corrections_stand_after_a_re_parse(article: Article, archivist: User, monkeypatch: pytest.MonkeyPatch) -> None:
    lay_out(article, archivist)
    do(article, archivist, {"op": "reply", "at": at(5), "to": at(4)}, {"op": "accept_rest"})
    review.publish(article.pk, version=Review.objects.get().version, by=archivist)
    before = list(Comment.objects.order_by("pk").values_list("pk", "body", "parent_id", "span_start", "span_end"))
    newer_reader(monkeypatch)
    report = importer.import_source(TEXT.encode(), name="again.txt")
    after = list(Comment.objects.order_by("pk").values_list("pk", "body", "parent_id", "span_start", "span_end"))
    assert (report.outcome, report.problems, after) == ("updated", [], before)
    assert Article.objects.get().status == "published"


def test_single_corrections_are_made_again_on_a_new_proposal(
    article: Article, archivist: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    lay_out(article, archivist)
    do(article, archivist, {"op": "reply", "at": at(7), "to": at(5)}, {"op": "leave_out", "at": at(3)})
    newer_reader(monkeypatch)
    report = importer.import_source(TEXT.encode(), name="again.txt")
    assert report.outcome == Outcome.UPDATED
    reply = Comment.objects.get(span_start=at(7))
    assert reply.parent == Comment.objects.get(span_start=at(5))
    assert "Officials" not in Article.objects.get().body


def test_a_correction_without_a_place_is_reported(
    article: Article, archivist: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    lay_out(article, archivist)
    Correction.objects.filter(number=1).update(operation={"op": "start", "at": 3, "digest": "gone"})
    newer_reader(monkeypatch)
    report = importer.import_source(TEXT.encode(), name="again.txt")
    assert any("no longer in the source" in problem for problem in report.problems)


def published(article: Article, archivist: User) -> None:
    lay_out(article, archivist)
    review.publish(article.pk, version=Review.objects.get().version, by=archivist)
    article.refresh_from_db()


def test_what_is_hidden_stays_hidden_in_a_new_structure(article: Article, archivist: User) -> None:
    published(article, archivist)
    moderation.hide(Comment.objects.get(span_start=at(7)), by=make_user("moderator"), reason="insult")
    review.reopen(article.pk, by=archivist)
    do(article, archivist, {"op": "join", "at": at(7)})
    review.publish(article.pk, version=Review.objects.get().version, by=archivist)
    assert Comment.objects.get(span_start=at(5)).status == "hidden"
    assert Article.objects.get().comment_count == Comment.objects.filter(status="published").count()


def test_a_hidden_comment_cannot_become_article(article: Article, archivist: User) -> None:
    published(article, archivist)
    moderation.hide(Comment.objects.get(span_start=at(4)), by=make_user("moderator"), reason="insult")
    review.reopen(article.pk, by=archivist)
    do(article, archivist, {"op": "join", "at": at(4)})
    answer = review.publish(article.pk, version=Review.objects.get().version, by=archivist)
    assert "is hidden" in answer.problem
    assert Comment.objects.get(span_start=at(4)).status == "hidden"


def test_moving_a_boundary_keeps_the_comment(client: Client, article: Article, archivist: User) -> None:
    published(article, archivist)
    comment = Comment.objects.get(span_start=at(5))
    review.reopen(article.pk, by=archivist)
    do(article, archivist, {"op": "start", "at": at(6)}, {"op": "join", "at": at(5)})
    review.publish(article.pk, version=Review.objects.get().version, by=archivist)
    now = Comment.objects.get(span_start=at(6))
    assert (now.pk, now.version) == (comment.pk, comment.version + 1)
    assert Revision.objects.get(comment=now, number=comment.version).cause == "corrected"
    assert client.get(comment.get_absolute_url()).status_code == 200


def test_mentions_that_a_person_confirmed_survive(article: Article, archivist: User) -> None:
    published(article, archivist)
    comment = Comment.objects.get(span_start=at(4))
    entity = Entity.objects.create(kind="place", name="Ostermoor")
    fields = {"entity": entity, "revision": 1, "start": 0, "end": 1, "surface": "I"}
    for start, state in ((0, "confirmed"), (1, "suggested")):
        Mention.objects.create(article=article, comment=comment, review=state, **{**fields, "start": start})
    review.reopen(article.pk, by=archivist)
    do(article, archivist, {"op": "accept_rest"})
    review.publish(article.pk, version=Review.objects.get().version, by=archivist)
    assert list(Mention.objects.values_list("review", flat=True)) == ["confirmed"]


def test_a_correction_is_not_undone_from_the_log(article: Article, archivist: User) -> None:
    lay_out(article, archivist)
    result = moderation.undo(Decision.objects.filter(action="correct")[0], by=make_user("moderator"))
    assert "in the review of its article" in result.problems[0].why


def test_an_archivist_sets_author_and_date(article: Article, archivist: User) -> None:
    lay_out(article, archivist)
    do(article, archivist, {"op": "author", "at": at(4), "author": "Ilse"})
    do(article, archivist, {"op": "date", "at": at(4), "posted_at": "2017-03-14 21:07"})
    review.publish(article.pk, version=Review.objects.get().version, by=archivist)
    comment = Comment.objects.get(span_start=at(4))
    assert (comment.author_name, comment.author_basis) == ("Ilse", "reviewed")
    assert (comment.posted_at, comment.date_basis) == (datetime(2017, 3, 14, 21, 7, tzinfo=UTC), "reviewed")


# The page, its endpoint, the queue


def address(article: Article) -> str:
    return f"/admin/archive/article/{article.pk}/review/"


def post(client: Client, article: Article, operation: dict[str, Any], version: int) -> Any:
    body = {"operation": operation, "version": version}
    return client.post(address(article), body, content_type="application/json")


def test_the_endpoint_answers_with_what_changed(client: Client, article: Article, archivist: User) -> None:
    lay_out(article, archivist)
    client.force_login(archivist)
    version = Review.objects.get().version
    answer = post(client, article, {"op": "join", "at": at(7)}, version)
    made = answer.json()
    assert (answer.status_code, made["version"], made["lines"]) == (200, version + 1, {str(at(7)): "more"})
    assert (made["gone"], made["comments"], made["undo"]) == ([at(7)], {}, True)


def test_the_endpoint_says_who_was_faster(client: Client, article: Article, archivist: User) -> None:
    lay_out(article, archivist)
    client.force_login(archivist)
    answer = post(client, article, {"op": "join", "at": at(7)}, 0)
    assert (answer.status_code, archivist.username in answer.json()["problem"]) == (409, True)


@pytest.mark.parametrize("body", ["nope", "[]", "{}", '{"operation": 3, "version": 1}', '{"operation": {"op": "x"}}'])
def test_nonsense_is_answered(client: Client, article: Article, archivist: User, body: str) -> None:
    client.force_login(archivist)
    assert client.post(address(article), body, content_type="application/json").status_code == 400


def test_an_impossible_operation_is_answered_in_words(client: Client, article: Article, archivist: User) -> None:
    client.force_login(archivist)
    client.get(address(article))
    answer = post(client, article, {"op": "start", "at": 5}, 0)
    assert (answer.status_code, answer.json()["problem"]) == (422, "No line of the source starts there")


def test_the_forms_do_the_same_without_a_script(client: Client, article: Article, archivist: User) -> None:
    lay_out(article, archivist)
    client.force_login(archivist)
    sent = {"op": "reply", "at": at(5), "to": "4", "version": Review.objects.get().version}
    text = client.post(address(article), sent, follow=True).content.decode()
    assert "Saved: the comment at line 5 answers line 4." in text
    assert f'name="at" value="{at(5)}" aria-label="line 5" checked' in text
    assert '<li class="d1"><div class="head"><span>line 5</span>' in text  # the thread as it would read
    sent = {"op": "leave_out", "at": at(2), "until": "3", "version": Review.objects.get().version}
    assert "Saved: lines 2 to 3 are left out." in client.post(address(article), sent, follow=True).content.decode()
    client.post(address(article), {"op": "publish", "version": Review.objects.get().version})
    assert Comment.objects.get(span_start=at(5)).parent == Comment.objects.get(span_start=at(4))


@pytest.mark.parametrize("role", ["reader", "moderator"])
def test_only_archivists_review(client: Client, article: Article, role: str) -> None:
    client.force_login(make_user(role))
    assert client.get(address(article)).status_code in {302, 404}
    assert post(client, article, {"op": "accept_rest"}, 0).status_code in {302, 404}
    assert client.get("/admin/archive/article/review/").status_code in {302, 404}


def test_an_archivist_does_not_read_what_a_moderator_hid(client: Client, article: Article, archivist: User) -> None:
    published(article, archivist)
    review.reopen(article.pk, by=archivist)
    do(article, archivist, {"op": "author", "at": at(7), "author": "Mallory"}, {"op": "leave_out", "at": at(6)})
    version = Review.objects.get().version
    moderation.hide(Comment.objects.get(span_start=at(7)), by=make_user("moderator"), reason="insult")
    client.force_login(archivist)
    answer = post(client, article, {"op": "accept", "at": at(7)}, version)
    text = client.get(address(article)).content.decode() + answer.content.decode()
    for gone in (
        "lol they never ask",
        "And who was supposed",
        "Mallory",
    ):  # its text, what stands beside it, its author
        assert gone not in text
    assert "hidden by a moderator" in text
    assert "nine years" in text


@pytest.mark.parametrize("sent", [{}, {"op": "start"}, {"op": "start", "at": "²", "until": "x"}, {"at": "9" * 30}])
def test_nonsense_in_the_form_is_answered(
    client: Client, article: Article, archivist: User, sent: dict[str, str]
) -> None:
    client.force_login(archivist)
    answer = client.post(address(article), {"version": "0", **sent}, follow=True)
    assert (answer.status_code, Correction.objects.count()) == (200, 0)


def test_a_range_is_one_step_and_one_undo(article: Article, archivist: User) -> None:
    lay_out(article, archivist)
    before = Review.objects.get().version
    do(article, archivist, {"op": "leave_out", "at": at(5), "until": at(7)})
    assert (starts(article), Review.objects.get().version) == ([at(4)], before + 1)
    do(article, archivist, {"op": "undo"})
    assert starts(article) == [at(4), at(5), at(7)]


def test_a_script_in_the_source_is_text(client: Client, archivist: User) -> None:
    article = imported(TEXT.replace("lol", "</script><script>alert(1)</script>"))
    client.force_login(archivist)
    text = client.get(address(article)).content.decode()
    assert "<script>alert" not in text
    assert " style=" not in text


def test_the_queue_begins_with_the_most_uncertain(client: Client, article: Article, archivist: User) -> None:
    other = imported(TEXT + "And one more remark that nobody can place, I think!\n" * 3, "other.txt")
    Review.objects.filter(article_id=other.pk).update(uncertain=99)
    client.force_login(archivist)
    text = client.get("/admin/archive/article/review/").content.decode()
    assert text.index(address(other)) < text.index(address(article))
    assert "/admin/archive/article/review/" in client.get("/admin/").content.decode()


def test_corrected_discussions_are_exported_as_labels(article: Article, archivist: User) -> None:
    lay_out(article, archivist)
    do(article, archivist, {"op": "reply", "at": at(5), "to": at(4)}, {"op": "reply", "at": at(7), "to": None})
    do(article, archivist, {"op": "accept_rest"})
    assert exported() == []  # not while it is in review
    review.publish(article.pk, version=Review.objects.get().version, by=archivist)
    (row,) = exported()
    assert row["article_paragraphs"] == TEXT.splitlines()[:3]
    assert [one["paragraphs"] for one in row["comments"]] == [
        [TEXT.splitlines()[3]],
        TEXT.splitlines()[4:6],
        [TEXT.splitlines()[6]],
    ]
    assert [one["parent_id"] for one in row["comments"]] == [None, row["comments"][0]["id"], None]
    assert (row["links_known"], row["order"]) == (True, "thread")
    moderation.hide(Comment.objects.get(span_start=at(7)), by=make_user("moderator"), reason="insult")
    assert exported() == []


def exported() -> list[dict[str, Any]]:
    out = StringIO()
    call_command("export_corrections", stdout=out, stderr=StringIO())
    return [json.loads(line) for line in out.getvalue().splitlines()]
