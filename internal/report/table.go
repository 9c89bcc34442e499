package report

import (
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"charm.land/lipgloss/v2"

	"dec.local/dec/internal/experiment"
	"dec.local/dec/internal/stats"
)

// tableWidth is where sentences wrap.
const tableWidth = 100

// paint colours text, or leaves it alone.
type paint struct{ bold, dim, good, warn func(string) string }

func newPaint(color bool) paint {
	if !color {
		same := func(text string) string { return text }
		return paint{same, same, same, same}
	}
	style := func(s lipgloss.Style) func(string) string {
		return func(text string) string { return s.Render(text) }
	}
	return paint{
		bold: style(lipgloss.NewStyle().Bold(true)),
		dim:  style(lipgloss.NewStyle().Faint(true)),
		good: style(lipgloss.NewStyle().Bold(true).Foreground(lipgloss.Green)),
		warn: style(lipgloss.NewStyle().Foreground(lipgloss.Yellow)),
	}
}

// Table writes the report for a terminal: the verdict, its caveats, the numbers
// of each variant, and the runs that do not count. Without color it is plain
// text.
func Table(w io.Writer, r Report, color bool) error {
	p := newPaint(color)
	var b strings.Builder
	plan := r.Experiment.Plan
	b.WriteString("\n" + p.bold(oneLine(plan.Name)) + "\n")
	b.WriteString(p.dim(oneLine(fmt.Sprintf("experiment %s, target %s, %s", r.Experiment.ID, plan.Target, r.Fairness.Label()))) + "\n\n")
	r.writeVerdict(&b, p)
	b.WriteString("\n")
	r.writeFigures(&b, p)
	r.writeExcluded(&b, p)
	if _, err := io.WriteString(w, b.String()); err != nil {
		return fmt.Errorf("write the report: %w", err)
	}
	return nil
}

func (r *Report) writeVerdict(b *strings.Builder, p paint) {
	tone := p.bold
	if r.Comparison.Verdict == stats.Different {
		tone = p.good
	}
	writeWrapped(b, r.Comparison.Sentence, "  ", "  ", tone)
	for _, sentence := range r.Comparison.Sentences {
		writeWrapped(b, sentence, "  - ", "    ", p.bold)
	}
	for _, caveat := range r.Caveats {
		writeWrapped(b, caveat, "  ! ", "    ", p.warn)
	}
}

// writeFigures writes a line per figure and a column per variant.
func (r *Report) writeFigures(b *strings.Builder, p paint) {
	rows := [][]string{{""}, {"Runs counted"}}
	for _, v := range r.variants {
		rows[0] = append(rows[0], v.Label)
		rows[1] = append(rows[1], fmt.Sprintf("%d of %d", len(v.counted()), len(v.runs)))
	}
	for _, f := range r.figures() {
		row := []string{f.name}
		for _, v := range r.variants {
			c := f.of(v)
			text := c.Value
			if c.Range != "" {
				text += "  (" + c.Range + ")"
			}
			row = append(row, text)
		}
		rows = append(rows, row)
	}
	widths := make([]int, len(rows[0]))
	for _, row := range rows {
		for i, text := range row {
			widths[i] = max(widths[i], utf8.RuneCountInString(text))
		}
	}
	for n, row := range rows {
		var line strings.Builder
		for i, text := range row {
			padded := text + strings.Repeat(" ", widths[i]-utf8.RuneCountInString(text))
			switch {
			case n == 0:
				padded = p.bold(padded)
			case i == 0:
				padded = p.dim(padded)
			}
			line.WriteString("  " + padded)
		}
		b.WriteString(strings.TrimRight(line.String(), " ") + "\n")
	}
	writeWrapped(b, "Median over the runs that count, with their range in brackets; counts are sums. Latencies count from the intended send time.", "  ", "  ", p.dim)
}

// writeExcluded lists the runs that do not count, or not yet, with the reason.
func (r *Report) writeExcluded(b *strings.Builder, p paint) {
	first := true
	for _, stored := range r.Runs {
		_, run := r.find(stored)
		if run.excluded() == "" && run.Teardown != experiment.TeardownLeaked {
			continue
		}
		if first {
			b.WriteString("\n  " + p.bold("Runs to look at") + "\n")
			first = false
		}
		text := fmt.Sprintf("%s (%s): %s", run.name(), run.ID, run.excluded())
		if run.excluded() == "" {
			text = fmt.Sprintf("%s (%s): counted", run.name(), run.ID)
		}
		if run.Teardown == experiment.TeardownLeaked {
			text += "; its infrastructure is not proven gone"
		}
		writeWrapped(b, text, "  x ", "    ", p.warn)
	}
}

// writeWrapped writes text in lines of at most tableWidth characters.
func writeWrapped(b *strings.Builder, text, first, rest string, tone func(string) string) {
	line := ""
	prefix := first
	flush := func() {
		b.WriteString(prefix + tone(line) + "\n")
		prefix, line = rest, ""
	}
	for word := range strings.FieldsSeq(oneLine(text)) {
		if line != "" && utf8.RuneCountInString(prefix+line)+1+utf8.RuneCountInString(word) > tableWidth {
			flush()
		}
		if line != "" {
			line += " "
		}
		line += word
	}
	flush()
}
