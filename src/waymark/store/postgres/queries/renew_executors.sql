-- Extends leases that are still alive. Locks their rows; only claims (key share, no conflict) share them.
UPDATE waymark.executors
SET expires_at = clock_timestamp() + %(ttl_ms)b::bigint * interval '1 millisecond'
WHERE executor_id = ANY (%(ids)b::uuid[]) AND expires_at > clock_timestamp()
RETURNING executor_id
