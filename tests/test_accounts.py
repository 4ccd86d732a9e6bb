"""Signing in and out, the roles, and the accounts of those who work here."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import Group
from django.core.management import call_command
from django.test import Client
from django.urls import reverse

from accounts import roles
from accounts.models import User
from accounts.staff import create_staff_accounts, readable_password
from tests.makers import make_user

pytestmark = pytest.mark.django_db
PASSWORD = "correct horse battery"


@pytest.fixture
def cheap_passwords(settings: object) -> None:
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]  # type: ignore[attr-defined]


@pytest.mark.parametrize("role", roles.ROLES)
def test_the_migrations_gave_each_role_what_the_table_says(role: str) -> None:
    """After a change of the table, add a migration that calls ``roles.grant``."""
    permissions = Group.objects.get(name=role).permissions.values_list("content_type__app_label", "codename")
    assert {f"{app}.{codename}" for app, codename in permissions} == {roles.label(name) for name in roles.ROLES[role]}


@pytest.mark.parametrize("role", roles.ROLES)
def test_only_staff_roles_may_enter_the_admin(role: str) -> None:
    assert make_user(role).is_staff == (role in roles.STAFF_ROLES)


@pytest.mark.usefixtures("cheap_passwords")
def test_signing_in_goes_where_one_wanted_to_go(client: Client) -> None:
    make_user(username="ann", password=PASSWORD)
    answer = client.post(
        reverse("accounts:sign-in"), {"username": "ann", "password": PASSWORD, "next": "/admin/archive/comment/"}
    )
    assert answer["Location"] == "/admin/archive/comment/"


@pytest.mark.usefixtures("cheap_passwords")
def test_another_hosts_address_is_not_followed(client: Client) -> None:
    make_user(username="ann", password=PASSWORD)
    answer = client.post(
        reverse("accounts:sign-in"), {"username": "ann", "password": PASSWORD, "next": "https://else.example/"}
    )
    assert answer["Location"] == reverse("home")


@pytest.mark.parametrize("name", ["ann", "nobody"])
@pytest.mark.usefixtures("cheap_passwords")
def test_a_wrong_password_and_an_unknown_name_get_the_same_answer(client: Client, name: str) -> None:
    make_user(username="ann", password=PASSWORD)
    page = client.post(reverse("accounts:sign-in"), {"username": name, "password": "wrong", "next": "/x/"})
    text = page.content.decode()
    assert 'role="alert">Please enter a correct username and password.' in text
    assert 'name="next" value="/x/"' in text


def test_the_sign_in_page_names_its_fields_for_password_managers(client: Client) -> None:
    text = client.get(reverse("accounts:sign-in")).content.decode()
    assert 'autocomplete="username"' in text
    assert 'autocomplete="current-password"' in text


def test_signing_out_needs_a_form_and_not_a_link(client: Client) -> None:
    client.force_login(make_user())
    assert client.get(reverse("accounts:sign-out")).status_code == 405
    assert client.post(reverse("accounts:sign-out"))["Location"] == reverse("home")


@pytest.mark.usefixtures("cheap_passwords")
def test_each_staff_role_gets_an_account_that_can_sign_in(client: Client) -> None:
    made = create_staff_accounts()
    assert [role for role, _, _ in made] == list(roles.STAFF_ROLES)
    for role, username, password in made:
        assert client.login(username=username, password=password)
        assert User.objects.get(username=username, is_staff=True).groups.get().name == role


@pytest.mark.usefixtures("cheap_passwords")
def test_existing_accounts_are_left_alone() -> None:
    create_staff_accounts()
    before = list(User.objects.order_by("pk").values())
    assert create_staff_accounts() == []
    assert list(User.objects.order_by("pk").values()) == before


@pytest.mark.usefixtures("cheap_passwords")
def test_the_command_prints_each_password_once(capsys: pytest.CaptureFixture[str]) -> None:
    call_command("create_staff")
    assert len(capsys.readouterr().out.splitlines()) == 5
    call_command("create_staff", "--once")
    assert capsys.readouterr().out == ""


def test_passwords_are_long_and_not_alike() -> None:
    made = {readable_password() for _ in range(100)}
    assert len(made) == 100
    assert min(map(len, made)) >= 20
