-- Gives back everything an executor owns. Locks those rows in id order, as appends do.
WITH owned AS MATERIALIZED (
    SELECT instance_id FROM waymark.instance_state
    WHERE owner = %(executor)b
    ORDER BY instance_id
    FOR UPDATE
)
UPDATE waymark.instance_state AS s
SET owner = NULL
FROM owned
WHERE s.instance_id = owned.instance_id AND s.owner = %(executor)b
RETURNING s.instance_id
