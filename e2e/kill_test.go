package e2e

import (
	"errors"
	"flag"
	"fmt"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"dec.local/dec/internal/experiment"
)

var kills = flag.String("kills", "", "all: kill at every moment instead of at a handful; list: only print what all does")

// moments are texts of the progress that tell when to kill, in order.
var moments = []struct{ name, line string }{
	{"provision", "provision"},
	{"port up", "-0-client"},
	{"prepare", "prepare"},
	{"load", " load"},
	{"measure", "measure "},
	{"collect", "collect"},
	{"destroy", "destroy"},
	{"verify", "verify"},
}

// arrangements are what is killed: NATS starts and stops in an instant, so
// OpenTofu and its provider are met at work only with Kafka, whose broker takes
// seconds.
var arrangements = []struct{ name, variant string }{{"nats", natsVariant}, {"kafka", kafkaVariant}}

// victims are what is killed, by words of their command lines.
var victims = []struct {
	name  string
	match func(f found, w *installation) bool
}{
	{"dec", func(f found, w *installation) bool { return strings.Contains(f.command, "/dec run ") }},
	{"supervisor of a broker or agent", func(f found, _ *installation) bool { return supervises(f, "/ledger/processes/") }},
	{"supervisor of tofu", func(f found, _ *installation) bool { return supervises(f, "/attempts/") }},
	{"tofu", func(f found, w *installation) bool {
		return strings.HasPrefix(f.command, filepath.Join(w.tools(), "bin", "tofu"))
	}},
	{"provider", func(f found, w *installation) bool { return strings.Contains(f.command, "/terraform-provider-dec") }},
	{"broker", func(f found, _ *installation) bool { return isBroker(f) }},
	{"agent", func(f found, _ *installation) bool { return strings.HasPrefix(f.command, "./dec-agent/") }},
}

// supervises reports whether f is the supervisor of a process in such a folder.
func supervises(f found, folder string) bool {
	return strings.HasPrefix(f.command, "dec-supervise ") && strings.Contains(f.command, folder)
}

// isBroker reports whether f is a broker itself.
func isBroker(f found) bool {
	return strings.HasPrefix(f.command, "./nats-server/") || strings.HasPrefix(f.command, "./java/bin/java")
}

// handful are the kills that every test run does.
var handful = map[string]bool{
	"nats: dec at provision": true, "nats: dec at measure": true, "nats: dec at destroy": true,
	"kafka: tofu at port up": true, "kafka: provider at port up": true, "kafka: supervisor of tofu at port up": true,
	"nats: supervisor of a broker or agent at measure": true, "nats: broker at measure": true, "nats: agent at measure": true,
}

// TestKills kills one process at one moment and asserts that a new start leaves
// nothing behind and loses no run.
func TestKills(t *testing.T) {
	t.Parallel()
	for _, arrangement := range arrangements {
		for _, victim := range victims {
			for _, moment := range moments {
				name := fmt.Sprintf("%s: %s at %s", arrangement.name, victim.name, moment.name)
				if !handful[name] && !(*kills != "" && worthAll(arrangement.name, moment.name)) {
					continue
				}
				if *kills == "list" {
					fmt.Println("case", name)
					continue
				}
				t.Run(name, func(t *testing.T) {
					t.Parallel()
					w := newInstallation(t)
					p := w.start("run", w.file(fmt.Sprintf(quick, arrangement.variant)), "--json")
					p.awaitLine(moment.line)
					hit := w.kill(victim.match)
					t.Logf("killed %d: %v", len(hit), hit)
					if handful[name] && len(hit) == 0 {
						t.Error("nothing was there to kill")
					}
					out := p.wait()
					if victim.name == "dec" {
						if out = w.dec("reconcile"); out.code != 0 {
							t.Errorf("dec reconcile = exit %d\n%s", out.code, out.stderr)
						}
					} else {
						assertAccounted(t, out, len(hit))
					}
					w.assertNothingLeft()
				})
			}
		}
	}
}

// worthAll leaves out moments of Kafka's that show nothing beyond those of NATS.
func worthAll(arrangement, moment string) bool {
	return arrangement == "nats" || moment == "provision" || moment == "port up" || moment == "destroy"
}

// kill sends SIGKILL to every process of this installation that matches.
func (w *installation) kill(match func(found, *installation) bool) []found {
	w.t.Helper()
	var hit []found
	for _, f := range w.processes() {
		if !match(f, w) {
			continue
		}
		if err := syscall.Kill(f.pid, syscall.SIGKILL); err == nil {
			hit = append(hit, f)
		} else if !errors.Is(err, syscall.ESRCH) {
			w.t.Fatal(err)
		}
	}
	return hit
}

// assertAccounted checks that every run has ended, is clean, and that a failed one
// says why; and that the last one, an extra if need be, succeeded. A broker that was
// killed under the load is an answer, and not repeated.
func assertAccounted(t *testing.T, out outcome, hits int) {
	t.Helper()
	r := out.report(t)
	for _, run := range r.Runs {
		// A kill before the first plan leaves a run for which nothing was ever created.
		gone := run.Teardown == experiment.TeardownClean || run.Teardown == experiment.TeardownNone && run.Outcome == experiment.Failed
		if run.Phase != experiment.PhaseEnded || !gone || run.Receipt == nil {
			t.Errorf("run %s: phase %s, teardown %s, receipt %v, want ended, clean and a receipt", run.ID, run.Phase, run.Teardown, run.Receipt)
		}
		if run.Outcome == experiment.Failed && run.Reason == "" {
			t.Errorf("run %s failed without a reason", run.ID)
		}
	}
	last := r.Runs[len(r.Runs)-1]
	if last.SystemDied {
		if out.code != 3 || len(r.Runs) > 1 {
			t.Errorf("the system died under the load: exit %d after %d runs, want 3 after one", out.code, len(r.Runs))
		}
		return
	}
	if last.Outcome != experiment.Succeeded || !out.answered() {
		t.Errorf("after %d kills: exit %d, last run %s: %s", hits, out.code, last.Outcome, last.Reason)
	}
}

// TestBrokerKilledInMidRunFailsWithThatReason also checks the words.
func TestBrokerKilledInMidRunFailsWithThatReason(t *testing.T) {
	t.Parallel()
	w := newInstallation(t)
	p := w.start("run", w.file(fmt.Sprintf(quick, natsVariant)+once), "--json")
	p.awaitLine("measure ")
	w.kill(func(f found, _ *installation) bool { return isBroker(f) })
	out := p.wait()
	first := out.report(t).Runs[0]
	if first.Outcome != experiment.Failed || !first.SystemDied || !strings.Contains(first.Reason, "server-0") {
		t.Errorf("run = %s: %q, died %t, want failed with the name of the broker's service", first.Outcome, first.Reason, first.SystemDied)
	}
	if !strings.Contains(out.stderr, "nats did not deliver") {
		t.Errorf("dec run says\n%s\nwant that nats did not deliver", out.stderr)
	}
	w.assertNothingLeft()
}
