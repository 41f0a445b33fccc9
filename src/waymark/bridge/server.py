"""The RPC service that the SDK speaks to. Imports no user code, decodes no payload."""

from __future__ import annotations

import asyncio
import functools
import hmac
import logging
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol
from uuid import UUID

import grpc
import grpc.aio

from waymark.bridge.starting import Starts
from waymark.bridge.waiting import Notifier, Waiters, Watch, forward_done
from waymark.errors import (
    IdempotencyConflict,
    ProgramError,
    StoreDataError,
    StoreUnavailable,
    VersionConflict,
)
from waymark.model.identity import TOKEN_METADATA, BridgeIdentity
from waymark.model.records import InstanceId, InstanceView, NewInstance, WorkflowVersion
from waymark.program.program import decode_program, hash_program
from waymark.program.verify import verify
from waymark.proto import workflow_pb2 as pb
from waymark.proto.workflow_pb2_grpc import WorkflowServiceServicer, add_WorkflowServiceServicer_to_server
from waymark.store.protocol import CHANNEL_READY, Store
from waymark.values.codec import MAX_VALUE_BYTES

log = logging.getLogger("waymark.bridge")

MESSAGE_BYTES = 64 * 1024 * 1024
"""Largest gRPC message in either direction."""

MAX_WAIT_S = 60.0
"""Longest life of a stream of waits; then what is left is asked again, so that nothing is waited for that is not wanted."""

MAX_IDS = 10_000
"""Instances in one message."""

MAX_WAITS = 100_000
"""Instances waited for by one stream."""

_REPLY_BYTES = 4 * 1024 * 1024
_STOP_GRACE_S = 3.0

SERVER_OPTIONS: tuple[tuple[str, int], ...] = (
    ("grpc.max_receive_message_length", MESSAGE_BYTES),
    ("grpc.max_send_message_length", MESSAGE_BYTES),
    # Without this, Linux lets a second bridge listen on the same port.
    ("grpc.so_reuseport", 0),
    # Clients ping while they wait; by default that is too often for a server, which then drops them.
    ("grpc.http2.min_ping_interval_without_data_ms", 5_000),
    # A client that vanished without a word is noticed by this.
    ("grpc.keepalive_time_ms", 30_000),
    ("grpc.keepalive_timeout_ms", 10_000),
    ("grpc.http2.ping_timeout_ms", 10_000),
    ("grpc.http2.max_pings_without_data", 0),
)

OPEN_METHODS = frozenset({"/waymark.v1.WorkflowService/Identify", "/waymark.v1.WorkerPool/Attach"})
"""Methods that need no token in the metadata: one proves the bridge, the other carries its own secret."""

Handler = Callable[[Any, Any, grpc.aio.ServicerContext[Any, Any]], Awaitable[Any]]


class StartObserver(Protocol):
    """In-memory mode: learns which client runs the actions of an instance."""

    def started(self, client_id: bytes, ids: Iterable[InstanceId]) -> None: ...


class InvalidRequest(ValueError):
    """A request that can never succeed; the message says why."""


def _answering(handler: Handler) -> Handler:
    """Translate errors to gRPC statuses, once, where they leave."""

    @functools.wraps(handler)
    async def run(self: Any, request: Any, context: grpc.aio.ServicerContext[Any, Any]) -> Any:
        try:
            return await handler(self, request, context)
        except (InvalidRequest, ProgramError, StoreDataError) as error:
            status, text = grpc.StatusCode.INVALID_ARGUMENT, str(error)
        except IdempotencyConflict as error:
            status, text = grpc.StatusCode.ALREADY_EXISTS, str(error)
        except VersionConflict as error:
            is_registration = isinstance(request, pb.RegisterWorkflowRequest)
            status = (
                grpc.StatusCode.ALREADY_EXISTS if is_registration else grpc.StatusCode.FAILED_PRECONDITION
            )
            text = str(error)
        except StoreUnavailable as error:
            status, text = grpc.StatusCode.UNAVAILABLE, f"the bridge has no answer from the database: {error}"
        return await context.abort(status, text)

    return run


