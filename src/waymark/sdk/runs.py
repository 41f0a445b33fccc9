"""Handles of started runs. Importing this loads no gRPC; the first request does."""

from __future__ import annotations

import importlib
import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from waymark.model.records import InstanceStatus
from waymark.sdk.workflow import Workflow


class Handle:
    """One started run, from whatever process.

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

    async def result(self) -> Any:
        """Wait for the run and give its result.

        Raises:
            WorkflowFailedError: It ended in failure.
            InstanceNotFound: There is no such run, or retention removed it.
        """
        return await _client().result_of(self.instance_id)

    def __repr__(self) -> str:
        return f"Handle({self.instance_id})"


def handle(instance_id: uuid.UUID | str) -> Handle:
    """A handle of a run that was started earlier, here or elsewhere.

    Raises:
        ValueError: It is no UUID.
    """
    return Handle(instance_id if isinstance(instance_id, uuid.UUID) else uuid.UUID(instance_id))


async def start_many(
    cls: type[Workflow], inputs: Sequence[tuple[Sequence[Any], Mapping[str, Any]]], *, priority: int = 0
) -> list[Handle]:
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
