"""Forms that differ from allauth's: every password and every code that is tried is counted."""

from __future__ import annotations

from typing import Any, ClassVar

from allauth.account import forms as account
from allauth.account.adapter import get_adapter
from allauth.core import context
from allauth.mfa.base import forms as second_factor
from allauth.mfa.totp import forms as totp
from django.contrib.auth.forms import UserCreationForm

from accounts import attempts
from accounts.models import User


class SignInForm(account.LoginForm):
    """The field is named as it always was."""

    def add_prefix(self, field_name: str) -> str:
        return "username" if field_name == "login" else super().add_prefix(field_name)


class ChangePasswordForm(account.ChangePasswordForm):
    def clean_oldpassword(self) -> str:
        """Counted like a sign-in: a session that was left open is no place to guess in."""
        adapter = get_adapter()
        password: str = self.cleaned_data.get("oldpassword", "")
        user: Any = self.user
        if not adapter.reauthenticate(user, password):
            raise adapter.validation_error("enter_current_password")
        return password


class CountedCode:
    """For a form with a ``code`` and a ``user``: six digits are guessed soon where nobody counts."""

    user: Any

    def clean_code(self) -> str:
        adapter = get_adapter()
        attempt = attempts.begin(f"second factor {self.user.pk}", adapter.get_client_ip(context.request))
        if attempt is None:
            raise adapter.validation_error("too_many_login_attempts")
        code: str = super().clean_code()  # type: ignore[misc]
        attempts.give_back(attempt)
        return code


class AuthenticateForm(CountedCode, second_factor.AuthenticateForm): ...


class ReauthenticateForm(CountedCode, second_factor.ReauthenticateForm): ...


class ActivateTOTPForm(CountedCode, totp.ActivateTOTPForm): ...


class AcceptForm(UserCreationForm[User]):
    """What somebody who was invited chooses: a name and a password."""

    class Meta(UserCreationForm.Meta):
        model = User
        fields: ClassVar = ("username",)
