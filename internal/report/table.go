package report

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf8"

	"charm.land/lipgloss/v2"

	"dec.local/dec/internal/comparison"
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

// Table writes a comparison for a terminal: the verdict, its caveats, the figures
// of each variant, and the runs to look at. Without color it is plain text.
func Table(w io.Writer, c comparison.Comparison, color bool) error {
	p := newPaint(color)
	var b strings.Builder
	b.WriteString("\n" + p.bold(oneLine(c.Title)) + "\n")
	b.WriteString(p.dim(oneLine(fmt.Sprintf("experiment %s, target %s, %s", c.Experiment, c.Target, c.Fairness.Label))) + "\n\n")
	writeVerdict(&b, c, p)
	b.WriteString("\n")
	writeFigures(&b, c, p)
	writeAttention(&b, c, p)
	if _, err := io.WriteString(w, b.String()); err != nil {
		return fmt.Errorf("write the report: %w", err)
	}
	return nil
}

func writeVerdict(b *strings.Builder, c comparison.Comparison, p paint) {
	tone := p.bold
	if c.Stats.Verdict == stats.Different {
		tone = p.good
	}
	writeWrapped(b, c.Stats.Sentence, "  ", "  ", tone)
	for _, sentence := range c.Stats.Sentences {
		writeWrapped(b, sentence, "  - ", "    ", p.bold)
	}
	for _, caveat := range c.Caveats {
		writeWrapped(b, caveat, "  ! ", "    ", p.warn)
	}
}

// writeFigures writes a line per figure and a column per variant.
func writeFigures(b *strings.Builder, c comparison.Comparison, p paint) {
	rows := [][]string{{""}, {"Counted runs"}}
	for _, v := range c.Variants {
		rows[0] = append(rows[0], oneLine(v.Name))
		rows[1] = append(rows[1], fmt.Sprintf("%d of %d", v.Counted, v.Runs))
	}
	for _, f := range c.Figures {
		row := []string{f.Title}
		for _, v := range f.Values {
			text, span := valueText(f.Unit, v)
			if span != "" {
				text += "  (" + span + ")"
			}
			row = append(row, text)
		}
		rows = append(rows, row)
	}
	writeRows(b, rows, p)
	const note = "Median over the counted runs, with their range in brackets; counts are sums. Latencies count from the intended send time."
	writeWrapped(b, note+boundNote(c.Figures), "  ", "  ", p.dim)
	if c.Instrument != "" {
		writeWrapped(b, c.Instrument, "  ", "  ", p.dim)
	}
}

// boundNote explains the sign ≥; "" where no figure has it.
func boundNote(figures []comparison.Figure) string {
	bounded := func(v comparison.FigureValue) bool { return v.ValueAtLeast != nil || v.HighAtLeast != nil }
	for _, f := range figures {
		if slices.ContainsFunc(f.Values, bounded) {
			return " ≥ is a lower bound: more of the offered messages had not come when observation ended than lie beyond the percentile."
		}
	}
	return ""
}

// writeRows writes a table whose first row and first column are heads.
func writeRows(b *strings.Builder, rows [][]string, p paint) {
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
}

// writeAttention lists the runs that do not count, or not yet, with the reason.
func writeAttention(b *strings.Builder, c comparison.Comparison, p paint) {
	if len(c.Attention) == 0 {
		return
	}
	b.WriteString("\n  " + p.bold("Runs that need attention") + "\n")
	for _, sentence := range c.Attention {
		writeWrapped(b, sentence, "  x ", "    ", p.warn)
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
