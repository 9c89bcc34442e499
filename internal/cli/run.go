package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"dec.local/dec/internal/experiment"
	"dec.local/dec/internal/measure"
	"dec.local/dec/internal/orchestrator"
	"dec.local/dec/internal/report"
)

// runCmd runs experiments to their verdict.
type runCmd struct {
	Files  []string `arg:"" name:"file" help:"Plan, as YAML or JSON; - for standard input. Several run one after another."`
	Set    []string `help:"Override one field, such as variants.kafka.options.brokers=3. May be repeated." placeholder:"PATH=VALUE" sep:"none"`
	Report string   `help:"Write the report there: one HTML file without outside parts." placeholder:"FILE.html"`
	CSV    string   `help:"Write one row per run there." placeholder:"FILE.csv"`
	JSON   bool     `help:"Print the whole report as JSON, with every result and histogram, instead of the table."`
	DryRun bool     `help:"Check everything, print the plan as it would run, and start nothing."`
}

// Run checks every plan before anything starts, then runs them.
func (c *runCmd) Run(ctx context.Context, env *Env, f *folders) error {
	if len(c.Files) > 1 && (c.Report != "" || c.CSV != "") {
		return usage(errors.New("--report and --csv take one plan; run the files one by one"))
	}
	plans, err := c.plans(f)
	if err != nil {
		return usage(err)
	}
	if c.DryRun {
		return c.describe(env, plans)
	}
	for _, path := range []string{c.Report, c.CSV} {
		if err := writable(path); err != nil {
			return usage(err)
		}
	}
	return c.runAll(ctx, env, f, plans)
}

// plans reads and checks all files.
func (c *runCmd) plans(f *folders) ([]experiment.Plan, error) {
	catalog, err := f.catalog()
	if err != nil {
		return nil, err
	}
	var plans []experiment.Plan
	for _, path := range c.Files {
		data, err := readPlan(path, c.Set)
		if err != nil {
			return nil, err
		}
		plan, err := experiment.DecodePlan(data)
		if err == nil {
			plan, err = catalog.check(plan)
		}
		if err != nil {
			return nil, fmt.Errorf("%s is refused, nothing was started:\n%s", path, indent(err.Error()))
		}
		plans = append(plans, plan)
	}
	return plans, nil
}

func indent(text string) string { return "  " + strings.ReplaceAll(text, "\n", "\n  ") }

// writable makes sure, before an hour of runs, that a report can be written.
func writable(path string) error {
	if path == "" {
		return nil
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return fmt.Errorf("report %s: %w", path, err)
	}
	file, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		return fmt.Errorf("report: %w", err)
	}
	return file.Close()
}

