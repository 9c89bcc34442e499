package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"

	"dec.local/dec/internal/api"
	"dec.local/dec/internal/cli/terminal"
	"dec.local/dec/internal/client"
	"dec.local/dec/internal/datadir"
	"dec.local/dec/internal/experiment"
	"dec.local/dec/internal/planspec"
	"dec.local/dec/internal/server"
)

// runCmd runs experiments to their verdict.
type runCmd struct {
	Files  []string `arg:"" name:"file" help:"Plan file, YAML or JSON; - reads standard input. Several files run one after another."`
	Set    []string `help:"Override one field, such as variants.kafka.options.brokers=3. Repeatable." placeholder:"PATH=VALUE" sep:"none"`
	Report string   `help:"Write the report to this file, as self-contained HTML." placeholder:"FILE.html"`
	CSV    string   `help:"Write one row per run to this file." placeholder:"FILE.csv"`
	JSON   bool     `help:"Print the full report as JSON, with all results and histograms, instead of the table."`
	DryRun bool     `help:"Validate the plan and print it as it would run, without starting anything."`

	calibrates bool // run the calibrations of the plans instead of the plans
}

// Run checks every plan before anything starts, then runs them: on the server
// that is named or works on the data folder, or else as a server itself.
func (c *runCmd) Run(ctx context.Context, env *Env, f *datadir.Folders, r *serverFlags) error {
	if len(c.Files) > 1 && (c.Report != "" || c.CSV != "") {
		return usage(errors.New("--report and --csv take one plan; run the files one by one"))
	}
	plans, err := c.read()
	if err != nil {
		return usage(err)
	}
	server, found, err := r.find(ctx, env, f)
	if err != nil {
		return err
	}
	check := checkHere(env, f)
	if found {
		check = server.DryRun
	}
	checked, err := c.check(ctx, plans, check)
	if err != nil {
		return err
	}
	if c.DryRun {
		return c.describe(env, checked)
	}
	for _, path := range []string{c.Report, c.CSV} {
		if err := writable(path); err != nil {
			return usage(err)
		}
	}
	if found {
		return c.runRemote(ctx, env, server, plans)
	}
	return c.runLocal(ctx, env, f, r, plans)
}

// read reads all files, as JSON.
func (c *runCmd) read() ([][]byte, error) {
	var plans [][]byte
	for _, path := range c.Files {
		plan, err := planspec.ReadFile(path, c.Set)
		if err != nil {
			return nil, err
		}
		if c.calibrates {
			if plan, err = calibration(plan); err != nil {
				return nil, fmt.Errorf("%s was refused; nothing was started:\n%s", path, indent(err.Error()))
			}
		}
		plans = append(plans, plan)
	}
	return plans, nil
}

// checkHere checks plans without a server, as one would.
func checkHere(env *Env, f *datadir.Folders) func(context.Context, []byte) (api.DryRun, error) {
	return func(ctx context.Context, plan []byte) (api.DryRun, error) {
		return server.Propose(ctx, f, env.Targets, plan)
	}
}

// check checks every plan. A refusal tells all faults at once.
func (c *runCmd) check(ctx context.Context, plans [][]byte, check func(context.Context, []byte) (api.DryRun, error)) ([]api.DryRun, error) {
	var checked []api.DryRun
	for i, plan := range plans {
		described, err := check(ctx, plan)
		if faults := faultsOf(err); faults != nil {
			return nil, usage(fmt.Errorf("%s was refused; nothing was started:\n%s", c.Files[i], indent(faults.Error())))
		} else if err != nil {
			return nil, err
		}
		checked = append(checked, described)
	}
	return checked, nil
}

// faultsOf returns what is wrong with a plan; nil when err is another one.
func faultsOf(err error) *experiment.Problems {
	if problem, ok := errors.AsType[*client.Problem](err); ok {
		return problem.Faults()
	}
	faults, _ := errors.AsType[*experiment.Problems](err)
	return faults
}

