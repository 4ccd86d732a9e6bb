"""Docs that cannot rot: what exists is documented, and what is documented exists."""

from __future__ import annotations

import json
import re
from pathlib import Path

from django.core.management import get_commands
from django.urls import URLPattern, URLResolver, get_resolver

from archive.ingest import importer
from archive.ingest.readers import READERS
from archive.search import grammar

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()
ARCHITECTURE = (ROOT / "ARCHITECTURE.md").read_text()


def test_the_two_commands_come_first() -> None:
    first = README.split("\n\n")[1]
    assert re.findall(r"make (\w+)", first)[:2] == ["demo", "test"]


def test_every_setting_is_documented() -> None:
    code = "".join(path.read_text() for path in ROOT.glob("archive/**/*.py"))
    used = set(re.findall(r"\"(AFTERWORD_[A-Z_]+|DATABASE_URL)\"", code))
    assert used == set(re.findall(r"^\| `(AFTERWORD_[A-Z_]+|DATABASE_URL)`", README, re.M))


def test_every_command_is_documented() -> None:
    ours = {name for name, app in get_commands().items() if app in {"archive", "accounts"}}
    assert ours == set(re.findall(r"^\| `manage.py (\w+)`", README, re.M))


def test_every_import_option_is_documented() -> None:
    code = (ROOT / "archive" / "management" / "commands" / "import_source.py").read_text()
    options = set(re.findall(r'add_argument\("(--[\w-]+)"', code))
    assert options == set(re.findall(r"^\| `(--[\w-]+)`", README, re.M))


def test_every_format_is_documented() -> None:
    row = next(line for line in README.splitlines() if line.startswith("| `--format`"))
    assert set(READERS) <= set(re.findall(r"`(\w+)`", row))


def test_every_field_of_a_dry_run_is_documented() -> None:
    reading = importer.read(b"One line that is the article.\nAnother line here.\n", name="x")
    found = json.dumps(importer.dry_run(reading, name="x")) + json.dumps(
        importer.dry_run(importer.read(b"", name="x"), name="x")
    )
    for name in set(re.findall(r'"(\w+)":', found)):
        assert re.search(rf"\b{name}\b", README), name


def test_every_search_operator_is_documented() -> None:
    for example in ("word", '"some words"', "-word"):
        assert f"`{example}`" in README
        assert grammar.parse(example).terms


def test_every_public_url_is_listed_as_stable() -> None:
    listed = set(re.findall(r"`([\w:-]+)`", " ".join(re.findall(r"^\| `/[^|]*\| ([^|]*) \|", ARCHITECTURE, re.M))))
    assert listed == set(public_names())


def public_names(prefix: str = "") -> list[str]:
    found: list[str] = []
    waiting: list[tuple[str, URLPattern | URLResolver]] = [("", p) for p in get_resolver().url_patterns]
    while waiting:
        space, pattern = waiting.pop()
        if isinstance(pattern, URLResolver):
            if pattern.namespace != "admin":
                inner = f"{pattern.namespace}:" if pattern.namespace else space
                waiting += [(inner, p) for p in pattern.url_patterns]
        elif pattern.name:
            found.append(space + pattern.name)
    return found


def test_every_module_is_on_the_map() -> None:
    chapter = ARCHITECTURE.split("## Where things are")[1].split("## ")[0]
    for path in ROOT.glob("archive/*"):
        if path.name not in {"__init__.py", "__pycache__", "apps.py", "urls.py", "wsgi.py", "management", "migrations"}:
            assert path.name in chapter, path.name


def test_what_the_map_names_exists() -> None:
    chapter = ARCHITECTURE.split("## Where things are")[1].split("## ")[0]
    ours = {
        path.name
        for pattern in ("*.py", "accounts/**/*.py", "archive/**/*.py", "tests/**/*.py")
        for path in ROOT.glob(pattern)
    }
    assert set(re.findall(r"\b(\w+\.py)\b", chapter)) - ours == set()


def test_every_link_in_the_docs_leads_somewhere() -> None:
    for page in ("README.md", "ARCHITECTURE.md", "SECURITY.md", "CHANGELOG.md"):
        for target in re.findall(r"\]\((?!https?:)([^)#]+)\)", (ROOT / page).read_text()):
            assert (ROOT / target).exists(), f"{page}: {target}"
