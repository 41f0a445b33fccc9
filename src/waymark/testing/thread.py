"""The in-memory engine on a thread of this process."""

from __future__ import annotations

import asyncio
import secrets
import threading

from waymark.bridge.client import Endpoint
from waymark.errors import BootError
from waymark.model.identity import BRIDGE_PROTOCOL_VERSION, MODE_MEMORY, BridgeIdentity
from waymark.testing.engine import MemoryEngine

_START_TIMEOUT_S = 20.0


class ThreadBridge:
    """Implements `bridge.client.EndpointSource`; the engine starts with the first look."""

    def __init__(self, *, skips_sleep: bool = True) -> None:
        self._skips_sleep = skips_sleep
        self._token = secrets.token_hex(16)
        self._lock = threading.Lock()
        self._port = 0

    async def find(self) -> Endpoint:
        port = await asyncio.to_thread(self._started)
        return Endpoint(
            f"127.0.0.1:{port}", self._token, BridgeIdentity(BRIDGE_PROTOCOL_VERSION, MODE_MEMORY, "")
        )

    def lost(self) -> None:
        """The thread lives as long as the process: there is nothing else to find."""

    def _started(self) -> int:
        with self._lock:
            if not self._port:
                ready = threading.Event()
                problems: list[BaseException] = []
                threading.Thread(
                    target=self._serve, args=(ready, problems), name="waymark in-memory bridge", daemon=True
                ).start()
                if not ready.wait(_START_TIMEOUT_S) or problems:
                    raise BootError(
                        f"the in-memory bridge did not start: {problems[0] if problems else 'timeout'}"
                    )
            return self._port

    def _serve(self, ready: threading.Event, problems: list[BaseException]) -> None:
        async def serve() -> None:
            engine = MemoryEngine("127.0.0.1:0", self._token, skips_sleep=self._skips_sleep)
            await engine.start()
            self._port = engine.port
            ready.set()
            await engine.failed()

        try:
            asyncio.run(serve())
        except BaseException as error:
            problems.append(error)
            ready.set()
            raise


def bridge_of_this_process() -> ThreadBridge:
    """What the pytest plugin puts in place."""
    return ThreadBridge()
