"""Bring articles and their discussions into the archive."""

from __future__ import annotations

import contextlib
import json
import sys
import time
from argparse import ArgumentParser, RawDescriptionHelpFormatter
from collections import Counter
from pathlib import Path
from typing import Any, BinaryIO

from django.core.management.base import BaseCommand, CommandError
from django.db import OperationalError, ProgrammingError

from archive.ingest import importer
from archive.ingest.importer import Report
from archive.ingest.readers import READERS

STDIN = "-"
HELP = """\
Bring articles and their discussions into the archive.

Each PATH is one source. Its format is recognised from its bytes. What was received is kept as it is; the article and
its comments are found in it, stored all at once or not at all, and listed in a report that accounts for every
character. Importing the same thing twice changes nothing.
"""
EPILOG = """\
examples:
  manage.py import_source page.txt
  manage.py import_source --site "The Northfield Courier" saved/*.txt
  manage.py import_source --dry-run --json page.txt      what would be found; writes nothing, needs no database
  pdftotext page.pdf - | manage.py import_source -

exit status:
  0  everything was imported, or was in the archive already
  1  something was rejected; the report says what and why
  2  the arguments cannot be used, or the database does not answer
"""


class Command(BaseCommand):
    help = HELP
    requires_system_checks = []  # checks ask the database, and a dry run needs none

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> Any:
        kwargs |= {"formatter_class": RawDescriptionHelpFormatter, "epilog": EPILOG}
        return super().create_parser(prog_name, subcommand, **kwargs)

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("paths", nargs="+", metavar="PATH", help="a file, or - for standard input")
        parser.add_argument("--format", choices=sorted(READERS), help="the format; recognised from the bytes if absent")
        parser.add_argument("--site", default=importer.DEFAULT_SITE, help="where the discussions come from")
        parser.add_argument("--dry-run", action="store_true", help="say what would be found and write nothing")
        parser.add_argument("--json", action="store_true", help="print one JSON object a source, one a line")
        parser.add_argument("--quiet", action="store_true", help="print only what was rejected")

    def handle(self, *, paths: list[str], **options: Any) -> None:
        totals: Counter[str] = Counter()
        with contextlib.suppress(BrokenPipeError):
            for number, path in enumerate(paths, 1):
                with Ticker(f"{number} of {len(paths)}", quiet=options["quiet"] or options["dry_run"]) as tick:
                    totals.update(self.one(path, tick, options))
            if not options["json"] and not options["quiet"] and not options["dry_run"]:
                self.stdout.write(summary(totals))
        if totals["rejected"]:
            sys.exit(1)

    def one(self, path: str, tick: Ticker, options: dict[str, Any]) -> dict[str, int]:
        """Import one source, print what became of it, and return its outcomes."""
        data, problem = load(path)
        if problem:
            report = importer.rejected(path, problem)
        elif options["dry_run"]:
            return self.would_find(path, data, options)
        else:
            report = self.import_one(path, data, tick, options)
        tick.clear()
        if options["json"]:
            self.stdout.write(json.dumps(report.as_json(), ensure_ascii=False))
        elif not options["quiet"] or report.outcomes["rejected"]:
            self.stdout.write(lines(report))
        return report.outcomes

    def import_one(self, path: str, data: bytes, tick: Ticker, options: dict[str, Any]) -> Report:
        try:
            return importer.import_source(
                data, name=name_of(path), site=options["site"], format=options["format"], progress=tick
            )
        except OperationalError as error:
            message = (
                f"The database does not answer ({str(error).strip().splitlines()[0]}). Start it with `make demo` in "
                "another terminal, or set DATABASE_URL to a running server."
            )
            raise CommandError(message, returncode=2) from error
        except ProgrammingError as error:
            if "does not exist" not in str(error):
                raise
            raise CommandError("The database has no tables yet. Run `manage.py migrate`.", returncode=2) from error

    def would_find(self, path: str, data: bytes, options: dict[str, Any]) -> dict[str, int]:
        found = importer.dry_run(importer.read(data, name=name_of(path), format=options["format"]), name=path)
        if options["json"]:
            self.stdout.write(json.dumps(found, ensure_ascii=False))
        elif "rejected" in found:
            self.stdout.write(f"{path}: rejected: {found['rejected']}")
        elif not options["quiet"]:
            self.stdout.write(f"{path}: would import “{found['title']}” with {len(found['comments']):,} comments")
        return {"rejected": 1} if "rejected" in found else {}


class Ticker:
    """A line on the terminal that counts the comments stored; silent where there is no terminal."""

    def __init__(self, which: str, *, quiet: bool) -> None:
        self.which = which
        self.shown = not quiet and sys.stderr.isatty()
        self.stored = 0
        self.drawn_at = 0.0

    def __enter__(self) -> Ticker:
        self(0)
        return self

    def __exit__(self, *_: object) -> None:
        self.clear()

    def __call__(self, stored: int) -> None:
        self.stored += stored
        if self.shown and time.monotonic() - self.drawn_at > 0.2:
            self.drawn_at = time.monotonic()
            sys.stderr.write(f"\r\x1b[Kimporting {self.which} · {self.stored:,} comments")
            sys.stderr.flush()

    def clear(self) -> None:
        if self.shown:
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()


def name_of(path: str) -> str:
    return "standard input" if path == STDIN else Path(path).name


def load(path: str) -> tuple[bytes, str]:
    """The bytes at ``path``, or a sentence that says why they cannot be had. Never more than a reader takes."""
    limit = importer.size_limit()
    try:
        if path == STDIN:
            return within(sys.stdin.buffer, limit)
        if Path(path).is_dir():
            return b"", "is a folder; name the files in it, for example " + str(Path(path) / "*.txt")
        with Path(path).open("rb") as file:
            size = Path(path).stat().st_size
            return (b"", importer.too_large(size, limit)) if size > limit else within(file, limit)
    except FileNotFoundError:
        return b"", "no such file"
    except (OSError, ValueError) as error:
        return b"", f"cannot be read: {getattr(error, 'strerror', None) or error}"


def within(file: BinaryIO, limit: int) -> tuple[bytes, str]:
    data = file.read(limit + 1)
    return (b"", f"too large: more than {limit / 1e6:,.0f} MB; split it") if len(data) > limit else (data, "")


def lines(report: Report) -> str:
    """The report of one source for people: what became of it, where the characters went, what was wrong."""
    if report.outcomes["rejected"] and report.discussions == 1:
        return f"{report.source}: rejected: {report.reason}"
    told = [f"{report.source}: {report.outcome}: “{report.title}” with {report.comments:,} comments"]
    told += [f"  {report.reason}"] if report.reason else []
    if report.characters:
        parts = ", ".join(f"{name} {count:,}" for name, count in report.characters.items() if name != "total")
        told.append(f"  characters: {parts} = {report.characters.get('total', 0):,} ({report.encoding})")
    told += [f"  left out: {count:,} ({reason})" for reason, count in report.left_out.items()]
    told += [f"  problem: {problem}" for problem in report.problems]
    return "\n".join(told)


def summary(totals: Counter[str]) -> str:
    parts = ", ".join(f"{totals[name]:,} {name}" for name in ("created", "updated", "unchanged", "rejected"))
    total = sum(totals.values())
    return f"{total:,} discussion{'' if total == 1 else 's'}: {parts}"
