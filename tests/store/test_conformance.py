"""Every sentence of `waymark.store.protocol`, on every backend."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from uuid import uuid4

import pytest

from tests.store.backends import (
    FAR,
    Backend,
    claimed_one,
    entry,
    executor,
    giving_back,
    new,
    open_backend,
    snapshot,
    started,
    version,
)
from waymark.errors import IdempotencyConflict, StoreDataError, VersionConflict
from waymark.model.records import (
    TERMINAL,
    Append,
    ExecutorId,
    History,
    InstanceId,
    InstanceStatus,
    NewInstance,
    Outcome,
    Quarantine,
)
from waymark.store.protocol import CHANNEL_DONE, CHANNEL_READY, MAX_CLAIMS_WITHOUT_PROGRESS, Store

pytestmark = pytest.mark.anyio


@pytest.fixture(params=["memory", "postgres"])
def place(request: pytest.FixtureRequest) -> str:
    """Where each backend in turn keeps its data: a DSN, or "" for memory."""
    dsn: str = request.getfixturevalue("database_url") if request.param == "postgres" else ""
    return dsn


@pytest.fixture
async def backend(place: str) -> AsyncIterator[Backend]:
    """Each backend in turn."""
    async with open_backend(place) as opened:
        yield opened


@pytest.fixture
def store(backend: Backend) -> Store:
    """Its store."""
    return backend.store


# Versions


async def test_a_registered_version_is_read_back_whole(store: Store) -> None:
    """Every field of a version survives."""
    stored = version("report", "v7", bytes(range(256)))
    await store.register_version(stored)
    assert await store.read_version("report", "v7") == stored


async def test_an_unknown_version_is_none(store: Store) -> None:
    """Reading what was never registered is an answer, not an error."""
    assert await store.read_version("shop", "2") is None
    assert await store.read_version("ship", "1") is None


async def test_registering_the_same_program_again_changes_nothing(store: Store) -> None:
    """Registration may be repeated, also by many at once."""
    await asyncio.gather(*(store.register_version(version("shop", "3")) for _ in range(5)))
    assert await store.read_version("shop", "3") == version("shop", "3")


async def test_another_program_under_a_known_version_is_refused(store: Store) -> None:
    """A stored version is immutable."""
    with pytest.raises(VersionConflict, match="'shop' version '1' is stored with another program"):
        await store.register_version(version(program=b"changed"))
    assert await store.read_version("shop", "1") == version()


# Starting


async def test_a_started_instance_is_queued(store: Store) -> None:
    """An acknowledged start is visible at once, with what was asked for."""
    request = new(priority=7)
    assert await store.start_instances([request]) == {request.instance_id: request.instance_id}
    view = (await store.read_instances([request.instance_id]))[request.instance_id]
    assert (view.workflow_name, view.workflow_version, view.priority) == ("shop", "1", 7)
    assert view.status is InstanceStatus.QUEUED
    assert (view.started_at, view.finished_at, view.payload) == (None, None, None)
    assert (view.error_type, view.error_message) == ("", "")
    assert view.created_at.utcoffset() == timedelta()


async def test_a_repeated_start_starts_nothing_twice(store: Store) -> None:
    """A start whose answer was lost can be sent again, even after the instance ended."""
    request = new()
    owner = await executor(store)
    await store.start_instances([request])
    await store.append(owner, [entry(await claimed_one(store, owner), end=True)])
    assert await store.start_instances([request]) == {request.instance_id: request.instance_id}
    assert (await store.claim(owner, limit=10)).instances == ()
    assert (await store.read_instances([request.instance_id]))[request.instance_id].status in TERMINAL


async def test_a_known_idempotency_key_leads_to_the_earlier_instance(store: Store) -> None:
    """A second start with the same key, version and input is the first one."""
    first, second = new(key="order-1"), new(key="order-1")
    await store.start_instances([first])
    assert await store.start_instances([second]) == {second.instance_id: first.instance_id}
    assert await store.read_instances([second.instance_id]) == {}


async def test_a_key_repeated_inside_a_batch_starts_one_instance(store: Store) -> None:
    """Requests of one batch count in order."""
    first, second, other = new(key="order-1"), new(key="order-1"), new()
    answers = await store.start_instances([first, second, other])
    assert answers == {
        first.instance_id: first.instance_id,
        second.instance_id: first.instance_id,
        other.instance_id: other.instance_id,
    }
    assert set(await store.read_instances([*answers])) == {first.instance_id, other.instance_id}


async def test_a_key_belongs_to_its_workflow_name(store: Store) -> None:
    """The same key under another workflow is another key."""
    await store.register_version(version("ship"))
    first, second = new(key="order-1"), new(key="order-1", name="ship")
    await store.start_instances([first])
    assert await store.start_instances([second]) == {second.instance_id: second.instance_id}


@pytest.mark.parametrize("other", [{"input": b"changed"}, {"number": "2"}])
async def test_a_key_with_another_input_or_version_is_refused_with_its_batch(
    store: Store, other: dict[str, object]
) -> None:
    """A conflict adds nothing of the batch."""
    await store.register_version(version(number="2"))
    await store.start_instances([new(key="order-1")])
    neighbour = new()
    conflicting = new(key="order-1", **other)  # type: ignore[arg-type]
    with pytest.raises(IdempotencyConflict, match="'order-1' of workflow 'shop' belongs to instance"):
        await store.start_instances([neighbour, conflicting])
    assert await store.read_instances([neighbour.instance_id, conflicting.instance_id]) == {}


async def test_a_conflict_inside_a_batch_adds_nothing(store: Store) -> None:
    """Two requests of one batch may not share a key with different inputs."""
    batch = [new(key="order-1"), new(key="order-1", input=b"changed")]
    with pytest.raises(IdempotencyConflict):
        await store.start_instances(batch)
    assert await store.read_instances([one.instance_id for one in batch]) == {}


async def test_an_unregistered_version_is_refused_with_its_batch(store: Store) -> None:
    """No instance can exist without its program."""
    neighbour, unknown = new(), new(number="9")
    with pytest.raises(VersionConflict, match="'shop' '9'"):
        await store.start_instances([neighbour, unknown])
    assert await store.read_instances([neighbour.instance_id, unknown.instance_id]) == {}


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        ({"key": "a\0b"}, "must not hold a NUL"),
        ({"key": "\ud800"}, "must be valid Unicode"),
        ({"key": "k" * 1001}, "must be at most 1000 bytes, got 1001"),
        ({"priority": 2**31}, "priority must fit 32 bits, got 2147483648"),
    ],
)
async def test_a_request_that_no_database_holds_is_refused(
    store: Store, bad: dict[str, object], reason: str
) -> None:
    """What cannot be stored is named before anything is written."""
    neighbour = new()
    request = new(**bad)  # type: ignore[arg-type]
    with pytest.raises(StoreDataError, match=reason) as caught:
        await store.start_instances([neighbour, request])
    assert caught.value.refused == {request.instance_id}
    assert await store.read_instances([neighbour.instance_id]) == {}


async def test_an_empty_batch_is_no_error(store: Store) -> None:
    """Nothing to do is done."""
    owner = await executor(store)
    assert await store.start_instances([]) == {}
    assert await store.read_instances([]) == {}
    assert await store.read_finished([]) == {}
    assert await store.read_histories([]) == {}
    assert await store.renew_executors([], ttl_ms=1000) == frozenset()
    assert await store.release(owner, []) == frozenset()
    assert await store.write_snapshots(owner, []) == frozenset()
    assert (await store.append(owner, [])).accepted == frozenset()


async def test_unknown_instances_are_left_out_of_views(store: Store) -> None:
    """Views exist for those that exist."""
    (known,) = await started(store)
    assert set(await store.read_instances([known, InstanceId(uuid4())])) == {known}


# Executors


async def test_an_open_lease_says_when_it_ends(store: Store) -> None:
    """The lease row repeats what was given and ends ttl after now."""
    executor_id = ExecutorId(uuid4())
    lease = await store.open_executor(executor_id, host="web-1", pid=42, ttl_ms=60_000)
    database_now = (await store.claim(executor_id, limit=1)).database_now
    assert (lease.executor_id, lease.host, lease.pid) == (executor_id, "web-1", 42)
    assert timedelta(seconds=50) < lease.expires_at - database_now <= timedelta(seconds=60)


async def test_opening_a_lease_again_extends_it(store: Store) -> None:
    """An open whose answer was lost can be sent again."""
    executor_id = ExecutorId(uuid4())
    first = await store.open_executor(executor_id, host="web-1", pid=42, ttl_ms=60_000)
    second = await store.open_executor(executor_id, host="web-1", pid=42, ttl_ms=90_000)
    assert second.expires_at > first.expires_at


async def test_an_executor_id_is_never_used_twice(backend: Backend) -> None:
    """A lease that ended is not opened again under its id."""
    store = backend.store
    expired, closed = await executor(store, ttl_s=60), await executor(store)
    await backend.advance(61)
    await store.close_executor(closed)
    for executor_id in (expired, closed):
        with pytest.raises(StoreDataError, match=f"executor id {executor_id} was used before"):
            await store.open_executor(executor_id, host="host", pid=1, ttl_ms=1000)


async def test_renewal_keeps_a_lease_alive(backend: Backend) -> None:
    """A renewed lease lives ttl from the renewal on."""
    store = backend.store
    owner = await executor(store, ttl_s=60)
    await started(store)
    await backend.advance(50)
    assert await store.renew_executors([owner], ttl_ms=60_000) == {owner}
    await backend.advance(50)
    assert len((await store.claim(owner, limit=1)).instances) == 1


async def test_renewal_never_revives(backend: Backend) -> None:
    """What has expired, was closed or never existed is not returned and stays dead."""
    store = backend.store
    expired, closed, alive = await executor(store, ttl_s=60), await executor(store), await executor(store)
    await store.close_executor(closed)
    await backend.advance(61)
    everyone = [expired, closed, alive, ExecutorId(uuid4())]
    assert await store.renew_executors(everyone, ttl_ms=60_000) == {alive}
    await started(store)
    assert (await store.claim(expired, limit=1)).instances == ()
    assert (await store.claim(closed, limit=1)).instances == ()


async def test_closing_gives_instances_back_at_once(store: Store) -> None:
    """A closed executor's instances are claimable without waiting for its lease; closing may be repeated."""
    first, second = await executor(store), await executor(store)
    ids = await started(store, 3)
    await store.claim(first, limit=3)
    assert (await store.claim(second, limit=3)).instances == ()
    assert await store.close_executor(first) == 3
    assert await store.close_executor(first) == 0
    claim = await store.claim(second, limit=3)
    assert [one.instance_id for one in claim.instances] == ids
    assert {one.epoch for one in claim.instances} == {2}


