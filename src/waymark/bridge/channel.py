"""Proved channels to the bridge, one for each event loop of the process.

A channel of gRPC reconnects by itself, to whoever listens there by then. So a connection counts only as long as its
transport lives: after that it is made and proved anew, before a token or a payload is sent.
"""

from __future__ import annotations

import asyncio
import ctypes
import os
import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

import grpc
import grpc.aio

from waymark.boot.probe import is_wanted
from waymark.bridge.per_loop import PerLoop
from waymark.errors import BridgeError, BridgeRejected, BridgeUnavailable
from waymark.model.identity import TOKEN_METADATA, BridgeIdentity
from waymark.proto import workflow_pb2 as pb

_SERVICE = "/waymark.v1.WorkflowService/"
_MESSAGE_BYTES = 64 * 1024 * 1024
_IDENTIFY_TIMEOUT_S = 5.0
_OPTIONS = (
    ("grpc.max_receive_message_length", _MESSAGE_BYTES),
    ("grpc.max_send_message_length", _MESSAGE_BYTES),
    # The bridge is on this host or near; a proxy from the user's environment would be asked for it otherwise.
    ("grpc.enable_http_proxy", 0),
    # A bridge that froze, or whose host vanished, is noticed within 30 seconds.
    ("grpc.keepalive_time_ms", 20_000),
    ("grpc.keepalive_timeout_ms", 10_000),
    ("grpc.http2.ping_timeout_ms", 10_000),
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.max_reconnect_backoff_ms", 1000),
    # Without this, channels of several event loops share one transport, and with it each other's fate.
    ("grpc.use_local_subchannel_pool", 1),
)


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where a bridge is and what it must prove."""

    host: str
    port: int
    token: str
    identity: BridgeIdentity | None
    """None: any bridge that knows the token will do, wherever it listens (an address that the user gave)."""

    @property
    def target(self) -> str:
        """As gRPC takes it."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


class EndpointSource(Protocol):
    """Finds or boots the bridge. Used from several threads."""

    async def find(self) -> Endpoint:
        """Where it is now.

        Raises:
            BootError: There is none and none can be started.
        """
        ...

    def lost(self, endpoint: Endpoint) -> None:
        """It does not answer there any more: look again next time."""
        ...


@dataclass(slots=True, eq=False)
class Connection:
    """A proved channel of one event loop."""

    channel: grpc.aio.Channel
    endpoint: Endpoint
    mode: str
    registered: set[tuple[str, str]] = field(default_factory=set)
    """(name, version) that this bridge has been told of."""
    registering: asyncio.Lock = field(default_factory=asyncio.Lock)

    @property
    def is_alive(self) -> bool:
        """Whether it still leads to the bridge that was proved."""
        return self.channel.get_state() is grpc.ChannelConnectivity.READY

    async def call(self, method: str, request: Any, reply_type: Any, timeout_s: float) -> Any:
        """One request.

        Raises:
            grpc.aio.AioRpcError: It failed.
        """
        stub = self.channel.unary_unary(
            _SERVICE + method,
            request_serializer=type(request).SerializeToString,
            response_deserializer=reply_type.FromString,
        )
        return await stub(request, timeout=timeout_s, metadata=self._metadata())

    def stream(self, method: str, request_type: Any, reply_type: Any, timeout_s: float) -> Any:
        """Open a stream in both directions."""
        stub = self.channel.stream_stream(
            _SERVICE + method,
            request_serializer=request_type.SerializeToString,
            response_deserializer=reply_type.FromString,
        )
        return stub(timeout=timeout_s, metadata=self._metadata())

    def _metadata(self) -> tuple[tuple[str, str], ...]:
        return ((TOKEN_METADATA, self.endpoint.token),)


class _Place:
    """What one event loop has."""

    def __init__(self) -> None:
        self.connection: Connection | None = None
        self.connecting = asyncio.Lock()


