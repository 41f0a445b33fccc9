"""Find or start the one local bridge of a database and mode.

Under a per-user lock every port from the base port upward is asked who is there; a bridge counts only when it proves protocol version, mode,
database and token. If there is none, one is started on the first free port. Twenty helpers at once therefore end with one bridge.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from waymark.boot.probe import Found, probe, target
from waymark.boot.runtime_directory import runtime_directory, user_token
from waymark.errors import BootError
from waymark.model.identity import (
    BRIDGE_PROTOCOL_VERSION,
    MODE_MEMORY,
    MODE_POSTGRES,
    BridgeIdentity,
    database_fingerprint,
)
from waymark.model.settings import ClientSettings

PORTS_TRIED = 50
HEALTHY_WITHIN_S = 20.0
_POLL_S = 0.02
_LOG_LINES = 15


def wanted_identity(settings: ClientSettings) -> BridgeIdentity:
    """The bridge that these settings ask for.

    Raises:
        BootError: No database is named and memory mode is off.
    """
    if settings.bridge_in_memory:
        return BridgeIdentity(BRIDGE_PROTOCOL_VERSION, MODE_MEMORY, "")
    if settings.database_url is None:
        raise BootError(
            "WAYMARK_DATABASE_URL is not set, so there is no bridge to find or start; set it to postgresql://user:password@host:5432/database, "
            "or set WAYMARK_BRIDGE_GRPC_ADDR to the address of a running bridge"
        )
    return BridgeIdentity(
        BRIDGE_PROTOCOL_VERSION, MODE_POSTGRES, database_fingerprint(settings.database_url.reveal())
    )


def bridge_token(settings: ClientSettings, environment: Mapping[str, str]) -> str:
    """The token to use: the configured one, else the user's own."""
    if settings.bridge_token is not None:
        return settings.bridge_token.reveal()
    return user_token(runtime_directory(environment))


def find_or_start(settings: ClientSettings, environment: Mapping[str, str]) -> int:
    """The port of the bridge, which is healthy on return.

    Raises:
        BootError: None could be started; carries the last lines of its log and where that is.
    """
    wanted = wanted_identity(settings)
    token = bridge_token(settings, environment)
    directory = runtime_directory(environment)
    host, base = settings.bridge_grpc_host, settings.bridge_grpc_port
    with _locked(directory / "boot.lock"):
        free: list[int] = []
        for port in range(base, min(base + PORTS_TRIED, 65536)):
            found = probe(host, port, wanted, token)
            if found is Found.OURS:
                return port
            if found is Found.FREE:
                free.append(port)
        for port in free[:3]:  # a free port can be taken by a stranger before the bridge has it
            problem = _start(host, port, wanted, token, directory, environment)
            if problem is None:
                return port
        if not free:
            raise BootError(
                f"every port from {base} to {base + PORTS_TRIED - 1} on {host} is taken; set WAYMARK_BRIDGE_GRPC_PORT to a free one"
            )
        raise BootError(problem or "the bridge did not start")


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


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


def _start(
    host: str, port: int, wanted: BridgeIdentity, token: str, directory: Path, environment: Mapping[str, str]
) -> str | None:
    """Start a bridge and wait until it is healthy; returns what went wrong, or None."""
    log_path = directory / f"bridge-{port}.log"
    child_environment = {**environment, "WAYMARK_BRIDGE_GRPC_ADDR": target(host, port)}
    with open(log_path, "wb", opener=lambda path, flags: os.open(path, flags | os.O_NOFOLLOW, 0o600)) as log:
        process = subprocess.Popen(
            bridge_command(),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            env=child_environment,
            start_new_session=True,  # it outlives the helper and the terminal
            cwd="/",
        )
    deadline = time.monotonic() + HEALTHY_WITHIN_S
    while time.monotonic() < deadline:
        if probe(host, port, wanted, token) is Found.OURS:
            return None
        if process.poll() is not None:
            return f"waymark-bridge ended with exit code {process.returncode}; its log {log_path} says:\n{_tail(log_path)}"
        time.sleep(_POLL_S)
    process.terminate()
    return f"waymark-bridge was not healthy on {target(host, port)} within {HEALTHY_WITHIN_S:g} s; its log {log_path} says:\n{_tail(log_path)}"


def _tail(path: Path) -> str:
    try:
        lines = path.read_text(errors="replace").splitlines()[-_LOG_LINES:]
    except OSError as error:
        lines = [f"(cannot be read: {error.strerror})"]
    return "\n".join(f"  {line}" for line in lines) or "  (empty)"
