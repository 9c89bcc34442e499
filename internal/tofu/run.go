package tofu

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"

	tfjson "github.com/hashicorp/terraform-json"

	"dec.local/dec/internal/experiment"
	"dec.local/dec/internal/supervise"
)

// Provision brings a job's infrastructure up and returns once every service is
// ready. Events of resources are handed to onResource, which may be nil, as the
// journal tells of them, in the caller's goroutine.
//
// When ctx ends, OpenTofu gets one SIGINT and is waited for, its states are
// kept, and the error is that of ctx. After any error the run has to be
// destroyed; a run that was applied before is refused.
func (r *Runner) Provision(ctx context.Context, job Job, onResource func(experiment.Resource)) (Outputs, error) {
	dir, err := r.folder(job.Run)
	if err != nil {
		return Outputs{}, err
	}
	attempts, err := listAttempts(dir)
	if err != nil {
		return Outputs{}, err
	}
	if slices.ContainsFunc(attempts, func(a attemptFolder) bool { return a.verb == "apply" }) {
		return Outputs{}, fmt.Errorf("run %s was applied before: destroy it first", job.Run)
	}
	if err := r.Halt(ctx, job.Run); err != nil { // a plan of a server that died
		return Outputs{}, err
	}
	if err := os.MkdirAll(attemptsFolder(dir), 0o700); err != nil {
		return Outputs{}, fmt.Errorf("create the run's folder: %w", err)
	}
	secrets, err := r.compose(dir, job)
	if err != nil {
		return Outputs{}, fmt.Errorf("assemble the root module: %w", err)
	}
	if _, err := r.execute(ctx, command{run: job.Run, verb: "init", args: []string{"-json", "-input=false", "-lockfile=readonly"}}); err != nil {
		return Outputs{}, err
	}
	err = r.change(ctx, change{
		run: job.Run, target: job.Target, plan: experiment.AttemptPlan, apply: experiment.AttemptApply,
		secrets: secrets, onResource: onResource,
	})
	if err != nil {
		return Outputs{}, err
	}
	return outputs(dir)
}

// outputs reads the outputs of the root module from the run's state.
func outputs(dir string) (Outputs, error) {
	newest, err := newestState(dir)
	if err != nil {
		return Outputs{}, err
	}
	c, err := parseState(newest.data)
	if err != nil {
		return Outputs{}, err
	}
	return Outputs{Endpoints: c.Outputs["endpoints"].Value, Addresses: c.Outputs["addresses"].Value}, nil
}

// Destroy removes what the newest state of the run holds. It does nothing when
// that is empty or there is none, which proves nothing: see [Runner.Created].
// Anything of the run that still runs OpenTofu is halted before.
func (r *Runner) Destroy(ctx context.Context, t Teardown, onResource func(experiment.Resource)) error {
	dir, err := r.folder(t.Run)
	if err != nil {
		return err
	}
	if err := r.Halt(ctx, t.Run); err != nil {
		return err
	}
	newest, err := newestState(dir)
	if err != nil || newest.data == nil {
		return err
	}
	if c, err := parseState(newest.data); err != nil || c.empty() {
		return err
	}
	return r.change(ctx, change{
		run: t.Run, target: t.Target, plan: experiment.AttemptPlanDestroy, apply: experiment.AttemptDestroy,
		args: []string{"-destroy"}, secrets: &secrets{options: t.Secrets}, onResource: onResource,
	})
}

// Teardown is what [Runner.Destroy] brings down.
type Teardown struct {
	Run    string
	Target string
	// Secrets are the secret options of the [Job]. Without them it works as well,
	// unless a provider of the stack needs one to reach what it deletes.
	Secrets map[string]json.RawMessage
}

// change is a plan and its apply.
type change struct {
	run, target string
	plan, apply experiment.AttemptKind
	args        []string // of the plan
	secrets     *secrets
	onResource  func(experiment.Resource)
}

