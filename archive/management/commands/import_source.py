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
from archive.ingest.reading_model import Plan, ReaderModel, ReadingModel, WithComments

STDIN = "-"
LISTED = 15  # texts by name, before a reading model is asked: they and the question fit on a screen
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
  manage.py import_source --reading-model saved/*.txt    says what would be sent to the reading model, and asks
  manage.py import_source --dry-run --reading-model saved/*.txt    says what would be sent, and sends nothing
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
        parser.add_argument("--reading-model", action="store_true", help="let the model that the settings name read it")
        parser.add_argument("--with-comments", action="store_true", help="these texts are known to have comments")
        parser.add_argument("--yes", action="store_true", help="send texts to the reading model without asking first")
        parser.add_argument("--quiet", action="store_true", help="print only what was rejected")

    def handle(self, *, paths: list[str], **options: Any) -> None:
        totals: Counter[str] = Counter()
        self.piped: tuple[bytes, str] | None = None
        self.model: ReaderModel | None = WithComments() if options["with_comments"] else None
        if options["reading_model"]:
            self.model = self.agreed_model(paths, options)
        with contextlib.suppress(BrokenPipeError):
            for number, path in enumerate(paths, 1):
                with Ticker(f"{number} of {len(paths)}", quiet=options["quiet"] or options["dry_run"]) as tick:
                    totals.update(self.one(path, tick, options))
            if not options["json"] and not options["quiet"] and not options["dry_run"]:
                self.stdout.write(summary(totals))
        if totals["rejected"]:
            sys.exit(1)

    def agreed_model(self, paths: list[str], options: dict[str, Any]) -> ReadingModel | None:
        """The reading model, once a person has seen what would be sent to it, and agreed. A dry run asks nobody."""
        try:
            model = importer.reading_model()
        except ValueError as error:
            raise CommandError(f"The reading model cannot be used: {error}.", returncode=2) from error
        if model is None:
            message = "No reading model is set. Set AFTERWORD_READING_MODEL_URL and AFTERWORD_READING_MODEL_NAME."
            raise CommandError(message, returncode=2)
        plans = [(name_of(path), self.plan(path, model, options)) for path in paths]
        self.stderr.write(to_be_sent(plans, model), style_func=str)
        if options["dry_run"] and not options["yes"]:
            self.stderr.write("Nothing was sent: the built-in model reads.", style_func=str)
            return None
        if not any(plan.requests for _, plan in plans) or options["yes"]:
            return model
        if not sys.stdin.isatty():
            raise CommandError("Nothing was sent: there is no terminal to ask on. Agree with --yes.", returncode=2)
        self.stderr.write("Send them? [y/N] ", style_func=str, ending="")
        self.stderr.flush()
        if sys.stdin.readline().strip().lower() not in {"y", "yes"}:
            raise CommandError("Nothing was sent and nothing imported.", returncode=2)
        return model

    def plan(self, path: str, model: ReadingModel, options: dict[str, Any]) -> Plan:
        data, problem = self.load(path)
        return Plan() if problem else importer.plan(data, name=name_of(path), format=options["format"], model=model)

    def load(self, path: str) -> tuple[bytes, str]:
        """As the function ``load``; standard input can be read only once, and is kept from planning to importing."""
        if path != STDIN:
            return load(path)
        self.piped = self.piped or load(path)
        return self.piped

    def one(self, path: str, tick: Ticker, options: dict[str, Any]) -> dict[str, int]:
        """Import one source, print what became of it, and return its outcomes."""
        data, problem = self.load(path)
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
                data,
                name=name_of(path),
                site=options["site"],
                format=options["format"],
                progress=tick,
                reader_model=self.model,
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
        reading = importer.read(data, name=name_of(path), format=options["format"], reader_model=self.model)
        found = importer.dry_run(reading, name=path)
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


def to_be_sent(plans: list[tuple[str, Plan]], model: ReadingModel) -> str:
    """Which texts would be sent to the reading model, how much that is, and where it is: one screen."""
    sent = [(name, plan) for name, plan in plans if plan.requests]
    requests, tokens = sum(plan.requests for _, plan in sent), sum(plan.prompt_tokens for _, plan in sent)
    characters = sum(plan.characters for _, plan in sent)
    told = [
        f"The reading model is {model.label}.",
        f"  to be sent there: {len(sent):,} of {len(plans):,} texts, {characters:,} characters, "
        f"about {tokens:,} tokens in {requests:,} requests, one a window",
        f"  bounds: {model.limits.in_words()}",
    ]
    told += [
        f"    {name}: {plan.characters:,} characters, about {plan.prompt_tokens:,} tokens"
        for name, plan in sent[:LISTED]
    ]
    told += [f"    and {len(sent) - LISTED:,} more"] if len(sent) > LISTED else []
    answered = sum(plan.answered > 0 and not plan.requests for _, plan in plans)
    told += [f"  answered already, not sent again: {answered:,}"] if answered else []
    refusals = Counter(plan.refusal for _, plan in plans if plan.refusal)
    return "\n".join(told + [f"  not sent: {count:,}, {why}" for why, count in refusals.items()])


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
