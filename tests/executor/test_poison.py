"""One bad instance harms only itself: it is set aside with the reason, and the others go on."""

from __future__ import annotations

from typing import Any

import pytest

from tests.executor.flows import AtOnce, Spins, Steps
from tests.executor.harness import Bench
from waymark.errors import StoreDataError
from waymark.model.records import Append, AppendAnswer, ExecutorId, InstanceStatus
from waymark.vm.machine import Machine

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(60)]


@pytest.mark.parametrize("method", ["begin", "apply"])
async def test_a_fault_of_the_machine_sets_its_instance_aside(
    method: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever comes out of a machine: the shard lives, the instance says what happened, its neighbour finishes."""
    bench = Bench()
    poison, healthy = await bench.start(Steps, 3), await bench.start(Steps, 2)
    real: Any = getattr(Machine, method)

    def failing(self: Machine, first: Any, *rest: Any) -> Any:
        if self.main is None and first != bench.store._tables.instances[poison].request.input:
            return real(self, first, *rest)
        if method == "apply" and len(self.code.program.functions[0].code) and self is not poisoned():
            return real(self, first, *rest)
        raise ZeroDivisionError("a bug")

    def poisoned() -> Machine | None:
        active = shard.executor._active.get(poison)
        return None if active is None else active.machine

    monkeypatch.setattr(Machine, method, failing)
    async with bench.shard() as shard:
        await shard.serve(lambda: shard.finished == 1)
        await shard.settle(1)
        view = await bench.view(poison)
        assert view.status is InstanceStatus.QUARANTINED
        assert "a fault of Waymark: ZeroDivisionError: a bug" in view.error_message
        assert (await bench.view(healthy)).status is InstanceStatus.COMPLETED
        assert shard.executor.instances_in_memory == 0


async def test_a_row_that_no_database_takes_harms_only_its_own_run() -> None:
    """The store has bisected: the culprit is set aside, those beside it are committed or refused as it says."""
    bench = Bench()
    runs = [await bench.start(Steps, 1) for _ in range(3)]
    real = bench.store.append

    async def picky(executor_id: ExecutorId, batch: list[Append]) -> AppendAnswer:
        bad = [one for one in batch if one.instance_id == runs[1]]
        good = [one for one in batch if one.instance_id != runs[1]]
        answer = await real(executor_id, good)
        if bad:
            raise StoreDataError("no", accepted=answer.accepted, refused=frozenset({runs[1]}))
        return answer

    bench.store.append = picky  # type: ignore[assignment, method-assign]
    async with bench.shard() as shard:
        await shard.settle()
        while shard.sent:
            shard.succeed(shard.take(), 1)
        await shard.settle(1)
        statuses = [(await bench.view(run)).status for run in runs]
    completed, aside = InstanceStatus.COMPLETED, InstanceStatus.QUARANTINED
    assert statuses == [completed, aside, completed]


async def test_a_run_that_spins_ends_by_itself_and_others_get_their_turn() -> None:
    """It uses up its fuel and fails; the claim lets others run in between."""
    bench = Bench()
    spinning = await bench.start(Spins)
    healthy = await bench.start(AtOnce)
    async with bench.shard() as shard:
        await shard.until(lambda: shard.finished == 2)
    view = await bench.view(spinning)
    assert (view.status, view.error_type) == (InstanceStatus.FAILED, "WorkflowLimitExceeded")
    assert "steps between two waits" in view.error_message
    assert (await bench.view(healthy)).status is InstanceStatus.COMPLETED
