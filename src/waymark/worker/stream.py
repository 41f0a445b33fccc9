"""The worker's end of its stream: attach, run what comes, send results in batches, leave when told or cut off."""

from __future__ import annotations

import asyncio
import logging
import os
import platform
import sys
from collections.abc import Callable

import grpc.aio

from waymark.clock import SystemClock
from waymark.link import batches
from waymark.link.worker_stream import PROTOCOL_VERSION, SIZE_OPTIONS
from waymark.proto.worker_pb2 import ActionResult, Drained, FromWorker, Heartbeat, Hello, Lost, ToWorker
from waymark.proto.worker_pb2_grpc import WorkerPoolStub
from waymark.worker.runner import ActionRunner, Runtime

HEARTBEAT_S = 2.0

CHANNEL_OPTIONS: tuple[tuple[str, int], ...] = (
    *SIZE_OPTIONS,
    # The pool is on this host; a proxy from the user's environment would be asked for it otherwise.
    ("grpc.enable_http_proxy", 0),
)

log = logging.getLogger(__name__)

_TOO_LATE = ActionResult(
    lost=Lost(reason="it reached the worker after its shard's lease")
).SerializeToString()

_Stream = grpc.aio.StreamStreamCall[FromWorker, ToWorker]


def hello(worker_id: bytes, secret: bytes, release: str) -> Hello:
    """What this process says when it attaches."""
    return Hello(
        protocol_version=PROTOCOL_VERSION,
        worker_id=worker_id,
        secret=secret,
        pid=os.getpid(),
        python=platform.python_version(),
        release=release,
    )


class WorkerClient:
    """One attachment. `run` returns when the pool has drained this worker, or when the stream ends."""

    def __init__(
        self, address: str, greeting: Hello, runtime: Runtime, *, heartbeat_s: float = HEARTBEAT_S
    ) -> None:
        self._address = address
        self._greeting = greeting
        self._heartbeat_s = heartbeat_s
        self._clock = SystemClock()
        self._runner = ActionRunner(runtime, self._answer)
        self._results: list[tuple[int, bytes]] = []
        self._heartbeat: Heartbeat | None = None
        self._is_draining = False
        self._has_news = asyncio.Event()

    async def run(self, on_attached: Callable[[], None] | None = None) -> None:
        """Attach and work.

        Raises:
            grpc.aio.AioRpcError: The pool refused this worker, or the connection failed.
        """
        async with grpc.aio.insecure_channel(self._address, options=CHANNEL_OPTIONS) as channel:
            stream: _Stream = WorkerPoolStub(channel).Attach()  # type: ignore[no-untyped-call]
            await stream.write(FromWorker(hello=self._greeting))
            tasks = [asyncio.create_task(self._write(stream)), asyncio.create_task(self._beat())]
            try:
                await self._read(stream, on_attached)
            finally:
                for task in tasks:
                    task.cancel()
                self._runner.cancel_all()
                await asyncio.wait(tasks)

    def _answer(self, token: int, body: bytes) -> None:
        self._results.append((token, body))
        self._has_news.set()

    async def _read(self, stream: _Stream, on_attached: Callable[[], None] | None) -> None:
        read = stream.read
        start = self._runner.start
        while True:
            message: object = await read()
            if not isinstance(message, ToWorker):  # grpc.aio.EOF
                return
            kind = message.WhichOneof("kind")
            if kind == "dispatches":
                now_us = self._clock.monotonic_us()
                for dispatch in message.dispatches.dispatches:
                    if 0 < dispatch.usable_until_us <= now_us:
                        self._answer(dispatch.token, _TOO_LATE)
                    else:
                        start(dispatch.token, dispatch.body)
            elif kind == "cancels":
                for cancel in message.cancels.cancels:
                    self._runner.cancel(cancel.token, cancel.reason)
            elif kind == "drain":
                self._is_draining = True
                self._has_news.set()
            elif kind == "welcome" and on_attached is not None:
                on_attached()

    async def _write(self, stream: _Stream) -> None:
        """Send what is ready, one message at a time; what becomes ready meanwhile shares the next one."""
        try:
            while True:
                await self._has_news.wait()
                self._has_news.clear()
                await self._write_results(stream)
                if self._heartbeat is not None:
                    beat, self._heartbeat = self._heartbeat, None
                    await stream.write(FromWorker(heartbeat=beat))
                if self._is_draining:
                    await self._runner.wait_idle()
                    await self._write_results(stream)
                    await stream.write(FromWorker(drained=Drained()))
                    await stream.done_writing()
                    return
        except (grpc.aio.AioRpcError, asyncio.InvalidStateError) as error:
            # The stream is gone; reading ends on the same and decides what follows.
            log.debug("writing to the pool failed: %s", error)

    async def _write_results(self, stream: _Stream) -> None:
        while self._results:
            results, self._results = self._results, []
            for batch in batches(results, _result_size):
                message = FromWorker()
                add = message.results.results.add
                for token, body in batch:
                    add(token=token, body=body)
                await stream.write(message)

    async def _beat(self) -> None:
        """Tell how late this event loop is: the pool then knows of actions that block it."""
        loop = asyncio.get_running_loop()
        while True:
            due = loop.time() + self._heartbeat_s
            await asyncio.sleep(self._heartbeat_s)
            lag_us = max(0, round((loop.time() - due) * 1_000_000))
            self._heartbeat = Heartbeat(loop_lag_us=lag_us, in_flight=self._runner.in_flight)
            self._has_news.set()


def _result_size(entry: tuple[int, bytes]) -> int:
    return len(entry[1]) + 16


def release() -> str:
    """Release of waymark in this interpreter, for messages about a mismatch."""
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version("waymark")
    except PackageNotFoundError:
        return f"unknown, on {sys.executable}"
