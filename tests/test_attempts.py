"""Wrong passwords are counted, by account and by address, also when many are tried at once."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.hashers import MD5PasswordHasher
from django.db import connection
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts import attempts, jobs
from accounts.models import Attempt
from tests.makers import make_user

PASSWORD = "correct horse battery"


class CountingHasher(MD5PasswordHasher):
    """How often a password was hashed: what an answer's time is made of."""

    hashed = 0

    def encode(self, password: str, salt: Any) -> str:
        CountingHasher.hashed += 1
        return super().encode(password, salt)


@pytest.fixture(autouse=True)
def quick(settings: Any) -> None:
    settings.PASSWORD_HASHERS = ["tests.test_attempts.CountingHasher"]


def try_it(name: str, password: str, client: Client | None = None, **meta: Any) -> Any:
    chosen = {"username": name, "password": password}
    return (client or Client()).post(reverse("accounts:sign-in"), chosen, **meta)


@pytest.mark.django_db
@pytest.mark.parametrize("name", ["ann", "nobody"])
def test_the_sixth_attempt_is_refused_whether_there_is_an_account_or_not(name: str) -> None:
    make_user(username="ann", password=PASSWORD)
    assert [try_it(name, "wrong").status_code for _ in range(6)] == [200] * 5 + [429]
    assert try_it(name.upper(), PASSWORD).status_code == 429


@pytest.mark.django_db
def test_wrong_and_unknown_are_answered_alike_and_hash_as_often() -> None:
    make_user(username="ann", password=PASSWORD)
    answers, hashed = [], []
    for name in ("ann", "nobody"):
        CountingHasher.hashed = 0
        page = try_it(name, "wrong")
        answers.append((page.status_code, page.content.decode().count("correct username and password")))
        hashed.append(CountingHasher.hashed)
    assert answers[0] == answers[1]
    assert hashed[0] == hashed[1] > 0


@pytest.mark.django_db
def test_a_right_password_costs_no_attempt() -> None:
    make_user(username="ann", password=PASSWORD)
    for _ in range(6):
        assert try_it("ann", PASSWORD).status_code == 302
    assert not Attempt.objects.exists()


@pytest.mark.django_db
def test_a_right_password_does_not_forgive_the_wrong_ones() -> None:
    make_user(username="ann", password=PASSWORD)
    for _ in range(4):
        try_it("ann", "wrong")
    try_it("ann", PASSWORD)
    assert [try_it("ann", "wrong").status_code for _ in range(2)] == [200, 429]


@pytest.mark.django_db
def test_one_address_may_be_wrong_twenty_times_with_any_names() -> None:
    assert [try_it(f"name-{number}", "wrong").status_code for number in range(21)] == [200] * 20 + [429]
    assert try_it("elsewhere", "wrong", REMOTE_ADDR="192.0.2.7").status_code == 200


@pytest.mark.django_db
def test_after_half_an_hour_an_account_and_after_an_hour_an_address_may_be_tried_again() -> None:
    for number in range(20):
        attempts.begin(f"name-{number % 4}", "192.0.2.7")
    Attempt.objects.update(at=timezone.now() - timedelta(minutes=31))
    assert attempts.begin("name-0", "192.0.2.8") is not None
    assert attempts.begin("name-0", "192.0.2.7") is None
    Attempt.objects.update(at=timezone.now() - timedelta(minutes=61))
    assert attempts.begin("name-0", "192.0.2.7") is not None


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("192.0.2.7", "192.0.2.8", False),
        ("2001:db8::1", "2001:db8::ffff:1", True),
        ("2001:db8::1", "2001:db8:0:1::1", False),
        ("", "no address", True),
    ],
)
def test_addresses_of_one_household_are_one(one: str, other: str, same: bool) -> None:
    assert (attempts.address_key(one) == attempts.address_key(other)) == same


@pytest.mark.django_db
@pytest.mark.parametrize("name", ["", " ", "a" * 150, "\ud800", "' OR 1=1 --", "ÅNN"])
def test_any_name_can_be_tried(name: str) -> None:
    assert attempts.begin(name, "192.0.2.7") is not None


@pytest.mark.django_db
def test_what_counts_no_more_is_purged_by_the_hourly_job() -> None:
    attempts.begin("ann", "192.0.2.7")
    Attempt.objects.update(at=timezone.now() - timedelta(minutes=61))
    attempts.begin("ann", "192.0.2.7")
    jobs.purge()
    assert Attempt.objects.count() == 1


@pytest.fixture
def threads() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(max_workers=16) as pool:
        yield pool


@pytest.mark.django_db(transaction=True, serialized_rollback=True)
def test_of_forty_passwords_at_once_five_are_looked_at(threads: ThreadPoolExecutor) -> None:
    """Each thread has a connection of its own, as each process of each web machine has."""
    make_user(username="ann", password=PASSWORD)

    def one(number: int) -> int:
        try:
            return int(try_it("ann", f"wrong {number}", REMOTE_ADDR=f"192.0.2.{number}").status_code)
        finally:
            connection.close()

    answers = list(threads.map(one, range(40)))
    assert sorted(answers) == [200] * 5 + [429] * 35


@pytest.mark.django_db(transaction=True, serialized_rollback=True)
def test_of_forty_names_at_once_from_one_address_twenty_are_looked_at(threads: ThreadPoolExecutor) -> None:
    def one(number: int) -> bool:
        try:
            return attempts.begin(f"name-{number}", "192.0.2.7") is not None
        finally:
            connection.close()

    assert sum(threads.map(one, range(40))) == 20
