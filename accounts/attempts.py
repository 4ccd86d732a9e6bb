"""How often somebody may be wrong: 5 times in 30 minutes for an account, 20 times in an hour from an address.

An attempt takes its place before the password is looked at, and gives it back when the password was right. So what is
under way counts, too, and no number of requests at once gets more tries than one after the other would. Places are
rows in Postgres, given out under two advisory locks (of the account and of the address): each process of each web
machine sees the same count. allauth's own limits keep a list in a cache that each process has for itself.

Names are counted whether or not there is such an account, so that the answers do not tell. Only digests are kept.
"""

from __future__ import annotations

import hashlib
import ipaddress
from datetime import datetime, timedelta

from django.db import connection, transaction
from django.utils import timezone

from accounts.models import Attempt

PER_ACCOUNT, ACCOUNT_WINDOW = 5, timedelta(minutes=30)
PER_ADDRESS, ADDRESS_WINDOW = 20, timedelta(hours=1)
IPV6_PREFIX = 64  # what one household or server has: single addresses are free


def begin(account: str, address: str) -> int | None:
    """Take a place for one attempt: the id to give it back with, or None where none is free.

    ``account`` is what was typed as user name, or anything else that names what is being guessed.
    """
    who, where = account_key(account), address_key(address)
    with transaction.atomic():
        with connection.cursor() as cursor:
            # In one order, so that two attempts never wait for each other; in a statement of their own, because the
            # count has to see what was committed while waiting.
            for number in sorted(int.from_bytes(key[:8], signed=True) for key in (who, where)):
                cursor.execute("SELECT pg_advisory_xact_lock(%s)", [number])
        now = timezone.now()
        if _count(now - ACCOUNT_WINDOW, account=who) >= PER_ACCOUNT:
            return None
        if _count(now - ADDRESS_WINDOW, address=where) >= PER_ADDRESS:
            return None
        return Attempt.objects.create(account=who, address=where, at=now).pk


def give_back(attempt: int) -> None:
    """The attempt was right, and does not count."""
    Attempt.objects.filter(pk=attempt).delete()


def forget(account: str) -> None:
    """Start over for an account: its password was just changed by somebody who may."""
    Attempt.objects.filter(account=account_key(account)).delete()


def purge() -> int:
    """Delete what counts no more: how many rows that were."""
    return Attempt.objects.filter(at__lt=timezone.now() - max(ACCOUNT_WINDOW, ADDRESS_WINDOW)).delete()[0]


def account_key(account: str) -> bytes:
    """Names are the same in upper and lower case, as they are for signing in."""
    return hashlib.sha256(b"account " + account.strip().lower().encode("utf-8", "surrogatepass")).digest()


def address_key(address: str) -> bytes:
    try:
        known = ipaddress.ip_address(address)
    except ValueError:
        return hashlib.sha256(b"address ").digest()
    if known.version == 6:
        known = ipaddress.ip_network((known, IPV6_PREFIX), strict=False).network_address
    return hashlib.sha256(b"address " + known.packed).digest()


def _count(since: datetime, **key: bytes) -> int:
    return Attempt.objects.filter(at__gt=since, **key).count()