class Connections:
    """The connections of this process.

    Args:
        source: Finds the bridge.
        on_connected: Called with each new connection, before its first call: in-memory mode attaches the actions there.
    """

    def __init__(
        self, source: EndpointSource, on_connected: Callable[[Connection], Awaitable[None]] | None = None
    ) -> None:
        self.has_connected = False
        """There was a bridge before, so one that is away now is expected back."""
        self._source = source
        self._on_connected = on_connected
        self._places = PerLoop(_Place)
        _every.append(self)

    async def get(self) -> Connection:
        """The connection of the running event loop, made when there is none.

        Raises:
            BootError: There is no bridge and none can be started.
            BridgeUnavailable: It does not answer, or somebody else does.
            BridgeRejected: What listens on the address that the user gave is not the bridge.
            BridgeError: This process was forked under an open connection.
        """
        place = self._place()
        if place.connection is not None and place.connection.is_alive:
            return place.connection
        async with place.connecting:
            if place.connection is not None and place.connection.is_alive:
                return place.connection
            place.connection = None
            connection = await self._connect()
            if self._on_connected is not None:
                await self._on_connected(connection)
            place.connection = connection
            self.has_connected = True
            return connection

    def lost(self, connection: Connection) -> None:
        """Do not use this one again. What others still wait for on it may yet be answered."""
        place = self._place()
        if place.connection is connection:
            place.connection = None
        self._source.lost(connection.endpoint)

    async def close(self) -> None:
        """Close the channel of the running event loop."""
        place = self._places.pop()
        if place is not None and place.connection is not None:
            await place.connection.channel.close()

    def forget_closed_loops(self) -> None:
        """Let go of the channels of event loops that have ended: nobody can use or close them any more."""
        self._places.forget_closed()

    def abandon(self) -> None:
        """In a forked child: leave the parent's channels alone, for ever.

        They must not even be destroyed: gRPC would wait for a thread that exists in the parent only. So they get a
        reference that nothing gives back.
        """
        for place in self._places.take_all():
            if place.connection is not None:
                ctypes.pythonapi.Py_IncRef(ctypes.py_object(place.connection.channel))
                _inherited.append(place.connection.channel)

    def _place(self) -> _Place:
        if _inherited:
            raise BridgeError(
                "this process was forked from one that had an open connection to the bridge, which gRPC does not support; "
                "start processes with the 'spawn' or 'forkserver' method, or fork before the first run is started"
            )
        return self._places.get()

    async def _connect(self) -> Connection:
        endpoint = await self._source.find()
        channel = grpc.aio.insecure_channel(endpoint.target, options=_OPTIONS)
        try:
            reply = await self._identify(channel, endpoint)
        except BaseException:
            self._source.lost(endpoint)
            await channel.close()
            raise
        return Connection(channel, endpoint, reply.mode)

    async def _identify(self, channel: grpc.aio.Channel, endpoint: Endpoint) -> pb.IdentifyReply:
        """Prove the bridge before anything is sent that a stranger must not have."""
        nonce = secrets.token_bytes(32)
        identify = channel.unary_unary(
            _SERVICE + "Identify",
            request_serializer=pb.IdentifyRequest.SerializeToString,
            response_deserializer=pb.IdentifyReply.FromString,
        )
        try:
            reply: pb.IdentifyReply = await identify(
                pb.IdentifyRequest(nonce=nonce), timeout=_IDENTIFY_TIMEOUT_S
            )
        except grpc.aio.AioRpcError as error:
            if endpoint.identity is None and error.code() is grpc.StatusCode.UNIMPLEMENTED:
                raise _not_the_bridge(endpoint) from None
            raise BridgeUnavailable(
                f"no bridge answers on {endpoint.target}: {error.details() or error.code().name}"
            ) from None
        if endpoint.identity is None:
            claimed = BridgeIdentity(reply.protocol_version, reply.mode, reply.database_fingerprint)
            if not claimed.is_proved(endpoint.token, nonce, reply.port, reply.proof):
                raise _not_the_bridge(endpoint)
        elif not is_wanted(reply, endpoint.identity, endpoint.token, nonce, endpoint.port):
            raise BridgeUnavailable(f"somebody else listens on {endpoint.target} now")
        return reply


def _not_the_bridge(endpoint: Endpoint) -> BridgeRejected:
    return BridgeRejected(
        f"what listens on {endpoint.target} is not a bridge with the token of this process; "
        "correct WAYMARK_BRIDGE_GRPC_ADDR, or set WAYMARK_BRIDGE_TOKEN to the token of the bridge"
    )


_every: list[Connections] = []
"""For the hooks below; one for each process in practice."""

_inherited: list[grpc.aio.Channel] = []
"""In a forked child: channels of the parent."""


def _before_fork() -> None:
    """gRPC's thread ends with the last channel; without it, a child can use gRPC as if nothing had been."""
    for connections in _every:
        connections.forget_closed_loops()


def _after_fork() -> None:
    for connections in _every:
        connections.abandon()


os.register_at_fork(before=_before_fork, after_in_child=_after_fork)
