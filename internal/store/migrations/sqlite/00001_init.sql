-- All times are nanoseconds since 1970 in UTC, 0 when unset.

-- +goose Up
CREATE TABLE slots (
    target   TEXT    NOT NULL PRIMARY KEY,
    capacity INTEGER NOT NULL
);

CREATE TABLE experiments (
    seq        INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, -- the queue is first in, first out
    id         TEXT    NOT NULL UNIQUE,
    plan       TEXT    NOT NULL,
    digest     TEXT    NOT NULL,
    created_at BIGINT  NOT NULL,
    reason     TEXT    NOT NULL -- why no further run of it starts; '' while runs may start
);
CREATE INDEX experiments_digest ON experiments (digest);

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
    cancel_reason    TEXT    NOT NULL, -- '' until somebody asks for the end of the run
    lease_owner      TEXT    NOT NULL,
    lease_expires_at BIGINT  NOT NULL,
    lease_no         BIGINT  NOT NULL, -- fences the writes of an owner that lost its lease
    wake_at          BIGINT  NOT NULL, -- not claimed before this time
    UNIQUE (experiment, position)
);
CREATE INDEX runs_active ON runs (phase, lease_expires_at);

CREATE TABLE results (
    run    TEXT   NOT NULL PRIMARY KEY REFERENCES runs (id),
    at     BIGINT NOT NULL,
    result TEXT   NOT NULL
);

-- The duty to destroy what a run creates. Only a receipt discharges it.
CREATE TABLE obligations (
    run           TEXT    NOT NULL PRIMARY KEY REFERENCES runs (id),
    admitted_at   BIGINT  NOT NULL,
    discharged_at BIGINT  NOT NULL,
    receipt       TEXT    NOT NULL,
    leaks         INTEGER NOT NULL, -- how often it was given up for a day
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
    state   BLOB    NOT NULL,
    PRIMARY KEY (run, attempt, serial),
    FOREIGN KEY (run, attempt) REFERENCES attempts (run, n)
);

CREATE TABLE events (
    id         INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    at         BIGINT  NOT NULL,
    experiment TEXT    NOT NULL,
    run        TEXT    NOT NULL,
    variant    TEXT    NOT NULL,
    kind       TEXT    NOT NULL,
    phase      TEXT    NOT NULL,
    resource   TEXT    NOT NULL,
    message    TEXT    NOT NULL
);
CREATE INDEX events_run ON events (run, id);
CREATE INDEX events_experiment ON events (experiment, id);
