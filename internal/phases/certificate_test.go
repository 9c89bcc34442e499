package phases_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"testing/synctest"

	"dec.local/dec/internal/measure"
	"dec.local/dec/internal/phases"
)

// TestResultsGetTheCertificateOfTheirAgents leads real agents through a run, in virtual
// time.
func TestResultsGetTheCertificateOfTheirAgents(t *testing.T) {
	broken := errors.New("no permission")
	tests := map[string]struct {
		found *measure.Certificate
		err   error
		want  string // in the log
	}{
		"there is one":      {found: &measure.Certificate{Line: "p50 error ±30 µs", Misses: []string{"one"}}},
		"there is none":     {},
		"it cannot be read": {err: broken, want: "no permission"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var asked []measure.AgentFacts
				f := newFixture(t, func(o *phases.Options) {
					o.Certificate = func(agents []measure.AgentFacts) (*measure.Certificate, error) {
						asked = agents
						return tt.found, tt.err
					}
				})
				a := loaded("cloud") // which meters nothing
				f.startAgents(a)
				if err := errors.Join(f.Workload.Prepare(t.Context(), a, json.RawMessage(`{}`)), f.Workload.Load(t.Context(), a)); err != nil {
					t.Fatal(err)
				}
				data, _, err := f.Workload.Collect(t.Context(), a)
				var r measure.Result
				if err != nil || json.Unmarshal(data, &r) != nil {
					t.Fatalf("Collect() = %s, %v", data, err)
				}
				if got := r.Certificate; (got == nil) != (tt.found == nil) || got != nil && (got.Line != tt.found.Line || len(got.Misses) != 1) {
					t.Errorf("certificate = %+v, want %+v", got, tt.found)
				}
				if len(asked) != len(r.Agents) || asked[0].ID != r.Agents[0].ID || asked[0].Build != "b1" {
					t.Errorf("the certificate of %+v was asked for, want of the agents of the run", asked)
				}
				if !strings.Contains(f.log.String(), tt.want) {
					t.Errorf("log = %s, want %q", f.log.String(), tt.want)
				}
			})
		})
	}
}
