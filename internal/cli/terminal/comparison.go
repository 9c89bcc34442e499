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
	limited := slices.ContainsFunc(c.Runs, func(run api.ComparedRun) bool { n, _ := heldBack(run); return n > 0 })
	if limited {
		fmt.Fprint(w, "\tHELD BACK")
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
		if limited {
			text := format.Missing
			if n, known := heldBack(run); known {
				text = format.Count(n)
			}
			fmt.Fprintf(w, "\t%s", text)
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

// heldBack is how many messages of a run had to wait because of a limit, refusals
// counted; false where its clients can't tell.
func heldBack(run api.ComparedRun) (n int64, known bool) {
	for i, times := range run.Incidents {
		if i.Limited() {
			n, known = n+times, true
		}
	}
	return n, known
}
