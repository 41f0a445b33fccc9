"""One shard over a memory store, with a clock and faults that a test decides."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

from waymark.clock import ManualClock
from waymark.errors import StoreUnavailable
from waymark.executor.dispatch import Outgoing
from waymark.executor.executor import Executor, ExecutorSettings
from waymark.model.records import (
    Append,
    AppendAnswer,
    Claim,
    ExecutorId,
    History,
    InstanceId,
    InstanceStatus,
    InstanceView,
    JournalEntry,
    NewInstance,
    Quarantine,
    Release,
    Snapshot,
    WorkflowVersion,
)
from waymark.program.program import hash_program
from waymark.proto.worker_pb2 import ActionDispatch, ActionResult, Lost, TimedOut, Unavailable
from waymark.sdk.workflow import Workflow, workflow_registry
from waymark.store.memory import MemoryStore
from waymark.values.codec import decode, encode, encode_exception
from waymark.vm.events import Entry, decode_entry

FAR_US = 2**62
LEASE_MS = 10**9
EPOCH = datetime(2026, 1, 1, tzinfo=UTC)

SETTINGS = ExecutorSettings(max_instances=100, poll_interval_ms=50, persist_interval_ms=100)


class FaultyStore(MemoryStore):
    """A memory store that fails when it is told to, and writes down what was asked of it."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        super().__init__(now=now)
        self.log: list[str] = []
        self.is_down = False
        self.lost_replies = 0
        """Appends to come whose answer is lost after they took effect."""
        self.gate: asyncio.Event | None = None
        """Appends wait for it."""
        self.claims = 0

    def _check(self, what: str) -> None:
        self.log.append(what)
        if self.is_down:
            raise StoreUnavailable("down")

    async def claim(self, executor_id: ExecutorId, *, limit: int) -> Claim:
        self._check("claim")
        self.claims += 1
        return await super().claim(executor_id, limit=limit)

    async def append(self, executor_id: ExecutorId, batch: Sequence[Append]) -> AppendAnswer:
        if self.gate is not None:
            await self.gate.wait()
        self._check("append")
        answer = await super().append(executor_id, batch)
        if self.lost_replies:
            self.lost_replies -= 1
            raise StoreUnavailable("the answer was lost")
        self.log.append("accepted")
        return answer

    async def read_histories(self, ids: Sequence[InstanceId]) -> Any:
        self._check("read_histories")
        return await super().read_histories(ids)

    async def read_version(self, name: str, version: str) -> WorkflowVersion | None:
        self._check("read_version")
        return await super().read_version(name, version)

    async def write_snapshots(
        self, executor_id: ExecutorId, batch: Sequence[Snapshot]
    ) -> frozenset[InstanceId]:
        self._check("write_snapshots")
        return await super().write_snapshots(executor_id, batch)

    async def release(self, executor_id: ExecutorId, batch: Sequence[Release]) -> frozenset[InstanceId]:
        self._check("release")
        return await super().release(executor_id, batch)

    async def quarantine(self, executor_id: ExecutorId, batch: Sequence[Quarantine]) -> frozenset[InstanceId]:
        self._check("quarantine")
        return await super().quarantine(executor_id, batch)

    async def notify(self, channel: str) -> None:
        self._check(f"notify {channel}")
        await super().notify(channel)


