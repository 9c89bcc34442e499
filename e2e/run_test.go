package e2e

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"dec.local/dec/internal/experiment"
	"dec.local/dec/internal/measure"
)

// once ends a plan of one run that is not repeated: not even when the machine was
// too busy for its latencies to be valid.
const once = "limits: {max_wall: 1s}\n"

// quick is a plan of one short run; %s are the variants.
const quick = `
name: quick
workload:
  load: {rate: 500}
  message: {size: 256}
  stages: {warmup: 1s, measure: 3s, drain: 10s}
variants:
%s
repeat: 1
`

const (
	natsVariant  = "  - {label: nats, technology: nats, stack: jetstream}\n"
	kafkaVariant = "  - {label: kafka, technology: kafka, stack: kraft}\n"
)

// reported is the part of a report in JSON that tests read.
type reported struct {
	Runs []struct {
		experiment.Run
		Result *measure.Result `json:"result"`
	} `json:"runs"`
	Comparison struct {
		Sentence string `json:"sentence"`
	} `json:"comparison"`
}

func (o outcome) report(t *testing.T) reported {
	t.Helper()
	var r reported
	if err := json.Unmarshal([]byte(o.stdout), &r); err != nil {
		t.Fatalf("dec run --json (exit %d) printed %.300q: %v\n%s", o.code, o.stdout, err, o.stderr)
	}
	return r
}

func TestOneRunOfEachArrangement(t *testing.T) {
	t.Parallel()
	tests := map[string]string{
		"NATS, one server":    natsVariant,
		"NATS, three servers": "  - {label: nats, technology: nats, stack: jetstream, options: {servers: 3}}\n",
		"Kafka, one broker":   kafkaVariant,
		"Kafka, three brokers, replicated": `  - {label: kafka, technology: kafka, stack: kraft, options: {brokers: 3}}
`,
	}
	for name, variant := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newInstallation(t)
			args := []string{"run", w.file(fmt.Sprintf(quick, variant) + once), "--json"}
			if strings.Contains(name, "replicated") {
				args = append(args, "--set", "workload.topology.replicas=3", "--set", "workload.topology.partitions=6",
					"--set", "workload.require.replicas=3")
			}
			out := w.dec(args...)
			run := out.report(t).Runs[0]
			if run.Outcome != experiment.Succeeded || run.Teardown != experiment.TeardownClean {
				t.Errorf("run = %s, %s (%s), want succeeded, clean", run.Outcome, run.Teardown, run.Reason)
			}
			if c := run.Result.Counts; c.Offered != 1500 || c.Acked != 1500 || c.Received != 1500 || c.Lost+c.Duplicates+c.Corrupt+c.Reordered != 0 {
				t.Errorf("counts = %+v, want 1500 offered, acked and received, nothing else", c)
			}
			w.assertNothingLeft()
		})
	}
}

// TestCountingIsExact sends 200,000 messages at 20,000/s through each technology.
// That takes a whole machine, so no other test runs at the same time.
func TestCountingIsExact(t *testing.T) {
	w := newInstallation(t)
	plan := `
name: exact counts
workload:
  topology: {partitions: 2, producers: 2, consumers_per_group: 2}
  load: {rate: 20000}
  message: {size: 128}
  stages: {warmup: 5s, measure: 10s, drain: 30s}
variants:
` + kafkaVariant + natsVariant + "repeat: 1\n"
	out := w.dec("run", w.file(plan), "--json")
	r := out.report(t)
	if len(r.Runs) < 2 {
		t.Fatalf("dec run (exit %d) made %d runs, want 2\n%s", out.code, len(r.Runs), out.stderr)
	}
	for _, run := range r.Runs {
		if run.Result == nil {
			t.Errorf("%s: no result: %s", run.Variant, run.Reason)
			continue
		}
		// A loaded machine may void the latencies of a run, and leave messages unsent;
		// its counts are exact nevertheless.
		sent := run.Result.Counts.Sent
		want := measure.Counts{Offered: 200_000, Sent: sent, Unsent: 200_000 - sent, Acked: sent, Received: sent, Bytes: sent * 128}
		if sent < 100_000 || run.Result.Counts != want {
			t.Errorf("%s: counts = %+v, want %+v", run.Variant, run.Result.Counts, want)
		}
	}
	w.assertNothingLeft()
}

