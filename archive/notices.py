"""Telling people what waits, by digest and feed, and other servers what was decided, by signed webhooks.

Both read what is stored already: the queue's counts and the log. So no decision waits for a mail server or a webhook,
and what could not be delivered is delivered later, in order.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.mail import send_mail
from django.db import transaction
from django.db.models import Q
from django.urls import reverse
from django.utils import timezone

from archive import decision_log, kinds, masks, outgoing, queries, redaction
from archive.kinds import KINDS
from archive.models import Decision, Subscription, Webhook
from archive.redaction import Marks

if TYPE_CHECKING:
    from accounts.models import User

Digest = Subscription.Digest
BATCH = 100  # log entries a request
BATCHES = 20  # requests to one server in a row, a minute
TIMEOUT = 10.0  # seconds a request
MOST_ANSWERED = 64 * 1024  # bytes of an answer that are read; nothing is made of them
LONGEST_PAUSE = timedelta(hours=6)
GIVES_UP_AFTER = 60  # failures in a row: about two weeks


class Waits(NamedTuple):
    """So much waits of one kind."""

    kind: str
    words: str
    many: int


def waiting_for(user: User) -> list[Waits]:
    """What waits for a person, as far as their role lets them see it: read off the queue's ledger, in one query."""
    sums: dict[str, int] = {}
    for (kind, _), count in kinds.counts_for(user).items():
        sums[kind] = sums.get(kind, 0) + count
    return [Waits(kind, KINDS[kind].plural, sums[kind]) for kind in KINDS if kind in sums]


def origin() -> str:
    """Where the archive is, for links in mails: the first of AFTERWORD_ORIGINS, else its first host."""
    if settings.CSRF_TRUSTED_ORIGINS:
        return str(settings.CSRF_TRUSTED_ORIGINS[0]).rstrip("/")
    return f"{'https' if settings.HTTPS else 'http'}://{settings.ALLOWED_HOSTS[0]}"


# The digest


def subscription_of(user: User) -> Subscription:
    return Subscription.objects.get_or_create(user=user)[0]


def send_digests(now: datetime | None = None) -> int:
    """Mail what waits to those who want to know it and have not been told today. Returns how many mails left.

    Each is marked as sent before it is sent, in a transaction that fails with it: a job that is killed and run again
    writes to nobody twice but, at worst, to one.
    """
    now = now or timezone.now()
    wanted = Q(digest=Digest.DAILY) | (Q(digest=Digest.WEEKLY) if now.weekday() == 0 else Q(pk__in=[]))
    due = Subscription.objects.filter(wanted, user__is_active=True, user__is_staff=True).exclude(user__email="")
    unsent = due.filter(Q(sent_at__isnull=True) | Q(sent_at__lt=now - timedelta(hours=20)))
    return sum(_send_digest(pk, now) for pk in unsent.order_by("pk").values_list("pk", flat=True))


def _send_digest(pk: int, now: datetime) -> bool:
    with transaction.atomic():
        found = Subscription.objects.select_for_update(of=("self",), skip_locked=True).filter(pk=pk)
        subscription = found.select_related("user").first()
        waits = waiting_for(_person(subscription)) if subscription else []
        if subscription is None or not waits:
            return False
        subscription.sent_at = now
        subscription.save(update_fields=["sent_at"])
        many = sum(one.many for one in waits)
        subject = f"{settings.SITE_NAME}: {many:,} {'thing waits' if many == 1 else 'things wait'}"
        send_mail(subject, digest_text(waits), None, [subscription.user.email])
    return True


def digest_text(waits: Sequence[Waits]) -> str:
    """The mail: counts and links, and nothing of any comment: mail is read by more than its reader."""
    lines = [f"{one.many:>7,}  {one.words}" for one in waits]
    return "\n".join(
        [
            f"What waits at {settings.SITE_NAME}:",
            "",
            *lines,
            "",
            f"The queue: {origin()}{reverse('admin:queue')}",
            f"How often you get this mail: {origin()}{reverse('admin:notices')}",
        ]
    )


