package report_test

import (
	"strings"
	"testing"

	"dec.local/dec/internal/comparison/comparisontest"
	"dec.local/dec/internal/measure"
	"dec.local/dec/internal/report"
)

// TestEachConsumerGroupIsAccountedFor gives one run eleven groups, one of which was held
// up, and looks for it in the report; other runs have no such table.
func TestEachConsumerGroupIsAccountedFor(t *testing.T) {
	s := comparisontest.Synthetic(t)
	if page := write(t, documentOf(t, s), report.HTML); strings.Contains(page, "Consumer groups of each run") {
		t.Error("runs with one group have a table of groups")
	}
	run := s.Runs[0].Result
	run.Groups = map[string]measure.GroupView{}
	for _, name := range []string{"group-0", "group-2", "group-10"} {
		run.Groups[name] = measure.GroupView{Received: 60_000, Delivered: 1, E2E: run.E2E}
	}
	run.Groups["group-2"] = measure.GroupView{Received: 59_000, Delivered: 0.98, E2E: run.E2E, Absent: measure.Absent{Undelivered: 990, Lost: 10}}
	page := write(t, documentOf(t, s), report.HTML)
	_, table, found := strings.Cut(page, "Consumer groups of each run")
	if !found || !strings.Contains(table, "10 lost, 990 undelivered") || !strings.Contains(table, "59,000") {
		t.Errorf("the report has no table with the group that was held up")
	}
	if strings.Index(table, "group-2<") > strings.Index(table, "group-10<") {
		t.Error("group-10 comes before group-2")
	}
}