async def test_closing_an_unknown_executor_gives_back_nothing(store: Store) -> None:
    """Closing is safe whatever happened before."""
    assert await store.close_executor(ExecutorId(uuid4())) == 0


async def test_closing_does_not_count_as_progress(store: Store) -> None:
    """A shard that its supervisor retires after a crash may have been killed by what it ran."""
    await started(store)
    for claims in (1, 2, 3):
        owner = await executor(store)
        assert (await claimed_one(store, owner)).claims_without_progress == claims
        await store.close_executor(owner)


async def test_reclaim_gives_back_what_expired_leases_own(backend: Backend) -> None:
    """The sweep frees up to its limit and leaves the living alone."""
    store = backend.store
    dead, alive = await executor(store, ttl_s=60), await executor(store)
    await started(store, 5)
    await store.claim(dead, limit=3)
    await store.claim(alive, limit=2)
    assert await store.reclaim_expired(limit=10) == 0
    await backend.advance(61)
    assert await store.reclaim_expired(limit=2) == 2
    assert await store.reclaim_expired(limit=2) == 1
    assert await store.reclaim_expired(limit=2) == 0
    assert len((await store.claim(alive, limit=10)).instances) == 3


# Claims


async def test_a_claim_hands_out_what_is_needed_to_run(store: Store) -> None:
    """A claimed instance carries its request, its epoch and where its journal ends."""
    request = new(input=b"\0\xff")
    await store.start_instances([request])
    claimed = await claimed_one(store, await executor(store))
    view = (await store.read_instances([request.instance_id]))[request.instance_id]
    assert (claimed.instance_id, claimed.workflow_name, claimed.workflow_version) == (
        request.instance_id,
        "shop",
        "1",
    )
    assert (claimed.input, claimed.created_at) == (b"\0\xff", view.created_at)
    assert (claimed.epoch, claimed.last_seq, claimed.claims_without_progress) == (1, 0, 1)


