package store

import (
	"context"
	"encoding/json"
	"fmt"

	"dec.local/dec/internal/experiment"
)

// event records an event in the transaction, at its time.
func (t *tx) event(ctx context.Context, e experiment.Event) error {
	e.At = fromNanos(t.now)
	resource := ""
	if e.Resource != nil {
		encoded, err := json.Marshal(e.Resource)
		if err != nil {
			return fmt.Errorf("event: %w", err)
		}
		resource = string(encoded)
	}
	if err := t.QueryRowContext(ctx, `INSERT INTO events (at, experiment, run, variant, kind, phase, resource, message)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8) RETURNING id`,
		t.now, e.Experiment, e.Run, e.Variant, e.Kind, e.Phase, resource, e.Message).Scan(&e.ID); err != nil {
		return fmt.Errorf("event: %w", err)
	}
	t.events = append(t.events, e)
	return nil
}

// Record stores an event of a run whose lease is held, and returns it with its
// id and time.
func (s *Store) Record(ctx context.Context, e experiment.Event, lease int64) ([]experiment.Event, error) {
	return s.write(ctx, "record event of run "+e.Run, func(t *tx) error {
		if err := t.guard(s.Leased(ctx, e.Run, lease), e.Run); err != nil {
			return err
		}
		return t.event(ctx, e)
	})
}

// EventFilter says which events are wanted. Zero fields do not filter.
type EventFilter struct {
	Run        string
	Experiment string
	After      int64 // only events with greater ids
	Limit      int   // 1000 if zero
}

// Events returns stored events by ascending id.
func (s *Store) Events(ctx context.Context, f EventFilter) ([]experiment.Event, error) {
	if f.Limit == 0 {
		f.Limit = 1000
	}
	rows, err := s.db.QueryContext(ctx, `SELECT id, at, experiment, run, variant, kind, phase, resource, message FROM events
		WHERE id > $1 AND ($2 = '' OR run = $2) AND ($3 = '' OR experiment = $3) ORDER BY id LIMIT $4`, f.After, f.Run, f.Experiment, f.Limit)
	list, err := collect(rows, err, scanEvent)
	if err != nil {
		return nil, fmt.Errorf("list events: %w", err)
	}
	return list, nil
}

func scanEvent(r row) (experiment.Event, error) {
	var e experiment.Event
	var at int64
	var resource string
	if err := r.Scan(&e.ID, &at, &e.Experiment, &e.Run, &e.Variant, &e.Kind, &e.Phase, &resource, &e.Message); err != nil {
		return e, err
	}
	e.At = fromNanos(at)
	if resource != "" {
		e.Resource = new(experiment.Resource)
		if err := json.Unmarshal([]byte(resource), e.Resource); err != nil {
			return e, fmt.Errorf("resource of event %d: %w", e.ID, err)
		}
	}
	return e, nil
}

// Seconds returns, by OpenTofu address, how long each object of a run lived, as
// far as its events tell: from the end of its create to the end of its delete.
func (s *Store) Seconds(ctx context.Context, run string) (map[string]float64, error) {
	rows, err := s.db.QueryContext(ctx, `SELECT id, at, experiment, run, variant, kind, phase, resource, message FROM events
		WHERE run = $1 AND kind = 'resource' ORDER BY id`, run)
	events, err := collect(rows, err, scanEvent)
	if err != nil {
		return nil, fmt.Errorf("list lives of objects of run %s: %w", run, err)
	}
	created, seconds := map[string]experiment.Event{}, map[string]float64{}
	for _, e := range events {
		if e.Resource == nil || e.Resource.State != "complete" {
			continue
		}
		switch e.Resource.Action {
		case "create":
			created[e.Resource.Address] = e
		case "delete":
			if from, ok := created[e.Resource.Address]; ok {
				seconds[e.Resource.Address] = e.At.Sub(from.At).Seconds()
			}
		}
	}
	return seconds, nil
}
