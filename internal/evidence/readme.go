package evidence

import (
	"cmp"
	"fmt"
	"strings"
	"time"

	"dec.local/dec/internal/experiment"
)

// described says what each file of an archive is.
var described = []struct{ name, what string }{
	{"result.json", "what was measured: figures, counts, guarantees, versions, the plan with its seed"},
	{"histograms.json", "distributions of the measure stage: HdrHistograms in compressed V2 encoding, as base64; values are nanoseconds"},
	{"timeline.json", "every second of the load, from warm-up to drain"},
	{"guarantees.json", "guarantees in force, as read back from the brokers"},
	{"plan.json", "the plan of the experiment with all defaults; `dec run plan.json` repeats the experiment"},
	{"run.json", "the run itself: phases, outcome, validity"},
	{"receipt.json", "proof that nothing of the run's infrastructure is left"},
	{"events.jsonl", "the events of the run, one per line"},
}

// readme tells a reader what this is.
func (p *pack) readme() string {
	var b strings.Builder
	fmt.Fprintf(&b, "# %s\n\nRun %s of experiment %s, “%s”.\n\n", p.name, p.run.ID, p.of.ID, p.of.Plan.Name)
	for _, v := range p.of.Plan.Variants {
		if v.Label != p.run.Variant {
			continue
		}
		fmt.Fprintf(&b, "- Variant: %s, %s/%s on target %s\n", v.Name(), v.Technology, v.Stack, p.of.Plan.Target)
		if v.Emulator != "" {
			fmt.Fprintf(&b, "- Emulator: %s stands in for the technology; the results do not show how fast the technology itself is\n",
				cmp.Or(p.program, v.Emulator))
		}
	}
	fmt.Fprintf(&b, "- Time: %s to %s\n- Outcome: %s\n", moment(p.run.StartedAt), moment(p.run.EndedAt), p.outcome())
	if p.run.Receipt != nil {
		fmt.Fprintf(&b, "- Infrastructure: %s\n", p.run.Receipt.Statement)
	}
	b.WriteString("\nTimes are UTC. Fields that end in `_ns` are nanoseconds, those in `_s` seconds. " +
		"Latencies count from the intended send time.\n\n")
	for _, file := range described {
		if _, ok := p.files[file.name]; ok {
			fmt.Fprintf(&b, "- `%s`: %s\n", file.name, file.what)
		}
	}
	if len(p.logs) > 0 {
		b.WriteString("- `logs/`: logs of DEC, OpenTofu and the run's services\n")
	}
	return b.String()
}

// outcome is how the run ended, and whether its numbers count.
func (p *pack) outcome() string {
	text := string(p.run.Outcome)
	if p.run.Reason != "" {
		text += ": " + p.run.Reason
	}
	if p.run.Outcome == experiment.Succeeded && !p.run.Validity.OK {
		text += "; not counted in the statistics: " + p.run.Validity.Text()
	}
	return text
}

func moment(t time.Time) string {
	if t.IsZero() {
		return "never"
	}
	return t.UTC().Format(time.DateTime)
}
