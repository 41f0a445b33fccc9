-- Views of those among some instances that have ended. No lock.
SELECT
    instance_id, workflow_name, workflow_version, status, priority, created_at, started_at, finished_at,
    payload, error_type, error_message
FROM waymark.instances
WHERE instance_id = ANY (%(ids)b::uuid[]) AND finished_at IS NOT NULL
