package report_test

import (
	"encoding/csv"
	"strings"
	"testing"
	"time"

	"dec.local/dec/internal/comparison/comparisontest"
	"dec.local/dec/internal/report"
)

// TestALowerBoundIsShownAsOne wants "≥" wherever a p99 is shown of which only a bound
// is known: in the table, in the report, and in a cell of its own in CSV.
func TestALowerBoundIsShownAsOne(t *testing.T) {
	s := comparisontest.Synthetic(t)
	for _, run := range s.Runs {
		if run.Of.Label == "nats" {
			run.Result.E2E.P99NS, run.Result.E2E.P99AtLeastNS = nil, new((5800 * time.Millisecond).Nanoseconds())
		}
	}
	d := documentOf(t, s)
	table, page := write(t, d, table(false)), write(t, d, report.HTML)
	for name, text := range map[string]string{"table": table, "HTML": page} {
		if !strings.Contains(text, "≥ 5.80 s") || !strings.Contains(strings.Join(strings.Fields(text), " "), "≥ is a lower bound") {
			t.Errorf("the %s has no p99 of at least 5.80 s, or does not explain the sign", name)
		}
	}
	rows := strings.Split(write(t, d, report.CSV), "\n")
	if !strings.Contains(rows[0], "e2e_p99_ns,e2e_p99_at_least_ns") || !strings.Contains(strings.Join(rows, "\n"), ",,5800000000,") {
		t.Errorf("CSV() has no cell with the bound:\n%s", rows[0])
	}
}

// TestCSVLeavesUnknownWhatOlderResultsLack wants empty cells, not zeros, for what a
// result of method 1 does not have.
func TestCSVLeavesUnknownWhatOlderResultsLack(t *testing.T) {
	s := comparisontest.Synthetic(t)
	for _, run := range s.Runs {
		run.Result.Method = 0
	}
	rows, err := csv.NewReader(strings.NewReader(write(t, documentOf(t, s), report.CSV))).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	for i, name := range rows[0] {
		if (name == "unanswered" || name == "delivered_share") && rows[1][i] != "" {
			t.Errorf("%s of a result of method 1 = %q, want an empty cell", name, rows[1][i])
		}
	}
}
