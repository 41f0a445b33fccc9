"""What every backend accepts, checked before a row is queued so that one bad row harms no neighbour.

PostgreSQL's text holds neither NUL nor lone surrogates, its btree pages no key above 2.7 kB, its fields and
messages at most 1 GB. The memory store refuses the same, or tests on it would promise too much.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TypeVar

from waymark.errors import StoreDataError
from waymark.model.records import Append, NewInstance, Snapshot, WorkflowVersion

Row = TypeVar("Row")

MAX_NAME_BYTES = 500
"""Longest workflow name and version, in UTF-8."""

MAX_KEY_BYTES = 1000
"""Longest idempotency key, in UTF-8."""

MAX_ROW_BYTES = 256 * 1024 * 1024
"""Most payload bytes of one row."""

MAX_STATEMENT_BYTES = 32 * 1024 * 1024
"""Payload bytes of one statement, past which a batch is cut; a bigger row goes alone."""


def check_version(version: WorkflowVersion) -> None:
    """Refuse a version that cannot be stored.

    Raises:
        StoreDataError: Says which field is wrong.
    """
    _check_text("workflow name", version.name, MAX_NAME_BYTES)
    _check_text("workflow version", version.version, MAX_NAME_BYTES)
    _check_text("workflow source", version.source, MAX_ROW_BYTES)
    if len(version.program_hash) != 32:
        raise StoreDataError(f"program hash must be 32 bytes, got {len(version.program_hash)}")
    if len(version.program) > MAX_ROW_BYTES:
        raise StoreDataError(f"program must be at most {MAX_ROW_BYTES} bytes, got {len(version.program)}")


def check_new_instances(batch: Sequence[NewInstance]) -> None:
    """Refuse a batch of start requests that holds one which cannot be stored.

    Raises:
        StoreDataError: Says which field is wrong; `refused` holds the first bad request's id.
    """
    for new in batch:
        try:
            _check_text("workflow name", new.workflow_name, MAX_NAME_BYTES)
            _check_text("workflow version", new.workflow_version, MAX_NAME_BYTES)
            if new.idempotency_key is not None:
                _check_text("idempotency key", new.idempotency_key, MAX_KEY_BYTES)
            if not -(2**31) <= new.priority < 2**31:
                raise StoreDataError(f"priority must fit 32 bits, got {new.priority}")
            if len(new.input) > MAX_ROW_BYTES:
                raise StoreDataError(f"input must be at most {MAX_ROW_BYTES} bytes, got {len(new.input)}")
        except StoreDataError as error:
            raise StoreDataError(
                f"{error} (instance {new.instance_id})", refused=frozenset({new.instance_id})
            ) from None


def payload_bytes(row: Append | Snapshot) -> int:
    """Payload bytes of a journal entry or a snapshot."""
    if isinstance(row, Snapshot):
        return len(row.state)
    return len(row.events) + (len(row.outcome.payload) if row.outcome else 0)


def cut_by_size(batch: Sequence[Row], sizes: Sequence[int]) -> Iterator[list[Row]]:
    """Cut a batch into parts of at most MAX_STATEMENT_BYTES, in order; a bigger row is a part of its own."""
    part: list[Row] = []
    total = 0
    for row, size in zip(batch, sizes, strict=True):
        if part and total + size > MAX_STATEMENT_BYTES:
            yield part
            part, total = [], 0
        part.append(row)
        total += size
    if part:
        yield part


def listable(text: str) -> str:
    """Text for lists: what PostgreSQL cannot hold is replaced by U+FFFD. The exact text is in the payload."""
    return text.replace("\0", "\ufffd").encode("utf-8", "surrogatepass").decode("utf-8", "replace")


def _check_text(what: str, text: str, max_bytes: int) -> None:
    try:
        size = len(text.encode())
    except UnicodeEncodeError:
        raise StoreDataError(f"{what} must be valid Unicode, got {text!r:.80}") from None
    if "\0" in text:
        raise StoreDataError(f"{what} must not hold a NUL character, got {text!r:.80}")
    if size > max_bytes:
        raise StoreDataError(f"{what} must be at most {max_bytes} bytes, got {size}")
