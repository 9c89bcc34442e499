package report

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	"dec.local/dec/internal/format"
	"dec.local/dec/internal/measure"
)

// groupRow is what a consumer group of a run received.
type groupRow struct {
	Run, Name        string
	Slot             int
	Received, Absent string // messages; absent are those that were acknowledged and did not come
	Delivered        string
	P50, P99         string
}

// groupRows are the consumer groups of all runs that have several.
func (d *Document) groupRows() []groupRow {
	var rows []groupRow
	for _, run := range d.Set.Runs {
		if run.Result == nil {
			continue
		}
		for _, name := range groupNames(run.Result.Groups) {
			g := run.Result.Groups[name]
			rows = append(rows, groupRow{
				Run: run.Name(), Name: name, Slot: d.of(run).slot,
				Received: format.Count(g.Received), Delivered: format.Share(g.Delivered), Absent: absent(g.Absent),
				P50: quantile(g.E2E, "p50"), P99: quantile(g.E2E, "p99"),
			})
		}
	}
	return rows
}

// groupNames orders group-2 before group-10.
func groupNames(groups map[string]measure.GroupView) []string {
	names := make([]string, 0, len(groups))
	for name := range groups {
		names = append(names, name)
	}
	number := func(name string) int {
		n, _ := strconv.Atoi(name[strings.LastIndexByte(name, '-')+1:])
		return n
	}
	slices.SortFunc(names, func(a, b string) int { return cmp.Or(cmp.Compare(number(a), number(b)), cmp.Compare(a, b)) })
	return names
}

// absent says what became of the messages that a group did not receive.
func absent(a measure.Absent) string {
	var parts []string
	for _, kind := range []struct {
		n    int64
		what string
	}{{a.Lost, "lost"}, {a.Undelivered, "undelivered"}, {a.AgedOut, "aged out"}, {a.Missing, "lost or undelivered"}} {
		if kind.n > 0 {
			parts = append(parts, format.Count(kind.n)+" "+kind.what)
		}
	}
	if len(parts) == 0 {
		return "0"
	}
	return strings.Join(parts, ", ")
}
