package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"dec.local/dec/internal/experiment"
)

const kinesisVariant = "  - {label: kinesis, technology: kinesis, stack: emulator, options: {shard_limits: true}}\n"

// TestAnEmulatorIsLabelledEverywhere measures Kafka and an emulator of Kinesis.
// Nothing that shows a number may call the emulator Kinesis.
func TestAnEmulatorIsLabelledEverywhere(t *testing.T) {
	w := newWorld(t)
	html, csv := filepath.Join(w.dir, "report.html"), filepath.Join(w.dir, "report.csv")
	plan := w.file(strings.Replace(fmt.Sprintf(quick, kafkaVariant+kinesisVariant), "rate: 500", "rate: 200", 1))
	out := w.dec("run", plan, "--report", html, "--csv", csv)
	if !out.answered() {
		t.Fatalf("dec run = exit %d\n%s", out.code, out.stderr)
	}
	forms := map[string]string{"terminal": out.stdout, "progress": out.stderr}
	for name, path := range map[string]string{"HTML": html, "CSV": csv} {
		content, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		forms[name] = string(content)
	}
	for name, text := range forms {
		if !strings.Contains(text, "kinesis-emulator") {
			t.Errorf("%s: there is no kinesis-emulator in it:\n%.3000s", name, text)
		}
		// The name of a run, the head of a column, the start of a line.
		if found := regexp.MustCompile(`(?m)\bkinesis #\d|<th[^>]*>kinesis<|^\s*kinesis\s`).FindString(text); found != "" {
			t.Errorf("%s: %q calls the emulator Kinesis", name, found)
		}
	}
	for _, form := range []string{"terminal", "HTML"} {
		if !strings.Contains(forms[form], "kinesalite") {
			t.Errorf("%s: it does not say which emulator it was", form)
		}
	}
	w.assertNothingLeft()
}

// TestOneRunOfKinesis checks the counts of each mode, and what the run tells of
// itself.
func TestOneRunOfKinesis(t *testing.T) {
	tests := map[string]string{
		"polling":              "options: {shard_limits: true}",
		"polling, no limits":   "options: {}",
		"enhanced fan-out":     "options: {engine: kinesis-local, consumers: enhanced_fan_out}",
		"fan-out, with limits": "options: {engine: kinesis-local, consumers: enhanced_fan_out, shard_limits: true}",
	}
	for name, options := range tests {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			plan := strings.Replace(fmt.Sprintf(quick, "  - {label: kinesis, technology: kinesis, stack: emulator, "+options+"}\n"), "rate: 500", "rate: 300", 1)
			run := w.dec("run", w.file(plan), "--json", "--set", "workload.topology.partitions=2").report(t).Runs[0]
			if run.Outcome != experiment.Succeeded || run.Teardown != experiment.TeardownClean || run.Variant != "kinesis-emulator" {
				t.Fatalf("run of %s = %s, %s (%s), want kinesis-emulator, succeeded, clean", run.Variant, run.Outcome, run.Teardown, run.Reason)
			}
			if c := run.Result.Counts; c.Offered != 900 || c.Acked != 900 || c.Received != 900 || c.Lost+c.Duplicates+c.Corrupt+c.Reordered != 0 {
				t.Errorf("counts = %+v, want 900 offered, acked and received, nothing else", c)
			}
			w.assertNothingLeft()
		})
	}
}
