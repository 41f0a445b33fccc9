"""The in-memory engine on a thread of this process."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import secrets
import threading

from waymark.bridge.channel import Endpoint
from waymark.errors import BootError
from waymark.executor.printed import log as log_of_runs
from waymark.model.identity import BRIDGE_PROTOCOL_VERSION, MODE_MEMORY, BridgeIdentity
from waymark.testing.engine import MemoryEngine

_START_TIMEOUT_S = 20.0
_STOP_TIMEOUT_S = 5.0


class ThreadBridge:
    """Implements `bridge.client.EndpointSource`; the engine starts with the first look."""

    def __init__(self, *, skips_sleep: bool = True) -> None:
        self._skips_sleep = skips_sleep
        self._token = secrets.token_hex(16)
        self._lock = threading.Lock()
        self._port = 0
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._is_stopping = asyncio.Event()

    async def find(self) -> Endpoint:
        port = await asyncio.to_thread(self._started)
        return Endpoint(
            "127.0.0.1", port, self._token, BridgeIdentity(BRIDGE_PROTOCOL_VERSION, MODE_MEMORY, "")
        )

    def lost(self, endpoint: Endpoint) -> None:
        """The thread lives as long as the process: there is nothing else to find."""

    def stop(self) -> None:
        """End the thread. Works before it has started, and twice."""
        with self._lock:
            thread, self._thread = self._thread, None
            loop, self._loop = self._loop, None
            self._port = 0
        if thread is not None and loop is not None:
            with contextlib.suppress(RuntimeError):  # it has ended by itself
                loop.call_soon_threadsafe(self._is_stopping.set)
            thread.join(_STOP_TIMEOUT_S)

    def _started(self) -> int:
        with self._lock:
            if not self._port:
                ready = threading.Event()
                problems: list[BaseException] = []
                self._thread = threading.Thread(
                    target=self._serve, args=(ready, problems), name="waymark in-memory bridge", daemon=True
                )
                self._thread.start()
                if not ready.wait(_START_TIMEOUT_S) or problems:
                    raise BootError(
                        f"the in-memory bridge did not start: {problems[0] if problems else 'timeout'}"
                    )
            return self._port

    def _serve(self, ready: threading.Event, problems: list[BaseException]) -> None:
        async def serve() -> None:
            self._loop, self._is_stopping = asyncio.get_running_loop(), asyncio.Event()
            log_of_runs.setLevel(
                logging.INFO
            )  # pytest keeps what reaches the root logger, which lets warnings through only
            engine = MemoryEngine("127.0.0.1:0", self._token, skips_sleep=self._skips_sleep)
            await engine.start()
            self._port = engine.port
            ready.set()
            failing = asyncio.create_task(engine.failed())
            stopping = asyncio.create_task(self._is_stopping.wait())
            await asyncio.wait({failing, stopping}, return_when=asyncio.FIRST_COMPLETED)
            stopping.cancel()
            failing.cancel()
            await engine.stop()
            if not failing.cancelled() and failing.done():
                failing.result()

        try:
            asyncio.run(serve())
        except BaseException as error:
            problems.append(error)
            ready.set()
            raise


def bridge_of_this_process() -> ThreadBridge:
    """What the pytest plugin puts in place."""
    return ThreadBridge()
