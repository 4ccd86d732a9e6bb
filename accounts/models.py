"""The people who sign in, who was invited, and how often somebody was wrong. Knows nothing of the archive."""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.contrib.auth.models import AbstractUser
from django.db import models
from django.utils.functional import cached_property

from accounts import roles


class User(AbstractUser):
    """Someone with an account. What they may do is decided by their groups; see ``accounts.roles``.

    ``scopes`` narrows roles to sites: for a role, the ids of the sites on which it holds. A role that is not named
    holds on all of them. The ids are plain numbers: what a site is, is not known here.
    """

    scopes = models.JSONField(default=dict, blank=True)

    @cached_property
    def role_names(self) -> frozenset[str]:
        return frozenset(self.groups.values_list("name", flat=True))

    def sites_with(self, permission: str) -> frozenset[int] | None:
        """On which sites ``permission``, which the person has, holds: None for all of them.

        Costs a query only where something is narrowed.
        """
        if self.is_superuser or not self.scopes:
            return None
        giving = [name for name in self.role_names if permission.rpartition(".")[2] in roles.ROLES.get(name, ())]
        if any(name not in self.scopes for name in giving):
            return None
        return frozenset(site for name in giving for site in self.scopes[name])


class Invitation(models.Model):
    """A link that makes one account with a role, once, until it expires. Only the link itself holds the token."""

    role = models.CharField(max_length=20, choices=[(name, name) for name in roles.ROLES])
    email = models.EmailField("e-mail address", blank=True)
    sites = models.JSONField(default=list, blank=True, help_text="ids of those on which the role holds; none for all")
    token_digest = models.BinaryField(max_length=32, unique=True)
    made_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="invited")
    made_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True)
    used_by = models.OneToOneField(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="invitation")

    def __str__(self) -> str:
        return f"{self.email or 'somebody'} as {self.role}"


class Attempt(models.Model):
    """A place taken by somebody who tries a password or a code; see ``accounts.attempts``."""

    account = models.BinaryField(max_length=32)
    address = models.BinaryField(max_length=32)
    at = models.DateTimeField()

    class Meta:
        indexes: ClassVar = [
            models.Index(fields=["account", "at"], name="attempt_by_account"),
            models.Index(fields=["address", "at"], name="attempt_by_address"),
        ]

    def __str__(self) -> str:
        return f"an attempt at {self.at}"
