-- Wakes the listeners of a channel. Takes the server-wide notify lock at commit: never part of another statement.
SELECT pg_catalog.pg_notify(%(channel)b::text, '')
