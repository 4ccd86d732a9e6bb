"""A scorer sorts what waits; it decides nothing, and what goes wrong in it changes nothing."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection

from archive import queue, scoring
from archive.models import Comment, Waiting
from tests.makers import comments_of, make_article

pytestmark = pytest.mark.django_db


def by_length(text: str) -> float:
    return len(text) / 10


def broken(text: str) -> float:
    raise RuntimeError(text)


def put() -> list[int]:
    items = [
        queue.Item(queue.REPORT, c.article_id, c.pk, {}, 1) for c in comments_of(make_article(comments=["a", "aaa"]))
    ]
    return queue.put(items)


def test_its_number_sorts_and_states_stay(settings: Any) -> None:
    settings.SCORER = "tests.test_scoring:by_length"
    first, second = put()
    assert scoring.run([first, second]) == 2
    assert list(Waiting.objects.order_by("-score").values_list("pk", "score")) == [(second, 1.3), (first, 1.1)]
    assert set(Comment.objects.values_list("status", flat=True)) == {"published"}


def test_a_job_scores_what_is_put(settings: Any) -> None:
    settings.SCORER = "tests.test_scoring:by_length"
    put()
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM procrastinate_jobs WHERE task_name = %s", [queue.SCORE])
        assert cursor.fetchone() == (1,)


@pytest.mark.parametrize("name", ["", "tests.test_scoring:broken", "no_module:f", "tests.test_scoring:no", "math:exp"])
def test_what_goes_wrong_changes_nothing(settings: Any, name: str) -> None:
    ids = put()
    settings.SCORER = name
    assert scoring.run(ids) == 0
    assert set(Waiting.objects.values_list("score", flat=True)) == {1.0}
