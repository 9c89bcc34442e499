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
	var b strings.Builder
	writeDelays(&b, r.Trials)
	writeWaiting(&b, r.Trials)
	for _, o := range r.Trials {
		if !o.Precise && !o.Spins {
			writeTrial(&b, o)
		}
	}
	fmt.Fprintf(&b, "\n%s.\n", r.Line)
	fmt.Fprintf(&b, "Agent build %s on %s (%s, %s), for the next 24 hours.\n",
		r.Build, r.Host, r.Machine.CPUModel, format.Counted(r.Machine.CPUs, "CPU"))
	if len(r.Misses) == 0 {
		b.WriteString("Certified: within all bounds.\n")
	} else {
		b.WriteString("Out of bounds; results will say so. If the machine was busy, certify again when it is idle.\n")
	}
	for _, miss := range r.Misses {
		fmt.Fprintf(&b, "  - %s\n", miss)
	}
	_, err := io.WriteString(out, b.String())
	return err
}

// table writes rows of which the first column is text and the others are numbers.
func table(b *strings.Builder, rows [][]string) {
	w := tabwriter.NewWriter(b, 0, 0, 2, ' ', tabwriter.AlignRight)
	widest := 0
	for _, row := range rows {
		widest = max(widest, len([]rune(row[0])))
	}
	for _, row := range rows {
		fmt.Fprintf(w, "%-*s\t%s\t\n", widest, row[0], strings.Join(row[1:], "\t"))
	}
	w.Flush() // to memory
	b.WriteString("\n")
}

// writeDelays writes the errors of latencies.
func writeDelays(b *strings.Builder, trials []certify.Outcome) {
	rows := [][]string{{"Error of latencies", "rate", "true p50", "e2e p50", "publish p50", "true p99", "e2e p99", "publish p99"}}
	for _, o := range trials {
		if !o.Precise {
			continue
		}
		row := []string{o.Name, format.Rate(o.Rate)}
		for _, q := range []string{"p50", "p99"} {
			is, e2e := truthAndError(o.E2E, q)
			_, publish := truthAndError(o.Publish, q)
			row = append(row, is, e2e, publish)
		}
		rows = append(rows, row)
	}
	table(b, rows)
}

// writeWaiting writes what waiting for the moment costs.
func writeWaiting(b *strings.Builder, trials []certify.Outcome) {
	rows := [][]string{{"Lateness of the pacer", "rate", "p50", "p99", "agents' CPU"}}
	for _, o := range trials {
		if o.Precise || o.Spins {
			rows = append(rows, []string{
				o.Name + ": " + o.Lateness.Timer, format.Rate(o.Rate), format.Latency(o.Lateness.P50NS), format.Latency(o.Lateness.P99NS),
				format.Seconds(o.AgentCPU),
			})
		}
	}
	table(b, rows)
}

// writeTrial writes what a trial of stalls, faults or clocks told.
func writeTrial(b *strings.Builder, o certify.Outcome) {
	fmt.Fprintf(b, "%s at %s\n", o.Name, format.Rate(o.Rate))
	for _, f := range o.E2E {
		if f.Expected != nil && f.Reported != nil {
			fmt.Fprintf(b, "    %-4s told as %s; it was %s, and is %s by the closed form\n", f.Quantile,
				nanoseconds(*f.Reported), format.Latency(f.True), nanoseconds(*f.Expected))
		}
	}
	for _, f := range o.Findings {
		fmt.Fprintf(b, "    %s: %s of %s found\n", f.What, format.Count(f.Found), format.Count(f.Done))
	}
}

// truthAndError are a quantile as it was, and the error of what was told.
func truthAndError(figures []certify.Figure, quantile string) (is, off string) {
	for _, f := range figures {
		if d, ok := f.Error(); ok && f.Quantile == quantile {
			return format.Latency(f.True), signed(d)
		}
	}
	return format.Missing, format.Missing
}

// signed is a difference with its sign.
func signed(d time.Duration) string {
	if d < 0 {
		return "−" + nanoseconds(int64(-d))
	}
	return "+" + nanoseconds(int64(d))
}

func nanoseconds(ns int64) string { return format.Nanoseconds(float64(ns)) }
