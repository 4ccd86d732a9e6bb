"""``manage.py export_corrections``: discussions that archivists corrected, labelled, to train structure recovery on."""

from __future__ import annotations

import json
from typing import Any

from django.core.management.base import BaseCommand

from archive import queries, review


class Command(BaseCommand):
    help = (
        "Print published discussions that archivists corrected, as JSON, one a line, as structure/train.py reads them."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        kept_back = 0
        for article in queries.articles().corrected().iterator(chunk_size=50):
            labelled = review.labelled(article)
            if labelled is None:
                kept_back += 1
                continue
            self.stdout.write(json.dumps(labelled, ensure_ascii=False))
        if kept_back:
            self.stderr.write(f"{kept_back} kept back: a part of each is hidden or masked, or its source was not kept")
