"""The supervisor with real processes: routing, leases, dead shards, outages, signals."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import socket
import time
from pathlib import Path

import pytest

from tests.pool.harness import is_alive, run, until, written
from tests.supervisor.bench import build, running
from waymark.clock import SystemClock
from waymark.errors import StoreUnavailable
from waymark.pool.pool import AddressTaken


def test_calls_of_a_shard_are_run_and_answered(tmp_path: Path) -> None:
    """2,000 calls of each of two shards go through the pool and come back to the shard that made them."""

    async def body() -> None:
        async with running(tmp_path, "serve", calls=2000, WAYMARK_EXECUTOR_SHARDS="2") as bench:
            for count in (1, 2):
                assert (await bench.event("answered", count))["right"] is True
            assert len({event["id"] for event in bench.events("answered")}) == 2

    run(body)


def test_leases_are_renewed_together_and_last_less_than_the_database_says(tmp_path: Path) -> None:
    """One renewal for all shards; each learns a deadline before sent + TTL, on the boottime clock."""

    async def body() -> None:
        async with running(tmp_path, "serve", WAYMARK_EXECUTOR_SHARDS="2") as bench:
            await until(lambda: any(len(renewal) == 2 for renewal in bench.store.renewals))
            began_us = SystemClock().monotonic_us()
            lease = await bench.event("lease", 8)
            assert lease["usable_until_us"] < SystemClock().monotonic_us() + 2_000_000 - 199_000
            assert lease["usable_until_us"] > began_us

    run(body)


def test_a_killed_shard_is_retired_at_once_and_replaced_under_a_new_identity(tmp_path: Path) -> None:
    """Its lease is closed and another process runs, sooner than the supervisor came up; the other shards are woken."""

    async def body() -> None:
        starting_at = time.monotonic()
        async with running(tmp_path, "serve") as bench:
            bench.store.owned = 3
            first = await bench.event("lease")
            start_s = time.monotonic() - starting_at
            os.kill(first["pid"], signal.SIGKILL)
            began = time.monotonic()
            second = await bench.event("started", 2)
            assert time.monotonic() - began <= start_s
            assert [str(closed) for closed in bench.store.closed] == [first["id"]]
            assert second["id"] != first["id"]
            await until(lambda: second["id"] in map(str, bench.store.open))

    run(body)


def test_the_calls_of_a_dead_shard_are_cancelled(tmp_path: Path) -> None:
    """What a worker runs for a dead shard ends, so that its slot is free again."""

    async def body() -> None:
        async with running(tmp_path, "hold") as bench:
            held = tmp_path / "shards.log.held"
            await until(written(held))
            held.unlink()
            pool = bench.supervisor._pool
            assert pool is not None
            completed = pool.figures().completed
            os.kill(bench.events("started")[0]["pid"], signal.SIGKILL)
            await until(lambda: pool.figures().completed > completed)

    run(body)


def test_a_silent_shard_is_killed(tmp_path: Path) -> None:
    """A shard that does not report loses its lease by losing its life."""

    async def body() -> None:
        async with running(tmp_path, "silent") as bench:
            first = await bench.event("started")
            await bench.event("started", 2)
            assert not is_alive(first["pid"])
            assert first["id"] in map(str, bench.store.closed)

    run(body)


def test_a_shard_whose_lease_expired_is_replaced(tmp_path: Path) -> None:
    """A lease that the database no longer has is never revived: new process, new identity."""

    async def body() -> None:
        async with running(tmp_path, "serve") as bench:
            first = await bench.event("lease")
            bench.store.expired = set(bench.store.open)
            second = await bench.event("started", 2)
            assert second["id"] != first["id"]

    run(body)


def test_an_outage_is_survived_with_one_line_each_way(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """While the database is away nothing dies and little is said; a shard that dies meanwhile is retired afterwards."""

    async def body() -> None:
        async with running(tmp_path, "serve") as bench:
            first = await bench.event("lease")
            bench.store.is_down = True
            await until(lambda: "does not answer" in caplog.text)
            os.kill(first["pid"], signal.SIGKILL)
            leases = len(bench.events("lease"))
            await until(lambda: not is_alive(first["pid"]))
            assert len(bench.events("started")) == 1
            bench.store.is_down = False
            await bench.event("started", 2)
            await bench.event("lease", leases + 2)
            assert caplog.text.count("does not answer") == 1
            assert caplog.text.count("answers again") == 1

    with caplog.at_level(logging.INFO, logger="waymark"):
        run(body)


def test_wake_ups_are_passed_on_together(tmp_path: Path) -> None:
    """A hundred notifications in one moment are few wake-ups, and at least one."""

    async def body() -> None:
        async with running(tmp_path, "serve") as bench:
            await bench.event("lease")
            for _ in range(100):
                bench.store.notifications.put_nowait("waymark_ready")
            await bench.event("wake")
            await bench.event("lease", len(bench.events("lease")) + 2)
            assert len(bench.events("wake")) < 10

    run(body)


def test_ownership_of_the_dead_is_swept(tmp_path: Path) -> None:
    """The reclaimer runs at its interval."""

    async def body() -> None:
        interval = {"WAYMARK_EXPIRED_LOCK_RECLAIMER_INTERVAL_MS": "20"}
        async with running(tmp_path, "serve", **interval) as bench:
            await until(lambda: bench.store.sweeps >= 3)

    run(body)


def test_a_signal_stops_in_order(tmp_path: Path) -> None:
    """Shards are asked with their part of the grace, leases closed, every process gone, exit code 0; nobody waits for the grace."""

    async def body() -> None:
        async with running(tmp_path, "serve", WAYMARK_EXECUTOR_SHARDS="2", grace_s=600) as bench:
            await bench.event("lease", 2)
            pool = bench.supervisor._pool
            assert pool is not None
            pids = [*pool.pids, *(event["pid"] for event in bench.events("started"))]
            os.kill(os.getpid(), signal.SIGINT)
            assert await bench.running == 0
            assert {event["grace_ms"] // 100 for event in bench.events("stop")} <= {5986, 5987}
            assert bench.store.open == set()
            assert not any(is_alive(pid) for pid in pids)

    run(body)


def test_shards_that_do_not_stop_are_ended_within_the_grace(tmp_path: Path) -> None:
    """A deaf shard is killed; the exit is still in time and with code 0."""

    async def body() -> None:
        async with running(tmp_path, "deaf", grace_s=2.5) as bench:
            await bench.event("lease")
            began = time.monotonic()
            os.kill(os.getpid(), signal.SIGTERM)
            assert await bench.running == 0
            assert time.monotonic() - began < 2.5
            assert bench.store.open == set()

    run(body)


def test_a_second_signal_stops_now(tmp_path: Path) -> None:
    """No waiting for the grace; the exit code tells of the signal; no process is left."""

    async def body() -> None:
        supervisor, _ = build(tmp_path, "deaf", grace_s=600)
        running_supervisor = asyncio.create_task(supervisor.run())
        await until(lambda: any(shard.has_lease for shard in supervisor._shards))
        (shard,) = supervisor._shards
        os.kill(os.getpid(), signal.SIGTERM)
        await until(supervisor._stop_asked.is_set)
        os.kill(os.getpid(), signal.SIGTERM)
        assert await running_supervisor == 128 + signal.SIGTERM
        assert not is_alive(shard.child.pid)

    run(body)


def test_a_signal_ends_a_stop_that_waits_for_the_database(tmp_path: Path) -> None:
    """SIGTERM in the middle of an outage: gone long before the grace, for a lease expires by itself."""

    async def body() -> None:
        async with running(tmp_path, "serve", grace_s=600) as bench:
            await bench.event("lease")
            bench.store.is_down = True
            os.kill(os.getpid(), signal.SIGTERM)
            assert await bench.running == 0

    run(body)


def test_a_signal_ends_the_boot(tmp_path: Path) -> None:
    """SIGTERM while the workers start, or while the database is prepared: exit 0 without waiting."""

    async def body() -> None:
        for moment in ("prepare", "start"):
            supervisor, store = build(tmp_path, "serve")
            hanging = asyncio.Event()

            async def hang(started: asyncio.Event = hanging) -> None:
                started.set()
                await asyncio.Event().wait()

            if moment == "prepare":
                object.__setattr__(supervisor._launch, "prepare", hang)
            else:
                object.__setattr__(store, "start", hang)
            task = asyncio.create_task(supervisor.run())
            await hanging.wait()
            os.kill(os.getpid(), signal.SIGTERM)
            assert await task == 0

    run(body)


def test_a_signal_ends_workers_that_are_still_starting(tmp_path: Path) -> None:
    """SIGTERM between spawn and attach leaves no worker behind, and does not wait for the grace."""

    async def body() -> None:
        supervisor, _ = build(tmp_path, "serve", grace_s=600)
        task = asyncio.create_task(supervisor.run())
        await until(lambda: supervisor._pool is not None and bool(supervisor._pool.pids))
        assert supervisor._pool is not None
        pids = supervisor._pool.pids
        os.kill(os.getpid(), signal.SIGTERM)
        assert await task == 0
        assert not any(is_alive(pid) for pid in pids)

    run(body)


def test_what_prevents_the_start_is_raised(tmp_path: Path) -> None:
    """An unreachable database and a taken port are errors of the boot, not of its task group."""

    async def body() -> None:
        supervisor, store = build(tmp_path, "serve")
        store.is_down = True
        with pytest.raises(StoreUnavailable):
            await supervisor.run()
        with socket.create_server(("127.0.0.1", 0)) as listener:
            port = listener.getsockname()[1]
            taken, _ = build(tmp_path, "serve", WAYMARK_WORKER_GRPC_ADDR=f"127.0.0.1:{port}")
            with pytest.raises(AddressTaken):
                await taken.run()

    run(body)
