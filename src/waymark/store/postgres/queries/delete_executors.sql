-- Removes expired leases that own nothing. Locks their rows. A claim that commits meanwhile makes the foreign key
-- of instance_state refuse the whole statement: harmless, the next sweep tries again.
DELETE FROM waymark.executors AS e
WHERE e.expires_at <= clock_timestamp()
    AND NOT EXISTS (SELECT FROM waymark.instance_state AS s WHERE s.owner = e.executor_id)
