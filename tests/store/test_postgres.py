"""What only PostgreSQL can get wrong: concurrency, broken connections, planning, data that is refused."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from typing import Any

import psycopg
import pytest

from tests.store.backends import (
    Backend,
    claimed_one,
    entry,
    execute,
    executor,
    giving_back,
    new,
    open_backend,
    snapshot,
    started,
    version,
)
from tests.store.pooler import strict_pooler
from waymark.errors import IdempotencyConflict, SchemaMismatch, StoreDataError, StoreUnavailable
from waymark.model.records import ClaimedInstance, ExecutorId, InstanceStatus
from waymark.store.postgres import PostgresStore
from waymark.store.postgres.connections import Lane, Row
from waymark.store.postgres.queries import Query
from waymark.store.protocol import Store

pytestmark = pytest.mark.anyio

ROUNDS = 50
"""How often a race is run."""


@pytest.fixture
async def backend(database_url: str) -> AsyncIterator[Backend]:
    """A started PostgreSQL backend."""
    async with open_backend(database_url) as opened:
        yield opened


@pytest.fixture
def store(backend: Backend) -> Store:
    """Its store."""
    return backend.store


async def _until_waiting(dsn: str, application: str) -> None:
    """Return as soon as a session of this name waits for a lock."""
    async with asyncio.timeout(20):
        while not await execute(  # noqa: ASYNC110 - only the server knows
            dsn,
            "SELECT 1 FROM pg_stat_activity WHERE application_name = %(name)s AND wait_event_type = 'Lock'",
            name=application,
        ):
            await asyncio.sleep(0.005)


# Fencing


async def test_an_append_that_waits_for_a_thief_is_refused(store: Store, database_url: str) -> None:
    """D1: the old owner's statement began before the steal and waits on the row; it must not get in after."""
    await started(store)
    owner, thief = await executor(store), await executor(store)
    claimed = await claimed_one(store, owner)
    async with await psycopg.AsyncConnection.connect(database_url) as stealing:
        await stealing.execute(
            "UPDATE waymark.instance_state SET owner = %s, epoch = epoch + 1 WHERE instance_id = %s",
            (thief, claimed.instance_id),
        )
        late = asyncio.create_task(store.append(owner, [entry(claimed, b"zombie")]))
        late_end = asyncio.create_task(_append_apart(database_url, owner, claimed))
        await _until_waiting(database_url, "waymark-test/append")
        await _until_waiting(database_url, "waymark-zombie/append")
        await stealing.commit()
    assert (await late).accepted == frozenset()
    assert await late_end == frozenset()
    history = (await store.read_histories([claimed.instance_id]))[claimed.instance_id]
    assert history.entries == ()
    view = (await store.read_instances([claimed.instance_id]))[claimed.instance_id]
    assert view.status is InstanceStatus.RUNNING


async def _append_apart(dsn: str, owner: ExecutorId, claimed: ClaimedInstance) -> frozenset[Any]:
    zombie = PostgresStore(dsn, role="waymark-zombie")
    answer = await zombie.append(owner, [entry(claimed, b"zombie end", end=True)])
    await zombie.stop()
    return answer.accepted


async def test_a_snapshot_that_waits_for_a_thief_is_refused(store: Store, database_url: str) -> None:
    """The same for snapshots: a stale one would be loaded by the next owner."""
    await started(store)
    owner, thief = await executor(store), await executor(store)
    claimed = await claimed_one(store, owner)
    async with await psycopg.AsyncConnection.connect(database_url) as stealing:
        await stealing.execute(
            "UPDATE waymark.instance_state SET owner = %s, epoch = epoch + 1 WHERE instance_id = %s",
            (thief, claimed.instance_id),
        )
        late = asyncio.create_task(store.write_snapshots(owner, [snapshot(claimed, 0)]))
        await _until_waiting(database_url, "waymark-test/general")
        await stealing.commit()
    assert await late == frozenset()


