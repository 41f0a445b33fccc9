"""The SDK's end of the bridge: find it, prove it, call it, and find it again when it died.

Every request may be repeated: ids are chosen here, registering is idempotent, waiting has no effect. So an answer that got lost costs time only.
"""

from __future__ import annotations

import asyncio
import os
import random
import secrets
import weakref
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import grpc
import grpc.aio

from waymark.boot.probe import is_wanted
from waymark.errors import BootError, BridgeError, BridgeRejected, BridgeUnavailable, InstanceNotFound
from waymark.model.identity import TOKEN_METADATA, BridgeIdentity
from waymark.proto import workflow_pb2 as pb

RETRY_FOR_S = 60.0
"""How long a request is repeated while no bridge answers."""

_SERVICE = "/waymark.v1.WorkflowService/"
_MESSAGE_BYTES = 64 * 1024 * 1024
_CALL_TIMEOUT_S = 30.0
_WAIT_MS = 20_000
_BACKOFF_FIRST_S = 0.05
_BACKOFF_LAST_S = 2.0
_OPTIONS = (
    ("grpc.max_receive_message_length", _MESSAGE_BYTES),
    ("grpc.max_send_message_length", _MESSAGE_BYTES),
    ("grpc.enable_http_proxy", 0),
    ("grpc.keepalive_time_ms", 20_000),
    ("grpc.keepalive_timeout_ms", 10_000),
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.max_reconnect_backoff_ms", 1000),
)


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where a bridge is and what it must prove."""

    target: str
    """host:port."""
    token: str
    identity: BridgeIdentity | None
    """None: any bridge that knows the token will do (an address that the user gave)."""


class EndpointSource(Protocol):
    """Finds or boots the bridge."""

    async def find(self) -> Endpoint:
        """Where it is now.

        Raises:
            BootError: There is none and none can be started.
        """
        ...

    def lost(self) -> None:
        """It does not answer any more: look again next time."""
        ...


@dataclass(slots=True)
class Connection:
    """A proved channel of one event loop."""

    channel: grpc.aio.Channel
    endpoint: Endpoint
    mode: str
    registered: set[tuple[str, str]]
    """(name, version) that this bridge has been told of."""


class BridgeClient:
    """Calls the bridge from any number of event loops; each has a channel of its own.

    Args:
        source: Finds the bridge.
        on_connected: Called with each new connection, before its first call: in-memory mode attaches the actions there.
    """

    def __init__(
        self, source: EndpointSource, on_connected: Callable[[Connection], Awaitable[None]] | None = None
    ) -> None:
        self._source = source
        self._on_connected = on_connected
        self._connections: weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, Connection] = (
            weakref.WeakKeyDictionary()
        )
        self._locks: weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, asyncio.Lock] = (
            weakref.WeakKeyDictionary()
        )
        self._closing: set[asyncio.Task[None]] = set()
        self._pid = os.getpid()

    async def register(self, name: str, version: str, program: bytes, source: str) -> str:
        """Tell the bridge of a program; returns its version. Does nothing when this bridge knows it.

        Raises:
            BridgeRejected: The version exists with another program.
            BridgeUnavailable: No bridge answered in time.
        """
        connection = await self._connection()
        if (name, version) in connection.registered:
            return version
        request = pb.RegisterWorkflowRequest(name=name, version=version, program=program, source=source)
        reply: pb.RegisterWorkflowReply = await self._call(
            "RegisterWorkflow", request, pb.RegisterWorkflowReply
        )
        (await self._connection()).registered.add((name, reply.version))
        return reply.version

    async def start(
        self, name: str, version: str, instances: Sequence[pb.NewInstance], client_id: bytes
    ) -> list[bytes]:
        """Queue instances; returns the ids of those that now exist, in order.

        Raises:
            BridgeRejected: A request can never succeed.
            BridgeUnavailable: No bridge answered in time.
        """
        request = pb.StartInstancesRequest(
            workflow_name=name, workflow_version=version, instances=instances, client_id=client_id
        )
        reply: pb.StartInstancesReply = await self._call("StartInstances", request, pb.StartInstancesReply)
        return list(reply.instance_ids)

    async def wait(self, ids: Sequence[bytes]) -> list[pb.InstanceInfo]:
        """Those of `ids` that have ended; waits until there is one."""
        while True:
            request = pb.WaitInstancesRequest(instance_ids=ids, max_wait_ms=_WAIT_MS)
            reply: pb.InstancesReply = await self._call(
                "WaitInstances", request, pb.InstancesReply, timeout_s=_WAIT_MS / 1000 + _CALL_TIMEOUT_S
            )
            if reply.instances:
                return list(reply.instances)

    async def look(self, ids: Sequence[bytes]) -> list[pb.InstanceInfo]:
        """Those of `ids` that exist, as they are now."""
        reply: pb.InstancesReply = await self._call(
            "GetInstances", pb.GetInstancesRequest(instance_ids=ids), pb.InstancesReply
        )
        return list(reply.instances)

    async def close(self) -> None:
        """Close the channel of this event loop."""
        connection = self._connections.pop(asyncio.get_running_loop(), None)
        if connection is not None:
            await connection.channel.close()

    async def _call(
        self, method: str, request: Any, reply_type: Any, *, timeout_s: float = _CALL_TIMEOUT_S
    ) -> Any:
        """One request, repeated while the bridge is away."""
        deadline = asyncio.get_running_loop().time() + RETRY_FOR_S
        backoff_s = _BACKOFF_FIRST_S
        while True:
            connection: Connection | None = None
            try:
                connection = await self._connection()
                metadata = ((TOKEN_METADATA, connection.endpoint.token),)
                stub = connection.channel.unary_unary(
                    _SERVICE + method,
                    request_serializer=type(request).SerializeToString,
                    response_deserializer=reply_type.FromString,
                )
                return await stub(request, timeout=timeout_s, metadata=metadata)
            except grpc.aio.AioRpcError as error:
                problem: BridgeError = _translate(error)
                if not isinstance(problem, BridgeUnavailable):
                    raise problem from None
                if connection is not None:
                    await self._drop(connection)
            except BootError as error:
                problem = error
            if asyncio.get_running_loop().time() >= deadline:
                raise problem
            await asyncio.sleep(backoff_s * (0.5 + random.random()))
            backoff_s = min(backoff_s * 2, _BACKOFF_LAST_S)

    async def _connection(self) -> Connection:
        if self._pid != os.getpid():  # a fork: the parent's channels are not ours
            self._connections.clear()
            self._locks.clear()
            self._pid = os.getpid()
        loop = asyncio.get_running_loop()
        connection = self._connections.get(loop)
        if connection is not None:
            return connection
        lock = self._locks.setdefault(loop, asyncio.Lock())
        async with lock:
            connection = self._connections.get(loop)
            if connection is None:
                connection = await self._connect()
                self._connections[loop] = connection
                if self._on_connected is not None:
                    await self._on_connected(connection)
            return connection

    async def _connect(self) -> Connection:
        endpoint = await self._source.find()
        channel = grpc.aio.insecure_channel(endpoint.target, options=_OPTIONS)
        nonce = secrets.token_bytes(32)
        identify = channel.unary_unary(
            _SERVICE + "Identify",
            request_serializer=pb.IdentifyRequest.SerializeToString,
            response_deserializer=pb.IdentifyReply.FromString,
        )
        try:
            reply: pb.IdentifyReply = await identify(pb.IdentifyRequest(nonce=nonce), timeout=5.0)
        except grpc.aio.AioRpcError:
            await channel.close()
            self._source.lost()
            raise
        claimed = BridgeIdentity(reply.protocol_version, reply.mode, reply.database_fingerprint)
        if not is_wanted(reply, endpoint.identity or claimed, endpoint.token, nonce):
            await channel.close()
            self._source.lost()
            raise BridgeRejected(
                f"what listens on {endpoint.target} is not the bridge that is wanted: it has another token, database, mode or version; "
                "set WAYMARK_BRIDGE_TOKEN to the bridge's token, or correct the address"
            )
        return Connection(channel, endpoint, reply.mode, set())

    async def _drop(self, connection: Connection) -> None:
        loop = asyncio.get_running_loop()
        if self._connections.get(loop) is connection:
            del self._connections[loop]
            self._source.lost()
            # Other calls of this loop may still be answered on the channel: let them.
            closing = loop.create_task(connection.channel.close(grace=_WAIT_MS / 1000 + _CALL_TIMEOUT_S))
            self._closing.add(closing)
            closing.add_done_callback(self._closing.discard)


def _translate(error: grpc.aio.AioRpcError) -> BridgeError:
    text = error.details() or error.code().name
    match error.code():
        case grpc.StatusCode.UNAVAILABLE | grpc.StatusCode.CANCELLED | grpc.StatusCode.DEADLINE_EXCEEDED:
            return BridgeUnavailable(f"the bridge does not answer: {text}")
        case grpc.StatusCode.NOT_FOUND:
            return _NotFound(text)
        case grpc.StatusCode.FAILED_PRECONDITION:
            return NotRegistered(text)
        case _:
            return BridgeRejected(f"the bridge refused the request: {text}")


class NotRegistered(BridgeRejected):
    """The bridge does not know the workflow version: register it and try again."""


class _NotFound(BridgeRejected, InstanceNotFound):
    """An instance does not exist."""
