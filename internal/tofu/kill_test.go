package tofu_test

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"

	"dec.local/dec/internal/experiment"
	"dec.local/dec/internal/supervise"
	"dec.local/dec/internal/tofu"
)

// applying is a Provision that is in the middle of its apply: member-0 is held
// by a gate, member-1 is complete.
type applying struct {
	runner *tofu.Runner
	log    *attemptLog
	job    tofu.Job
	gate   *gate
	cancel context.CancelFunc
	done   chan error // gets what Provision returns
}

// startApply returns once the apply is in its middle.
func startApply(t *testing.T) *applying {
	t.Helper()
	o, log := options(t)
	a := &applying{runner: newRunner(t, o), log: log, gate: newGate(t), done: make(chan error, 1)}
	a.job = job(t, map[string]any{"members": 2, "hold": a.gate.name})
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	a.cancel = cancel
	t.Cleanup(cancel)
	complete := make(chan struct{})
	go func() {
		_, err := a.runner.Provision(ctx, a.job, func(e experiment.Resource) {
			if e.Address == member(1) && e.State == "complete" {
				close(complete)
			}
		})
		a.done <- err
	}()
	for _, event := range []chan struct{}{complete, a.gate.held} {
		select {
		case <-event:
		case err := <-a.done:
			t.Fatalf("Provision() = %v before the middle of its apply", err)
		}
	}
	return a
}

