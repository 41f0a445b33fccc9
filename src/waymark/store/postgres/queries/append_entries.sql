-- Adds one journal entry per instance and ends those with a status. Locks owner rows in id order, then instances.
-- The fence is the write of instance_state that compares executor, epoch and last_seq: a check that only reads
-- the row would pass before a thief commits and let the entry in after. What waited for a thief's lock is compared
-- again with the row the thief left. The order of locks keeps two batches that share rows from waiting in a circle.
WITH batch AS MATERIALIZED (
    SELECT *
    FROM unnest(
        %(ids)b::uuid[], %(epochs)b::bigint[], %(seqs)b::bigint[], %(events)b::bytea[],
        %(statuses)b::text[], %(payloads)b::bytea[], %(error_types)b::text[], %(error_messages)b::text[]
    ) AS given (instance_id, epoch, last_seq, events, status, payload, error_type, error_message)
),
fenced AS MATERIALIZED (
    SELECT batch.*
    FROM waymark.instance_state AS s
    JOIN batch ON batch.instance_id = s.instance_id
    WHERE s.owner = %(executor)b AND s.epoch = batch.epoch AND s.last_seq = batch.last_seq
    ORDER BY s.instance_id
    FOR UPDATE OF s
),
moved AS (
    UPDATE waymark.instance_state AS s
    SET last_seq = s.last_seq + 1, claims_without_progress = 0
    FROM fenced
    WHERE s.instance_id = fenced.instance_id AND fenced.status IS NULL
        AND s.owner = %(executor)b AND s.epoch = fenced.epoch AND s.last_seq = fenced.last_seq
    RETURNING s.instance_id
),
ended AS (
    DELETE FROM waymark.instance_state AS s
    USING fenced
    WHERE s.instance_id = fenced.instance_id AND fenced.status IS NOT NULL
        AND s.owner = %(executor)b AND s.epoch = fenced.epoch AND s.last_seq = fenced.last_seq
    RETURNING s.instance_id, s.started_at, fenced.status, fenced.payload, fenced.error_type, fenced.error_message
),
shown AS (
    UPDATE waymark.instances AS i
    SET
        status = ended.status, payload = ended.payload,
        error_type = ended.error_type, error_message = ended.error_message,
        started_at = ended.started_at, finished_at = clock_timestamp()
    FROM ended
    WHERE i.instance_id = ended.instance_id
),
recorded AS (
    INSERT INTO waymark.journal (instance_id, seq, epoch, events)
    SELECT fenced.instance_id, fenced.last_seq + 1, fenced.epoch, fenced.events
    FROM (SELECT instance_id FROM moved UNION ALL SELECT instance_id FROM ended) AS accepted
    JOIN fenced ON fenced.instance_id = accepted.instance_id
    RETURNING instance_id
)
SELECT clock_timestamp(), recorded.instance_id
FROM (SELECT) AS always
LEFT JOIN recorded ON true
