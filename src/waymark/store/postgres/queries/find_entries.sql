-- Which of some entries are in the journal exactly as given. No lock.
SELECT j.instance_id
FROM unnest(%(ids)b::uuid[], %(epochs)b::bigint[], %(seqs)b::bigint[], %(events)b::bytea[])
    AS given (instance_id, epoch, seq, events)
JOIN waymark.journal AS j
    ON j.instance_id = given.instance_id AND j.seq = given.seq
WHERE j.epoch = given.epoch AND j.events = given.events
