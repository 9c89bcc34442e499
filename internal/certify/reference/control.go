package reference

import (
	"context"
	"errors"
	"fmt"
)

// Commands of dec-agent, which dec starts to certify it. They end with their standard
// input: dec may have been killed.
const (
	BrokerCommand = "certify-broker" // prints its address first
	AgentCommand  = "certify-agent"  // as a run's agent, of the reference broker
)

// ClockAhead is a variable of [AgentCommand]: how far its wall clock is put ahead.
const ClockAhead = "DEC_CLOCK_AHEAD"

// Run is a run that is open at a broker.
type Run struct{ link *link }

// Open opens a run with its script. Close it.
func Open(ctx context.Context, at Endpoints, s Script) (*Run, error) {
	l, err := dial(ctx, at.Address, hello{Role: roleControl, Run: at.Run})
	if err != nil {
		return nil, err
	}
	r := &Run{l}
	if _, err := r.ask(request{Script: &s}); err != nil {
		return nil, errors.Join(err, l.Close())
	}
	return r, nil
}

// Begin tells when the load starts, in wall nanoseconds: the script counts from there.
func (r *Run) Begin(start int64) error {
	_, err := r.ask(request{Start: start})
	return err
}

// End ends the run and returns what the broker did.
func (r *Run) End() (Record, error) {
	a, err := r.ask(request{End: true})
	if err != nil {
		return Record{}, err
	}
	return *a.Record, nil
}

// Close forgets the run.
func (r *Run) Close() error { return r.link.Close() }

func (r *Run) ask(q request) (answer, error) {
	var a answer
	if err := r.link.writeJSON(q); err != nil {
		return a, fmt.Errorf("ask the reference broker: %w", err)
	}
	if err := r.link.readJSON(&a); err != nil {
		return a, fmt.Errorf("ask the reference broker: %w", err)
	}
	if a.Error != "" {
		return a, fmt.Errorf("the reference broker: %s", a.Error)
	}
	return a, nil
}
