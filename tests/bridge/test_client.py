"""The SDK's end: it waits out a bridge that is away, proves every bridge anew, and leaves nothing in an event loop."""

from __future__ import annotations

import asyncio
import gc
import logging
import subprocess
import sys
import textwrap
import threading
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any
from uuid import uuid4

import grpc
import grpc.aio
import pytest

from tests.bridge.harness import free_ports, open_desk
from tests.bridge.serving import FixedSource, Second, Served, compiled, new, registration, serving, until
from waymark.bridge import client as client_module
from waymark.bridge.client import BridgeClient
from waymark.bridge.server import new_server
from waymark.errors import BootError, BridgeRejected, BridgeUnavailable, InstanceNotFound, StoreUnavailable
from waymark.model.records import InstanceId, NewInstance
from waymark.store.memory import MemoryStore

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(60)]


@pytest.fixture
def port() -> int:
    """One that is free, so that a bridge can come back to it."""
    return free_ports(1)


@pytest.fixture
async def store() -> MemoryStore:
    """It outlives the bridges over it, as a database does."""
    store = MemoryStore()
    await store.start()
    return store


@pytest.fixture
async def served(store: MemoryStore, port: int) -> AsyncIterator[Served]:
    """A bridge over it."""
    async with serving(store, port=port) as one:
        yield one


async def test_callers_outlive_their_bridge(store: MemoryStore, port: int) -> None:
    """Fifty wait when the bridge goes away; another comes to the port: each gets its answer, and starting goes on."""
    client = BridgeClient(FixedSource(port))
    async with serving(store, port=port) as first:
        ids = [new() for _ in range(50)]
        await client.start(registration(), ids, b"")
        waiting = [asyncio.create_task(client.wait(one.instance_id)) for one in ids]
        await until(lambda: len(first.service._waiters._watching) == 50)
    starting = asyncio.create_task(client.start(registration(), [new()], b""))
    async with serving(store, port=port) as second:
        await starting
        assert await second.finish() == 51
        infos = await asyncio.gather(*waiting)
    assert {info.payload for info in infos} == {b"result"}
    await client.close()


