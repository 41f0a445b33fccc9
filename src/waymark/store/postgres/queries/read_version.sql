-- Reads one stored program. No lock.
SELECT workflow_name, workflow_version, program_hash, program_format, program, source
FROM waymark.workflow_versions
WHERE workflow_name = %(name)b AND workflow_version = %(version)b
