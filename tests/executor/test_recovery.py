"""A snapshot is a cache: written seldom, fenced, skipped when anything about it is wrong, and never wrong itself."""

from __future__ import annotations

import random
from dataclasses import replace
from uuid import UUID

import pytest

from tests.executor.flows import Branches, Collects, Fan, Steps
from tests.executor.harness import Bench
from waymark.clock import ManualClock
from waymark.errors import ProgramError
from waymark.executor.programs import LoadedProgram, Programs
from waymark.executor.recovery import checksum, recover
from waymark.executor.waiting import Pace
from waymark.model.records import ClaimedInstance, History, InstanceId, Snapshot
from waymark.vm.machine import Machine
from waymark.vm.snapshots import snapshot

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(120)]


async def prepared(bench: Bench, instance_id: InstanceId) -> tuple[ClaimedInstance, History, LoadedProgram]:
    """What a new owner reads of an instance that nobody owns."""
    row = bench.store._tables.instances[instance_id]
    request = row.request
    assert row.started_at is not None
    claimed = ClaimedInstance(
        instance_id=instance_id,
        workflow_name=request.workflow_name,
        workflow_version=request.workflow_version,
        input=request.input,
        created_at=row.created_at,
        epoch=row.epoch + 1,
        last_seq=row.last_seq,
        claims_without_progress=1,
        started_at=row.started_at,
        entropy=row.entropy,
    )
    loaded = await Programs(bench.store).load(request.workflow_name, request.workflow_version)
    return claimed, await bench.history(instance_id), loaded


async def recovered(claimed: ClaimedInstance, history: History, loaded: LoadedProgram) -> Machine:
    """A machine where the journal ends."""
    return await recover(claimed, history, loaded, Pace(ManualClock()))