// kill sends SIGKILL to OpenTofu, or to its supervisor.
func (a *applying) kill(t *testing.T, which func(*supervise.Process) (supervise.Identity, error)) {
	t.Helper()
	process, err := supervise.Open(a.log.last().Folder)
	if err != nil {
		t.Fatal(err)
	}
	victim, err := which(process)
	if err != nil {
		t.Fatal(err)
	}
	if err := victim.Signal(syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
}

// newest returns the addresses in the newest state that was recorded.
func (a *applying) newest(t *testing.T) []string {
	t.Helper()
	a.log.mu.Lock()
	defer a.log.mu.Unlock()
	var newest string
	top := int64(-1)
	for serial, state := range a.log.states[2] { // attempt 2 is the apply
		if serial > top {
			top, newest = serial, state
		}
	}
	var state struct {
		Resources []struct {
			Instances []struct {
				Key    string `json:"index_key"`
				Status string `json:"status"`
			} `json:"instances"`
		} `json:"resources"`
	}
	if err := json.Unmarshal([]byte(newest), &state); err != nil {
		t.Fatalf("newest state: %v", err)
	}
	var found []string
	for _, resource := range state.Resources {
		for _, instance := range resource.Instances {
			found = append(found, strings.TrimSpace(instance.Key+" "+instance.Status))
		}
	}
	slices.Sort(found)
	return found
}

func TestCancelledApplyIsInterruptedOnceAndKeepsItsState(t *testing.T) {
	a := startApply(t)
	a.cancel()
	if err := <-a.done; !errors.Is(err, context.Canceled) {
		t.Errorf("Provision() = %v, want context.Canceled", err)
	}
	if diff := cmp.Diff([]string{"plan ok", "apply failed"}, a.log.outcomes()); diff != "" {
		t.Errorf("attempts (-want +got):\n%s", diff)
	}
	a.checkInterrupted(t)
	a.checkDestroyed(t, "member-0", "member-1")
}

// checkInterrupted checks that the apply got one SIGINT and lost nothing.
func (a *applying) checkInterrupted(t *testing.T) {
	t.Helper()
	if diff := cmp.Diff([]string{"member-0 tainted", "member-1"}, a.newest(t)); diff != "" {
		t.Errorf("newest state (-want +got):\n%s", diff)
	}
	journal, err := os.ReadFile(filepath.Join(a.log.attempts[1].Folder, "stdout.log"))
	if err != nil {
		t.Fatal(err)
	}
	if once, twice := strings.Count(string(journal), "Interrupt received"), strings.Count(string(journal), "Two interrupts"); once != 1 || twice != 0 {
		t.Errorf("the journal tells of %d first and %d second interrupts, want one first", once, twice)
	}
}

// checkDestroyed checks that Destroy removes what the state holds. A tainted
// object's destroy provisioners don't run, so it isn't among those told.
func (a *applying) checkDestroyed(t *testing.T, want ...string) {
	t.Helper()
	var deleted []string
	err := a.runner.Destroy(t.Context(), tofu.Teardown{Run: a.job.Run, Target: a.job.Target}, func(e experiment.Resource) {
		if e.Action == "delete" && e.State == "complete" {
			deleted = append(deleted, e.Address)
		}
	})
	if err != nil {
		t.Fatalf("Destroy() = %v", err)
	}
	slices.Sort(deleted)
	for i, name := range want {
		want[i] = `module.nodes.terraform_data.service["` + name + `"]`
	}
	if !slices.Equal(deleted, want) {
		t.Errorf("Destroy() deleted %q, want %q", deleted, want)
	}
	if err := a.runner.Remove(a.job.Run); err != nil {
		t.Errorf("Remove() = %v", err)
	}
}

func TestKilledApplyIsDirtyAndItsObjectsAreKnown(t *testing.T) {
	a := startApply(t)
	if err := a.runner.Remove(a.job.Run); !errors.Is(err, supervise.ErrAlive) {
		t.Errorf("Remove() while it lives = %v, want ErrAlive", err)
	}
	a.kill(t, (*supervise.Process).Child)
	a.gate.open(t) // what a killed OpenTofu leaves behind keeps its attempt alive
	if err := <-a.done; err == nil || !strings.Contains(err.Error(), "is uncertain") {
		t.Errorf("Provision() = %v, want an error that says that the outcome is uncertain", err)
	}
	if diff := cmp.Diff([]string{"plan ok", "apply dirty"}, a.log.outcomes()); diff != "" {
		t.Errorf("attempts (-want +got):\n%s", diff)
	}
	created, err := a.runner.Created(a.job.Run)
	if err != nil || len(created) != 2 || created[0].ID != "" && created[0].ID == created[1].ID || created[1].ID == "" {
		t.Errorf("Created() = %+v, %v, want two objects, the second with the id that the journal tells", created, err)
	}
	// The state is empty, which proves nothing, and says so by doing nothing.
	if err := a.runner.Destroy(t.Context(), tofu.Teardown{Run: a.job.Run, Target: a.job.Target}, nil); err != nil {
		t.Errorf("Destroy() = %v", err)
	}
}

func TestHaltStopsAnotherServersApplyOnce(t *testing.T) {
	a := startApply(t)
	o, _ := options(t)
	o.Dir = filepath.Dir(filepath.Dir(filepath.Dir(a.log.last().Folder)))
	o.Attempts = a.log
	halted := make(chan error)
	for range 3 {
		other := newRunner(t, o)
		go func() { halted <- other.Halt(context.WithoutCancel(t.Context()), a.job.Run) }()
	}
	for range 3 {
		if err := <-halted; err != nil {
			t.Errorf("Halt() = %v", err)
		}
	}
	if err := <-a.done; err == nil {
		t.Error("Provision() of a halted apply = nil, want an error")
	}
	a.checkInterrupted(t)
	a.checkDestroyed(t, "member-0", "member-1")
}

func TestHaltWithoutSupervisorIngestsErroredState(t *testing.T) {
	a := startApply(t)
	a.kill(t, (*supervise.Process).Supervisor)
	if err := a.runner.Halt(t.Context(), a.job.Run); err != nil {
		t.Fatalf("Halt() = %v", err)
	}
	if err := <-a.done; err == nil {
		t.Error("Provision() = nil, want an error")
	}
	if got := a.log.last(); got.Outcome != "dirty" {
		t.Errorf("outcome = %q, want dirty", got.Outcome)
	}
	a.checkInterrupted(t)
	a.checkDestroyed(t, "member-0", "member-1")
}

func TestHaltOfAnUnknownRunIsFine(t *testing.T) {
	o, _ := options(t)
	r := newRunner(t, o)
	if err := errors.Join(r.Halt(t.Context(), "r9"), r.Destroy(t.Context(), tofu.Teardown{Run: "r9", Target: "fake"}, nil), r.Remove("r9")); err != nil {
		t.Errorf("Halt, Destroy, Remove of an unknown run = %v", err)
	}
}

func TestCancelledBeforeTheStartRunsNothing(t *testing.T) {
	o, log := options(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := newRunner(t, o).Provision(ctx, job(t, nil), nil); !errors.Is(err, context.Canceled) {
		t.Errorf("Provision() = %v, want context.Canceled", err)
	}
	if len(log.attempts) > 0 {
		t.Errorf("attempts = %+v, want none", log.attempts)
	}
}