def _person(subscription: Subscription) -> User:
    person = subscription.user
    if not isinstance(person, get_user_model()):
        raise TypeError("a subscription belongs to an account")
    return person


def subscriber(token: str) -> User | None:
    """Whose feed this is the address of; None for nobody's, and for an account that is closed or lost its role."""
    found = Subscription.objects.select_related("user").filter(token=token, user__is_active=True, user__is_staff=True)
    subscription = found.first()
    return _person(subscription) if subscription else None


# Webhooks


def deliver_all() -> int:
    """Tell every server what it has not been told yet. Returns how many entries were delivered."""
    now = timezone.now()
    due = Webhook.objects.filter(Q(next_at__isnull=True) | Q(next_at__lte=now), is_on=True)
    last = queries.decisions().order_by("-pk").values_list("pk", flat=True).first() or 0
    return sum(deliver(pk) for pk in due.filter(cursor__lt=last).order_by("pk").values_list("pk", flat=True))


def deliver(pk: int) -> int:
    """Send one server its next entries, in order; it gets an entry again where its answer was lost."""
    sent = 0
    for _ in range(BATCHES):
        hook = Webhook.objects.filter(pk=pk, is_on=True).first()
        entries = list(queries.decisions().filter(pk__gt=hook.cursor).order_by("pk")[:BATCH]) if hook else []
        if hook is None or not entries:
            return sent
        try:
            _post(hook, entries)
        except (outgoing.Failed, ValueError) as error:
            _failed(hook, str(error))
            return sent
        told = {"cursor": entries[-1].pk, "failures": 0, "trouble": "", "next_at": None}
        Webhook.objects.filter(pk=pk).update(**told, delivered_at=timezone.now())
        sent += len(entries)
    return sent


def _post(hook: Webhook, entries: Sequence[Decision]) -> None:
    masked = masks.of_all_cases()
    body = json.dumps({"archive": settings.SITE_NAME, "entries": [told(entry, masked) for entry in entries]}).encode()
    headers = {"Afterword-Signature": signature(hook.secret, body, int(timezone.now().timestamp()))}
    outgoing.post(outgoing.endpoint_of(hook.url), body, headers=headers, timeout=TIMEOUT, most=MOST_ANSWERED)


def told(entry: Decision, masked: Marks = decision_log.NOTHING) -> dict[str, Any]:
    """What a server is told of an entry: all that the log says but who decided, and where it is to be seen."""
    fields = {**decision_log.fields_of(entry), "hash": entry.hash, "by_person": entry.actor_id is not None}
    fields["reason"] = redaction.covered(entry.why, masked)
    if entry.article_id and entry.target == "comment" and entry.target_id:
        fields["url"] = origin() + reverse("comment", args=[entry.article_id, entry.target_id])
    return {name: value for name, value in fields.items() if name not in {"actor_id", "actor_name"}}


def signature(secret: str, body: bytes, at: int) -> str:
    """``t=1790000000,v1=<hex>``: HMAC-SHA256 over the time, a full stop and the body, as Stripe's webhooks have it."""
    signed = hmac.new(secret.encode(), f"{at}.".encode() + body, hashlib.sha256).hexdigest()
    return f"t={at},v1={signed}"


def _failed(hook: Webhook, why: str) -> None:
    """The pause doubles with each failure, and at last the hook is turned off; what it missed stays before it."""
    failures = hook.failures + 1
    pause = min(timedelta(minutes=2 ** min(failures - 1, 10)), LONGEST_PAUSE)
    changed = {"failures": failures, "trouble": why[:300], "next_at": timezone.now() + pause}
    Webhook.objects.filter(pk=hook.pk).update(**changed, is_on=failures < GIVES_UP_AFTER)
