"""What holds the project together: migrations, the lock, settings, probes, logs and the container's steps."""

from __future__ import annotations

import json
import logging
import os
import re
import subprocess
import sys
from io import StringIO
from itertools import pairwise
from pathlib import Path

import pytest
from django.core.management import call_command
from django.test import Client, override_settings

from archive import checks, postgres, settings
from archive.logs import JsonFormatter

ROOT = Path(__file__).parents[1]
LOCKS = ("requirements.lock", "requirements-encoder.lock", "requirements-dev.lock")
PRODUCTION = {
    "AFTERWORD_SECRET_KEY": "afterword-0123456789" * 3,
    "AFTERWORD_HOSTS": "archive.example.org",
    "DATABASE_URL": "postgresql://a:b@127.0.0.1:1/c",
    "PATH": os.environ["PATH"],
}


@pytest.mark.django_db
def test_migrations_say_what_the_models_say() -> None:
    call_command("makemigrations", "--check", "--dry-run", stdout=StringIO())


def test_migrations_are_named_and_linear() -> None:
    for app in ("archive", "accounts"):
        names = sorted(path.stem for path in (ROOT / app / "migrations").glob("0*.py"))
        assert [int(name[:4]) for name in names] == list(range(1, len(names) + 1))
        assert not [name for name in names if "auto" in name]


def test_locks_hold_hashes_and_no_places() -> None:
    for name in LOCKS:
        lock = (ROOT / name).read_text()
        assert not re.search(r"^\s*--(?!hash=)", lock, re.M)
        assert "://" not in lock
        for requirement in re.findall(r"^[a-z](?:[^\n]*\\\n)*[^\n]*", lock, re.M):
            assert "--hash=sha256:" in requirement, requirement


def test_each_lock_has_what_the_one_before_it_has() -> None:
    found = [set(re.findall(r"^([\w.\[\]-]+==[\w.]+)", (ROOT / name).read_text(), re.M)) for name in LOCKS]
    assert all(runs <= more for runs, more in pairwise(found))


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("postgresql://me:p%40ss@db:5433/name", ("db", "5433", "me", "p@ss", "name")),
        ("postgresql://me@/name?host=/run/pg", ("/run/pg", "", "me", "", "name")),
    ],
)
def test_database_urls_are_read(url: str, expected: tuple[str, ...]) -> None:
    found = settings.database(url)
    assert tuple(found[name] for name in ("HOST", "PORT", "USER", "PASSWORD", "NAME")) == expected


def test_without_a_database_url_the_embedded_server_is_used() -> None:
    assert settings.database("")["HOST"] == str(postgres.socket_dir(settings.DATA_DIR.resolve()))


def test_a_generated_key_stays_and_is_private(tmp_path: Path) -> None:
    first = postgres.local_secret(tmp_path)
    assert postgres.local_secret(tmp_path) == first
    assert (tmp_path / "secret-key").stat().st_mode & 0o077 == 0


def test_production_checks_name_what_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in PRODUCTION.keys() - {"PATH"}:
        monkeypatch.delenv(name, raising=False)
    found = checks.check_production(None)
    assert {check.id for check in found} == {"archive.E003", "archive.E004", "archive.E005"}
    assert all(check.hint for check in found)


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("smtps://me:p%40ss@mail", ("mail", 465, "p@ss", False, True)),
        ("smtp://mail:2525", ("mail", 2525, "", True, False)),
        ("smtp+plain://mail", ("mail", 25, "", False, False)),
    ],
)
def test_addresses_of_mail_servers_are_read(url: str, expected: tuple[object, ...]) -> None:
    options = settings.mailer(url)["OPTIONS"]
    assert tuple(options[name] for name in ("host", "port", "password", "use_tls", "use_ssl")) == expected