async def test_a_claimed_instance_is_running(store: Store) -> None:
    """The first claim marks it, and says when; later ones do not move that time."""
    (instance_id,) = await started(store)
    first = await claimed_one(store, owner := await executor(store))
    view = (await store.read_instances([instance_id]))[instance_id]
    assert view.status is InstanceStatus.RUNNING
    assert view.created_at <= first.started_at == view.started_at
    await store.close_executor(owner)
    second = await claimed_one(store, await executor(store))
    assert second.started_at == first.started_at
    assert (await store.read_instances([instance_id]))[instance_id] == view


async def test_every_instance_has_a_seed_of_its_own_for_life(store: Store) -> None:
    """Drawn when it is added: the next owner makes the same chance of it, and no other instance does."""
    await started(store)
    first = await claimed_one(store, owner := await executor(store))
    await store.close_executor(owner)
    second = await claimed_one(store, await executor(store))
    await started(store)
    other = await claimed_one(store, await executor(store))
    assert first.seed == second.seed != other.seed
    assert str(first.entropy) not in repr(first)


async def test_claims_go_by_priority_then_age(store: Store) -> None:
    """Higher priority first; among equals the one that has been due longest."""
    low = await started(store, 2, priority=-5)
    high = await started(store, 2, priority=5)
    middle = await started(store, 2)
    owner = await executor(store)
    first = await store.claim(owner, limit=3)
    second = await store.claim(owner, limit=9)
    assert [one.instance_id for one in first.instances + second.instances] == high + middle + low


async def test_instances_of_one_batch_are_claimed_in_its_order(store: Store) -> None:
    """Who starts a list of instances gets them run from the front, whatever their ids."""
    batch = sorted([new() for _ in range(20)], key=lambda request: request.instance_id, reverse=True)
    await store.start_instances(batch)
    views = await store.read_instances([request.instance_id for request in batch])
    ages = [views[request.instance_id].created_at for request in batch]
    assert ages == sorted(set(ages))
    owner = await executor(store)
    claims = [await store.claim(owner, limit=10) for _ in range(2)]
    order = [one.instance_id for claim in claims for one in claim.instances]
    assert order == [request.instance_id for request in batch]


