package httpapi

import (
	"context"
	"time"

	"dec.local/dec/internal/api"
	"dec.local/dec/internal/experiment"
)

// eventPage is how many stored events are read at once.
const eventPage = 1000

type resourcesOutput struct{ Body api.Resources }

func (e evidenceRoutes) getResources(ctx context.Context, in *RunPath) (*resourcesOutput, error) {
	asOf, _, err := moment(ctx, e.clock)
	if err != nil {
		return nil, err
	}
	if _, err := e.store.Run(ctx, in.ID); err != nil {
		return nil, err
	}
	history := newResourceHistory()
	for after := int64(0); ; {
		events, err := e.store.Events(ctx, experiment.EventQuery{Run: in.ID, After: after, Limit: eventPage})
		if err != nil {
			return nil, err
		}
		for _, event := range events {
			history.add(event)
			after = event.ID
		}
		if len(events) < eventPage {
			break
		}
	}
	return &resourcesOutput{api.Resources{Run: in.ID, Items: history.items, AsOf: asOf}}, nil
}

// resourceHistory collects the latest state of each resource.
type resourceHistory struct {
	items []api.Resource
	index map[string]int // by address
}

func newResourceHistory() *resourceHistory {
	return &resourceHistory{items: []api.Resource{}, index: map[string]int{}}
}

// resourceStates are the states by action and state of the journal.
var resourceStates = map[string]map[string]string{
	"create": {"started": "creating", "complete": "created", "errored": "create failed"},
	"delete": {"started": "destroying", "complete": "destroyed", "errored": "destroy failed"},
}

// add takes the next event.
func (h *resourceHistory) add(e experiment.Event) {
	if e.Kind != experiment.EventResource || e.Resource == nil {
		return
	}
	state, ok := resourceStates[e.Resource.Action][e.Resource.State]
	if !ok {
		return
	}
	i, known := h.index[e.Resource.Address]
	if !known {
		i = len(h.items)
		h.index[e.Resource.Address] = i
		h.items = append(h.items, api.Resource{Address: e.Resource.Address})
	}
	item := &h.items[i]
	item.State, item.Since = state, e.At.UTC()
	if e.Resource.ID != "" {
		item.ID = e.Resource.ID
	}
	switch state {
	case "creating": // perhaps once more, after a destroy
		item.CreateS, item.DestroyS, item.CreatedAt, item.GoneAt = 0, 0, time.Time{}, time.Time{}
	case "created":
		item.CreateS, item.CreatedAt = e.Resource.Seconds, e.At.UTC()
	case "destroyed":
		item.DestroyS, item.GoneAt = e.Resource.Seconds, e.At.UTC()
	}
}
