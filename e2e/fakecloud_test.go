package e2e

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"dec.local/dec/e2e/fakecloud/cloud"
	"dec.local/dec/e2e/fakecloud/simulator"
	"dec.local/dec/internal/api"
	"dec.local/dec/internal/experiment"
)

// onCloud is an experiment on a target that the product does not have.
const onCloud = `
name: two storages in a cloud
target: fakecloud
workload:
  load: {rate: 2000}
  message: {size: 128}
  stages: {warmup: 0s, measure: 1s, drain: 5s}
variants:
  - {label: file, technology: nats, stack: jetstream}
  - {label: memory, technology: nats, stack: jetstream, options: {storage: memory}}
repeat: 5
`

// startCloud starts a cloud in a folder, which ends with the test, and gives this
// installation a dec that knows it.
func (w *installation) startCloud(o simulator.Options) {
	w.t.Helper()
	w.programs = filepath.Join(w.dir, "bin")
	build := exec.Command("go", "build", "-trimpath", "-o", w.programs+"/", "./fakecloud/cmd/...")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		w.t.Fatalf("build: %v\n%s", err, out)
	}
	for _, name := range []string{"dec-agent", "terraform-provider-dec"} {
		from, err := filepath.Abs(filepath.Join(binaries, name))
		if err == nil {
			err = os.Symlink(from, filepath.Join(w.programs, name))
		}
		if err != nil {
			w.t.Fatal(err)
		}
	}
	process, err := simulator.Start(w.t.Context(), o)
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() {
		if err := process.Stop(context.WithoutCancel(w.t.Context())); err != nil {
			w.t.Error(err)
		}
	})
	endpoint, err := cloud.ReadEndpoint(o.Folder)
	if err != nil {
		w.t.Fatal(err)
	}
	w.env = append(w.env, "FAKECLOUD_URL="+endpoint.URL, "FAKECLOUD_KEY="+endpoint.Account)
}

// TestATargetThatTheProductDoesNotHave takes an experiment from its POST to its
// verdict and receipts on nodes whose addresses nobody knows before they are made.
func TestATargetThatTheProductDoesNotHave(t *testing.T) {
	t.Parallel()
	w := newInstallation(t)
	folder := t.TempDir()
	w.startCloud(simulator.Options{Folder: folder})
	s := w.serve()
	e := s.awaitVerdict(s.post(onCloud))
	if len(e.Verdict.Sentences) == 0 {
		t.Errorf("verdict = %+v, want a sentence", e.Verdict)
	}
	answered := map[string]int{}
	for _, run := range e.RunList {
		detail := get[api.RunDetail](s, "/runs/"+run.ID)
		if run.Outcome != experiment.Succeeded || run.Teardown != experiment.TeardownClean || detail.Receipt == nil {
			t.Errorf("run %s = %s, %s (%s) with the receipt %+v, want succeeded and clean", run.ID, run.Outcome, run.Teardown, run.Reason, detail.Receipt)
			continue
		}
		if n := len(detail.Receipt.Objects); n != 7 { // a network; address and instance of server, producer and consumer
			t.Errorf("the receipt of run %s has %d objects, want 7: %+v", run.ID, n, detail.Receipt.Objects)
		}
		answered[run.Variant]++
	}
	if answered["file"] < 5 || answered["memory"] < 5 {
		t.Errorf("runs that succeeded: %v, want 5 of each variant", answered)
	}
	if objects := w.inventory(); len(objects) > 0 {
		t.Errorf("the inventory still has %+v", objects)
	}
	checkCalls(t, folder, e)
	if out := s.stop(syscall.SIGTERM); out.code != 0 {
		t.Errorf("the server ended with %d\n%s", out.code, out.stderr)
	}
}

// awaitVerdict waits until the experiment has ended and its verdict is stored.
func (s *server) awaitVerdict(id string) api.ExperimentDetail {
	s.w.t.Helper()
	e := s.awaitEnd(id)
	for tick := time.NewTicker(50 * time.Millisecond); e.Verdict == nil; e = get[api.ExperimentDetail](s, "/experiments/"+id) {
		select {
		case <-tick.C:
		case <-s.done:
			s.w.t.Fatalf("the server ended without a verdict; it said:\n%s", s.lines.text())
		}
	}
	return e
}

// checkCalls checks that the cloud's log shows nothing left, and objects of each
// run, made by the provider with a credential of that run.
func checkCalls(t *testing.T, folder string, e api.ExperimentDetail) {
	t.Helper()
	entries, err := cloud.ReadLog(folder)
	if err != nil {
		t.Fatal(err)
	}
	if left := cloud.Left(entries); len(left) > 0 {
		t.Errorf("the cloud's log shows as left: %+v", left)
	}
	created := map[string]int{}
	for _, entry := range entries {
		if entry.Event != cloud.EventCreated {
			continue
		}
		run := entry.Tags["dec:run"]
		created[run]++
		if !strings.HasPrefix(entry.Key, "run "+run+",") || !strings.HasPrefix(entry.Caller, "terraform-provider-fakecloud") {
			t.Errorf("%s of run %s was made by %q with the key %q", entry.ID, run, entry.Caller, entry.Key)
		}
	}
	for _, run := range e.RunList {
		if created[run.ID] != 7 {
			t.Errorf("%d objects were made for run %s, want 7", created[run.ID], run.ID)
		}
	}
}

// TestTheProductKnowsNothingOfTheFakeCloud: it is for tests.
func TestTheProductKnowsNothingOfTheFakeCloud(t *testing.T) {
	for _, file := range productFiles(t) {
		for _, p := range readCode(t, file) {
			if strings.Contains(strings.ToLower(p.text), "fakecloud") {
				t.Errorf("%s:%d knows it: %s", file, p.line, p.text)
			}
		}
	}
}
