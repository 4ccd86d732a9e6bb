"""Outbox -> index: what changed is indexed again, article by article, and its row removed in the same transaction."""

from __future__ import annotations

from django.db import transaction

from archive.models import Article, Outbox
from archive.search import index


def run() -> int:
    """Empty the outbox; return the number of rows that were worked off. Several workers may run it at once."""
    done = 0
    while _work_off_one():
        done += 1
    return done


def _work_off_one() -> bool:
    with transaction.atomic():
        row = Outbox.objects.select_for_update(skip_locked=True).order_by("pk").first()
        if row is None:
            return False
        index.index(row.article_id, row.comment_ids)
        row.delete()
        return True


def rebuild() -> int:
    """Put every article into the outbox, to be indexed anew; return their number."""
    rows = (Outbox(article_id=pk) for pk in Article.objects.order_by("pk").values_list("pk", flat=True).iterator())
    return len(Outbox.objects.bulk_create(rows, batch_size=5000))
