package report

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"dec.local/dec/internal/comparison"
	"dec.local/dec/internal/experiment"
	"dec.local/dec/internal/measure"
)

// column is a column of the CSV form.
type column struct {
	name  string
	value func(*comparison.Run) string
}

// csvColumns are the columns after those of the experiment.
func csvColumns() []column {
	text := func(name string, value func(*comparison.Run) string) column {
		return column{name, func(r *comparison.Run) string { return safeCell(value(r)) }}
	}
	columns := []column{
		text("variant", func(r *comparison.Run) string { return r.Of.Label }),
		text("technology", func(r *comparison.Run) string { return r.Of.Technology }),
		text("stack", func(r *comparison.Run) string { return r.Of.Stack }),
		text("emulator", func(r *comparison.Run) string { return r.Of.Program() }),
		text("options", func(r *comparison.Run) string { return compact(r.Of.Options) }),
		text("client_config", func(r *comparison.Run) string { return compact(r.Of.ClientConfig) }),
		text("run", func(r *comparison.Run) string { return r.ID }),
		{"number", func(r *comparison.Run) string { return strconv.Itoa(r.Number) }},
		{"order", func(r *comparison.Run) string { return strconv.Itoa(r.Order) }},
		{"round", func(r *comparison.Run) string { return strconv.Itoa(r.Round) }},
		{"extra", func(r *comparison.Run) string { return strconv.FormatBool(r.Extra) }},
		text("outcome", func(r *comparison.Run) string { return string(r.Outcome) }),
		{"valid", func(r *comparison.Run) string { return strconv.FormatBool(r.Validity.OK) }},
		{"counted", func(r *comparison.Run) string { return strconv.FormatBool(r.Counts()) }},
		text("not_counted_because", func(r *comparison.Run) string { return r.Excluded() }),
		text("teardown", func(r *comparison.Run) string { return string(r.Teardown) }),
		{"started_at", func(r *comparison.Run) string { return rfc3339(r.StartedAt) }},
		{"ended_at", func(r *comparison.Run) string { return rfc3339(r.EndedAt) }},
	}
	for _, m := range experiment.Metrics() {
		columns = append(columns, metricColumns(m)...)
	}
	return append(columns, countColumns()...)
}

// metricColumns are a metric's value, and of a latency what it is at least where its
// value is not known.
func metricColumns(m experiment.Metric) []column {
	cell := func(atLeast bool) func(*comparison.Run) string {
		return func(r *comparison.Run) string {
			if r.Result == nil {
				return ""
			}
			reading, ok := comparison.Read(m, *r.Result)
			if !ok || reading.AtLeast != atLeast {
				return ""
			}
			return strconv.FormatFloat(reading.Value, 'f', -1, 64)
		}
	}
	name := string(m)
	if !m.Latency() {
		return []column{{name, cell(false)}}
	}
	return []column{{name + "_ns", cell(false)}, {name + "_at_least_ns", cell(true)}}
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
		{"undelivered", func(r measure.Result) int64 { return r.Counts.Undelivered }},
		{"aged_out", func(r measure.Result) int64 { return r.Counts.AgedOut }},
		{"lost_or_undelivered", func(r measure.Result) int64 { return r.Counts.Missing }},
		{"duplicates", func(r measure.Result) int64 { return r.Counts.Duplicates }},
		{"reordered", func(r measure.Result) int64 { return r.Counts.Reordered }},
		{"corrupt", func(r measure.Result) int64 { return r.Counts.Corrupt }},
		{"bytes", func(r measure.Result) int64 { return r.Counts.Bytes }},
	} {
		columns = append(columns, column{c.name, func(r *comparison.Run) string {
			if r.Result == nil {
				return ""
			}
			return strconv.FormatInt(c.count(*r.Result), 10)
		}})
	}
	for _, i := range experiment.Incidents() {
		columns = append(columns, column{string(i), func(r *comparison.Run) string {
			if r.Result == nil {
				return ""
			}
			n, told := r.Result.Incidents[i]
			if !told { // unknown, not 0
				return ""
			}
			return strconv.FormatInt(n, 10)
		}})
	}
	for _, c := range []struct {
		name  string
		count func(measure.Counts) int64
	}{
		{"unanswered", func(c measure.Counts) int64 { return c.Unanswered }},
		{"foreign", func(c measure.Counts) int64 { return c.Foreign }},
		{"unwatched", func(c measure.Counts) int64 { return c.Unwatched }},
	} {
		columns = append(columns, column{c.name, func(r *comparison.Run) string {
			if r.Result == nil || r.Result.Method < 2 { // unknown, not 0
				return ""
			}
			return strconv.FormatInt(c.count(r.Result.Counts), 10)
		}})
	}
	columns = append(columns, column{"method", func(r *comparison.Run) string {
		if r.Result == nil {
			return ""
		}
		return strconv.Itoa(max(1, r.Result.Method))
	}})
	columns = append(columns, column{"delivered_share", func(r *comparison.Run) string {
		if r.Result == nil || r.Result.Method < 2 || r.Result.Counts.Offered == 0 {
			return ""
		}
		return strconv.FormatFloat(r.Result.Delivered, 'f', -1, 64)
	}})
	columns = append(columns, column{"instrument", func(r *comparison.Run) string {
		if r.Result == nil {
			return ""
		}
		return safeCell(r.Result.Instrument())
	}})
	return append(columns, column{"broker_rss_bytes", func(r *comparison.Run) string {
		if r.Result == nil || r.Result.CPU.BrokerRSS == nil {
			return ""
		}
		return strconv.FormatInt(*r.Result.CPU.BrokerRSS, 10)
	}})
}

// CSV writes one row per run. Unknown numbers are empty cells, latencies are
// whole nanoseconds, and no text cell can be taken for a formula.
func CSV(w io.Writer, d Document) error {
	workload, err := json.Marshal(d.Set.Experiment.Plan.Workload)
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
	for _, run := range d.Set.Runs {
		row := []string{safeCell(d.Experiment), safeCell(d.Title), safeCell(d.Target), d.Fairness.Label, safeCell(string(workload))}
		for _, c := range columns {
			row = append(row, c.value(run))
		}
		rows = append(rows, row)
	}
	if err := out.WriteAll(rows); err != nil {
		return fmt.Errorf("write the report as CSV: %w", err)
	}
	return nil
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
