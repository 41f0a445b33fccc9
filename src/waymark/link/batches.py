"""Cutting a list into batches that fit into one message."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TypeVar

T = TypeVar("T")

MAX_BATCH_ITEMS = 200
"""Past about 200 items the cost of the message itself no longer shows (measured: 50 to 200 are alike)."""

MAX_BATCH_BYTES = 16 * 1024 * 1024
"""Bodies of one batch together; one body may be larger, it then travels alone."""


def batches(
    items: list[T],
    size_of: Callable[[T], int],
    *,
    max_items: int = MAX_BATCH_ITEMS,
    max_bytes: int = MAX_BATCH_BYTES,
) -> Iterator[list[T]]:
    """Cut `items` into consecutive lists, each within both limits or of one item.

    Args:
        items: In the order they must keep.
        size_of: Bytes of one item, about.
    """
    batch: list[T] = []
    size = 0
    for item in items:
        item_size = size_of(item)
        if batch and (len(batch) >= max_items or size + item_size > max_bytes):
            yield batch
            batch, size = [], 0
        batch.append(item)
        size += item_size
    if batch:
        yield batch
