"""Records -> rows: all of a discussion or none of it, and the same thing twice changes nothing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from archive.ingest import loader
from archive.ingest.loader import Outcome, Stored
from archive.ingest.records import STATED, UNKNOWN, Basis, Claim, Discussion, Post, Span
from archive.models import (
    Article,
    Author,
    Comment,
    Entity,
    Mention,
    Outbox,
    Reason,
    Revision,
    Site,
    Source,
)
from tests.makers import forest

pytestmark = pytest.mark.django_db


def make_discussion(shape: str = "a(b(c)d)e", **fields: Any) -> Discussion:
    ids, parents = forest(shape)
    posts = [Post(external_id=i, text=f"text of {i}", parent=p) for i, p in zip(ids, parents, strict=True)]
    return replace(Discussion(key="k", title="A title", body="A body", comments=posts), **fields)


def store(discussion: Discussion, site: str = "Courier") -> Stored:
    source, _ = Source.objects.get_or_create(sha256="0" * 64, defaults={"name": "s", "size": 1})
    return loader.store(discussion, source=source, site=loader.site_named(site))


def stored_ids() -> dict[str, int]:
    return dict(Comment.objects.values_list("external_id", "pk"))


def test_thread_order_is_stored() -> None:
    store(make_discussion())
    rows = Comment.objects.order_by("thread_rank").values_list("external_id", "depth", "subtree_size")
    assert list(rows) == [("a", 0, 3), ("b", 1, 1), ("c", 2, 0), ("d", 1, 0), ("e", 0, 0)]


def test_parents_are_rows_of_the_same_article() -> None:
    store(make_discussion())
    assert Comment.objects.get(external_id="c").parent == Comment.objects.get(external_id="b")


def test_the_same_discussion_again_changes_nothing() -> None:
    first = store(make_discussion())
    before = list(Comment.objects.values()), list(Article.objects.values()), Outbox.objects.count()
    second = store(make_discussion())
    assert (first.outcome, second.outcome) == (Outcome.CREATED, Outcome.UNCHANGED)
    assert (list(Comment.objects.values()), list(Article.objects.values()), Outbox.objects.count()) == before


def test_the_same_key_on_another_site_is_another_article() -> None:
    store(make_discussion())
    assert store(make_discussion(), site="Other").outcome == Outcome.CREATED


def test_a_new_reading_keeps_the_ids_of_comments_that_remain() -> None:
    store(make_discussion("a(b)c"))
    before = stored_ids()
    assert store(make_discussion("a(b)d")).outcome == Outcome.UPDATED
    after = stored_ids()
    assert (after["a"], after["b"], "c" in after) == (before["a"], before["b"], False)


def test_a_new_reading_raises_the_articles_version() -> None:
    store(make_discussion("a"))
    store(make_discussion("ab"))
    assert Article.objects.get().version == 2


def test_replaced_text_is_kept_as_a_revision() -> None:
    store(make_discussion("a"))
    store(make_discussion("a", comments=[Post(external_id="a", text="new text")]))
    revision = Revision.objects.get()
    assert (revision.number, revision.body, revision.comment) == (1, "text of a", Comment.objects.get())
    assert Comment.objects.get().version == 2


def test_a_new_reading_takes_its_mentions_out_of_the_counts() -> None:
    store(make_discussion("a"))
    entity = Entity.objects.create(kind="place", name="Rotterdam", mention_count=1)
    Mention.objects.create(article=Article.objects.get(), entity=entity, revision=1, start=0, end=1, surface="A")
    store(make_discussion("ab"))
    entity.refresh_from_db()
    assert entity.mention_count == 0


def test_a_failure_half_way_leaves_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = loader._Load._rows

    def break_after_two(*arguments: Any) -> Iterator[tuple[Any, ...]]:
        made = rows(*arguments)
        yield next(made)
        yield next(made)
        raise KeyboardInterrupt

    monkeypatch.setattr(loader._Load, "_rows", break_after_two)
    with pytest.raises(KeyboardInterrupt):
        store(make_discussion())
    assert [model.objects.count() for model in (Article, Comment, Outbox)] == [0, 0, 0]


def test_orphans_and_cycles_are_loaded_and_reported() -> None:
    posts = [Post("a", "a", parent="b"), Post("b", "b", parent="a"), Post("c", "c", parent="nowhere")]
    done = store(make_discussion(comments=posts))
    assert (done.comments, Comment.objects.filter(depth=0).count(), len(done.problems)) == (3, 2, 2)


def test_what_postgres_refuses_is_mapped() -> None:
    store(make_discussion(comments=[Post("a", "nul \0 and \ud800", author="\0x")]))
    comment = Comment.objects.get()
    assert (comment.body, comment.author_name) == ("nul \ufffd and \ufffd", "\ufffdx")


def test_html_is_stored_safe() -> None:
    store(make_discussion(comments=[Post("a", "hi", html="<p onclick=x>hi<script>alert(1)</script></p>")]))
    assert Comment.objects.get().html == "<p>hi</p>"


def test_an_author_is_a_name_within_a_site() -> None:
    store(make_discussion(comments=[Post("a", "x", author="Ann"), Post("b", "y", author="Ann")]))
    store(make_discussion(comments=[Post("a", "x", author="Ann")]), site="Other")
    assert Author.objects.filter(name="Ann").count() == 2


def test_an_unknown_author_stays_unknown() -> None:
    store(make_discussion(comments=[Post("a", "x", author_claim=UNKNOWN)]))
    comment = Comment.objects.get()
    assert (comment.author, comment.author_name, comment.author_basis) == (None, "", "unknown")


def test_basis_and_confidence_are_stored() -> None:
    claim = Claim(Basis.INFERRED, 0.64)
    store(make_discussion(comments=[Post("a", "x", span=Span(3, 4), boundary_claim=claim)]))
    comment = Comment.objects.get()
    assert (comment.boundary_basis, comment.boundary_confidence, comment.span_start) == ("inferred", 0.64, 3)


def test_a_name_of_any_length_is_cut_to_the_column() -> None:
    store(make_discussion(title="t" * 9000, comments=[Post("i" * 9000, "x", author="n" * 9000)]))
    assert len(Article.objects.get().title) == len(Comment.objects.get().author_name) == 500


def test_an_empty_discussion_is_an_article_without_comments() -> None:
    store(make_discussion(comments=[]))
    assert Article.objects.get().comment_count == 0


def test_equal_reasons_are_kept_once() -> None:
    claims = [Claim(Basis.INFERRED, 0.6, reason) for reason in ("ends a sign-off", "ends a sign-off", "x" * 999)]
    store(make_discussion(comments=[Post(str(n), "t", boundary_claim=claim) for n, claim in enumerate(claims)]))
    store(make_discussion(comments=[Post("0", "new", boundary_claim=claims[0], parent_claim=STATED)]))
    assert list(Reason.objects.values_list("text", flat=True)) == ["ends a sign-off", "x" * 200]
    comment = Comment.objects.select_related("boundary_reason", "parent_reason").get()
    assert (str(comment.boundary_reason), comment.parent_reason) == ("ends a sign-off", None)


def test_counters_and_the_latest_date_are_stored() -> None:
    when = datetime(2017, 3, 14, tzinfo=UTC)
    store(make_discussion(comments=[Post("a", "x", posted_at=when), Post("b", "y")]))
    article = Article.objects.get()
    assert (article.comment_count, article.last_comment_at) == (2, when)


def test_statements_do_not_grow_with_the_comments() -> None:
    # site, source, savepoint, lock, article, ids, article insert, authors (2), revisions, outbox, job, savepoint
    store(make_discussion(key="0"))  # makes the site and the source
    counts = []
    for many in (3, 300):
        posts = [Post(str(n), "x", author=f"author {n}") for n in range(many)]
        with CaptureQueriesContext(connection) as captured:
            store(make_discussion(key=str(many), comments=posts))
        counts.append(len(captured))
    assert counts[0] == counts[1] <= 24


@pytest.mark.parametrize("name", ["", "  ", "\0", "émile", "///", "x" * 900])
def test_any_site_name_gives_a_site(name: str) -> None:
    site = loader.site_named(name)
    assert site.slug
    assert Site.objects.get(pk=loader.site_named(name).pk) == site
