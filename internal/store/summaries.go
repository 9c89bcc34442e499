package store

import (
	"context"
	"encoding/json"
	"fmt"

	"dec.local/dec/internal/experiment"
)

// summaryColumns are what [scanSummary] reads.
const summaryColumns = experimentColumns + `, e.seq, e.runs_planned, e.runs_queued, e.runs_ended, e.runs_succeeded, e.runs_valid, e.runs_failed,
	e.runs_cancelled, e.runs_leaked, e.started_at, e.ended_at, e.verdict`

// placed is a summary with its position in lists.
type placed struct {
	experiment.Summary
	seq int64
}

func scanSummary(r row) (placed, error) {
	var p placed
	var started, ended int64
	var verdict string
	var err error
	c := &p.Runs
	p.Experiment, err = scanExperiment(r, &p.seq, &c.Planned, &c.Queued, &c.Ended,
		&c.Succeeded, &c.Valid, &c.Failed, &c.Cancelled, &c.Leaked, &started, &ended, &verdict)
	if err != nil {
		return p, err
	}
	c.Active = c.Planned - c.Queued - c.Ended
	p.StartedAt = fromNanos(started)
	if p.State == experiment.Ended {
		p.EndedAt = fromNanos(ended)
	}
	if verdict != "" {
		p.Verdict = new(experiment.Verdict)
		if err := json.Unmarshal([]byte(verdict), p.Verdict); err != nil {
			return p, fmt.Errorf("verdict of experiment %s: %w", p.ID, err)
		}
	}
	return p, nil
}

// Summary returns an experiment with the counts of its runs, or
// [experiment.ErrNotFound].
func (s *Store) Summary(ctx context.Context, id string) (experiment.Summary, error) {
	p, err := scanSummary(s.db.QueryRowContext(ctx, `SELECT `+summaryColumns+` FROM experiments e WHERE e.id = $1`, id))
	if err != nil {
		return p.Summary, fmt.Errorf("read experiment %s: %w", id, missing(err))
	}
	return p.Summary, nil
}

// QueuedBefore counts the queued runs of the same target that start before those
// of an experiment.
func (s *Store) QueuedBefore(ctx context.Context, experimentID string) (int, error) {
	var n int
	err := s.db.QueryRowContext(ctx, `SELECT COALESCE((SELECT SUM(b.runs_queued) FROM experiments b
		WHERE b.target = e.target AND b.seq < e.seq AND b.runs_queued > 0), 0)
		FROM experiments e WHERE e.id = $1`, experimentID).Scan(&n)
	if err != nil {
		return 0, fmt.Errorf("count what is queued before experiment %s: %w", experimentID, missing(err))
	}
	return n, nil
}

// SetVerdict keeps the answer of an experiment.
func (s *Store) SetVerdict(ctx context.Context, id string, v experiment.Verdict) error {
	encoded, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("set verdict of experiment %s: %w", id, err)
	}
	return s.write(ctx, "set verdict of experiment "+id, func(t *tx) error {
		return t.must(ctx, experiment.ErrNotFound, `UPDATE experiments SET verdict = $1 WHERE id = $2`, string(encoded), id)
	})
}

// Unconcluded returns the experiments that have ended and have no verdict yet,
// the oldest first.
func (s *Store) Unconcluded(ctx context.Context) ([]string, error) {
	rows, err := s.db.QueryContext(ctx, `SELECT id FROM experiments WHERE verdict = '' AND runs_ended = runs_planned ORDER BY seq`)
	ids, err := collect(rows, err, scanOne[string])
	if err != nil {
		return nil, fmt.Errorf("list experiments without a verdict: %w", err)
	}
	return ids, nil
}
