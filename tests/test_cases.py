"""Cases: what a request is about, holding, masking and erasing it, and that each step is logged without content."""

from __future__ import annotations

import hashlib
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from accounts.models import User
from archive import cases, moderation, queries, scope
from archive.entities import resolver
from archive.models import Article, Author, Case, CaseNote, Comment, Decision, Entity, Masked, Mention, Report, Site
from archive.scope import Scope
from archive.search import sync
from tests.makers import comments_of, make_article, make_user

pytestmark = pytest.mark.django_db
SAID = "my uncle kept eleven grey herons behind the old tannery until the flood"


@pytest.fixture(autouse=True)
def own_list(settings: Any, tmp_path: Path) -> None:
    settings.SUPPRESSIONS = str(tmp_path / "suppressions.jsonl")


@pytest.fixture
def by() -> User:
    return make_user("moderator")


def make_case(by: User, *, words: list[str] | None = None, **known: Any) -> Case:
    case = cases.open_case(
        by=by, kind="erasure", requester="R. Quester", contact="q@example.org", basis="a law", deadline=None
    )
    if known or words:
        assert cases.set_scope(case, Scope(**known), words or [], by=by) == ""
    case.refresh_from_db()
    return case


def written_by(comment: Comment, name: str) -> Author:
    site = Site.objects.get(article__pk=comment.article_id)
    key = hashlib.sha256(name.encode()).digest()
    author = Author.objects.get_or_create(site=site, key=key, defaults={"name": name})[0]
    Comment.objects.filter(pk=comment.pk).update(author=author, author_name=name)
    return author


def found(case: Case) -> list[int]:
    return sorted(pk for pks in scope.members(case).values() for pk in pks)


def place(case: Case, name: str) -> scope.Place:
    return next(one for one in scope.preview(case, scope.members(case)) if one.name == name)


def worked(case: Case) -> Case:
    cases.carry_out(case.pk)
    case.refresh_from_db()
    return case


# --- Scope -----------------------------------------------------------------------------------------------------------


def test_a_scope_by_search_means_the_comments_that_match(by: User) -> None:
    article = make_article(comments=["about herons", "about buses"])
    sync.run() or (sync.rebuild() and sync.run())
    assert found(make_case(by, query="herons")) == [comments_of(article)[0].pk]


def test_a_scope_by_author_stays_within_the_site(by: User) -> None:
    here, other = make_article(comments="ab"), make_article(comments="a", site=Site.objects.create(name="B", slug="b"))
    written_by(comments_of(here)[1], "Ann")
    written_by(comments_of(other)[0], "Ann")
    assert found(make_case(by, author="Ann", site=here.site_id)) == [comments_of(here)[1].pk]


def test_a_scope_by_entity_means_the_comments_that_mention_it(by: User) -> None:
    article = make_article(comments="ab")
    entity = Entity.objects.create(kind="person", name="Ann")
    Mention.objects.create(
        article=article, comment=comments_of(article)[1], entity=entity, revision=1, start=0, end=1, surface="b"
    )
    assert found(make_case(by, entity=entity.pk)) == [comments_of(article)[1].pk]


def test_conditions_narrow_each_other_and_picked_comments_are_added(by: User) -> None:
    article, other = make_article(comments="ab"), make_article(comments="c")
    picked = comments_of(other)[0]
    written_by(comments_of(article)[0], "Ann")
    case = make_case(by, articles=[article.pk], author="Ann", comments=[picked.pk])
    assert found(case) == [comments_of(article)[0].pk, picked.pk]


def test_a_scope_without_conditions_means_nothing(by: User) -> None:
    make_article(comments="a")
    assert found(make_case(by)) == []


def test_a_hit_is_taken_out_by_hand_and_put_in_again(by: User) -> None:
    article = make_article(comments="ab")
    first, second = comments_of(article)
    case = make_case(by, articles=[article.pk])
    cases.leave_out(case, f"comment:{first.pk}", by=by, out=True)
    case.refresh_from_db()
    assert found(case) == [second.pk]
    cases.leave_out(case, f"comment:{first.pk}", by=by, out=False)
    case.refresh_from_db()
    assert found(case) == [first.pk, second.pk]


