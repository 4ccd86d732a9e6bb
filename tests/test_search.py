"""Search: any text has a reading, what is hidden is not found, and every hit is what the reader may see."""

from __future__ import annotations

import json
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import call_command
from hypothesis import given
from hypothesis import strategies as st

from archive import outbox, search
from archive.models import Article, Comment, Outbox, SearchDocument
from archive.search import grammar, sync
from archive.search.grammar import Term
from tests.makers import comments_of, make_article

BLNS = Path(__file__).parents[2] / "shared" / "hostile" / "blns" / "blns.json"


def indexed(*arguments: object, **fields: object) -> Article:
    article = make_article(*arguments, **fields)  # type: ignore[arg-type]
    outbox.add(article.pk)
    sync.run()
    return article


def bodies(text: str) -> list[str]:
    return [hit.comment.body if hit.comment else hit.article.body for hit in search.find(text, user=None).hits]


def test_words_phrases_and_exclusions() -> None:
    query = grammar.parse('bus "last night" -taxi')
    assert query.terms == (Term("bus"), Term("last night", phrase=True), Term("taxi", excluded=True))


def test_a_quote_left_open_reads_to_the_end() -> None:
    assert grammar.parse('"last night').terms == (Term("last night", phrase=True),)


def test_punctuation_alone_is_nothing() -> None:
    assert grammar.parse(' - "" ... -- !!! "-" ').terms == ()


def test_the_reading_says_what_was_understood() -> None:
    assert grammar.parse('bus -"last night"').describe() == "with bus; without “last night”"


def test_plain_words_need_no_reading() -> None:
    assert grammar.parse("last bus").describe() == ""


def test_terms_are_bounded() -> None:
    query = grammar.parse(" ".join(f"w{n}" for n in range(50)))
    assert (len(query.terms), query.dropped) == (grammar.MAX_TERMS, 34)


@given(st.text())
def test_any_text_has_a_reading(text: str) -> None:
    assert all(0 < len(term.text) <= grammar.MAX_TERM_LENGTH for term in grammar.parse(text).terms)


@pytest.mark.django_db
def test_finds_comments_and_articles_newest_first() -> None:
    indexed(body="the tram is late", comments=["no tram at all", "a bus"])
    assert bodies("tram") == ["no tram at all", "the tram is late"]


@pytest.mark.django_db
def test_words_are_stemmed_in_the_articles_language() -> None:
    indexed(body="x", comments=["they were running"], language="en")
    indexed(body="x", comments=["in diesen Häusern"], language="de")
    assert bodies("runs") == ["they were running"]
    assert bodies("häuser") == ["in diesen Häusern"]


@pytest.mark.django_db
def test_stop_words_count_in_phrases() -> None:
    indexed(body="x", comments=["to be or not to be", "be not or be to"], language="en")
    assert bodies('"to be or not"') == ["to be or not to be"]


@pytest.mark.django_db
def test_excluded_words_exclude() -> None:
    indexed(body="x", comments=["red tram", "blue tram"])
    assert bodies("tram -red") == ["blue tram"]


@pytest.mark.django_db
def test_exclusions_alone_find_nothing() -> None:
    indexed(body="x", comments=["red tram"])
    assert bodies("-blue") == []


@pytest.mark.django_db
def test_a_comment_hidden_but_still_indexed_is_not_found() -> None:
    article = indexed(body="x", comments=["a tram", "another tram"])
    Comment.objects.filter(pk=comments_of(article)[0].pk).update(status="hidden")
    assert bodies("tram") == ["another tram"]


@pytest.mark.django_db
def test_the_index_forgets_what_was_hidden() -> None:
    article = indexed(body="x", comments=["a tram"])
    comment = comments_of(article)[0]
    Comment.objects.filter(pk=comment.pk).update(status="hidden")
    outbox.add(article.pk, [comment.pk])
    sync.run()
    assert not SearchDocument.objects.filter(comment_id=comment.pk).exists()
    assert not Outbox.objects.exists()


@pytest.mark.django_db
def test_nothing_of_a_hidden_article_is_found() -> None:
    article = indexed(body="a tram", comments=["a tram"])
    Article.objects.filter(pk=article.pk).update(status="hidden")
    assert bodies("tram") == []
    outbox.add(article.pk)
    sync.run()
    assert not SearchDocument.objects.exists()


@pytest.mark.django_db
def test_indexing_again_changes_nothing() -> None:
    article = indexed(body="a tram", comments=["a tram"])
    before = list(SearchDocument.objects.order_by("pk").values_list("pk", "vector"))
    outbox.add(article.pk)
    sync.run()
    assert list(SearchDocument.objects.order_by("pk").values_list("pk", "vector")) == before


@pytest.mark.django_db
def test_pages_are_cut_without_loss() -> None:
    indexed(body="x", comments=[f"tram {n}" for n in range(45)])
    seen, before = [], None
    while True:
        page = search.find("tram", user=None, before=before, limit=20)
        seen += [hit.comment.body for hit in page.hits if hit.comment]
        before = page.next
        if before is None:
            break
    assert seen == [f"tram {n}" for n in reversed(range(45))]


@pytest.mark.django_db
def test_a_page_is_filled_past_hits_that_were_hidden_since() -> None:
    article = indexed(body="x", comments=[f"tram {n}" for n in range(60)])
    Comment.objects.filter(article=article, position__gte=30).update(status="hidden")
    assert len(search.find("tram", user=None, limit=20).hits) == 20


@pytest.mark.django_db
def test_a_restriction_to_articles_holds() -> None:
    from archive import queries

    first = indexed(body="a tram")
    indexed(body="another tram")
    found = search.find("tram", user=None, articles=queries.articles().filter(pk=first.pk))
    assert [hit.article for hit in found.hits] == [first]


@pytest.mark.django_db
def test_snippets_of_hostile_text_are_safe() -> None:
    indexed(body="x", comments=["<img src=x onerror=alert(1)> tram <mark>"])
    snippet = search.find("tram", user=None).hits[0].snippet
    assert "<img" not in snippet
    assert "<mark>tram</mark>" in snippet


@pytest.mark.django_db
def test_a_huge_text_is_indexed() -> None:
    indexed(body=" ".join(f"word{n}" for n in range(200_000)), comments=["w" * 1_000_000])
    assert SearchDocument.objects.count() == 2


@pytest.mark.django_db
@pytest.mark.skipif(not BLNS.exists(), reason="../shared is absent")
def test_nothing_that_is_typed_is_an_error() -> None:
    indexed(body="x", comments=["a tram"])
    for text in [*json.loads(BLNS.read_text()), "-" * 40, "((((", "a & | ! <-> b", "\\", "':*"]:
        search.find(text, user=None)


@pytest.mark.django_db
def test_rebuilding_indexes_every_article_again() -> None:
    article = indexed(body="a tram")
    SearchDocument.objects.all().delete()
    assert sync.rebuild() == 1
    sync.run()
    assert [hit.article for hit in search.find("tram", user=None).hits] == [article]


@pytest.mark.django_db
def test_the_command_rebuilds_at_once_or_leaves_it_to_the_worker() -> None:
    make_article(body="a tram")
    call_command("rebuild_search", later=True, stdout=StringIO())
    assert (Outbox.objects.count(), SearchDocument.objects.count()) == (1, 0)
    call_command("rebuild_search", stdout=StringIO())
    assert (Outbox.objects.count(), SearchDocument.objects.count()) == (0, 1)
