"""Routing without processes: fairness, exactly one answer per call, timeouts, lanes that go away."""

from __future__ import annotations

import asyncio
from collections import Counter, defaultdict
from uuid import UUID, uuid4

import pytest

from tests.pool.harness import run, until
from waymark.clock import ManualClock
from waymark.pool.router import Lane, Results, Router
from waymark.proto.worker_pb2 import ActionResult

ANN, BOB = uuid4(), uuid4()


class RecordingPort:
    """A worker that answers only when the test says so."""

    def __init__(self) -> None:
        self.given: list[tuple[int, bytes, int]] = []
        self.deadlines: list[int] = []
        self.cancels: list[tuple[int, str]] = []
        self.is_drained = False
        self.closed_because = ""

    def dispatch(self, token: int, body: bytes, timeout_ms: int, usable_until_us: int) -> None:
        self.deadlines.append(usable_until_us)
        self.given.append((token, body, timeout_ms))

    def cancel(self, token: int, reason: str) -> None:
        self.cancels.append((token, reason))

    def drain(self) -> None:
        self.is_drained = True

    def close(self, reason: str) -> None:
        self.closed_because = reason


class Bench:
    """A router with lanes that the test plays."""

    def __init__(self, *, cancel_grace_s: float = 0.05, max_body_bytes: int = 1000) -> None:
        self.results: dict[UUID, Results] = defaultdict(list)
        self.deliveries = 0
        self.clock = ManualClock()
        self.router = Router(
            self._take, cancel_grace_s=cancel_grace_s, max_body_bytes=max_body_bytes, clock=self.clock
        )

    def _take(self, source: UUID, results: Results) -> None:
        self.deliveries += 1
        self.results[source] += results

    def add(self, slots: int = 10, max_calls: int | None = None) -> tuple[Lane, RecordingPort]:
        port = RecordingPort()
        lane = Lane(b"worker", port, slots=slots, max_calls=max_calls)
        self.router.add_lane(lane)
        return lane, port

    def outcomes(self, source: UUID = ANN) -> dict[int, str | None]:
        return {
            token: ActionResult.FromString(body).WhichOneof("outcome") for token, body in self.results[source]
        }


async def turn() -> None:
    """Let everything run that is due."""
    for _ in range(3):
        await asyncio.sleep(0)


def test_calls_go_to_the_worker_with_the_fewest_in_flight() -> None:
    """Load is balanced over lanes of any size, and never over their slots."""

    async def body() -> None:
        bench = Bench()
        lanes = [bench.add(slots=slots) for slots in (4, 4, 1)]
        for token in range(20):
            bench.router.dispatch(ANN, token, b"x")
        await turn()
        assert [len(port.given) for _, port in lanes] == [4, 4, 1]
        lane, port = lanes[1]
        for token, _, _ in list(port.given):
            bench.router.result(lane, token, b"done")
        await turn()
        assert [len(port.given) for _, port in lanes] == [4, 8, 1]
        assert [lane.load for lane, _ in lanes] == [4, 4, 1]
        figures = bench.router.figures()
        assert (figures.queued, figures.in_flight, figures.completed) == (7, 9, 4)

    run(body)


def test_sources_take_turns() -> None:
    """A wide fan-out of one source does not hold up another."""

    async def body() -> None:
        bench = Bench()
        for token in range(1000):
            bench.router.dispatch(ANN, token, b"ann")
        for token in range(3):
            bench.router.dispatch(BOB, token, b"bob")
        _, port = bench.add(slots=6)
        await turn()
        assert Counter(body for _, body, _ in port.given) == {b"ann": 3, b"bob": 3}

    run(body)


def test_results_of_one_turn_come_in_one_delivery() -> None:
    """The callback gets everything of a source that came in one turn."""

    async def body() -> None:
        bench = Bench()
        lane, port = bench.add()
        for token in range(10):
            bench.router.dispatch(ANN, token, b"x")
        await turn()
        for token, _, _ in port.given:
            bench.router.result(lane, token, b"r%d" % token)
        await turn()
        assert bench.deliveries == 1
        assert [token for token, _ in bench.results[ANN]] == list(range(10))

    run(body)