async def test_a_claim_takes_no_more_than_its_limit(store: Store) -> None:
    """What is over the limit stays for others."""
    await started(store, 5)
    first, second = await executor(store), await executor(store)
    assert len((await store.claim(first, limit=2)).instances) == 2
    assert len((await store.claim(second, limit=9)).instances) == 3


async def test_claimers_never_share_an_instance(store: Store) -> None:
    """Any number of claims at once hand out each instance to one of them."""
    ids = await started(store, 40)
    owners = [await executor(store) for _ in range(4)]
    claims = await asyncio.gather(*(store.claim(owner, limit=3) for owner in owners for _ in range(5)))
    taken = [one.instance_id for claim in claims for one in claim.instances]
    assert len(taken) == len(set(taken))
    rest = await store.claim(owners[0], limit=100)
    assert {*taken, *(one.instance_id for one in rest.instances)} == set(ids)


async def test_an_executor_without_a_live_lease_gets_nothing(backend: Backend) -> None:
    """Neither an expired, nor a closed, nor an unknown executor may own anything."""
    store = backend.store
    expired, closed = await executor(store, ttl_s=60), await executor(store)
    await store.close_executor(closed)
    await backend.advance(61)
    ids = await started(store)
    for one in (expired, closed, ExecutorId(uuid4())):
        assert (await store.claim(one, limit=9)).instances == ()
    assert (await store.read_instances(ids))[ids[0]].status is InstanceStatus.QUEUED


async def test_an_expired_lease_is_claimed_over_without_a_sweep(backend: Backend) -> None:
    """Claims see expired leases themselves; epoch and count of claims go up."""
    store = backend.store
    dead = await executor(store, ttl_s=60)
    await started(store)
    before = await claimed_one(store, dead)
    await store.append(dead, [entry(before)])
    await backend.advance(61)
    after = await claimed_one(store, await executor(store))
    assert (after.epoch, after.last_seq, after.claims_without_progress) == (2, 1, 1)


async def test_orphans_keep_their_place_in_the_queue(backend: Backend) -> None:
    """What a dead executor owned is claimed by priority and age like everything else."""
    store = backend.store
    oldest = await started(store, 2)
    dead = await executor(store, ttl_s=60)
    await store.claim(dead, limit=2)
    newer, urgent = await started(store), await started(store, priority=1)
    await backend.advance(61)
    owner = await executor(store)
    order = [(await store.claim(owner, limit=1)).instances[0].instance_id for _ in range(4)]
    assert order == urgent + oldest + newer


async def test_a_claim_without_progress_too_often_quarantines(store: Store) -> None:
    """An instance that never gets anywhere is set aside, with the reason, and harms nobody further."""
    (instance_id,) = await started(store)
    for claims in range(1, MAX_CLAIMS_WITHOUT_PROGRESS + 1):
        owner = await executor(store)
        assert (await claimed_one(store, owner)).claims_without_progress == claims
        await store.close_executor(owner)
    owner = await executor(store)
    claim = await store.claim(owner, limit=9)
    assert (claim.instances, claim.quarantined) == ((), (instance_id,))
    claim = await store.claim(owner, limit=9)
    assert (claim.instances, claim.quarantined) == ((), ())
    view = (await store.read_instances([instance_id]))[instance_id]
    assert (view.status, view.error_type) == (InstanceStatus.QUARANTINED, "Quarantined")
    assert "5 times without an accepted step" in view.error_message
    assert await store.read_finished([instance_id]) == {}


async def test_quarantine_spares_the_others_of_a_claim(store: Store) -> None:
    """The healthy ones of the same claim are handed out."""
    (poison,) = await started(store)
    for _ in range(MAX_CLAIMS_WITHOUT_PROGRESS):
        owner = await executor(store)
        await store.claim(owner, limit=1)
        await store.close_executor(owner)
    (healthy,) = await started(store)
    claim = await store.claim(await executor(store), limit=9)
    assert claim.quarantined == (poison,)
    assert [one.instance_id for one in claim.instances] == [healthy]


async def test_an_accepted_append_is_progress(store: Store) -> None:
    """The count starts over after an append, so a long run may be taken over any number of times."""
    await started(store)
    for _ in range(MAX_CLAIMS_WITHOUT_PROGRESS * 2):
        owner = await executor(store)
        claimed = await claimed_one(store, owner)
        assert claimed.claims_without_progress == 1
        await store.append(owner, [entry(claimed)])
        await store.close_executor(owner)


async def test_a_limit_below_one_is_refused(store: Store) -> None:
    """A claim asks for something."""
    owner = await executor(store)
    with pytest.raises(ValueError, match="limit must be at least 1, got 0"):
        await store.claim(owner, limit=0)


# Releases


async def test_a_released_instance_is_due_at_once_and_keeps_its_place(store: Store) -> None:
    """Giving back without a time puts it where it was in the queue, and is no failed claim."""
    (first,) = await started(store)
    owner = await executor(store)
    claimed = await claimed_one(store, owner)
    (second,) = await started(store)
    assert await store.release(owner, [giving_back(claimed)]) == {first}
    again = await store.claim(owner, limit=9)
    assert [one.instance_id for one in again.instances] == [first, second]
    assert (again.instances[0].epoch, again.instances[0].claims_without_progress) == (2, 1)


