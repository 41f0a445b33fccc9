"""Find or start the one local bridge of a database and mode.

Ports are asked from the base port upward who is there; a bridge counts only when it proves protocol version, mode, database and token.
If there is none, one is started on the first free port, under a per-user lock and after another look. Twenty helpers at once
therefore end with one bridge.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from waymark.boot.identity import bridge_token, wanted_identity
from waymark.boot.probe import probe
from waymark.boot.runtime_directory import runtime_directory
from waymark.errors import BootError
from waymark.model.identity import BridgeIdentity
from waymark.model.settings import Address, ClientSettings

PORTS_TRIED = 50
HEALTHY_WITHIN_S = 20.0
_LAST_LOOK_S = 5.0
"""A bridge on a busy machine may be slow to answer, and who takes it for a stranger starts a second one."""

_POLL_S = 0.02
_LOG_LINES = 15


@dataclass(frozen=True, slots=True)
class _Place:
    """Where to look and what for."""

    host: str
    ports: range
    wanted: BridgeIdentity
    token: str
    directory: Path
    environment: Mapping[str, str]


def find_or_start(settings: ClientSettings, environment: Mapping[str, str]) -> int:
    """The port of the bridge, which is healthy on return.

    Raises:
        BootError: None could be started; says where its log is, and after the first line what that ends with.
    """
    base = settings.bridge_grpc_port
    place = _Place(
        host=settings.bridge_grpc_host,
        ports=range(base, min(base + PORTS_TRIED, 65536)),
        wanted=wanted_identity(settings, environment),
        token=bridge_token(settings, environment),
        directory=runtime_directory(environment),
        environment=environment,
    )
    # Without the lock first: who only looks need not wait for who starts.
    found = probe(place.host, place.ports, place.wanted, place.token)
    if found.ours is not None:
        return found.ours
    with _locked(place.directory / "boot.lock"):
        found = probe(place.host, place.ports, place.wanted, place.token, timeout_s=_LAST_LOOK_S)
        if found.ours is not None:
            return found.ours
        if not found.free:
            raise BootError(
                f"every port from {base} to {place.ports[-1]} on {place.host} is taken; set WAYMARK_BRIDGE_GRPC_PORT to a free one"
            )
        return _start_on_one_of(place, found.free)


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
    except OSError as error:
        raise BootError(f"the lock file {path} cannot be used: {error.strerror}; remove it") from None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _start_on_one_of(place: _Place, free: tuple[int, ...]) -> int:
    """Start a bridge on the first port that stays free until the bridge has it."""
    problem: BootError | None = None
    for port in free[:3]:
        try:
            _start(place, port)
            return port
        except BootError as error:
            problem = error
        if port in probe(place.host, [port], place.wanted, place.token).free:
            break  # nobody took the port: another one would not help
    assert problem is not None
    raise problem


def bridge_command() -> list[str]:
    """How to start the bridge: the executable beside this one, else the module with this Python."""
    for directory in (Path(sys.argv[0]).resolve().parent, Path(sys.executable).parent):
        candidate = directory / "waymark-bridge"
        if os.access(candidate, os.X_OK) and candidate.is_file():
            return [str(candidate)]
    if getattr(sys, "frozen", False):
        found = shutil.which("waymark-bridge")
        if found is None:
            raise BootError(
                "waymark-bridge is neither beside this executable nor on PATH; put it beside waymark-boot-singleton"
            )
        return [found]
    return [sys.executable, "-m", "waymark.cli.bridge"]


def _start(place: _Place, port: int) -> None:
    """Start a bridge and wait until it is healthy.

    Raises:
        BootError: It is not.
    """
    address = str(Address(place.host, port))
    log_path = place.directory / f"bridge-{port}.log"
    with contextlib.suppress(OSError):
        log_path.replace(log_path.with_suffix(".log.old"))  # of the bridge before it, which may have crashed
    with _new_log(log_path) as log:
        process = subprocess.Popen(
            bridge_command(),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            env={**place.environment, "WAYMARK_BRIDGE_GRPC_ADDR": address},
            start_new_session=True,  # it outlives the helper and the terminal
            cwd="/",
        )
    deadline = time.monotonic() + HEALTHY_WITHIN_S
    while time.monotonic() < deadline:
        if probe(place.host, [port], place.wanted, place.token).ours is not None:
            return
        if process.poll() is not None:
            raise _failure(f"the bridge ended with exit code {process.returncode}", log_path)
        time.sleep(_POLL_S)
    process.kill()  # it had its time, and must not appear later where nobody knows of it
    process.wait()
    raise _failure(f"the bridge was not healthy on {address} within {HEALTHY_WITHIN_S:g} s", log_path)


@contextmanager
def _new_log(path: Path) -> Iterator[int]:
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    except OSError as error:
        raise BootError(f"the log file {path} cannot be made: {error.strerror}") from None
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _failure(what: str, log_path: Path) -> BootError:
    """The last line of a program of ours that gives up says why: it belongs into the first line here."""
    try:
        lines = log_path.read_text(errors="replace").splitlines()[-_LOG_LINES:]
    except OSError as error:
        lines = [f"(its log cannot be read: {error.strerror})"]
    why = f": {lines[-1]}" if lines else ""
    return BootError("\n".join([f"{what}{why} (log: {log_path})", *(f"  {line}" for line in lines)]))
