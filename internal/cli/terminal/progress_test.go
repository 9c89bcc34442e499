package terminal

import (
	"bytes"
	"context"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"dec.local/dec/internal/experiment"
	"dec.local/dec/internal/measure"
)

func TestProgressNamesEmulators(t *testing.T) {
	var out bytes.Buffer
	p := NewProgress(&out, false)
	p.ReadResults(t.Context(), func(context.Context, string) (measure.Result, error) { return measure.Result{}, nil })
	p.Begin("e1", experiment.Plan{Variants: []experiment.Variant{{Label: "shardy", Emulator: "kinesalite"}}}, 2)
	for _, e := range []experiment.Event{
		{Run: "r1", Kind: experiment.EventPhase, Phase: experiment.PhaseLoad}, {Run: "r1", Kind: experiment.EventOutcome},
		{Run: "r2", Kind: experiment.EventOutcome, Message: "cancelled"},
	} {
		e.Variant = "shardy"
		p.Event(e)
	}
	if text := out.String(); strings.Count(text, "shardy (emulator)") != 3 || strings.Count(text, "shardy") != 3 {
		t.Errorf("lines do not say each time that it is an emulator:\n%s", text)
	}
}

func TestProgressInPlainLines(t *testing.T) {
	var out bytes.Buffer
	at := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	p := NewProgress(&out, false)
	p.ReadResults(t.Context(), func(context.Context, string) (measure.Result, error) {
		return measure.Result{
			Counts:    measure.Counts{Received: 30, Lost: 2},
			E2E:       measure.Latency{P50NS: new(int64(1_500_000))},
			Validity:  experiment.Validity{Reasons: []string{"the generator was late"}},
			Incidents: map[experiment.Incident]int64{"throttled_writes": 1500, "reconnects": 1},
		}, nil
	})
	p.clock = func() time.Time { at = at.Add(time.Second); return at }
	event := func(e experiment.Event) { e.Run, e.Variant = "r1", "nats"; p.Event(e) }

	p.Begin("e1", experiment.Plan{Name: "A plan", Target: "local", Variants: make([]experiment.Variant, 1)}, 1)
	event(experiment.Event{Kind: experiment.EventPhase, Phase: experiment.PhaseProvision})
	event(experiment.Event{Kind: experiment.EventResource, Resource: &experiment.Resource{
		Address: `module.nodes.dec_process.service["server-0"]`, Action: "create", State: "complete", Seconds: 0.25}})
	event(experiment.Event{Kind: experiment.EventPhase, Phase: experiment.PhaseLoad})
	for second := range 7 {
		p.Second("r1", measure.Second{Second: second, Stage: experiment.StageMeasure, Counts: measure.Counts{Sent: 10, Received: 9}, Backlog: 1,
			Incidents: map[experiment.Incident]int64{"throttled_writes": int64(second), "throttled_reads": int64(second)}})
	}
	p.Second("another run", measure.Second{})
	event(experiment.Event{Kind: experiment.EventOutcome, Message: "succeeded"})

	want := `A plan
experiment e1 on target local: 1 variant, 1 run
run 1 of 1: nats (r1)
    1.0s provision
         ready: server-0 (0.2 s)
    2.0s load
         measure 1 s: sent 10/s, received 9/s, end-to-end p99 –, backlog 1
         measure 5 s: sent 10/s, received 9/s, end-to-end p99 –, backlog 1, throttled writes 4, throttled reads 4
   1  nats         end-to-end p50 1.50 ms, p99 –; 30 received, 2 lost, throttled writes 1,500, reconnects 1  INVALID: the generator was late  (3 s)
`
	if diff := cmp.Diff(want, out.String()); diff != "" {
		t.Errorf("progress (-want +got):\n%s", diff)
	}
}
