"""Pages about one's own account: allauth's, where it does the work, with what they lack."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from allauth.account import views as account
from allauth.account.models import EmailAddress
from allauth.mfa.base import views as second_factor
from allauth.mfa.totp import views as totp
from allauth.mfa.webauthn import views as passkeys
from allauth.usersessions.adapter import get_adapter as get_sessions_adapter
from allauth.usersessions.models import UserSession
from django.conf import settings
from django.contrib import admin, messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.shortcuts import render
from django.template.response import TemplateResponse
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters

from accounts import invitations, roles
from accounts.devices import device
from accounts.forms import AcceptForm
from accounts.middleware import ENROLLED

MOST_SESSIONS = 100  # that the page names; beyond it, "all others" ends the rest, too

type View = Callable[..., HttpResponseBase]


class SignInView(account.LoginView):
    extra_context = {"open_registration": settings.OPEN_REGISTRATION}

    def form_invalid(self, form: Any) -> HttpResponse:
        """A refusal because of too many attempts says so to programs as well, for names that nobody has, too."""
        answer: HttpResponse = super().form_invalid(form)
        if form.has_error("__all__", "too_many_login_attempts"):
            answer.status_code = 429
        return answer


class SignOutView(account.LogoutView):
    http_method_names = ["post", "options"]  # a link, which anybody can set, signs nobody out


class AccountView(second_factor.IndexView):
    """The overview: who one is here, what one may do, and what protects the account."""

    template_name = "account/overview.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        user: Any = self.request.user
        held = [name for name in roles.ROLES if name in set(user.groups.values_list("name", flat=True))]
        found: dict[str, Any] = super().get_context_data(**kwargs)
        return {**found, "held": held, "needs_second_factor": settings.REQUIRE_MFA and user.is_staff}


class NewPasswordView(account.PasswordResetFromKeyView):
    def form_valid(self, form: Any) -> HttpResponse:
        """Whoever opened the link has shown that the address is theirs."""
        answer: HttpResponse = super().form_valid(form)
        EmailAddress.objects.filter(user=self.reset_user).update(verified=True)
        return answer


class Enrols:
    """Who has just shown a second factor is not asked for it again in this session."""

    request: HttpRequest

    def form_valid(self, form: Any) -> HttpResponse:
        answer: HttpResponse = super().form_valid(form)  # type: ignore[misc]
        self.request.session[ENROLLED] = self.request.user.pk
        return answer


class ActivateTOTPView(Enrols, totp.ActivateTOTPView): ...


class AddPasskeyView(Enrols, passkeys.AddWebAuthnView): ...


def while_registration_is_open(view: View) -> View:
    """The page does not exist where nobody can register."""

    def looked(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if not settings.OPEN_REGISTRATION:
            raise Http404
        return view(request, *args, **kwargs)

    return looked


@never_cache
@login_required
def sessions(request: HttpRequest) -> HttpResponse:
    """Where one is signed in; for POST, end one of these sessions (``end`` is its id) or all others (``others``)."""
    user: Any = request.user
    found = UserSession.objects.purge_and_list(user)
    if request.method == "POST":
        return _end_sessions(request, found)
    shown = sorted(found, key=lambda one: (one.session_key == request.session.session_key, one.last_seen_at))[::-1]
    rows = [
        {"session": one, "device": device(one.user_agent), "is_this": one.session_key == request.session.session_key}
        for one in shown[:MOST_SESSIONS]
    ]
    return render(request, "account/sessions.html", {"rows": rows, "count": len(shown)})


def _end_sessions(request: HttpRequest, found: list[UserSession]) -> HttpResponse:
    chosen = request.POST.get("end", "")
    others = [one for one in found if one.session_key != request.session.session_key]
    ended = others if chosen == "others" else [one for one in found if str(one.pk) == chosen]
    if not ended and chosen != "others":
        raise Http404
    get_sessions_adapter().end_sessions(ended)
    if others != ended and len(ended) == 1 and ended[0] not in others:
        return HttpResponseRedirect(reverse("accounts:sign-in"))
    messages.success(request, "Signed out there." if ended else "You are signed in nowhere else.")
    return HttpResponseRedirect(reverse("accounts:sessions"))


def roles_page(request: HttpRequest) -> HttpResponse:
    """What each role may do, from the table that gives it; for all who work here. Guarded in ``accounts.urls``."""
    areas = [
        (area, [(words, [name in may for may in roles.ROLES.values()]) for name, words in listed.items()])
        for area, listed in roles.ABILITIES.items()
    ]
    context = {**admin.site.each_context(request), "title": "What each role may do", "roles": list(roles.ROLES)}
    return TemplateResponse(request, "admin/accounts/roles.html", {**context, "areas": areas})


@never_cache
@sensitive_post_parameters("password1", "password2")
def invitation(request: HttpRequest, token: str) -> HttpResponse:
    """Make the account that an invitation is for. What is used up, expired or never was is simply not there."""
    found = invitations.find(token)
    if found is None:
        return render(request, "account/invitation_over.html", status=404)
    form = AcceptForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        if not invitations.accept(found, form.save(commit=False)):
            return render(request, "account/invitation_over.html", status=404)
        messages.success(request, "Your account is ready. Sign in with the name and the password that you chose.")
        return HttpResponseRedirect(reverse("accounts:sign-in"))
    status, names = 422 if form.is_bound else 200, invitations.site_names(found)
    return render(
        request, "account/invitation.html", {"form": form, "invitation": found, "sites": names}, status=status
    )
