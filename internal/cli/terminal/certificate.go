package terminal

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"dec.local/dec/internal/certify"
	"dec.local/dec/internal/format"
)

// Certificate writes what dec certify found out.
func Certificate(out io.Writer, r certify.Report) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	row := func(cells ...string) { fmt.Fprintln(w, strings.Join(cells, "\t")+"\t") }
	row("trial", "rate", "true p50", "error p50", "true p99", "error p99", "publish p50", "publish p99", "lateness p50", "lateness p99")
	for _, o := range r.Trials {
		if !o.Precise {
			continue
		}
		cells := []string{o.Name, format.Rate(o.Rate)}
		cells = append(cells, truthAndError(o.E2E, "p50")...)
		cells = append(cells, truthAndError(o.E2E, "p99")...)
		cells = append(cells, truthAndError(o.Publish, "p50")[1], truthAndError(o.Publish, "p99")[1],
			format.Latency(o.Lateness.P50NS), format.Latency(o.Lateness.P99NS))
		row(cells...)
	}
	if err := w.Flush(); err != nil {
		return err
	}
	fmt.Fprintln(out)
	for _, o := range r.Trials {
		if o.Precise {
			continue
		}
		fmt.Fprintf(out, "%s at %s\n", o.Name, format.Rate(o.Rate))
		for _, f := range o.E2E {
			if f.Expected != nil && f.Reported != nil {
				fmt.Fprintf(out, "    %-5s told %s, was %s, by the closed form %s\n", f.Quantile,
					nanoseconds(*f.Reported), format.Latency(f.True), nanoseconds(*f.Expected))
			}
		}
		for _, f := range o.Findings {
			fmt.Fprintf(out, "    %s: found %s of %s\n", f.What, format.Count(f.Found), format.Count(f.Done))
		}
	}
	fmt.Fprintf(out, "\n%s\nAgent build %s on %s (%s, %d CPUs), for %s\n", r.Line, r.Build, r.Host, r.Machine.CPUModel, r.Machine.CPUs, "24 h")
	if len(r.Misses) == 0 {
		fmt.Fprintln(out, "Certified: all bounds are met.")
		return nil
	}
	fmt.Fprintf(out, "NOT within bounds:\n")
	for _, miss := range r.Misses {
		fmt.Fprintf(out, "  - %s\n", miss)
	}
	return nil
}

// truthAndError are a quantile as it was, and the error of what was told.
func truthAndError(figures []certify.Figure, quantile string) []string {
	for _, f := range figures {
		if off, ok := f.Error(); ok && f.Quantile == quantile {
			return []string{format.Latency(f.True), signed(off)}
		}
	}
	return []string{format.Missing, format.Missing}
}

// signed is a difference with its sign.
func signed(d time.Duration) string {
	if d < 0 {
		return "−" + nanoseconds(int64(-d))
	}
	return "+" + nanoseconds(int64(d))
}

func nanoseconds(ns int64) string { return format.Nanoseconds(float64(ns)) }
