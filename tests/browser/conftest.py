"""A real browser on a real installation: what `make demo` starts, with a database of its own."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import psycopg
import pytest
from playwright.sync_api import Page, expect

from archive import postgres

ROOT = Path(__file__).parents[2]
REAL = sorted((ROOT.parent / "shared" / "source").glob("*.txt"))
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
QUIET = ["--no-sandbox", "--disable-background-networking", "--disable-component-update", "--disable-sync"]
WAIT = 60.0  # seconds for the demo to start, and for its worker to finish

expect.set_options(timeout=10_000)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.browser)
            if CHROMIUM is None:
                item.add_marker(pytest.mark.skip(reason="no Chromium: apt-get install chromium"))


@dataclass(frozen=True)
class Demo:
    """A running demo: its address, the passwords that it printed, and its database."""

    url: str
    passwords: dict[str, str]
    database: str

    def value(self, statement: str) -> object:
        """The first column of the first row: to wait for, or to find an address by. Tests assert on pages."""
        with psycopg.connect(self.database, autocommit=True) as session:
            row = session.execute(statement.encode()).fetchone()
        return row[0] if row else None

    def wait_for_worker(self) -> None:
        deadline = time.monotonic() + WAIT
        waiting = "SELECT count(*) FROM procrastinate_jobs WHERE status IN ('todo', 'doing') AND task_name !~ 'retry'"
        while self.value(waiting) or self.value("SELECT count(*) FROM archive_outbox"):
            assert time.monotonic() < deadline, "the worker did not finish"
            time.sleep(0.2)


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    """The demo with the real source text where there is one, the sample otherwise."""
    if os.environ.get("DATABASE_URL"):
        yield from _scratch_demo(os.environ["DATABASE_URL"], tmp_path_factory.mktemp("demo"))
        return
    with postgres.temporary_server() as server:
        yield from _scratch_demo(postgres.url(server.data_dir), tmp_path_factory.mktemp("demo"))


def _scratch_demo(server: str, folder: Path) -> Iterator[Demo]:
    name = f"afterword_browser_{os.getpid()}"
    with psycopg.connect(server, autocommit=True) as session:
        session.execute(f"CREATE DATABASE {name}".encode())
        try:
            yield from _running_demo(urlunsplit(urlsplit(server)._replace(path=f"/{name}")), folder)
        finally:
            session.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())


def _running_demo(database: str, folder: Path) -> Iterator[Demo]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environment = {**os.environ, "DATABASE_URL": database, "AFTERWORD_DATA": str(folder), "PYTHONUNBUFFERED": "1"}
    command = [sys.executable, "manage.py", "demo", "--port", str(port), *(["--source", str(REAL[0])] if REAL else [])]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=log, stderr=subprocess.STDOUT)
    try:
        _wait_for(f"http://127.0.0.1:{port}/readyz", process, folder / "log")
        running = Demo(f"http://127.0.0.1:{port}", _passwords(folder / "log"), database)
        running.wait_for_worker()
        yield running
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(WAIT)


def _wait_for(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + WAIT
    while time.monotonic() < deadline:
        assert process.poll() is None, log.read_text()
        try:
            with urllib.request.urlopen(url, timeout=5):
                return
        except OSError:
            time.sleep(0.2)
    raise AssertionError(log.read_text())


def _passwords(log: Path) -> dict[str, str]:
    deadline = time.monotonic() + WAIT
    while time.monotonic() < deadline:
        found = re.findall(r"^  (\w+) +(\w+) +(\S+)$", log.read_text(), re.M)
        if len(found) == 3:
            return {username: password for _, username, password in found}
        time.sleep(0.1)
    raise AssertionError(log.read_text())


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args: dict[str, object]) -> dict[str, object]:
    return {**browser_type_launch_args, "executable_path": CHROMIUM, "args": QUIET}


@pytest.fixture(scope="session")
def base_url(demo: Demo) -> str:
    return demo.url


@pytest.fixture(scope="session")
def discussions(demo: Demo) -> dict[str, dict[str, Any]]:
    """What ``discussions.py`` stores, by name: the article's id, and its comments' ids by their names."""
    command = [sys.executable, "-m", "tests.browser.discussions"]
    environment = {**os.environ, "DATABASE_URL": demo.database}
    made = subprocess.run(command, cwd=ROOT, env=environment, check=True, capture_output=True, timeout=WAIT)
    return dict(json.loads(made.stdout))


def sign_in(page: Page, demo: Demo, name: str) -> None:
    page.goto("/sign-in/?next=/admin/")
    page.get_by_label("User name").fill(name)
    page.get_by_label("Password", exact=True).fill(demo.passwords[name])
    page.get_by_role("button", name="Sign in").click()
    expect(page).to_have_url(re.compile(r"/admin/$"))


def confirm(page: Page, password: str) -> None:
    """Type the password again, where sudo mode has just asked for it."""
    if "/account/confirm/" in page.url:
        page.get_by_label("Password", exact=True).fill(password)
        page.get_by_role("button", name="Go on").click()
