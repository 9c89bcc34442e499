package report

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"dec.local/dec/internal/comparison"
	"dec.local/dec/internal/experiment"
	"dec.local/dec/internal/format"
	"dec.local/dec/internal/measure"
)

// pair is a name with its value.
type pair struct{ Name, Value string }

// runRow is a run in the table of all runs.
type runRow struct {
	Name, ID, Started      string
	Slot                   int
	Counted                bool
	State                  string // "counted", or why not
	P50, P99, Rate, Lost   string
	Lateness, Clock        string
	Phases                 []pair
	Receipt                string
	ReceiptAt, Teardown    string
	Proven                 bool
	SelfCheck, DelayErrors string
}

// runRows are all runs in the order in which they ran.
func (d *Document) runRows() []runRow {
	var rows []runRow
	for _, run := range d.Set.Runs {
		row := runRow{
			Name: run.Name(), ID: run.ID, Slot: d.of(run).slot, Started: clock(run.StartedAt),
			Counted: run.Counts(), State: cmp.Or(run.Excluded(), "counted"),
			P50: format.Missing, P99: format.Missing, Rate: format.Missing, Lost: format.Missing,
			Lateness: format.Missing, Clock: format.Missing, SelfCheck: format.Missing, DelayErrors: format.Missing,
			Phases: phaseTimes(run.Run), Teardown: string(cmp.Or(run.Teardown, experiment.TeardownNone)),
			Proven: run.Teardown == experiment.TeardownClean,
		}
		if run.Extra {
			row.Name += " (extra)"
		}
		if result := run.Result; result != nil {
			row.P50, row.P99 = quantile(result.E2E, "p50"), quantile(result.E2E, "p99")
			row.Rate, row.Lost = format.Rate(result.Throughput), format.Count(result.Counts.Lost)
			row.Lateness, row.Clock = format.Latency(result.Lateness.P99NS), clockError(result.ClockBound)
			row.SelfCheck, row.DelayErrors = agentChecks(result.Agents)
		}
		if receipt := run.Receipt; receipt != nil {
			row.Receipt, row.ReceiptAt = receipt.Statement, stamp(receipt.At)
		}
		rows = append(rows, row)
	}
	return rows
}

// clockError is the error of the agents' clocks.
func clockError(bound *int64) string {
	if bound == nil {
		return "unknown"
	}
	return "±" + format.Nanoseconds(float64(*bound))
}

// quantile is one of a latency, or what it is at least.
func quantile(l measure.Latency, name string) string {
	q := l.Quantile(name)
	return format.Bound(q.NS, q.Exact)
}

// agentChecks are the worst figures of what the agents found out about
// themselves before the load.
func agentChecks(agents []measure.AgentFacts) (lateness, delay string) {
	var late *int64
	worst, known := int64(0), false
	for _, a := range agents {
		if ns := a.SelfCheck.P99NS; ns != nil && (late == nil || *ns > *late) {
			late = ns
		}
		worst, known = max(worst, a.DelayErrorNS), true
	}
	if !known {
		return format.Missing, format.Missing
	}
	return format.Latency(late), format.Nanoseconds(float64(worst))
}

// phaseTimes are how long a run was in each phase.
func phaseTimes(r experiment.Run) []pair {
	var rows []pair
	for i, p := range r.Phases {
		end := r.EndedAt
		if i+1 < len(r.Phases) {
			end = r.Phases[i+1].At
		}
		if p.Phase == experiment.PhaseEnded || end.IsZero() {
			continue
		}
		rows = append(rows, pair{string(p.Phase), length(end.Sub(p.At))})
	}
	return rows
}

// workloadRows are the load in words.
func workloadRows(w experiment.Workload) []pair {
	load := format.Rate(w.Load.Rate)
	if len(w.Load.Schedule) > 0 {
		var parts []string
		for _, s := range w.Load.Schedule {
			switch {
			case s.Rate != nil:
				parts = append(parts, fmt.Sprintf("%s at %s", length(s.For.Std()), format.Rate(*s.Rate)))
			case s.RampTo != nil:
				parts = append(parts, fmt.Sprintf("%s up or down to %s", length(s.For.Std()), format.Rate(*s.RampTo)))
			}
		}
		load = strings.Join(parts, ", then ")
	}
	t := w.Topology
	return []pair{
		{"Offered load", fmt.Sprintf("%s, %s arrivals", load, w.Load.Arrivals)},
		{"Message", fmt.Sprintf("%s, keys: %s", w.Message.Size, format.Words(w.Message.Key.String()))},
		{"Topology", fmt.Sprintf("%s, %s", format.Counted(t.Partitions, "partition"), format.Counted(t.Replicas, "replica"))},
		{"Producers", fmt.Sprintf("%s on %s, at most %s unacknowledged each",
			format.Counted(t.Producers, "producer"), format.Counted(t.ProducerNodes, "agent"), format.Count(int64(w.Load.MaxInFlight)))},
		{"Consumers", fmt.Sprintf("%s with %s each, on %s",
			format.Counted(t.ConsumerGroups, "group"), format.Counted(t.ConsumersPerGroup, "consumer"), format.Counted(t.ConsumerNodes, "agent"))},
		{"Stages", fmt.Sprintf("warm-up %s, measure %s, drain at most %s",
			length(w.Stages.Warmup.Std()), length(w.Stages.Measure.Std()), length(w.Stages.Drain.Std()))},
		{"Required guarantees", requirements(w.Require)},
		{"Retention", w.Retention.String()},
		{"Seed", fmt.Sprint(w.Seed)},
	}
}

