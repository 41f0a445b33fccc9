"""What the bridge answers to every request, right and wrong."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID, uuid4

import grpc
import grpc.aio
import msgspec
import pytest

from tests.bridge.serving import (
    ARGUMENTS,
    IDENTITY,
    TOKEN,
    First,
    Second,
    Served,
    compiled,
    metadata,
    new,
    registration,
    serving,
    until,
)
from tests.store.backends import execute
from waymark.bridge import server as server_module
from waymark.bridge import waiting
from waymark.model.identity import TOKEN_METADATA
from waymark.model.records import InstanceId
from waymark.proto import workflow_pb2 as pb
from waymark.store.memory import MemoryStore
from waymark.store.postgres import PostgresStore
from waymark.values.codec import MAX_VALUE_BYTES

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(60)]

SERVICE = pb.DESCRIPTOR.services_by_name["WorkflowService"]
METHODS = [method.name for method in SERVICE.methods]
Status = grpc.StatusCode


@pytest.fixture
async def served() -> AsyncIterator[Served]:
    """A bridge over memory."""
    store = MemoryStore()
    await store.start()
    async with serving(store) as one:
        yield one


async def call(served: Served, method: str, request: Any, token: str | None = TOKEN) -> Any:
    """One request with or without a token."""
    stub = getattr(served.stub, method)
    return await stub(request, metadata=metadata(token) if token is not None else (), timeout=20)


async def refused(awaitable: Any) -> tuple[grpc.StatusCode, str]:
    """How a request is refused."""
    with pytest.raises(grpc.aio.AioRpcError) as error:
        await awaitable
    return error.value.code(), str(error.value.details())


def register_request(**changes: Any) -> pb.RegisterWorkflowRequest:
    """A right one, with changes."""
    program = compiled(First)
    fields = {"name": "first", "version": "1", "program": program.encoded, "source": program.source}
    return pb.RegisterWorkflowRequest(**{**fields, **changes})


async def registered(served: Served) -> None:
    """Version 1 of `first`."""
    await call(served, "RegisterWorkflow", register_request())


def start_request(*instances: pb.NewInstance, version: str = "1") -> pb.StartInstancesRequest:
    """Start runs of `first`."""
    return pb.StartInstancesRequest(workflow_name="first", workflow_version=version, instances=instances)


# Who may call


@pytest.mark.parametrize("token", [None, "", "wrong", TOKEN + "x", TOKEN[:-1], TOKEN.upper()])
@pytest.mark.parametrize("name", [name for name in METHODS if name != "Identify"])
async def test_every_method_needs_the_token(served: Served, name: str, token: str | None) -> None:
    """Of every method in the proto file, so that none can be forgotten; and nothing is written."""
    method = SERVICE.methods_by_name[name]
    request_type = getattr(pb, method.input_type.name)
    reply_type = getattr(pb, method.output_type.name)
    good = {
        "RegisterWorkflow": register_request(),
        "StartInstances": start_request(new()),
    }.get(name, request_type())
    async with grpc.aio.insecure_channel(f"127.0.0.1:{served.port}") as channel:
        shape = f"{'stream' if method.client_streaming else 'unary'}_{'stream' if method.server_streaming else 'unary'}"
        stub = getattr(channel, shape)(
            f"/{SERVICE.full_name}/{name}",
            request_serializer=request_type.SerializeToString,
            response_deserializer=reply_type.FromString,
        )
        sent: dict[str, Any] = {"metadata": metadata(token) if token is not None else (), "timeout": 20}
        if shape == "unary_unary":
            status, text = await refused(stub(good, **sent))
        else:
            assert shape == "stream_stream", "a new shape of method: say here how it is called"
            status, text = await refused(stub(**sent).read())
    assert status is Status.UNAUTHENTICATED
    assert "WAYMARK_BRIDGE_TOKEN" in text
    assert await served.store.read_version("first", "1") is None


async def test_one_right_token_among_wrong_ones_is_enough(served: Served) -> None:
    """Metadata keys may repeat."""
    both = ((TOKEN_METADATA, "wrong"), (TOKEN_METADATA, TOKEN))
    await served.stub.RegisterWorkflow(register_request(), metadata=both)


async def test_anybody_may_ask_who_is_there(served: Served) -> None:
    """The proof holds for the nonce and the port; a short nonce is refused."""
    nonce = uuid4().bytes
    reply = await served.stub.Identify(pb.IdentifyRequest(nonce=nonce))
    assert IDENTITY.is_proved(TOKEN, nonce, served.port, reply.proof)
    assert reply.port == served.port
    assert (await refused(served.stub.Identify(pb.IdentifyRequest(nonce=b"short"))))[
        0
    ] is Status.INVALID_ARGUMENT


async def test_unknown_methods_do_not_exist(served: Served) -> None:
    """No health service, no reflection."""
    async with grpc.aio.insecure_channel(f"127.0.0.1:{served.port}") as channel:
        for path in (
            "/grpc.health.v1.Health/Check",
            "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo",
        ):
            method: Any = channel.unary_unary(path)
            status, _ = await refused(method(b"", metadata=metadata(), timeout=20))
            assert status is Status.UNIMPLEMENTED


# Register


async def test_registering_twice_changes_nothing(served: Served) -> None:
    """The version is the hash unless one is pinned."""
    await registered(served)
    await registered(served)
    reply = await call(served, "RegisterWorkflow", register_request(version=""))
    assert reply.version == compiled(First).hash.hex()


async def test_another_program_under_a_version_is_refused(served: Served) -> None:
    """ALREADY_EXISTS; the first one stays."""
    await registered(served)
    status, text = await refused(
        call(served, "RegisterWorkflow", register_request(program=compiled(Second).encoded))
    )
    assert status is Status.ALREADY_EXISTS
    assert "give the changed workflow a new version" in text
    stored = await served.store.read_version("first", "1")
    assert stored is not None
    assert stored.program == compiled(First).encoded


def damaged_programs() -> dict[str, bytes]:
    """Programs that must never be stored."""
    good = msgspec.msgpack.decode(compiled(First).encoded)
    return {
        "empty": b"",
        "text": b"hello",
        "cut": compiled(First).encoded[:-5],
        "newer": msgspec.msgpack.encode({**good, "format": 99}),
        "no functions": msgspec.msgpack.encode({**good, "functions": []}),
        "no constants": msgspec.msgpack.encode({**good, "constants": []}),
    }


@pytest.mark.parametrize("kind", list(damaged_programs()))
async def test_a_damaged_program_is_refused(served: Served, kind: str) -> None:
    """INVALID_ARGUMENT, with a reason; nothing is stored."""
    request = register_request(program=damaged_programs()[kind])
    status, text = await refused(call(served, "RegisterWorkflow", request))
    assert status is Status.INVALID_ARGUMENT
    assert text
    assert await served.store.read_version("first", "1") is None


@pytest.mark.parametrize("name", ["", "a\0b", "x" * 501])
async def test_a_name_that_cannot_be_stored_is_refused(served: Served, name: str) -> None:
    """INVALID_ARGUMENT."""
    assert (await refused(call(served, "RegisterWorkflow", register_request(name=name))))[
        0
    ] is Status.INVALID_ARGUMENT


# Start


async def test_a_start_needs_a_known_version(served: Served) -> None:
    """FAILED_PRECONDITION, which tells the SDK to register first."""
    status, text = await refused(call(served, "StartInstances", start_request(new())))
    assert (status, "is not registered" in text) == (Status.FAILED_PRECONDITION, True)


@pytest.mark.parametrize(
    ("instances", "expected"),
    [
        ([new(b"")], "an instance id is 16 bytes, got 0"),
        ([new(b"x" * 17)], "an instance id is 16 bytes, got 17"),
        ([new(), new(b"x")], "an instance id is 16 bytes, got 1"),
        ([new(input=b"x" * (MAX_VALUE_BYTES + 1))], "the input of an instance must be at most 8388608 bytes"),
        ([new(idempotency_key="x" * 1001)], "idempotency key must be at most 1000 bytes"),
        ([new(idempotency_key="a\0b")], "idempotency key must not hold a NUL character"),
    ],
)
async def test_a_start_that_can_never_succeed_is_refused(
    served: Served, instances: list[pb.NewInstance], expected: str
) -> None:
    """INVALID_ARGUMENT for the whole request; nothing of it is started."""
    await registered(served)
    status, text = await refused(call(served, "StartInstances", start_request(new(), *instances)))
    assert status is Status.INVALID_ARGUMENT
    assert expected in text
    assert await served.finish() == 0


async def test_too_many_instances_in_a_request_are_refused(served: Served) -> None:
    """The limit is named."""
    await registered(served)
    many = [new(input=b"") for _ in range(server_module.MAX_IDS + 1)]
    status, text = await refused(call(served, "StartInstances", start_request(*many)))
    assert (status, text) == (Status.INVALID_ARGUMENT, "at most 10000 instances per call, got 10001")


async def test_a_repeated_start_starts_nothing_twice(served: Served) -> None:
    """Same ids, same answer, also when the first has ended meanwhile, and within one request."""
    await registered(served)
    one = new()
    first = await call(served, "StartInstances", start_request(one, one))
    assert await served.finish() == 1
    again = await call(served, "StartInstances", start_request(one))
    assert list(first.instance_ids) == [one.instance_id, one.instance_id]
    assert list(again.instance_ids) == [one.instance_id]
    assert await served.finish() == 0


async def test_a_known_key_gives_the_earlier_instance_or_a_conflict(served: Served) -> None:
    """Same input: the earlier id. Another one: ALREADY_EXISTS, nothing of the request is started."""
    await registered(served)
    first, second = new(idempotency_key="k"), new(idempotency_key="k")
    await call(served, "StartInstances", start_request(first))
    reply = await call(served, "StartInstances", start_request(second))
    assert list(reply.instance_ids) == [first.instance_id]
    other = new(idempotency_key="k", input=ARGUMENTS + b" ")
    status, _ = await refused(call(served, "StartInstances", start_request(new(), other)))
    assert status is Status.ALREADY_EXISTS
    assert await served.finish() == 1


# Look


async def test_looking_tells_status_and_who_is_missing(served: Served) -> None:
    """Payloads are left out: a look costs the same whatever a run returned."""
    await registered(served)
    one, missing = new(priority=7), uuid4().bytes
    await call(served, "StartInstances", start_request(one))
    request = pb.GetInstancesRequest(instance_ids=[one.instance_id, missing])
    reply = await call(served, "GetInstances", request)
    (info,) = reply.instances
    assert (info.status, info.priority, info.workflow_version) == ("queued", 7, "1")
    assert list(reply.unknown_ids) == [missing]
    await served.finish(result=b"x" * 1000)
    (info,) = (await call(served, "GetInstances", request)).instances
    assert (info.status, info.payload) == ("completed", b"")
    assert info.finished_at_us >= info.started_at_us >= info.created_at_us > 0


@pytest.mark.parametrize("ids", [[], [b"short"]])
async def test_a_look_without_ids_is_refused(served: Served, ids: list[bytes]) -> None:
    """INVALID_ARGUMENT."""
    status, _ = await refused(call(served, "GetInstances", pb.GetInstancesRequest(instance_ids=ids)))
    assert status is Status.INVALID_ARGUMENT


# Wait


async def test_each_waited_instance_is_answered_once(served: Served) -> None:
    """Ended before, ending later, unknown; ids may be added at any time, and the stream ends when the client has enough."""
    await registered(served)
    early, late, unknown = new(), new(), uuid4().bytes
    await call(served, "StartInstances", start_request(early))
    await served.finish()
    stream = served.stub.WaitInstances(metadata=metadata())
    await stream.write(pb.WaitInstancesRequest(instance_ids=[early.instance_id, unknown]))
    reply = await stream.read()
    assert [info.instance_id for info in reply.instances] == [early.instance_id]
    assert (reply.instances[0].payload, list(reply.unknown_ids)) == (b"result", [unknown])
    await call(served, "StartInstances", start_request(late))
    await stream.write(pb.WaitInstancesRequest(instance_ids=[late.instance_id]))
    await served.finish()
    assert [info.instance_id for info in (await stream.read()).instances] == [late.instance_id]
    await stream.done_writing()
    assert await stream.read() is grpc.aio.EOF
    assert await stream.code() is Status.OK


async def test_a_wait_is_woken_and_not_polled(monkeypatch: pytest.MonkeyPatch) -> None:
    """The answer comes with the end of the run, in a bridge that would look by itself in an hour."""
    monkeypatch.setattr(waiting, "POLL_S", 3600.0)
    store = MemoryStore()
    await store.start()
    async with serving(store) as served:
        await registered(served)
        stream = served.stub.WaitInstances(metadata=metadata())
        for _ in range(10):
            one = new()
            await call(served, "StartInstances", start_request(one))
            await stream.write(pb.WaitInstancesRequest(instance_ids=[one.instance_id]))
            await until(lambda: served.service._waiters._watching and not served.service._waiters._unseen)
            await served.finish()
            assert [info.instance_id for info in (await stream.read()).instances] == [one.instance_id]
        stream.cancel()


async def test_a_stream_of_waits_has_an_end(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    """After its time it ends with OK, and nothing is left behind in the bridge."""
    monkeypatch.setattr(server_module, "MAX_WAIT_S", 0.05)
    await registered(served)
    one = new()
    await call(served, "StartInstances", start_request(one))
    stream = served.stub.WaitInstances(metadata=metadata())
    await stream.write(pb.WaitInstancesRequest(instance_ids=[one.instance_id]))
    assert await stream.read() is grpc.aio.EOF
    assert await stream.code() is Status.OK
    assert not served.service._waiters._watching
    assert not served.service._waiters._unseen


@pytest.mark.parametrize("ids", [[], [b"short"]])
async def test_a_wait_for_no_id_is_refused(served: Served, ids: list[bytes]) -> None:
    """INVALID_ARGUMENT."""
    stream = served.stub.WaitInstances(metadata=metadata())
    await stream.write(pb.WaitInstancesRequest(instance_ids=ids))
    assert (await refused(stream.read()))[0] is Status.INVALID_ARGUMENT


async def test_too_many_waits_on_one_stream_are_refused(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The limit is named."""
    monkeypatch.setattr(server_module, "MAX_WAITS", 10)
    stream = served.stub.WaitInstances(metadata=metadata())
    await registered(served)
    ids = [new() for _ in range(11)]
    await call(served, "StartInstances", start_request(*ids))
    await stream.write(pb.WaitInstancesRequest(instance_ids=[one.instance_id for one in ids]))
    status, text = await refused(stream.read())
    assert (status, text) == (
        Status.INVALID_ARGUMENT,
        "at most 10 instances can be waited for by one stream",
    )


