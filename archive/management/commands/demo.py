"""The whole archive on this machine: migrate, import a sample, start web and worker. `make demo` runs it."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import OperationalError, connection

from accounts.staff import create_staff_accounts
from archive import database_role, postgres
from archive.ingest import importer
from archive.ingest.reading_model import WithComments

SAMPLE = Path(settings.BASE_DIR) / "archive" / "samples" / "night-bells.txt"
SAMPLE_SITE = "Afterword samples"
START_TIMEOUT = 30.0
STOP_TIMEOUT = 15.0


class Command(BaseCommand):
    help = "Migrate, import a sample discussion (or --source), start web and worker, and print the address."
    requires_system_checks = []  # they ask the database before it is migrated

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--source", default="", help="a file to import instead of the sample discussion")
        parser.add_argument("--host", default="127.0.0.1", help="the address to listen on")
        parser.add_argument("--port", default=8000, type=int, help="the port to listen on")

    def handle(self, *, source: str, host: str, port: int, **options: Any) -> None:
        signal.signal(signal.SIGTERM, stop)
        signal.signal(signal.SIGINT, stop)
        try:
            self.run(source, host, port)
        except KeyboardInterrupt:
            self.stdout.write("\nStopped.")

    def run(self, source: str, host: str, port: int) -> None:
        check_port(host, port)
        path = Path(source) if source else SAMPLE
        if not path.is_file():
            raise CommandError(f"{path}: no such file. SOURCE must name a file to import.", returncode=2)
        self.prepare(path, site=importer.DEFAULT_SITE if source else SAMPLE_SITE)
        accounts = create_staff_accounts()
        connection.close()
        with Processes(own_names(host)) as processes:
            processes.start("worker", [sys.executable, "manage.py", "procrastinate", "worker", "--concurrency", "2"])
            processes.start("web", web_command(host, port))
            processes.wait_for(address(host, port) + "readyz")
            self.greet(address(host, port), accounts)
            processes.watch()

    def prepare(self, path: Path, *, site: str) -> None:
        try:
            call_command("migrate", interactive=False, verbosity=0)
        except OperationalError as error:
            raise CommandError(f"The database does not answer: {error}", returncode=2) from error
        if problem := database_role.protect(database_role.DEFAULT):
            self.stderr.write(f"Web and worker run as the owner of the database: {problem}")
        else:
            os.environ.setdefault("AFTERWORD_DATABASE_ROLE", database_role.DEFAULT)
        self.check(databases=["default"])
        # A demonstration is of a discussion: "no comments" is no answer.
        known = WithComments()
        report = importer.import_source(path.read_bytes(), name=path.name, site=site, reader_model=known)
        if report.outcome == "rejected":
            raise CommandError(f"{path}: rejected: {report.reason}", returncode=1)
        self.stdout.write(f"{path.name}: {report.outcome}: “{report.title}” with {report.comments:,} comments")

    def greet(self, where: str, accounts: list[tuple[str, str, str]]) -> None:
        self.stdout.write(f"\nAfterword is at {where}   (Ctrl-C stops it)")
        if accounts:
            self.stdout.write(f"\nSign in at {where}sign-in/. These passwords are shown only this once:\n")
        else:
            self.stdout.write("Lost a password? `.venv/bin/python manage.py changepassword NAME` sets a new one.")
        for role, username, password in accounts:
            self.stdout.write(f"  {role:14} {username:14} {password}")
        self.stdout.write("")
        self.stdout.flush()


def stop(*_: object) -> None:
    """Stop once: Ctrl-C reaches this process from the terminal and again through the one that started it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    raise KeyboardInterrupt


def address(host: str, port: int) -> str:
    shown = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host, f"[{host}]" if ":" in host else host)  # noqa: S104
    return f"http://{shown}:{port}/"


def own_names(host: str) -> list[str]:
    """The names and addresses under which others reach this machine when ``host`` listens on all of them."""
    if host not in {"0.0.0.0", "::"}:  # noqa: S104
        return [host]
    name = socket.gethostname()
    try:
        found = {str(entry[4][0]) for entry in socket.getaddrinfo(name, None)}
    except OSError:
        found = set()
    return [name, *sorted(f"[{a}]" if ":" in a else a for a in found)]


def check_port(host: str, port: int) -> None:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except (OSError, OverflowError) as error:
            message = f"Cannot listen on {host}, port {port}: {error}. Choose others, as in `make demo PORT=8001`."
            raise CommandError(message, returncode=2) from error


def web_command(host: str, port: int) -> list[str]:
    bind = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    options = ["--workers", "2", "--threads", "4", "--bind", bind, "--log-level", "warning", "--no-control-socket"]
    return [sys.executable, "-m", "gunicorn", "archive.wsgi", *options]


class Processes:
    """The demo's child processes: started together, stopped together, and when one ends so do the others."""

    def __init__(self, names: list[str]) -> None:
        self.names = names  # under which this machine may be asked for, besides the local ones
        self.running: dict[str, subprocess.Popen[bytes]] = {}

    def __enter__(self) -> Processes:
        return self

    def __exit__(self, *_: object) -> None:
        for process in self.running.values():
            process.terminate()
        for process in self.running.values():
            try:
                process.wait(STOP_TIMEOUT)
            except subprocess.TimeoutExpired:
                process.kill()

    def start(self, name: str, command: list[str]) -> None:
        shown = {"AFTERWORD_LOG_FORMAT": "text", "AFTERWORD_LOG_LEVEL": "WARNING", "AFTERWORD_PUBLIC_LOG": "1"}
        environment = {**shown, **os.environ}
        environment.setdefault("AFTERWORD_HOSTS", ",".join([*settings.ALLOWED_HOSTS, *self.names]))
        # Their own session: Ctrl-C reaches this process, which stops them in order.
        self.running[name] = subprocess.Popen(  # noqa: S603
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,  # what goes wrong is said on standard error
            cwd=settings.BASE_DIR,
            env=environment,
            start_new_session=True,
            preexec_fn=postgres.die_with_parent,
        )

    def wait_for(self, url: str) -> None:
        deadline = time.monotonic() + START_TIMEOUT
        while time.monotonic() < deadline:
            self.check()
            try:
                with urllib.request.urlopen(url, timeout=5):  # noqa: S310  the address is ours
                    return
            except OSError:
                time.sleep(0.2)
        raise CommandError(f"{url} does not answer.")

    def watch(self) -> None:
        while True:
            self.check()
            time.sleep(0.5)

    def check(self) -> None:
        for name, process in self.running.items():
            if process.poll() is not None:
                raise CommandError(f"The {name} process ended (status {process.returncode}); stopping the rest.")
