-- Stores a program under its name and version; no row changes when one is there. Locks only the new row.
INSERT INTO waymark.workflow_versions
    (workflow_name, workflow_version, program_hash, program_format, program, source)
VALUES
    (%(name)b, %(version)b, %(program_hash)b, %(program_format)b::integer, %(program)b, %(source)b)
ON CONFLICT (workflow_name, workflow_version) DO NOTHING
RETURNING true
