"""From what is stored to a machine that waits: newest valid snapshot, then the journal after it."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Sequence

from waymark.errors import ProgramError, ValueDecodingError, ValueEncodingError
from waymark.executor.database_time import to_us
from waymark.executor.programs import LoadedProgram
from waymark.executor.waiting import Pace
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
    except (ValueEncodingError, RecursionError, MemoryError) as error:
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


async def recover(claimed: ClaimedInstance, history: History, loaded: LoadedProgram, pace: Pace) -> Machine:
    """Bring an instance back to where its journal ends. A snapshot that does not fit is skipped.

    Args:
        pace: Lets others run in between, for a journal can be long.

    Raises:
        ProgramError: The journal has a gap, ends elsewhere than the owner row says, holds a damaged entry, or goes on
            after the run's end.
    """
    entries = _check_dense(claimed, history)
    for stored in history.snapshots:
        machine = _from_snapshot(claimed, stored, loaded)
        if machine is None:
            continue
        try:
            await _replay(machine, claimed, entries, stored.seq, pace)
        except Exception as error:
            log.warning(
                "instance %s: the journal does not go on from the snapshot at %d (%s); using an earlier one",
                claimed.instance_id,
                stored.seq,
                error,
            )
        else:
            return machine
    if (entries and entries[0].seq != 1) or (not entries and claimed.last_seq):
        raise ProgramError(
            f"instance {claimed.instance_id}: its snapshots are damaged and its journal does not begin at 1"
        )
    machine = Machine(loaded.code)
    machine.begin(claimed.input, to_us(claimed.started_at), claimed.seed)
    await _replay(machine, claimed, entries, 0, pace)
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
        return restore(loaded.code, stored.state)
    except Exception as error:  # whatever is wrong with a cache, the journal is the truth
        log.warning(
            "instance %s: snapshot at %d cannot be read (%s); using the journal",
            claimed.instance_id,
            stored.seq,
            error,
        )
        return None


async def _replay(
    machine: Machine, claimed: ClaimedInstance, entries: Sequence[JournalEntry], after: int, pace: Pace
) -> None:
    for entry in entries:
        if entry.seq <= after:
            continue
        try:
            decoded = decode_entry(entry.events)
        except ValueDecodingError as error:
            raise ProgramError(
                f"instance {claimed.instance_id}: journal entry {entry.seq}: {error}"
            ) from error
        _check_alive(machine, claimed, entry.seq)
        machine.apply(decoded)
        await pace.breathe()
    _check_alive(machine, claimed, claimed.last_seq + 1)


def _check_alive(machine: Machine, claimed: ClaimedInstance, seq: int) -> None:
    """Whoever wrote the journal saw the run go on here: an end is written with the entry that led to it, and is final."""
    if machine.outcome is not None:
        raise ProgramError(
            f"instance {claimed.instance_id}: replaying its journal ends the run before entry {seq}, "
            "but it went on when the journal was written"
        )


def _check_dense(claimed: ClaimedInstance, history: History) -> Sequence[JournalEntry]:
    entries = history.entries
    first = entries[0].seq if entries else claimed.last_seq + 1
    for expected, entry in enumerate(entries, first):
        if entry.seq != expected:
            raise ProgramError(f"instance {claimed.instance_id}: journal entry {expected} is missing")
    if first + len(entries) != claimed.last_seq + 1:
        raise ProgramError(
            f"instance {claimed.instance_id}: its journal ends at {first + len(entries) - 1}, "
            f"its owner row at {claimed.last_seq}"
        )
    return entries
