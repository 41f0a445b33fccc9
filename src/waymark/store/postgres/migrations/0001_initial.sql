-- Versions, instances, their owners, journal and snapshots. Run before the code that needs it.
-- oldest code: 1
--
-- No foreign key points at instances or instance_state: each would cost a row lock on the wide, cold table for
-- every append. Both rows are made by one statement, and whoever removes an instance removes the rest with it.

CREATE TABLE waymark.workflow_versions (
    workflow_name text NOT NULL,
    workflow_version text NOT NULL,
    program_hash bytea NOT NULL CHECK (octet_length(program_hash) = 32),
    program_format integer NOT NULL,
    program bytea NOT NULL,
    source text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (workflow_name, workflow_version)
);

-- What callers see of an instance: one insert, one update when it ends. Whether an open one is queued or running
-- is told by instance_state (epoch 0: nobody has taken it yet), so that a claim need not rewrite this wide row.
CREATE TABLE waymark.instances (
    instance_id uuid PRIMARY KEY,
    workflow_name text NOT NULL,
    workflow_version text NOT NULL,
    status text NOT NULL DEFAULT 'open'
        CHECK (status IN ('open', 'quarantined', 'completed', 'failed', 'cancelled')),
    priority integer NOT NULL,
    idempotency_key text,
    input bytea NOT NULL,
    entropy uuid NOT NULL DEFAULT gen_random_uuid(),
    payload bytea,
    error_type text NOT NULL DEFAULT '',
    error_message text NOT NULL DEFAULT '',
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    started_at timestamptz,
    finished_at timestamptz,
    FOREIGN KEY (workflow_name, workflow_version) REFERENCES waymark.workflow_versions,
    CHECK ((status IN ('completed', 'failed', 'cancelled')) = (finished_at IS NOT NULL)),
    CHECK ((finished_at IS NULL) = (payload IS NULL))
);

CREATE UNIQUE INDEX instances_idempotency ON waymark.instances (workflow_name, idempotency_key)
    WHERE idempotency_key IS NOT NULL;

-- One lease per boot of a shard process; the only row that a heartbeat touches.
CREATE TABLE waymark.executors (
    executor_id uuid PRIMARY KEY,
    host text NOT NULL,
    pid integer NOT NULL,
    started_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    expires_at timestamptz NOT NULL
) WITH (
    fillfactor = 50,
    autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 200
);

-- Who owns each live instance, and how far it is; the row goes when the instance ends. Appends change only
-- last_seq and claims_without_progress, which no index holds, so that they are heap-only updates.
CREATE TABLE waymark.instance_state (
    instance_id uuid PRIMARY KEY,
    owner uuid REFERENCES waymark.executors,
    ticket bigint NOT NULL DEFAULT 0,
    epoch bigint NOT NULL DEFAULT 0 CHECK (epoch >= 0),
    last_seq bigint NOT NULL DEFAULT 0 CHECK (last_seq >= 0),
    wake_at timestamptz NOT NULL,
    started_at timestamptz,
    priority integer NOT NULL,
    claims_without_progress smallint NOT NULL DEFAULT 0,
    is_due boolean NOT NULL DEFAULT true
) WITH (
    fillfactor = 60,
    autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 2000,
    autovacuum_analyze_scale_factor = 0, autovacuum_analyze_threshold = 2000,
    autovacuum_vacuum_cost_delay = 0
);

COMMENT ON COLUMN waymark.instance_state.ticket IS 'Number of the claim that made the owner, to find what a claim took whose answer was lost.';
COMMENT ON COLUMN waymark.instance_state.is_due IS 'False while wake_at lies ahead; kept as a column so that a claim never walks over sleepers.';

-- The queue: a claim reads it from the front and stops at its limit.
CREATE INDEX instance_state_queue ON waymark.instance_state (priority DESC, wake_at, instance_id)
    WHERE owner IS NULL AND is_due;

CREATE INDEX instance_state_sleepers ON waymark.instance_state (wake_at)
    WHERE owner IS NULL AND NOT is_due;

CREATE INDEX instance_state_owner ON waymark.instance_state (owner)
    WHERE owner IS NOT NULL;

CREATE TABLE waymark.journal (
    instance_id uuid NOT NULL,
    seq bigint NOT NULL CHECK (seq > 0),
    epoch bigint NOT NULL CHECK (epoch > 0),
    committed_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    events bytea NOT NULL,
    PRIMARY KEY (instance_id, seq)
);

CREATE TABLE waymark.snapshots (
    instance_id uuid NOT NULL,
    seq bigint NOT NULL CHECK (seq >= 0),
    epoch bigint NOT NULL,
    program_hash bytea NOT NULL,
    state_format integer NOT NULL,
    checksum bytea NOT NULL,
    state bytea NOT NULL,
    PRIMARY KEY (instance_id, seq)
);