async def test_a_bridge_that_stays_away_is_an_error_after_a_while(
    port: int, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Starting and waiting both end, with the address and the reason; until then one line says what goes on."""
    monkeypatch.setattr(client_module, "RETRY_FOR_S", 0.3)
    client = BridgeClient(FixedSource(port))
    with caplog.at_level(logging.WARNING, "waymark.client"):
        results = await asyncio.gather(
            client.start(registration(), [new()], b""),
            *[client.wait(uuid4().bytes) for _ in range(20)],
            return_exceptions=True,
        )
    assert {type(result) for result in results} == {BridgeUnavailable}
    assert len({id(result) for result in results}) == 21
    assert f"no bridge answers on 127.0.0.1:{port}" in str(results[0])
    assert len(caplog.records) == 1
    assert "trying again for up to 0.3 s" in caplog.text


class NoBridge:
    """Nothing can be booted."""

    def __init__(self) -> None:
        self.looks = 0

    async def find(self) -> Any:
        self.looks += 1
        raise BootError("no bridge could be found or started")

    def lost(self, endpoint: object) -> None:
        raise AssertionError


async def test_what_cannot_be_booted_at_all_is_an_error_at_once() -> None:
    """A missing setting must not look like a hang of a minute."""
    source = NoBridge()
    with pytest.raises(BootError, match="no bridge could be found or started"):
        await BridgeClient(source).start(registration(), [new()], b"")
    assert source.looks == 1


async def test_a_boot_that_fails_after_a_bridge_was_there_is_tried_again(
    store: MemoryStore, port: int
) -> None:
    """The database may be restarting: a waiting caller does not lose its run for that."""
    source = FixedSource(port)
    client = BridgeClient(source)
    async with serving(store, port=port) as first:
        one = new()
        await client.start(registration(), [one], b"")
        waiting = asyncio.create_task(client.wait(one.instance_id))
        await until(lambda: first.service._waiters._watching)
        real, nothing = source.find, NoBridge()
        source.find = nothing.find  # type: ignore[method-assign]
    await until(lambda: nothing.looks >= 2)
    source.find = real  # type: ignore[method-assign]
    async with serving(store, port=port) as second:
        await second.finish()
        assert (await waiting).payload == b"result"
    await client.close()


class Eavesdropper(grpc.GenericRpcHandler):
    """Takes the port of a dead bridge and listens to what clients say."""

    def __init__(self) -> None:
        self.heard: list[tuple[str, Any]] = []

    def service(self, handler_call_details: Any) -> Any:
        self.heard.append((handler_call_details.method, handler_call_details.invocation_metadata))
        return None


async def test_a_stranger_on_the_port_of_a_dead_bridge_hears_no_secret(
    store: MemoryStore, port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A channel of gRPC reconnects by itself; no token and no payload goes out before the bridge was proved again."""
    monkeypatch.setattr(client_module, "RETRY_FOR_S", 0.5)
    client = BridgeClient(FixedSource(port))
    async with serving(store, port=port):
        await client.start(registration(), [new()], b"")
    eavesdropper = Eavesdropper()
    server = grpc.aio.server(handlers=[eavesdropper])
    assert server.add_insecure_port(f"127.0.0.1:{port}") == port
    await server.start()
    try:
        with pytest.raises(BridgeUnavailable):
            await client.start(registration(), [new()], b"")
    finally:
        await server.stop(0)
    assert {method for method, _ in eavesdropper.heard} == {"/waymark.v1.WorkflowService/Identify"}
    assert "right-token" not in str([list(metadata) for _, metadata in eavesdropper.heard])
    await client.close()


async def test_an_address_that_is_not_the_bridge_is_refused_at_once(served: Served) -> None:
    """Given by the user, with another token; or another service altogether: says what to correct."""
    client = BridgeClient(FixedSource(served.port, "wrong", identity=None))
    with pytest.raises(
        BridgeRejected,
        match="is not a bridge with the token of this process; correct WAYMARK_BRIDGE_GRPC_ADDR",
    ):
        await client.mode()
    other = new_server("x")
    port = other.add_insecure_port("127.0.0.1:0")
    await other.start()
    with pytest.raises(BridgeRejected, match="is not a bridge with the token"):
        await BridgeClient(FixedSource(port, identity=None)).mode()
    await other.stop(0)


async def test_a_refused_request_is_not_repeated(served: Served) -> None:
    """The same version with another program: the bridge's reason is the error's text."""
    client = served.client()
    await client.start(registration(version="pinned"), [new()], b"")
    program = compiled(Second)
    other = client_module.Registration("first", "pinned", program.encoded, program.source)
    await client.close()
    with pytest.raises(
        BridgeRejected, match="is stored with another program; give the changed workflow a new version"
    ):
        await client.start(other, [new()], b"")
    await client.close()


async def test_a_program_is_registered_once_for_a_connection(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However many start at the same moment; and again when the bridge has forgotten it."""
    calls = []
    register = served.store.register_version

    async def counted(version: Any) -> None:
        calls.append(version.version)
        await register(version)

    monkeypatch.setattr(served.store, "register_version", counted)
    client = served.client()
    await asyncio.gather(*[client.start(registration(), [new()], b"") for _ in range(50)])
    assert len(calls) == 1
    tables = served.store._tables  # type: ignore[attr-defined]
    tables.versions.clear()
    await client.start(registration(), [new()], b"")
    assert len(calls) == 2
    await client.close()


class AwayStore(MemoryStore):
    """A database that is restarting."""

    is_away = False

    async def start_instances(self, batch: Sequence[NewInstance]) -> Mapping[InstanceId, InstanceId]:
        if self.is_away:
            raise StoreUnavailable("connection refused")
        return await super().start_instances(batch)

    async def read_instances(self, ids: Sequence[InstanceId]) -> Any:
        if self.is_away:
            raise StoreUnavailable("connection refused")
        return await super().read_instances(ids)


async def test_a_bridge_without_its_database_is_waited_for_and_not_replaced(port: int) -> None:
    """UNAVAILABLE from the bridge itself: callers try again on the same connection, and nothing is booted."""
    store = AwayStore()
    source = FixedSource(port)
    client = BridgeClient(source)
    async with serving(store, port=port) as served:
        one = new()
        await client.start(registration(), [one], b"")
        store.is_away = True
        starting = asyncio.create_task(client.start(registration(), [new()], b""))
        waiting = asyncio.create_task(client.wait(one.instance_id))
        await until(lambda: served.service._waiters._unseen)
        await asyncio.sleep(0.2)  # long enough for several tries
        assert not starting.done()
        assert not waiting.done()
        store.is_away = False
        await starting
        await served.finish()
        await waiting
    assert source.looks == 1
    await client.close()


async def test_an_unknown_instance_is_not_found(served: Served) -> None:
    """By looking and by waiting, beside others that wait on."""
    client = served.client()
    one = new()
    await client.start(registration(), [one], b"")
    waiting = asyncio.create_task(client.wait(one.instance_id))
    unknown = b"\0" * 15 + b"\1"
    for method in (client.wait, client.look):
        with pytest.raises(
            InstanceNotFound, match="no instance has the id 00000000-0000-0000-0000-000000000001"
        ):
            await method(unknown)
    await served.finish()
    await waiting
    await client.close()


async def test_two_callers_may_wait_for_one_instance(served: Served) -> None:
    """And one of them may give up."""
    client = served.client()
    one = new()
    await client.start(registration(), [one], b"")
    first, second, third = (asyncio.create_task(client.wait(one.instance_id)) for _ in range(3))
    await until(lambda: served.service._waiters._watching)
    second.cancel()
    await asyncio.wait({second})
    await served.finish()
    assert (await first).payload == (await third).payload == b"result"
    await client.close()


async def test_waiting_leaves_no_task_behind(served: Served) -> None:
    """When the last caller has its answer, the event loop holds nothing of ours that would have to be ended."""
    client = served.client()
    for round_number in range(50):
        one = new()
        await client.start(registration(), [one], b"")
        before = {task for task in asyncio.all_tasks() if "waymark waits" in task.get_name()}
        waiting = asyncio.create_task(client.wait(one.instance_id))
        await served.finish()
        await waiting
        assert not before, round_number
        assert not [task for task in asyncio.all_tasks() if "waymark waits" in task.get_name()], round_number
    await client.close()


def test_many_event_loops_and_threads_share_a_client(caplog: pytest.LogCaptureFixture) -> None:
    """Eight threads with one short-lived loop after another: no warning, no log line, and no loop is kept."""
    problems: list[BaseException] = []
    ready, done = threading.Event(), threading.Event()
    found: list[Served] = []

    async def serve() -> None:
        store = MemoryStore()
        await store.start()
        async with serving(store) as served:
            found.append(served)
            ready.set()
            while not done.is_set():
                await served.finish()
                await asyncio.sleep(0.002)

    async def use(client: BridgeClient) -> None:
        one = new()
        await client.start(registration(), [one], b"")
        await client.wait(one.instance_id)

    def work(client: BridgeClient) -> None:
        try:
            for _ in range(6):
                asyncio.run(use(client))
        except BaseException as error:
            problems.append(error)

    server = threading.Thread(target=lambda: asyncio.run(serve()))
    server.start()
    assert ready.wait(20)
    client = found[0].client()
    threads = [threading.Thread(target=work, args=(client,)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    done.set()
    server.join()
    assert not problems
    client._connections.forget_closed_loops()
    client._waits.forget_closed()
    assert client._connections._places._made == {}
    assert client._waits._made == {}
    assert [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING] == []


def test_a_loop_that_is_closed_without_ado_leaves_nothing(caplog: pytest.LogCaptureFixture) -> None:
    """`run_until_complete` and `close`, without the clean-up of `asyncio.run`: asyncio finds no pending task to log."""

    async def body() -> None:
        store = MemoryStore()
        await store.start()
        async with serving(store) as served:
            client = served.client()
            one = new()
            await client.start(registration(), [one], b"")
            waiting = asyncio.create_task(client.wait(one.instance_id))
            await served.finish()
            await waiting
            before = asyncio.all_tasks()
            assert not [task for task in before if "waymark waits" in task.get_name()]
            await client.close()

    loop = asyncio.new_event_loop()
    loop.run_until_complete(body())
    assert asyncio.all_tasks(loop) == set()
    loop.close()
    gc.collect()
    assert caplog.records == []


@pytest.fixture
def other_process_bridge() -> Iterator[int]:
    """A bridge in a process of its own, in memory mode."""
    with open_desk(WAYMARK_BRIDGE_IN_MEMORY="1", WAYMARK_BRIDGE_TOKEN="right-token") as desk:
        desk.serving_bridge()
        yield desk.port


def script(port: int, body: str) -> str:
    """Run a script with a client of the bridge on this port; returns what it prints."""
    head = f"""
        import asyncio, os, sys
        sys.path.insert(0, {str(Path(__file__).parents[2])!r})
        from tests.bridge.serving import FixedSource
        from waymark.bridge.client import BridgeClient

        client = BridgeClient(FixedSource({port}, identity=None))

        def child(body):
            pid = os.fork()
            if pid == 0:
                try:
                    print("child:", asyncio.run(body()), flush=True)
                except Exception as error:
                    print("child:", type(error).__name__, error, flush=True)
                sys.exit(0)
            print("exit code", os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), flush=True)
    """
    program = textwrap.dedent(head) + textwrap.dedent(body)
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=40, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_closed_event_loops_are_freed(other_process_bridge: int) -> None:
    """A process that makes an event loop for every run does not grow."""
    printed = script(
        other_process_bridge,
        """
        import gc, weakref

        loops = []

        async def once():
            loops.append(weakref.ref(asyncio.get_running_loop()))
            await client.mode()

        for _ in range(30):
            asyncio.run(once())
        gc.collect()
        print(sum(loop() is not None for loop in loops) <= 1)
        """,
    )
    assert printed == "True\n"


def test_a_child_forked_between_runs_has_its_own_connection(other_process_bridge: int) -> None:
    """The parent's event loops are closed: both go on as if nothing had been."""
    printed = script(
        other_process_bridge,
        """
        print("parent:", asyncio.run(client.mode()), flush=True)
        child(client.mode)
        print("parent:", asyncio.run(client.mode()), flush=True)
        """,
    )
    assert printed.splitlines() == ["parent: memory", "child: memory", "exit code 0", "parent: memory"]


def test_a_child_forked_under_an_open_connection_is_told_so(other_process_bridge: int) -> None:
    """gRPC cannot do that: an error with a way out instead of a hang, an orderly exit, and the parent goes on."""
    printed = script(
        other_process_bridge,
        """
        async def parent():
            await client.mode()
            pid = os.fork()
            if pid == 0:
                os._exit(grandchild())
            print("exit code", os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), flush=True)
            print("parent:", await client.mode(), flush=True)

        def grandchild():
            # As multiprocessing does: the child starts from a clean stack, without the parent's running loop.
            asyncio._set_running_loop(None)
            try:
                asyncio.run(client.mode())
            except Exception as error:
                print("child:", type(error).__name__, error, flush=True)
            return 0

        asyncio.run(parent())
        """,
    )
    lines = printed.splitlines()
    assert lines[0].startswith(
        "child: BridgeError this process was forked from one that had an open connection"
    )
    assert "'spawn' or 'forkserver'" in lines[0]
    assert lines[1:] == ["exit code 0", "parent: memory"]
