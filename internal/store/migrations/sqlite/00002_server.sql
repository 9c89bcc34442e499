-- What a server needs: lists that never count or sort, several hosts, and what
-- it must remember beside experiments.

-- +goose Up

-- The runs of an experiment are counted in its row.
ALTER TABLE experiments ADD COLUMN submitted_by   TEXT    NOT NULL DEFAULT '';
ALTER TABLE experiments ADD COLUMN target         TEXT    NOT NULL DEFAULT '';
ALTER TABLE experiments ADD COLUMN technologies   TEXT    NOT NULL DEFAULT ''; -- of the variants, each between spaces
ALTER TABLE experiments ADD COLUMN search         TEXT    NOT NULL DEFAULT ''; -- all that a text is searched in, one a line
ALTER TABLE experiments ADD COLUMN runs_planned   INTEGER NOT NULL DEFAULT 0;
ALTER TABLE experiments ADD COLUMN runs_queued    INTEGER NOT NULL DEFAULT 0;
ALTER TABLE experiments ADD COLUMN runs_ended     INTEGER NOT NULL DEFAULT 0;
ALTER TABLE experiments ADD COLUMN runs_succeeded INTEGER NOT NULL DEFAULT 0;
ALTER TABLE experiments ADD COLUMN runs_valid     INTEGER NOT NULL DEFAULT 0;
ALTER TABLE experiments ADD COLUMN runs_failed    INTEGER NOT NULL DEFAULT 0;
ALTER TABLE experiments ADD COLUMN runs_cancelled INTEGER NOT NULL DEFAULT 0;
ALTER TABLE experiments ADD COLUMN runs_leaked    INTEGER NOT NULL DEFAULT 0;
ALTER TABLE experiments ADD COLUMN started_at     BIGINT  NOT NULL DEFAULT 0; -- of the first run
ALTER TABLE experiments ADD COLUMN ended_at       BIGINT  NOT NULL DEFAULT 0; -- of the last run that ended
ALTER TABLE experiments ADD COLUMN verdict        TEXT    NOT NULL DEFAULT ''; -- '' until it was concluded
ALTER TABLE experiments ADD COLUMN state          TEXT    NOT NULL GENERATED ALWAYS AS (
    CASE WHEN runs_ended = runs_planned THEN 'ended' WHEN runs_queued = runs_planned THEN 'queued' ELSE 'running' END) VIRTUAL;

UPDATE experiments SET
    target       = json_extract(plan, '$.target'),
    technologies = ' ' || COALESCE((
        SELECT group_concat(DISTINCT json_extract(v.value, '$.technology'))
        FROM json_each(plan, '$.variants') v), '') || ' ',
    search       = id || char(10) || COALESCE(json_extract(plan, '$.name'), '') || COALESCE((
        SELECT group_concat(char(10) || json_extract(v.value, '$.label') || char(10) || json_extract(v.value, '$.technology'), '')
        FROM json_each(plan, '$.variants') v), '');
UPDATE experiments SET technologies = replace(technologies, ',', ' ');
UPDATE experiments SET (runs_planned, runs_queued, runs_ended,
        runs_succeeded, runs_valid, runs_failed, runs_cancelled, runs_leaked, started_at, ended_at) = (
    SELECT COUNT(*), COALESCE(SUM(phase = 'queued'), 0), COALESCE(SUM(phase = 'ended'), 0),
        COALESCE(SUM(phase = 'ended' AND outcome = 'succeeded'), 0), COALESCE(SUM(phase = 'ended' AND outcome = 'succeeded' AND valid), 0),
        COALESCE(SUM(phase = 'ended' AND outcome = 'failed'), 0), COALESCE(SUM(phase = 'ended' AND outcome = 'cancelled'), 0),
        COALESCE(SUM(phase = 'ended' AND teardown = 'leaked'), 0), COALESCE(MIN(NULLIF(started_at, 0)), 0), COALESCE(MAX(ended_at), 0)
    FROM runs WHERE experiment = experiments.id);

CREATE INDEX experiments_state ON experiments (state, seq);
CREATE INDEX experiments_queue ON experiments (target, seq, runs_queued) WHERE runs_queued > 0;
CREATE INDEX experiments_ended ON experiments (ended_at);
CREATE INDEX experiments_unconcluded ON experiments (seq) WHERE verdict = '' AND runs_ended = runs_planned;
DROP INDEX experiments_digest;

-- Experiments that were removed, so that what processes remember of them goes.
CREATE TABLE removals (
    n   INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    seq BIGINT  NOT NULL
);

