package httpapi_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"dec.local/dec/internal/api"
	"dec.local/dec/internal/experiment"
	"dec.local/dec/internal/measure"
)

// planText is a plan of two variants with one run each.
const planText = `{
	"name": "Kafka vs NATS",
	"workload": {"load": {"rate": 1000}, "stages": {"warmup": "10s", "measure": "30s"}},
	"variants": [
		{"label": "kafka", "technology": "kafka", "stack": "kraft", "options": {"brokers": 1}},
		{"label": "nats", "technology": "nats", "stack": "jetstream"}
	],
	"repeat": 1
}`

// submit submits the plan.
func (w *fixture) submit() api.ExperimentDetail {
	w.Helper()
	return decode[api.ExperimentDetail](w.post("/api/v1/experiments", planText).is(202))
}

// held is a run that the test drives.
type held struct {
	*fixture
	experiment.Run
	lease int64
}

// claim takes the next run of the queue.
func (w *fixture) claim() *held {
	w.Helper()
	run, lease, err := w.store.Claim(w.Context(), "test", experiment.Host{}, time.Hour)
	if err != nil {
		w.Fatal(err)
	}
	return &held{w, run, lease}
}

// enter brings the run into a phase.
func (h *held) enter(phase experiment.Phase) *held {
	h.Helper()
	h.Phase = phase
	if _, err := h.store.Enter(h.Context(), &h.Run, h.lease); err != nil {
		h.Fatal(err)
	}
	return h
}

// tell stores an event of a resource.
func (h *held) tell(address, action, state string) {
	h.Helper()
	event := experiment.Event{Experiment: h.Experiment, Run: h.ID, Kind: experiment.EventResource,
		Resource: &experiment.Resource{Address: address, Action: action, State: state, ID: "id-" + address, Seconds: 0.5}}
	if _, err := h.store.Record(h.Context(), event, h.lease); err != nil {
		h.Fatal(err)
	}
}

// collect stores a result whose end-to-end p99 is the given one, with changes.
func (h *held) collect(p99 time.Duration, changes ...func(*measure.Result)) *held {
	h.Helper()
	latency := measure.Latency{Count: 30000, MinNS: 1, P99NS: new(p99.Nanoseconds()), MaxNS: new(2 * p99.Nanoseconds()), MeanNS: new(3.0)}
	result := measure.Result{ClockBound: new(int64),
		Counts: measure.Counts{Offered: 30000, Acked: 30000, Received: 30000}, E2E: latency, Publish: latency, Throughput: 1000,
		Validity: experiment.Validity{OK: true}, Guarantees: json.RawMessage(`{"producer_ack": "all", "durability": "page_cache", "replicas": 1}`),
	}
	h.evidence.kept[h.ID] = measure.Merged{
		Timeline:   []measure.Second{{Second: 0, Stage: experiment.StageWarmup}, {Second: 1, Stage: experiment.StageMeasure}},
		Histograms: map[measure.Distribution]string{measure.E2ELatency: ""},
	}
	for _, change := range changes {
		change(&result)
	}
	data, err := json.Marshal(result)
	if err != nil {
		h.Fatal(err)
	}
	h.Result, h.Validity = data, result.Validity
	if err := h.store.SaveResult(h.Context(), &h.Run, h.lease); err != nil {
		h.Fatal(err)
	}
	return h
}

// end ends the run with a receipt, or leaked.
func (h *held) end(outcome experiment.Outcome, teardown experiment.Teardown) {
	h.Helper()
	if err := h.tryEnd(outcome, teardown); err != nil {
		h.Fatal(err)
	}
}

func (h *held) tryEnd(outcome experiment.Outcome, teardown experiment.Teardown) error {
	h.Outcome, h.Teardown = outcome, teardown
	if teardown != experiment.TeardownLeaked {
		h.Receipt = &experiment.Receipt{At: time.Now().UTC(), Statement: "nothing is left"}
	}
	_, err := h.store.End(h.Context(), &h.Run, h.lease, nil)
	return err
}

// finish runs everything that is queued to its end; nats is twice as fast.
func (w *fixture) finish() {
	w.Helper()
	for i := 0; ; i++ {
		run, lease, err := w.store.Claim(w.Context(), "test", experiment.Host{}, time.Hour)
		if errors.Is(err, experiment.ErrNotFound) {
			return
		} else if err != nil {
			w.Fatal(err)
		}
		p99 := time.Duration(2000+i) * time.Microsecond
		if run.Variant == "nats" {
			p99 /= 2
		}
		(&held{w, run, lease}).enter(experiment.PhaseProvision).collect(p99).end(experiment.Succeeded, experiment.TeardownClean)
	}
}

func at(format string, args ...any) string { return fmt.Sprintf("/api/v1"+format, args...) }
