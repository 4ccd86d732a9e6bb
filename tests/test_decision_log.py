"""The log of decisions: the database itself refuses to let the application change it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connection, transaction

from archive import checks, database_role, moderation
from archive.models import Decision
from tests.makers import comments_of, make_article, make_user

pytestmark = pytest.mark.django_db
ROLE = "afterword_tested"


@pytest.fixture
def as_application() -> None:
    """What follows in the test runs as the application's role; that and the role end with the test's transaction."""
    (comment,) = comments_of(make_article(comments="a"))
    moderation.hide(comment, by=make_user("moderator"), reason="insult")
    assert database_role.protect(ROLE) == ""
    with connection.cursor() as cursor:
        cursor.execute(f"SET LOCAL ROLE {ROLE}")


def delete_all() -> None:
    Decision.objects.all().delete()


def change_one() -> None:
    Decision.objects.update(reason="something else")


def empty() -> None:
    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE archive_decision")


def drop() -> None:
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE archive_decision")


@pytest.mark.usefixtures("as_application")
@pytest.mark.parametrize("attempt", [delete_all, change_one, empty, drop])
def test_the_application_cannot_change_the_log(attempt: Callable[[], None]) -> None:
    with pytest.raises(DatabaseError, match=r"permission denied|must be owner"), transaction.atomic():
        attempt()
    assert Decision.objects.count() == 1


@pytest.mark.usefixtures("as_application")
def test_the_application_decides_and_undoes() -> None:
    article = make_article(comments="ab")
    one, _ = comments_of(article)
    hidden = moderation.hide(one, by=make_user("moderator"), reason="insult").decision
    assert hidden is not None
    moderation.undo(hidden, by=make_user("moderator"))
    one.refresh_from_db()
    assert (one.status, Decision.objects.count()) == ("published", 3)


@pytest.mark.usefixtures("as_application")
def test_its_role_is_found_right() -> None:
    assert not database_role.may_change_log()


def test_an_owner_is_told_apart(settings: Any) -> None:
    settings.DATABASE_ROLE = ROLE
    assert [error.id for error in checks.check_log(None, databases=["default"])] == ["archive.E009"]


def test_granting_twice_changes_nothing() -> None:
    assert [database_role.protect(ROLE), database_role.protect(ROLE)] == ["", ""]


def test_a_name_that_is_none_is_refused() -> None:
    with pytest.raises(CommandError, match="no name for a role"):
        call_command("protect_log", role='x"; DROP TABLE archive_decision; --')