async def halfway(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> InstanceId:
    """An instance in the middle of its work, with two snapshots and a tail after them."""
    monkeypatch.setattr("waymark.executor.executor.SNAPSHOT_BYTES", 100)
    instance = await bench.start(Collects, 100, 100)
    async with bench.shard() as shard:
        for entries in (10, 60):
            await shard.serve(lambda most=entries: len(bench.journal(instance)) >= most)  # type: ignore[misc]
            await shard.settle(0.2)
        call = shard.take()
        shard.succeed(call, "y")
        await shard.settle()
    return instance


async def full(bench: Bench, instance_id: InstanceId) -> bytes:
    """The state after the whole journal, without any snapshot."""
    claimed, history, loaded = await prepared(bench, instance_id)
    rows = tuple(bench.store._tables.instances[instance_id].journal)
    machine = await recovered(claimed, replace(history, snapshots=(), entries=rows), loaded)
    return snapshot(machine)


async def test_a_full_replay_equals_the_snapshot_and_its_tail(monkeypatch: pytest.MonkeyPatch) -> None:
    """Byte for byte, from each of the two snapshots that are kept."""
    bench = Bench()
    instance = await halfway(bench, monkeypatch)
    claimed, history, loaded = await prepared(bench, instance)
    assert len(history.snapshots) == 2
    expected = await full(bench, instance)
    for stored in history.snapshots:
        machine = await recovered(claimed, replace(history, snapshots=(stored,)), loaded)
        assert snapshot(machine) == expected


async def test_a_damaged_snapshot_is_skipped(monkeypatch: pytest.MonkeyPatch) -> None:
    """Flipped bits, cut ends, other instances, other programs, other formats, from the future: the journal decides."""
    bench = Bench()
    instance = await halfway(bench, monkeypatch)
    claimed, history, loaded = await prepared(bench, instance)
    expected = await full(bench, instance)
    newest, older = history.snapshots
    generator = random.Random(7)

    def flipped(state: bytes) -> bytes:
        at = generator.randrange(len(state))
        return state[:at] + bytes([state[at] ^ 1 << generator.randrange(8)]) + state[at + 1 :]

    def signed(one: Snapshot) -> Snapshot:
        made = checksum(one.instance_id, one.seq, one.program_hash, one.state_format, one.state)
        return replace(one, checksum=made)

    other = InstanceId(UUID(int=5))
    damaged = [
        *(replace(newest, state=flipped(newest.state)) for _ in range(200)),
        *(replace(newest, state=newest.state[:size]) for size in range(0, len(newest.state), 97)),
        replace(newest, checksum=b"\0" * 32),
        replace(newest, seq=newest.seq - 1),
        replace(newest, state=older.state),
        signed(replace(newest, instance_id=other)),
        signed(replace(newest, program_hash=b"\1" * 32)),
        signed(replace(newest, state_format=99)),
        signed(replace(newest, seq=claimed.last_seq + 1)),
        *(signed(replace(newest, state=newest.state[:size])) for size in range(0, len(newest.state), 211)),
        signed(replace(newest, state=b"")),
        signed(replace(newest, state=b"\x01\xc0")),
    ]
    for one in damaged:
        machine = await recovered(claimed, replace(history, snapshots=(one, older)), loaded)
        assert snapshot(machine) == expected


async def test_a_signed_snapshot_of_another_state_never_crashes_a_shard(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Even with a right checksum, what cannot go on is skipped, whatever it is that goes wrong."""
    bench = Bench()
    instance = await halfway(bench, monkeypatch)
    claimed, history, loaded = await prepared(bench, instance)
    newest = history.snapshots[0]
    rows = tuple(bench.store._tables.instances[instance].journal)
    generator = random.Random(11)
    for _ in range(300):
        at = generator.randrange(1, len(newest.state))
        state = newest.state[:at] + bytes([generator.randrange(256)]) + newest.state[at + 1 :]
        signed = replace(
            newest,
            state=state,
            checksum=checksum(instance, newest.seq, newest.program_hash, newest.state_format, state),
        )
        await recovered(claimed, replace(history, snapshots=(signed,), entries=rows), loaded)


async def test_a_journal_that_does_not_fit_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """A gap, a short end, a beginning that is missing: never guessed at."""
    bench = Bench()
    instance = await halfway(bench, monkeypatch)
    claimed, history, loaded = await prepared(bench, instance)
    rows = tuple(bench.store._tables.instances[instance].journal)
    cases = {
        "journal entry 4 is missing": replace(history, snapshots=(), entries=rows[:3] + rows[4:]),
        f"its journal ends at {len(rows) - 1}": replace(history, snapshots=(), entries=rows[:-1]),
        "does not begin at 1": replace(history, snapshots=(), entries=rows[1:]),
        "its snapshots are damaged": replace(
            history, snapshots=tuple(replace(one, checksum=b"") for one in history.snapshots)
        ),
    }
    for message, broken in cases.items():
        with pytest.raises(ProgramError, match=message):
            await recovered(claimed, broken, loaded)


async def test_a_journal_that_goes_on_after_the_end_is_refused() -> None:
    """An end is final: a replay that ends early is not what was run."""
    bench = Bench()
    instance = await bench.start(Steps, 2)
    async with bench.shard() as shard:
        await shard.settle()
        shard.succeed(shard.take(), 1)
        await shard.settle()
    claimed, history, loaded = await prepared(bench, instance)
    wrong = replace(claimed, input=bench.store._tables.instances[await bench.start(Steps, 1)].request.input)
    with pytest.raises(ProgramError, match="ends the run before entry 2"):
        await recovered(wrong, history, loaded)


async def test_recovery_lets_others_run(monkeypatch: pytest.MonkeyPatch) -> None:
    """A long journal is replayed in pieces."""
    bench = Bench()
    instance = await bench.start(Steps, 300)
    async with bench.shard() as shard:
        await shard.serve(lambda: len(bench.journal(instance)) >= 250)
    claimed, history, loaded = await prepared(bench, instance)

    class Ticking(ManualClock):
        def monotonic_us(self) -> int:
            self.advance(0.001)
            return super().monotonic_us()

    breaths = 0

    async def counted(_seconds: float) -> None:
        nonlocal breaths
        breaths += 1

    monkeypatch.setattr("waymark.executor.waiting.asyncio.sleep", counted)
    await recover(claimed, history, loaded, Pace(Ticking()))
    assert breaths >= 25


async def test_snapshots_of_a_wide_run_are_few() -> None:
    """Their bytes stay below a fixed share of the journal's, plus the first one: the cost of a fan-out is linear."""
    bench = Bench()
    instance = await bench.start(Fan, 20_000)
    written: list[int] = []
    real = bench.store.write_snapshots

    async def counting(executor_id, batch):  # type: ignore[no-untyped-def]
        written.extend(len(one.state) for one in batch)
        return await real(executor_id, batch)

    bench.store.write_snapshots = counting  # type: ignore[method-assign]
    async with bench.shard() as shard:
        await shard.serve(lambda: shard.finished == 1, batch=100)
    journaled = sum(len(row.events) for row in bench.store._tables.instances[instance].journal)
    assert len(written) <= 3
    assert sum(written[1:]) <= journaled


async def test_a_run_that_was_taken_over_ends_as_it_would_have() -> None:
    """After every entry the shard is killed, and another goes on."""
    bench = Bench()
    instance = await bench.start(Branches, 3)
    for _ in range(20):
        async with bench.shard() as shard:
            await shard.settle(0.1)
            if instance not in shard.executor._active:
                break
            call = shard.take()
            await shard.serve(lambda: True)
            shard.succeed(call, 1)
            await shard.settle()
    assert await bench.result(instance) == [2, 2, 2]
    assert len(bench.journal(instance)) == 6