@pytest.mark.parametrize("key", ["", "comment", "comment:", "comment:x", "user:1", "comment:" + "9" * 30])
def test_a_place_that_is_none_is_refused(by: User, key: str) -> None:
    assert cases.leave_out(make_case(by), key, by=by, out=True)


def test_a_quote_in_a_reply_is_a_hit_without_waiting_for_the_search(by: User) -> None:
    article = make_article(comments="a(b)")
    first, reply = comments_of(article)
    Comment.objects.filter(pk=first.pk).update(body="Herons.\nI know one.")
    Comment.objects.filter(pk=reply.pk).update(body="> I know one.\nWho?")
    assert [hit.key for hit in place(make_case(by, comments=[first.pk]), "quotes").hits] == [f"comment:{reply.pk}"]


def test_a_long_run_of_the_same_words_elsewhere_is_a_hit(by: User) -> None:
    make_article(comments=["He says " + SAID + ", imagine", "nothing of it"])
    article = make_article(comments=[SAID])
    sync.rebuild()
    sync.run()
    case = make_case(by, comments=[comments_of(article)[0].pk])
    assert place(case, "quotes").total == 1


def test_words_are_hits_in_other_comments_and_in_articles(by: User) -> None:
    make_article(title="Visiting Jane Roe", comments=["as jane roe said"])
    sync.rebuild()
    sync.run()
    case = make_case(by, words=["Jane Roe"])
    assert (place(case, "words").total, place(case, "articles").total) == (1, 1)


def test_reasons_in_the_log_are_hits_and_reports_elsewhere_are_reached(by: User) -> None:
    article, other = make_article(comments="a"), make_article(comments="b")
    moderation.hide(comments_of(article)[0], by=by, reason="names Jane Roe")
    Report.objects.create(article_id=other.pk, reason="rude", note="That is Jane Roe!", snapshot="")
    case = make_case(by, words=["Jane Roe"])
    assert [hit.excerpt for hit in place(case, "reasons").hits] == ["names Jane Roe"]
    assert scope.touched(case, {}) == [other.pk]


def test_an_article_itself_is_a_hit_with_what_quotes_it(by: User) -> None:
    body = "They kept eleven grey herons behind the old tannery until the flood."
    article = make_article(body=body, comments=["> eleven grey herons\nReally?", f"So {body}", "no"])
    make_article(comments=[f"I read that {body}"])
    sync.rebuild()
    sync.run()
    case = make_case(by, texts=[article.pk])
    assert (place(case, "articles").total, place(case, "quotes").total, found(case)) == (1, 3, [])
    cases.leave_out(case, f"article:{article.pk}", by=by, out=True)
    case.refresh_from_db()
    assert (place(case, "articles").total, place(case, "quotes").total) == (0, 0)


@pytest.mark.parametrize("words", [["x"], ["!!"], ["a\0b"], ["w" * 201], [f"word{n}" for n in range(51)]])
def test_words_that_cannot_be_masked_are_refused(by: User, words: list[str]) -> None:
    assert cases.set_scope(make_case(by), Scope(), words, by=by)


# --- Steps -----------------------------------------------------------------------------------------------------------


def test_each_step_is_logged_with_the_case_and_without_content(by: User) -> None:
    article = make_article(comments=[SAID])
    case = make_case(by, words=["herons"], comments=[comments_of(article)[0].pk])
    cases.note(case, by=by, text="she rang about the herons")
    cases.hold(case, by=by)
    logged = list(queries.decisions().filter(case_id=case.pk))
    assert {entry.action for entry in logged if entry.target == "case"} == {"open", "change", "hold"}
    assert not [entry for entry in logged if "heron" in repr(vars(entry)).lower()]


