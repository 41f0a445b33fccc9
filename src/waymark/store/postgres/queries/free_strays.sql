-- Gives back what claims of this executor took whose answers were lost; they do not count. Locks those rows.
WITH strays AS MATERIALIZED (
    SELECT instance_id FROM waymark.instance_state
    WHERE owner = %(executor)b AND ticket = ANY (%(tickets)b::bigint[])
    ORDER BY instance_id
    FOR UPDATE
)
UPDATE waymark.instance_state AS s
SET owner = NULL, claims_without_progress = greatest(s.claims_without_progress - 1, 0)
FROM strays
WHERE s.instance_id = strays.instance_id
RETURNING s.instance_id
