"""Random histories of operations give the same observable answers in memory and in PostgreSQL."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.store.backends import Backend, MemoryBackend, PostgresBackend, execute, snapshot, version
from waymark.errors import WaymarkError
from waymark.model.records import (
    Append,
    ClaimedInstance,
    ExecutorId,
    InstanceId,
    InstanceStatus,
    NewInstance,
    Outcome,
    Quarantine,
    Release,
)

EXECUTORS = [ExecutorId(UUID(int=n)) for n in range(1, 4)]
INSTANCES = [InstanceId(UUID(int=n)) for n in range(1, 7)]
FIXED = datetime(2000, 1, 1, tzinfo=UTC)

HOUR_S = 3600
"""Lease times, delays and the moves of the clock are hours, so that the seconds a busy machine takes decide nothing."""

EXAMPLES = 60
"""Histories that are played."""

Step = tuple[Any, ...]

executors = st.integers(0, len(EXECUTORS) - 1)
# None: an owner, for what it owns.
senders = st.sampled_from([None, None, None, 0, 1, 2])
instances = st.integers(0, len(INSTANCES) - 1)
requests = st.tuples(
    instances,
    st.sampled_from(["1", "1", "1", "2", "9"]),
    st.sampled_from([b"", b"a"]),
    st.integers(-1, 1),
    st.sampled_from([None, None, "k", "l"]),
)
# How far from the truth an append, release or snapshot is: mostly right, so that histories grow.
drifts = st.tuples(*[st.sampled_from([0, 0, 0, 0, 0, 0, -1, 1])] * 2)
rows = st.lists(
    st.tuples(instances, drifts, st.sampled_from([b"x", b"y"])),
    min_size=1,
    max_size=4,
    unique_by=lambda row: row[0],
)

steps = st.one_of(
    st.tuples(st.just("start"), st.lists(requests, min_size=1, max_size=4)),
    st.tuples(st.just("open"), executors),
    st.tuples(st.just("renew"), st.lists(executors, max_size=3)),
    st.tuples(st.just("close"), executors),
    st.tuples(st.just("reclaim"), st.integers(1, 3)),
    st.tuples(st.just("claim"), executors, st.integers(1, 4)),
    st.tuples(st.just("claim"), executors, st.integers(1, 4)),
    st.tuples(st.just("append"), senders, rows, st.booleans()),
    st.tuples(st.just("append"), senders, rows, st.just(False)),
    st.tuples(st.just("append"), senders, rows, st.just(False)),
    st.tuples(st.just("repeat")),
    st.tuples(st.just("release"), senders, rows, st.sampled_from([None, -HOUR_S // 12, HOUR_S // 2])),
    st.tuples(st.just("quarantine"), senders, rows),
    st.tuples(st.just("snapshot"), senders, rows),
    st.tuples(st.just("advance"), st.sampled_from([HOUR_S // 3, HOUR_S + 60])),
)


class Player:
    """Plays steps on one backend; what a step sends depends only on the steps and answers before it."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend
        self._store = backend.store
        self._owners: dict[InstanceId, ExecutorId] = {}
        self._epochs: dict[InstanceId, int] = {}
        self._seqs: dict[InstanceId, int] = {}
        self._last: tuple[ExecutorId, list[Append]] | None = None

    async def play(self, step: Step) -> object:
        """The answer of one step, without its times."""
        try:
            answer: object = await getattr(self, f"_{step[0]}")(*step[1:])
        except WaymarkError as error:
            answer = type(error).__name__
        return answer

    async def look(self) -> object:
        """Everything that can be read, without times."""
        views = await self._store.read_instances(INSTANCES)
        finished = await self._store.read_finished(INSTANCES)
        histories = await self._store.read_histories(INSTANCES)
        return (
            {key: _timeless(view) for key, view in views.items()},
            {key: _timeless(view) for key, view in finished.items()},
            {
                key: (history.snapshots, [replace(one, committed_at=FIXED) for one in history.entries])
                for key, history in histories.items()
            },
        )

    async def _start(
        self, batch: Sequence[tuple[int, str, bytes, int, str | None]]
    ) -> Mapping[InstanceId, InstanceId]:
        return await self._store.start_instances(
            [
                NewInstance(INSTANCES[at], "shop", number, data, priority, key)
                for at, number, data, priority, key in batch
            ]
        )

    async def _open(self, at: int) -> ExecutorId:
        lease = await self._store.open_executor(EXECUTORS[at], host="host", pid=at, ttl_ms=HOUR_S * 1000)
        return lease.executor_id

    async def _renew(self, which: Sequence[int]) -> frozenset[ExecutorId]:
        return await self._store.renew_executors([EXECUTORS[at] for at in which], ttl_ms=HOUR_S * 1000)

    async def _close(self, at: int) -> int:
        return await self._store.close_executor(EXECUTORS[at])

    async def _reclaim(self, limit: int) -> int:
        return await self._store.reclaim_expired(limit=limit)

    async def _claim(self, at: int, limit: int) -> object:
        claim = await self._store.claim(EXECUTORS[at], limit=limit)
        for one in claim.instances:
            self._owners[one.instance_id] = EXECUTORS[at]
            self._epochs[one.instance_id] = one.epoch
            self._seqs[one.instance_id] = one.last_seq
        return [
            replace(one, created_at=FIXED, started_at=FIXED, entropy=EXECUTORS[0]) for one in claim.instances
        ], claim.quarantined

    async def _append(self, at: int | None, chosen: Sequence[Step], is_end: bool) -> object:
        sender, chosen = self._aim(at, chosen)
        batch = []
        for where, (epoch, seq), events in chosen:
            instance_id, outcome = INSTANCES[where], None
            if is_end:
                outcome = Outcome(InstanceStatus.FAILED, events, "Error", f"at {where}")
            batch.append(
                Append(instance_id, self._epoch(where) + epoch, self._seq(where) + seq, events, outcome)
            )
        self._last = (sender, batch)
        accepted = (await self._store.append(*self._last)).accepted
        for one in batch:
            if one.instance_id in accepted:
                self._seqs[one.instance_id] = one.last_seq + 1
                if is_end:
                    self._owners.pop(one.instance_id, None)
        return accepted

    async def _repeat(self) -> object:
        return (await self._store.append(*self._last)).accepted if self._last else None

    async def _release(self, at: int | None, chosen: Sequence[Step], wake: int | None) -> object:
        sender, chosen = self._aim(at, chosen)
        wake_at = None
        if wake is not None:
            now = (await self._store.append(EXECUTORS[0], [])).database_now
            wake_at = now + timedelta(seconds=wake)
        return await self._store.release(
            sender,
            [
                Release(INSTANCES[where], self._epoch(where) + epoch, self._seq(where) + seq, wake_at)
                for where, (epoch, seq), _ in chosen
            ],
        )

    async def _quarantine(self, at: int | None, chosen: Sequence[Step]) -> object:
        sender, chosen = self._aim(at, chosen)
        return await self._store.quarantine(
            sender,
            [
                Quarantine(INSTANCES[where], self._epoch(where) + epoch, self._seq(where) + seq, "why")
                for where, (epoch, seq), _ in chosen
            ],
        )

    async def _snapshot(self, at: int | None, chosen: Sequence[Step]) -> object:
        sender, chosen = self._aim(at, chosen)
        return await self._store.write_snapshots(
            sender,
            [
                snapshot(self._owned(where, epoch), max(0, self._seq(where) + seq), data)
                for where, (epoch, seq), data in chosen
            ],
        )

    async def _advance(self, seconds: int) -> None:
        await self._backend.advance(seconds)

    def _owned(self, where: int, drift: int) -> ClaimedInstance:
        return ClaimedInstance(
            INSTANCES[where],
            "shop",
            "1",
            b"",
            FIXED,
            self._epoch(where) + drift,
            0,
            0,
            FIXED,
            INSTANCES[where],
        )

    def _aim(self, at: int | None, chosen: Sequence[Step]) -> tuple[ExecutorId, list[Step]]:
        """Who sends what: as drawn, or, for None, an owner that sends for what it owns as far as we know."""
        if at is not None or not self._owners or not chosen:
            return EXECUTORS[at or 0], list(chosen)
        ids = list(self._owners)
        sender = self._owners[ids[chosen[0][0] % len(ids)]]
        own = [one for one in ids if self._owners[one] == sender]
        aimed = {own[where % len(own)]: (drift, events) for where, drift, events in chosen}
        return sender, [(INSTANCES.index(one), *rest) for one, rest in aimed.items()]

    def _epoch(self, where: int) -> int:
        return self._epochs.get(INSTANCES[where], 1)

    def _seq(self, where: int) -> int:
        return self._seqs.get(INSTANCES[where], 0)


