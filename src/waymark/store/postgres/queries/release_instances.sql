-- Gives instances back under the fence of an append. Locks their owner rows in id order.
WITH batch AS MATERIALIZED (
    SELECT *
    FROM unnest(%(ids)b::uuid[], %(epochs)b::bigint[], %(seqs)b::bigint[], %(wakes)b::timestamptz[])
        AS given (instance_id, epoch, last_seq, wake_at)
),
fenced AS MATERIALIZED (
    SELECT batch.*
    FROM waymark.instance_state AS s
    JOIN batch ON batch.instance_id = s.instance_id
    WHERE s.owner = %(executor)b AND s.epoch = batch.epoch AND s.last_seq = batch.last_seq
    ORDER BY s.instance_id
    FOR UPDATE OF s
)
UPDATE waymark.instance_state AS s
SET
    owner = NULL,
    claims_without_progress = 0,
    wake_at = coalesce(fenced.wake_at, s.wake_at),
    is_due = coalesce(fenced.wake_at <= clock_timestamp(), true)
FROM fenced
WHERE s.instance_id = fenced.instance_id
    AND s.owner = %(executor)b AND s.epoch = fenced.epoch AND s.last_seq = fenced.last_seq
RETURNING s.instance_id
