package terminal

import (
	"fmt"
	"io"
	"slices"
	"text/tabwriter"

	"dec.local/dec/internal/api"
	"dec.local/dec/internal/experiment"
	"dec.local/dec/internal/format"
)

// Comparison prints selected runs side by side.
func Comparison(out io.Writer, c api.Comparison) error {
	fmt.Fprintf(out, "%s\n%s\n", c.Title, c.Stats.Sentence)
	for _, caveat := range c.Caveats {
		fmt.Fprintln(out, caveat)
	}
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	metrics := []experiment.Metric{c.Stats.Metric}
	for _, metric := range []experiment.Metric{"e2e_p50", "e2e_p99", "publish_p99", experiment.Throughput} {
		if metric != c.Stats.Metric {
			metrics = append(metrics, metric)
		}
	}
	fmt.Fprint(w, "RUN\tNAME")
	for _, metric := range metrics {
		fmt.Fprintf(w, "\t%s", metric)
	}
	throttled := slices.ContainsFunc(c.Runs, func(run api.ComparedRun) bool { return throttles(run) > 0 })
	if throttled {
		fmt.Fprint(w, "\tTHROTTLED")
	}
	fmt.Fprintln(w, "\tLOST\tNOT COUNTED")
	for _, run := range c.Runs {
		fmt.Fprintf(w, "%s\t%s", run.Run.ID, run.Run.Name)
		for _, metric := range metrics {
			text := "–"
			if value := run.Metrics[metric]; value != nil {
				text = format.Value(metric.Unit(), *value)
			}
			fmt.Fprintf(w, "\t%s", text)
		}
		if throttled {
			fmt.Fprintf(w, "\t%s", format.Count(throttles(run)))
		}
		lost := "–"
		if run.Counts != nil {
			lost = format.Count(run.Counts.Lost)
		}
		fmt.Fprintf(w, "\t%s\t%s\n", lost, run.Excluded)
	}
	for _, difference := range c.Differences {
		fmt.Fprintf(w, "differs: %s", difference.Path)
		for _, variant := range c.Variants {
			if value, ok := difference.Values[variant.Label]; ok {
				fmt.Fprintf(w, "\t%s: %s", variant.Name, value)
			}
		}
		fmt.Fprintln(w)
	}
	return w.Flush()
}

// throttles are the writes and reads that were refused to a run for now.
func throttles(run api.ComparedRun) int64 {
	return run.Incidents[experiment.ThrottledWrites] + run.Incidents[experiment.ThrottledReads]
}
