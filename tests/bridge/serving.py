"""A bridge in this event loop over any store, and programs to register."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import grpc.aio

from waymark import Workflow, workflow
from waymark.bridge.channel import Endpoint
from waymark.bridge.client import BridgeClient, Registration
from waymark.bridge.server import BridgeService, new_server
from waymark.compiler import CompiledWorkflow
from waymark.model.identity import BRIDGE_PROTOCOL_VERSION, MODE_POSTGRES, TOKEN_METADATA, BridgeIdentity
from waymark.model.records import Append, ExecutorId, InstanceStatus, Outcome
from waymark.proto import workflow_pb2 as pb
from waymark.proto.workflow_pb2_grpc import WorkflowServiceStub
from waymark.sdk.workflow import workflow_registry
from waymark.store.protocol import CHANNEL_DONE, Store
from waymark.values.codec import encode

TOKEN = "right-token"
IDENTITY = BridgeIdentity(BRIDGE_PROTOCOL_VERSION, MODE_POSTGRES, "test")
ARGUMENTS = encode([[], {}], root="arguments")


@workflow
class First(Workflow):
    async def run(self) -> int:
        return 1


@workflow
class Second(Workflow):
    async def run(self) -> int:
        return 2


def compiled(cls: type[Workflow]) -> CompiledWorkflow:
    """Its program."""
    return workflow_registry.compiled(cls)


def registration(cls: type[Workflow] = First, *, version: str = "") -> Registration:
    """What the SDK says of it."""
    program = compiled(cls)
    return Registration(cls.short_name(), version or program.hash.hex(), program.encoded, program.source)


class FixedSource:
    """A bridge whose place is known."""

    def __init__(self, port: int, token: str = TOKEN, identity: BridgeIdentity | None = IDENTITY) -> None:
        self.endpoint = Endpoint("127.0.0.1", port, token, identity)
        self.looks = 0
        self.losses = 0

    async def find(self) -> Endpoint:
        self.looks += 1
        return self.endpoint

    def lost(self, endpoint: Endpoint) -> None:
        self.losses += 1


@dataclass
class Served:
    """A running bridge."""

    store: Store
    service: BridgeService
    server: grpc.aio.Server
    port: int
    stub: Any
    """Generated stub on a channel of its own."""

    def client(self, token: str = TOKEN) -> BridgeClient:
        """The SDK's end."""
        return BridgeClient(FixedSource(self.port, token))

    async def finish(self, ids: list[bytes] | None = None, result: bytes = b"result") -> int:
        """Play the executor: end what is due with a result; returns how many."""
        executor_id = ExecutorId(uuid4())
        await self.store.open_executor(executor_id, host="host", pid=1, ttl_ms=60_000)
        count = 0
        while claimed := (await self.store.claim(executor_id, limit=500)).instances:
            outcome = Outcome(InstanceStatus.COMPLETED, result)
            await self.store.append(
                executor_id,
                [Append(one.instance_id, one.epoch, one.last_seq, b"events", outcome) for one in claimed],
            )
            count += len(claimed)
        await self.store.notify(CHANNEL_DONE)
        return count


async def until(condition: Callable[[], object], timeout_s: float = 20) -> None:
    """Wait until a condition of another process, thread or task holds."""
    async with asyncio.timeout(timeout_s):
        while not condition():  # noqa: ASYNC110 - nobody can tell us
            await asyncio.sleep(0.005)


def metadata(token: str = TOKEN) -> tuple[tuple[str, str], ...]:
    """What proves a client."""
    return ((TOKEN_METADATA, token),)


def new(instance_id: bytes | None = None, **fields: Any) -> pb.NewInstance:
    """A start request."""
    return pb.NewInstance(
        instance_id=uuid4().bytes if instance_id is None else instance_id, **{"input": ARGUMENTS, **fields}
    )


@contextlib.asynccontextmanager
async def serving(store: Store, *, port: int = 0) -> AsyncIterator[Served]:
    """A bridge over a started store."""
    service = BridgeService(store, IDENTITY, TOKEN)
    server = new_server(TOKEN)
    port = service.serve(server, f"127.0.0.1:{port}")
    await server.start()
    running = asyncio.create_task(service.run())
    channel = grpc.aio.insecure_channel(f"127.0.0.1:{port}")
    try:
        yield Served(store, service, server, port, WorkflowServiceStub(channel))  # type: ignore[no-untyped-call]
        assert not running.done(), "the bridge has ended"
    finally:
        await channel.close()
        await service.stop(server)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
