-- Looks start requests up by id and by idempotency key. No lock.
SELECT
    given.position,
    by_id.instance_id IS NOT NULL,
    by_key.instance_id,
    by_key.workflow_version = given.workflow_version AND by_key.input = given.input
FROM unnest(
    %(ids)b::uuid[], %(names)b::text[], %(versions)b::text[], %(inputs)b::bytea[], %(keys)b::text[]
) WITH ORDINALITY AS given (instance_id, workflow_name, workflow_version, input, idempotency_key, position)
LEFT JOIN waymark.instances AS by_id ON by_id.instance_id = given.instance_id
LEFT JOIN waymark.instances AS by_key
    ON by_key.workflow_name = given.workflow_name AND by_key.idempotency_key = given.idempotency_key
