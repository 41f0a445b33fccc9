"""A real pool: real processes, real gRPC, real signals."""

from __future__ import annotations

import asyncio
import os
import secrets
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any
from uuid import uuid4

import grpc.aio
import pytest

from tests.pool.harness import COMMAND, SOURCE, Harness, is_alive, options, run, running_pool, until, written
from waymark.model.settings import Address
from waymark.pool.command import WorkerCommand
from waymark.pool.pool import AddressTaken, WorkerPool
from waymark.pool.spawned import WorkerStartError
from waymark.proto.worker_pb2 import FromWorker, Hello, ToWorker
from waymark.proto.worker_pb2_grpc import WorkerPoolStub


def test_a_wide_fan_out_returns_whole_and_uses_every_worker() -> None:
    """5,000 calls over 2 workers of 10 slots all come back, once, from both."""

    async def body() -> None:
        async with running_pool(worker_count=2) as bench:
            calls = {bench.dispatch("echo", [n]): n for n in range(5000)}
            for token, n in calls.items():
                assert await bench.value(token) == [n]
            assert set(bench.counts.values()) == {1}
            figures = bench.pool.figures()
            assert (figures.dispatched, figures.completed, figures.lost) == (5000, 5000, 0)
            pids = {await bench.value(token) for token in [bench.dispatch("pid") for _ in range(20)]}
            assert pids == set(bench.pool.pids)

    run(body)


def test_a_killed_worker_is_lost_and_replaced_within_two_seconds(tmp_path: Path) -> None:
    """SIGKILL in the middle of an action: lost result, another worker, work goes on."""

    async def body() -> None:
        async with running_pool() as bench:
            mark = tmp_path / "mark"
            token = bench.dispatch("touch_and_wait", str(mark))
            await until(written(mark))
            victim = int(mark.read_text())
            os.kill(victim, signal.SIGKILL)
            assert await bench.outcome(token) == "lost"
            assert await until(lambda: bench.pool.figures().workers == 1) <= 2
            assert await bench.value(bench.dispatch("pid")) != victim

    run(body)


def test_an_action_that_obeys_its_timeout_leaves_its_neighbours_alone(tmp_path: Path) -> None:
    """The cancel is enough: timed out, same process, neighbours unharmed."""

    async def body() -> None:
        async with running_pool() as bench:
            mark, go = tmp_path / "mark", tmp_path / "go"
            neighbour = bench.dispatch("wait_for_file", str(go))
            token = bench.dispatch("touch_and_wait", str(mark), timeout_ms=100)
            result = await bench.answer(token)
            assert result.timed_out.timeout_ms == 100
            go.touch()
            assert await bench.value(neighbour) == int(mark.read_text())
            assert bench.pool.figures().workers_killed == 0

    run(body)


@pytest.mark.parametrize("name", ["block", "refuse_cancel"])
def test_an_action_that_cannot_be_cancelled_costs_its_worker(name: str, tmp_path: Path) -> None:
    """A blocked loop or a swallowed cancel: culprit timed out, neighbours lost, worker replaced."""

    async def body() -> None:
        async with running_pool() as bench:
            mark = tmp_path / "mark"
            neighbour = bench.dispatch("wait_for_file", str(tmp_path / "never"))
            token = bench.dispatch(name, str(mark), timeout_ms=100)
            assert (await bench.answer(token)).timed_out.timeout_ms == 100
            assert await bench.outcome(neighbour) == "lost"
            await until(lambda: bench.pool.figures().workers == 1)
            assert await bench.value(bench.dispatch("pid")) != int(mark.read_text())
            assert bench.pool.figures().workers_killed == 1

    run(body)


def test_an_action_that_finishes_after_its_cancel_keeps_its_value(tmp_path: Path) -> None:
    """As with asyncio.wait_for: who swallows the cancel and returns has returned."""

    async def body() -> None:
        async with running_pool() as bench:
            token = bench.dispatch("finish_in_spite_of_cancel", str(tmp_path / "mark"), timeout_ms=100)
            assert await bench.value(token) == "cleaned up"

    run(body)


def test_a_cancelled_action_ends(tmp_path: Path) -> None:
    """The shard's cancel reaches the task; the call is answered as cancelled."""

    async def body() -> None:
        async with running_pool() as bench:
            mark = tmp_path / "mark"
            token = bench.dispatch("touch_and_wait", str(mark))
            await until(written(mark))
            bench.pool.cancel(SOURCE, token)
            assert await bench.outcome(token) == "cancelled"

    run(body)


