"""What workers answer, and what becomes of it."""

from __future__ import annotations

import pytest

from tests.executor.flows import Fan, Patient, Steps
from tests.executor.harness import Bench
from waymark.model.records import InstanceStatus
from waymark.proto.worker_pb2 import ActionDispatch
from waymark.store.memory import MemoryStore
from waymark.vm.events import CallFailed, CallLost, CallSucceeded, CallTimedOut

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(60)]


async def test_an_action_that_no_worker_knows_is_tried_again_and_not_journaled() -> None:
    """It waits, visibly in the log, for as long as it takes; the run notices nothing."""
    bench = Bench()
    instance = await bench.start(Steps, 1)
    async with bench.shard() as shard:
        await shard.settle()
        for _ in range(5):
            shard.refuse(shard.take())
            await shard.settle(0.1)
            assert not shard.sent
            await shard.until(lambda: bool(shard.sent))
        assert bench.journal(instance) == []
        shard.succeed(shard.take(), 4)
        await shard.until(lambda: shard.finished == 1)
    assert await bench.result(instance) == 4


async def test_losses_and_timeouts_are_journaled() -> None:
    """A loss is the same attempt again; a timeout is a failed one, and the policy decides."""
    bench = Bench()
    instance = await bench.start(Patient)
    async with bench.shard() as shard:
        await shard.settle()
        first = shard.take()
        shard.lose(first)
        await shard.settle()
        second = shard.take()
        one, two = ActionDispatch.FromString(first.body), ActionDispatch.FromString(second.body)
        assert (one.attempt, one.idempotency_key) == (two.attempt, two.idempotency_key)
        shard.fail(second, ValueError("no"))
        await shard.settle(1)
        assert not shard.sent  # it backs off
        await shard.settle(5)
        third = shard.take()
        assert ActionDispatch.FromString(third.body).attempt == 2
        shard.time_out(third)
        await shard.settle()
        view = await bench.view(instance)
        assert (view.status, view.error_type) == (InstanceStatus.FAILED, "ActionTimeout")
    kinds = [type(event) for entry in bench.journal(instance) for event in entry.events]
    assert kinds == [CallLost, CallFailed, CallTimedOut]


async def test_an_answer_nobody_can_read_counts_as_lost() -> None:
    """Bytes that are no answer, an answer without an outcome, a cancellation that nobody asked for."""
    bench = Bench()
    instance = await bench.start(Steps, 1)
    async with bench.shard() as shard:
        await shard.settle()
        for body in (b"\xff\xff\xff", b""):
            shard.executor.deliver([(shard.take().token, body)])
            await shard.settle()
        shard.succeed(shard.take(), 1)
        await shard.until(lambda: shard.finished == 1)
    kinds = [type(event) for entry in bench.journal(instance) for event in entry.events]
    assert kinds == [CallLost, CallLost, CallSucceeded]


async def test_an_answer_counts_once() -> None:
    """Delivered twice, or for a token that never was: the second changes nothing."""
    bench = Bench()
    instance = await bench.start(Steps, 2)
    async with bench.shard() as shard:
        await shard.settle()
        call = shard.take()
        shard.succeed(call, 1)
        shard.succeed(call, 50)
        shard.executor.deliver([(999_999, b"")])
        await shard.settle()
        shard.succeed(call, 60)
        shard.succeed(shard.take(), 1)
        await shard.until(lambda: shard.finished == 1)
    assert await bench.result(instance) == 2
    assert len(bench.journal(instance)) == 2


async def test_late_answers_of_a_run_that_is_gone_are_ignored() -> None:
    """The run failed while others of its calls were out: they are called off, and what they answer is dropped."""
    bench = Bench()
    instance = await bench.start(Fan, 5)
    async with bench.shard() as shard:
        await shard.settle()
        calls = [shard.take() for _ in range(5)]
        shard.fail(calls[0], ValueError("one is enough"))
        await shard.settle()
        assert (await bench.view(instance)).status is InstanceStatus.FAILED
        assert sorted(shard.cancelled) == [call.token for call in calls[1:]]
        for call in calls:
            shard.succeed(call, 1)
        await shard.settle(1)
    assert len(bench.journal(instance)) == 1


async def test_a_new_owner_starts_again_what_was_in_flight() -> None:
    """Under the same idempotency key and attempt, and only what has no committed result."""
    bench = Bench()
    instance = await bench.start(Fan, 4)
    async with bench.shard() as dying:
        await dying.settle()
        calls = [dying.take() for _ in range(4)]
        dying.succeed(calls[1], 10)
        await dying.settle()
    keys = {ActionDispatch.FromString(call.body).idempotency_key for call in calls}
    done = ActionDispatch.FromString(calls[1].body).idempotency_key
    async with bench.shard() as owner:
        await owner.settle(0.1)
        again = {ActionDispatch.FromString(call.body).idempotency_key for call in owner.sent}
        assert again == keys - {done}
        await owner.serve(lambda: owner.finished == 1)
    assert await bench.result(instance) == 0 + 10 + 2 + 3
    assert isinstance(bench.store, MemoryStore)