def test_a_token_is_answered_once_and_only_by_its_own_worker() -> None:
    """Repeated, foreign and invented results are dropped and counted."""

    async def body() -> None:
        bench = Bench()
        lane, port = bench.add(slots=1)
        other, _ = bench.add(slots=1)
        bench.router.dispatch(ANN, 7, b"x")
        await turn()
        ((token, _, _),) = port.given
        bench.router.result(other, token, b"foreign")
        bench.router.result(lane, token, b"right")
        bench.router.result(lane, token, b"again")
        bench.router.result(lane, 999, b"invented")
        bench.router.remove_lane(lane, "gone")
        await turn()
        assert bench.results[ANN] == [(7, b"right")]
        assert bench.router.figures().unknown_results == 3

    run(body)


def test_what_a_dead_worker_held_comes_back_lost_and_the_rest_runs_elsewhere() -> None:
    """Calls in flight are lost; queued ones wait for another worker."""

    async def body() -> None:
        bench = Bench()
        lane, port = bench.add(slots=2)
        for token in range(4):
            bench.router.dispatch(ANN, token, b"x")
        await turn()
        bench.router.remove_lane(lane, "the worker went away")
        bench.router.remove_lane(lane, "twice")
        bench.router.result(lane, port.given[0][0], b"too late")
        await turn()
        assert bench.outcomes() == {0: "lost", 1: "lost"}
        assert ActionResult.FromString(bench.results[ANN][0][1]).lost.reason == "the worker went away"
        assert lane.ended.is_set()
        _, successor = bench.add(slots=2)
        await turn()
        assert len(successor.given) == 2

    run(body)


def test_a_forgotten_source_is_not_answered_and_its_calls_are_cancelled() -> None:
    """Queued calls vanish, running ones are cancelled and keep their slot until they end."""

    async def body() -> None:
        bench = Bench()
        lane, port = bench.add(slots=1)
        bench.router.dispatch(ANN, 1, b"runs")
        await turn()
        bench.router.dispatch(ANN, 2, b"queued")
        bench.router.dispatch(BOB, 1, b"next")
        bench.router.forget_source(ANN)
        bench.router.forget_source(ANN)
        await turn()
        ((token, _, _),) = port.given
        assert port.cancels == [(token, "cancelled")]
        bench.router.result(lane, token, b"ended")
        await turn()
        assert [body for _, body, _ in port.given] == [b"runs", b"next"]
        assert bench.results[ANN] == []

    run(body)


def test_calls_of_a_source_whose_lease_has_run_out_wait_for_its_renewal() -> None:
    """Nothing is handed out after the deadline; others go on; the renewal lets the rest go, with the new deadline."""

    async def body() -> None:
        bench = Bench()
        _, port = bench.add(slots=1)
        bench.router.use_until(ANN, 1_000_000)
        bench.router.dispatch(ANN, 1, b"in time")
        await turn()
        assert port.deadlines == [1_000_000]
        bench.router.dispatch(ANN, 2, b"queued")
        bench.clock.advance(1.0)
        bench.router.result(bench.router.lanes[0], port.given[0][0], b"done")
        bench.router.dispatch(ANN, 3, b"late")
        bench.router.dispatch(BOB, 1, b"no lease, no limit")
        await turn()
        assert [body for _, body, _ in port.given] == [b"in time", b"no lease, no limit"]
        bench.router.result(bench.router.lanes[0], port.given[1][0], b"done")
        bench.router.use_until(ANN, 2_000_000)
        await turn()
        bench.router.result(bench.router.lanes[0], port.given[2][0], b"done")
        await turn()
        assert [body for _, body, _ in port.given][2:] == [b"queued", b"late"]
        assert port.deadlines == [1_000_000, 0, 2_000_000, 2_000_000]

    run(body)