def _timeless(view: Any) -> object:
    return replace(
        view,
        created_at=FIXED,
        started_at=view.started_at and FIXED,
        finished_at=view.finished_at and FIXED,
    )


def test_both_backends_answer_alike(database_url: str) -> None:
    """Whatever is done in whatever order, what can be observed is the same."""
    seen = {"accepted": 0, "refused": 0, "ended": 0}

    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        database=None,
        phases=[Phase.explicit, Phase.generate, Phase.shrink],
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
    )
    @given(st.lists(steps, min_size=10, max_size=50))
    def play(history: list[Step]) -> None:
        runner.run(_compare(database_url, history, seen))

    with asyncio.Runner() as runner:
        play()
    assert seen["accepted"] > 20, seen
    assert seen["refused"] > 20, seen
    assert seen["ended"] > 0, seen


async def _compare(dsn: str, history: list[Step], seen: dict[str, int]) -> None:
    await execute(
        dsn,
        "TRUNCATE waymark.workflow_versions, waymark.instances, waymark.instance_state, waymark.executors,"
        " waymark.journal, waymark.snapshots",
    )
    backends: list[Backend] = [MemoryBackend(), PostgresBackend(dsn)]
    players = [Player(backend) for backend in backends]
    try:
        for backend in backends:
            for number in ("1", "2"):
                await backend.store.register_version(version(number=number))
        # Something to work on; the ids of a batch are in no order.
        opening: list[Step] = [("open", 0), ("open", 1)]
        opening += [("start", [(at, "1", b"", at % 2, None) for at in batch]) for batch in ([3, 1, 2], [0])]
        opening += [("claim", 0, 2), ("claim", 1, 1)]
        for number_of_step, step in enumerate([*opening, *history]):
            expected, actual = [await player.play(step) for player in players]
            assert actual == expected, f"step {number_of_step}: {step}"
            if step[0] == "append" and isinstance(actual, frozenset):
                seen["accepted"] += len(actual)
                seen["refused"] += len(step[2]) - len(actual)
                seen["ended"] += len(actual) if step[3] else 0
        expected, actual = [await player.look() for player in players]
        assert actual == expected
    finally:
        for backend in backends:
            await backend.store.stop()
