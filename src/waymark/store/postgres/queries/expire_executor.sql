-- Ends a lease at once. The lock for update waits for a claim of this executor that is under way (it holds a key
-- share lock), so that the next statement sees everything the executor can ever own.
WITH lease AS MATERIALIZED (
    SELECT executor_id FROM waymark.executors WHERE executor_id = %(executor)b FOR UPDATE
)
UPDATE waymark.executors AS e
SET expires_at = least(e.expires_at, clock_timestamp())
FROM lease
WHERE e.executor_id = lease.executor_id