def test_a_cancelled_call_is_still_answered_once() -> None:
    """Queued: cancelled at once. Running: whatever the worker makes of it."""

    async def body() -> None:
        bench = Bench()
        lane, port = bench.add(slots=1)
        bench.router.dispatch(ANN, 1, b"runs")
        bench.router.dispatch(ANN, 2, b"queued")
        await turn()
        for token in (1, 2, 2, 3):
            bench.router.cancel(ANN, token)
        await turn()
        assert bench.outcomes() == {2: "cancelled"}
        assert [reason for _, reason in port.cancels] == ["cancelled"]
        bench.router.result(lane, port.given[0][0], b"ended")
        await turn()
        assert [token for token, _ in bench.results[ANN]] == [2, 1]
        assert len(port.given) == 1

    run(body)


def test_a_timeout_cancels_and_then_ends_the_worker() -> None:
    """The culprit is timed out, its neighbours are lost, its stream is closed."""

    async def body() -> None:
        bench = Bench()
        lane, port = bench.add()
        bench.router.dispatch(ANN, 1, b"culprit", 20)
        bench.router.dispatch(ANN, 2, b"neighbour")
        bench.router.dispatch(ANN, 3, b"patient", 60_000)
        await turn()
        await until(lambda: port.cancels == [(port.given[0][0], "timeout")])
        assert lane.load == 3
        await until(lambda: port.closed_because != "")
        await turn()
        assert bench.outcomes() == {1: "timed_out", 2: "lost", 3: "lost"}
        assert bench.router.figures().workers_killed == 1

    run(body)


def test_a_worker_that_obeys_the_cancel_lives_on() -> None:
    """A result within the grace is taken as it is, and nothing is ended."""

    async def body() -> None:
        bench = Bench(cancel_grace_s=0.1)
        lane, port = bench.add()
        bench.router.dispatch(ANN, 1, b"x", 10)
        bench.router.dispatch(ANN, 2, b"x", 150)
        await until(lambda: len(port.cancels) == 1)
        bench.router.result(lane, port.cancels[0][0], b"obeyed")
        await until(lambda: len(port.cancels) == 2)
        bench.router.result(lane, port.cancels[1][0], b"obeyed")
        await turn()
        assert bench.results[ANN] == [(1, b"obeyed"), (2, b"obeyed")]
        assert port.closed_because == ""

    run(body)


def test_many_finished_timeouts_do_not_pile_up() -> None:
    """Deadlines of finished calls are swept long before they are due."""

    async def body() -> None:
        bench = Bench()
        lane, port = bench.add()
        for token in range(5000):
            bench.router.dispatch(ANN, token, b"x", 3_600_000)
            if token % 10 == 9:
                await turn()
                for given, _, _ in port.given:
                    bench.router.result(lane, given, b"done")
                port.given.clear()
        assert len(bench.router._deadlines) <= 1100
        bench.router.stop()

    run(body)


def test_a_dispatch_over_the_limit_is_refused_without_harm() -> None:
    """It is answered too_large with both sizes; neighbours run."""

    async def body() -> None:
        bench = Bench(max_body_bytes=10)
        _, port = bench.add()
        bench.router.dispatch(ANN, 1, b"x" * 11)
        bench.router.dispatch(ANN, 2, b"x" * 10)
        await turn()
        result = ActionResult.FromString(bench.results[ANN][0][1])
        assert (result.too_large.size_bytes, result.too_large.limit_bytes) == (11, 10)
        assert len(port.given) == 1

    run(body)


def test_a_worker_is_worn_after_its_calls_and_drained_gets_nothing_new() -> None:
    """`worn` is set at the limit; until the drain it still takes work, after it none."""

    async def body() -> None:
        bench = Bench()
        lane, port = bench.add(max_calls=2)
        for token in range(3):
            bench.router.dispatch(ANN, token, b"x")
        await turn()
        assert lane.worn.is_set()
        assert len(port.given) == 3
        bench.router.drain_lane(lane)
        bench.router.dispatch(ANN, 3, b"x")
        await turn()
        assert port.is_drained
        assert len(port.given) == 3
        for token, _, _ in port.given:
            bench.router.result(lane, token, b"done")
        await turn()
        assert len(bench.results[ANN]) == 3
        assert bench.router.figures().queued == 1

    run(body)


def test_a_lane_needs_a_slot() -> None:
    """Slots below one are refused."""
    with pytest.raises(ValueError, match="slots must be at least 1, got 0"):
        Lane(b"", RecordingPort(), slots=0)
