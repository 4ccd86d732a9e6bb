"""Second factors, sessions, invitations, registration: what is ours around allauth."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP, format_hotp_value, hotp_value, yield_hotp_counters_from_time
from allauth.usersessions.models import UserSession
from django.contrib.sessions.models import Session
from django.core import mail
from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import get_resolver, reverse
from django.utils import timezone

from accounts import invitations, jobs
from accounts.devices import device
from accounts.middleware import SEEN
from accounts.models import Invitation, User
from tests.makers import confirm_it_is_them, make_user

pytestmark = pytest.mark.django_db
PASSWORD = "correct horse battery"
SECRET = "JBSWY3DPEHPK3PXP"
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"


@pytest.fixture(autouse=True)
def quick(settings: Any) -> None:
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    cache.clear()


def sign_in(client: Client, name: str, password: str = PASSWORD, **headers: str) -> Any:
    return client.post(reverse("accounts:sign-in"), {"username": name, "password": password}, headers=headers)


def code_of(secret: str = SECRET) -> str:
    return format_hotp_value(hotp_value(secret, next(iter(yield_hotp_counters_from_time()))))


def with_app(**fields: Any) -> User:
    user = make_user(fields.pop("role", ""), password=PASSWORD, **fields)
    TOTP.activate(user, SECRET)
    return user


def test_a_password_alone_does_not_open_an_account_with_a_second_factor(client: Client) -> None:
    user = with_app()
    assert sign_in(client, user.username)["Location"] == reverse("mfa_authenticate")
    assert client.get(reverse("accounts:account")).status_code == 302
    assert client.post(reverse("mfa_authenticate"), {"code": code_of()})["Location"] == reverse("home")
    assert client.get(reverse("accounts:account")).status_code == 200


def test_a_recovery_code_opens_it_once(client: Client) -> None:
    user = with_app()
    (code, *_) = RecoveryCodes.activate(user).get_unused_codes()
    for answer in (302, 200):
        sign_in(client, user.username)
        assert client.post(reverse("mfa_authenticate"), {"code": code}).status_code == answer
        client.post(reverse("accounts:sign-out"))


def test_codes_are_guessed_five_times_and_no_more(client: Client) -> None:
    user = with_app()
    sign_in(client, user.username)
    for _ in range(5):
        client.post(reverse("mfa_authenticate"), {"code": "000000"})
    page = client.post(reverse("mfa_authenticate"), {"code": code_of()})
    assert "Too many wrong attempts" in page.content.decode()


def test_setting_up_an_app_asks_for_the_password_and_gives_recovery_codes(client: Client) -> None:
    user = make_user(password=PASSWORD)
    sign_in(client, user.username)
    asked = client.get(reverse("mfa_activate_totp"))
    assert asked["Location"] == f"{reverse('account_reauthenticate')}?next=%2Faccount%2Fapp%2F"
    confirm_it_is_them(client)
    page = client.get(reverse("mfa_activate_totp")).content.decode()
    secret = re.findall(r"<code>([A-Z2-7]+)</code>", page)[0]
    done = client.post(reverse("mfa_activate_totp"), {"code": code_of(secret)})
    assert done["Location"] == reverse("mfa_view_recovery_codes")
    assert len(re.findall(r"<li><code>", client.get(done["Location"]).content.decode())) == 10


def test_staff_without_a_second_factor_can_only_set_one_up(client: Client, settings: Any) -> None:
    settings.REQUIRE_MFA = True
    client.force_login(make_user("moderator"))
    for address in ("/admin/", "/", "/a/1/-/"):
        assert client.get(address)["Location"] == reverse("accounts:account")
    assert "needs a second factor" in client.get(reverse("accounts:account")).content.decode()


def test_staff_whose_session_lacks_it_are_asked_for_their_second_factor(client: Client, settings: Any) -> None:
    settings.REQUIRE_MFA = True
    client.force_login(with_app(role="moderator"))
    assert client.get("/admin/")["Location"] == f"{reverse('mfa_reauthenticate')}?next=%2Fadmin%2F"
    client.post(f"{reverse('mfa_reauthenticate')}?next=/admin/", {"code": code_of()})
    assert client.get("/admin/").status_code == 200


@pytest.mark.parametrize("role", ["", "reader"])
def test_readers_need_no_second_factor(client: Client, settings: Any, role: str) -> None:
    settings.REQUIRE_MFA = True
    client.force_login(make_user(role))
    assert client.get("/").status_code == 200


def test_whose_role_needs_it_keeps_a_second_factor(client: Client, settings: Any) -> None:
    settings.REQUIRE_MFA = True
    user = with_app(role="moderator")
    client.force_login(user)
    confirm_it_is_them(client)
    client.post(reverse("mfa_deactivate_totp"))
    assert Authenticator.objects.filter(user=user, type="totp").exists()


def test_an_administrator_helps_who_has_lost_their_second_factor(client: Client) -> None:
    person, root = with_app(role="moderator"), with_app(is_superuser=True)
    client.force_login(make_user("administrator"))
    chosen = {"action": "take_away_second_factors", "_selected_action": [person.pk, root.pk]}
    client.post(reverse("admin:accounts_user_changelist"), chosen)
    assert [one.user for one in Authenticator.objects.all()] == [root]


def test_passkeys_are_listed_with_what_can_be_done_about_each(client: Client) -> None:
    user = make_user()
    key = Authenticator.objects.create(user=user, type="webauthn", data={"name": "My phone", "credential": {}})
    client.force_login(user)
    page = client.get(reverse("mfa_list_webauthn")).content.decode()
    assert "My phone" in page
    for name in ("mfa_edit_webauthn", "mfa_remove_webauthn"):
        assert reverse(name, args=[key.pk]) in page


def test_sessions_are_named_by_device_and_ended_one_by_one(client: Client) -> None:
    user = make_user(password=PASSWORD)
    sign_in(client, user.username)
    elsewhere = Client()
    sign_in(elsewhere, user.username, user_agent=FIREFOX)
    assert "Firefox on Linux" in client.get(reverse("accounts:sessions")).content.decode()
    there = UserSession.objects.get(session_key=elsewhere.session.session_key)
    client.post(reverse("accounts:sessions"), {"end": str(there.pk)})
    assert elsewhere.get(reverse("accounts:account")).status_code == 302
    assert client.get(reverse("accounts:account")).status_code == 200


def test_all_other_sessions_end_at_once(client: Client) -> None:
    user = make_user(password=PASSWORD)
    others = [Client(), Client()]
    for one in (client, *others):
        sign_in(one, user.username)
    client.post(reverse("accounts:sessions"), {"end": "others"})
    assert [one.get(reverse("accounts:account")).status_code for one in (client, *others)] == [200, 302, 302]


def test_nobody_ends_somebody_elses_session(client: Client) -> None:
    other, mine = make_user(password=PASSWORD), make_user(password=PASSWORD)
    there = Client()
    sign_in(there, other.username)
    sign_in(client, mine.username)
    theirs = UserSession.objects.get(user=other)
    for chosen in (str(theirs.pk), "0", "", "x" * 500):
        assert client.post(reverse("accounts:sessions"), {"end": chosen}).status_code == 404
    assert there.get(reverse("accounts:account")).status_code == 200


def test_last_use_is_written_every_few_minutes(client: Client) -> None:
    user = make_user(password=PASSWORD)
    sign_in(client, user.username)
    UserSession.objects.update(last_seen_at=timezone.now() - timedelta(days=1))
    client.get("/")
    assert UserSession.objects.get().last_seen_at < timezone.now() - timedelta(hours=1)
    session = client.session
    session[SEEN] -= 301
    session.save()
    client.get("/")
    assert UserSession.objects.get().last_seen_at > timezone.now() - timedelta(hours=1)


@pytest.mark.parametrize(
    ("said", "device_name"),
    [
        (FIREFOX, "Firefox on Linux"),
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) Version/18.0 Safari/604.1", "Safari on iPhone"),
        ("Mozilla/5.0 (Windows NT 10.0) Chrome/140.0 Safari/537.36 Edg/140.0", "Edge on Windows"),
        ("", "an unknown device"),
    ],
)
def test_devices_have_names_that_people_know(said: str, device_name: str) -> None:
    assert device(said) == device_name


def test_a_forgotten_password_is_set_by_mail_and_forgives_wrong_attempts(client: Client) -> None:
    user = make_user(password=PASSWORD, email="ann@example.org")
    for _ in range(5):
        sign_in(client, user.username, "wrong")
    client.post(reverse("account_reset_password"), {"email": "ann@example.org"})
    (link,) = re.findall(r"http://testserver(/\S+/forgotten/\S+)", str(mail.outbox[0].body))
    form = client.get(link)["Location"]
    client.post(form, {"password1": "another fine phrase", "password2": "another fine phrase"})
    assert sign_in(client, user.username, "another fine phrase")["Location"] == reverse("home")


def test_asking_for_a_new_password_tells_nobody_whether_there_is_an_account(client: Client) -> None:
    make_user(email="ann@example.org")
    answers = [
        client.post(reverse("account_reset_password"), {"email": email}) for email in ("ann@example.org", "x@y.example")
    ]
    assert {(answer.status_code, answer["Location"]) for answer in answers} == {
        (302, reverse("account_reset_password_done"))
    }
    assert len(mail.outbox) == 2


def test_a_wrong_present_password_does_not_change_it_and_is_counted(client: Client) -> None:
    user = make_user(password=PASSWORD)
    sign_in(client, user.username)
    new = {"password1": "another fine phrase", "password2": "another fine phrase"}
    for _ in range(5):
        assert client.post(reverse("account_change_password"), {"oldpassword": "wrong", **new}).status_code == 200
    cache.clear()
    client.post(reverse("account_change_password"), {"oldpassword": PASSWORD, **new})
    user.refresh_from_db()
    assert user.check_password(PASSWORD)


def test_an_invitation_makes_one_account_with_its_role(client: Client) -> None:
    _, token = invitations.invite(role="moderator", email="New@Example.org", by=make_user("administrator"))
    address = reverse("accounts:invitation", args=[token])
    chosen = {"username": "newcomer", "password1": PASSWORD, "password2": PASSWORD}
    assert client.post(address, chosen)["Location"] == reverse("accounts:sign-in")
    user = User.objects.get(username="newcomer")
    assert (user.is_staff, user.groups.get().name, user.email) == (True, "moderator", "new@example.org")
    assert EmailAddress.objects.get(user=user).verified
    assert client.post(address, {**chosen, "username": "second"}).status_code == 404


@pytest.mark.parametrize("end", ["expired", "withdrawn", "never"])
def test_what_is_over_invites_nobody(client: Client, end: str) -> None:
    _, token = invitations.invite(role="moderator", email="", by=make_user("administrator"))
    if end == "expired":
        Invitation.objects.update(expires_at=timezone.now())
    if end == "withdrawn":
        assert invitations.withdraw(Invitation.objects.all()) == 1
    answer = client.get(reverse("accounts:invitation", args=["x" * 43 if end == "never" else token]))
    assert (answer.status_code, "This invitation is over" in answer.content.decode()) == (404, True)


def test_two_who_open_an_invitation_at_once_do_not_both_get_in() -> None:
    made, _ = invitations.invite(role="reader", email="", by=make_user("administrator"))
    assert invitations.accept(made, User(username="first"))
    assert not invitations.accept(made, User(username="second"))
    assert not User.objects.filter(username="second").exists()


def test_administrators_invite_and_see_the_link_once(client: Client) -> None:
    client.force_login(make_user("administrator"))
    confirm_it_is_them(client)
    add = reverse("admin:accounts_invitation_add")
    page = client.post(add, {"role": "archivist", "email": "new@example.org"}, follow=True).content.decode()
    (link,) = re.findall(r"http://testserver/invitation/[\w-]+/", page)
    assert link in mail.outbox[0].body
    assert link not in client.get(reverse("admin:accounts_invitation_changelist")).content.decode()


def test_nobody_registers_unless_that_is_set(client: Client, settings: Any) -> None:
    for name in ("account_signup", "account_email_verification_sent"):
        assert client.get(reverse(name)).status_code == 404
    assert "Register" not in client.get(reverse("accounts:sign-in")).content.decode()


def test_who_registers_confirms_the_address_first(client: Client, settings: Any) -> None:
    settings.OPEN_REGISTRATION = True
    chosen = {"username": "newcomer", "email": "new@example.org", "password1": PASSWORD, "password2": PASSWORD}
    assert client.post(reverse("account_signup"), chosen)["Location"] == reverse("account_email_verification_sent")
    assert sign_in(client, "newcomer")["Location"] == reverse("account_email_verification_sent")
    (link,) = re.findall(r"http://testserver(/register/\S+)", str(mail.outbox[0].body))
    assert "Is new@example.org your address?" in client.get(link).content.decode()
    client.post(link)
    assert sign_in(client, "newcomer")["Location"] == reverse("home")
    assert not User.objects.get(username="newcomer").groups.exists()


@pytest.mark.parametrize("path", ["/accounts/login/", "/3rdparty/", "/social/signup/", "/account/email/", "/2fa/"])
def test_what_is_not_needed_of_allauth_does_not_exist(client: Client, path: str) -> None:
    client.force_login(make_user())
    assert client.get(path).status_code == 404


def test_every_page_about_accounts_is_in_our_own_words() -> None:
    """Each view's template is one of ours: none of allauth's own can be reached."""
    from django.template.loader import get_template

    found = [one for pattern in get_resolver().url_patterns for one in getattr(pattern, "url_patterns", [pattern])]
    classes = {getattr(one.callback, "view_class", None) for one in found if hasattr(one, "callback")}
    names = {name for view in classes for name in [getattr(view, "template_name", None)] if name}
    assert len(names) > 15
    for name in names - {
        "mfa/recovery_codes/download.txt",
        "account/logout.html",
    }:  # a file; never shown, as GET is none
        found_template: Any = get_template(name)
        assert "templates/public" in str(found_template.origin.name), name


def test_expired_sessions_are_thrown_away() -> None:
    Session.objects.create(session_key="old", session_data="", expire_date=timezone.now() - timedelta(days=1))
    jobs.purge()
    assert not Session.objects.filter(session_key="old").exists()


@pytest.mark.parametrize("path", ["/", "/about/", "/search/?q=x"])
def test_a_guests_page_asks_nothing_about_accounts(client: Client, path: str) -> None:
    with CaptureQueriesContext(connection) as asked:
        answer = client.get(path)
    assert not [query["sql"] for query in asked if re.search(r"session|accounts?_|mfa_", query["sql"])]
    assert not answer.cookies
