-- Views of instances. An open one is running once a claim has raised its epoch. No lock.
SELECT
    i.instance_id, i.workflow_name, i.workflow_version,
    CASE WHEN i.status <> 'open' THEN i.status WHEN s.epoch > 0 THEN 'running' ELSE 'queued' END,
    i.priority, i.created_at, coalesce(i.started_at, s.started_at), i.finished_at,
    i.payload, i.error_type, i.error_message
FROM waymark.instances AS i
LEFT JOIN waymark.instance_state AS s ON s.instance_id = i.instance_id
WHERE i.instance_id = ANY (%(ids)b::uuid[])
