"""Index everything again, as after a change of AFTERWORD_SEARCH_LANGUAGES."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from archive.search import sync


class Command(BaseCommand):
    help = "Index every article and comment again. Search keeps answering from the old index meanwhile."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--later", action="store_true", help="leave the work to the workers")

    def handle(self, *, later: bool, **options: Any) -> None:
        articles = sync.rebuild()
        if not later:
            sync.run()
        self.stdout.write(f"{articles:,} articles {'queued' if later else 'indexed'}")
