"""The log of decisions: the database itself refuses to let the application change it."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connection, transaction
from django.utils import timezone

from archive import checks, database_role, decision_log, moderation
from archive.models import Decision, DecisionReason
from archive.redaction import marks_of
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


def decided(reason: str = "names Ann") -> Decision:
    (comment,) = comments_of(make_article(comments="a"))
    entry = moderation.hide(comment, by=make_user("moderator"), reason=reason).decision
    assert entry
    return entry


def breaks() -> list[str]:
    return [found.why for found in decision_log.verify().breaks]


def test_a_reason_is_kept_beside_the_log_and_its_digest_in_it() -> None:
    entry = Decision.objects.get(pk=decided().pk)
    assert (entry.reason, entry.why, len(entry.reason_digest)) == ("", "names Ann", 64)
    assert breaks() == []


def test_a_reason_that_was_changed_emptied_or_taken_away_is_found() -> None:
    entry = decided()
    reasons = DecisionReason.objects.filter(pk=entry.said_id or 0)
    reasons.update(text="insult")
    assert breaks() == ["its reason was changed"]
    reasons.update(text="", salt="", case_id=7)
    assert breaks() == ["its reason was emptied, and no case erased it"]
    reasons.delete()
    assert breaks() == ["its reason was taken away"]


def test_a_reason_that_a_case_erased_is_accepted() -> None:
    entry = decided()
    assert entry.said
    decision_log.erase_reasons([entry.said], case_id=7, by=make_user("moderator"))
    assert breaks() == []
    assert Decision.objects.get(pk=entry.pk).why == "(the reason was erased for case 7)"
    DecisionReason.objects.filter(pk=entry.said_id or 0).update(case_id=8)
    assert breaks() == ["its reason was emptied, and no case erased it"]


def test_an_entry_from_before_reasons_lay_apart_keeps_its_hash() -> None:
    entry = Decision(pk=1, at=timezone.now(), actor_name="x", action="hide", target="comment", reason="insult")
    entry.previous_hash = decision_log.FIRST_HASH
    fields = decision_log.fields_of(entry)
    assert not {"said_id", "reason_digest"} & set(fields)
    entry.hash = decision_log.hash_of(entry)
    entry.save()
    decided()
    assert (Decision.objects.get(pk=entry.pk).why, breaks()) == ("insult", [])


def test_an_exported_reason_is_checked_without_the_archive_and_covered_where_a_case_masks_it() -> None:
    decided()
    (line,) = decision_log.exported()
    said = line.pop("said")
    assert hashlib.sha256(f"{said['salt']}\n{said['reason']}".encode()).hexdigest() == line["reason_digest"]
    (line,) = decision_log.exported(marks_of(["Ann"]))
    assert line["said"] == {"reason": "names ███"}


@pytest.mark.usefixtures("as_application")
def test_the_application_cannot_delete_a_reason() -> None:
    with pytest.raises(DatabaseError, match="permission denied"), transaction.atomic():
        DecisionReason.objects.all().delete()
