"""``manage.py create_staff``: one account for each role that works in the admin."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from accounts.models import User
from accounts.staff import create_staff_accounts


class Command(BaseCommand):
    help = "Makes one account for each staff role and prints its password, this once. Existing accounts are left alone."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--once", action="store_true", help="do nothing, and say nothing, where any account exists")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["once"] and User.objects.exists():
            return
        made = create_staff_accounts()
        if not made:
            self.stdout.write("Every role has its account already. Passwords are changed in the admin.")
            return
        rows = [("role", "user name", "password"), *made]
        widths = [max(len(row[column]) for row in rows) for column in range(3)]
        for row in rows:
            self.stdout.write("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())
        self.stdout.write("These passwords are not shown again.")
