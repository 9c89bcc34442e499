package main

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"dec.local/dec/internal/experiment"
)

// perExperiment is how many runs each has.
const perExperiment = 10

// Of the experiments the last thousand are queued, one before them is running,
// and all others have ended.
const open = 1000

// plan is that of all experiments but for what fill replaces.
func plan() experiment.Plan {
	return experiment.Plan{Name: "NAME", Target: "TARGET", Compare: experiment.DefaultMetric, Repeat: perExperiment / 2,
		Variants: []experiment.Variant{
			{Label: "first", Technology: "TECHNOLOGY", Stack: "kraft", Options: map[string]json.RawMessage{"brokers": json.RawMessage(`3`)}},
			{Label: "second", Technology: "nats", Stack: "jetstream"}},
		Limits: experiment.Limits{TTL: experiment.Duration(time.Hour)},
		Workload: experiment.Workload{Seed: 42, Topology: experiment.Topology{Partitions: 4, Producers: 2},
			Load:    experiment.Load{Rate: 5000, MaxInFlight: 10000},
			Message: experiment.Message{Size: experiment.Size{Min: 1024, Max: 1024}, Key: experiment.Key{Kind: experiment.KeyNone}},
			Stages:  experiment.Stages{Warmup: experiment.Duration(20 * time.Second), Measure: experiment.Duration(30 * time.Second)}}}
}

// fills are the statements that fill the tables, for $1 experiments.
var fills = []string{
	`INSERT INTO slots (target, capacity) VALUES ('local', 1), ('aws', 20)`,
	`WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < COUNT),
		x AS (SELECT i, 'e' || substr('000000000' || i, length('000000000' || i) - 8) AS id,
			'nightly comparison no. ' || i || ' of the eastern cluster' AS name,
			CASE WHEN i % 1000 = 7 THEN 'pulsar' WHEN i % 3 = 0 THEN 'kinesis' ELSE 'kafka' END AS technology,
			CASE WHEN i % 50 = 0 THEN 'aws' ELSE 'local' END AS target,
			CASE WHEN i <= COUNT - OPEN - 1 THEN 1 ELSE 0 END AS ended,
			CASE WHEN i = COUNT - OPEN THEN 1 ELSE 0 END AS running FROM n)
	INSERT INTO experiments (id, plan, digest, created_at, reason, submitted_by, target, technologies, search, runs_planned, runs_queued, runs_ended,
		runs_succeeded, runs_valid, runs_failed, started_at, ended_at, verdict)
	SELECT id, replace(replace(replace('PLAN', 'NAME', name), 'TARGET', target), 'TECHNOLOGY', technology),
		'digest' || (i % 20000), 1700000000000000000 + CAST(i AS BIGINT) * 60000000000, '', CASE WHEN i % 10 = 0 THEN 'ann' ELSE 'ci' END, target,
		CASE WHEN technology = 'pulsar' THEN ' nats pulsar ' ELSE ' ' || technology || ' nats ' END,
		id || 'LINE' || name || 'LINE' || 'first' || 'LINE' || technology || 'LINE' || 'second' || 'LINE' || 'nats',
		10, CASE WHEN ended = 1 THEN 0 WHEN running = 1 THEN 9 ELSE 10 END, 10 * ended, 9 * ended, 9 * ended, ended,
		CASE WHEN ended + running > 0 THEN 1700000000000000000 + CAST(i AS BIGINT) * 60000000000 ELSE 0 END,
		ended * (1700000000000000000 + CAST(i AS BIGINT) * 60000000000), CASE WHEN ended = 1 THEN 'VERDICT' ELSE '' END FROM x`,
	`WITH RECURSIVE p(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM p WHERE n < 9),
		x AS (SELECT e.*, p.n,
			CASE WHEN e.runs_ended = 10 THEN 'ended' WHEN e.runs_queued = 9 AND p.n = 0 THEN 'load' ELSE 'queued' END AS phase
			FROM experiments e CROSS JOIN p)
	INSERT INTO runs (id, experiment, target, variant, position, extra, phase, outcome, valid, invalid_reasons, teardown, reason,
		since, started_at, ended_at, expires_at, phases, cancel_reason, lease_owner, lease_expires_at, lease_no, wake_at, place, technology)
	SELECT 'r' || substr(id, 2) || n, id, target, CASE WHEN n % 2 = 0 THEN 'first' ELSE 'second' END, n, FALSE, phase,
		CASE WHEN phase <> 'ended' THEN '' WHEN n = 9 THEN 'failed' ELSE 'succeeded' END, phase = 'ended' AND n < 9, 'null',
		CASE phase WHEN 'ended' THEN CASE WHEN seq % 10000 = 5 AND n = 9 THEN 'leaked' ELSE 'clean' END WHEN 'load' THEN 'pending' ELSE 'none' END,
		CASE WHEN phase = 'ended' AND n = 9 THEN 'provision: a broker did not start' ELSE '' END, created_at, started_at, ended_at, 0,
		'PHASES', '', CASE WHEN phase = 'load' THEN 'another' ELSE '' END, CASE WHEN phase = 'load' THEN 9000000000000000000 ELSE 0 END, 1,
		CASE WHEN seq % 10000 = 5 THEN 9000000000000000000 ELSE 0 END, seq * 1048576 + n,
		CASE WHEN n % 2 = 1 THEN 'nats' WHEN seq % 1000 = 7 THEN 'pulsar' WHEN seq % 3 = 0 THEN 'kinesis' ELSE 'kafka' END FROM x`,
	`INSERT INTO obligations (run, admitted_at, discharged_at, receipt, leaks, problem)
		SELECT id, since, CASE WHEN teardown = 'clean' THEN ended_at ELSE 0 END, 'RECEIPT', 0, '' FROM runs`,
	`INSERT INTO events (at, experiment, run, variant, kind, phase, resource, message)
		SELECT since, experiment, id, variant, 'phase', 'queued', '', '' FROM runs ORDER BY place`,
	`INSERT INTO events (at, experiment, run, variant, kind, phase, resource, message)
		SELECT since, experiment, id, variant, 'outcome', 'ended', '', outcome FROM runs WHERE phase = 'ended' ORDER BY place`,
	`INSERT INTO kinds SELECT phase, outcome, teardown, technology, target, SUM(1) FROM runs GROUP BY 1, 2, 3, 4, 5`,
	`ANALYZE`,
}

