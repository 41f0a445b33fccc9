-- Puts instances whose time has come into the queue. Locks at most `limit`, skips what others hold.
WITH sleepers AS MATERIALIZED (
    SELECT instance_id FROM waymark.instance_state
    WHERE owner IS NULL AND NOT is_due AND wake_at <= now()
    ORDER BY wake_at
    LIMIT %(limit)b::bigint
    FOR UPDATE SKIP LOCKED
)
UPDATE waymark.instance_state AS s
SET is_due = true
FROM sleepers
WHERE s.instance_id = sleepers.instance_id
RETURNING s.instance_id
