"""The gRPC service that workers attach to: it checks who comes, then hands the stream to the router of that peer.

Who may come is decided by a *gate*: the worker pool knows the processes that it started and their one-time secrets; the
in-memory bridge knows its clients and their token. Nothing else differs between the two.
"""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass
from typing import Protocol

import grpc
import grpc.aio

from waymark.link.worker_stream import PROTOCOL_VERSION, SIZE_OPTIONS
from waymark.pool.router import Lane, Router
from waymark.pool.stream import StreamContext, WorkerStream
from waymark.proto.worker_pb2 import FromWorker, Hello
from waymark.proto.worker_pb2_grpc import WorkerPoolServicer, add_WorkerPoolServicer_to_server

HELLO_TIMEOUT_S = 10.0
"""How long a stream may stay silent before it says who it is."""

SERVER_OPTIONS: tuple[tuple[str, int], ...] = (
    *SIZE_OPTIONS,
    # A frozen worker is noticed within 18 seconds. A busy one answers pings all the same: gRPC's own threads do that,
    # not its event loop. ping_timeout is what ends the stream; keepalive_timeout alone never did, because the kernel
    # of a stopped process still acknowledges (tried with grpcio 1.85). Only this side pings: a worker that outlives
    # a pause of its pool is welcome back.
    ("grpc.keepalive_time_ms", 10_000),
    ("grpc.keepalive_timeout_ms", 8_000),
    ("grpc.http2.ping_timeout_ms", 8_000),
    ("grpc.http2.max_pings_without_data", 0),
    # Without this, Linux lets two servers listen on one port and deals workers out between them.
    ("grpc.so_reuseport", 0),
)

log = logging.getLogger(__name__)


class Refusal(Exception):
    """A peer that may not attach; the message is sent to it."""


@dataclass(frozen=True, slots=True)
class Admission:
    """A peer that may attach."""

    router: Router
    slots: int
    """Calls at once."""
    max_calls: int | None = None
    """Calls in its life, after which `lane.worn` is set."""


class Gate(Protocol):
    """Decides who may attach and learns who did."""

    def admit(self, hello: Hello) -> Admission:
        """Raises Refusal."""
        ...

    def attached(self, lane: Lane) -> None:
        """The peer has its lane and may get work from the next turn on. `lane.ended` tells when it is gone."""
        ...


class WorkerPoolService(WorkerPoolServicer):
    """`WorkerPool.Attach`."""

    def __init__(self, gate: Gate, *, hello_timeout_s: float = HELLO_TIMEOUT_S) -> None:
        self._gate = gate
        self._hello_timeout_s = hello_timeout_s
        self.refused = 0

    def add_to(self, server: grpc.aio.Server) -> None:
        """Serve on a server that has not started yet; it needs `SERVER_OPTIONS`."""
        add_WorkerPoolServicer_to_server(self, server)  # type: ignore[no-untyped-call]

    async def Attach(self, request_iterator: object, context: StreamContext) -> None:
        try:
            hello = await self._hello(context)
            admission = self._gate.admit(hello)
        except Refusal as refusal:
            self.refused += 1
            log.warning("a worker stream from %s was refused: %s", context.peer(), refusal)
            await context.abort(grpc.StatusCode.UNAUTHENTICATED, str(refusal))
        stream = WorkerStream(context)
        lane = Lane(hello.worker_id, stream, slots=admission.slots, max_calls=admission.max_calls)
        admission.router.add_lane(lane)
        self._gate.attached(lane)
        log.info("worker %s attached: pid %d, Python %s", hello.worker_id.hex(), hello.pid, hello.python)
        await stream.serve(lane, admission.router)

    async def _hello(self, context: StreamContext) -> Hello:
        try:
            async with asyncio.timeout(self._hello_timeout_s):
                message = await context.read()
        except TimeoutError:
            raise Refusal("no Hello came in time") from None
        if not isinstance(message, FromWorker) or message.WhichOneof("kind") != "hello":
            raise Refusal("the first message must be Hello")
        hello = message.hello
        if hello.protocol_version != PROTOCOL_VERSION:
            raise Refusal(
                f"protocol version {hello.protocol_version} of waymark {hello.release or '?'} does not match "
                f"version {PROTOCOL_VERSION} of the pool; install the same release of waymark on both sides"
            )
        return hello


def new_server() -> grpc.aio.Server:
    """A gRPC server with the limits and keepalive that worker streams need."""
    return grpc.aio.server(options=SERVER_OPTIONS)
