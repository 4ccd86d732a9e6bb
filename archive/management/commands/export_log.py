"""``manage.py export_log``: the log of decisions, for keeping elsewhere."""

from __future__ import annotations

import json
from typing import Any

from django.core.management.base import BaseCommand

from archive import decision_log, masks


class Command(BaseCommand):
    help = (
        "Prints the log of decisions, the oldest first, one JSON object a line. An entry's hash is the sha256 of its "
        "other fields but said, as JSON with sorted keys and no spaces, and covers the hash before it: whoever has the "
        "file can check it without the archive. reason_digest is the sha256 of said.salt, a line feed and said.reason; "
        "a reason that was erased or is masked lacks the salt. It names who decided; no text of a comment is in it."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        for entry in decision_log.exported(masks.of_all_cases()):
            self.stdout.write(json.dumps(entry, sort_keys=True, separators=(",", ":")))
