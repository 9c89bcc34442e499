package measure_test

import (
	"maps"
	"slices"

	"dec.local/dec/internal/measure"
)

// recording is what one agent records with.
type recording struct {
	producers *measure.ProducerMeter
	consumers *measure.ConsumerMeter
	groups    map[string]*measure.GroupRecorder
}

func newRecording() *recording {
	return &recording{measure.NewProducerMeter(window), measure.NewConsumerMeter(window), map[string]*measure.GroupRecorder{}}
}

func (r *recording) producer() *measure.ProducerRecorder {
	return measure.NewProducerRecorder(r.producers)
}

func (r *recording) consumer(group string) *measure.ConsumerRecorder {
	if r.groups[group] == nil {
		r.groups[group] = measure.NewGroupRecorder(group, run, window, measure.MaxOrders)
	}
	return measure.NewConsumerRecorder(r.groups[group], r.consumers)
}

// drain moves everything up to a second into an interval.
func (r *recording) drain(through int, into *measure.Interval) (left bool) {
	producers, consumers := r.producers.Drain(through, into), r.consumers.Drain(through, into)
	return producers || consumers
}

// addTo completes the result of the agent.
func (r *recording) addTo(t fataler, a *measure.AgentResult) {
	if err := a.AddMeters(r.producers); err != nil {
		t.Fatalf("AddMeters() = %v, want no error", err)
	}
	for _, group := range slices.Sorted(maps.Keys(r.groups)) {
		if err := a.AddGroup(r.groups[group]); err != nil {
			t.Fatalf("AddGroup(%s) = %v, want no error", group, err)
		}
	}
}

type fataler interface{ Fatalf(string, ...any) }
