"""`waymark-start-workers` as a user meets it: one clear line when it cannot start, an orderly life when it can."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.pool.harness import USER_CODE, is_alive

UNREACHABLE = "postgresql://ann:canary-password@127.0.0.1:1/shop"


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "waymark.cli.start_workers", *arguments]


def environment(**changes: str) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("WAYMARK_")}
    return {
        **kept,
        "PYTHONPATH": str(USER_CODE),
        "WAYMARK_WORKER_GRPC_ADDR": "127.0.0.1:0",
        "WAYMARK_WORKER_COUNT": "1",
        "WAYMARK_EXECUTOR_SHARDS": "1",
        "WAYMARK_WORKER_COMMAND": f"{sys.executable} -m waymark.worker",
        **changes,
    }


def refused(**changes: str) -> str:
    """Run until it gives up; returns what it wrote to stderr."""
    done = subprocess.run(command(), env=environment(**changes), capture_output=True, text=True, timeout=60)
    assert done.returncode == 2, done.stderr
    assert done.stdout == ""
    assert "canary-password" not in done.stderr
    return done.stderr


def last_line(text: str) -> str:
    return text.rstrip().rpartition("\n")[2]


def wait_for(condition: Callable[[], bool], within_s: float = 30) -> float:
    began = time.monotonic()
    while not condition():
        if time.monotonic() - began > within_s:
            raise AssertionError(f"not within {within_s} s")
        time.sleep(0.01)
    return time.monotonic() - began


@contextmanager
def started(log: Path, **changes: str) -> Iterator[subprocess.Popen[bytes]]:
    """A running pool; its log goes to a file."""
    with log.open("wb") as file:
        process = subprocess.Popen(command("--grace", "10"), env=environment(**changes), stderr=file)
    try:
        wait_for(lambda: "is ready" in log.read_text() or process.poll() is not None)
        assert process.poll() is None, log.read_text()
        yield process
    finally:
        process.kill()
        process.wait()


def children(pid: int) -> list[int]:
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                stat = (entry / "stat").read_text()
            except OSError:
                continue
            if int(stat.rpartition(")")[2].split()[1]) == pid:
                found.append(int(entry.name))
    return found


def test_a_missing_database_is_one_line() -> None:
    """Nothing but the line that says how to set it."""
    assert refused() == (
        "config: WAYMARK_DATABASE_URL is not set; set it to postgresql://user:password@host:5432/database\n"
    )


def test_a_bad_value_is_one_line() -> None:
    """Variable, value and what to write."""
    text = refused(WAYMARK_DATABASE_URL=UNREACHABLE, WAYMARK_LOCK_TTL_MS="5s")
    assert text == 'config: WAYMARK_LOCK_TTL_MS must be whole milliseconds above 0, got "5s"; write 5000\n'


def test_an_unreachable_database_is_one_line_without_its_password() -> None:
    """The line names the variable, not the DSN; the start-up line redacts it."""
    text = refused(WAYMARK_DATABASE_URL=UNREACHABLE)
    assert last_line(text).startswith("config: WAYMARK_DATABASE_URL names a database that does not answer: ")
    assert "database_url=[redacted]" in text
    assert len(text.splitlines()) == 2


def test_an_unknown_variable_is_warned_of() -> None:
    """A misspelt name is said before anything else."""
    text = refused(WAYMARK_DATABASE_URL=UNREACHABLE, WAYMARK_WORKERS_COUNT="2")
    assert "WAYMARK_WORKERS_COUNT is not a variable of this release" in text
    assert "did you mean WAYMARK_WORKER_COUNT?" in text


def test_a_taken_port_is_one_line(database_url: str) -> None:
    """The address and a way out."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        address = f"127.0.0.1:{listener.getsockname()[1]}"
        line = last_line(refused(WAYMARK_DATABASE_URL=database_url, WAYMARK_WORKER_GRPC_ADDR=address))
    assert line == (
        f'config: WAYMARK_WORKER_GRPC_ADDR cannot be listened on, got "{address}"; '
        f"is another waymark-start-workers running? write a free address, or port 0 for any"
    )


def test_a_user_module_that_fails_is_its_traceback_and_one_line(database_url: str, tmp_path: Path) -> None:
    """The user's own traceback, then the module and the error."""
    (tmp_path / "bad_module.py").write_text("import nothing_like_this\n")
    text = refused(
        WAYMARK_DATABASE_URL=database_url, WAYMARK_USER_MODULE="bad_module", PYTHONPATH=str(tmp_path)
    )
    assert 'bad_module.py", line 1, in <module>' in text
    assert last_line(text) == (
        "waymark-start-workers: the workers do not start: user module bad_module failed to import: "
        "ModuleNotFoundError: No module named 'nothing_like_this'"
    )


def test_a_worker_command_that_does_not_exist_is_one_line(database_url: str) -> None:
    """Which command was tried, where it came from, why it failed."""
    line = last_line(refused(WAYMARK_DATABASE_URL=database_url, WAYMARK_WORKER_COMMAND="/no/such/worker"))
    assert line == (
        "waymark-start-workers: the workers do not start: "
        "/no/such/worker (WAYMARK_WORKER_COMMAND): No such file or directory"
    )


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_migrates_runs_and_stops_on_a_signal(
    number: signal.Signals, empty_database_url: str, tmp_path: Path
) -> None:
    """From an empty database to a running shard; exit 0 well within the grace; no process left."""
    log = tmp_path / "log"
    with started(log, WAYMARK_DATABASE_URL=empty_database_url) as process:
        family = children(process.pid)
        assert len(family) == 2
        process.send_signal(number)
        assert process.wait(timeout=15) == 0, log.read_text()
        wait_for(lambda: not any(is_alive(pid) for pid in family), 2)
    text = log.read_text()
    assert "stopped" in last_line(text)
    assert "Traceback" not in text


def test_every_child_dies_with_a_killed_supervisor(database_url: str, tmp_path: Path) -> None:
    """SIGKILL of the supervisor: shards and workers are gone within 2 seconds, the port is free at once."""
    with started(tmp_path / "log", WAYMARK_DATABASE_URL=database_url, WAYMARK_EXECUTOR_SHARDS="2") as process:
        family = children(process.pid)
        assert len(family) == 3
        process.kill()
        process.wait()
        assert wait_for(lambda: not any(is_alive(pid) for pid in family)) <= 2


def test_the_help_lists_every_variable() -> None:
    """--help is made from the table of variables."""
    done = subprocess.run(command("--help"), env=environment(), capture_output=True, text=True, timeout=60)
    assert done.returncode == 0
    assert "WAYMARK_EXPIRED_LOCK_RECLAIMER_BATCH_SIZE [1000]" in done.stdout
    assert "--grace SECONDS" in done.stdout
    assert "internal-shard" not in done.stdout
