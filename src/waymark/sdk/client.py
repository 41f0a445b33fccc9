"""Starting runs and waiting for them, over the bridge."""

from __future__ import annotations

import inspect
import os
import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from waymark.bridge.client import NotRegistered
from waymark.compiler.source import own_run
from waymark.config import load_client
from waymark.errors import InstanceNotFound
from waymark.model.records import InstanceStatus
from waymark.proto import workflow_pb2 as pb
from waymark.sdk.actions import registry
from waymark.sdk.classes import LiveClasses
from waymark.sdk.connection import connector
from waymark.sdk.failures import failure_of
from waymark.sdk.workflow import Workflow, workflow_registry
from waymark.values.codec import decode, encode

BATCH = 500
"""Instances in one request."""

_CLASSES = LiveClasses(registry)


async def run_workflow(
    cls: type[Workflow], args: Sequence[Any], kwargs: Mapping[str, Any], *, blocking: bool, priority: int
) -> Any:
    """Start a run; what `await MyWorkflow().run(...)` does.

    Returns:
        The result; with `blocking` off the instance id; None when `WAYMARK_SKIP_WAIT_FOR_INSTANCE` is on.
    """
    (instance_id,) = await start_instances(cls, [(args, kwargs)], priority=priority)
    if not blocking:
        return instance_id
    if load_client(os.environ).skip_wait_for_instance:
        return None
    return await result_of(instance_id)


async def start_instances(
    cls: type[Workflow], inputs: Sequence[tuple[Sequence[Any], Mapping[str, Any]]], *, priority: int
) -> list[uuid.UUID]:
    """Start one run per (args, kwargs); every input is checked before the first is started."""
    encoded = [_encode_input(cls, args, kwargs) for args, kwargs in inputs]
    ids: list[uuid.UUID] = []
    for first in range(0, len(encoded), BATCH):
        batch = [
            pb.NewInstance(instance_id=uuid.uuid4().bytes, input=data, priority=priority)
            for data in encoded[first : first + BATCH]
        ]
        ids.extend(await _start(cls, batch))
    return ids


async def status_of(instance_id: uuid.UUID) -> InstanceStatus:
    """Where a run is now."""
    found = await connector.client().look([instance_id.bytes])
    if not found:
        raise InstanceNotFound(
            f"no instance has the id {instance_id}: it never existed, or retention removed it"
        )
    return InstanceStatus(found[0].status)


async def result_of(instance_id: uuid.UUID) -> Any:
    """Wait for a run; its result, or what it failed with."""
    (info,) = await connector.client().wait([instance_id.bytes])
    status = InstanceStatus(info.status)
    if status is not InstanceStatus.COMPLETED:
        raise failure_of(instance_id, status, info.payload, _CLASSES)
    return decode(info.payload, _CLASSES)


def _encode_input(cls: type[Workflow], args: Sequence[Any], kwargs: Mapping[str, Any]) -> bytes:
    """Arguments of run() as they are stored; what run() would not take is refused here, before anything is written."""
    run = own_run(cls)
    assert run is not None
    bound = inspect.signature(run).bind(None, *args, **kwargs)
    return encode([list(bound.args[1:]), bound.kwargs], root=f"arguments of {cls.__qualname__}.run()")


async def _start(cls: type[Workflow], batch: Sequence[pb.NewInstance]) -> list[uuid.UUID]:
    client = connector.client()
    compiled = workflow_registry.compiled(cls)
    name, wanted = cls.short_name(), cls.version or compiled.hash.hex()
    version = await client.register(name, wanted, compiled.encoded, compiled.source)
    try:
        ids = await client.start(name, version, batch, connector.client_id())
    except NotRegistered:
        # Another bridge answers than the one that was told: a new in-memory bridge knows nothing yet.
        await client.close()
        await client.register(name, wanted, compiled.encoded, compiled.source)
        ids = await client.start(name, version, batch, connector.client_id())
    return [uuid.UUID(bytes=instance_id) for instance_id in ids]