func TestComparisonWritesEveryForm(t *testing.T) {
	t.Parallel()
	w := newInstallation(t)
	html, csv := filepath.Join(w.dir, "out", "report.html"), filepath.Join(w.dir, "out", "report.csv")
	variants := natsVariant + "  - {label: nats-memory, technology: nats, stack: jetstream, options: {storage: memory}}\n"
	out := w.dec("run", w.file(fmt.Sprintf(quick, variants)), "--report", html, "--csv", csv)
	if !out.answered() {
		t.Fatalf("dec run = exit %d\n%s", out.code, out.stderr)
	}
	for _, want := range []string{"nats-memory", "p99"} {
		if !strings.Contains(out.stdout, want) {
			t.Errorf("the table lacks %q:\n%s", want, out.stdout)
		}
	}
	page, err := os.ReadFile(html)
	if err != nil || !strings.Contains(string(page), "<svg") || strings.Contains(string(page), "<script") {
		t.Errorf("report.html: error %v, %d bytes, want charts and no script", err, len(page))
	}
	if rows, err := os.ReadFile(csv); err != nil || strings.Count(string(rows), "\n") < 3 {
		t.Errorf("report.csv = %q, %v, want a header and a row per run", rows, err)
	}
	w.assertNothingLeft()
}

// TestSecondDecOnOneFolder starts a second dec while the first holds the data
// folder: a run goes through the first, a server says who holds it.
func TestSecondDecOnOneFolder(t *testing.T) {
	t.Parallel()
	w := newInstallation(t)
	plan := w.file(fmt.Sprintf(quick, natsVariant) + once)
	first := w.start("run", plan)
	first.awaitLine("provision")
	server := w.start("serve", "--listen", "127.0.0.1:0").wait()
	want := fmt.Sprintf("in use by process %d", first.cmd.Process.Pid)
	if server.code != 1 || !strings.Contains(server.stderr, want) {
		t.Errorf("dec serve = exit %d, %q, want 1 and %q", server.code, server.stderr, want)
	}
	if second := w.dec("run", plan); !second.answered() {
		t.Errorf("second dec run = exit %d\n%s", second.code, second.stderr)
	}
	if out := first.wait(); !out.answered() {
		t.Errorf("first dec run = exit %d\n%s", out.code, out.stderr)
	}
	w.assertNothingLeft()
}

func TestCtrlCOnceCancelsAndDestroys(t *testing.T) {
	t.Parallel()
	w := newInstallation(t)
	p := w.start("run", w.file(fmt.Sprintf(quick, natsVariant)))
	p.awaitLine("load")
	p.interrupt()
	out := p.wait()
	if out.code != 130 || !strings.Contains(out.stderr, "destroy") {
		t.Errorf("dec run after Ctrl-C = exit %d, want 130 and a word on destroying\n%s", out.code, out.stderr)
	}
	w.assertNothingLeft()
}

func TestCtrlCTwiceLeavesAtOnceAndTheNextStartDestroys(t *testing.T) {
	t.Parallel()
	w := newInstallation(t)
	p := w.start("run", w.file(fmt.Sprintf(quick, natsVariant)))
	p.awaitLine("load")
	p.interrupt()
	p.awaitLine("again to exit immediately")
	p.interrupt()
	if out := p.wait(); out.code != 130 || !strings.Contains(out.stderr, "dec reconcile") {
		t.Errorf("dec run after two Ctrl-C = exit %d, want 130 and how to come back\n%s", out.code, out.stderr)
	}
	if out := w.dec("reconcile"); out.code != 0 {
		t.Errorf("dec reconcile = exit %d\n%s", out.code, out.stderr)
	}
	w.assertNothingLeft()
}

func (p *process) interrupt() {
	p.w.t.Helper()
	if err := p.cmd.Process.Signal(syscall.SIGINT); err != nil {
		p.w.t.Fatal(err)
	}
}

