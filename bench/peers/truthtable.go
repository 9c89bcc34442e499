package main

import (
	"fmt"
	"io"
	"strings"
)

// truthTable prints, for each case behind the proxy, what is true and what each tool
// says.
func truthTable(w io.Writer, all []cell, results map[string]outcome) {
	for i := range truthCases {
		c := &truthCases[i]
		head := []string{"true value → reported, ms: " + c.title, "reached"}
		for _, q := range quantileNames {
			head = append(head, q.name)
		}
		lines := [][]string{append(head, "right?")}
		var held []string
		for _, cell := range all {
			o, found := results[cell.id()]
			if !found || cell.load.name != c.load.name {
				continue
			}
			for _, told := range o.Reported {
				lines = append(lines, truthLine(*c, cell, o, told))
			}
			if o.busy(c.delay) {
				held = append(held, fmt.Sprintf(
					"- %s, %s: the machine was busy: 99 %% of the chunks were held for at most %.1f ms, so nothing above p50 is known\n",
					titles[cell.system], cell.tool.title, o.Held[1].Seconds()*1e3))
			}
		}
		if len(lines) > 1 {
			table(w, lines)
			if len(held) > 0 {
				fmt.Fprintln(w, strings.Join(held, ""))
			}
		}
	}
}

// truthLine is one distribution of one tool. A quantile that the tool does not tell
// is a dash, and one at which nothing is known but the broker's own time has no
// true value.
func truthLine(c truthCase, cell cell, o outcome, told reported) []string {
	line := []string{
		fmt.Sprintf("%s, %s: %s", titles[cell.system], cell.tool.title, told.What),
		fmt.Sprintf("%s/s", thousands(o.Sent)),
	}
	if o.GaveUp != "" {
		line[1] = "–"
	}
	var wrong []string
	for _, q := range quantileNames {
		truth, known := c.truth(cell.system, told.What, q.q, o)
		value, tells := told.Quantiles[q.name]
		text := "–"
		if tells {
			text = digits(value)
			if told.AtLeast[q.name] {
				text = "≥ " + text
			}
		}
		if known && o.GaveUp == "" {
			text = digits(truth) + " → " + text
		}
		if known && tells && !right(value, truth) {
			wrong = append(wrong, fmt.Sprintf("%s %+.0f %%", q.name, (value/truth-1)*100))
		}
		line = append(line, text)
	}
	switch {
	case o.GaveUp != "":
		return append(line, "**no**: "+o.GaveUp)
	case told.What == sendDelay:
		return append(line, "in neither")
	case len(wrong) == 0:
		return append(line, "yes")
	}
	return append(line, "**no**: "+strings.Join(wrong, ", "))
}
