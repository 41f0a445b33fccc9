"""What a shard can never run is set aside with the reason; what it only cannot run yet is left for later."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from uuid import uuid4

import msgspec
import pytest

from waymark import Workflow, workflow
from waymark.errors import StoreDataError
from waymark.executor.executor import Executor, ExecutorSettings
from waymark.model.records import (
    Append,
    AppendAnswer,
    ExecutorId,
    InstanceId,
    InstanceStatus,
    InstanceView,
    NewInstance,
    WorkflowVersion,
)
from waymark.program.program import hash_program
from waymark.sdk.workflow import workflow_registry
from waymark.store.memory import MemoryStore
from waymark.values.codec import encode

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(20)]

SETTINGS = ExecutorSettings(max_instances=10, poll_interval_ms=10, persist_interval_ms=10)


@workflow
class Trivial(Workflow):
    async def run(self) -> int:
        return 1


@asynccontextmanager
async def running(store: MemoryStore) -> AsyncIterator[Executor]:
    """A shard that works on a store."""
    executor_id = ExecutorId(uuid4())
    await store.open_executor(executor_id, host="host", pid=1, ttl_ms=600_000)
    executor = Executor(executor_id, store, SETTINGS, send=lambda calls: None, cancel=lambda tokens: None)
    executor.use_lease_until(2**62)
    task = asyncio.create_task(executor.run())
    try:
        yield executor
        assert not task.done(), "the shard has ended"
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def start(store: MemoryStore, version: WorkflowVersion) -> InstanceId:
    """One instance of a version."""
    await store.register_version(version)
    instance_id = InstanceId(uuid4())
    arguments = encode([[], {}], root="arguments")
    await store.start_instances([NewInstance(instance_id, version.name, version.version, arguments)])
    return instance_id


async def seen(
    store: MemoryStore, instance_id: InstanceId, is_right: Callable[[InstanceView], bool]
) -> InstanceView:
    """The instance as soon as it looks right."""
    while True:
        view = (await store.read_instances([instance_id]))[instance_id]
        if is_right(view):
            return view
        await asyncio.sleep(0.005)


def version_of(program: bytes) -> WorkflowVersion:
    """A stored version as a bridge that checked nothing would have stored it."""
    return WorkflowVersion("damaged", "1", hashlib.sha256(program).digest(), 1, program, "")


def good_version() -> WorkflowVersion:
    """One that runs."""
    program = workflow_registry.compiled(Trivial).encoded
    return WorkflowVersion("trivial", "1", hash_program(program), 1, program, "")


async def test_a_damaged_program_sets_its_instances_aside() -> None:
    """The reason names the damage, and other instances go on."""
    store = MemoryStore()
    await store.start()
    poison = await start(store, version_of(b"\x93nonsense"))
    async with running(store):
        view = await seen(store, poison, lambda view: view.status is InstanceStatus.QUARANTINED)
        assert view.error_message.startswith("it cannot be recovered: stored program is damaged")
        healthy = await start(store, good_version())
        await seen(store, healthy, lambda view: view.status is InstanceStatus.COMPLETED)


async def test_a_newer_format_waits_for_a_newer_release() -> None:
    """Nothing is wrong with it: it is given back, due later, and stays a running instance."""
    store = MemoryStore()
    await store.start()
    newer = await start(store, version_of(msgspec.msgpack.encode({"format": 99})))
    async with running(store):
        await seen(store, newer, lambda view: view.status is InstanceStatus.RUNNING)
        other = await start(store, good_version())
        await seen(store, other, lambda view: view.status is InstanceStatus.COMPLETED)
    view = (await store.read_instances([newer]))[newer]
    assert (view.status, view.error_message) == (InstanceStatus.RUNNING, "")


class RefusingStore(MemoryStore):
    """A database that takes no entry."""

    async def append(self, executor_id: ExecutorId, batch: Sequence[Append]) -> AppendAnswer:
        raise StoreDataError("no", refused=frozenset(one.instance_id for one in batch))


async def test_an_entry_that_no_database_takes_sets_its_instance_aside() -> None:
    """At once, and not after five claims that each run the same step again."""
    store = RefusingStore()
    await store.start()
    instance_id = await start(store, good_version())
    async with running(store):
        view = await seen(store, instance_id, lambda view: view.status is InstanceStatus.QUARANTINED)
    assert view.error_message == "the database refuses its journal entry 1"


async def test_a_gap_in_the_journal_sets_its_instance_aside() -> None:
    """History cannot be invented: the instance stops with the number of the missing entry."""
    store = MemoryStore()
    await store.start()
    instance_id = await start(store, good_version())
    owner = ExecutorId(uuid4())
    await store.open_executor(owner, host="host", pid=1, ttl_ms=600_000)
    (claimed,) = (await store.claim(owner, limit=1)).instances
    await store.append(owner, [Append(instance_id, claimed.epoch, 0, b"not an entry")])
    await store.close_executor(owner)
    async with running(store):
        view = await seen(store, instance_id, lambda view: view.status is InstanceStatus.QUARANTINED)
    assert "journal entry 1: damaged journal entry" in view.error_message
