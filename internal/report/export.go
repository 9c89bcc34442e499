package report

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"dec.local/dec/internal/experiment"
	"dec.local/dec/internal/measure"
)

// JSON writes the whole report, with the results and histograms of its runs.
func JSON(w io.Writer, r Report) error {
	encoder := json.NewEncoder(w)
	encoder.SetIndent("", "  ")
	if err := encoder.Encode(r); err != nil {
		return fmt.Errorf("write the report as JSON: %w", err)
	}
	return nil
}

// column is a column of the CSV form.
type column struct {
	name  string
	value func(variant, run) string
}

// csvColumns are the columns after those of the experiment.
func csvColumns() []column {
	text := func(name string, value func(variant, run) string) column {
		return column{name, func(v variant, r run) string { return safeCell(value(v, r)) }}
	}
	columns := []column{
		text("variant", func(v variant, _ run) string { return v.Label }),
		text("technology", func(v variant, _ run) string { return v.Technology }),
		text("stack", func(v variant, _ run) string { return v.Stack }),
		text("emulator", func(v variant, _ run) string { return v.emulator() }),
		text("options", func(v variant, _ run) string { return compact(v.Options) }),
		text("client_config", func(v variant, _ run) string { return compact(v.ClientConfig) }),
		text("run", func(_ variant, r run) string { return r.ID }),
		{"number", func(_ variant, r run) string { return strconv.Itoa(r.number) }},
		{"order", func(_ variant, r run) string { return strconv.Itoa(r.Order) }},
		{"extra", func(_ variant, r run) string { return strconv.FormatBool(r.Extra) }},
		text("outcome", func(_ variant, r run) string { return string(r.Outcome) }),
		{"valid", func(_ variant, r run) string { return strconv.FormatBool(r.Validity.OK) }},
		{"counted", func(_ variant, r run) string { return strconv.FormatBool(r.counts()) }},
		text("not_counted_because", func(_ variant, r run) string { return r.excluded() }),
		text("teardown", func(_ variant, r run) string { return string(r.Teardown) }),
		{"started_at", func(_ variant, r run) string { return rfc3339(r.StartedAt) }},
		{"ended_at", func(_ variant, r run) string { return rfc3339(r.EndedAt) }},
	}
	for _, m := range experiment.Metrics() {
		name := string(m)
		if m.Latency() {
			name += "_ns"
		}
		columns = append(columns, column{name, func(_ variant, r run) string {
			if r.result == nil {
				return ""
			}
			value, ok := Value(m, *r.result)
			if !ok {
				return ""
			}
			return strconv.FormatFloat(value, 'f', -1, 64)
		}})
	}
	return append(columns, countColumns()...)
}

func countColumns() []column {
	var columns []column
	for _, c := range []struct {
		name  string
		count func(measure.Result) int64
	}{
		{"offered", func(r measure.Result) int64 { return r.Counts.Offered }},
		{"sent", func(r measure.Result) int64 { return r.Counts.Sent }},
		{"unsent", func(r measure.Result) int64 { return r.Counts.Unsent }},
		{"acked", func(r measure.Result) int64 { return r.Counts.Acked }},
		{"failed", func(r measure.Result) int64 { return r.Counts.Failed }},
		{"received", func(r measure.Result) int64 { return r.Counts.Received }},
		{"lost", func(r measure.Result) int64 { return r.Counts.Lost }},
		{"duplicates", func(r measure.Result) int64 { return r.Counts.Duplicates }},
		{"reordered", func(r measure.Result) int64 { return r.Counts.Reordered }},
		{"corrupt", func(r measure.Result) int64 { return r.Counts.Corrupt }},
		{"bytes", func(r measure.Result) int64 { return r.Counts.Bytes }},
	} {
		columns = append(columns, column{c.name, func(_ variant, r run) string {
			if r.result == nil {
				return ""
			}
			return strconv.FormatInt(c.count(*r.result), 10)
		}})
	}
	for _, i := range experiment.Incidents() {
		columns = append(columns, column{string(i), func(_ variant, r run) string {
			if r.result == nil {
				return ""
			}
			return strconv.FormatInt(r.result.Incidents[i], 10)
		}})
	}
	return append(columns, column{"broker_rss_bytes", func(_ variant, r run) string {
		if r.result == nil || r.result.CPU.BrokerRSS == nil {
			return ""
		}
		return strconv.FormatInt(*r.result.CPU.BrokerRSS, 10)
	}})
}

// CSV writes one row per run. Unknown numbers are empty cells, latencies are
// whole nanoseconds, and no text cell can be taken for a formula.
func CSV(w io.Writer, r Report) error {
	workload, err := json.Marshal(r.Experiment.Plan.Workload)
	if err != nil {
		return fmt.Errorf("write the report as CSV: %w", err)
	}
	out := csv.NewWriter(w)
	columns := csvColumns()
	header := []string{"experiment", "name", "target", "fairness", "workload"}
	for _, c := range columns {
		header = append(header, c.name)
	}
	rows := [][]string{header}
	for _, stored := range r.Runs {
		v, found := r.find(stored)
		row := []string{safeCell(r.Experiment.ID), safeCell(r.Experiment.Plan.Name), safeCell(r.Experiment.Plan.Target), r.Fairness.Label(), safeCell(string(workload))}
		for _, c := range columns {
			row = append(row, c.value(v, found))
		}
		rows = append(rows, row)
	}
	if err := out.WriteAll(rows); err != nil {
		return fmt.Errorf("write the report as CSV: %w", err)
	}
	return nil
}

// find returns the decoded form of a stored run, which [New] made.
func (r *Report) find(stored experiment.Run) (variant, run) {
	for _, v := range r.variants {
		for _, decoded := range v.runs {
			if decoded.ID == stored.ID {
				return v, decoded
			}
		}
	}
	return variant{}, run{Run: stored}
}

// safeCell keeps a spreadsheet from taking text for a formula: a leading
// apostrophe makes it text again.
func safeCell(text string) string {
	if text != "" && strings.ContainsRune("=+-@\t\r\n", rune(text[0])) {
		return "'" + text
	}
	return text
}

func compact(values map[string]json.RawMessage) string {
	if len(values) == 0 {
		return ""
	}
	data, err := json.Marshal(values)
	if err != nil {
		return ""
	}
	return string(data)
}

func rfc3339(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339)
}