def test_a_worn_worker_is_replaced_before_it_stops(tmp_path: Path) -> None:
    """At the end of its life a worker gets a successor, then finishes what it holds and exits."""

    async def body() -> None:
        async with running_pool(max_actions=5, slots_per_worker=20) as bench:
            (first,) = bench.pool.pids
            go = tmp_path / "go"
            held = bench.dispatch("wait_for_file", str(go))
            for _ in range(4):
                assert await bench.value(bench.dispatch("pid")) == first
            seen = first
            while seen == first:
                seen = await bench.value(bench.dispatch("pid"))
            assert first in bench.pool.pids
            go.touch()
            assert await bench.value(held) == first
            await until(lambda: first not in bench.pool.pids)
            figures = bench.pool.figures()
            assert (figures.lost, figures.workers_killed) == (0, 0)

    run(body)


def test_recycling_loses_nothing() -> None:
    """Hundreds of calls over workers that live for seven calls each: every one a value."""

    async def body() -> None:
        async with running_pool(worker_count=2, max_actions=7, slots_per_worker=3) as bench:
            while bench.pool.figures().workers_attached < 8:
                calls = [bench.dispatch("echo", n) for n in range(30)]
                assert [await bench.value(token) for token in calls] == list(range(30))
            assert bench.pool.figures().lost == 0

    run(body)


def test_a_stream_without_the_secret_is_refused() -> None:
    """Wrong secret, wrong id, used secret, wrong version, no Hello: refused; the pool works on."""

    async def body() -> None:
        async with running_pool() as bench:
            worker_id = bytes(next(iter(bench.pool._workers)))
            good: dict[str, Any] = {
                "protocol_version": 1,
                "worker_id": worker_id,
                "secret": secrets.token_bytes(32),
            }
            attempts = [
                FromWorker(hello=Hello(**good)),
                FromWorker(hello=Hello(**{**good, "secret": b""})),
                FromWorker(hello=Hello(**{**good, "worker_id": b"x" * 16})),
                FromWorker(hello=Hello(**{**good, "protocol_version": 99})),
                FromWorker(),
            ]
            async with grpc.aio.insecure_channel(f"127.0.0.1:{bench.pool.port}") as channel:
                for attempt in attempts:
                    stream: grpc.aio.StreamStreamCall[FromWorker, ToWorker]
                    stream = WorkerPoolStub(channel).Attach()  # type: ignore[no-untyped-call]
                    await stream.write(attempt)
                    with pytest.raises(grpc.aio.AioRpcError) as caught:
                        await stream.read()
                    assert caught.value.code() is grpc.StatusCode.UNAUTHENTICATED
            assert bench.pool.figures().workers_refused == 5
            assert await bench.value(bench.dispatch("echo", 1)) == 1

    run(body)


def test_a_user_module_that_fails_stops_the_start_with_its_traceback(tmp_path: Path) -> None:
    """The error names the module and carries the traceback; nothing is left running."""

    async def body() -> None:
        (tmp_path / "broken_module.py").write_text("def f():\n    raise RuntimeError('no luck')\nf()\n")
        environment = {**os.environ, "PYTHONPATH": str(tmp_path)}
        pool = WorkerPool(
            options(worker_count=3, environment=environment, user_modules=["broken_module"]),
            lambda source, results: None,
        )
        with pytest.raises(WorkerStartError) as caught:
            await pool.start()
        assert caught.value.summary == "user module broken_module failed to import: RuntimeError: no luck"
        assert 'broken_module.py", line 2, in f' in caught.value.details
        assert pool.pids == []
        await pool.stop()

    run(body)


def test_commands_are_tried_in_order_until_one_starts() -> None:
    """A command that is missing or lacks waymark is passed over; the error lists all when none works."""

    async def body() -> None:
        missing = WorkerCommand(("/no/such/worker",), "on PATH")
        useless = WorkerCommand((sys.executable, "-S", "-c", "raise SystemExit(1)"), "VIRTUAL_ENV")
        async with running_pool(commands=[missing, useless, COMMAND]) as bench:
            assert await bench.value(bench.dispatch("echo", 1)) == 1
        pool = WorkerPool(options(commands=[missing, useless]), lambda source, results: None)
        with pytest.raises(WorkerStartError) as caught:
            await pool.start()
        assert "no worker command works; tried /no/such/worker (on PATH)" in caught.value.summary
        assert "No such file or directory" in caught.value.summary
        assert "exited with code 1 before it attached" in caught.value.summary

    run(body)