async def test_big_results_come_in_messages_that_fit(served: Served) -> None:
    """Twelve results of 8 MiB do not make one message of 96 MiB, which no client would take."""
    await registered(served)
    ids = [new() for _ in range(12)]
    await call(served, "StartInstances", start_request(*ids))
    await served.finish(result=b"x" * MAX_VALUE_BYTES)
    client = served.client()
    infos = await asyncio.gather(*[client.wait(one.instance_id) for one in ids])
    assert {len(info.payload) for info in infos} == {MAX_VALUE_BYTES}
    await client.close()


async def test_a_vanished_client_leaves_nothing_behind(served: Served) -> None:
    """Its stream is cancelled with its connection."""
    await registered(served)
    one = new()
    await call(served, "StartInstances", start_request(one))
    client = served.client()
    waiting = asyncio.create_task(client.wait(one.instance_id))
    await until(lambda: served.service._waiters._watching)
    waiting.cancel()
    await asyncio.wait({waiting})
    await until(lambda: not served.service._waiters._watching and not served.service._waiters._watches)
    await client.close()


async def test_waiting_callers_do_not_hold_up_a_stop(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    """Their streams end with OK and the server with them, whatever the grace for other requests."""
    monkeypatch.setattr(server_module, "_STOP_GRACE_S", 3600.0)
    await registered(served)
    ids = [new() for _ in range(20)]
    await call(served, "StartInstances", start_request(*ids))
    streams = [served.stub.WaitInstances(metadata=metadata()) for _ in ids]
    for stream, one in zip(streams, ids, strict=True):
        await stream.write(pb.WaitInstancesRequest(instance_ids=[one.instance_id]))
    await until(lambda: len(served.service._waiters._watching) == 20)
    await served.service.stop(served.server)
    for stream in streams:
        assert await stream.read() is grpc.aio.EOF


# Over PostgreSQL


async def test_two_thousand_waits_share_few_connections(database_url: str) -> None:
    """2,000 callers in one process: one stream, a handful of connections, little to do while they wait, and all are answered
    in less time than it took to start and to end their runs."""
    store = PostgresStore(database_url, role="bridge-under-test")
    await store.start()
    try:
        async with serving(store) as served:
            client = served.client()
            ids = [new() for _ in range(2000)]
            starting_at = time.perf_counter()
            await client.start(registration(), ids, b"")
            work_s = time.perf_counter() - starting_at
            waiting = [asyncio.create_task(client.wait(one.instance_id)) for one in ids]
            waiters = served.service._waiters
            await until(lambda: len(waiters._watching) == 2000 and not waiters._unseen)
            assert len(waiters._watches) == 1
            cpu, began = time.process_time(), time.perf_counter()
            await asyncio.sleep(1.5)  # what is measured is time in which nothing happens
            idle = (time.process_time() - cpu) / (time.perf_counter() - began)
            ending_at = time.perf_counter()
            count = await served.finish()
            assert count == 2000
            ended = time.perf_counter()
            work_s += ended - ending_at
            infos = await asyncio.gather(*waiting)
            took = time.perf_counter() - ended
            connections = await execute(
                database_url,
                "SELECT count(*) FROM pg_stat_activity WHERE application_name LIKE 'bridge-under-test%'",
            )
            print(
                f"2,000 waits: {idle:.1%} of a core idle, answered {took:.2f} s after {work_s:.2f} s of work, {connections[0][0]} connections"
            )
            assert {info.status for info in infos} == {"completed"}
            assert took < work_s
            assert idle < 0.15
            assert int(str(connections[0][0])) <= 10
            await client.close()
    finally:
        await store.stop()


async def test_a_repeated_start_over_postgres_starts_nothing_twice(database_url: str) -> None:
    """Twenty requests with the same ids at the same moment make each instance once."""
    store = PostgresStore(database_url, role="bridge-under-test")
    await store.start()
    try:
        async with serving(store) as served:
            await registered(served)
            ids = [new() for _ in range(20)]
            replies = await asyncio.gather(
                *[call(served, "StartInstances", start_request(*ids)) for _ in range(20)]
            )
            expected = [one.instance_id for one in ids]
            assert all(list(reply.instance_ids) == expected for reply in replies)
            views = await store.read_instances([InstanceId(UUID(bytes=one)) for one in expected])
            assert len(views) == 20
            assert await served.finish() == 20
    finally:
        await store.stop()
