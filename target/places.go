package target

import (
	"context"
	"fmt"
	"maps"
	"os"
	"slices"

	"dec.local/dec/internal/experiment"
)

// Opened is a target with the place that was opened of it.
type Opened struct {
	Target
	Place
}

// Places are the opened targets by name.
type Places map[string]Opened

// OpenAll opens every target. One that can't be opened is a place that says why:
// the others work.
func OpenAll(ctx context.Context, targets []Target, o Options) Places {
	if o.Getenv == nil {
		o.Getenv = os.Getenv
	}
	places := make(Places, len(targets))
	for _, t := range targets {
		t.Facts.Slots = max(1, t.Facts.Slots)
		place, err := t.Open(ctx, o)
		if err != nil {
			place = unusable{fmt.Errorf("target %s: %w", t.Name, err)}
		}
		places[t.Name] = Opened{t, place}
	}
	return places
}

// Names returns the names in order.
func (p Places) Names() []string { return slices.Sorted(maps.Keys(p)) }

// Find returns the target of that name, or an error that matches
// [experiment.ErrNotFound].
func (p Places) Find(name string) (Opened, error) {
	opened, ok := p[name]
	if !ok {
		return Opened{}, fmt.Errorf("this server has no target %q: %w", name, experiment.ErrNotFound)
	}
	return opened, nil
}

// unusable is a place that could not be opened.
type unusable struct{ err error }

func (u unusable) List(context.Context, string) ([]experiment.Object, error) { return nil, u.err }
func (u unusable) Remove(context.Context, experiment.Object) error           { return u.err }
func (u unusable) Watch(context.Context, string) error                       { return u.err }
func (u unusable) Placement() Placement                                      { return Placement{} }
func (u unusable) Check(context.Context, Demand) []Finding {
	return []Finding{{Level: Refuse, Detail: u.err.Error()}}
}
