"""`waymark-bridge` as a user meets it: one clear line when it cannot start, an orderly life when it can."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import time
from collections.abc import Iterator

import pytest

from tests.bridge.harness import BRIDGE, Desk, listener, open_desk
from tests.bridge.serving import First, FixedSource, new, registration, until
from waymark.bridge.client import BridgeClient
from waymark.model.identity import MODE_MEMORY
from waymark.testing.embedded_postgres import EmbeddedPostgres

CANARY = "canary-password"


@pytest.fixture
def desk() -> Iterator[Desk]:
    """Without settings."""
    with open_desk() as one:
        yield one


def refused(desk: Desk, **settings: str) -> str:
    """Run until it gives up; returns its last line."""
    environment = {**desk.environment, "WAYMARK_BRIDGE_GRPC_ADDR": f"127.0.0.1:{desk.port}", **settings}
    done = subprocess.run(BRIDGE, env=environment, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 2, done.stderr
    assert done.stdout == ""
    assert "Traceback" not in done.stderr
    assert CANARY not in done.stderr
    return done.stderr.rstrip().rpartition("\n")[2]


def client_of(desk: Desk) -> BridgeClient:
    """A client of the bridge on the base port, whatever its database."""
    return BridgeClient(FixedSource(desk.port, desk.token(), identity=None))


def test_a_missing_database_is_one_line(desk: Desk) -> None:
    """It says how to set it."""
    assert refused(desk) == (
        "config: WAYMARK_DATABASE_URL is not set; set it to postgresql://user:password@host:5432/database, "
        "or set WAYMARK_BRIDGE_IN_MEMORY=1"
    )


def test_an_unreachable_database_is_one_line(desk: Desk) -> None:
    """The variable and the reason, without the password."""
    line = refused(desk, WAYMARK_DATABASE_URL=f"postgresql://ann:{CANARY}@127.0.0.1:1/shop")
    assert line.startswith("config: WAYMARK_DATABASE_URL names a database that does not answer: ")


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({"WAYMARK_DATABASE_URL": f"mysql://{CANARY}"}, "config: WAYMARK_DATABASE_URL must be a PostgreSQL address"),
        ({"WAYMARK_BRIDGE_IN_MEMORY": "maybe"}, 'config: WAYMARK_BRIDGE_IN_MEMORY must be one of 1 true yes on / 0 false no off, got "maybe"'),
        ({"WAYMARK_BRIDGE_IN_MEMORY": "1", "WAYMARK_BRIDGE_GRPC_ADDR": "nowhere"}, "config: WAYMARK_BRIDGE_GRPC_ADDR must be host:port"),
        ({"WAYMARK_BRIDGE_IN_MEMORY": "1", "WAYMARK_BRIDGE_GRPC_ADDR": "0.0.0.0:0"}, "must be a loopback address unless WAYMARK_BRIDGE_TOKEN is set"),
        ({"WAYMARK_BRIDGE_IN_MEMORY": "1", "WAYMARK_LOG_LEVEL": "loud"}, "config: WAYMARK_LOG_LEVEL must be one of"),
        ({"WAYMARK_BRIDGE_IN_MEMORY": "1", "WAYMARK_BRIDGE_TOKEN": f"{CANARY}\u00e9"}, "config: WAYMARK_BRIDGE_TOKEN must be printable ASCII text"),
    ],
)  # fmt: skip
def test_a_bad_value_is_one_line(desk: Desk, settings: dict[str, str], expected: str) -> None:
    """Variable, value and what is accepted; never a secret."""
    assert expected in refused(desk, **settings)


@pytest.mark.parametrize("mode", ["memory", "postgres"])
def test_a_taken_port_is_one_line(desk: Desk, mode: str, database_url: str) -> None:
    """Whoever has it; before anything is written to the database."""
    settings = (
        {"WAYMARK_BRIDGE_IN_MEMORY": "1"} if mode == "memory" else {"WAYMARK_DATABASE_URL": database_url}
    )
    with listener(desk.port):
        line = refused(desk, **settings)
    assert line == (
        f'config: WAYMARK_BRIDGE_GRPC_ADDR cannot be listened on, got "127.0.0.1:{desk.port}"; '
        "is another waymark-bridge running? write a free address"
    )


def test_two_bridges_never_share_a_port(desk: Desk) -> None:
    """Linux would let them; the second gives up, and the first goes on."""
    first = desk.serving_bridge(WAYMARK_BRIDGE_IN_MEMORY="1")
    assert "cannot be listened on" in refused(desk, WAYMARK_BRIDGE_IN_MEMORY="1")
    assert asyncio.run(client_of(desk).mode()) == MODE_MEMORY
    assert first.poll() is None


@pytest.mark.parametrize("mode", ["memory", "postgres"])
def test_sigterm_ends_it_quickly_also_with_waiting_callers(desk: Desk, mode: str, database_url: str) -> None:
    """Exit code 0 in less time than the start took; the callers are not told that anything failed: they wait for the next bridge."""
    settings = (
        {"WAYMARK_BRIDGE_IN_MEMORY": "1"} if mode == "memory" else {"WAYMARK_DATABASE_URL": database_url}
    )
    starting_at = time.monotonic()
    process = desk.serving_bridge(None, **settings)
    start_s = time.monotonic() - starting_at

    async def body() -> float:
        client = client_of(desk)
        ids = [new() for _ in range(20)]
        await client.start(registration(First), ids, b"nobody")
        for one in ids:
            await client.look(one.instance_id)
        waiting = [asyncio.create_task(client.wait(uid.instance_id)) for uid in ids]
        await asyncio.sleep(0.1)
        began = time.monotonic()
        process.terminate()
        await asyncio.to_thread(process.wait, 20)
        took = time.monotonic() - began
        if mode == "postgres":
            assert not any(task.done() for task in waiting)
        for task in waiting:
            task.cancel()
        await asyncio.wait(waiting)
        await client.close()
        return took

    took = asyncio.run(body())
    assert process.returncode == 0
    print(f"started in {start_s:.2f} s, stopped after {took:.2f} s")
    assert took < start_s


def test_sigint_ends_it_too(desk: Desk) -> None:
    """Ctrl-C in a terminal: exit code 0, no traceback."""
    process = desk.serving_bridge(WAYMARK_BRIDGE_IN_MEMORY="1")
    process.send_signal(signal.SIGINT)
    assert process.wait(10) == 0
    assert process.stderr is not None
    assert "Traceback" not in process.stderr.read()


@pytest.mark.timeout(60)
def test_a_restart_of_the_database_is_waited_out() -> None:
    """The bridge stays up; a caller that starts and one that waits during the outage go on after it."""
    with EmbeddedPostgres() as server, open_desk(WAYMARK_DATABASE_URL=server.dsn) as desk:
        process = desk.serving_bridge()

        async def body() -> None:
            client = client_of(desk)
            one, late = new(), new()
            await client.start(registration(First), [one], b"")
            waiting = asyncio.create_task(client.wait(one.instance_id))
            await asyncio.to_thread(server.stop)
            starting = asyncio.create_task(client.start(registration(First), [late], b""))
            await until(lambda: client._complained_at > 0)
            assert not starting.done()
            await asyncio.to_thread(server.start)
            assert await starting == [late.instance_id]
            assert (await client.look(one.instance_id)).status == "queued"
            assert not waiting.done()
            waiting.cancel()
            await asyncio.wait({waiting})
            await client.close()

        asyncio.run(body())
        assert process.poll() is None