async def test_a_released_instance_sleeps_until_its_time(backend: Backend) -> None:
    """Given back with a time, it is due then and not before."""
    store = backend.store
    (instance_id,) = await started(store)
    owner = await executor(store)
    claim = await store.claim(owner, limit=1)
    wake_at = claim.database_now + timedelta(seconds=100)
    await store.release(owner, [giving_back(claim.instances[0], wake_at=wake_at)])
    await backend.advance(90)
    assert (await store.claim(owner, limit=9)).instances == ()
    (later,) = await started(store)
    await backend.advance(11)
    (newest,) = await started(store)
    order = [one.instance_id for one in (await store.claim(owner, limit=9)).instances]
    assert order == [later, instance_id, newest], "its age counts from when it was due"


async def test_a_time_that_has_passed_is_due_at_once(store: Store) -> None:
    """A timer may have come due before the release was written."""
    await started(store)
    owner = await executor(store)
    claim = await store.claim(owner, limit=1)
    wake_at = claim.database_now - timedelta(seconds=5)
    await store.release(owner, [giving_back(claim.instances[0], wake_at=wake_at)])
    assert len((await store.claim(owner, limit=1)).instances) == 1


async def test_a_release_needs_the_fence(store: Store) -> None:
    """Another executor, an old epoch or another last_seq gives nothing back."""
    await started(store)
    owner, other = await executor(store), await executor(store)
    claimed = await claimed_one(store, owner)
    await store.append(owner, [entry(claimed)])
    assert await store.release(owner, [giving_back(claimed)]) == frozenset()
    assert await store.release(other, [giving_back(claimed, after=1)]) == frozenset()
    assert await store.release(owner, [giving_back(claimed, after=1)]) == {claimed.instance_id}
    assert await store.release(owner, [giving_back(claimed, after=1)]) == frozenset()


async def test_an_owner_sets_an_instance_aside(backend: Backend) -> None:
    """Status and reason are shown, nobody owns it, and no later claim takes it, now or ever."""
    store = backend.store
    await started(store)
    owner = await executor(store)
    claimed = await claimed_one(store, owner)
    aside = Quarantine(claimed.instance_id, claimed.epoch, claimed.last_seq, "journal entry 7\0 is missing")
    assert await store.quarantine(owner, [aside]) == {claimed.instance_id}
    view = (await store.read_instances([claimed.instance_id]))[claimed.instance_id]
    assert (view.status, view.error_type) == (InstanceStatus.QUARANTINED, "Quarantined")
    assert view.error_message == "journal entry 7\ufffd is missing"
    assert (view.finished_at, view.payload) == (None, None)
    assert (await store.append(owner, [entry(claimed)])).accepted == frozenset()
    await backend.advance(FAR)
    assert await store.close_executor(owner) == 0
    assert (await store.claim(await executor(store), limit=9)).instances == ()


async def test_quarantine_needs_the_fence(store: Store) -> None:
    """Another executor, an old epoch or another last_seq sets nothing aside; neither does a repetition."""
    await started(store)
    owner, other = await executor(store), await executor(store)
    claimed = await claimed_one(store, owner)
    await store.append(owner, [entry(claimed)])
    right = Quarantine(claimed.instance_id, claimed.epoch, 1, "why")
    assert await store.quarantine(owner, []) == frozenset()
    assert await store.quarantine(owner, [replace(right, last_seq=0)]) == frozenset()
    assert await store.quarantine(owner, [replace(right, epoch=claimed.epoch - 1)]) == frozenset()
    assert await store.quarantine(other, [right]) == frozenset()
    assert (await store.read_instances([claimed.instance_id]))[claimed.instance_id].status == "running"
    assert await store.quarantine(owner, [right]) == {claimed.instance_id}
    assert await store.quarantine(owner, [right]) == frozenset()


async def test_a_batch_sets_aside_only_what_it_owns(store: Store) -> None:
    """Neighbours of a refused one are set aside all the same, and nobody else is."""
    await started(store, 3)
    owner = await executor(store)
    first, second, third = (await store.claim(owner, limit=9)).instances
    batch = [
        Quarantine(first.instance_id, first.epoch, 0, "one"),
        Quarantine(second.instance_id, second.epoch + 1, 0, "two"),
    ]
    assert await store.quarantine(owner, batch) == {first.instance_id}
    views = await store.read_instances([first.instance_id, second.instance_id, third.instance_id])
    assert [views[one.instance_id].status for one in (first, second, third)] == [
        "quarantined",
        "running",
        "running",
    ]
    assert (await store.append(owner, [entry(second), entry(third)])).accepted == {
        second.instance_id,
        third.instance_id,
    }


# Appends


