-- The same schema as that of SQLite, which was there before: see its folder for
-- what the columns mean. Versions are counted alike.
-- All times are nanoseconds since 1970 in UTC, 0 when unset.

-- +goose Up
CREATE TABLE slots (
    target   TEXT    NOT NULL PRIMARY KEY,
    capacity INTEGER NOT NULL,
    machine  TEXT    NOT NULL DEFAULT ''
);

CREATE TABLE experiments (
    seq            BIGINT  NOT NULL PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
    id             TEXT    NOT NULL UNIQUE,
    plan           TEXT    NOT NULL,
    digest         TEXT    NOT NULL,
    created_at     BIGINT  NOT NULL,
    reason         TEXT    NOT NULL,
    submitted_by   TEXT    NOT NULL DEFAULT '',
    target         TEXT    NOT NULL DEFAULT '',
    technologies   TEXT    NOT NULL DEFAULT '',
    search         TEXT    NOT NULL DEFAULT '',
    runs_planned   INTEGER NOT NULL DEFAULT 0,
    runs_queued    INTEGER NOT NULL DEFAULT 0,
    runs_ended     INTEGER NOT NULL DEFAULT 0,
    runs_succeeded INTEGER NOT NULL DEFAULT 0,
    runs_valid     INTEGER NOT NULL DEFAULT 0,
    runs_failed    INTEGER NOT NULL DEFAULT 0,
    runs_cancelled INTEGER NOT NULL DEFAULT 0,
    runs_leaked    INTEGER NOT NULL DEFAULT 0,
    started_at     BIGINT  NOT NULL DEFAULT 0,
    ended_at       BIGINT  NOT NULL DEFAULT 0,
    verdict        TEXT    NOT NULL DEFAULT '',
    state          TEXT    NOT NULL GENERATED ALWAYS AS (
        CASE WHEN runs_ended = runs_planned THEN 'ended' WHEN runs_queued = runs_planned THEN 'queued' ELSE 'running' END) STORED
);
CREATE INDEX experiments_state ON experiments (state, seq);
CREATE INDEX experiments_queue ON experiments (target, seq, runs_queued) WHERE runs_queued > 0;
CREATE INDEX experiments_ended ON experiments (ended_at);
CREATE INDEX experiments_unconcluded ON experiments (seq) WHERE verdict = '' AND runs_ended = runs_planned;

CREATE TABLE removals (
    n   BIGINT NOT NULL PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
    seq BIGINT NOT NULL
);

CREATE TABLE runs (
    id               TEXT    NOT NULL PRIMARY KEY,
    experiment       TEXT    NOT NULL REFERENCES experiments (id),
    target           TEXT    NOT NULL REFERENCES slots (target),
    variant          TEXT    NOT NULL,
    position         INTEGER NOT NULL,
    extra            BOOLEAN NOT NULL,
    phase            TEXT    NOT NULL,
    outcome          TEXT    NOT NULL,
    valid            BOOLEAN NOT NULL,
    invalid_reasons  TEXT    NOT NULL,
    teardown         TEXT    NOT NULL,
    reason           TEXT    NOT NULL,
    since            BIGINT  NOT NULL,
    started_at       BIGINT  NOT NULL,
    ended_at         BIGINT  NOT NULL,
    expires_at       BIGINT  NOT NULL,
    phases           TEXT    NOT NULL,
    cancel_reason    TEXT    NOT NULL,
    lease_owner      TEXT    NOT NULL,
    lease_expires_at BIGINT  NOT NULL,
    lease_no         BIGINT  NOT NULL,
    wake_at          BIGINT  NOT NULL,
    place            BIGINT  NOT NULL DEFAULT 0,
    technology       TEXT    NOT NULL DEFAULT '',
    machine          TEXT    NOT NULL DEFAULT '',
    boot             TEXT    NOT NULL DEFAULT '',
    home             TEXT    NOT NULL DEFAULT '',
    UNIQUE (experiment, position)
);
CREATE UNIQUE INDEX runs_place ON runs (place);
CREATE INDEX runs_kinds ON runs (phase, outcome, teardown, technology, target, place);
CREATE INDEX runs_queue ON runs (target, place) WHERE phase = 'queued';
CREATE INDEX runs_claimed ON runs (target) WHERE phase = 'queued' AND lease_expires_at > 0;
CREATE INDEX runs_midway ON runs (target) WHERE phase <> 'queued' AND phase <> 'ended';
CREATE INDEX runs_leaked ON runs (started_at) WHERE teardown = 'leaked';
CREATE INDEX runs_leased ON runs (lease_owner) WHERE lease_owner <> '';

