"""The role under which web and workers use the database: it may add to the log of decisions, and not change it.

``manage.py protect_log`` makes it after each migration; ``AFTERWORD_DATABASE_ROLE`` names it, and Django takes it on
for each connection (``assume_role``). Migrations run as the owner, without it.
"""

from __future__ import annotations

import re

from django.db import DatabaseError, connection, transaction
from psycopg import sql

from archive.models import Decision, DecisionReason

DEFAULT = "afterword_app"
LOG = Decision._meta.db_table
REASONS = DecisionReason._meta.db_table
NAME = re.compile(r"[a-z_][a-z0-9_]{0,62}")
_GRANTS = (
    "GRANT {role} TO CURRENT_USER",
    "GRANT USAGE ON SCHEMA public TO {role}",
    "GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {role}",
    "GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public TO {role}",
    "REVOKE ALL ON {log} FROM {role}",
    "GRANT SELECT, INSERT ON {log} TO {role}",
    "REVOKE DELETE ON {reasons} FROM {role}",
)


def protect(role: str) -> str:
    """Make ``role`` where it is missing and grant it what the application needs. Returns what prevented it, or "".

    Run again after each migration: a new table is not granted by itself.
    """
    if not NAME.fullmatch(role):
        return f"{role!r} is no name for a role: use lower-case letters, digits and underscores"
    names = {"role": sql.Identifier(role), "log": sql.Identifier(LOG), "reasons": sql.Identifier(REASONS)}
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(hashtext(%s))", [role])
            cursor.execute("SELECT count(*) FROM pg_roles WHERE rolname = %s", [role])
            if cursor.fetchone() == (0,):
                cursor.execute(sql.SQL("CREATE ROLE {role} NOLOGIN").format(**names))
            for statement in _GRANTS:
                cursor.execute(sql.SQL(statement).format(**names))
    except DatabaseError as error:
        return str(error).strip().partition("\n")[0]
    return ""


def may_change_log() -> bool:
    """Whether this connection's role could change or delete entries, as far as the database's grants go."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT has_table_privilege(%s, 'UPDATE') OR has_table_privilege(%s, 'DELETE')", [LOG, LOG])
        return bool(cursor.fetchone() == (True,))