def test_a_mistyped_mail_server_is_an_error_and_none_is_a_warning(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AFTERWORD_EMAIL_URL", "mail.example.org")
    assert [check.id for check in checks.check_mail_url(None)] == ["archive.E010"]
    monkeypatch.delenv("AFTERWORD_EMAIL_URL")
    assert [check.id for check in [*checks.check_mail_url(None), *checks.check_mail(None)]] == ["archive.W005"]


def test_a_short_key_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AFTERWORD_SECRET_KEY", "short")
    assert [check.id for check in checks.check_environment(None)] == ["archive.E001"]


def test_a_model_that_is_missing_is_an_error() -> None:
    with override_settings(SPACY_MODEL="no_such_model"):
        assert [check.id for check in checks.check_model(None)] == ["archive.E006"]


def test_the_pinned_model_is_installed() -> None:
    assert checks.check_model(None) == []


def test_alive_without_a_database_or_a_known_host(client: Client) -> None:
    assert client.get("/healthz", headers={"host": "10.0.0.7"}).json() == {"status": "ok"}


@pytest.mark.django_db
def test_ready_once_migrated(client: Client) -> None:
    assert client.get("/readyz").status_code == 200


@pytest.mark.django_db
def test_not_ready_while_migrations_are_pending(client: Client) -> None:
    from django.db.migrations.recorder import MigrationRecorder

    MigrationRecorder.Migration.objects.filter(app="archive").delete()
    answer = client.get("/readyz")
    assert (answer.status_code, "migrate" in answer.json()["status"]) == (503, True)


def test_a_log_line_is_one_json_object() -> None:
    record = logging.makeLogRecord({"name": "archive", "msg": "two\nlines %s", "args": ("é",), "article": 7})
    entry = json.loads(JsonFormatter().format(record))
    assert (entry["message"], entry["article"]) == ("two\nlines é", 7)


@pytest.mark.django_db
def test_requests_are_logged_without_what_people_looked_for(client: Client, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, logger="archive.request"):
        client.get("/search/", {"q": "secret"})
    assert [record.__dict__["path"] for record in caplog.records] == ["/search/"]
    assert "secret" not in str([record.__dict__ for record in caplog.records])


@pytest.mark.django_db
def test_pages_forbid_what_is_inline(client: Client) -> None:
    policy = client.get("/").headers["Content-Security-Policy"]
    assert "default-src 'self'" in policy
    assert "unsafe" not in policy


def test_the_containers_steps_work_outside_docker(tmp_path: Path) -> None:
    """What the Dockerfile runs, in a folder like the image's: collect, compile, check for production, serve."""
    for name in re.findall(r"^COPY (\S+) \./\S*$", (ROOT / "Dockerfile").read_text(), re.M):
        target = tmp_path / name
        assert (ROOT / name).exists(), name
        target.symlink_to(ROOT / name)
    static = {**PRODUCTION, "AFTERWORD_STATIC_ROOT": str(tmp_path / "static-root"), "AFTERWORD_DATA": str(tmp_path)}
    manage = [sys.executable, "manage.py"]
    subprocess.run([*manage, "collectstatic", "--noinput"], cwd=tmp_path, env=static, check=True, capture_output=True)
    assert (tmp_path / "static-root" / "staticfiles.json").exists()
    code = "import django; django.setup(); from django.templatetags.static import static; print(static('archive.css'))"
    served = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env={**static, "DJANGO_SETTINGS_MODULE": "archive.settings"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert re.fullmatch(r"/static/archive\.[0-9a-f]{12}\.css\n", served.stdout)


@pytest.mark.django_db
def test_the_production_settings_pass_djangos_own_checks() -> None:
    mail = {"AFTERWORD_EMAIL_URL": "smtps://a:b@mail.example.org"}
    environment = {**PRODUCTION, **mail, "AFTERWORD_HTTPS": "1", "DATABASE_URL": os.environ.get("DATABASE_URL", "")}
    if not environment["DATABASE_URL"]:
        pytest.skip("needs the server that make test starts")
    command = [sys.executable, "-W", "error", "manage.py", "check", "--deploy", "--fail-level", "WARNING"]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_compose_sets_only_what_exists() -> None:
    compose = (ROOT / "compose.yaml").read_text()
    readme = (ROOT / "README.md").read_text()
    for name in set(re.findall(r"^\s+(AFTERWORD_[A-Z_]+):", compose, re.M)):
        assert f"`{name}`" in readme, name


def bootstrap(folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    for name in ("bootstrap", "requirements.lock"):
        (folder / name).write_text((ROOT / name).read_text() if name == "bootstrap" else "")
    tools = folder / "bin"
    tools.mkdir(exist_ok=True)
    for tool in ("sh", "cksum", "dirname", "grep", "rm"):
        link = tools / tool
        if not link.exists():
            link.symlink_to(f"/usr/bin/{tool}")
    given = {"PATH": str(tools), "HOME": str(folder), **environment}
    return subprocess.run(["/bin/sh", "bootstrap"], cwd=folder, env=given, capture_output=True, text=True)


def test_bootstrap_says_what_to_install_where_there_is_no_python(tmp_path: Path) -> None:
    done = bootstrap(tmp_path)
    assert (done.returncode, "Python 3.12 or newer" in done.stderr) == (1, True)


def test_bootstrap_looks_into_pyenvs_versions(tmp_path: Path) -> None:
    versions = tmp_path / ".pyenv" / "versions" / "3.13.99" / "bin"
    versions.mkdir(parents=True)
    (versions / "python").write_text(f'#!/bin/sh\nexec "{sys.executable}" "$@"\n')
    (versions / "python").chmod(0o755)
    done = bootstrap(tmp_path)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / ".venv" / "installed").exists()


def test_bootstrap_ignores_a_python_that_is_too_old(tmp_path: Path) -> None:
    old = tmp_path / "bin"
    old.mkdir()
    (old / "python3").write_text("#!/bin/sh\nexit 1\n")
    (old / "python3").chmod(0o755)
    assert bootstrap(tmp_path).returncode == 1


def test_bootstrap_is_quick_the_second_time(tmp_path: Path) -> None:
    assert bootstrap(tmp_path, PYTHON=sys.executable).returncode == 0
    again = bootstrap(tmp_path)
    assert (again.returncode, again.stdout) == (0, "")


def test_each_check_has_a_number_of_its_own() -> None:
    named = re.findall(r'id="(archive\.[EW]\d+)"|"(archive\.E\d+)", "', Path(checks.__file__).read_text())
    numbers = [first or second for first, second in named]
    assert sorted(numbers) == sorted(set(numbers))
