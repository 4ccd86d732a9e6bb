"""Where accounts are: our addresses, under our names and under those that allauth asks for.

What is not listed here does not exist: of allauth's pages only those that the archive needs are reachable.
"""

from __future__ import annotations

from allauth.account import views as account
from allauth.mfa.base import views as second_factor
from allauth.mfa.recovery_codes import views as recovery_codes
from allauth.mfa.totp import views as totp
from allauth.mfa.webauthn import views as passkeys
from django.contrib import admin
from django.contrib.auth.decorators import login_required
from django.urls import URLPattern, URLResolver, include, path, re_path

from accounts import views
from accounts.views import while_registration_is_open

sign_in = views.SignInView.as_view()
sign_out = views.SignOutView.as_view()
overview = views.AccountView.as_view()

ours = [
    path("sign-in/", sign_in, name="sign-in"),
    path("sign-out/", sign_out, name="sign-out"),
    path("account/", overview, name="account"),
    path("account/sessions/", views.sessions, name="sessions"),
    path("admin/roles/", lambda request: admin.site.admin_view(views.roles_page)(request), name="roles"),
    path("invitation/<str:token>/", views.invitation, name="invitation"),
]
# The same addresses under the names by which allauth looks for them.
aliases = [
    path("sign-in/", sign_in, name="account_login"),
    path("sign-out/", sign_out, name="account_logout"),
    path("account/", overview, name="mfa_index"),
]
passwords = [
    path("account/password/", account.password_change, name="account_change_password"),
    path("account/password/set/", account.password_set, name="account_set_password"),
    path("sign-in/forgotten/", account.password_reset, name="account_reset_password"),
    path("sign-in/forgotten/sent/", account.password_reset_done, name="account_reset_password_done"),
    re_path(
        r"^sign-in/forgotten/(?P<uidb36>[0-9A-Za-z]+)-(?P<key>[^/]+)/$",
        views.NewPasswordView.as_view(),
        name="account_reset_password_from_key",
    ),
    path("sign-in/forgotten/done/", account.password_reset_from_key_done, name="account_reset_password_from_key_done"),
    path("account/confirm/", account.reauthenticate, name="account_reauthenticate"),
    path("sign-in/switched-off/", account.account_inactive, name="account_inactive"),
]
second_factors = [
    path("sign-in/second-factor/", second_factor.authenticate, name="mfa_authenticate"),
    path("sign-in/passkey/", passkeys.login_webauthn, name="mfa_login_webauthn"),
    path("account/confirm/code/", second_factor.reauthenticate, name="mfa_reauthenticate"),
    path("account/confirm/passkey/", passkeys.reauthenticate_webauthn, name="mfa_reauthenticate_webauthn"),
    path("account/app/", login_required(views.ActivateTOTPView.as_view()), name="mfa_activate_totp"),
    path("account/app/remove/", totp.deactivate_totp, name="mfa_deactivate_totp"),
    path("account/recovery-codes/", recovery_codes.view_recovery_codes, name="mfa_view_recovery_codes"),
    path(
        "account/recovery-codes/new/",
        login_required(recovery_codes.generate_recovery_codes),
        name="mfa_generate_recovery_codes",
    ),
    path("account/recovery-codes/file/", recovery_codes.download_recovery_codes, name="mfa_download_recovery_codes"),
    path("account/passkeys/", passkeys.list_webauthn, name="mfa_list_webauthn"),
    path("account/passkeys/add/", login_required(views.AddPasskeyView.as_view()), name="mfa_add_webauthn"),
    path("account/passkeys/<int:pk>/remove/", login_required(passkeys.remove_webauthn), name="mfa_remove_webauthn"),
    path("account/passkeys/<int:pk>/", login_required(passkeys.edit_webauthn), name="mfa_edit_webauthn"),
]
registration = [
    path("register/", while_registration_is_open(account.signup), name="account_signup"),
    path(
        "register/confirm/",
        while_registration_is_open(account.email_verification_sent),
        name="account_email_verification_sent",
    ),
    path(
        "register/confirm/<str:key>/", while_registration_is_open(account.confirm_email), name="account_confirm_email"
    ),
]

urlpatterns: list[URLPattern | URLResolver] = [
    path("", include((ours, "accounts"))),
    *aliases,
    *passwords,
    *second_factors,
    *registration,
]
