"""What is looked at before a page: has the person the second factor that their role needs, and when were they here?"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from allauth.account.internal.flows.login import get_authentication_records
from allauth.mfa.adapter import get_adapter
from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.conf import settings
from django.contrib import messages
from django.contrib.auth import REDIRECT_FIELD_NAME
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode

SEEN = "accounts.seen"  # in the session: when its last use was written down, in seconds
ENROLLED = "accounts.enrolled"  # in the session: who set up a second factor in it
SEEN_EVERY = 300  # seconds between two writings of a session's last use
OPEN = ("/account/", "/sign-in/", "/sign-out/", "/look")  # what is open to those who still have to set one up

type View = Callable[[HttpRequest], HttpResponse]


class SecondFactorMiddleware:
    """Where staff need a second factor, a session that was opened without one can do nothing but set one up."""

    def __init__(self, get_response: View) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if settings.REQUIRE_MFA and settings.SESSION_COOKIE_NAME in request.COOKIES and not _is_open(request):
            user: Any = request.user
            if user.is_staff and not has_used_second_factor(request):
                return _sent_to_second_factor(request)
        return self.get_response(request)


def _is_open(request: HttpRequest) -> bool:
    return request.path_info.startswith((*OPEN, f"/{settings.STATIC_URL.lstrip('/')}"))


def has_used_second_factor(request: HttpRequest) -> bool:
    """Whether this session was opened, or confirmed, with more than a password. Asks the session alone."""
    user: Any = request.user
    if request.session.get(ENROLLED) == user.pk:
        return True
    return any(record.get("method") == "mfa" for record in get_authentication_records(request, user))


def _sent_to_second_factor(request: HttpRequest) -> HttpResponse:
    user: Any = request.user
    adapter = get_adapter()
    told = urlencode({REDIRECT_FIELD_NAME: request.get_full_path()})
    if adapter.is_mfa_enabled(user, types=[Authenticator.Type.TOTP]):
        return HttpResponseRedirect(f"{reverse('mfa_reauthenticate')}?{told}")
    if adapter.is_mfa_enabled(user, types=[Authenticator.Type.WEBAUTHN]):
        return HttpResponseRedirect(f"{reverse('mfa_reauthenticate_webauthn')}?{told}")
    messages.info(request, "Your role needs a second factor. Set one up here, and you can go on.")
    return HttpResponseRedirect(reverse("accounts:account"))


class LastUseMiddleware:
    """Writes down when a session was last used, and from where: every few minutes, and nothing for guests."""

    def __init__(self, get_response: View) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        answer = self.get_response(request)
        session, now = request.session, int(time.time())
        # A session that the page did not look at is not loaded for this.
        if session.accessed and now - session.get(SEEN, now) >= SEEN_EVERY:
            session[SEEN] = now
            UserSession.objects.filter(session_key=session.session_key).update(last_seen_at=timezone.now())
        return answer
