"""Handles of started runs. Importing this loads no gRPC; the first request does."""

from __future__ import annotations

import importlib
import uuid
from collections.abc import Coroutine, Mapping, Sequence
from typing import Any, Generic, TypeVar

from waymark.model.records import InstanceStatus
from waymark.sdk.workflow import Workflow, arguments_of

R = TypeVar("R")


class Handle(Generic[R]):
    """One started run, from whatever process; its type says what the run gives.

    Attributes:
        instance_id: Its id.
    """

    __slots__ = ("instance_id",)

    def __init__(self, instance_id: uuid.UUID) -> None:
        self.instance_id = instance_id

    async def status(self) -> InstanceStatus:
        """Where the run is now.

        Raises:
            InstanceNotFound: There is no such run, or retention removed it.
        """
        status: InstanceStatus = await _client().status_of(self.instance_id)
        return status

    async def result(self) -> R:
        """Wait for the run and give its result.

        Raises:
            WorkflowFailedError: It ended in failure.
            InstanceNotFound: There is no such run, or retention removed it.
        """
        result: R = await _client().result_of(self.instance_id)
        return result

    def __repr__(self) -> str:
        return f"Handle({self.instance_id})"


async def start(call: Coroutine[Any, Any, R], /, *, priority: int = 0) -> Handle[R]:
    """Start a run and do not wait for it: `handle = await start(Checkout().run("ann"), priority=5)`.

    The same as `_blocking=False`, but type checkers know what the run gives.

    Args:
        call: run() of a workflow, called and not awaited.
        priority: Higher goes first.

    Raises:
        TypeError: It is no call of run() of an @workflow class.
        UnsupportedPatternError: The workflow cannot be compiled.
        ValueEncodingError: An argument cannot be stored; nothing was started.
        BridgeError: The bridge refused, or does not answer.
    """
    cls, args, kwargs = arguments_of(call)
    (instance_id,) = await _client().start_instances(cls, [(args, kwargs)], priority=priority)
    return Handle(instance_id)


def handle(instance_id: uuid.UUID | str) -> Handle[Any]:
    """A handle of a run that was started earlier, here or elsewhere.

    Raises:
        ValueError: It is no UUID.
    """
    return Handle(instance_id if isinstance(instance_id, uuid.UUID) else uuid.UUID(instance_id))


async def start_many(
    cls: type[Workflow], inputs: Sequence[tuple[Sequence[Any], Mapping[str, Any]]], *, priority: int = 0
) -> list[Handle[Any]]:
    """Start one run per (args, kwargs), many in one request.

    Args:
        cls: The workflow.
        inputs: Arguments of run(), per run.
        priority: Higher goes first.

    Raises:
        UnsupportedPatternError: The workflow cannot be compiled.
        ValueEncodingError: An argument cannot be stored; nothing was started.
        BridgeError: The bridge refused, or does not answer.
    """
    ids = await _client().start_instances(cls, inputs, priority=priority)
    return [Handle(instance_id) for instance_id in ids]


def _client() -> Any:
    return importlib.import_module("waymark.sdk.client")
