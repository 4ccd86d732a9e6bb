"""Find the mentions of people, organisations and places again, as after a new model."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from archive import outbox
from archive.entities import resolver
from archive.models import Article


class Command(BaseCommand):
    help = "Find the mentions of all articles again, or of those named. What people decided is kept."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("articles", nargs="*", type=int, metavar="ARTICLE", help="an article's number")
        parser.add_argument("--later", action="store_true", help="leave the work to the workers")

    def handle(self, *, articles: list[int], later: bool, **options: Any) -> None:
        wanted = Article.objects.order_by("pk")
        if articles:
            wanted = wanted.filter(pk__in=articles)
        done = mentions = 0
        for pk in wanted.values_list("pk", flat=True).iterator():
            if later:
                outbox.extract_later(pk)
            else:
                mentions += resolver.extract_article(pk)
            done += 1
        self.stdout.write(f"{done:,} articles queued" if later else f"{mentions:,} mentions in {done:,} articles")
