"""Durable background workflows for Python teams that already run PostgreSQL. Public names; imports only.

Each name is imported when it is first used: `import waymark.boot` and the pytest plugin, which run in processes that may never start
a workflow, then cost nothing of the compiler.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from waymark.errors import (
        ActionError,
        ActionLost,
        ActionTimeout,
        BootError,
        BridgeError,
        BridgeUnavailable,
        ConfigError,
        ExhaustedRetries,
        ExhaustedRetriesError,
        InstanceNotFound,
        ScheduleAlreadyExistsError,
        UnsupportedPatternError,
        ValueEncodingError,
        WaymarkError,
        WorkflowDeadlock,
        WorkflowFailedError,
        WorkflowLimitExceeded,
    )
    from waymark.model.policy import RetryPolicy
    from waymark.sdk.actions import action, registry
    from waymark.sdk.context import current_call
    from waymark.sdk.runs import Handle, handle, start, start_many
    from waymark.sdk.workflow import Workflow, workflow, workflow_registry

_HOMES = {
    "waymark.errors": (
        "ActionError",
        "ActionLost",
        "ActionTimeout",
        "BootError",
        "BridgeError",
        "BridgeUnavailable",
        "ConfigError",
        "ExhaustedRetries",
        "ExhaustedRetriesError",
        "InstanceNotFound",
        "ScheduleAlreadyExistsError",
        "UnsupportedPatternError",
        "ValueEncodingError",
        "WaymarkError",
        "WorkflowFailedError",
        "WorkflowDeadlock",
        "WorkflowLimitExceeded",
    ),
    "waymark.model.policy": ("RetryPolicy",),
    "waymark.sdk.actions": ("action", "registry"),
    "waymark.sdk.context": ("current_call",),
    "waymark.sdk.runs": ("Handle", "handle", "start", "start_many"),
    "waymark.sdk.workflow": ("Workflow", "workflow", "workflow_registry"),
}
_HOME = {name: module for module, names in _HOMES.items() for name in names}

__all__ = [
    "ActionError",
    "ActionLost",
    "ActionTimeout",
    "BootError",
    "BridgeError",
    "BridgeUnavailable",
    "ConfigError",
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
    "WorkflowDeadlock",
    "WorkflowFailedError",
    "WorkflowLimitExceeded",
    "action",
    "current_call",
    "handle",
    "registry",
    "start",
    "start_many",
    "workflow",
    "workflow_registry",
]


if not TYPE_CHECKING:  # a type checker would take any name for there

    def __getattr__(name: str) -> Any:
        if name not in _HOME:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        value = globals()[name] = getattr(import_module(_HOME[name]), name)
        return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