// change plans, records what is intended, and applies exactly that plan.
func (r *Runner) change(ctx context.Context, c change) error {
	secrets, err := r.secretEnvironment(ctx, c)
	if err != nil {
		return err
	}
	planned, err := r.execute(ctx, command{
		run: c.run, target: c.target, kind: c.plan, verb: "plan", secrets: secrets,
		args: append([]string{"-json", "-input=false", "-out=%s/plan"}, c.args...),
	})
	if err != nil {
		return err
	}
	plan := filepath.Join(planned, "plan")
	shown, err := r.execute(ctx, command{run: c.run, verb: "show", args: []string{"-json", plan}})
	if err != nil {
		return err
	}
	changes, err := readPlan(shown)
	if err != nil {
		return err
	}
	process, err := supervise.Open(planned)
	if err != nil {
		return fmt.Errorf("open attempt: %w", err)
	}
	n, err := attemptNumber(process)
	if err != nil {
		return err
	}
	if err := r.options.Attempts.RecordIntents(ctx, c.run, n, intents(changes)); err != nil {
		return fmt.Errorf("record the intended changes: %w", err)
	}
	// Nodes whose readiness needs all others deadlock with fewer at a time.
	parallelism := fmt.Sprintf("-parallelism=%d", max(10, len(changes)))
	if secrets, err = r.secretEnvironment(ctx, c); err != nil { // a plan doesn't hold them
		return err
	}
	_, err = r.execute(ctx, command{
		run: c.run, target: c.target, kind: c.apply, verb: "apply", secrets: secrets,
		args: []string{"-json", "-input=false", parallelism, plan}, onResource: c.onResource,
	})
	return err
}

// secretEnvironment are the variables of one attempt that no file may hold: the
// secrets of the run, and the credentials of its target.
func (r *Runner) secretEnvironment(ctx context.Context, c change) (map[string]string, error) {
	target, err := r.target(c.target)
	if err != nil {
		return nil, err
	}
	variables, err := c.secrets.environment()
	if err != nil || target.Credentials == nil {
		return variables, err
	}
	credentials, err := target.Credentials(ctx, c.run)
	if err != nil {
		return nil, fmt.Errorf("credentials of target %s: %w", c.target, err)
	}
	all := maps.Clone(credentials)
	maps.Copy(all, variables)
	return all, nil
}

// target returns the target of that name, or an error that matches
// [experiment.ErrNotFound].
func (r *Runner) target(name string) (Target, error) {
	target, ok := r.options.Targets[name]
	if !ok {
		return Target{}, fmt.Errorf("target %q: %w", name, experiment.ErrNotFound)
	}
	return target, nil
}

// readPlan reads the changes of resources that a show command printed.
func readPlan(shown string) ([]*tfjson.ResourceChange, error) {
	data, err := os.ReadFile(journalFile(shown))
	if err != nil {
		return nil, fmt.Errorf("read plan: %w", err)
	}
	var plan tfjson.Plan
	if err := json.Unmarshal(data, &plan); err != nil {
		return nil, fmt.Errorf("read plan: %w", err)
	}
	return plan.ResourceChanges, nil
}

// Halt ends every OpenTofu process of a run that a server left behind: each
// gets exactly one SIGINT, however often Halt is called, and is waited for, also
// when its supervisor is gone. Then states and outcomes are recorded. A run
// that has nothing is fine.
func (r *Runner) Halt(ctx context.Context, run string) error {
	dir, err := r.folder(run)
	if err != nil {
		return err
	}
	attempts, err := listAttempts(dir)
	if err != nil {
		return err
	}
	for _, attempt := range attempts {
		process, err := supervise.Open(attempt.folder)
		if err != nil {
			return fmt.Errorf("open attempt: %w", err)
		}
		if err := stopIfAlive(ctx, process); err != nil {
			return fmt.Errorf("halt %s: %w", attempt.folder, err)
		}
		if _, err := r.settle(ctx, dir, attempt.folder); err != nil {
			return err
		}
	}
	return nil
}

// stopIfAlive stops a process that has not ended.
func stopIfAlive(ctx context.Context, process *supervise.Process) error {
	alive, err := process.Alive()
	if err != nil || !alive {
		return err
	}
	return process.Stop(ctx)
}

// Alive reports whether anything of the run's attempts lives, which may still
// create something.
func (r *Runner) Alive(_ context.Context, run string) (bool, error) {
	dir, err := r.folder(run)
	if err != nil {
		return false, err
	}
	attempts, err := listAttempts(dir)
	if err != nil {
		return false, err
	}
	for _, attempt := range attempts {
		process, err := supervise.Open(attempt.folder)
		if err != nil {
			return false, fmt.Errorf("open attempt: %w", err)
		}
		if alive, err := process.Alive(); err != nil || alive {
			return alive, err
		}
	}
	return false, nil
}

// Remove deletes the run's folder. It is for clean runs: without it nothing can
// be destroyed any more. It refuses while anything of the run lives; a run
// without a folder is fine.
func (r *Runner) Remove(run string) error {
	dir, err := r.folder(run)
	if err != nil {
		return err
	}
	if alive, err := r.Alive(context.Background(), run); err != nil {
		return err
	} else if alive {
		return fmt.Errorf("remove run %s: %w", run, supervise.ErrAlive)
	}
	if err := os.RemoveAll(dir); err != nil {
		return fmt.Errorf("remove run %s: %w", run, err)
	}
	return nil
}