async def test_appends_are_dense_from_one(store: Store) -> None:
    """Entries count 1, 2, 3 and keep their bytes, epoch and order of time."""
    await started(store)
    owner = await executor(store)
    claimed = await claimed_one(store, owner)
    for after in range(3):
        answer = await store.append(owner, [entry(claimed, bytes([after, 0, 255]), after=after)])
        assert answer.accepted == {claimed.instance_id}
    entries = (await store.read_histories([claimed.instance_id]))[claimed.instance_id].entries
    assert [(one.seq, one.epoch, one.events) for one in entries] == [
        (1, 1, b"\0\0\xff"),
        (2, 1, b"\1\0\xff"),
        (3, 1, b"\2\0\xff"),
    ]
    times = [one.committed_at for one in entries]
    assert times == sorted(times)
    assert times[-1] <= answer.database_now


async def test_a_batch_is_accepted_row_by_row(store: Store) -> None:
    """A row that lost its owner does not hinder the rows beside it."""
    await started(store, 4)
    owner = await executor(store)
    claimed = (await store.claim(owner, limit=4)).instances
    gone, kept = claimed[::2], claimed[1::2]
    await store.release(owner, [giving_back(one) for one in gone])
    answer = await store.append(owner, [entry(one) for one in claimed])
    assert answer.accepted == {one.instance_id for one in kept}
    histories = await store.read_histories([one.instance_id for one in claimed])
    assert [len(histories[one.instance_id].entries) for one in claimed] == [0, 1, 0, 1]


async def test_another_executor_cannot_append(store: Store) -> None:
    """Knowing epoch and last_seq is not owning."""
    await started(store)
    owner, other = await executor(store), await executor(store)
    claimed = await claimed_one(store, owner)
    assert (await store.append(other, [entry(claimed)])).accepted == frozenset()


async def test_another_epoch_cannot_append(store: Store) -> None:
    """An executor that got the same instance again may not use its old epoch."""
    await started(store)
    owner = await executor(store)
    old = await claimed_one(store, owner)
    await store.release(owner, [giving_back(old)])
    assert (await store.append(owner, [entry(old)])).accepted == frozenset(), "it is released"
    now = await claimed_one(store, owner)
    assert (await store.append(owner, [entry(old)])).accepted == frozenset(), "the epoch has moved on"
    assert (await store.append(owner, [entry(now)])).accepted == {now.instance_id}


@pytest.mark.parametrize("after", [-1, 0, 2, 3])
async def test_another_last_seq_cannot_append(store: Store, after: int) -> None:
    """An entry fits behind the newest one only, so there is neither a gap nor a second entry of one number."""
    await started(store)
    owner = await executor(store)
    claimed = await claimed_one(store, owner)
    await store.append(owner, [entry(claimed)])
    answer = await store.append(owner, [entry(claimed, b"other", after=after)])
    assert answer.accepted == frozenset()
    assert len((await store.read_histories([claimed.instance_id]))[claimed.instance_id].entries) == 1


async def test_a_stale_owner_cannot_append_after_a_steal(backend: Backend) -> None:
    """An owner that slept past its lease changes nothing, whatever it sends."""
    store = backend.store
    stale = await executor(store, ttl_s=60)
    (instance_id,) = await started(store)
    old = await claimed_one(store, stale)
    await backend.advance(61)
    thief = await executor(store)
    now = await claimed_one(store, thief)
    assert (await store.append(stale, [entry(old)])).accepted == frozenset()
    assert (await store.append(stale, [entry(old, end=True)])).accepted == frozenset()
    assert await store.release(stale, [giving_back(old)]) == frozenset()
    assert await store.write_snapshots(stale, [snapshot(old, 0)]) == frozenset()
    assert (await store.append(thief, [entry(now, b"thief")])).accepted == {instance_id}
    history = (await store.read_histories([instance_id]))[instance_id]
    assert [one.events for one in history.entries] == [b"thief"]


async def test_a_lost_answer_is_recognised(store: Store) -> None:
    """The same batch sent again reports what is there already, and adds nothing."""
    await started(store, 3)
    owner = await executor(store)
    first, second, third = (await store.claim(owner, limit=3)).instances
    batch = [entry(first), entry(second, end=True), entry(third)]
    accepted = (await store.append(owner, batch)).accepted
    assert (await store.append(owner, batch)).accepted == accepted == {one.instance_id for one in batch}
    histories = await store.read_histories([*accepted])
    assert [len(history.entries) for history in histories.values()] == [1, 1, 1]


async def test_a_lost_answer_is_recognised_after_the_instance_was_taken_over(backend: Backend) -> None:
    """Committed stays committed, even if the next owner has gone on."""
    store = backend.store
    owner = await executor(store, ttl_s=60)
    await started(store)
    claimed = await claimed_one(store, owner)
    await store.append(owner, [entry(claimed)])
    await backend.advance(61)
    thief = await executor(store)
    await store.append(thief, [entry(await claimed_one(store, thief), b"next")])
    assert (await store.append(owner, [entry(claimed)])).accepted == {claimed.instance_id}
    assert (await store.append(owner, [entry(claimed, b"other")])).accepted == frozenset()
    assert (await store.append(owner, [entry(claimed, b"next", after=1)])).accepted == frozenset(), (
        "epoch 2's"
    )


