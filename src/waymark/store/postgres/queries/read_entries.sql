-- Journal entries after a given one, per instance and in order. No lock.
SELECT j.instance_id, j.seq, j.epoch, j.events, j.committed_at
FROM unnest(%(ids)b::uuid[], %(seqs)b::bigint[]) AS given (instance_id, after_seq)
JOIN waymark.journal AS j
    ON j.instance_id = given.instance_id AND j.seq > given.after_seq
ORDER BY j.instance_id, j.seq
