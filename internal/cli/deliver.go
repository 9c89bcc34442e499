package cli

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"dec.local/dec/internal/api"
	"dec.local/dec/internal/cli/terminal"
	"dec.local/dec/internal/client"
	"dec.local/dec/internal/experiment"
	"dec.local/dec/internal/report"
)

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

// deliver prints what the server found, and writes its files.
func (c *runCmd) deliver(ctx context.Context, env *Env, from *client.Client, e api.ExperimentDetail) error {
	found, err := from.ExperimentComparison(ctx, e.ID)
	if err != nil {
		return err
	}
	if c.JSON {
		err = export(ctx, env, from, e, found)
	} else {
		err = report.Table(env.Stdout, found.Comparison, isTerminal(env.Stdout))
	}
	if err != nil {
		return err
	}
	return writeForms(env, c.Report, c.CSV, func(w io.Writer, form client.Form) error {
		return from.WriteExperimentComparison(ctx, w, e.ID, form)
	})
}

// export prints all that is stored of an experiment as JSON.
func export(ctx context.Context, env *Env, from *client.Client, e api.ExperimentDetail, found api.Comparison) error {
	stored := experiment.Experiment{ID: e.ID, Plan: e.Plan, Digest: e.Digest, By: e.By, CreatedAt: e.CreatedAt, State: e.State, Reason: e.Reason}
	whole := report.Export{Experiment: stored, Comparison: found.Comparison, Version: env.Version["version"], MadeAt: time.Now().UTC()}
	return report.JSON(env.Stdout, whole, func(yield func(experiment.Run, error) bool) {
		for _, run := range e.RunList {
			if !yield(from.WholeRun(ctx, run.ID)) {
				return
			}
		}
	})
}

// writeForms writes a comparison to the files that were asked for.
func writeForms(env *Env, html, csv string, write func(io.Writer, client.Form) error) error {
	for path, form := range map[string]client.Form{html: client.HTML, csv: client.CSV} {
		if path == "" {
			continue
		}
		if err := writeFile(path, func(w io.Writer) error { return write(w, form) }); err != nil {
			return err
		}
		fmt.Fprintln(env.Stderr, "written:", path)
	}
	return nil
}

// writeFile writes a file whole or not at all.
func writeFile(path string, write func(io.Writer) error) error {
	tmp, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+"-*")
	if err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	defer os.Remove(tmp.Name()) // no such file once it was renamed
	defer tmp.Close()           // a second close does nothing
	if err := write(tmp); err != nil {
		return err
	}
	if err := tmp.Chmod(0o644); err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	if err := tmp.Close(); err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	return os.Rename(tmp.Name(), path)
}

// judge turns an ended experiment into an exit code: an answer is 0, also
// "can't tell" and lost messages.
func judge(e api.ExperimentDetail) error {
	leaked, succeeded, valid, died := 0, map[string]int{}, map[string]int{}, map[string]int{}
	for _, run := range e.RunList {
		if run.Teardown == experiment.TeardownLeaked {
			leaked++
		}
		if run.SystemDied {
			died[run.Variant]++
		}
		if run.Outcome == experiment.Succeeded {
			succeeded[run.Variant]++
			if run.Validity.OK {
				valid[run.Variant]++
			}
		}
	}
	if leaked > 0 {
		return &exitError{code: exitFailed, err: fmt.Errorf(
			"%s leaked: parts of them may still exist; see 'dec inventory', then run 'dec reconcile'", terminal.Runs(leaked))}
	}
	plan := e.Plan
	for _, v := range plan.Variants {
		if n := died[v.Label]; n > 0 {
			return &exitError{code: exitNoVerdict, err: fmt.Errorf(
				"%s did not deliver: it ended under the load in %s; see the reasons above", v.Name(), terminal.Runs(n))}
		}
		if succeeded[v.Label] == 0 {
			return &exitError{code: exitFailed, err: fmt.Errorf("no run of %s succeeded; see the reasons above", v.Name())}
		}
		if valid[v.Label] < plan.Repeat {
			return &exitError{code: exitNoVerdict, err: fmt.Errorf(
				"valid runs of %s: %d of %d planned; see the reasons above", v.Name(), valid[v.Label], plan.Repeat)}
		}
	}
	return nil
}
