package tofu_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"dec.local/dec/internal/experiment"
	"dec.local/dec/internal/tofu"
)

// recorded is what OpenTofu 1.12 wrote, shortened, between lines that a reader
// has to pass over.
const recorded = `{"@level":"info","@message":"OpenTofu 1.12.6","@module":"tofu.ui","type":"version","tofu":"1.12.6","ui":"1.2"}
Warning: not JSON at all
{"@level":"info","type":"from_the_future","hook":7,"diagnostic":"x"}
{"@level":"info","type":"apply_start","hook":"not an object"}
{"@level":"info","@timestamp":"2026-11-22T10:00:00.000000Z","type":"apply_start","hook":{"resource":{"addr":"dec_port.a","resource_type":"dec_port"},"action":"create"}}
{"@level":"info","type":"apply_progress","hook":{"resource":{"addr":"dec_port.a"},"action":"create","elapsed_seconds":10}}
{"@level":"info","@timestamp":"2026-11-22T10:00:00.250000Z","type":"apply_complete","hook":{"resource":{"addr":"dec_port.a","resource_type":"dec_port"},"action":"create","id_key":"id","id_value":"20001","elapsed_seconds":1}}
{"@level":"info","type":"apply_start","hook":{"resource":{"addr":"dec_process.b"},"action":"update"}}
{"@level":"info","@timestamp":"soon","type":"apply_errored","hook":{"resource":{"addr":"dec_process.b"},"action":"create","elapsed_seconds":2}}
{"@level":"warn","type":"diagnostic","diagnostic":{"severity":"warning","summary":"Old"}}
{"@level":"error","type":"diagnostic","diagnostic":{"severity":"error","summary":"No start.","detail":"Log: bind failed","address":"dec_process.b"}}
`

func TestJournal(t *testing.T) {
	events := []experiment.Resource{
		{Address: "dec_port.a", Action: "create", State: "started"},
		{Address: "dec_port.a", Action: "create", State: "complete", ID: "20001", Seconds: 0.25},
		{Address: "dec_process.b", Action: "create", State: "errored"},
	}
	const summary = `{"type":"change_summary","changes":{"add":1,"operation":"apply"}}`
	tests := map[string]struct {
		pieces []string
		done   bool
	}{
		"whole":                                   {pieces: []string{recorded}},
		"in two pieces":                           {pieces: []string{recorded[:700], recorded[700:]}},
		"a summary is a good end":                 {pieces: []string{recorded, summary + "\n"}, done: true},
		"a torn last line tells nothing":          {pieces: []string{recorded, summary[:30]}},
		"a line without its newline is not whole": {pieces: []string{recorded, summary}},
		"a summary of a plan is no end":           {pieces: []string{recorded, `{"type":"change_summary","changes":{"operation":"plan"}}` + "\n"}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			var pieces [][]byte
			for _, piece := range tt.pieces {
				pieces = append(pieces, []byte(piece))
			}
			got, errs, done := tofu.ParseJournal(pieces...)
			if diff := cmp.Diff(events, got); diff != "" {
				t.Errorf("ParseJournal() events (-want +got):\n%s", diff)
			}
			if want := "dec_process.b: No start: Log: bind failed"; errs != want {
				t.Errorf("ParseJournal() errors = %q, want %q", errs, want)
			}
			if done != tt.done {
				t.Errorf("ParseJournal() done = %t, want %t", done, tt.done)
			}
		})
	}
}

func FuzzJournal(f *testing.F) {
	f.Add([]byte(recorded), 100)
	f.Add([]byte("{\n\n}\n"), 1)
	f.Fuzz(func(t *testing.T, data []byte, cut int) {
		if cut < 0 || cut > len(data) {
			return
		}
		whole, errs, done := tofu.ParseJournal(data)
		parts, errsOfParts, doneOfParts := tofu.ParseJournal(data[:cut], data[cut:])
		if diff := cmp.Diff(whole, parts); diff != "" || errs != errsOfParts || done != doneOfParts {
			t.Errorf("ParseJournal in two pieces at %d differs:\n%s", cut, diff)
		}
	})
}