async def test_only_one_of_many_racing_appends_is_accepted(database_url: str, store: Store) -> None:
    """The owner and its zombies send different entries at once: one history results, without gaps."""
    await started(store)
    owner = await executor(store)
    claimed = await claimed_one(store, owner)
    others = [PostgresStore(database_url) for _ in range(4)]
    for after in range(ROUNDS):
        answers = await asyncio.gather(
            *(one.append(owner, [entry(claimed, bytes([n]), after=after)]) for n, one in enumerate(others))
        )
        assert sum(len(answer.accepted) for answer in answers) == 1
    entries = (await store.read_histories([claimed.instance_id]))[claimed.instance_id].entries
    assert [one.seq for one in entries] == list(range(1, ROUNDS + 1))
    for one in others:
        await one.stop()


async def test_batches_that_share_rows_do_not_deadlock(database_url: str, store: Store) -> None:
    """Appends, releases, snapshots and closing lock rows in one order, whatever order the caller gave."""
    for _ in range(ROUNDS // 5):
        await started(store, 20)
        owner = await executor(store)
        claimed = (await store.claim(owner, limit=20)).instances
        others = [PostgresStore(database_url) for _ in range(2)]
        await asyncio.gather(
            others[0].append(owner, [entry(one, b"a") for one in claimed]),
            others[1].append(owner, [entry(one, b"b") for one in reversed(claimed)]),
            store.release(owner, [giving_back(one, after=1) for one in reversed(claimed)]),
            store.write_snapshots(owner, [snapshot(one, 0) for one in claimed]),
            store.close_executor(owner),
        )
        for one in others:
            await one.stop()
    deadlocks = await execute(
        database_url, "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()"
    )
    assert deadlocks == [(0,)]


# Claims


async def test_racing_claimers_never_share_an_instance(database_url: str, store: Store) -> None:
    """Many processes claim at once, again and again: every instance goes to exactly one of them."""
    stores = [PostgresStore(database_url) for _ in range(4)]
    owners = [await executor(store) for _ in stores]
    for _ in range(ROUNDS):
        requests = [new(priority=n % 2) for n in range(12)]
        await store.start_instances(requests)
        claims = await asyncio.gather(
            *(one.claim(owner, limit=4) for one, owner in zip(stores, owners, strict=True))
        )
        taken = [one.instance_id for claim in claims for one in claim.instances]
        assert len(taken) == len(set(taken))
        rest = await store.claim(owners[0], limit=50)
        taken += [one.instance_id for one in rest.instances]
        assert sorted(taken) == sorted(one.instance_id for one in requests)
    for one in stores:
        await one.stop()


async def test_claiming_and_closing_race_without_strays(database_url: str, store: Store) -> None:
    """A claim beside the closing of its own executor either loses or is given back: nothing stays owned."""
    other = PostgresStore(database_url)
    ids = await started(store, 5)
    for _ in range(ROUNDS):
        owner = await executor(store)
        await asyncio.gather(store.claim(owner, limit=5), other.close_executor(owner))
        assert (
            await execute(database_url, "SELECT 1 FROM waymark.instance_state WHERE owner IS NOT NULL") == []
        )
        await execute(database_url, "UPDATE waymark.instance_state SET claims_without_progress = 0")
    assert len((await store.claim(await executor(store), limit=9)).instances) == len(ids)
    await other.stop()


async def test_a_claim_locks_no_more_than_its_limit_with_bad_statistics(
    store: Store, database_url: str
) -> None:
    """D15: the planner believes the queue is empty; the claim still touches two rows of it."""
    await execute(
        database_url,
        "ALTER TABLE waymark.instance_state SET (autovacuum_enabled = false)",
        "ANALYZE waymark.instance_state",
    )
    await store.start_instances([new() for _ in range(500)])
    claim = await store.claim(await executor(store), limit=2)
    assert len(claim.instances) == 2
    owned = await execute(
        database_url,
        "SELECT count(owner), count(*) FILTER (WHERE owner IS NULL AND xmax <> '0') FROM waymark.instance_state",
    )
    assert owned == [(2, 0)], "rows beyond the limit were locked"


async def test_a_claim_reads_the_queue_and_not_the_sleepers(store: Store, database_url: str) -> None:
    """A hundred thousand sleeping instances cost a claim nothing."""
    await started(store, 3)
    await execute(
        database_url,
        "INSERT INTO waymark.instance_state (instance_id, priority, wake_at, is_due)"
        " SELECT gen_random_uuid(), 5, now() + interval '1 day', false FROM generate_series(1, 20000)",
        "ANALYZE waymark.instance_state",
    )
    owner = await executor(store)
    count = "SELECT coalesce(idx_tup_fetch, 0) + seq_tup_read FROM pg_stat_user_tables WHERE relname = 'instance_state'"
    flush = "SELECT pg_stat_force_next_flush()" if await _is_15_or_later(database_url) else "SELECT 1"
    ((before,),) = await execute(database_url, flush, count)
    assert len((await store.claim(owner, limit=3)).instances) == 3
    await store.stop()
    ((after,),) = await _settled(database_url, count)
    assert int(str(after)) - int(str(before)) < 500


async def _is_15_or_later(dsn: str) -> bool:
    rows = await execute(dsn, "SELECT current_setting('server_version_num')::int >= 150000")
    return bool(rows[0][0])


async def _settled(dsn: str, statement: str) -> list[tuple[object, ...]]:
    """The answer of a statistics view once the store's sessions have ended and reported."""
    sessions = "SELECT 1 FROM pg_stat_activity WHERE application_name LIKE 'waymark-test/%'"
    async with asyncio.timeout(20):
        while await execute(dsn, sessions):  # noqa: ASYNC110 - only the server knows
            await asyncio.sleep(0.01)
    return await execute(dsn, statement)


async def test_a_lost_claim_is_given_back(
    backend: Backend, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A claim took effect, its answer did not arrive: its instances are not lost, and it does not count."""
    store = backend.store
    ids = await started(store, 2)
    owner = await executor(store)
    with monkeypatch.context() as patch:
        _lose_answers(patch, "claim_instances")
        with pytest.raises(StoreUnavailable):
            await store.claim(owner, limit=2)
    assert (
        len(await execute(database_url, "SELECT 1 FROM waymark.instance_state WHERE owner IS NOT NULL")) == 2
    )
    claim = await store.claim(owner, limit=9)
    assert [one.instance_id for one in claim.instances] == ids
    assert {(one.epoch, one.claims_without_progress) for one in claim.instances} == {(2, 1)}
    assert (await store.claim(owner, limit=9)).instances == (), "what was answered stays ours"


async def test_a_lost_append_is_recognised(
    backend: Backend, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """D8: the commit happened, its answer did not arrive; the same batch again reports it."""
    store = backend.store
    await started(store, 2)
    owner = await executor(store)
    first, second = (await store.claim(owner, limit=2)).instances
    batch = [entry(first), entry(second, end=True)]
    with monkeypatch.context() as patch:
        _lose_answers(patch, "append_entries")
        with pytest.raises(StoreUnavailable):
            await store.append(owner, batch)
    assert len((await store.append(owner, batch)).accepted) == 2
    assert await execute(database_url, "SELECT count(*) FROM waymark.journal") == [(2,)]


def _lose_answers(patch: pytest.MonkeyPatch, name: str) -> None:
    fetch: Callable[..., Awaitable[list[Row]]] = Lane.fetch

    async def fetch_and_lose(
        lane: Lane, query: Query, parameters: Mapping[str, Any], *, may_repeat: bool = True
    ) -> list[Row]:
        rows = await fetch(lane, query, parameters, may_repeat=may_repeat)
        if query.name == name:
            raise StoreUnavailable("the answer was lost")
        return rows

    patch.setattr(Lane, "fetch", fetch_and_lose)


# Starting


async def test_racing_starts_of_one_key_make_one_instance(database_url: str, store: Store) -> None:
    """Any number of requests with one idempotency key at once lead to one instance."""
    stores = [PostgresStore(database_url) for _ in range(4)]
    for round_number in range(ROUNDS):
        requests = [new(key=f"order-{round_number}") for _ in stores]
        answers = await asyncio.gather(
            *(one.start_instances([request, new()]) for one, request in zip(stores, requests, strict=True))
        )
        chosen = {answer[request.instance_id] for answer, request in zip(answers, requests, strict=True)}
        assert len(chosen) == 1
        assert len(await store.read_instances([request.instance_id for request in requests])) == 1
    for one in stores:
        await one.stop()


async def test_racing_starts_with_different_inputs_conflict_whole(database_url: str, store: Store) -> None:
    """The loser of a race for a key adds nothing of its batch."""
    stores = [PostgresStore(database_url) for _ in range(3)]
    for round_number in range(ROUNDS // 2):
        batches = [[new(), new(key=f"order-{round_number}", input=bytes([n]))] for n in range(3)]
        answers = await asyncio.gather(
            *(one.start_instances(batch) for one, batch in zip(stores, batches, strict=True)),
            return_exceptions=True,
        )
        assert sorted(isinstance(answer, IdempotencyConflict) for answer in answers) == [False, True, True]
        known = await store.read_instances([request.instance_id for batch in batches for request in batch])
        assert len(known) == 2
    for one in stores:
        await one.stop()


async def test_racing_starts_of_one_id_make_one_instance(database_url: str, store: Store) -> None:
    """A request that is sent twice at once, as after a lost answer, starts one instance."""
    stores = [PostgresStore(database_url) for _ in range(3)]
    for _ in range(ROUNDS):
        request = new()
        answers = await asyncio.gather(*(one.start_instances([request]) for one in stores))
        assert answers == [{request.instance_id: request.instance_id}] * 3
    for one in stores:
        await one.stop()


# Data that is refused


async def test_a_bad_row_does_not_fail_its_neighbours(store: Store, database_url: str) -> None:
    """D9: the refused row is found, everything else of the batch is written, and the error says which is which."""
    await execute(database_url, "ALTER TABLE waymark.journal ADD CHECK (events <> 'poison')")
    await started(store, 9)
    owner = await executor(store)
    claimed = (await store.claim(owner, limit=9)).instances
    bad = {claimed[3].instance_id, claimed[8].instance_id}
    batch = [entry(one, b"poison" if one.instance_id in bad else b"good") for one in claimed]
    with pytest.raises(StoreDataError, match="2 of 9 journal entries cannot be stored") as caught:
        await store.append(owner, batch)
    assert caught.value.refused == bad
    assert caught.value.accepted == {one.instance_id for one in claimed} - bad
    histories = await store.read_histories([one.instance_id for one in claimed])
    assert {key for key, history in histories.items() if history.entries} == caught.value.accepted


async def test_a_row_over_the_limit_is_refused_without_asking(
    store: Store, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What no database takes is refused before it is sent; a batch over the statement limit is cut."""
    monkeypatch.setattr("waymark.store.postgres.bisect.MAX_ROW_BYTES", 1000)
    monkeypatch.setattr("waymark.store.limits.MAX_STATEMENT_BYTES", 1500)
    await started(store, 5)
    owner = await executor(store)
    claimed = (await store.claim(owner, limit=5)).instances
    batch = [entry(one, b"x" * 900) for one in claimed[:4]] + [entry(claimed[4], b"x" * 1001)]
    with pytest.raises(StoreDataError, match="1001 bytes, at most 1000 are stored") as caught:
        await store.append(owner, batch)
    assert caught.value.refused == {claimed[4].instance_id}
    assert await execute(database_url, "SELECT count(*) FROM waymark.journal") == [(4,)]


async def test_megabytes_in_one_row_survive(store: Store) -> None:
    """A large value is stored and read back."""
    await started(store)
    owner = await executor(store)
    claimed = await claimed_one(store, owner)
    big = bytes(range(256)) * 32 * 1024
    await store.append(owner, [entry(claimed, big)])
    assert (await store.read_histories([claimed.instance_id]))[claimed.instance_id].entries[0].events == big


# Storage


async def test_appends_are_heap_only_updates(store: Store, database_url: str) -> None:
    """D13: no index holds what an append changes, so appends leave no index garbage."""
    await started(store, 20)
    owner = await executor(store)
    claimed = (await store.claim(owner, limit=20)).instances
    counters = "SELECT n_tup_upd, n_tup_hot_upd FROM pg_stat_user_tables WHERE relname = 'instance_state'"
    await store.stop()
    ((updates, heap_only),) = await _settled(database_url, counters)
    for after in range(30):
        await store.append(owner, [entry(one, after=after) for one in claimed])
    await store.stop()
    ((updates_after, heap_only_after),) = await _settled(database_url, counters)
    appended = int(str(updates_after)) - int(str(updates))
    assert appended == 600
    # The first update of a freshly filled page may have no room on it; pruning makes room for the rest.
    assert int(str(heap_only_after)) - int(str(heap_only)) >= 0.95 * appended


async def test_the_sweep_removes_leases_that_own_nothing(backend: Backend, database_url: str) -> None:
    """Rows of dead executors go once their instances are given back, not before."""
    store = backend.store
    await started(store, 2)
    dead, alive = await executor(store, ttl_s=60), await executor(store)
    await store.claim(dead, limit=2)
    await backend.advance(61)
    await store.reclaim_expired(limit=1)
    leases = "SELECT executor_id FROM waymark.executors ORDER BY expires_at"
    assert await execute(database_url, leases) == [(dead,), (alive,)]
    await store.reclaim_expired(limit=1)
    assert await execute(database_url, leases) == [(alive,)]


async def test_an_owner_cannot_lose_its_lease_row(store: Store, database_url: str) -> None:
    """The schema itself keeps a lease row while something is owned under it."""
    await started(store)
    owner = await executor(store)
    await claimed_one(store, owner)
    with pytest.raises(psycopg.errors.ForeignKeyViolation):
        await execute(database_url, "DELETE FROM waymark.executors")


# Connections


async def test_the_store_works_again_after_every_backend_was_terminated(
    store: Store, database_url: str
) -> None:
    """Idle connections that died are replaced without an error."""
    await started(store)
    owner = await executor(store)
    claimed = await claimed_one(store, owner)
    for after in range(3):
        await _terminate(database_url)
        assert await store.renew_executors([owner], ttl_ms=60_000) == {owner}
        assert (await store.append(owner, [entry(claimed, after=after)])).accepted == {claimed.instance_id}
        assert len(await store.read_instances([claimed.instance_id])) == 1


async def test_a_claim_on_a_dead_connection_may_fail_once(store: Store, database_url: str) -> None:
    """A claim is not repeated by itself, for its instances could be taken twice; the next call works."""
    await started(store)
    owner = await executor(store)
    await store.claim(owner, limit=1)
    await store.close_executor(owner)
    await _terminate(database_url)
    thief = await executor(store)
    with pytest.raises(StoreUnavailable):
        await store.claim(thief, limit=1)
    assert len((await store.claim(thief, limit=1)).instances) == 1


async def test_a_statement_that_is_cut_off_is_reported(store: Store, database_url: str) -> None:
    """A backend that dies in the middle leaves the outcome open: the caller hears of it and may repeat."""
    await started(store)
    owner = await executor(store)
    claimed = await claimed_one(store, owner)
    async with await psycopg.AsyncConnection.connect(database_url) as blocking:
        await blocking.execute("SELECT 1 FROM waymark.instance_state FOR UPDATE")
        waiting = asyncio.create_task(store.append(owner, [entry(claimed)]))
        await _until_waiting(database_url, "waymark-test/append")
        await _terminate(database_url, "waymark-test/append")
        with pytest.raises(StoreUnavailable, match="terminating connection"):
            await waiting
    assert (await store.append(owner, [entry(claimed)])).accepted == {claimed.instance_id}


async def test_a_cancelled_statement_leaves_the_store_usable(store: Store, database_url: str) -> None:
    """A caller that gives up does not poison the connection for the next one."""
    await started(store)
    owner = await executor(store)
    claimed = await claimed_one(store, owner)
    async with await psycopg.AsyncConnection.connect(database_url) as blocking:
        await blocking.execute("SELECT 1 FROM waymark.instance_state FOR UPDATE")
        waiting = asyncio.create_task(store.append(owner, [entry(claimed)]))
        await _until_waiting(database_url, "waymark-test/append")
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
    assert (await store.append(owner, [entry(claimed)])).accepted == {claimed.instance_id}


async def test_a_listener_reconnects_and_says_so(store: Store, database_url: str) -> None:
    """After a reconnect every channel is yielded once, since hints may have been lost meanwhile."""
    async with asyncio.timeout(30), store.listen(["one", "two"]) as hints:
        assert [await anext(hints), await anext(hints)] == ["one", "two"]
        await _terminate(database_url, "waymark-test/listen")
        assert [await anext(hints), await anext(hints)] == ["one", "two"]
        await store.notify("two")
        assert await anext(hints) == "two"


async def test_listening_without_a_database_is_silent() -> None:
    """A listener that never gets a connection waits and leaves when told to."""
    store = PostgresStore("postgresql://nobody@127.0.0.1:1/nothing")
    async with store.listen(["one"]) as hints:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.3):
                await anext(hints)


async def test_a_read_only_session_is_discarded(store: Store, database_url: str) -> None:
    """25006: a demoted primary refuses writes for ever, so its connections are not kept."""
    await started(store)
    owner = await executor(store)
    claimed = await claimed_one(store, owner)
    await store.append(owner, [entry(claimed)])
    name = (await execute(database_url, "SELECT current_database()"))[0][0]
    await execute(database_url, f'ALTER DATABASE "{name}" SET default_transaction_read_only = on')
    await _terminate(database_url)
    with pytest.raises(StoreUnavailable, match="read-only"):
        await store.append(owner, [entry(claimed, after=1)])
    await execute(
        database_url, "SET default_transaction_read_only = off", f'ALTER DATABASE "{name}" RESET ALL'
    )
    assert (await store.append(owner, [entry(claimed, after=1)])).accepted == {claimed.instance_id}


async def test_each_lane_has_its_own_connection_and_settings(store: Store, database_url: str) -> None:
    """Appends, leases and the rest do not wait for each other, and no session can lose or hold what it must not."""
    await execute(database_url, "ALTER ROLE CURRENT_USER SET synchronous_commit = off")
    try:
        await store.stop()
        await started(store)
        owner = await executor(store)
        await store.append(owner, [entry(await claimed_one(store, owner))])
        names = await execute(
            database_url,
            "SELECT DISTINCT application_name FROM pg_stat_activity WHERE application_name LIKE 'waymark-test/%'"
            " ORDER BY 1",
        )
        assert names == [("waymark-test/append",), ("waymark-test/general",), ("waymark-test/lease",)]
        assert isinstance(store, PostgresStore)
        shown = await store._connections.appends.fetch(
            Query(
                "show_settings",
                b"SELECT current_setting('synchronous_commit'), current_setting('search_path'),"
                b" current_setting('statement_timeout'), current_setting('idle_in_transaction_session_timeout')",
            ),
            {},
        )
        assert shown == [("on", "pg_catalog", "30s", "5s")]
    finally:
        await execute(database_url, "ALTER ROLE CURRENT_USER RESET synchronous_commit")


async def test_a_pooler_that_refuses_settings_is_good_enough(database_url: str) -> None:
    """PgBouncer as installed lets no settings through: the store works without, but insists on durable commits."""
    async with strict_pooler(database_url) as through:
        store = PostgresStore(through)
        await store.start()
        await store.register_version(version())
        await started(store)
        owner = await executor(store)
        claimed = await claimed_one(store, owner)
        assert (await store.append(owner, [entry(claimed)])).accepted == {claimed.instance_id}
        await store.stop()
        name = (await execute(database_url, "SELECT current_database()"))[0][0]
        await execute(database_url, f'ALTER DATABASE "{name}" SET synchronous_commit = off')
        with pytest.raises(StoreUnavailable, match="synchronous_commit is off"):
            await store.start()


async def test_connections_stay_under_their_limit(database_url: str, store: Store) -> None:
    """However many tasks ask at once, the process holds what it was given."""
    limited = PostgresStore(database_url, role="waymark-limited", max_connections=3)
    owner = await executor(store)
    await asyncio.gather(*(limited.read_instances([]) for _ in range(30)), limited.claim(owner, limit=1))
    used = await execute(
        database_url, "SELECT count(*) FROM pg_stat_activity WHERE application_name LIKE 'waymark-limited/%'"
    )
    assert used == [(1,)]
    await limited.stop()
    with pytest.raises(ValueError, match="max_connections must be at least 3, got 2"):
        PostgresStore(database_url, max_connections=2)


@pytest.mark.parametrize("code", ["40001", "40P01"])
async def test_a_rolled_back_statement_is_tried_again(store: Store, database_url: str, code: str) -> None:
    """Serialization failures and deadlocks pass without the caller noticing."""
    await execute(
        database_url,
        "CREATE SEQUENCE public.failures",
        "CREATE FUNCTION public.fail() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
        f" IF nextval('public.failures') <= 3 THEN RAISE EXCEPTION 'again' USING ERRCODE = '{code}'; END IF;"
        " RETURN NEW; END $$",
        "CREATE TRIGGER fail BEFORE INSERT ON waymark.journal FOR EACH ROW EXECUTE FUNCTION public.fail()",
    )
    await started(store)
    owner = await executor(store)
    claimed = await claimed_one(store, owner)
    assert (await store.append(owner, [entry(claimed)])).accepted == {claimed.instance_id}


async def _terminate(dsn: str, name: str = "waymark-test/%") -> None:
    await execute(
        dsn,
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE datname = current_database() AND application_name LIKE %(name)s AND pid <> pg_backend_pid()",
        name=name,
    )


# Messages


@pytest.mark.parametrize(
    "dsn",
    [
        "postgresql://waymark:s3cr%40t%2Fpw@127.0.0.1:1/nothing",
        "postgresql://waymark:s3cr@t/pw@127.0.0.1:1/nothing",
        "postgresql://waymark:s3cr%zzt@127.0.0.1/nothing",
        "host=127.0.0.1 port=1 user=waymark password='s3cr@t/pw' dbname=nothing",
        "host=127.0.0.1 password='s3cr@t",
    ],
)
async def test_no_message_shows_the_password(dsn: str, caplog: pytest.LogCaptureFixture) -> None:
    """Whatever is wrong with a DSN, neither the error, nor its cause, nor a log line quotes the secret."""
    caplog.set_level(logging.DEBUG)
    with pytest.raises(StoreUnavailable) as caught:
        await PostgresStore(dsn).start()
    shown = [str(caught.value), caplog.text]
    error: BaseException | None = caught.value
    while error is not None:
        shown.append(repr(error))
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    for text in shown:
        for secret in ("s3cr", "t/pw"):
            assert secret not in text, text


async def test_a_missing_schema_is_named(empty_database_url: str) -> None:
    """Starting on an empty database says what to do; so does a statement."""
    store = PostgresStore(empty_database_url)
    with pytest.raises(SchemaMismatch, match="no Waymark schema; run the migrations"):
        await store.start()
    with pytest.raises(SchemaMismatch, match="run the migrations"):
        await store.register_version(version())
    await store.stop()


async def test_stop_before_start_is_safe() -> None:
    """A service that fails while starting stops everything it made."""
    store = PostgresStore("postgresql://nobody@127.0.0.1:1/nothing")
    await store.stop()
    await store.stop()
