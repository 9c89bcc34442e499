package e2e

import (
	"archive/zip"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"dec.local/dec/internal/experiment"
)

// TestAnEmulatorIsNamedEverywhere measures Kafka and an emulator of Kinesis. No
// place that shows a number may leave out that it is one.
func TestAnEmulatorIsNamedEverywhere(t *testing.T) {
	t.Parallel()
	const label = "shardy"
	w := newInstallation(t)
	html, csv := filepath.Join(w.dir, "report.html"), filepath.Join(w.dir, "report.csv")
	variants := kafkaVariant + "  - {label: " + label + ", technology: kinesis, stack: emulator, options: {shard_limits: true}}\n"
	plan := strings.Replace(fmt.Sprintf(quick, variants), "rate: 500", "rate: 200", 1)
	plan = strings.Replace(plan, "name: quick\n", "", 1) // the name is made of the labels
	out := w.dec("run", w.file(plan), "--report", html, "--csv", csv)
	if !out.answered() {
		t.Fatalf("dec run = exit %d\n%s", out.code, out.stderr)
	}
	id := regexp.MustCompile(`experiment (e[a-z0-9]{9})`).FindStringSubmatch(out.stdout)[1]
	runs := regexp.MustCompile(`(?m)^r[a-z0-9]{9}`).FindAllString(w.dec("runs", "list", "--experiment", id).stdout, -1)
	page := read(t, html)
	page = page[:strings.Index(page, "<details>")] // then comes the plan
	for form, text := range map[string]string{
		"table": out.stdout, "progress": out.stderr, "page": page,
		"dec runs list": w.dec("runs", "list").stdout, "dec runs show": w.dec("runs", "show", runs[0]).stdout + w.dec("runs", "show", runs[1]).stdout,
		"dec experiments show": w.dec("experiments", "show", id).stdout, "dec experiments list": w.dec("experiments", "list").stdout,
		"dec compare": w.dec(append([]string{"compare"}, runs...)...).stdout,
	} {
		parts := strings.Split(text, label)
		if len(parts) < 2 {
			t.Errorf("%s: %s is not in it:\n%.3000s", form, label, text)
		}
		for _, after := range parts[1:] {
			after = lineBreak.ReplaceAllString(after, " ")
			if !strings.HasPrefix(after, " (emulator)") && !strings.HasPrefix(after, ` <span class="emulator">emulator</span>`) {
				t.Errorf("%s: nothing says that it is an emulator: %s%.60q", form, label, after)
			}
		}
	}
	readme := w.readme(label, runs)
	for _, text := range []string{out.stdout, page, read(t, csv), readme} {
		if !strings.Contains(text, "kinesalite 3") {
			t.Errorf("it does not say which emulator it was:\n%.3000s", text)
		}
	}
	w.assertNothingLeft()
}

// lineBreak is where a sentence was wrapped.
var lineBreak = regexp.MustCompile(`^\n +`)

// readme is that of the archive of the run of a variant. Its file name says that it
// is an emulator.
func (w *installation) readme(label string, runs []string) string {
	w.t.Helper()
	for _, run := range runs {
		cmd := w.command("runs", "archive", run)
		cmd.Dir = w.t.TempDir()
		if out, err := cmd.CombinedOutput(); err != nil {
			w.t.Fatalf("dec runs archive: %v\n%s", err, out)
		}
		found, _ := filepath.Glob(filepath.Join(cmd.Dir, label+"-emulator-1-"+run+".zip"))
		if len(found) == 0 {
			continue
		}
		archive, err := zip.OpenReader(found[0])
		if err != nil {
			w.t.Fatal(err)
		}
		defer archive.Close()
		text, err := fs.ReadFile(archive, strings.TrimSuffix(filepath.Base(found[0]), ".zip")+"/README.md")
		if err != nil {
			w.t.Fatal(err)
		}
		return string(text)
	}
	w.t.Errorf("no archive is named after the emulator")
	return ""
}

func read(t *testing.T, path string) string {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}

// TestOneRunOfKinesis checks the counts of each mode, and what the run tells of
// itself.
func TestOneRunOfKinesis(t *testing.T) {
	t.Parallel()
	tests := map[string]string{
		"polling":              "options: {shard_limits: true}",
		"polling, no limits":   "options: {}",
		"enhanced fan-out":     "options: {engine: kinesis-local, consumers: enhanced_fan_out}",
		"fan-out, with limits": "options: {engine: kinesis-local, consumers: enhanced_fan_out, shard_limits: true}",
	}
	for name, options := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newInstallation(t)
			plan := strings.Replace(fmt.Sprintf(quick, "  - {label: kinesis, technology: kinesis, stack: emulator, "+options+"}\n")+once, "rate: 500", "rate: 300", 1)
			run := w.dec("run", w.file(plan), "--json", "--set", "workload.topology.partitions=2").report(t).Runs[0]
			if run.Outcome != experiment.Succeeded || run.Teardown != experiment.TeardownClean || run.Variant != "kinesis" {
				t.Fatalf("run of %s = %s, %s (%s), want kinesis, succeeded, clean", run.Variant, run.Outcome, run.Teardown, run.Reason)
			}
			if c := run.Result.Counts; c.Offered != 900 || c.Acked != 900 || c.Received != 900 || c.Lost+c.Duplicates+c.Corrupt+c.Reordered != 0 {
				t.Errorf("counts = %+v, want 900 offered, acked and received, nothing else", c)
			}
			w.assertNothingLeft()
		})
	}
}
