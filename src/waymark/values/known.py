"""Classes of Waymark and of asyncio that may travel as values; both sides have them."""

from __future__ import annotations

import asyncio

from waymark import errors
from waymark.model.policy import RetryPolicy
from waymark.values.classes import ClassKey

KNOWN_CLASSES: dict[ClassKey, type] = {
    ClassKey(cls.__module__, cls.__qualname__): cls
    for cls in (
        RetryPolicy,
        errors.WaymarkError,
        errors.ActionError,
        errors.ActionTimeout,
        errors.ActionLost,
        errors.ExhaustedRetriesError,
        errors.ValueEncodingError,
        errors.ValueDecodingError,
        errors.WorkflowLimitExceeded,
        asyncio.CancelledError,
        asyncio.InvalidStateError,
        asyncio.QueueEmpty,
        asyncio.QueueFull,
    )
}
"""By identity."""
