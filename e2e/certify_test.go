package e2e

import (
	"encoding/json"
	"fmt"
	"os"
	"runtime"
	"slices"
	"strings"
	"testing"

	"dec.local/dec/internal/certify"
)

// TestCertificateStandsInResults certifies with the short plan, which tells everything
// but figures that mean anything, and then measures.
func TestCertificateStandsInResults(t *testing.T) {
	w := newInstallation(t)
	w.env = []string{"TMPDIR=" + w.dir}
	plan := w.file(fmt.Sprintf(quick, natsVariant) + once)
	if run := w.dec("run", plan, "--json").report(t).Runs[0]; run.Result == nil || run.Result.Certificate != nil {
		t.Errorf("a run before anything was certified: %+v, want a result without a certificate", run.Result)
	}

	out := w.dec("certify", "--short", "--json")
	var report certify.Report
	if err := json.Unmarshal([]byte(out.stdout), &report); err != nil {
		t.Fatalf("dec certify --json (exit %d) printed %.300q: %v\n%s", out.code, out.stdout, err, out.stderr)
	}
	if out.code != 1 || len(report.Misses) == 0 {
		t.Errorf("dec certify --short = exit %d, misses %q, want 1: it certifies nothing", out.code, report.Misses)
	}
	checkTrials(t, report)
	if files, err := os.ReadDir(w.data() + "/certificates"); err != nil || len(files) != 1 {
		t.Errorf("%d certificates are kept, %v, want one", len(files), err)
	}
	if left := w.processes(); len(left) > 0 {
		t.Errorf("processes are left: %v", left)
	}

	answer := w.dec("run", plan, "--json")
	result := answer.report(t).Runs[0].Result
	if result == nil || result.Certificate == nil || result.Certificate.Line != report.Line || !slices.Equal(result.Certificate.Misses, report.Misses) {
		t.Fatalf("a run afterwards has the certificate %+v, want that of %q", result, report.Line)
	}
	for _, a := range result.Agents {
		if a.Build != report.Build || a.MachineID != report.MachineID {
			t.Errorf("agent %s is build %s on %s, want the certified %s on %s", a.ID, a.Build, a.MachineID, report.Build, report.MachineID)
		}
	}
	var told struct {
		Instrument string   `json:"instrument"`
		Caveats    []string `json:"caveats"`
		Experiment struct{ ID string }
	}
	if err := json.Unmarshal([]byte(answer.stdout), &told); err != nil || result.Validity.OK != strings.Contains(told.Instrument, report.Line) {
		t.Errorf("instrument = %q, %v, want the line %q if the run counts: %t", told.Instrument, err, report.Line, result.Validity.OK)
	}
	if caveats := strings.Join(told.Caveats, "\n"); result.Validity.OK != strings.Contains(caveats, report.Misses[0]) {
		t.Errorf("caveats = %q, want what was missed: %q", caveats, report.Misses)
	}
	if shown := w.dec("runs", "show", result.Run); !strings.Contains(shown.stdout, "Instrument: "+report.Line) {
		t.Errorf("dec runs show printed %q, want the line %q", shown.stdout, report.Line)
	}
}

// checkTrials wants every fault to have been found, and none invented.
func checkTrials(t *testing.T, report certify.Report) {
	t.Helper()
	found := map[string]int64{}
	for _, trial := range report.Trials {
		for _, m := range trial.Misses {
			if m.Kind == "accounts" || m.Kind == "exactness" || m.Kind == "clocks" {
				t.Errorf("%s: %s", trial.Name, m.Text)
			}
		}
		for _, f := range trial.Findings {
			found[f.What] += f.Found
		}
	}
	for what, atLeast := range map[string]int64{
		"lost": 37 + 11, "duplicates": 23, "corrupt": 11, "refused": 13, "unanswered": 7, "undelivered": 1, "negative latencies": 1,
	} {
		if found[what] < atLeast {
			t.Errorf("%s: %d were found, want %d at least", what, found[what], atLeast)
		}
	}
	if len(report.Trials) < 10 {
		t.Errorf("%d trials, want delays, stalls, faults, a consumer that stops and clocks", len(report.Trials))
	}
}

// TestCertifyLeavesNothingBehind ends dec while its agents are at work.
func TestCertifyLeavesNothingBehind(t *testing.T) {
	for name, tt := range map[string]struct {
		signal os.Signal
		code   int
	}{"interrupted": {os.Interrupt, 130}, "killed": {os.Kill, -1}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newInstallation(t)
			w.env = []string{"TMPDIR=" + w.dir} // what is left can be told by its folder
			p := w.start("certify")
			p.awaitLine("constant delay")
			if err := p.cmd.Process.Signal(tt.signal); err != nil {
				t.Fatal(err)
			}
			if out := p.wait(); out.code != tt.code {
				t.Errorf("dec certify ended with %d, want %d\n%s", out.code, tt.code, out.stderr)
			}
			for len(w.processes()) > 0 { // they end with their input; the test's own time is the limit
				runtime.Gosched()
			}
			if files, err := os.ReadDir(w.data() + "/certificates"); err == nil {
				t.Errorf("%d certificates are kept, want none", len(files))
			}
		})
	}
}
