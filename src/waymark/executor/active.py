"""An instance in a shard's memory."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from waymark.executor.programs import LoadedProgram
from waymark.model.records import InstanceId
from waymark.vm.events import Effect, Event
from waymark.vm.machine import Machine

if TYPE_CHECKING:
    from waymark.executor.timers import Due


@dataclass(slots=True, eq=False)
class ActiveInstance:
    """One run, its ownership, and what happens to it right now.

    The machine has applied every entry that was queued for commit; what it asked for in the newest one waits in `held` until
    that one is accepted. At most one entry of an instance is on its way at a time.
    """

    instance_id: InstanceId
    workflow_name: str
    epoch: int
    last_seq: int
    """Newest accepted entry."""
    loaded: LoadedProgram
    machine: Machine
    inbox: list[Event] = field(default_factory=list)
    """What happened and is in no entry yet."""
    held: list[Effect] = field(default_factory=list)
    """Effects of the entry on its way."""
    is_appending: bool = False
    is_leaving: bool = False
    """To be released with the next batch: evicted or drained."""
    tokens: dict[int, int] = field(default_factory=dict)
    """Call id to dispatch token, for calls that were given to workers or wait for one."""
    bytes_since_snapshot: int = 0
    snapshot_bytes: int = 0
    """Size of the newest snapshot."""
    snapshot_seq: int = 0
    timer: Due | None = None
    """The entry of the shard's timers that stands for the machine's next one."""
    timer_us: int | None = None
    """When that is due."""

    @property
    def is_settled(self) -> bool:
        """Whether memory and journal agree, and nothing waits to be journaled."""
        return not self.is_appending and not self.inbox
