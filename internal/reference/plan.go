package main

import (
	"fmt"
	"strings"

	"dec.local/dec/internal/experiment"
	"dec.local/dec/internal/planspec"
)

// plan returns the page on plans.
func plan() string {
	return `# Plans

A plan is YAML or JSON. A wrong field is refused with its path and the nearest known name, before anything starts.
` + "`--set workload.load.rate=5000`" + ` overrides one field on the command line; a variant is named by its label, as in
` + "`--set variants.LABEL.options.NAME=3`" + `. In a plan file the workload may be the path of another file,
relative to the folder of the plan.

The text may have at most 1 MiB, 64 levels, 20,000 values and 50,000 punctuation marks and lines. It may repeat parts by
up to 64 YAML aliases, which count with what they repeat; an anchor that contains an alias is refused.

## Fields
A duration has a unit: ` + "`90s`, `2m`, `1h`" + `. A size has one, too, or is a number of bytes: ` + "`1KiB`, `4kB`, `100`" + `. A load has
either a rate or a schedule. The options of a stack and the client settings (` + "`client_config`" + `) are in the README of its
[technology](../../technology), and ` + "`dec catalog`" + ` lists them.

` + planspec.Reference() + `
## Metrics
` + "`compare`" + ` names one of these.

| metric | meaning | unit | better |
|---|---|---|---|
` + metrics()
}

// metrics returns a row for each metric.
func metrics() string {
	units := map[experiment.Unit]string{
		experiment.UnitNanoseconds: "nanoseconds", experiment.UnitPerSecond: "messages per second",
		experiment.UnitSecondsPerMillion: "CPU seconds per million messages",
	}
	var out strings.Builder
	for _, m := range experiment.Metrics() {
		better := "lower"
		if m.MoreIsBetter() {
			better = "higher"
		}
		fmt.Fprintf(&out, "| `%s` | %s | %s | %s |\n", m, m.Heading(), units[m.Unit()], better)
	}
	return out.String()
}
