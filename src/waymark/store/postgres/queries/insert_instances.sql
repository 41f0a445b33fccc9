-- Queues new instances, all or, when an id or key of them is known already, none. Locks only the new rows.
-- A request that races for the same id or key ends this one with a unique violation: none is added then either.
-- Rows go in by id, so that racing batches wait for each other in one order; their ages keep the order of the batch,
-- a microsecond apart: a row takes longer than that to insert, so the next statement's rows are younger.
WITH batch AS MATERIALIZED (
    SELECT *
    FROM unnest(
        %(ids)b::uuid[], %(names)b::text[], %(versions)b::text[], %(inputs)b::bytea[],
        %(priorities)b::bigint[], %(keys)b::text[]
    ) WITH ORDINALITY AS given
        (instance_id, workflow_name, workflow_version, input, priority, idempotency_key, position)
),
moment AS MATERIALIZED (
    SELECT clock_timestamp() AS begun_at
),
known AS MATERIALIZED (
    SELECT
        EXISTS (SELECT FROM batch JOIN waymark.instances USING (instance_id))
        OR EXISTS (SELECT FROM batch JOIN waymark.instances USING (workflow_name, idempotency_key)) AS is_any
),
added AS (
    INSERT INTO waymark.instances
        (instance_id, workflow_name, workflow_version, input, priority, idempotency_key, created_at)
    SELECT
        instance_id, workflow_name, workflow_version, input, priority::integer, idempotency_key,
        begun_at + position * interval '1 microsecond'
    FROM batch CROSS JOIN moment
    WHERE NOT (SELECT is_any FROM known)
    ORDER BY instance_id
    RETURNING instance_id, priority, created_at
),
queued AS (
    INSERT INTO waymark.instance_state (instance_id, priority, wake_at)
    SELECT instance_id, priority, created_at FROM added
)
SELECT NOT is_any FROM known