def test_a_note_is_added_and_no_step_changes_it(by: User) -> None:
    case = make_case(by)
    cases.note(case, by=by, text="rang")
    assert cases.note(case, by=by, text="  ")
    assert [(note.text, note.by_name) for note in CaseNote.objects.filter(case=case)] == [("rang", by.username)]


def test_a_hold_hides_and_its_release_shows_again(by: User) -> None:
    article = make_article(comments="a(b)")
    case = make_case(by, comments=[comments_of(article)[0].pk])
    assert cases.hold(case, by=by)[0] == ""
    first, reply = comments_of(article)
    assert (first.status, first.cause, reply.status) == ("hidden", "case", "published")
    assert cases.release(case, by=by) == ""
    assert comments_of(article)[0].status == "published"


def test_a_held_case_still_means_what_the_search_finds_no_more(by: User) -> None:
    article = make_article(comments=["about herons"])
    sync.rebuild()
    sync.run()
    case = make_case(by, query="herons")
    cases.hold(case, by=by)
    sync.run()
    case.refresh_from_db()
    assert found(case) == [comments_of(article)[0].pk]


def test_a_case_that_is_over_takes_no_step(by: User) -> None:
    case = make_case(by)
    assert cases.close(case, by=by, refused=True, outcome=" ")
    assert cases.close(case, by=by, refused=True, outcome="no ground") == ""
    assert cases.hold(case, by=by)[0]
    assert cases.mask(case, by=by)
    assert cases.set_scope(case, Scope(), [], by=by)


# --- Masks -----------------------------------------------------------------------------------------------------------


def masked_case(by: User) -> tuple[Case, Article]:
    body = "Jane Roe was there.\nAsk jane-roe, not Jane Roebuck."
    article = make_article(title="With Jane Roe", byline="Jane Roe", slug="with-jane-roe", comments=[body, "no"])
    first = comments_of(article)[0]
    entity = Entity.objects.create(kind="person", name="Jane Roe")
    Mention.objects.create(
        article=article, comment=first, entity=entity, revision=1, start=0, end=8, surface="Jane Roe", extractor="x"
    )
    resolver.relink(article.pk, [first.pk])
    written_by(comments_of(article)[1], "Jane Roe")
    sync.rebuild()
    sync.run()
    return make_case(by, words=["Jane Roe"], comments=[first.pk]), article


def test_a_mask_covers_words_and_keeps_every_offset(by: User) -> None:
    case, article = masked_case(by)
    assert cases.mask(case, by=by) == ""
    worked(case)
    first, second = comments_of(article)
    assert first.body == "████ ███ was there.\nAsk ████████, not Jane Roebuck."
    assert "roe/" not in first.html.lower()
    assert second.author_name == "████ ███"
    mention = Mention.objects.get()
    assert first.body[mention.start : mention.end] == mention.surface
    article.refresh_from_db()
    assert (article.title, article.byline) == ("With ████ ███", "████ ███")
    assert Entity.objects.get().name == "████ ███"


def test_a_mask_taken_off_leaves_all_as_it_was(by: User) -> None:
    case, article = masked_case(by)
    before = [list(Comment.objects.order_by("pk").values("body", "html", "author_id")), article.title, article.slug]
    cases.mask(case, by=by)
    assert worked(case).state == "masked"
    assert cases.unmask(case, by=by) == ""
    assert worked(case).state == "open"
    article.refresh_from_db()
    after = [list(Comment.objects.order_by("pk").values("body", "html", "author_id")), article.title, article.slug]
    assert after == before
    assert Entity.objects.get().name == "Jane Roe"
    assert not Masked.objects.exists()


def test_a_mask_put_on_twice_changes_nothing_more(by: User) -> None:
    case, article = masked_case(by)
    cases.mask(case, by=by)
    worked(case)
    before = (Masked.objects.count(), comments_of(article)[0].body)
    Case.objects.filter(pk=case.pk).update(work="mask")
    worked(case)
    assert (Masked.objects.count(), comments_of(article)[0].body) == before


