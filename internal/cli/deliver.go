package cli

import (
	"fmt"
	"io"
	"os"
	"path/filepath"

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
		if err := writeFile(path, func(w io.Writer) error { return write(w, r) }); err != nil {
			return err
		}
		fmt.Fprintln(env.Stderr, "written:", path)
	}
	return nil
}

// writeFile writes a report whole or not at all.
func writeFile(path string, write func(io.Writer) error) error {
	tmp, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+"-*")
	if err != nil {
		return fmt.Errorf("report: %w", err)
	}
	defer os.Remove(tmp.Name()) // no such file once it was renamed
	if err := write(tmp); err != nil {
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