// wrongPlans are plans that cannot be run here, by what is wrong, and what the
// message must contain.
func wrongPlans() map[string]wrongPlan {
	variant := func(v string) string { return fmt.Sprintf(quick, v) }
	return map[string]wrongPlan{
		"unknown field with the nearest name": {
			strings.Replace(variant(natsVariant), "  load:", "  topology: {partitons: 3}\n  load:", 1), []string{"partitons", `"partitions"`}},
		"field of a later version by name": {
			strings.Replace(variant(natsVariant), "  load:", "  backlog: {build: 60s}\n  load:", 1), []string{"workload.backlog", "version"}},
		"wrong type":         {strings.Replace(variant(natsVariant), "rate: 500", "rate: fast", 1), []string{"workload.load.rate"}},
		"unknown technology": {variant("  - {label: a, technology: kafak, stack: kraft}\n"), []string{"variants[0].technology", "kafka"}},
		"unknown stack":      {variant("  - {label: a, technology: kafka, stack: msk}\n"), []string{"variants[0].stack", "kraft"}},
		"option out of its validation": {
			variant("  - {label: a, technology: kafka, stack: kraft, options: {brokers: 99}}\n"), []string{"variants[0].options.brokers"}},
		"template as a value": {
			variant("  - {label: a, technology: kafka, stack: kraft, options: {heap: '${file(\"/etc/passwd\")}'}}\n"), []string{"variants[0].options.heap"}},
		"shell text as a value": {
			variant("  - {label: a, technology: kafka, stack: kraft, options: {heap: '\"; rm -rf /'}}\n"), []string{"variants[0].options.heap"}},
		"unknown client setting": {
			variant("  - {label: a, technology: kafka, stack: kraft, client_config: {linger: 5}}\n"), []string{"variants[0].client_config", "linger"}},
		"stack of another target": {
			variant("  - {label: a, technology: kinesis, stack: stream}\n"), []string{"variants[0].stack", "aws"}},
		"fan-out of an emulator that has none": {
			variant("  - {label: a, technology: kinesis, stack: emulator, options: {consumers: enhanced_fan_out}}\n"), []string{"variants[0].options", "kinesis-local"}},
		"broken YAML":    {"name: [", []string{"YAML"}},
		"empty file":     {"", []string{"empty"}},
		"a list":         {"- 1\n", []string{"not a list"}},
		"10 MB":          {"name: " + strings.Repeat("x", 10<<20), []string{"larger"}},
		"twice the same": {variant(natsVariant + natsVariant), []string{"variants[1].label"}},
		"many anchors":   {"a: &a [x]\nb: &b [*a, *a]\n", []string{"anchor"}},
	}
}

// wrongPlan is a plan with a fault, and words of the message.
type wrongPlan struct {
	plan string
	want []string
}

func TestWrongInputStartsNothing(t *testing.T) {
	t.Parallel()
	for name, tt := range wrongPlans() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newInstallation(t)
			out := w.dec("run", w.file(tt.plan))
			if out.code != 2 {
				t.Errorf("dec run = exit %d, want 2", out.code)
			}
			for _, want := range tt.want {
				if !strings.Contains(out.stderr, want) {
					t.Errorf("the message lacks %q:\n%.2000s", want, out.stderr)
				}
			}
			if len(out.stderr) > 4000 {
				t.Errorf("the message has %d bytes", len(out.stderr))
			}
			for _, path := range []string{w.data(), filepath.Join(w.dir, "ledger")} {
				if _, err := os.Stat(path); err == nil {
					t.Errorf("%s exists: something was started", path)
				}
			}
		})
	}
}

func TestMissingFileAndFlagsAreUsageErrors(t *testing.T) {
	t.Parallel()
	w := newInstallation(t)
	for _, args := range [][]string{
		{"run", "no-such-file.yaml"}, {"run"}, {"fly"}, {"run", "--speed", "x.yaml"},
		{"run", w.file(fmt.Sprintf(quick, natsVariant)), "--set", "variants.kafak.options.brokers=3"},
	} {
		if out := w.dec(args...); out.code != 2 || out.stderr == "" {
			t.Errorf("dec %v = exit %d, %q, want 2 and a message", args, out.code, out.stderr)
		}
	}
}
