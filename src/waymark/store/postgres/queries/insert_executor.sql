-- Opens a lease, or extends the one of a repeated request; one that has expired stays so. Locks the lease row.
INSERT INTO waymark.executors AS e (executor_id, host, pid, expires_at)
VALUES (
    %(executor)b, %(host)b, %(pid)b::integer,
    clock_timestamp() + %(ttl_ms)b::bigint * interval '1 millisecond'
)
ON CONFLICT (executor_id) DO UPDATE
SET expires_at = excluded.expires_at
WHERE e.expires_at > clock_timestamp() AND e.host = excluded.host AND e.pid = excluded.pid
RETURNING e.executor_id, e.host, e.pid, e.expires_at
