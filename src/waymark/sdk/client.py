"""Starting runs and waiting for them, over the bridge."""

from __future__ import annotations

import inspect
import os
import uuid
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from waymark.bridge.client import Registration
from waymark.compiler import CompiledWorkflow
from waymark.compiler.source import own_run
from waymark.config import load_client
from waymark.errors import UnsupportedPatternError
from waymark.model.identity import MODE_MEMORY
from waymark.model.records import InstanceStatus
from waymark.proto import workflow_pb2 as pb
from waymark.sdk.actions import registry
from waymark.sdk.classes import LiveClasses
from waymark.sdk.connection import connector
from waymark.sdk.failures import failure_of
from waymark.sdk.workflow import Workflow, workflow_registry
from waymark.values.codec import decode, encode

BATCH = 500
"""Most instances in one request."""

BATCH_BYTES = 16 * 1024 * 1024
"""Most bytes of inputs in one request, unless a single one is bigger."""

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
    check_priority(priority)
    encoded = [_encode_input(cls, args, kwargs) for args, kwargs in inputs]
    compiled = workflow_registry.compiled(cls)
    await _refuse_script(cls, compiled)
    registration = Registration(
        cls.short_name(), cls.version or compiled.hash.hex(), compiled.encoded, compiled.source
    )
    client = connector.client()
    ids: list[uuid.UUID] = []
    for batch in _batches(encoded):
        new = [
            pb.NewInstance(instance_id=uuid.uuid4().bytes, input=data, priority=priority) for data in batch
        ]
        started = await client.start(registration, new, connector.client_id())
        ids.extend(uuid.UUID(bytes=instance_id) for instance_id in started)
    return ids


async def status_of(instance_id: uuid.UUID) -> InstanceStatus:
    """Where a run is now."""
    info = await connector.client().look(instance_id.bytes)
    return InstanceStatus(info.status)


async def result_of(instance_id: uuid.UUID) -> Any:
    """Wait for a run; its result, or what it failed with."""
    info = await connector.client().wait(instance_id.bytes)
    status = InstanceStatus(info.status)
    if status is not InstanceStatus.COMPLETED:
        raise failure_of(instance_id, status, info.payload, _CLASSES)
    return decode(info.payload, _CLASSES)


def check_priority(priority: object) -> None:
    """Refuse what no queue can be ordered by.

    Raises:
        TypeError: It is no int.
        ValueError: It does not fit 32 bits.
    """
    if isinstance(priority, bool) or not isinstance(priority, int):
        raise TypeError(f"_priority must be an int, got {priority!r}")
    if not -(2**31) <= priority < 2**31:
        raise ValueError(f"_priority must fit 32 bits, got {priority}")


def _encode_input(cls: type[Workflow], args: Sequence[Any], kwargs: Mapping[str, Any]) -> bytes:
    """Arguments of run() as they are stored; what run() would not take is refused here, before anything is written."""
    run = own_run(cls)
    assert run is not None
    bound = inspect.signature(run).bind(None, *args, **kwargs)
    return encode([list(bound.args[1:]), bound.kwargs], root=f"arguments of {cls.__qualname__}.run()")


def _batches(inputs: Sequence[bytes]) -> Iterator[list[bytes]]:
    """Inputs of one request each: not too many, and not too large a message."""
    batch: list[bytes] = []
    size = 0
    for data in inputs:
        if batch and (len(batch) >= BATCH or size + len(data) > BATCH_BYTES):
            yield batch
            batch, size = [], 0
        batch.append(data)
        size += len(data)
    if batch:
        yield batch


async def _refuse_script(cls: type[Workflow], compiled: CompiledWorkflow) -> None:
    """What stands in the script that runs exists under another name, or not at all, in a worker: it cannot be run there.

    The in-memory engine has no workers: it runs actions here, so there a script may hold them.

    Raises:
        UnsupportedPatternError: An action, or a class that only workers can build, is defined in `__main__`.
    """
    program = compiled.program
    here = [action.name for action in program.actions if action.module == "__main__"]
    here += [info.key.qualname for info in program.classes if info.has_code and info.key.module == "__main__"]
    if here and await connector.client().mode() != MODE_MEMORY:
        raise UnsupportedPatternError(
            f"{cls.__qualname__} uses {', '.join(here)} of the script that runs (__main__), which worker processes cannot import; "
            f"move workflows and actions to a module of their own, such as flows.py, and import it in the script"
        )
