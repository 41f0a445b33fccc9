-- Takes due instances from the front of the queue. Locks at most `limit` of them, skipping what others hold, and
-- the claimer's own lease (key share: renewal goes on, closing waits). Takes nothing while sleepers or orphans
-- ought to be queued first, unless `is_tidy` says that this was just done. MATERIALIZED: a plan that ran the
-- locking part again would lock more than the limit.
WITH lease AS MATERIALIZED (
    SELECT executor_id FROM waymark.executors
    WHERE executor_id = %(executor)b AND expires_at > clock_timestamp()
    FOR KEY SHARE
),
upkeep AS MATERIALIZED (
    SELECT
        EXISTS (SELECT FROM lease)
        AND NOT %(is_tidy)b::boolean
        AND (
            EXISTS (
                SELECT FROM waymark.instance_state
                WHERE owner IS NULL AND NOT is_due AND wake_at <= now()
            )
            OR EXISTS (
                SELECT FROM waymark.executors AS e
                WHERE e.expires_at <= clock_timestamp()
                    AND EXISTS (SELECT FROM waymark.instance_state AS s WHERE s.owner = e.executor_id)
            )
        ) AS is_needed
),
due AS MATERIALIZED (
    SELECT instance_id FROM waymark.instance_state
    WHERE owner IS NULL AND is_due
        AND EXISTS (SELECT FROM lease)
        AND NOT (SELECT is_needed FROM upkeep)
    ORDER BY priority DESC, wake_at, instance_id
    LIMIT %(limit)b::bigint
    FOR UPDATE SKIP LOCKED
),
taken AS (
    UPDATE waymark.instance_state AS s
    SET
        owner = CASE WHEN s.claims_without_progress < %(max_claims)b::bigint THEN %(executor)b::uuid END,
        is_due = s.claims_without_progress < %(max_claims)b::bigint,
        wake_at = CASE WHEN s.claims_without_progress < %(max_claims)b::bigint
            THEN s.wake_at ELSE 'infinity' END,
        claims_without_progress = s.claims_without_progress + 1,
        epoch = s.epoch + 1,
        ticket = %(ticket)b::bigint,
        started_at = coalesce(s.started_at, clock_timestamp())
    FROM due
    WHERE s.instance_id = due.instance_id
    RETURNING
        s.instance_id, s.owner, s.epoch, s.last_seq, s.claims_without_progress, s.started_at, s.priority, s.wake_at
),
quarantined AS (
    UPDATE waymark.instances AS i
    SET status = 'quarantined', error_type = %(error_type)b, error_message = %(error_message)b
    FROM taken
    WHERE i.instance_id = taken.instance_id AND taken.owner IS NULL AND i.status = 'open'
)
SELECT
    clock_timestamp(), upkeep.is_needed,
    claimed.instance_id, claimed.workflow_name, claimed.workflow_version, claimed.input, claimed.created_at,
    claimed.epoch, claimed.last_seq, claimed.claims_without_progress, claimed.started_at, claimed.entropy, claimed.owner IS NULL
FROM upkeep
LEFT JOIN (
    SELECT
        i.instance_id, i.workflow_name, i.workflow_version, i.input, i.created_at, i.entropy,
        taken.owner, taken.epoch, taken.last_seq, taken.claims_without_progress, taken.started_at, taken.priority,
        taken.wake_at
    FROM taken
    JOIN waymark.instances AS i ON i.instance_id = taken.instance_id
) AS claimed ON true
ORDER BY claimed.priority DESC, claimed.wake_at, claimed.instance_id
