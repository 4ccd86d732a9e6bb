"""A scorer of the installation's own: its number sorts what waits, and decides nothing."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence

from django.conf import settings
from django.utils.module_loading import import_string

from archive import queries, queue

log = logging.getLogger(__name__)
MAX_TEXT = 20_000  # code points that a scorer is given

type Scorer = Callable[[str], float]


def scorer() -> Scorer | None:
    """What AFTERWORD_SCORER names (``module:function``, a text to a number from 0 to 1), or None."""
    if not settings.SCORER:
        return None
    found: Scorer = import_string(settings.SCORER.replace(":", "."))
    return found


def run(waiting_ids: Sequence[int]) -> int:
    """Score what still waits of these; how many were. A scorer that fails or says no number from 0 to 1 is logged."""
    try:
        score = scorer()
    except ImportError:
        log.exception("AFTERWORD_SCORER cannot be imported")
        return 0
    if score is None:
        return 0
    rows = queries.waiting().filter(pk__in=waiting_ids, comment_id__isnull=False, settled_at__isnull=True)
    done = 0
    for pk, article_id, comment_id in rows.values_list("pk", "article_id", "comment_id"):
        comment = queries.comments().for_moderation(article_id or 0, comment_id or 0)
        if comment is None:
            continue
        try:
            number = float(score(comment.body[:MAX_TEXT]))
        except Exception:  # whatever it is: it is not ours, and must not keep anything from being done
            log.exception("the scorer failed", extra={"comment": comment_id})
            continue
        if not 0 <= number <= 1:
            log.error("the scorer said no number from 0 to 1", extra={"comment": comment_id})
            continue
        queue.add_to_score(pk, number)
        done += 1
    return done