func requirements(r experiment.Require) string {
	var parts []string
	if r.ProducerAck != "" {
		parts = append(parts, "acknowledged by "+format.Words(r.ProducerAck))
	}
	if r.Durability != "" {
		parts = append(parts, format.Words(r.Durability))
	}
	if r.Replicas > 0 {
		parts = append(parts, format.Counted(r.Replicas, "replica"))
	}
	return cmp.Or(strings.Join(parts, ", "), "none")
}

// optionRows are the stacks' options and the drivers' settings side by side.
func (d *Document) optionRows() []settingRow {
	rows := []settingRow{
		d.row("technology", func(v variant) string { return v.Technology }),
		d.row("stack", func(v variant) string { return v.Stack }),
	}
	for _, group := range []struct {
		prefix string
		of     func(variant) map[string]json.RawMessage
	}{
		{"", func(v variant) map[string]json.RawMessage { return v.Options }},
		{"client: ", func(v variant) map[string]json.RawMessage { return v.ClientConfig }},
	} {
		names := map[string]bool{}
		for _, v := range d.variants() {
			for name := range group.of(v) {
				names[name] = true
			}
		}
		for _, name := range slices.Sorted(maps.Keys(names)) {
			rows = append(rows, d.row(group.prefix+name, func(v variant) string {
				return strings.Trim(string(group.of(v)[name]), `"`)
			}))
		}
	}
	return rows
}

// guaranteeRows are what the brokers said to be in force. What lies in the nature of the
// technologies differs without being unequal.
func (d *Document) guaranteeRows() []settingRow {
	var rows []settingRow
	for _, fact := range d.Fairness.Rows {
		row := settingRow{Name: fact.Name}
		for _, v := range fact.Values {
			row.Values = append(row.Values, cmp.Or(v.Value, format.Missing))
		}
		row.Differ = slices.ContainsFunc(d.Fairness.Unequal, func(u comparison.Inequality) bool { return u.Guarantee == fact.Name })
		rows = append(rows, row)
	}
	return append(rows, d.row("Settings that give these", func(v variant) string {
		e, _ := v.Effective()
		var parts []string
		for _, name := range slices.Sorted(maps.Keys(e.Details)) {
			parts = append(parts, name+" = "+e.Details[name])
		}
		return strings.Join(parts, "; ")
	}))
}

func (d *Document) row(name string, value func(variant) string) settingRow {
	row := settingRow{Name: name}
	for _, v := range d.variants() {
		row.Values = append(row.Values, cmp.Or(value(v), format.Missing))
	}
	row.Differ = len(slices.Compact(slices.Clone(row.Values))) > 1
	return row
}

// hostRow is a machine on which agents ran.
type hostRow struct{ Host, OS, CPU, Memory, Timer, Agents string }

// hosts are the machines of all counted runs.
func (d *Document) hosts() []hostRow {
	var rows []hostRow
	for _, v := range d.variants() {
		for _, run := range v.Runs {
			if run.Result == nil {
				continue
			}
			for _, a := range run.Result.Agents {
				cpu := fmt.Sprintf("%s, %d CPUs", cmp.Or(a.CPUModel, "unknown"), a.CPUs)
				row := hostRow{a.Host, a.OS, cpu, format.Bytes(a.MemoryBytes), a.Timer, a.Version}
				if !slices.Contains(rows, row) {
					rows = append(rows, row)
				}
			}
		}
	}
	return rows
}

// versions are those of all programs that took part, and of this one.
func (d *Document) versions() []pair {
	found := map[string][]string{}
	for _, v := range d.variants() {
		for _, run := range v.Runs {
			if run.Result == nil {
				continue
			}
			for name, version := range run.Result.Versions {
				if !slices.Contains(found[name], version) {
					found[name] = append(found[name], version)
				}
			}
		}
	}
	rows := []pair{{"dec", cmp.Or(d.Version, "unknown")}}
	for _, name := range slices.Sorted(maps.Keys(found)) {
		rows = append(rows, pair{name, strings.Join(found[name], ", ")})
	}
	return rows
}

// method says how the numbers came to be.
func method(w experiment.Workload) []string {
	return []string{
		"Open loop: only the schedule determines when each message is to be sent. A slow system does not slow it down, " +
			"and latency counts from the intended time, never from a delayed send.",
		fmt.Sprintf("Each run had fresh infrastructure. The runs were in random order, in rounds with one run of each variant and the same load "+
			"for all of them (seed %d for the first round; each further one has a seed of its own). "+
			"The first %s of each run were sent and not measured.", w.Seed, length(time.Duration(w.Stages.Warmup))),
		"Percentiles are by nearest rank from histograms that were merged over all agents, never averaged, and count over all messages " +
			"that were offered. A percentile with fewer than 10 samples beyond it is not shown.",
		"What was due and unsent when the measure stage ended was still sent in the drain stage. A message that had not come when that ended " +
			"took at least the time from its intended moment until then, and one that failed never comes. A percentile is exact only where it is " +
			"the same whatever became of those; otherwise it is a lower bound (≥).",
		"Every message is accounted for. A lost message was acknowledged and is truly gone; an undelivered one was still held by the " +
			"system when the drain stage ended; an aged-out one was deleted because of the retention. A duplicate was received again " +
			"by the same group, and a reordered message was received after a later message of its key or partition.",
		"The verdict compares runs, not messages: Hodges–Lehmann ratio with the exact Mann–Whitney interval, corrected by Holm's method " +
			"over the pairs of variants, only for the primary metric. All other numbers are shown without a verdict.",
		"A run is counted only if the load generator and the clocks were not the limit. Runs that are not counted are shown with the reason.",
	}
}
