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
SHARED = frozenset({"delete_savedview"})
SERVERS = frozenset({"view_webhook", "add_webhook", "change_webhook", "delete_webhook"})
ADMINISTRATOR = ARCHIVIST | MODERATOR | ACCOUNTS | SHARED | SERVERS

ROLES: dict[str, frozenset[str]] = {
    "reader": READER,
    "archivist": ARCHIVIST,
    "moderator": MODERATOR,
    "administrator": ADMINISTRATOR,
}
STAFF_ROLES = ("archivist", "moderator", "administrator")
SCOPED_ROLES = ("archivist", "moderator")  # those that may hold on some sites only
ELSEWHERE = {"user": "accounts", "invitation": "accounts", "group": "auth"}


# What each permission lets a person do, under the heading of where they do it: the page about roles is made of this.
ABILITIES: dict[str, dict[str, str]] = {
    "Discussions": {
        "view_source": "see what was imported, and what became of it",
        "add_source": "import discussions and review their structure",
        "view_site": "see the list of sites",
        "add_site": "add a site",
        "change_site": "rename a site",
        "view_article": "see the lists of articles",
        "view_comment": "see the lists of comments",
        "view_author": "see the lists of names",
        "view_entity": "see the lists of people, organisations and places",
        "view_mention": "see where they are mentioned",
        "change_mention": "confirm and reject mentions",
    },
    "Moderation": {
        "moderate_comment": "see what is hidden; decide what is shown, and undo decisions",
        "view_decision": "read the log of decisions",
        "view_report": "see what readers reported",
        "change_report": "write down what came of a report",
        "view_case": "see requests for takedown, correction and erasure",
        "add_case": "open a case",
        "change_case": "work on a case",
        "delete_savedview": "remove views of the queue that others share",
    },
    "People": {
        "view_user": "see who has an account",
        "add_user": "make an account",
        "change_user": "change accounts and give roles",
        "view_group": "see what roles there are",
        "view_invitation": "see who was invited",
        "add_invitation": "invite people, and withdraw invitations",
    },
    "Other servers": {
        "view_webhook": "see which servers are told what was decided",
        "add_webhook": "name another one",
        "change_webhook": "change what one is told",
        "delete_webhook": "tell one no more",
    },
}


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
