-- Sets instances aside under the fence of an append. Locks their owner rows in id order, then instances.
WITH batch AS MATERIALIZED (
    SELECT *
    FROM unnest(%(ids)b::uuid[], %(epochs)b::bigint[], %(seqs)b::bigint[], %(reasons)b::text[])
        AS given (instance_id, epoch, last_seq, reason)
),
fenced AS MATERIALIZED (
    SELECT batch.*
    FROM waymark.instance_state AS s
    JOIN batch ON batch.instance_id = s.instance_id
    WHERE s.owner = %(executor)b AND s.epoch = batch.epoch AND s.last_seq = batch.last_seq
    ORDER BY s.instance_id
    FOR UPDATE OF s
),
freed AS (
    UPDATE waymark.instance_state AS s
    SET owner = NULL, is_due = false, wake_at = 'infinity'
    FROM fenced
    WHERE s.instance_id = fenced.instance_id
        AND s.owner = %(executor)b AND s.epoch = fenced.epoch AND s.last_seq = fenced.last_seq
    RETURNING s.instance_id, fenced.reason
),
shown AS (
    UPDATE waymark.instances AS i
    SET status = 'quarantined', error_type = %(error_type)b, error_message = freed.reason
    FROM freed
    WHERE i.instance_id = freed.instance_id
)
SELECT instance_id FROM freed
