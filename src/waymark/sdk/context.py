"""What an action may know about the call that it runs for."""

from __future__ import annotations

from contextvars import ContextVar
from dataclasses import dataclass
from uuid import UUID


@dataclass(frozen=True, slots=True)
class CurrentCall:
    """One attempt at one call."""

    instance_id: UUID
    """The run that asked for it."""
    workflow_name: str
    call_id: int
    """Number of the call within its run."""
    attempt: int
    """From 1; the same number comes again when a worker or host was lost, because that costs no attempt."""
    idempotency_key: str
    """The same for every attempt at the call: give it to the services that the action calls."""


current: ContextVar[CurrentCall | None] = ContextVar("waymark_current_call", default=None)
"""Set by the worker around each action."""


def current_call() -> CurrentCall | None:
    """The call that the running action serves; None outside of a worker."""
    return current.get()
