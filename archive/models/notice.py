"""Who is told what waits, and which servers are told what was decided."""

from __future__ import annotations

import secrets

from django.conf import settings
from django.db import models


def new_secret() -> str:
    return secrets.token_urlsafe(32)


class Subscription(models.Model):
    """How one person is told what waits: a digest by e-mail, and a feed whose address nobody else knows."""

    class Digest(models.TextChoices):
        NEVER = "never", "never"
        DAILY = "daily", "every morning"
        WEEKLY = "weekly", "on Monday mornings"

    user = models.OneToOneField(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    digest = models.CharField(max_length=8, choices=Digest, default=Digest.NEVER)
    token = models.CharField(max_length=64, unique=True, default=new_secret, help_text="of the feed's address")
    sent_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["id"]

    def __str__(self) -> str:
        return f"subscription {self.pk}"


class Webhook(models.Model):
    """A server that is told each entry of the log, in order, signed with ``secret``. ``cursor`` is the last it has."""

    url = models.URLField("address", max_length=500, help_text="https, or http to a private address; asked by POST")
    is_on = models.BooleanField("on", default=True)
    secret = models.CharField(max_length=64, default=new_secret, editable=False)
    cursor = models.BigIntegerField(default=0, editable=False)
    failures = models.IntegerField(default=0, editable=False, help_text="in a row")
    trouble = models.CharField(max_length=300, blank=True, editable=False)
    next_at = models.DateTimeField(null=True, editable=False, help_text="not tried before")
    delivered_at = models.DateTimeField(null=True, editable=False)

    class Meta:
        ordering = ["id"]

    def __str__(self) -> str:
        return self.url