def test_a_worker_that_never_attaches_is_given_up() -> None:
    """The start ends after its timeout instead of waiting for ever."""

    async def body() -> None:
        sleeper = WorkerCommand((sys.executable, "-c", "import time; time.sleep(600)"), "test")
        pool = WorkerPool(options(commands=[sleeper], attach_timeout_s=0.3), lambda source, results: None)
        with pytest.raises(WorkerStartError, match=r"did not attach within 0\.3 seconds"):
            await pool.start()
        assert pool.pids == []

    run(body)


def test_a_taken_port_is_an_error() -> None:
    """Two pools never share one port."""

    async def body() -> None:
        async with running_pool() as bench:
            taken = options(address=Address("127.0.0.1", bench.pool.port))
            pool = WorkerPool(taken, lambda source, results: None)
            with pytest.raises(AddressTaken):
                await pool.start()
            await pool.stop()
            await pool.stop()

    run(body)


def test_large_values_pass_and_too_large_ones_fail_alone() -> None:
    """Dispatches share messages up to the limit; one over it is refused without ending the stream."""

    async def body() -> None:
        async with running_pool() as bench:
            big = b"x" * (7 * 1024 * 1024)
            calls = [bench.dispatch("echo", big) for _ in range(12)]
            bench.pool.dispatch(SOURCE, 10_000, b"x" * (61 * 1024 * 1024), 0)
            assert await bench.outcome(10_000) == "too_large"
            for token in calls:
                assert len(await bench.value(token)) == len(big)
            assert bench.pool.figures().lost == 0

    run(body)


def test_draining_at_the_stop_lets_actions_finish(tmp_path: Path) -> None:
    """With a grace the stop waits for what runs; its result still comes."""

    async def body() -> None:
        bench = Harness()
        bench.pool = WorkerPool(options(), bench.take)
        await bench.pool.start()
        go = tmp_path / "go"
        mark = tmp_path / "mark"
        held = bench.dispatch("wait_for_file", str(go))
        marked = bench.dispatch("finish_in_spite_of_cancel", str(mark))
        await until(written(mark))
        bench.pool.cancel(SOURCE, marked)
        stopping = asyncio.create_task(bench.pool.stop(grace_s=30))
        assert await bench.value(marked) == "cleaned up"
        go.touch()
        await stopping
        assert await bench.outcome(held) == "value"

    run(body)


def test_workers_die_with_their_supervisor(tmp_path: Path) -> None:
    """SIGKILL of the pool's process: every worker is gone within 2 seconds, a blocked one too."""

    async def body() -> None:
        script = tmp_path / "pool_process.py"
        script.write_text(
            "import asyncio, sys\n"
            f"sys.path.insert(0, {str(Path(__file__).parents[2])!r})\n"
            "from tests.pool.harness import running_pool\n"
            "async def main():\n"
            "    async with running_pool(worker_count=2) as bench:\n"
            f"        bench.dispatch('block', {str(tmp_path / 'blocked')!r})\n"
            f"        open({str(tmp_path / 'pids')!r}, 'w').write(' '.join(map(str, bench.pool.pids)))\n"
            "        await asyncio.Event().wait()\n"
            "asyncio.run(main())\n"
        )
        process = subprocess.Popen([sys.executable, str(script)])  # noqa: ASYNC220
        try:
            await until(written(tmp_path / "pids"))
            pids = [int(word) for word in (tmp_path / "pids").read_text().split()]
            await until(written(tmp_path / "blocked"))
            assert len(pids) == 2
        finally:
            process.kill()
            process.wait()
        assert await until(lambda: not any(is_alive(pid) for pid in pids)) <= 2

    run(body)


@pytest.mark.slow
def test_a_frozen_worker_is_given_up_within_twenty_seconds(tmp_path: Path) -> None:
    """SIGSTOP: the stream's keepalive ends it, the call is lost, the process replaced."""

    async def body() -> None:
        async with running_pool() as bench:
            mark = tmp_path / "mark"
            token = bench.dispatch("touch_and_wait", str(mark))
            await until(written(mark))
            victim = int(mark.read_text())
            os.kill(victim, signal.SIGSTOP)
            async with asyncio.timeout(22):
                assert await bench.outcome(token) == "lost"
            await until(lambda: not is_alive(victim))
            assert await bench.value(bench.dispatch("pid")) != victim

    run(body)


def test_two_sources_share_the_pool() -> None:
    """Tokens of two sources may be equal; each gets its own answers."""

    async def body() -> None:
        other = uuid4()
        async with running_pool() as bench:
            bench._tokens = 0
            mine = bench.dispatch("echo", "mine")
            bench._tokens = 0
            theirs = bench.dispatch("echo", "theirs", source=other)
            assert mine == theirs
            assert await bench.value(mine) == "mine"
            assert await bench.value(theirs, other) == "theirs"

    run(body)
