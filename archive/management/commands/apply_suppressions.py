"""``manage.py apply_suppressions``: take out again what was erased, after an older backup was restored."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from archive import erasure, suppressions


class Command(BaseCommand):
    help = (
        "Erases again what the list of suppressions names and this database still holds. Run it after restoring a "
        "backup, before readers come. Running it again changes nothing."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--all", action="store_true", help="also follow entries that were applied before")

    requires_system_checks: list[str] = []

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            entries = suppressions.entries() if options["all"] else suppressions.not_applied()
        except (OSError, ValueError) as error:
            raise CommandError(str(error)) from None
        for entry in entries:
            wiped = erasure.follow(entry)
            self.stdout.write(f"case {entry.case}, erased {entry.at[:10]}: {wiped} comments wiped")
        known = len(suppressions.entries())
        self.stdout.write(f"{len(entries)} of {known} entries followed" if entries else f"nothing to do: {known} known")
