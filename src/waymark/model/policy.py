"""How often and how patiently a call is tried again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

DEFAULT_ATTEMPTS = 101
"""Executions that `RetryPolicy()` allows: the first one and 100 retries."""


@dataclass(frozen=True)
class RetryPolicy:
    """When a failed attempt of an action is followed by another.

    Args:
        attempts: Executions in total, the first one included. At least 1.
        exception_types: Names of exception classes that are retried; a name matches the class and every
            subclass. Empty means every `Exception` except `ActionTimeout`, which must be named.
        backoff_seconds: Pause before each retry, in seconds.

    Raises:
        ValueError: A field is out of its range.
        TypeError: A field is of another type.
    """

    attempts: int = DEFAULT_ATTEMPTS
    exception_types: Sequence[str] = ()
    backoff_seconds: float = 0.0

    def __post_init__(self) -> None:
        if isinstance(self.attempts, bool) or not isinstance(self.attempts, int):
            raise TypeError(f"RetryPolicy.attempts must be an int, got {self.attempts!r}")
        if self.attempts < 1:
            raise ValueError(f"RetryPolicy.attempts must be at least 1, got {self.attempts}")
        given: object = self.exception_types
        if isinstance(given, str):
            raise TypeError("RetryPolicy.exception_types must be a list of class names, got one str")
        names = tuple(self.exception_types)
        for name in names:
            if not isinstance(name, str):
                raise TypeError(f"RetryPolicy.exception_types must hold class names, got {name!r}")
        object.__setattr__(self, "exception_types", names)
        if isinstance(self.backoff_seconds, bool) or not isinstance(self.backoff_seconds, int | float):
            raise TypeError(f"RetryPolicy.backoff_seconds must be a number, got {self.backoff_seconds!r}")
        if not 0 <= self.backoff_seconds < 1e9:
            raise ValueError(f"RetryPolicy.backoff_seconds must be 0 or more, got {self.backoff_seconds}")

    def allows(self, attempt: int, class_names: frozenset[str] | set[str]) -> bool:
        """Whether an attempt that failed is followed by another.

        Args:
            attempt: The attempt that failed, from 1.
            class_names: Names of the exception's class and all its bases.
        """
        if attempt >= self.attempts:
            return False
        if self.exception_types:
            return any(name in class_names for name in self.exception_types)
        return "Exception" in class_names and "ActionTimeout" not in class_names


def timeout_us(timeout: object) -> int:
    """Microseconds of a `timeout=` argument; 0 for None, which is no limit.

    Args:
        timeout: Seconds as int or float, a timedelta, or None.

    Raises:
        TypeError: It is of another type.
        ValueError: It is not above 0.
    """
    if timeout is None:
        return 0
    if isinstance(timeout, timedelta):
        seconds = timeout.total_seconds()
    elif isinstance(timeout, int | float) and not isinstance(timeout, bool):
        seconds = float(timeout)
    else:
        raise TypeError(f"run_action() timeout must be seconds or a timedelta, got {type(timeout).__name__}")
    if not 0 < seconds < 1e9:
        raise ValueError(f"run_action() timeout must be above 0 seconds, got {seconds:g}")
    return max(1, round(seconds * 1_000_000))


def timeout_message(action: str, after_us: int) -> str:
    """Message of the `ActionTimeout` of one attempt."""
    return f"action {action} ran longer than its timeout of {after_us / 1_000_000:g} s"
