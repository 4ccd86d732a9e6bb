"""``manage.py verify_log``: is the log of decisions what it was written as?"""

from __future__ import annotations

import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from archive import decision_log


class Command(BaseCommand):
    help = (
        "Checks the hash chain of the log of decisions and prints its head, to be published elsewhere. "
        "Exits 1 where an entry was changed, removed or added."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--head", default="", help="a head printed earlier: the log must still contain it")

    def handle(self, *args: Any, **options: Any) -> None:
        found = decision_log.verify(options["head"])
        self.stdout.write(f"entries  {found.entries}")
        self.stdout.write(f"head     {found.head}")
        for broken in found.breaks:
            self.stderr.write(str(broken))
        if found.broken > len(found.breaks):
            self.stderr.write(f"and {found.broken - len(found.breaks)} more")
        if not found.published_found:
            self.stderr.write(f"the log does not contain {options['head']}: its end was cut off, or it was rewritten")
        if found.broken or not found.published_found:
            sys.exit(1)
        self.stdout.write("the log is whole")
