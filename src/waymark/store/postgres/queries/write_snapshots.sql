-- Keeps snapshots of instances that the executor owns, and of the older ones the newest. Locks owner rows in id
-- order: with the lock held nobody can take the instance and load a snapshot while this one comes in.
WITH batch AS MATERIALIZED (
    SELECT *
    FROM unnest(
        %(ids)b::uuid[], %(seqs)b::bigint[], %(epochs)b::bigint[], %(hashes)b::bytea[],
        %(formats)b::bigint[], %(checksums)b::bytea[], %(states)b::bytea[]
    ) AS given (instance_id, seq, epoch, program_hash, state_format, checksum, state)
),
fenced AS MATERIALIZED (
    SELECT batch.*
    FROM waymark.instance_state AS s
    JOIN batch ON batch.instance_id = s.instance_id
    WHERE s.owner = %(executor)b AND s.epoch = batch.epoch AND batch.seq <= s.last_seq
    ORDER BY s.instance_id
    FOR UPDATE OF s
),
newer AS MATERIALIZED (
    SELECT
        fenced.*,
        (SELECT max(t.seq) FROM waymark.snapshots AS t WHERE t.instance_id = fenced.instance_id) AS newest_seq
    FROM fenced
),
kept AS (
    INSERT INTO waymark.snapshots (instance_id, seq, epoch, program_hash, state_format, checksum, state)
    SELECT instance_id, seq, epoch, program_hash, state_format::integer, checksum, state
    FROM newer
    WHERE newest_seq IS NULL OR seq > newest_seq
    ON CONFLICT (instance_id, seq) DO NOTHING
    RETURNING instance_id
),
dropped AS (
    DELETE FROM waymark.snapshots AS t
    USING newer JOIN kept ON kept.instance_id = newer.instance_id
    WHERE t.instance_id = newer.instance_id AND t.seq < newer.newest_seq
)
SELECT instance_id FROM kept
