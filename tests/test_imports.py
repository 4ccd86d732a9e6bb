"""Which way imports point. Read from the source, so that an import inside a function counts as well."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
FORBIDDEN_NAMES = {"utils", "util", "helpers", "services", "common", "misc"}

# Modules that know no Django, and what of ours they may import besides their own package.
PURE = {
    "archive.postgres": set(),
    "archive.threads": {"archive.ingest.records"},
    "archive.citation": set(),
    "archive.outgoing": set(),
    "archive.text": {"archive.ingest.records"},
    "archive.redaction": set(),
    "archive.matching": {"archive.redaction"},
    "archive.ingest.records": set(),
    "archive.ingest.readers": {"archive.ingest.records", "archive.ingest.structure"},
    "archive.ingest.structure": {"archive.ingest.records"},
    "archive.ingest.reading_model": {"archive.ingest.records", "archive.ingest.structure", "archive.outgoing"},
    "archive.ingest.corrections": {"archive.ingest.records", "archive.ingest.readers.plain_text"},
    "archive.ingest.continuity": {"archive.ingest.records"},
    "archive.search.grammar": set(),
    "archive.entities.names": set(),
    "archive.entities.gazetteer": {"archive.entities.names"},
    "archive.entities.extractor": set(),
    "archive.entities.propagation": {
        "archive.entities.extractor",
        "archive.entities.gazetteer",
        "archive.entities.names",
    },
}
# What each of these may import of ours; a package stands for what is in it.
MAY = {
    "archive.queries": {"archive.models", "archive.ingest.records", "archive.prepared", "archive.threads"},
    "archive.prepared": set(),
    "archive.bulk": {"archive.models", "archive.moderation", "archive.outbox", "archive.queries", "archive.rules"},
    "archive.counters": {"archive.models", "archive.prepared", "archive.queries"},
    "archive.outbox": {"archive.models", "archive.prepared"},
    "archive.queue": {"archive.models", "archive.outbox", "archive.prepared"},
    "archive.kinds": {"archive.queries", "archive.queue"},
    "archive.scoring": {"archive.queries", "archive.queue"},
    "archive.reports": {"archive.models", "archive.queries", "archive.queue"},
    "archive.rules": {
        "archive.decision_log", "archive.masks", "archive.matching", "archive.models", "archive.moderation",
        "archive.outbox", "archive.queries", "archive.queue", "archive.redaction",
    },
    "archive.decision_log": {"archive.models", "archive.prepared", "archive.queries", "archive.redaction"},
    "archive.moderation": {
        "archive.models", "archive.queries", "archive.counters", "archive.decision_log", "archive.masks",
        "archive.outbox", "archive.prepared", "archive.queue", "archive.reports",
    },
    "archive.ingest.loader": {
        "archive.counters", "archive.erasure", "archive.masks",
        "archive.ingest.corrections", "archive.ingest.records", "archive.ingest.stored",
        "archive.ingest.structure.boilerplate", "archive.models", "archive.outbox", "archive.queue", "archive.rules",
        "archive.text",
        "archive.threads",
    },
    "archive.suppressions": {"archive.models", "archive.redaction"},
    "archive.holdings": {"archive.entities", "archive.models", "archive.redaction", "archive.text"},
    "archive.masks": {
        "archive.counters", "archive.entities", "archive.holdings", "archive.matching", "archive.models",
        "archive.outbox", "archive.queries", "archive.redaction", "archive.search", "archive.text",
    },
    "archive.erasure": {
        "archive.counters", "archive.decision_log", "archive.entities", "archive.holdings",
        "archive.ingest.readers.decoding", "archive.masks", "archive.models", "archive.outbox", "archive.queries",
        "archive.redaction", "archive.search", "archive.suppressions",
    },
    "archive.scope": {"archive.models", "archive.queries", "archive.redaction", "archive.search"},
    "archive.cases": {
        "archive.decision_log", "archive.erasure", "archive.masks", "archive.models", "archive.moderation",
        "archive.outbox", "archive.queries", "archive.queue", "archive.redaction", "archive.scope",
        "archive.suppressions",
    },
    "archive.ingest.stored": {"archive.ingest.continuity", "archive.ingest.records", "archive.models"},
    "archive.models": {"archive.ingest.records"},
    "archive.review": {
        "archive.ingest", "archive.masks",
        "archive.models", "archive.moderation", "archive.queries", "archive.queue", "archive.threads",
    },
    "archive.provenance": {
        "archive.ingest", "archive.masks", "archive.models", "archive.queries", "archive.redaction",
        "archive.source_text",
    },
    "archive.source_text": {"archive.ingest", "archive.models"},
}  # fmt: skip


def modules() -> Iterator[tuple[str, Path]]:
    for path in sorted([*ROOT.glob("archive/**/*.py"), *ROOT.glob("accounts/**/*.py")]):
        parts = path.relative_to(ROOT).with_suffix("").parts
        yield ".".join(parts[:-1] if parts[-1] == "__init__" else parts), path


MODULES = dict(modules())


def imports_of(name: str) -> set[str]:
    """The modules that ``name`` imports, anywhere in its code, except for type checking alone."""
    found: set[str] = set()
    waiting: list[ast.AST] = [ast.parse(MODULES[name].read_text())]
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            continue
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            full = {f"{node.module}.{alias.name}" for alias in node.names}
            found |= {module if module in MODULES else node.module for module in full}
        waiting += ast.iter_child_nodes(node)
    return found


def within(module: str, packages: set[str]) -> bool:
    return any(module == package or module.startswith(package + ".") for package in packages)


def ours(names: set[str]) -> set[str]:
    return {name for name in names if within(name, {"archive", "accounts"})}


@pytest.mark.parametrize("package", PURE)
def test_pure_modules_know_no_django(package: str) -> None:
    for name in [name for name in MODULES if within(name, {package})]:
        assert not {i for i in imports_of(name) if within(i, {"django", "procrastinate"})}, name


@pytest.mark.parametrize(("package", "allowed"), [*PURE.items(), *MAY.items()])
def test_imports_point_one_way(package: str, allowed: set[str]) -> None:
    for name in [name for name in MODULES if within(name, {package})]:
        assert {i for i in ours(imports_of(name)) if not within(i, allowed | {package})} == set(), name


def test_views_never_import_each_other() -> None:
    """Views are what the addresses lead to; what several of them share is no view."""
    views = {name for name in imports_of("archive.urls") if within(name, {"archive.views"})}
    assert len(views) > 5
    for name in views:
        assert imports_of(name) & views - {name} == set(), name


@pytest.mark.parametrize("package", ["archive.views", "archive.feeds", "archive.admin", "archive.management"])
def test_pages_and_commands_write_through_the_importer_or_moderation(package: str) -> None:
    for name in [name for name in MODULES if within(name, {package})]:
        assert "archive.ingest.loader" not in imports_of(name), name


def test_accounts_know_nothing_of_the_archive() -> None:
    for name in [name for name in MODULES if within(name, {"accounts"})]:
        assert not {i for i in imports_of(name) if within(i, {"archive"})}, name


def test_the_archive_meets_accounts_only_where_people_are_listed() -> None:
    allowed = {"archive.urls", "archive.management.commands.demo"}
    for name in [name for name in MODULES if within(name, {"archive"}) and name not in allowed]:
        assert not {i for i in imports_of(name) if within(i, {"accounts"})}, name


def test_names_say_what_is_inside() -> None:
    assert not [name for name in MODULES if set(name.split(".")) & FORBIDDEN_NAMES]


@pytest.mark.parametrize("name", [name for name in MODULES if "migrations" not in name])
def test_no_function_is_longer_than_a_page(name: str) -> None:
    for node in ast.walk(ast.parse(MODULES[name].read_text())):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            assert (node.end_lineno or 0) - node.lineno < 70, f"{name}: {node.name}"


@pytest.mark.parametrize("name", [name for name in MODULES if "migrations" not in name])
def test_no_signals_no_save_overrides(name: str) -> None:
    assert not {i for i in imports_of(name) if i.startswith(("django.dispatch", "django.db.models.signals"))}
    for node in ast.walk(ast.parse(MODULES[name].read_text())):
        assert not (isinstance(node, ast.FunctionDef) and node.name == "save" and "models" in name), name