async def test_two_entries_of_one_instance_in_a_batch_are_refused(store: Store) -> None:
    """The second could not know whether the first is accepted."""
    await started(store)
    owner = await executor(store)
    claimed = await claimed_one(store, owner)
    with pytest.raises(ValueError, match="at most one entry per instance"):
        await store.append(owner, [entry(claimed), entry(claimed, after=1)])
    with pytest.raises(ValueError, match="at most one snapshot per instance"):
        await store.write_snapshots(owner, [snapshot(claimed, 0), snapshot(claimed, 1)])


@pytest.mark.parametrize(
    "outcome",
    [
        Outcome(InstanceStatus.COMPLETED, b""),
        Outcome(InstanceStatus.FAILED, b"\0error", "ValueError", "no such order"),
        Outcome(InstanceStatus.CANCELLED, b"error", "CancelledError", ""),
    ],
)
async def test_an_outcome_ends_the_instance(store: Store, outcome: Outcome) -> None:
    """The last entry and the end are one: status, payload and times are there, and the entry too."""
    (instance_id,) = await started(store)
    owner = await executor(store)
    claimed = await claimed_one(store, owner)
    assert await store.read_finished([instance_id]) == {}
    last = Append(instance_id, claimed.epoch, 0, b"last", outcome)
    assert (await store.append(owner, [last])).accepted == {instance_id}
    view = (await store.read_finished([instance_id]))[instance_id]
    assert view == (await store.read_instances([instance_id]))[instance_id]
    assert (view.status, view.payload) == (outcome.status, outcome.payload)
    assert (view.error_type, view.error_message) == (outcome.error_type, outcome.error_message)
    assert view.started_at is not None
    assert view.finished_at is not None
    assert view.created_at <= view.started_at <= view.finished_at
    assert [one.events for one in (await store.read_histories([instance_id]))[instance_id].entries] == [
        b"last"
    ]


async def test_nothing_is_added_after_the_end(backend: Backend) -> None:
    """An ended instance has no owner any more, takes no entry and is never claimed again."""
    store = backend.store
    (instance_id,) = await started(store)
    owner = await executor(store)
    claimed = await claimed_one(store, owner)
    await store.append(owner, [entry(claimed, end=True)])
    for late in (
        entry(claimed, b"late"),
        entry(claimed, b"late", after=1),
        entry(claimed, after=1, end=True),
    ):
        assert (await store.append(owner, [late])).accepted == frozenset()
    assert await store.release(owner, [giving_back(claimed, after=1)]) == frozenset()
    assert await store.write_snapshots(owner, [snapshot(claimed, 1)]) == frozenset()
    assert await store.close_executor(owner) == 0
    await backend.advance(FAR)
    assert (await store.claim(await executor(store), limit=9)).instances == ()
    assert len((await store.read_histories([instance_id]))[instance_id].entries) == 1


async def test_error_texts_that_no_database_holds_still_end_the_run(store: Store) -> None:
    """A user's exception may say anything: the list shows a replacement, the payload has the original."""
    (instance_id,) = await started(store)
    owner = await executor(store)
    await store.claim(owner, limit=1)
    outcome = Outcome(InstanceStatus.FAILED, b"exact", "Bad\0Error", "nul \0 and surrogate \ud800!")
    assert (await store.append(owner, [Append(instance_id, 1, 0, b"e", outcome)])).accepted == {instance_id}
    view = (await store.read_finished([instance_id]))[instance_id]
    assert view.error_type == "Bad\ufffdError"
    assert view.error_message.startswith("nul \ufffd and surrogate \ufffd")
    assert view.error_message.endswith("!")


# Snapshots and histories


async def test_an_instance_without_entries_has_an_empty_history(store: Store) -> None:
    """So has one that does not exist."""
    (known,) = await started(store)
    unknown = InstanceId(uuid4())
    assert await store.read_histories([known, unknown]) == {
        known: History(known, (), ()),
        unknown: History(unknown, (), ()),
    }


async def test_two_snapshots_are_kept_with_the_tail_of_the_older(store: Store) -> None:
    """Should the newer one be broken, the older one and the entries after it suffice."""
    (instance_id,) = await started(store)
    owner = await executor(store)
    claimed = await claimed_one(store, owner)
    for seq in range(1, 5):
        await store.append(owner, [entry(claimed, bytes([seq]), after=seq - 1)])
        written = await store.write_snapshots(owner, [snapshot(claimed, seq, bytes([seq]))])
        assert written == {instance_id}
    await store.append(owner, [entry(claimed, b"\5", after=4)])
    history = (await store.read_histories([instance_id]))[instance_id]
    assert history.snapshots == (snapshot(claimed, 4, b"\4"), snapshot(claimed, 3, b"\3"))
    assert [one.seq for one in history.entries] == [4, 5]