def test_what_was_taken_out_is_not_masked(by: User) -> None:
    case, article = masked_case(by)
    cases.leave_out(case, f"article:{article.pk}", by=by, out=True)
    cases.mask(case, by=by)
    worked(case)
    article.refresh_from_db()
    assert article.title == "With Jane Roe"


# --- Erasure ---------------------------------------------------------------------------------------------------------


def scheduled(by: User, case: Case) -> Case:
    assert cases.schedule(case, by=by, typed=f" Erase  case {case.pk} ") == ""
    case.refresh_from_db()
    return case


def due(case: Case) -> Case:
    Case.objects.filter(pk=case.pk).update(erase_after=timezone.now() - timedelta(seconds=1))
    return case


def erased(by: User, case: Case) -> Case:
    due(scheduled(by, case))
    assert cases.begin_due() == 1
    return worked(case)


def test_an_erasure_wants_its_words_typed(by: User) -> None:
    case = make_case(by, comments=[comments_of(make_article(comments="a"))[0].pk])
    assert "type" in cases.schedule(case, by=by, typed="yes")
    case.refresh_from_db()
    assert case.state == "open"


def test_an_erasure_waits_and_can_be_called_off(by: User) -> None:
    case = scheduled(by, make_case(by, comments=[comments_of(make_article(comments="a"))[0].pk]))
    assert cases.begin_due() == 0
    assert cases.call_off(case, by=by) == ""
    due(case)
    assert cases.begin_due() == 0
    case.refresh_from_db()
    assert case.state == "open"


def test_two_people_erase_where_the_archive_wants_two(by: User, settings: Any) -> None:
    settings.ERASE_TWO_PEOPLE = True
    case = due(scheduled(by, make_case(by, comments=[comments_of(make_article(comments="a"))[0].pk])))
    assert cases.begin_due() == 0
    assert "yourself" in cases.second(case, by=by)
    assert cases.second(case, by=make_user("moderator")) == ""
    assert cases.begin_due() == 1


def test_an_erased_comment_keeps_its_place_and_nothing_else(by: User) -> None:
    article = make_article(comments="a(b)")
    first = comments_of(article)[0]
    written_by(first, "Ann")
    case = erased(by, make_case(by, comments=[first.pk]))
    first, reply = comments_of(article)
    assert (first.status, first.cause, first.body, first.html, first.author_name) == ("erased", "case", "", "", "")
    assert (first.thread_rank, first.subtree_size, reply.parent_id) == (0, 1, first.pk)
    assert not Author.objects.filter(name="Ann").exists()
    assert (case.state, case.words, case.scope) == ("erased", [], {})


def test_what_was_erased_cannot_be_undone(by: User) -> None:
    article = make_article(comments="a")
    erased(by, make_case(by, comments=[comments_of(article)[0].pk]))
    entry = Decision.objects.get(action="erase", target="comment")
    assert moderation.undo(entry, by=by).problems
    assert comments_of(article)[0].status == "erased"


def test_an_erasure_that_was_killed_goes_on(by: User, monkeypatch: pytest.MonkeyPatch) -> None:
    one, two = make_article(comments="a"), make_article(comments="b")
    case = due(scheduled(by, make_case(by, articles=[one.pk, two.pk])))
    cases.begin_due()
    from archive import erasure

    real = erasure._follow_in
    calls: list[int] = []

    def killed(entry: Any, article_id: int, marks: Any, who: Any) -> int:
        calls.append(article_id)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return real(entry, article_id, marks, who)

    monkeypatch.setattr(erasure, "_follow_in", killed)
    with pytest.raises(KeyboardInterrupt):
        cases.carry_out(case.pk)
    assert [comments_of(one)[0].status, comments_of(two)[0].status] == ["erased", "published"]
    assert worked(case).state == "erased"
    assert calls == [one.pk, two.pk, two.pk]
    assert comments_of(two)[0].body == ""