// describe prints plans as they would run.
func (c *runCmd) describe(env *Env, plans []experiment.Plan) error {
	for _, plan := range plans {
		for _, warning := range plan.Warnings() {
			fmt.Fprintln(env.Stderr, "note:", warning)
		}
		order := experiment.Order(plan)
		err := printJSON(env.Stdout, map[string]any{
			"plan": plan, "digest": plan.Digest(), "order": order, "estimated_s": estimate(plan, len(order)).Seconds(),
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// overhead is what a run takes beside its load, as seen on two cores.
const overhead = 12 * time.Second

// estimate is about how long an experiment takes.
func estimate(p experiment.Plan, runs int) time.Duration {
	stages := p.Workload.Stages
	return time.Duration(runs) * (time.Duration(stages.Warmup) + time.Duration(stages.Measure) + overhead)
}

// runAll runs plans one after another on one data folder.
func (c *runCmd) runAll(ctx context.Context, env *Env, f *folders, plans []experiment.Plan) error {
	var s *station
	p := newProgress(env.Stderr, func(run string) (measure.Result, bool) { return s.result(ctx, run) })
	s, err := f.open(ctx, env, listener{event: p.event, second: p.second, notice: p.notice})
	if err != nil {
		return err
	}
	defer s.close()
	defer p.end()
	ctx, stop := interruptible(ctx, env, s.engine, p)
	defer stop()
	if err := s.heal(ctx, env); err != nil {
		return detachedOr(err)
	}
	var worst error
	for _, plan := range plans {
		r, err := c.runOne(ctx, s, p, plan)
		if err != nil {
			return detachedOr(err)
		}
		if err := c.deliver(env, r); err != nil {
			return err
		}
		if ctx.Err() != nil {
			return &exitError{code: exitInterrupted}
		}
		if worst == nil {
			worst = judge(r)
		}
	}
	return worst
}

// runOne runs one plan to its report.
func (c *runCmd) runOne(ctx context.Context, s *station, p *progress, plan experiment.Plan) (report.Report, error) {
	admitted, err := s.engine.Submit(ctx, plan)
	if err != nil {
		return report.Report{}, err
	}
	runs := len(experiment.Order(plan))
	p.begin(admitted, runs)
	for _, warning := range plan.Warnings() {
		p.notice("note: %s", warning)
	}
	p.notice("about %s if no run must be repeated", estimate(plan, runs).Round(time.Minute/2))
	if err := s.engine.Drive(ctx, admitted.ID); err != nil && ctx.Err() == nil {
		return report.Report{}, err
	} else if errors.Is(err, orchestrator.ErrDetached) {
		return report.Report{}, err
	}
	p.end()
	return s.report(context.WithoutCancel(ctx), admitted.ID)
}

// report puts together what is stored of an experiment.
func (s *station) report(ctx context.Context, id string) (report.Report, error) {
	e, err := s.store.Experiment(ctx, id)
	if err != nil {
		return report.Report{}, err
	}
	runs, err := s.store.Runs(ctx, id)
	if err != nil {
		return report.Report{}, err
	}
	for i := range runs {
		if runs[i], err = s.store.Run(ctx, runs[i].ID); err != nil { // with its receipt and result
			return report.Report{}, err
		}
	}
	return report.New(e, runs, report.Options{Version: versionInfo()["version"], MadeAt: time.Now()})
}

// deliver prints the report and writes its files.
func (c *runCmd) deliver(env *Env, r report.Report) error {
	show := func(w io.Writer, r report.Report) error { return report.Table(w, r, isTerminal(w)) }
	if c.JSON {
		show = report.JSON
	}
	if err := show(env.Stdout, r); err != nil {
		return err
	}
	for path, write := range map[string]func(io.Writer, report.Report) error{c.Report: report.HTML, c.CSV: report.CSV} {
		if path == "" {
			continue
		}
		if err := writeFile(path, r, write); err != nil {
			return err
		}
		fmt.Fprintln(env.Stderr, "written:", path)
	}
	return nil
}

// writeFile writes a report whole or not at all.
func writeFile(path string, r report.Report, write func(io.Writer, report.Report) error) error {
	tmp, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+"-*")
	if err != nil {
		return fmt.Errorf("report: %w", err)
	}
	defer os.Remove(tmp.Name()) // no such file once it was renamed
	if err := write(tmp, r); err != nil {
		return err
	}
	if err := tmp.Chmod(0o644); err != nil {
		return fmt.Errorf("report: %w", err)
	}
	if err := tmp.Close(); err != nil {
		return fmt.Errorf("report: %w", err)
	}
	return os.Rename(tmp.Name(), path)
}

// judge turns an ended experiment into an exit code: an answer is 0, also
// "can't tell" and lost messages.
func judge(r report.Report) error {
	leaked, succeeded, valid := 0, map[string]int{}, map[string]int{}
	for _, run := range r.Runs {
		if run.Teardown == experiment.TeardownLeaked {
			leaked++
		}
		if run.Outcome == experiment.Succeeded {
			succeeded[run.Variant]++
			if run.Validity.OK {
				valid[run.Variant]++
			}
		}
	}
	if leaked > 0 {
		return &exitError{code: exitFailed, err: fmt.Errorf("%d runs leaked: something of them may still exist; see 'dec inventory', then 'dec reconcile'", leaked)}
	}
	plan := r.Experiment.Plan
	for _, v := range plan.Variants {
		if succeeded[v.Label] == 0 {
			return &exitError{code: exitFailed, err: fmt.Errorf("no run of %s succeeded; the reasons stand above", v.Label)}
		}
		if valid[v.Label] < plan.Repeat {
			return &exitError{code: exitNoVerdict, err: fmt.Errorf("%s has %d valid runs of the %d planned; the reasons stand above", v.Label, valid[v.Label], plan.Repeat)}
		}
	}
	return nil
}
