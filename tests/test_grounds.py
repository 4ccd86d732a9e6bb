"""The page of a comment says what each part of it rests on: by whom it was inferred, how sure, and why."""

from __future__ import annotations

import pytest
from django.test import Client

from archive.models import Comment, Reason
from archive.queries import Grounds
from archive.views.grounds import told
from tests.makers import comments_of, make_article

OTHERS = ("inferred", 0.999, "shares its rarer words", "unknown", None, None, "reviewed", None, None)


def test_each_basis_is_said_in_a_sentence() -> None:
    start, place, author, date = told(Grounds(0, "stated", None, None, *OTHERS), is_root=False)
    assert start.why == "The source says so."
    assert place.why == "This archive’s own model concluded it, 99\u00a0% sure: shares its rarer words."
    assert (author.basis, date.basis) == ("unknown", "reviewed")


def test_a_reading_model_is_named() -> None:
    reason = "read by qwen3:8b: a comment begins here"
    start = told(Grounds(0, "inferred", 0.9, reason, *OTHERS), is_root=True)[0]
    assert start.why == "The reading model qwen3:8b concluded it, 90\u00a0% sure: a comment begins here."


@pytest.mark.django_db
def test_the_page_shows_it_and_for_a_hidden_comment_nothing(client: Client) -> None:
    comment = comments_of(make_article(comments="a(b)"))[1]
    reason = Reason.objects.create(text="names <b>its author")
    fields = {"parent_basis": "inferred", "parent_confidence": 0.4, "parent_reason": reason}
    Comment.objects.filter(pk=comment.pk).update(**fields)
    text = client.get(comment.get_absolute_url()).content.decode()
    assert "40\u00a0% sure: names &lt;b&gt;its author." in text
    Comment.objects.filter(pk=comment.pk).update(status="hidden")
    assert "What this rests on" not in client.get(comment.get_absolute_url()).content.decode()
