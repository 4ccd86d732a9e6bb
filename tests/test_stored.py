"""A new reading takes the place of the stored one only where nothing that people decided is undone by it."""

from __future__ import annotations

import random
from collections.abc import Sequence
from itertools import pairwise

import pytest
from django.test import Client

from archive import moderation, queries
from archive.ingest import loader
from archive.ingest.loader import Outcome, Stored
from archive.ingest.records import Discussion, LeftOut, Post, Span
from archive.models import Article, Comment, Decision, Entity, FormerComment, Judgement, Mention, Revision, Source
from tests.makers import make_user

pytestmark = pytest.mark.django_db
LINES = [f"line {n:02} says {'x' * (n % 4)}" for n in range(12)]
TEXT = "\n".join(LINES)


def place(line: int) -> int:
    return sum(len(text) + 1 for text in LINES[:line])


def lines(first: int, last: int) -> Span:
    return Span(place(first), place(last) + len(LINES[last]))


def read(*parts: tuple[int, int], article: tuple[int, int] = (0, 1)) -> Stored:
    """Store a reading in which the comments are these lines, from the first to the last, all at top level."""
    posts = [Post(str(lines(*part).start), TEXT[slice(*lines(*part))], lines(*part)) for part in parts]
    used = [lines(*article), *(lines(*part) for part in parts)]
    edges = [*(edge for span in used for edge in span), len(TEXT)]
    gaps = [LeftOut(Span(a, b), "gap") for a, b in zip(edges[1::2], edges[2::2], strict=True) if a < b]
    found = Discussion("k", "Title", TEXT[slice(*used[0])], posts, article_span=used[0], left_out=gaps)
    source, _ = Source.objects.get_or_create(sha256="0" * 64, defaults={"name": "s", "size": 1})
    return loader.store(found, source=source, site=loader.site_named("Courier"), text=TEXT)


def at(line: int) -> Comment:
    return Comment.objects.get(span_start=place(line))


def hide(comment: Comment) -> int:
    moderation.hide(comment, by=make_user("moderator"), reason="insult")
    return comment.pk


def readable() -> str:
    rows = queries.comments().visible_to(None).values_list("body", flat=True)
    return "\n".join([*rows, *Article.objects.values_list("body", flat=True)])


def test_a_comment_whose_first_line_changes_is_the_same_comment() -> None:
    read((2, 3), (4, 7))
    pk = at(4).pk
    assert read((2, 4), (5, 7)).outcome == Outcome.UPDATED
    assert (at(5).pk, at(5).version) == (pk, 2)
    assert Revision.objects.get(comment_id=pk).body == TEXT[slice(*lines(4, 7))]


def test_what_was_joined_leads_on_and_comes_back(client: Client) -> None:
    read((2, 3), (4, 7), (8, 9))
    small, large, other = at(2), at(4), at(8)
    read((2, 7), (8, 9))
    assert client.get(small.get_absolute_url())["Location"] == large.get_absolute_url()
    assert client.get(f"{small.get_absolute_url()}source/").status_code == 302
    read((2, 11))
    assert client.get(small.get_absolute_url())["Location"] == large.get_absolute_url()
    assert client.get(other.get_absolute_url())["Location"] == large.get_absolute_url()
    read((2, 3), (4, 7), (8, 9))
    assert [at(2).pk, at(4).pk, at(8).pk] == [small.pk, large.pk, other.pk]
    assert FormerComment.objects.count() == 0


def test_what_is_no_comment_any_more_says_so(client: Client) -> None:
    read((2, 3), (4, 5))
    gone = at(4)
    read((2, 3))
    answer = client.get(gone.get_absolute_url())
    assert (answer.status_code, "No comment any more" in answer.content.decode()) == (410, True)
    assert client.get(f"{gone.get_absolute_url()}source/").status_code == 404
    Article.objects.update(status="hidden")
    assert client.get(gone.get_absolute_url()).status_code == 404


def test_a_hidden_comment_stays_hidden_while_the_rest_is_read_again() -> None:
    read((2, 3), (4, 5), (6, 9))
    pk = hide(at(4))
    assert read((2, 3), (4, 5), (6, 7), (8, 9)).outcome == Outcome.UPDATED
    assert (Comment.objects.get(pk=pk).status, Comment.objects.count()) == ("hidden", 4)
    assert Article.objects.get().comment_count == 3
    assert LINES[4] not in readable()


