"""Durable background workflows for Python teams that already run PostgreSQL. Public names; imports only."""

from waymark.errors import (
    ActionError,
    ActionLost,
    ActionTimeout,
    ExhaustedRetries,
    ExhaustedRetriesError,
    InstanceNotFound,
    ScheduleAlreadyExistsError,
    UnsupportedPatternError,
    ValueEncodingError,
    WaymarkError,
    WorkflowFailedError,
    WorkflowLimitExceeded,
)
from waymark.model.policy import RetryPolicy
from waymark.sdk.actions import action, registry
from waymark.sdk.context import current_call
from waymark.sdk.runs import Handle, handle, start_many
from waymark.sdk.workflow import Workflow, workflow, workflow_registry

__all__ = [
    "ActionError",
    "ActionLost",
    "ActionTimeout",
    "ExhaustedRetries",
    "ExhaustedRetriesError",
    "Handle",
    "InstanceNotFound",
    "RetryPolicy",
    "ScheduleAlreadyExistsError",
    "UnsupportedPatternError",
    "ValueEncodingError",
    "WaymarkError",
    "Workflow",
    "WorkflowFailedError",
    "WorkflowLimitExceeded",
    "action",
    "current_call",
    "handle",
    "registry",
    "start_many",
    "workflow",
    "workflow_registry",
]
