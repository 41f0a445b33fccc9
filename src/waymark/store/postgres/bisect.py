"""Finding the rows of a batch that the database refuses, so that their neighbours are written all the same."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from waymark.errors import StoreDataError
from waymark.model.records import Append, InstanceId, Snapshot
from waymark.store.limits import MAX_ROW_BYTES, cut_by_size, payload_bytes

Row = TypeVar("Row", Append, Snapshot)


@dataclass(slots=True)
class Written:
    """What became of a batch."""

    accepted: set[InstanceId] = field(default_factory=set)
    refused: dict[InstanceId, str] = field(default_factory=dict)
    """With the reason of each."""

    def raise_if_refused(self, what: str) -> None:
        """Report refused rows.

        Raises:
            StoreDataError: There are some.
        """
        if self.refused:
            reason = next(iter(self.refused.values()))
            raise StoreDataError(
                f"{len(self.refused)} of {len(self.refused) + len(self.accepted)} {what} cannot be stored: {reason}",
                accepted=frozenset(self.accepted),
                refused=frozenset(self.refused),
            )


async def write_apart(
    batch: Sequence[Row], write: Callable[[Sequence[Row]], Awaitable[frozenset[InstanceId]]]
) -> Written:
    """Write a batch whose rows do not depend on each other, cutting it wherever it is too big or is refused.

    Args:
        batch: At most one row per instance.
        write: Writes some of them by one statement and says which it accepted.

    Raises:
        StoreUnavailable: No answer; parts may be written, and the whole may be repeated.
    """
    written: Written = Written()
    fitting: list[Row] = []
    for row in batch:
        if payload_bytes(row) > MAX_ROW_BYTES:
            written.refused[row.instance_id] = (
                f"{payload_bytes(row)} bytes, at most {MAX_ROW_BYTES} are stored"
            )
        else:
            fitting.append(row)
    # A stack of parts still to be written, so that the order of the batch is kept.
    parts = list(cut_by_size(fitting, [payload_bytes(row) for row in fitting]))[::-1]
    while parts:
        part = parts.pop()
        try:
            written.accepted |= await write(part)
        except StoreDataError as error:
            if len(part) == 1:
                written.refused[part[0].instance_id] = str(error)
            else:
                middle = len(part) // 2
                parts += [part[middle:], part[:middle]]
    return written