@pytest.mark.parametrize(
    ("parts", "why"),
    [
        ([(2, 3), (4, 4), (5, 5)], "show a part"),  # it was split
        ([(2, 4), (5, 5), (6, 9)], "show a part"),  # its first line is another's
        ([(2, 3), (4, 6), (7, 9)], "hide a part"),  # it grows
        ([(2, 9)], "decided on"),  # it is joined with larger ones
        ([(2, 3), (6, 9)], "decided on"),  # it is left out
        ([(2, 3), (5, 5), (6, 9)], "show a part"),  # a part of it is left out
        ([], "decided on"),
    ],
)
def test_a_reading_that_would_show_hidden_text_is_not_taken(parts: Sequence[tuple[int, int]], why: str) -> None:
    read((2, 3), (4, 5), (6, 9))
    hide(at(4))
    before = list(Comment.objects.order_by("pk").values())
    done = read(*parts)
    assert (done.outcome, why in done.reason) == (Outcome.UNCHANGED, True), done.reason
    assert list(Comment.objects.order_by("pk").values()) == before


def test_hidden_text_does_not_become_article() -> None:
    read((2, 3), (4, 5))
    hide(at(2))
    assert read((4, 5), article=(0, 3)).outcome == Outcome.UNCHANGED


def test_a_comment_that_was_restored_is_not_lost() -> None:
    read((2, 3), (4, 5))
    moderator = make_user("moderator")
    moderation.hide(at(2), by=moderator, reason="insult")
    moderation.restore(at(2), by=moderator, reason="it was none")
    assert read((4, 5)).outcome == Outcome.UNCHANGED
    assert read((2, 3), (4, 4)).outcome == Outcome.UPDATED


def test_a_hidden_article_is_read_again_and_stays_hidden() -> None:
    read((2, 3))
    moderation.hide(Article.objects.get(), by=make_user("moderator"), reason="libel")
    assert read((2, 3), (4, 5)).outcome == Outcome.UPDATED
    assert queries.articles().visible_to(None).count() == 0


def test_what_was_erased_is_not_brought_back() -> None:
    read((2, 3), (4, 5))
    Comment.objects.filter(span_start=place(2)).update(status="erased", body="", html="")
    assert "erased" in read((2, 3), (4, 4)).reason


def test_without_places_the_same_text_is_not_shown_under_another_name() -> None:
    source = Source.objects.create(sha256="1" * 64, name="s", size=1)

    def posts(**texts: str) -> Stored:
        found = Discussion("k", "T", "B", [Post(name, text) for name, text in texts.items()])
        return loader.store(found, source=source, site=loader.site_named("Forum"))

    posts(a="fine", b="vile", c="fine too")
    hide(Comment.objects.get(external_id="b"))
    assert "show a part" in posts(a="fine", b="other", c="vile").reason
    assert posts(a="fine", b="vile", c="new").outcome == Outcome.UPDATED
    assert posts(a="fine", bb="vile", c="new").outcome == Outcome.UPDATED  # it has another name and the same text
    assert "vile" not in readable()


def judged(line: int) -> tuple[Mention, Judgement]:
    """The word "says" in the line's comment, confirmed there by a person."""
    comment, entity = at(line), Entity.objects.create(kind="place", name="Says")
    start = comment.body.index("says")
    where = {"article_id": comment.article_id, "comment_id": comment.pk, "start": start, "end": start + 4}
    judgement = Judgement.objects.create(verdict="confirm", scope="here", entity=entity, surface="says", **where)
    mention = Mention.objects.create(entity=entity, revision=1, surface="says", review="confirmed", **where)
    return mention, judgement


def test_a_judged_place_follows_its_line() -> None:
    read((2, 3), (4, 7))
    judged(4)
    assert read((2, 4), (5, 7)).outcome == Outcome.UPDATED
    mention, judgement = Mention.objects.get(), Judgement.objects.get()
    body = at(2).body
    assert mention.comment_id == judgement.comment_id == at(2).pk
    assert body[mention.start : mention.end] == body[judgement.start : judgement.end] == "says"
    assert body[: mention.start].endswith("line 04 ")
    assert mention.revision == at(2).version == 2


def test_a_judged_place_that_would_be_lost_keeps_the_reading() -> None:
    read((2, 3), (4, 7))
    judged(4)
    assert "judged" in read((2, 3), (5, 7)).reason


@pytest.mark.parametrize("seed", range(12))
def test_whatever_is_read_next_hidden_text_stays_hidden(seed: int) -> None:
    chance = random.Random(seed)
    read(*cut(chance))
    hidden = chance.choice(list(Comment.objects.order_by("pk")))
    hide(hidden)
    secret = hidden.body.split("\n")
    for _ in range(6):
        read(*cut(chance), article=(0, chance.choice([0, 1, 1, 1])))
        assert not [line for line in secret if line in readable()]
        assert Comment.objects.get(pk=hidden.pk).status == "hidden"
    assert moderation.undo(Decision.objects.get(), by=make_user("moderator")).problems == []
    assert secret[0] in readable()


def cut(chance: random.Random) -> list[tuple[int, int]]:
    """Lines 2 to 11 as comments, cut anywhere; some lines may be left out."""
    edges = [2, *sorted(chance.sample(range(3, 12), 3)), 12]
    parts = [(a, b - 1) for a, b in pairwise(edges)]
    return [part for part in parts if chance.random() < 0.9] or parts
