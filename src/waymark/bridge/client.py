"""The SDK's end of the bridge: every request is repeated until a bridge answers it, or patience ends.

That is safe for all of them: ids are chosen here, registering is idempotent, waiting has no effect. So an answer that got lost costs
time only.
"""

from __future__ import annotations

import asyncio
import logging
import random
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar
from uuid import UUID

import grpc
import grpc.aio

from waymark.bridge.channel import Connection, Connections, EndpointSource
from waymark.bridge.per_loop import PerLoop
from waymark.bridge.waits import Waits
from waymark.errors import BootError, BridgeError, BridgeRejected, BridgeUnavailable, InstanceNotFound
from waymark.proto import workflow_pb2 as pb

log = logging.getLogger("waymark.client")

RETRY_FOR_S = 60.0
"""How long a request is repeated while no bridge answers."""

_CALL_TIMEOUT_S = 30.0
_BACKOFF_FIRST_S = 0.05
_BACKOFF_LAST_S = 2.0
_LOG_EVERY_S = 10.0
_WORKED_S = 5.0
"""A request that failed after this long had an answer for a while: a stream of waits. Patience then begins anew."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Registration:
    """A program that a bridge must know before runs of it are started."""

    name: str
    version: str
    program: bytes
    source: str


class BridgeClient:
    """Calls the bridge from any number of event loops and threads.

    Args:
        source: Finds the bridge.
        on_connected: Called with each new connection, before its first call.
    """

    def __init__(
        self, source: EndpointSource, on_connected: Callable[[Connection], Awaitable[None]] | None = None
    ) -> None:
        self._connections = Connections(source, on_connected)
        self._waits = PerLoop(lambda: Waits(self._repeat))
        self._complained_at = -_LOG_EVERY_S

    async def mode(self) -> str:
        """`model.identity.MODE_...` of the bridge."""

        async def look(connection: Connection) -> str:
            return connection.mode

        return await self._repeat(look)

    async def start(
        self, registration: Registration, instances: Sequence[pb.NewInstance], client_id: bytes
    ) -> list[bytes]:
        """Queue instances; returns the ids of those that now exist, in order.

        Raises:
            BridgeRejected: The request can never succeed: the version exists with another program, for example.
            BridgeUnavailable: No bridge answered in time.
            BootError: There is no bridge and none can be started.
        """
        request = pb.StartInstancesRequest(
            workflow_name=registration.name,
            workflow_version=registration.version,
            instances=instances,
            client_id=client_id,
        )

        async def attempt(connection: Connection) -> list[bytes]:
            await _register(connection, registration)
            try:
                reply = await connection.call(
                    "StartInstances", request, pb.StartInstancesReply, _CALL_TIMEOUT_S
                )
            except grpc.aio.AioRpcError as error:
                if error.code() is not grpc.StatusCode.FAILED_PRECONDITION:
                    raise
                # The version was removed after it was registered.
                connection.registered.discard((registration.name, registration.version))
                await _register(connection, registration)
                reply = await connection.call(
                    "StartInstances", request, pb.StartInstancesReply, _CALL_TIMEOUT_S
                )
            return list(reply.instance_ids)

        return await self._repeat(attempt)

    async def wait(self, instance_id: bytes) -> pb.InstanceInfo:
        """The instance when it has ended.

        Raises:
            InstanceNotFound: It does not exist.
            BridgeUnavailable: No bridge answered for too long.
        """
        info = await self._waits.get().wait(instance_id)
        if info is None:
            raise _not_found(instance_id)
        return info

    async def look(self, instance_id: bytes) -> pb.InstanceInfo:
        """The instance as it is now, without its payload.

        Raises:
            InstanceNotFound: It does not exist.
            BridgeUnavailable: No bridge answered in time.
        """

        async def attempt(connection: Connection) -> pb.InstancesReply:
            request = pb.GetInstancesRequest(instance_ids=[instance_id])
            reply: pb.InstancesReply = await connection.call(
                "GetInstances", request, pb.InstancesReply, _CALL_TIMEOUT_S
            )
            return reply

        reply = await self._repeat(attempt)
        if not reply.instances:
            raise _not_found(instance_id)
        return reply.instances[0]

    async def close(self) -> None:
        """Close the connection of the running event loop; the next request makes another."""
        await self._connections.close()

    async def _repeat(self, attempt: Callable[[Connection], Awaitable[T]]) -> T:
        """Try until a bridge answers."""
        failing_since: float | None = None
        backoff_s = _BACKOFF_FIRST_S
        while True:
            problem: BridgeError
            connection: Connection | None = None
            is_late = False
            began = time.monotonic()
            try:
                connection = await self._connections.get()
                return await attempt(connection)
            except grpc.aio.AioRpcError as error:
                problem = _translate(error)
                # One that says itself that it cannot answer now, because its database is away, is still the right one.
                is_late = error.code() is grpc.StatusCode.DEADLINE_EXCEEDED
                if connection is not None and (is_late or not connection.is_alive):
                    self._connections.lost(connection)
            except BootError as error:
                if not self._connections.has_connected:
                    raise  # nothing was lost, so there is nothing to wait for: what is wrong must be put right first
                problem = error
            except BridgeUnavailable as error:
                problem = error
            now = time.monotonic()
            if connection is not None and now - began >= _WORKED_S and not is_late:
                failing_since, backoff_s = None, _BACKOFF_FIRST_S  # a stream that worked until now
            failing_since = failing_since or now
            if not isinstance(problem, BridgeUnavailable | BootError) or now - failing_since >= RETRY_FOR_S:
                raise problem from None
            self._complain(problem)
            await asyncio.sleep(backoff_s * (0.5 + random.random()))
            backoff_s = min(backoff_s * 2, _BACKOFF_LAST_S)

    def _complain(self, problem: BridgeError) -> None:
        now = time.monotonic()
        if now - self._complained_at >= _LOG_EVERY_S:
            self._complained_at = now
            log.warning("%s; trying again for up to %g s", problem, RETRY_FOR_S)


async def _register(connection: Connection, registration: Registration) -> None:
    """Tell the bridge of a program, once for each connection."""
    key = (registration.name, registration.version)
    if key in connection.registered:
        return
    async with connection.registering:
        if key not in connection.registered:
            request = pb.RegisterWorkflowRequest(
                name=registration.name,
                version=registration.version,
                program=registration.program,
                source=registration.source,
            )
            await connection.call("RegisterWorkflow", request, pb.RegisterWorkflowReply, _CALL_TIMEOUT_S)
            connection.registered.add(key)


def _not_found(instance_id: bytes) -> InstanceNotFound:
    return InstanceNotFound(
        f"no instance has the id {UUID(bytes=instance_id)}: it never existed, or retention removed it"
    )


def _translate(error: grpc.aio.AioRpcError) -> BridgeError:
    text = error.details() or error.code().name
    match error.code():
        case grpc.StatusCode.UNAVAILABLE | grpc.StatusCode.CANCELLED | grpc.StatusCode.DEADLINE_EXCEEDED:
            return BridgeUnavailable(f"the bridge does not answer: {text}")
        case _:
            return BridgeRejected(f"the bridge refused the request: {text}")
