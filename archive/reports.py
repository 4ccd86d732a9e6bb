"""Reports by readers without an account: kept with the text as it stood, limited, and told what came of them."""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
import secrets
from collections.abc import Collection, Sequence
from datetime import timedelta

from django.conf import settings
from django.db import connection, transaction
from django.utils import timezone

from archive import queries, queue
from archive.models import Comment, Report, Sent
from archive.queue import Item, Target

REASONS = (
    "names a private person",
    "insults or threatens somebody",
    "is spam",
    "is against the law",
    "is not by the person it names",
    "something else",
)
MAX_NOTE = 1_000  # characters
MAX_SNAPSHOT = 20_000
PER_HOUR = 10  # reports from one address
IPV6_PREFIX = 64  # what one household has: single addresses are free
ANSWERS = {
    "published": "A moderator has looked at it and left it as it is.",
    "hidden": "A moderator has hidden it.",
    "spam": "A moderator has removed it as spam.",
}

_TAKE = """
    INSERT INTO archive_sent (sender, hour, reports) VALUES (%s, date_trunc('hour', now()), 1)
    ON CONFLICT (sender, hour) DO UPDATE SET reports = archive_sent.reports + 1 RETURNING reports
"""


def sender_of(address: str) -> bytes:
    """A digest of a network address, another one each day: no list of addresses can be made of these."""
    try:
        known = ipaddress.ip_address(address)
        if known.version == 6:
            known = ipaddress.ip_network((known, IPV6_PREFIX), strict=False).network_address
        packed = known.packed
    except ValueError:
        packed = b""
    day = timezone.now().date().isoformat().encode()
    return hmac.digest(settings.SECRET_KEY.encode(), b"report " + day + b" " + packed, hashlib.sha256)


def send(comment: Comment, *, reason: str, note: str, address: str) -> Report | None:
    """Keep a report and put the comment into the queue. None where the address has sent too many within the hour.

    How often a comment was reported counts addresses, not reports, and only decides what moderators see first.
    """
    sender = sender_of(address)
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute(_TAKE, [sender])
            if cursor.fetchone()[0] > PER_HOUR:
                return None
        report = Report.objects.create(
            article_id=comment.article_id,
            comment_id=comment.pk,
            reason=reason[:500],
            note=note.replace("\0", "")[:MAX_NOTE],
            snapshot=comment.body[:MAX_SNAPSHOT],
            token=secrets.token_urlsafe(32),
            sender=sender,
        )
        waiting = queries.reports().about(comment.article_id, comment.pk).waiting()
        senders = waiting.order_by().values("sender").distinct().count()
        queue.put([Item(queue.REPORT, comment.article_id, comment.pk, {}, float(senders))])
    return report


def answer(targets: Sequence[Target], *, decision_id: int, to_state: str) -> None:
    """What was reported was decided on: who reported it can read what came of it."""
    words = ANSWERS.get(to_state)
    if words is not None:
        rows = _about(targets).filter(outcome="")
        rows.update(outcome=words, decision_id=decision_id)


def reopen(decision_ids: Collection[int], targets: Sequence[Target]) -> None:
    """These decisions were undone on these targets: the reports wait again."""
    _about(targets).filter(decision_id__in=decision_ids).update(outcome="", decision_id=None)


def _about(targets: Sequence[Target]) -> queries.ReportQuerySet:
    articles = {article for article, _ in targets}
    comments = [comment for _, comment in targets if comment is not None]
    rows = queries.reports().filter(article_id__in=articles)
    return rows.filter(comment_id__in=comments) if comments else rows.filter(comment_id__isnull=True)


def forget() -> None:
    """What was sent more than a day ago counts no more."""
    Sent.objects.filter(hour__lt=timezone.now() - timedelta(days=1)).delete()