func indent(text string) string { return "  " + strings.ReplaceAll(text, "\n", "\n  ") }

// describe prints plans as they would run.
func (c *runCmd) describe(env *Env, checked []api.DryRun) error {
	for _, described := range checked {
		for _, warning := range described.Warnings {
			fmt.Fprintln(env.Stderr, "Warning:", warning)
		}
		fmt.Fprintln(env.Stderr, described.Precision.Text)
		if err := printJSON(env.Stdout, described); err != nil {
			return err
		}
	}
	return nil
}

// runRemote runs plans on a server that goes on when this command has ended.
func (c *runCmd) runRemote(ctx context.Context, env *Env, server *client.Client, plans [][]byte) error {
	g := &remoteRun{
		client:   server,
		progress: terminal.NewProgress(env.Stderr, isTerminal(env.Stderr)),
		admitted: func(string) error { return nil },
		leave:    func() {},
		exitHint: "exited immediately; the server " + server.URL() + " continues: see 'dec experiments list'",
	}
	g.cancel = func(id string) error {
		if id == "" {
			return nil
		}
		return server.CancelExperiment(ctx, id)
	}
	ctx, _, done := g.onInterrupt(ctx, env.Interrupts)
	defer done()
	defer g.progress.End()
	return g.result(ctx, c.runAll(ctx, env, g, plans))
}

// runLocal runs plans on this data folder. If another command becomes its server
// first, that one runs them.
func (c *runCmd) runLocal(ctx context.Context, env *Env, f *datadir.Folders, r *serverFlags, plans [][]byte) error {
	g := &remoteRun{exitHint: "exited immediately. What is still running stops at its deadline (limits.ttl); " +
		"'dec reconcile' or the next 'dec run' destroys it sooner"}
	g.progress = terminal.NewProgress(env.Stderr, isTerminal(env.Stderr))
	h, err := startLocal(ctx, env, f, g.progress)
	if inUse, ok := errors.AsType[*datadir.InUseError](err); ok {
		server, err := whenStarted(env, func() (*client.Client, bool, error) {
			server, found, err := r.find(ctx, env, f)
			return server, found || err != nil, cmp.Or(err, error(inUse))
		})
		if err != nil {
			return err
		}
		return c.runRemote(ctx, env, server, plans)
	} else if err != nil {
		return err
	}
	g.cancel, g.leave, g.admitted = h.cancel, h.server.Detach, h.server.MarkInteractive
	if g.client, err = dial(h.server); err != nil {
		return errors.Join(err, h.end())
	}
	ctx, uninterrupted, done := g.onInterrupt(ctx, env.Interrupts)
	defer done()
	defer g.progress.End()
	result := c.runAll(ctx, env, g, plans)
	if uninterrupted.Err() == nil && !client.Unreachable(result) {
		if err := h.waitForOthers(uninterrupted, g.client, g.progress); err != nil && uninterrupted.Err() == nil {
			result = cmp.Or(result, err)
		}
	}
	ended := h.end()
	if uninterrupted.Err() != nil && result == nil {
		result = &exitError{code: exitInterrupted}
	}
	return g.result(ctx, cmp.Or(ended, result))
}

// result is how the command ends.
func (r *remoteRun) result(ctx context.Context, err error) error {
	if errors.Is(context.Cause(ctx), errLeft) {
		return &exitError{code: exitInterrupted, err: errors.New(r.exitHint)}
	}
	return err
}

// runAll runs plans one after another.
func (c *runCmd) runAll(ctx context.Context, env *Env, r *remoteRun, plans [][]byte) error {
	r.progress.ReadResults(ctx, r.client.Result)
	var worst error
	for _, plan := range plans {
		ended, err := r.run(ctx, plan)
		if err != nil {
			return err
		}
		if err := c.deliver(ctx, env, r.client, ended); err != nil {
			return err
		}
		if r.wasInterrupted() {
			return &exitError{code: exitInterrupted}
		}
		if worst == nil {
			worst = judge(ended)
		}
	}
	return worst
}
