"""Inviting: an administrator makes a link, somebody opens it and makes an account that has the link's role."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Sequence
from datetime import timedelta

from allauth.account.models import EmailAddress
from django.apps import apps
from django.conf import settings
from django.contrib.auth.models import Group
from django.core.mail import send_mail
from django.db import transaction
from django.db.models import QuerySet
from django.template.loader import render_to_string
from django.utils import timezone

from accounts.models import Invitation, User
from accounts.staff import follow_roles

TOKEN_BYTES = 32


def invite(*, role: str, email: str, by: User, sites: Sequence[int] = ()) -> tuple[Invitation, str]:
    """A new invitation and its token, which is nowhere else: whoever loses it makes another invitation.

    ``sites`` are those on which the role is to hold, for a role that can be narrowed; none for all.
    """
    token = secrets.token_urlsafe(TOKEN_BYTES)
    expires = timezone.now() + timedelta(days=settings.INVITATION_DAYS)
    made = Invitation.objects.create(
        role=role,
        email=email.lower(),
        sites=sorted(set(sites)),
        token_digest=_digest(token),
        made_by=by,
        expires_at=expires,
    )
    return made, token


def send(invitation: Invitation, link: str) -> None:
    names = site_names(invitation)
    told = {"invitation": invitation, "link": link, "site_name": settings.SITE_NAME, "sites": names}
    text = render_to_string("account/email/invitation.txt", told)
    send_mail(f"[{settings.SITE_NAME}] Your invitation", text, None, [invitation.email])


def site_names(invitation: Invitation) -> list[str]:
    """Of the sites on which the role is to hold; none where it holds on all."""
    sites = apps.get_model(settings.ROLE_SCOPE_MODEL)._default_manager.filter(pk__in=invitation.sites)
    return [str(site) for site in sites.order_by("name")] if invitation.sites else []


def open_ones() -> QuerySet[Invitation]:
    """Those that still make an account."""
    return Invitation.objects.filter(used_at__isnull=True, expires_at__gt=timezone.now())


def find(token: str) -> Invitation | None:
    return open_ones().filter(token_digest=_digest(token)).first()


@transaction.atomic
def accept(invitation: Invitation, user: User) -> bool:
    """Store ``user``, who is new and not stored yet, with the invitation's role; False where it was just used up.

    An address that the link was sent to is theirs: they could not have opened it otherwise.
    """
    if not open_ones().filter(pk=invitation.pk).update(used_at=timezone.now()):
        return False
    user.email = invitation.email
    user.scopes = {invitation.role: invitation.sites} if invitation.sites else {}
    user.save()
    Invitation.objects.filter(pk=invitation.pk).update(used_by=user)
    user.groups.add(Group.objects.get(name=invitation.role))
    follow_roles(user)
    if user.email:
        EmailAddress.objects.create(user=user, email=user.email, verified=True, primary=True)
    return True


def withdraw(invitations: QuerySet[Invitation]) -> int:
    """End those that are still open: how many that were."""
    return open_ones().filter(pk__in=invitations.values("pk")).update(expires_at=timezone.now())


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()