async def test_histories_of_many_instances_do_not_mix(store: Store) -> None:
    """Each instance gets its own snapshots and the tail these need."""
    await started(store, 3)
    owner = await executor(store)
    claimed = (await store.claim(owner, limit=3)).instances
    for number, one in enumerate(claimed):
        for after in range(number + 1):
            await store.append(owner, [entry(one, bytes([number, after]), after=after)])
    await store.write_snapshots(owner, [snapshot(claimed[1], 1)])
    histories = await store.read_histories([one.instance_id for one in claimed])
    tails = [[item.events for item in histories[one.instance_id].entries] for one in claimed]
    assert tails == [[b"\0\0"], [b"\1\1"], [b"\2\0", b"\2\1", b"\2\2"]]
    assert [len(histories[one.instance_id].snapshots) for one in claimed] == [0, 1, 0]


async def test_a_snapshot_only_grows_and_never_outruns_the_journal(store: Store) -> None:
    """Older, equal or too new ones are not kept."""
    await started(store)
    owner = await executor(store)
    claimed = await claimed_one(store, owner)
    for after in range(3):
        await store.append(owner, [entry(claimed, after=after)])
    assert await store.write_snapshots(owner, [snapshot(claimed, 4)]) == frozenset()
    assert await store.write_snapshots(owner, [snapshot(claimed, 2, b"two")]) == {claimed.instance_id}
    assert await store.write_snapshots(owner, [snapshot(claimed, 2, b"again")]) == frozenset()
    assert await store.write_snapshots(owner, [snapshot(claimed, 1)]) == frozenset()
    history = (await store.read_histories([claimed.instance_id]))[claimed.instance_id]
    assert [one.state for one in history.snapshots] == [b"two"]


async def test_a_snapshot_needs_owner_and_epoch(store: Store) -> None:
    """Another executor's, or one of an old epoch, is not kept; the neighbour in the batch is."""
    await started(store, 2)
    owner, other = await executor(store), await executor(store)
    first, second = (await store.claim(owner, limit=2)).instances
    assert await store.write_snapshots(other, [snapshot(first, 0)]) == frozenset()
    await store.release(owner, [giving_back(first)])
    again = await claimed_one(store, owner)
    assert again.instance_id == first.instance_id
    written = await store.write_snapshots(owner, [snapshot(first, 0), snapshot(second, 0)])
    assert written == {second.instance_id}
    assert await store.write_snapshots(owner, [snapshot(again, 0)]) == {first.instance_id}


# Waking


async def test_a_listener_is_woken(store: Store) -> None:
    """Every channel once at first, then each that is notified."""
    async with asyncio.timeout(20), store.listen([CHANNEL_READY, CHANNEL_DONE]) as hints:
        assert {await anext(hints), await anext(hints)} == {CHANNEL_READY, CHANNEL_DONE}
        await store.notify(CHANNEL_DONE)
        assert await anext(hints) == CHANNEL_DONE
        await store.notify(CHANNEL_READY)
        assert await anext(hints) == CHANNEL_READY


async def test_every_listener_is_woken_and_only_by_its_channels(store: Store) -> None:
    """A hint goes to all who asked for it."""
    async with (
        asyncio.timeout(20),
        store.listen([CHANNEL_READY]) as ready,
        store.listen([CHANNEL_READY, CHANNEL_DONE]) as both,
    ):
        assert await anext(ready) == CHANNEL_READY
        assert [await anext(both), await anext(both)] == [CHANNEL_READY, CHANNEL_DONE]
        await store.notify(CHANNEL_DONE)
        assert await anext(both) == CHANNEL_DONE
        await store.notify(CHANNEL_READY)
        assert await anext(ready) == CHANNEL_READY
        assert await anext(both) == CHANNEL_READY


async def test_notifying_without_listeners_is_no_error(store: Store) -> None:
    """A hint may be lost."""
    await store.notify(CHANNEL_READY)


async def test_stop_works_twice(store: Store) -> None:
    """Stopping is safe whenever it comes."""
    await store.stop()
    await store.stop()


async def test_a_whole_life_of_many_instances(store: Store) -> None:
    """Start, claim, append, snapshot, hand over, end: nothing is lost on the way."""
    requests = [NewInstance(InstanceId(uuid4()), "shop", "1", bytes([n]), n % 3) for n in range(30)]
    await store.start_instances(requests)
    for step in range(3):
        owner = await executor(store)
        claimed = (await store.claim(owner, limit=50)).instances
        assert len(claimed) == 30
        answer = await store.append(owner, [entry(one, bytes([step]), end=step == 2) for one in claimed])
        assert len(answer.accepted) == 30
        await store.close_executor(owner)
    finished = await store.read_finished([one.instance_id for one in requests])
    assert len(finished) == 30
    histories = await store.read_histories([*finished])
    for history in histories.values():
        assert [(one.seq, one.epoch, one.events) for one in history.entries] == [
            (1, 1, b"\0"),
            (2, 2, b"\1"),
            (3, 3, b"\2"),
        ]
