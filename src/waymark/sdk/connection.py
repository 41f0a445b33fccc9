"""How this process reaches its bridge: an address that is set, or one that is booted on first use."""

from __future__ import annotations

import asyncio
import importlib
import os
import shutil
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

from waymark.boot.identity import bridge_token, wanted_identity
from waymark.bridge.channel import Connection, Endpoint, EndpointSource
from waymark.bridge.client import BridgeClient
from waymark.bridge.per_loop import PerLoop
from waymark.config import load_client
from waymark.errors import BootError
from waymark.model.identity import MODE_MEMORY
from waymark.model.settings import ClientSettings
from waymark.sdk.late import make_source

BOOT_TIMEOUT_S = 60.0
_LAST_LINES = 20


class ConfiguredSource:
    """The bridge that the environment names or asks for. Safe to use from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._port: int | None = None

    async def find(self) -> Endpoint:
        settings = load_client(os.environ)
        token = bridge_token(settings, os.environ)
        address = settings.bridge_grpc_addr
        if address is not None:
            return Endpoint(address.host, address.port, token, None)
        identity = wanted_identity(settings, os.environ)
        port = self._port
        if port is None:
            port = await asyncio.to_thread(self._boot, settings)
        return Endpoint(settings.bridge_grpc_host, port, token, identity)

    def lost(self, endpoint: Endpoint) -> None:
        with self._lock:
            if self._port == endpoint.port:
                self._port = None

    def _boot(self, settings: ClientSettings) -> int:
        with self._lock:
            if self._port is None:
                self._port = boot(settings)
            return self._port


def boot(settings: ClientSettings) -> int:
    """Run the boot helper; returns the port of the bridge.

    Raises:
        BootError: It failed; carries what it printed.
    """
    command = list(settings.boot_command) if settings.boot_command else _boot_binary(settings.boot_binary)
    with tempfile.TemporaryDirectory(prefix="waymark-boot-") as directory:
        output, log = Path(directory) / "port", Path(directory) / "log"
        try:
            # A file and not a pipe: what a boot command leaves running may hold its end open for ever.
            with log.open("wb") as printed:
                done = subprocess.run(
                    [*command, "--output-file", str(output)],
                    stdin=subprocess.DEVNULL,
                    stdout=printed,
                    stderr=printed,
                    timeout=BOOT_TIMEOUT_S,
                    check=False,
                )
        except OSError as error:
            raise BootError(
                f"the boot helper {command[0]} cannot be run: {error.strerror}; correct WAYMARK_BOOT_BINARY or WAYMARK_BOOT_COMMAND"
            ) from None
        except subprocess.TimeoutExpired:
            raise BootError(
                f"the boot helper {command[0]} gave no port within {BOOT_TIMEOUT_S:g} s{_printed(log)}"
            ) from None
        if done.returncode:
            raise BootError(f"no bridge could be found or started{_printed(log)}")
        try:
            return int(output.read_text())
        except (OSError, ValueError):
            raise BootError(f"the boot helper {command[0]} wrote no port to its output file") from None


def _printed(log: Path) -> str:
    lines = log.read_text(errors="replace").strip().splitlines()[-_LAST_LINES:]
    return "; the boot helper says:\n" + "\n".join(f"  {line}" for line in lines) if lines else ""


def _boot_binary(name: str) -> list[str]:
    """A path as it is; a name beside the running Python or on PATH; else our own module."""
    if os.sep in name:
        return [name]
    beside = Path(sys.executable).parent / name
    if beside.is_file() and os.access(beside, os.X_OK):
        return [str(beside)]
    found = shutil.which(name)
    if found is not None:
        return [found]
    if name == "waymark-boot-singleton":
        return [sys.executable, "-m", "waymark.cli.boot_singleton"]
    raise BootError(
        f"WAYMARK_BOOT_BINARY {name!r} is neither beside {sys.executable} nor on PATH; give its full path"
    )


class Connector:
    """The process's client, made on first use; a test mode may put another source in its place."""

    def __init__(self) -> None:
        self._source: EndpointSource | None = None
        self._client: BridgeClient | None = None
        self._client_ids = PerLoop(lambda: os.urandom(16))
        self._lock = threading.Lock()

    def use(self, source: EndpointSource | None) -> None:
        """Find the bridge by another way from now on; None: by the way that is the default."""
        with self._lock:
            self._source = source
            self._client = None

    def client(self) -> BridgeClient:
        """The client of this process."""
        with self._lock:
            if self._client is None:
                if self._source is None:
                    self._source = make_source(ConfiguredSource)
                self._client = BridgeClient(self._source, self._connected)
            return self._client

    def client_id(self) -> bytes:
        """Identity of this event loop towards an in-memory bridge, which sends it the actions of what it starts."""
        return self._client_ids.get()

    async def _connected(self, connection: Connection) -> None:
        if connection.mode == MODE_MEMORY:
            # Late-bound: `worker` imports `sdk`, so this arrow must not exist at import time.
            attach = importlib.import_module("waymark.worker.attach").attach
            await attach(connection.endpoint.target, self.client_id(), connection.endpoint.token)


connector = Connector()
"""The one connection of this process, as the registry is the one table of its actions."""
