"""One worker's stream: what the router wants to say goes out in batches, what the worker says goes to the router.

A gRPC message costs about 50 microseconds and a call inside a batch 5, so everything that became ready while the last
message was being written leaves in the next one.
"""

from __future__ import annotations

import asyncio
import logging

import grpc
import grpc.aio

from waymark.link import batches
from waymark.link.worker_stream import PROTOCOL_VERSION
from waymark.pool.router import Lane, Router
from waymark.proto.worker_pb2 import (
    Cancel,
    CancelBatch,
    Drain,
    FromWorker,
    ToWorker,
    Welcome,
)

log = logging.getLogger(__name__)

StreamContext = grpc.aio.ServicerContext[FromWorker, ToWorker]


class WorkerStream:
    """The port of a lane over one gRPC stream. `serve` runs it to its end."""

    def __init__(self, context: StreamContext) -> None:
        self._context = context
        self._dispatches: list[tuple[int, bytes, int, int]] = []
        self._cancels: list[tuple[int, str]] = []
        self._is_drain_due = False
        self._has_news = asyncio.Event()
        self._serving: asyncio.Task[None] | None = None
        self._close_reason = ""

    def dispatch(self, token: int, body: bytes, timeout_ms: int, usable_until_us: int) -> None:
        self._dispatches.append((token, body, timeout_ms, usable_until_us))
        self._has_news.set()

    def cancel(self, token: int, reason: str) -> None:
        self._cancels.append((token, reason))
        self._has_news.set()

    def drain(self) -> None:
        self._is_drain_due = True
        self._has_news.set()

    def close(self, reason: str) -> None:
        """Cut the stream, whatever the worker is doing."""
        self._close_reason = reason
        if self._serving is not None:
            self._serving.cancel()

    async def serve(self, lane: Lane, router: Router) -> None:
        """Move messages until either end has enough; then the lane is removed from the router."""
        self._serving = asyncio.create_task(self._serve(lane, router))
        try:
            await asyncio.wait([self._serving])
        finally:
            # Runs when the stream ended, when `close` cut it, and when gRPC cancels the handler because the peer died.
            if not self._serving.done():
                self._serving.cancel()
            router.remove_lane(lane, self._close_reason or "the worker went away")
        if not self._serving.cancelled() and (error := self._serving.exception()) is not None:
            log.warning("stream of worker %s failed: %s", lane.worker_id.hex(), error)

    async def _serve(self, lane: Lane, router: Router) -> None:
        writing = asyncio.create_task(self._write())
        try:
            await self._read(lane, router)
        finally:
            writing.cancel()
            await asyncio.wait([writing])
            if not writing.cancelled():
                # The peer is gone in the middle of a write; reading tells the same.
                writing.exception()

    async def _read(self, lane: Lane, router: Router) -> None:
        read = self._context.read
        while True:
            message: object = await read()
            if not isinstance(message, FromWorker):  # grpc.aio.EOF
                return
            kind = message.WhichOneof("kind")
            if kind == "results":
                for result in message.results.results:
                    router.result(lane, result.token, result.body)
            elif kind == "heartbeat":
                lane.loop_lag_us = message.heartbeat.loop_lag_us
            # Drained needs no answer: the worker closes the stream next. A second Hello or an unknown kind is ignored.

    async def _write(self) -> None:
        write = self._context.write
        await write(ToWorker(welcome=Welcome(protocol_version=PROTOCOL_VERSION)))
        while True:
            await self._has_news.wait()
            self._has_news.clear()
            dispatches, self._dispatches = self._dispatches, []
            cancels, self._cancels = self._cancels, []
            # Dispatches go first: a cancel may be for one of them.
            for batch in batches(dispatches, _dispatch_size):
                message = ToWorker()
                add = message.dispatches.dispatches.add
                for token, body, timeout_ms, usable_until_us in batch:
                    add(token=token, body=body, timeout_ms=timeout_ms, usable_until_us=usable_until_us)
                await write(message)
            if cancels:
                entries = [Cancel(token=token, reason=reason) for token, reason in cancels]
                await write(ToWorker(cancels=CancelBatch(cancels=entries)))
            if self._is_drain_due and not self._dispatches:
                self._is_drain_due = False
                await write(ToWorker(drain=Drain()))


def _dispatch_size(entry: tuple[int, bytes, int, int]) -> int:
    return len(entry[1]) + 16
