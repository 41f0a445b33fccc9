"""Waymark's own classes that may travel as values; both sides have them."""

from __future__ import annotations

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
    )
}
"""By identity."""