class BridgeService(WorkflowServiceServicer):
    """`WorkflowService` over a store. `run` must be running.

    Args:
        store: Started.
        identity: What it proves to be.
        token: What it and its clients know.
        release: Of waymark, for people.
        observer: In-memory mode only.
    """

    def __init__(
        self,
        store: Store,
        identity: BridgeIdentity,
        token: str,
        *,
        release: str = "",
        observer: StartObserver | None = None,
    ) -> None:
        self._store = store
        self._identity = identity
        self._token = token
        self._release = release
        self._observer = observer
        self._starts = Starts(store)
        self._waiters = Waiters(store)
        self._notifier = Notifier(store, CHANNEL_READY)
        self._port = 0

    def serve(self, server: grpc.aio.Server, address: str) -> int:
        """Listen with a server that has not started yet; returns the port.

        Raises:
            OSError: The address cannot be listened on.
        """
        add_WorkflowServiceServicer_to_server(self, server)  # type: ignore[no-untyped-call]
        try:
            self._port = server.add_insecure_port(address)
        except RuntimeError as error:
            raise OSError(str(error)) from error
        return self._port

    async def stop(self, server: grpc.aio.Server) -> None:
        """Stop the server: waiting callers are sent away at once, other requests may end."""
        stopping = asyncio.create_task(server.stop(_STOP_GRACE_S))
        self._waiters.close()
        await stopping

    async def run(self) -> None:
        """Look after starts, waiting callers and notifications until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._starts.run())
            tasks.create_task(self._waiters.run())
            tasks.create_task(self._notifier.run())
            tasks.create_task(forward_done(self._store, self._waiters))

    async def Identify(
        self, request: pb.IdentifyRequest, context: grpc.aio.ServicerContext[Any, Any]
    ) -> pb.IdentifyReply:
        if not 16 <= len(request.nonce) <= 64:
            await context.abort(
                grpc.StatusCode.INVALID_ARGUMENT, f"nonce must be 16 to 64 bytes, got {len(request.nonce)}"
            )
        return pb.IdentifyReply(
            protocol_version=self._identity.protocol_version,
            mode=self._identity.mode,
            database_fingerprint=self._identity.database_fingerprint,
            proof=self._identity.proof(self._token, request.nonce, self._port),
            pid=os.getpid(),
            release=self._release,
            port=self._port,
        )

    @_answering
    async def RegisterWorkflow(
        self, request: pb.RegisterWorkflowRequest, context: object
    ) -> pb.RegisterWorkflowReply:
        if not request.name:
            raise InvalidRequest("name must not be empty")
        program = decode_program(request.program)
        verify(program)
        digest = hash_program(request.program)
        version = request.version or digest.hex()
        await self._store.register_version(
            WorkflowVersion(request.name, version, digest, program.format, request.program, request.source)
        )
        return pb.RegisterWorkflowReply(version=version)

    @_answering
    async def StartInstances(
        self, request: pb.StartInstancesRequest, context: object
    ) -> pb.StartInstancesReply:
        if len(request.instances) > MAX_IDS:
            raise InvalidRequest(f"at most {MAX_IDS} instances per call, got {len(request.instances)}")
        for item in request.instances:
            if len(item.input) > MAX_VALUE_BYTES:
                raise InvalidRequest(
                    f"the input of an instance must be at most {MAX_VALUE_BYTES} bytes, got {len(item.input)}"
                )
        batch = [
            NewInstance(
                instance_id=_instance_id(item.instance_id),
                workflow_name=request.workflow_name,
                workflow_version=request.workflow_version,
                input=item.input,
                priority=item.priority,
                idempotency_key=item.idempotency_key or None,
            )
            for item in request.instances
        ]
        if self._observer is not None:
            self._observer.started(request.client_id, [item.instance_id for item in batch])
        started = await self._starts.start(batch)
        self._notifier.notify()
        return pb.StartInstancesReply(instance_ids=[started[item.instance_id].bytes for item in batch])

    @_answering
    async def WaitInstances(
        self, requests: AsyncIterator[pb.WaitInstancesRequest], context: grpc.aio.ServicerContext[Any, Any]
    ) -> None:
        with self._waiters.watch() as watch:
            reading = asyncio.create_task(self._read_waits(requests, watch))
            ending = asyncio.get_running_loop().call_later(MAX_WAIT_S, watch.close)
            try:
                while answers := await watch.answers():
                    for reply in _replies(answers):
                        await context.write(reply)
            finally:
                ending.cancel()
                reading.cancel()
                await asyncio.wait({reading})
            if not reading.cancelled():
                reading.result()

    async def _read_waits(self, requests: AsyncIterator[pb.WaitInstancesRequest], watch: Watch) -> None:
        try:
            async for request in requests:
                self._waiters.add(watch, _instance_ids(request.instance_ids))
                if len(watch.ids) > MAX_WAITS:
                    raise InvalidRequest(f"at most {MAX_WAITS} instances can be waited for by one stream")
        finally:
            watch.close()

    @_answering
    async def GetInstances(self, request: pb.GetInstancesRequest, context: object) -> pb.InstancesReply:
        ids = _instance_ids(request.instance_ids)
        views = await self._store.read_instances(ids)
        return pb.InstancesReply(
            instances=[_info(view, b"") for view in views.values()],
            unknown_ids=[instance_id.bytes for instance_id in ids if instance_id not in views],
        )


def _replies(answers: Mapping[InstanceId, InstanceView | None]) -> Iterator[pb.InstancesReply]:
    """Answers in messages of a size that every client takes; a bigger payload goes alone."""
    reply, size = pb.InstancesReply(), 0
    for instance_id, view in answers.items():
        payload = b"" if view is None else view.payload or b""
        if size and size + len(payload) > _REPLY_BYTES:
            yield reply
            reply, size = pb.InstancesReply(), 0
        size += len(payload) + 200
        if view is None:
            reply.unknown_ids.append(instance_id.bytes)
        else:
            reply.instances.append(_info(view, payload))
    yield reply


def _instance_id(data: bytes) -> InstanceId:
    if len(data) != 16:
        raise InvalidRequest(f"an instance id is 16 bytes, got {len(data)}")
    return InstanceId(UUID(bytes=data))


def _instance_ids(items: Iterable[bytes]) -> list[InstanceId]:
    ids = list(dict.fromkeys(map(_instance_id, items)))
    if not 1 <= len(ids) <= MAX_IDS:
        raise InvalidRequest(f"between 1 and {MAX_IDS} instance ids are needed, got {len(ids)}")
    return ids


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def _us(moment: datetime | None) -> int:
    return 0 if moment is None else (moment - _EPOCH) // timedelta(microseconds=1)


def _info(view: InstanceView, payload: bytes) -> pb.InstanceInfo:
    return pb.InstanceInfo(
        instance_id=view.instance_id.bytes,
        workflow_name=view.workflow_name,
        workflow_version=view.workflow_version,
        status=view.status.value,
        payload=payload,
        priority=view.priority,
        created_at_us=_us(view.created_at),
        started_at_us=_us(view.started_at),
        finished_at_us=_us(view.finished_at),
    )


class TokenInterceptor(grpc.aio.ServerInterceptor):
    """Refuses every call without the token, except those that are listed as open: a new method is closed by itself."""

    def __init__(self, token: str) -> None:
        self._token = token.encode()

    async def intercept_service(self, continuation: Any, handler_call_details: Any) -> Any:
        if handler_call_details.method in OPEN_METHODS:
            return await continuation(handler_call_details)
        for key, value in handler_call_details.invocation_metadata or ():
            if key == TOKEN_METADATA and hmac.compare_digest(str(value).encode(), self._token):
                return await continuation(handler_call_details)
        # The shape of the refused method does not matter: the call ends before a message is read.
        return grpc.stream_stream_rpc_method_handler(_refuse)


async def _refuse(request: object, context: Any) -> None:
    await context.abort(
        grpc.StatusCode.UNAUTHENTICATED,
        "this bridge needs its token: set WAYMARK_BRIDGE_TOKEN to the same value for the bridge and its clients",
    )


def new_server(token: str) -> grpc.aio.Server:
    """A gRPC server that lets only holders of the token in."""
    return grpc.aio.server(options=SERVER_OPTIONS, interceptors=[TokenInterceptor(token)])
