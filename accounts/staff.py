"""Accounts of the people who work here: their role decides whether the admin lets them in."""

from __future__ import annotations

import secrets

from allauth.account.models import EmailAddress
from django.contrib.auth.models import Group
from django.db import transaction

from accounts import roles
from accounts.models import User

# Syllables that are read aloud and typed without doubt: no l, 0, 1, or letters that look alike.
CONSONANTS = "bdfghjkmnprstvwz"
VOWELS = "aeiou"
GROUPS, SYLLABLES = 4, 2


def readable_password() -> str:
    """A random password such as ``kado-mifu-repa-zobu-47``: 57 bits, easy to copy by hand."""
    words = ["".join(_syllable() for _ in range(SYLLABLES)) for _ in range(GROUPS)]
    return "-".join([*words, f"{secrets.randbelow(90) + 10}"])


def _syllable() -> str:
    return secrets.choice(CONSONANTS) + secrets.choice(VOWELS)


def follow_roles(user: User) -> None:
    """Let the admin in where one of the person's roles works there, and nobody else."""
    works_here = user.is_superuser or user.groups.filter(name__in=roles.STAFF_ROLES).exists()
    if user.is_staff != works_here:
        user.is_staff = works_here
        user.save(update_fields=["is_staff"])


def vouch_for_address(user: User) -> None:
    """What an administrator wrote down as somebody's address is theirs, and the only one: links go there."""
    address = user.email.lower()
    EmailAddress.objects.filter(user=user).exclude(email=address).delete()
    if address:
        EmailAddress.objects.update_or_create(user=user, email=address, defaults={"verified": True, "primary": True})


def create_staff_accounts() -> list[tuple[str, str, str]]:
    """One account for each staff role, named like the role: ``(role, username, password)`` of those that are new.

    An account that exists is left as it is: its password is known to nobody but its owner.
    """
    made = []
    for role in roles.STAFF_ROLES:
        with transaction.atomic():
            user, is_new = User.objects.get_or_create(username=role)
            if not is_new:
                continue
            password = readable_password()
            user.set_password(password)
            user.save()
            user.groups.add(Group.objects.get(name=role))
            follow_roles(user)
        made.append((role, role, password))
    return made