ALTER TABLE runs ADD COLUMN place      BIGINT NOT NULL DEFAULT 0;  -- in the queue: seq of the experiment and position
ALTER TABLE runs ADD COLUMN technology TEXT   NOT NULL DEFAULT '';
ALTER TABLE runs ADD COLUMN machine    TEXT   NOT NULL DEFAULT ''; -- which claimed it; '' when not known
ALTER TABLE runs ADD COLUMN boot       TEXT   NOT NULL DEFAULT '';
ALTER TABLE runs ADD COLUMN home       TEXT   NOT NULL DEFAULT ''; -- data folder of the server that claimed it
UPDATE runs SET place = (SELECT e.seq FROM experiments e WHERE e.id = runs.experiment) * 1048576 + position,
    technology = COALESCE((SELECT json_extract(v.value, '$.technology') FROM experiments e, json_each(e.plan, '$.variants') v
        WHERE e.id = runs.experiment AND json_extract(v.value, '$.label') = runs.variant), '');
DROP INDEX runs_active;
CREATE UNIQUE INDEX runs_place ON runs (place);
CREATE INDEX runs_kinds ON runs (phase, outcome, teardown, technology, target, place);
CREATE INDEX runs_queue ON runs (target, place) WHERE phase = 'queued';
CREATE INDEX runs_claimed ON runs (target) WHERE phase = 'queued' AND lease_expires_at > 0;
CREATE INDEX runs_midway ON runs (target) WHERE phase <> 'queued' AND phase <> 'ended';
CREATE INDEX runs_leaked ON runs (started_at) WHERE teardown = 'leaked';
CREATE INDEX runs_leased ON runs (lease_owner) WHERE lease_owner <> '';

-- How many runs are of which kind: lists with filters go through those that fit.
CREATE TABLE kinds (
    phase      TEXT   NOT NULL,
    outcome    TEXT   NOT NULL,
    teardown   TEXT   NOT NULL,
    technology TEXT   NOT NULL,
    target     TEXT   NOT NULL,
    n          BIGINT NOT NULL,
    PRIMARY KEY (phase, outcome, teardown, technology, target)
);
INSERT INTO kinds SELECT phase, outcome, teardown, technology, target, COUNT(*) FROM runs GROUP BY 1, 2, 3, 4, 5;

-- What was ever counted; removing experiments takes nothing away.
CREATE TABLE totals (
    name TEXT   NOT NULL PRIMARY KEY,
    n    BIGINT NOT NULL
);
INSERT INTO totals SELECT 'outcome ' || outcome, COUNT(*) FROM runs WHERE phase = 'ended' GROUP BY outcome;
INSERT INTO totals SELECT 'attempt ' || kind || ' ' || outcome, COUNT(*) FROM attempts WHERE ended_at > 0 GROUP BY kind, outcome;

-- Of a target on the server's own machine: the one that holds its slots while
-- anything of it is midway or claimed.
ALTER TABLE slots ADD COLUMN machine TEXT NOT NULL DEFAULT '';

CREATE TABLE submissions (
    submitted_by TEXT   NOT NULL,
    idempotency  TEXT   NOT NULL, -- key of the client
    digest       TEXT   NOT NULL, -- of the request
    experiment   TEXT   NOT NULL,
    at           BIGINT NOT NULL,
    PRIMARY KEY (submitted_by, idempotency)
);
CREATE INDEX submissions_at ON submissions (at);
CREATE INDEX submissions_experiment ON submissions (experiment);

CREATE TABLE secrets (
    experiment TEXT NOT NULL PRIMARY KEY,
    sealed     BLOB NOT NULL -- encrypted by whoever gave it
);

CREATE TABLE drain (
    id         INTEGER NOT NULL PRIMARY KEY, -- 1
    asked_by   TEXT    NOT NULL,
    since      BIGINT  NOT NULL,
    lapses_at  BIGINT  NOT NULL,
    granted_at BIGINT  NOT NULL
);

CREATE TABLE sessions (
    token      TEXT   NOT NULL PRIMARY KEY, -- SHA-256 of it
    data       BLOB   NOT NULL,
    expires_at BIGINT NOT NULL
);
CREATE INDEX sessions_expiry ON sessions (expires_at);

CREATE TABLE audit (
    id     INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    at     BIGINT  NOT NULL,
    who    TEXT    NOT NULL,
    action TEXT    NOT NULL,
    object TEXT    NOT NULL,
    status INTEGER NOT NULL,
    remote TEXT    NOT NULL
);
