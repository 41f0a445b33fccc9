"""From what is stored to a machine that waits: newest valid snapshot, then the journal after it."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Iterator

from waymark.errors import ProgramError, ValueDecodingError, ValueEncodingError
from waymark.executor.database_time import to_us
from waymark.executor.programs import LoadedProgram
from waymark.model.records import ClaimedInstance, History, InstanceId, JournalEntry, Snapshot
from waymark.vm.events import decode_entry
from waymark.vm.machine import Machine
from waymark.vm.snapshots import STATE_FORMAT, restore, snapshot

log = logging.getLogger("waymark.executor")


def checksum(
    instance_id: InstanceId, seq: int, program_hash: bytes, state_format: int, state: bytes
) -> bytes:
    """What ties a state to its instance, its place in the journal and its program."""
    digest = hashlib.sha256(instance_id.bytes)
    digest.update(seq.to_bytes(8, "big"))
    digest.update(program_hash)
    digest.update(state_format.to_bytes(4, "big"))
    digest.update(state)
    return digest.digest()


def take_snapshot(
    instance_id: InstanceId, seq: int, epoch: int, program_hash: bytes, machine: Machine
) -> Snapshot | None:
    """A snapshot of a machine that has applied entries 1 to `seq`; None when its state cannot be written."""
    try:
        state = snapshot(machine)
    except (ValueEncodingError, RecursionError) as error:
        log.debug("instance %s: no snapshot at %d: %s", instance_id, seq, error)
        return None
    return Snapshot(
        instance_id=instance_id,
        seq=seq,
        epoch=epoch,
        program_hash=program_hash,
        state_format=STATE_FORMAT,
        checksum=checksum(instance_id, seq, program_hash, STATE_FORMAT, state),
        state=state,
    )


def recover(claimed: ClaimedInstance, history: History, loaded: LoadedProgram) -> Machine:
    """Bring an instance back to where its journal ends. A snapshot that does not fit is skipped.

    Raises:
        ProgramError: The journal has a gap, ends elsewhere than the owner row says, or holds a damaged entry.
    """
    for stored in history.snapshots:
        machine = _from_snapshot(claimed, stored, loaded)
        if machine is not None:
            _replay(machine, claimed, history, stored.seq)
            return machine
    if (history.entries and history.entries[0].seq != 1) or (not history.entries and claimed.last_seq):
        raise ProgramError(
            f"instance {claimed.instance_id}: its snapshots are damaged and its journal does not begin at 1"
        )
    machine = Machine(loaded.program, loaded.classes)
    machine.begin(claimed.input, to_us(claimed.started_at))
    _replay(machine, claimed, history, 0)
    return machine


def _from_snapshot(claimed: ClaimedInstance, stored: Snapshot, loaded: LoadedProgram) -> Machine | None:
    if (
        stored.state_format != STATE_FORMAT
        or stored.program_hash != loaded.program_hash
        or stored.seq > claimed.last_seq
    ):
        return None
    expected = checksum(
        claimed.instance_id, stored.seq, stored.program_hash, stored.state_format, stored.state
    )
    if stored.instance_id != claimed.instance_id or stored.checksum != expected:
        log.warning(
            "instance %s: snapshot at %d is damaged; using the journal", claimed.instance_id, stored.seq
        )
        return None
    try:
        return restore(loaded.program, stored.state, loaded.classes)
    except (ValueDecodingError, RecursionError) as error:
        log.warning(
            "instance %s: snapshot at %d cannot be read (%s); using the journal",
            claimed.instance_id,
            stored.seq,
            error,
        )
        return None


def _replay(machine: Machine, claimed: ClaimedInstance, history: History, after: int) -> None:
    for entry in _entries_after(claimed, history, after):
        try:
            machine.apply(decode_entry(entry.events))
        except ValueDecodingError as error:
            raise ProgramError(
                f"instance {claimed.instance_id}: journal entry {entry.seq}: {error}"
            ) from error


def _entries_after(claimed: ClaimedInstance, history: History, after: int) -> Iterator[JournalEntry]:
    expected = after + 1
    for entry in history.entries:
        if entry.seq <= after:
            continue
        if entry.seq != expected:
            raise ProgramError(f"instance {claimed.instance_id}: journal entry {expected} is missing")
        expected += 1
        yield entry
    if expected != claimed.last_seq + 1:
        raise ProgramError(
            f"instance {claimed.instance_id}: its journal ends at {expected - 1}, its owner row at {claimed.last_seq}"
        )
