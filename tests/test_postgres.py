"""The embedded server: a clean start, a clean stop, and what is left after kill -9."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from archive import postgres


@pytest.fixture
def folder() -> Iterator[Path]:
    path = Path(tempfile.mkdtemp(prefix="afterword-test-"))
    path.chmod(0o711)
    yield path
    shutil.rmtree(path)


def connect(server: postgres.Server) -> psycopg.Connection:
    return psycopg.connect(postgres.url(server.data_dir), autocommit=True)


def test_orders_text_the_same_on_every_host_and_checks_its_pages(folder: Path) -> None:
    with postgres.Server(folder, durable=False) as server, connect(server) as session:
        if server._major_version() < postgres.BUILTIN_SINCE:
            pytest.skip("AFTERWORD_POSTGRES_BIN is older than Postgres 17")
        row = session.execute(
            "SELECT datlocprovider, datlocale, current_setting('data_checksums') FROM pg_database WHERE datname=%s",
            [postgres.NAME],
        ).fetchone()
    assert row == ("b", "C.UTF-8", "on")


def test_is_a_direct_child(folder: Path) -> None:
    with postgres.Server(folder, durable=False) as server:
        assert server.process is not None
        shown = subprocess.run(["ps", "-o", "ppid=", "-p", str(server.process.pid)], capture_output=True, text=True)
        assert int(shown.stdout) == os.getpid()


def test_changes_no_permission_outside_its_folder(folder: Path) -> None:
    before = [(p, p.stat().st_mode, p.stat().st_uid) for p in [folder, *folder.parents]]
    with postgres.Server(folder, durable=False):
        assert [(p, p.stat().st_mode, p.stat().st_uid) for p in [folder, *folder.parents]] == before


def test_keeps_committed_rows_after_kill_9(folder: Path) -> None:
    with postgres.Server(folder) as server, connect(server) as session:
        session.execute("CREATE TABLE kept AS SELECT 1 AS n")
        assert server.process is not None
        server.process.send_signal(signal.SIGKILL)
        server.process.wait()
    with postgres.Server(folder) as server, connect(server) as session:
        assert session.execute("SELECT n FROM kept").fetchone() == (1,)


def test_takes_over_from_a_killed_supervisor(folder: Path) -> None:
    code = "import sys, time; from pathlib import Path; from archive.postgres import Server\n"
    code += "with Server(Path(sys.argv[1]), durable=False): print('up', flush=True); time.sleep(60)"
    with subprocess.Popen([sys.executable, "-c", code, str(folder)], stdout=subprocess.PIPE) as supervisor:
        assert supervisor.stdout is not None
        assert supervisor.stdout.readline() == b"up\n"
        supervisor.kill()
    with postgres.Server(folder, durable=False) as server, connect(server) as session:
        assert session.execute("SELECT 1").fetchone() == (1,)


def test_a_start_killed_half_way_is_repeated(folder: Path) -> None:
    half = folder / "postgres" / "data.new"
    with postgres.Server(folder, durable=False):
        pass
    shutil.rmtree(folder / "postgres" / "data")
    half.mkdir()
    (half / "PG_VERSION").write_text("18")
    with postgres.Server(folder, durable=False) as server, connect(server) as session:
        assert session.execute("SELECT 1").fetchone() == (1,)


def test_refuses_a_folder_in_use(folder: Path) -> None:
    with postgres.Server(folder, durable=False), pytest.raises(postgres.PostgresError, match="already running"):
        postgres.Server(folder, durable=False).start()


def test_says_what_to_do_without_binaries(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("AFTERWORD_POSTGRES_BIN", str(tmp_path))
    with pytest.raises(postgres.PostgresError, match="make demo"):
        postgres.find_binaries()


def test_a_long_path_gets_a_short_socket(tmp_path: Path) -> None:
    deep = tmp_path / ("d" * 100)
    assert len(str(postgres.socket_dir(deep) / ".s.PGSQL.5432")) <= postgres.SOCKET_PATH_LIMIT


@pytest.mark.skipif(os.getuid() != 0, reason="only root has an unprivileged account to choose")
def test_root_in_a_closed_folder_uses_a_namespace_or_says_why(folder: Path) -> None:
    folder.chmod(0o700)
    if postgres._namespace() is None:
        with pytest.raises(postgres.PostgresError, match="AFTERWORD_DATA"):
            postgres.Server(folder, durable=False).start()
        return
    with postgres.Server(folder, durable=False) as server, connect(server) as session:
        assert session.execute("SELECT 1").fetchone() == (1,)


def test_run_gives_the_command_a_server_and_passes_its_status_on() -> None:
    environment = {name: value for name, value in os.environ.items() if name != "DATABASE_URL"}
    code = "import os, psycopg; psycopg.connect(os.environ['DATABASE_URL']); raise SystemExit(7)"
    command = [sys.executable, "-m", "archive.postgres", "run", "--temporary", "--", sys.executable, "-c", code]
    assert subprocess.run(command, env=environment).returncode == 7


def test_ctrl_c_stops_the_server_after_the_command() -> None:
    environment = {name: value for name, value in os.environ.items() if name != "DATABASE_URL"}
    code = "import os, time; print(os.environ['DATABASE_URL'], flush=True); time.sleep(60)"
    command = [sys.executable, "-m", "archive.postgres", "run", "--temporary", "--", sys.executable, "-c", code]
    # Where the tests run in the background of a shell, SIGINT is ignored, and a child would inherit that.
    with subprocess.Popen(
        command,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    ) as running:
        assert running.stdout is not None
        url = running.stdout.readline().decode().strip()
        running.send_signal(signal.SIGINT)
        running.wait(20)
        time.sleep(0.1)
        with pytest.raises(psycopg.OperationalError):
            psycopg.connect(url)
