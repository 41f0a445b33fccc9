"""A failed run as an exception of the caller."""

from __future__ import annotations

import contextlib
import linecache
from typing import Any
from uuid import UUID

from waymark.errors import ValueDecodingError, WorkflowFailedError
from waymark.model.records import InstanceStatus
from waymark.values.codec import ClassSource, decode
from waymark.values.exceptions import MESSAGE, TRACE, TRACEBACK, attributes_of

_GROUP_DEPTH = 3
_GROUP_MEMBERS = 10


class RemoteTraceback(Exception):
    """Shows what happened in the run and in the worker; the cause of a `WorkflowFailedError`."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.text = text

    def __str__(self) -> str:
        return f"\n{self.text}"


def failure_of(
    instance_id: UUID, status: InstanceStatus, payload: bytes, classes: ClassSource
) -> WorkflowFailedError:
    """The error to raise for what a run ended with."""
    error: Any
    try:
        error = decode(payload, classes)
    except ValueDecodingError as problem:
        error = problem
    if not isinstance(error, BaseException):
        error = RuntimeError(f"the run ended as {status.value}")
    failure = WorkflowFailedError(instance_id, type(error).__name__, _message(error), attributes_of(error))
    failure.__cause__ = RemoteTraceback(describe(error))
    return failure


def _message(error: BaseException) -> str:
    known = vars(error).get(MESSAGE)
    return known if isinstance(known, str) else str(error)


def describe(error: BaseException, depth: int = 0) -> str:
    """The workflow's own call stack, the worker's traceback, and the same of the causes and of what a group holds.

    Args:
        depth: Groups around this exception.
    """
    parts: list[str] = []
    link: BaseException | None = error
    while link is not None and len(parts) < 10:
        parts.append(_one(link) + (_members(link, depth) if isinstance(link, BaseExceptionGroup) else ""))
        link = link.__cause__ or (None if link.__suppress_context__ else link.__context__)
    return "\nwhich was raised while handling, or because of:\n\n".join(parts)


def _members(group: BaseExceptionGroup[BaseException], depth: int) -> str:
    if depth == _GROUP_DEPTH:
        return ""
    lines: list[str] = []
    count = len(group.exceptions)
    for number, part in enumerate(group.exceptions[:_GROUP_MEMBERS], 1):
        lines.append(f"\n  {number} of {count}:")
        lines.extend(f"    {line}" for line in describe(part, depth + 1).splitlines())
    if count > _GROUP_MEMBERS:
        lines.append(f"\n  and {count - _GROUP_MEMBERS} more")
    return "\n".join(lines)


def _one(error: BaseException) -> str:
    lines: list[str] = []
    places = vars(error).get(TRACE) or []
    if places:
        lines.append("Traceback in the workflow (most recent call last):")
        for file, line, function in reversed(places):
            lines.append(f'  File "{file}", line {line}, in {function}')
            with contextlib.suppress(OSError):
                source = linecache.getline(file, line).strip()
                if source:
                    lines.append(f"    {source}")
        lines.append(f"{type(error).__qualname__}: {_message(error)}")
    remote = vars(error).get(TRACEBACK)
    if isinstance(remote, str) and remote:
        lines.append("Traceback in the worker:")
        lines.extend(f"  {line}" for line in remote.rstrip().splitlines())
    return "\n".join(lines) or f"{type(error).__qualname__}: {_message(error)}"
