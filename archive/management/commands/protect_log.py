"""``manage.py protect_log``: a database role that may add to the log of decisions, and not change it."""

from __future__ import annotations

import os
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from archive import database_role


class Command(BaseCommand):
    help = (
        "Makes the database role under which web and workers run, and grants it all tables; the log of decisions only "
        "for reading and adding. Run it after each migration, as the owner of the tables, and give web and workers "
        "AFTERWORD_DATABASE_ROLE."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        default = os.environ.get("AFTERWORD_DATABASE_ROLE") or database_role.DEFAULT
        parser.add_argument("--role", default=default, help="its name; %(default)s unless another is wanted")

    def handle(self, *, role: str, **options: Any) -> None:
        if problem := database_role.protect(role):
            advice = f"Let a superuser run: CREATE ROLE {role} NOLOGIN; GRANT {role} TO the owner of the tables."
            raise CommandError(f"{problem}. {advice}")
        self.stdout.write(f"{role} may add to the log of decisions and not change it.")
        self.stdout.write(f"Give web and workers AFTERWORD_DATABASE_ROLE={role}; not what migrates.")