// fill fills the database: statements of its own, because the store's admit one
// experiment each.
func fill(ctx context.Context, driver, url string, experiments int) error {
	encoded, err := json.Marshal(plan())
	if err != nil {
		return err
	}
	started := time.Now()
	db, err := sql.Open(driver, url)
	if err != nil {
		return err
	}
	defer db.Close()
	db.SetMaxOpenConns(1)
	if driver == "sqlite" {
		if _, err := db.ExecContext(ctx, `PRAGMA synchronous = OFF; PRAGMA cache_size = -500000`); err != nil {
			return err
		}
	}
	phases := strings.ReplaceAll(`[{"phase":"queued",AT},{"phase":"provision",AT},{"phase":"load",AT},{"phase":"ended",AT}]`,
		"AT", `"at":"2026-01-02T03:04:05Z"`)
	verdict := `{"decided":true,"sentences":["first is slower than second at end-to-end p99: 2.1 times"],` +
		`"caveats":["one machine"],"fairness":"same guarantees"}`
	fill := strings.NewReplacer("PLAN", string(encoded), "COUNT", fmt.Sprint(experiments), "OPEN", fmt.Sprint(open), "PHASES", phases,
		"VERDICT", verdict, "RECEIPT", `{"at":"2026-01-02T03:04:05Z","statement":"nothing is left","quiet_sweeps":2}`, "'LINE'", "'\n'")
	for _, statement := range fills {
		if _, err := db.ExecContext(ctx, fill.Replace(statement)); err != nil {
			return fmt.Errorf("%.60s…: %w", statement, err)
		}
	}
	fmt.Printf("filled with %d experiments and %d runs in %.0f s\n", experiments, experiments*perExperiment, time.Since(started).Seconds())
	return nil
}
