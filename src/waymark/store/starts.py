"""Which requests of a start batch are new, decided alike for every backend.

Requests count in order, as if each were sent alone: a known instance id is left as it is; else a known
idempotency key leads to the instance that has it; else the request is new.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from waymark.errors import IdempotencyConflict
from waymark.model.records import InstanceId, NewInstance


@dataclass(frozen=True, slots=True)
class Known:
    """What the store holds already for one request."""

    has_id: bool
    """The instance id exists."""
    key_owner: InstanceId | None
    """The instance that has the request's workflow name and idempotency key."""
    is_same: bool
    """That instance has the request's version and input."""


@dataclass(frozen=True, slots=True)
class Resolved:
    """A start batch, decided."""

    answers: Mapping[InstanceId, InstanceId]
    """For each requested id the instance that stands for it."""
    fresh: tuple[NewInstance, ...]
    """Requests that have to be added."""


def resolve_starts(batch: Sequence[NewInstance], known: Mapping[int, Known]) -> Resolved:
    """Decide a batch.

    Args:
        batch: The requests, in order.
        known: By position in the batch; a position that is missing is unknown to the store.

    Raises:
        IdempotencyConflict: A key exists, in the store or earlier in the batch, with another version or input.
    """
    answers: dict[InstanceId, InstanceId] = {}
    fresh: dict[InstanceId, NewInstance] = {}
    by_key: dict[tuple[str, str], NewInstance] = {}
    for position, new in enumerate(batch):
        found = known.get(position)
        if new.instance_id in fresh or (found and found.has_id):
            answers[new.instance_id] = new.instance_id
            continue
        if found and found.key_owner is not None:
            if not found.is_same:
                raise _conflict(new, found.key_owner)
            answers[new.instance_id] = found.key_owner
            continue
        if new.idempotency_key is not None:
            first = by_key.setdefault((new.workflow_name, new.idempotency_key), new)
            if first is not new:
                if (first.workflow_version, first.input) != (new.workflow_version, new.input):
                    raise _conflict(new, first.instance_id)
                answers[new.instance_id] = first.instance_id
                continue
        fresh[new.instance_id] = new
        answers[new.instance_id] = new.instance_id
    return Resolved(answers, tuple(fresh.values()))


def has_repeats(batch: Sequence[NewInstance]) -> bool:
    """Whether two requests of a batch share an id or a key, so that which is new depends on the store."""
    ids = {new.instance_id for new in batch}
    keys = [(new.workflow_name, new.idempotency_key) for new in batch if new.idempotency_key is not None]
    return len(ids) < len(batch) or len(set(keys)) < len(keys)


def _conflict(new: NewInstance, existing: InstanceId) -> IdempotencyConflict:
    return IdempotencyConflict(
        f"idempotency key {new.idempotency_key!r} of workflow {new.workflow_name!r} belongs to instance {existing}, "
        f"which was started with another version or input; use a new key for a different start"
    )
