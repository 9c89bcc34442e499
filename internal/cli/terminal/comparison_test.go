package terminal

import (
	"bytes"
	"strings"
	"testing"

	"dec.local/dec/internal/api"
	"dec.local/dec/internal/comparison"
	"dec.local/dec/internal/experiment"
)

func TestComparisonTellsWhatLimitsHeldBackWhereTheyDid(t *testing.T) {
	c := api.Comparison{Comparison: comparison.Comparison{Title: "A plan"}, Runs: []api.ComparedRun{{Run: api.Run{ID: "r1", Name: "kafka #1"}}, {Run: api.Run{ID: "r2", Name: "kinesis (emulator) #1"}}}}
	print := func() string {
		var out bytes.Buffer
		if err := Comparison(&out, c); err != nil {
			t.Fatal(err)
		}
		return out.String()
	}
	if text := print(); strings.Contains(text, "HELD BACK") {
		t.Errorf("a column of what was held back without any:\n%s", text)
	}
	c.Runs[1].Incidents = map[experiment.Incident]int64{"throttled_writes": 1200, "throttled_reads": 34, "retried_sends": 5}
	if text := print(); !strings.Contains(text, "HELD BACK") || !strings.Contains(text, "1,234") || strings.Contains(text, " 0 ") {
		t.Errorf("throttles are not told:\n%s", text)
	}
}
