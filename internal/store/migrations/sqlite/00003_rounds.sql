-- What rounds and repeats need. Runs from before have the plan's own seed, which is
-- that of round 0.

-- +goose Up
ALTER TABLE runs ADD COLUMN round       INTEGER NOT NULL DEFAULT 0;
ALTER TABLE runs ADD COLUMN system_died BOOLEAN NOT NULL DEFAULT FALSE; -- the system under test ended under the load
