"""Classes of Waymark and of asyncio that may travel as values; both sides have them."""

from __future__ import annotations

import asyncio
import binascii
import dataclasses
import decimal
import json
import re
import statistics
import zoneinfo

from waymark import errors
from waymark.model.policy import RetryPolicy
from waymark.values.classes import ClassKey

LIBRARY_EXCEPTIONS: tuple[type[BaseException], ...] = (
    binascii.Error,
    dataclasses.FrozenInstanceError,
    json.JSONDecodeError,
    re.error,
    statistics.StatisticsError,
    zoneinfo.ZoneInfoNotFoundError,
    decimal.DecimalException,
    decimal.Clamped,
    decimal.DivisionByZero,
    decimal.FloatOperation,
    decimal.Inexact,
    decimal.InvalidOperation,
    decimal.Overflow,
    decimal.Rounded,
    decimal.Subnormal,
    decimal.Underflow,
)
"""Exceptions of Python's library, besides the builtin ones, that functions of workflows raise."""

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
        errors.WorkflowDeadlock,
        re.RegexFlag,
        asyncio.CancelledError,
        asyncio.BrokenBarrierError,
        asyncio.InvalidStateError,
        asyncio.QueueEmpty,
        asyncio.QueueFull,
    )
}
KNOWN_CLASSES.update({ClassKey(cls.__module__, cls.__qualname__): cls for cls in LIBRARY_EXCEPTIONS})
KNOWN_CLASSES.update(dict.fromkeys((ClassKey("re", "error"), ClassKey("re", "PatternError")), re.error))
"""By identity. Python 3.13 gave that of `re` another name."""