CREATE TABLE kinds (
    phase      TEXT   NOT NULL,
    outcome    TEXT   NOT NULL,
    teardown   TEXT   NOT NULL,
    technology TEXT   NOT NULL,
    target     TEXT   NOT NULL,
    n          BIGINT NOT NULL,
    PRIMARY KEY (phase, outcome, teardown, technology, target)
);

CREATE TABLE totals (
    name TEXT   NOT NULL PRIMARY KEY,
    n    BIGINT NOT NULL
);

CREATE TABLE results (
    run    TEXT   NOT NULL PRIMARY KEY REFERENCES runs (id),
    at     BIGINT NOT NULL,
    result TEXT   NOT NULL
);

CREATE TABLE obligations (
    run           TEXT    NOT NULL PRIMARY KEY REFERENCES runs (id),
    admitted_at   BIGINT  NOT NULL,
    discharged_at BIGINT  NOT NULL,
    receipt       TEXT    NOT NULL,
    leaks         INTEGER NOT NULL,
    problem       TEXT    NOT NULL
);
CREATE INDEX obligations_open ON obligations (discharged_at);

CREATE TABLE attempts (
    run        TEXT    NOT NULL REFERENCES runs (id),
    n          INTEGER NOT NULL,
    kind       TEXT    NOT NULL,
    folder     TEXT    NOT NULL,
    started_at BIGINT  NOT NULL,
    ended_at   BIGINT  NOT NULL,
    outcome    TEXT    NOT NULL,
    error      TEXT    NOT NULL,
    PRIMARY KEY (run, n)
);

CREATE TABLE intents (
    run     TEXT    NOT NULL,
    attempt INTEGER NOT NULL,
    n       INTEGER NOT NULL,
    address TEXT    NOT NULL,
    action  TEXT    NOT NULL,
    kind    TEXT    NOT NULL,
    id      TEXT    NOT NULL,
    PRIMARY KEY (run, attempt, n),
    FOREIGN KEY (run, attempt) REFERENCES attempts (run, n)
);

CREATE TABLE states (
    run     TEXT    NOT NULL,
    attempt INTEGER NOT NULL,
    serial  BIGINT  NOT NULL,
    at      BIGINT  NOT NULL,
    state   BYTEA   NOT NULL,
    PRIMARY KEY (run, attempt, serial),
    FOREIGN KEY (run, attempt) REFERENCES attempts (run, n)
);

CREATE TABLE events (
    id         BIGINT NOT NULL PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
    at         BIGINT NOT NULL,
    experiment TEXT   NOT NULL,
    run        TEXT   NOT NULL,
    variant    TEXT   NOT NULL,
    kind       TEXT   NOT NULL,
    phase      TEXT   NOT NULL,
    resource   TEXT   NOT NULL,
    message    TEXT   NOT NULL
);
CREATE INDEX events_run ON events (run, id);
CREATE INDEX events_experiment ON events (experiment, id);

CREATE TABLE submissions (
    submitted_by TEXT   NOT NULL,
    idempotency  TEXT   NOT NULL,
    digest       TEXT   NOT NULL,
    experiment   TEXT   NOT NULL,
    at           BIGINT NOT NULL,
    PRIMARY KEY (submitted_by, idempotency)
);
CREATE INDEX submissions_at ON submissions (at);
CREATE INDEX submissions_experiment ON submissions (experiment);

CREATE TABLE secrets (
    experiment TEXT  NOT NULL PRIMARY KEY,
    sealed     BYTEA NOT NULL
);

CREATE TABLE drain (
    id         INTEGER NOT NULL PRIMARY KEY,
    asked_by   TEXT    NOT NULL,
    since      BIGINT  NOT NULL,
    lapses_at  BIGINT  NOT NULL,
    granted_at BIGINT  NOT NULL
);

CREATE TABLE sessions (
    token      TEXT   NOT NULL PRIMARY KEY,
    data       BYTEA  NOT NULL,
    expires_at BIGINT NOT NULL
);
CREATE INDEX sessions_expiry ON sessions (expires_at);

CREATE TABLE audit (
    id     BIGINT  NOT NULL PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
    at     BIGINT  NOT NULL,
    who    TEXT    NOT NULL,
    action TEXT    NOT NULL,
    object TEXT    NOT NULL,
    status INTEGER NOT NULL,
    remote TEXT    NOT NULL
);
