-- Gives back instances whose owner's lease has expired, the most urgent first. Locks at most `limit` of them and
-- the expired leases; skips what others hold, so it never waits: a lease being renewed just now is not expired.
WITH expired AS MATERIALIZED (
    SELECT executor_id FROM waymark.executors
    WHERE expires_at <= clock_timestamp()
    FOR NO KEY UPDATE SKIP LOCKED
),
orphans AS MATERIALIZED (
    SELECT instance_id FROM waymark.instance_state
    WHERE owner IN (SELECT executor_id FROM expired)
    ORDER BY priority DESC, wake_at, instance_id
    LIMIT %(limit)b::bigint
    FOR UPDATE SKIP LOCKED
)
UPDATE waymark.instance_state AS s
SET owner = NULL
FROM orphans
WHERE s.instance_id = orphans.instance_id
RETURNING s.instance_id
