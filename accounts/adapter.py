"""What is ours in how allauth signs people in."""

from __future__ import annotations

import time
from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.models import EmailAddress
from allauth.account.stages import EmailVerificationStage
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.models import Authenticator
from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest

from accounts import attempts
from accounts.middleware import SEEN

NO_ADDRESS = "0.0.0.0"  # noqa: S104  behind a Unix socket nobody has one


class AccountAdapter(DefaultAccountAdapter):
    error_messages = {
        **DefaultAccountAdapter.error_messages,
        "username_password_mismatch": "Please enter a correct username and password.",
        "too_many_login_attempts": (
            "Too many wrong attempts. Please wait half an hour, or longer if it was not only you who tried."
        ),
        "incorrect_password": "This is not your password.",
        "incorrect_code": "This code is not right. It may have expired: try the next one.",
    }

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return bool(settings.OPEN_REGISTRATION)

    def get_login_stages(self) -> list[str]:
        ours = {"allauth.account.stages.EmailVerificationStage": "accounts.adapter.ConfirmAddressStage"}
        return [ours.get(stage, stage) for stage in super().get_login_stages()]

    def get_client_ip(self, request: HttpRequest) -> str:
        try:
            return super().get_client_ip(request)
        except PermissionDenied:
            return NO_ADDRESS

    def pre_authenticate(self, request: HttpRequest, **credentials: Any) -> None:
        """allauth would count here, for each process apart; see ``authenticate``."""

    def authenticate(self, request: HttpRequest, **credentials: Any) -> Any:
        """The person, or None. Every password that is tried goes through here, and is counted."""
        attempt = attempts.begin(credentials.get("username", ""), self.get_client_ip(request))
        if attempt is None:
            raise self.validation_error("too_many_login_attempts")
        user = super().authenticate(request, **credentials)
        if user:
            attempts.give_back(attempt)
        return user

    def set_password(self, user: Any, password: str) -> None:
        super().set_password(user, password)
        attempts.forget(user.get_username())

    def login(self, request: HttpRequest, user: Any) -> None:
        super().login(request, user)
        request.session[SEEN] = int(time.time())


class ConfirmAddressStage(EmailVerificationStage):
    """Who registered confirms their address before coming in; who was invited or made by hand has none to confirm."""

    def handle(self) -> Any:
        user = self.login.user
        if user and not EmailAddress.objects.filter(user_id=user.pk, verified=False).exists():
            return None, True
        return super().handle()  # type: ignore[no-untyped-call]


class SecondFactorAdapter(DefaultMFAAdapter):
    error_messages = {
        **DefaultMFAAdapter.error_messages,
        "incorrect_code": AccountAdapter.error_messages["incorrect_code"],
        "cannot_delete_authenticator": "Your role needs a second factor: add a passkey before you take this away.",
    }

    def get_totp_label(self, user: Any) -> str:
        return str(user.get_username())

    def get_public_key_credential_rp_entity(self) -> dict[str, str]:
        return {**super().get_public_key_credential_rp_entity(), "name": settings.SITE_NAME}

    def generate_authenticator_name(self, user: Any, type: Authenticator.Type) -> str:  # noqa: A002  allauth's name
        count = Authenticator.objects.filter(user_id=user.pk, type=type).count()
        return f"Passkey {count + 1}" if count else "Passkey"

    def can_delete_authenticator(self, authenticator: Authenticator) -> bool:
        """Whoever needs a second factor keeps one."""
        user = authenticator.user
        if not (settings.REQUIRE_MFA and user.is_staff):
            return True
        others = Authenticator.objects.filter(user_id=user.pk).exclude(pk=authenticator.pk)
        return bool(others.exclude(type=Authenticator.Type.RECOVERY_CODES).exists())
