"""The four roles and what each may do: the one table that the migration, the admin and the tests read.

A permission is written ``codename``; the table it speaks of (the part after ``view_``, ``add_`` ...) belongs to the
archive's app unless ``ELSEWHERE`` says otherwise. Administrators may do all that the other roles may, and manage
accounts as well. ``moderate_comment`` is for articles, too: who may hide every comment of an article may hide it.
"""

from __future__ import annotations

from typing import Any

READER: frozenset[str] = frozenset()
ARCHIVIST = frozenset(
    {
        "view_source",
        "add_source",
        "view_site",
        "add_site",
        "change_site",
        "view_article",
        "view_comment",
        "view_author",
        "view_entity",
        "view_mention",
        "change_mention",
        "view_decision",
    }
)
MODERATOR = frozenset(
    {
        "view_article",
        "view_comment",
        "moderate_comment",
        "view_author",
        "view_entity",
        "view_mention",
        "view_decision",
        "view_report",
        "change_report",
        "view_case",
        "add_case",
        "change_case",
    }
)
ACCOUNTS = frozenset({"view_user", "add_user", "change_user", "view_group", "view_invitation", "add_invitation"})
SERVERS = frozenset({"view_webhook", "add_webhook", "change_webhook", "delete_webhook"})
ADMINISTRATOR = ARCHIVIST | MODERATOR | ACCOUNTS | SERVERS

ROLES: dict[str, frozenset[str]] = {
    "reader": READER,
    "archivist": ARCHIVIST,
    "moderator": MODERATOR,
    "administrator": ADMINISTRATOR,
}
STAFF_ROLES = ("archivist", "moderator", "administrator")
ELSEWHERE = {"user": "accounts", "invitation": "accounts", "group": "auth"}


def label(codename: str) -> str:
    """``view_source`` -> ``archive.view_source``: the name that ``has_perm`` wants."""
    return f"{ELSEWHERE.get(_table(codename), 'archive')}.{codename}"


def grant(apps: Any) -> None:
    """Bring the groups to what the table says, for a migration: ``apps`` is the migration's own registry.

    Permissions are made here where they are missing, because Django makes them only after all migrations have run.
    One about a table that does not exist yet is left to the migration that follows it.
    """
    group, permission = apps.get_model("auth", "Group"), apps.get_model("auth", "Permission")
    content_type = apps.get_model("contenttypes", "ContentType")
    for role, codenames in ROLES.items():
        granted = []
        for codename in sorted(codenames):
            app_label, table = ELSEWHERE.get(_table(codename), "archive"), _table(codename)
            try:
                meta = apps.get_model(app_label, table)._meta
            except LookupError:
                continue
            kind = content_type.objects.get_or_create(app_label=app_label, model=table)[0]
            name = dict(meta.permissions).get(codename) or f"Can {codename.partition('_')[0]} {meta.verbose_name_raw}"
            made = permission.objects.get_or_create(content_type=kind, codename=codename, defaults={"name": name})
            granted.append(made[0])
        group.objects.get_or_create(name=role)[0].permissions.set(granted)


def _table(codename: str) -> str:
    return codename.partition("_")[2]
