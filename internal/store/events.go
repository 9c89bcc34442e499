package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"dec.local/dec/internal/experiment"
)

// event records an event in the transaction, at its time.
func (t *tx) event(ctx context.Context, e experiment.Event) error {
	return t.record(ctx, []experiment.Event{e})
}

// eventsAtOnce is how many rows one statement inserts.
const eventsAtOnce = 100

// record records events in the transaction, at its time.
func (t *tx) record(ctx context.Context, events []experiment.Event) error {
	if !t.tells {
		return errors.New("event: the transaction did not say that it records any") // a bug
	}
	for len(events) > 0 {
		n := min(eventsAtOnce, len(events))
		recorded, err := t.insertEvents(ctx, events[:n])
		if err != nil {
			return fmt.Errorf("event: %w", err)
		}
		t.events, events = append(t.events, recorded...), events[n:]
	}
	return nil
}

func (t *tx) insertEvents(ctx context.Context, events []experiment.Event) ([]experiment.Event, error) {
	events = append([]experiment.Event(nil), events...)
	var args []any
	for i := range events {
		e := &events[i]
		e.At, e.Message = fromNanos(t.now), clean(e.Message)
		resource := ""
		if e.Resource != nil {
			encoded, err := json.Marshal(e.Resource)
			if err != nil {
				return nil, err
			}
			resource = string(encoded)
		}
		args = append(args, t.now, e.Experiment, e.Run, e.Variant, e.Kind, e.Phase, resource, e.Message)
	}
	rows, err := t.QueryContext(ctx, `INSERT INTO events (at, experiment, run, variant, kind, phase, resource, message)
		VALUES `+values(len(events), 8)+` RETURNING id`, args...)
	ids, err := collect(rows, err, scanOne[int64])
	if err != nil {
		return nil, err
	}
	if len(ids) != len(events) {
		return nil, fmt.Errorf("%d ids for %d events", len(ids), len(events))
	}
	for i := range events {
		events[i].ID = ids[i]
	}
	return events, nil
}

// Record stores an event of a run whose lease is held, and returns it with its
// id and time.
func (s *Store) Record(ctx context.Context, e experiment.Event, lease int64) ([]experiment.Event, error) {
	return s.tell(ctx, "record event of run "+e.Run, func(t *tx) error {
		if err := t.guard(s.Leased(ctx, e.Run, lease), e.Run); err != nil {
			return err
		}
		return t.event(ctx, e)
	})
}

// Events returns stored events by ascending id.
func (s *Store) Events(ctx context.Context, q experiment.EventQuery) ([]experiment.Event, error) {
	var c conditions
	c.add("id > ?", q.After)
	if q.Run != "" {
		c.add("run = ?", q.Run)
	}
	if q.Experiment != "" {
		c.add("experiment = ?", q.Experiment)
	}
	if q.Limit == 0 {
		q.Limit = 1000
	}
	rows, err := s.db.QueryContext(ctx, `SELECT `+eventColumns+` FROM events`+c.where()+fmt.Sprintf(` ORDER BY id LIMIT %d`, q.Limit), c.args...)
	list, err := collect(rows, err, scanEvent)
	if err != nil {
		return nil, fmt.Errorf("list events: %w", err)
	}
	return list, nil
}

// LastEvent returns the id of the newest event, 0 when there is none.
func (s *Store) LastEvent(ctx context.Context) (int64, error) {
	var id int64
	if err := s.db.QueryRowContext(ctx, `SELECT COALESCE(MAX(id), 0) FROM events`).Scan(&id); err != nil {
		return 0, fmt.Errorf("read the last event: %w", err)
	}
	return id, nil
}

// eventColumns are what [scanEvent] reads.
const eventColumns = `id, at, experiment, run, variant, kind, phase, resource, message`

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
	rows, err := s.db.QueryContext(ctx, `SELECT `+eventColumns+` FROM events WHERE run = $1 AND kind = 'resource' ORDER BY id`, run)
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
