-- Snapshots of some instances, newest first. No lock.
SELECT instance_id, seq, epoch, program_hash, state_format, checksum, state
FROM waymark.snapshots
WHERE instance_id = ANY (%(ids)b::uuid[])
ORDER BY instance_id, seq DESC