class Bench:
    """A database of a test: its clock, its instances, and what is in them."""

    def __init__(self) -> None:
        self.clock = ManualClock()
        self.store = FaultyStore(self.now)
        self.versions: dict[type[Workflow], WorkflowVersion] = {}

    def now(self) -> datetime:
        """The database's clock, which is the test's."""
        return EPOCH + timedelta(microseconds=self.clock.monotonic_us())

    async def start(self, cls: type[Workflow], *args: Any) -> InstanceId:
        """One instance."""
        return (await self.start_many(cls, [args]))[0]

    async def start_many(self, cls: type[Workflow], arguments: Iterable[tuple[Any, ...]]) -> list[InstanceId]:
        """An instance for each tuple of arguments."""
        version = self.versions.get(cls)
        if version is None:
            program = workflow_registry.compiled(cls).encoded
            version = WorkflowVersion(cls.short_name(), "1", hash_program(program), 1, program, "")
            self.versions[cls] = version
            await self.store.register_version(version)
        batch = [
            NewInstance(InstanceId(uuid4()), version.name, "1", encode([list(args), {}]))
            for args in arguments
        ]
        await self.store.start_instances(batch)
        return [new.instance_id for new in batch]

    async def view(self, instance_id: InstanceId) -> InstanceView:
        """What a caller sees."""
        return (await self.store.read_instances([instance_id]))[instance_id]

    async def result(self, instance_id: InstanceId) -> Any:
        """The value a finished instance ended with."""
        view = await self.view(instance_id)
        assert view.status is InstanceStatus.COMPLETED, (view.status, view.error_type, view.error_message)
        assert view.payload is not None
        return decode(view.payload)

    async def history(self, instance_id: InstanceId) -> History:
        """What recovery would read."""
        return (await MemoryStore.read_histories(self.store, [instance_id]))[instance_id]

    def journal(self, instance_id: InstanceId) -> list[Entry]:
        """Every entry of an instance."""
        rows: list[JournalEntry] = self.store._tables.instances[instance_id].journal
        assert [row.seq for row in rows] == list(range(1, len(rows) + 1))
        return [decode_entry(row.events) for row in rows]

    @asynccontextmanager
    async def shard(
        self, settings: ExecutorSettings = SETTINGS, *, lease_us: int = FAR_US
    ) -> AsyncIterator[Shard]:
        """A running shard, killed at the end without a word unless it was stopped before."""
        executor_id = ExecutorId(uuid4())
        await MemoryStore.open_executor(self.store, executor_id, host="host", pid=1, ttl_ms=LEASE_MS)
        shard = Shard(self, executor_id, settings)
        shard.executor.use_lease_until(lease_us)
        task = asyncio.create_task(shard.executor.run())
        try:
            yield shard
            assert not task.done(), "the shard has ended"
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            await MemoryStore.close_executor(self.store, executor_id)


class Shard:
    """An executor, and what it sent."""

    def __init__(self, bench: Bench, executor_id: ExecutorId, settings: ExecutorSettings) -> None:
        self.bench = bench
        self.executor_id = executor_id
        self.sent: deque[Outgoing] = deque()
        self.sent_total = 0
        self.cancelled: list[int] = []
        self.executor = Executor(
            executor_id,
            bench.store,
            settings,
            send=self._send,
            cancel=self.cancelled.extend,
            clock=bench.clock,
        )

    def _send(self, calls: Sequence[Outgoing]) -> None:
        self.bench.store.log.append("dispatch")
        self.sent.extend(calls)
        self.sent_total += len(calls)

    async def settle(self, seconds: float = 0.0) -> None:
        """Let time pass and everything happen that follows from it."""
        self.bench.clock.advance(seconds)
        for _ in range(25):
            await asyncio.sleep(0)

    async def until(self, is_so: Callable[[], bool], *, step_s: float = 0.05) -> None:
        """Let time pass until something is so."""
        for _ in range(2000):
            if is_so():
                return
            await self.settle(step_s)
        raise AssertionError("it never came to be")

    def take(self) -> Outgoing:
        """The oldest call that was sent and not looked at yet."""
        return self.sent.popleft()

    def succeed(self, call: Outgoing, value: Any = None) -> None:
        """A worker answers."""
        self.executor.deliver([(call.token, ActionResult(value=encode(value)).SerializeToString())])

    def fail(self, call: Outgoing, error: BaseException) -> None:
        """A worker answers with an exception."""
        result = ActionResult(exception=encode_exception(error))
        self.executor.deliver([(call.token, result.SerializeToString())])

    def lose(self, call: Outgoing) -> None:
        """The worker has died."""
        self.executor.deliver([(call.token, ActionResult(lost=Lost(reason="died")).SerializeToString())])

    def time_out(self, call: Outgoing) -> None:
        """The call ran too long."""
        self.executor.deliver([(call.token, ActionResult(timed_out=TimedOut()).SerializeToString())])

    def refuse(self, call: Outgoing) -> None:
        """No worker knows the action."""
        result = ActionResult(unavailable=Unavailable(reason="not there yet"))
        self.executor.deliver([(call.token, result.SerializeToString())])

    async def serve(self, is_done: Callable[[], bool], *, batch: int = 1000) -> None:
        """Answer every call with its first argument until something is so."""
        for _ in range(100_000):
            if is_done():
                return
            results: list[tuple[int, bytes]] = []
            while self.sent and len(results) < batch:
                call = self.sent.popleft()
                args, _kwargs = decode(arguments_of(call))
                value = encode(args[0] if args else None)
                results.append((call.token, ActionResult(value=value).SerializeToString()))
            self.executor.deliver(results)
            if results:
                await asyncio.sleep(0)
            else:
                await self.settle(0.05)
        raise AssertionError("it never came to be")

    @property
    def finished(self) -> int:
        """Instances that ended here."""
        return self.executor.figures.instances_completed


def arguments_of(call: Outgoing) -> bytes:
    """Encoded arguments of a call that was sent."""
    return ActionDispatch.FromString(call.body).arguments
