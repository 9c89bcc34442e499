package tofu

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"dec.local/dec/internal/experiment"
	"dec.local/dec/internal/supervise"
)

// The outcomes of an attempt.
const (
	outcomeOK     = "ok"
	outcomeFailed = "failed"
	outcomeDirty  = "dirty" // killed: what it did is in doubt
)

// outcome is what became of a command.
type outcome struct {
	folder string
	result string // one of the outcomes
	reason string // for people; "" when ok
	ended  time.Time
}

// err is the outcome as an error, nil when ok.
func (o outcome) err(verb string) error {
	if o.result == outcomeOK {
		return nil
	}
	return fmt.Errorf("tofu %s: %s (its output is in %s)", verb, o.reason, o.folder)
}

// settled marks a folder whose end and states were recorded.
func settled(folder string) string { return filepath.Join(folder, "settled") }

// settle records what became of a command that has ended: its states, and its
// outcome. It may be called any number of times, by any server.
func (r *Runner) settle(ctx context.Context, dir, folder string) (outcome, error) {
	process, err := supervise.Open(folder)
	if err != nil {
		return outcome{}, fmt.Errorf("open attempt: %w", err)
	}
	spec, err := process.Spec()
	if errors.Is(err, fs.ErrNotExist) {
		return outcome{folder: folder, result: outcomeDirty, reason: "it was never started"}, nil
	} else if err != nil {
		return outcome{}, fmt.Errorf("open attempt: %w", err)
	}
	journal, err := readJournal(folder)
	if err != nil {
		return outcome{}, err
	}
	kind := experiment.AttemptKind(spec.Tags[tagKind])
	o, err := classify(process, kind, journal)
	if err != nil {
		return outcome{}, err
	}
	n, err := strconv.Atoi(spec.Tags[tagAttempt])
	if err != nil {
		return o, nil // not a recorded one
	}
	if _, err := os.Stat(settled(folder)); err == nil {
		return o, nil
	}
	if err := collectErrored(dir, folder, journal); err != nil {
		return o, err
	}
	run := spec.Tags[tagRun]
	if kind == experiment.AttemptApply || kind == experiment.AttemptDestroy {
		if err := r.saveStates(ctx, run, n, folder); err != nil {
			return o, err
		}
	}
	end := experiment.Attempt{Run: run, N: n, Kind: kind, Folder: folder, EndedAt: o.ended, Outcome: o.result, Error: o.reason}
	if err := r.options.Attempts.EndAttempt(ctx, end); err != nil {
		return o, fmt.Errorf("record the end of attempt %d: %w", n, err)
	}
	r.logger.InfoContext(ctx, "OpenTofu attempt ended", "run", run, "attempt", n, "kind", kind, "outcome", o.result)
	return o, os.WriteFile(settled(folder), nil, 0o600)
}

// saveStates hands the states of an attempt to the log.
func (r *Runner) saveStates(ctx context.Context, run string, n int, folder string) error {
	versions, err := states(folder)
	if err != nil {
		return err
	}
	for _, version := range versions {
		if err := r.options.Attempts.SaveState(ctx, run, n, version.serial, version.data); err != nil {
			return fmt.Errorf("record state %d of attempt %d: %w", version.serial, n, err)
		}
	}
	return nil
}

// classify says what became of a process that has ended. Without an exit
// record, or with one of a kill, the journal may still tell of a good end.
func classify(process *supervise.Process, kind experiment.AttemptKind, journal []message) (outcome, error) {
	exit, known, err := process.Exit()
	if err != nil {
		return outcome{}, fmt.Errorf("read the attempt's end: %w", err)
	}
	o := outcome{folder: process.Folder(), ended: exit.EndedAt}
	if o.ended.IsZero() {
		o.ended = time.Now()
	}
	errs := diagnose(journal)
	switch {
	case known && exit.Code == 0:
		o.result = outcomeOK
	case known && exit.Signal == "" && exit.Code > 0:
		o.result, o.reason = outcomeFailed, errs
		if errs == "" {
			o.reason = fmt.Sprintf("%s\n%s", exit, process.Tail(20))
		}
	case known && exit.Cause == supervise.CauseStart:
		o.result, o.reason = outcomeFailed, exit.String()
	case errs == "" && (kind == experiment.AttemptApply && finished(journal, "apply") ||
		kind == experiment.AttemptDestroy && finished(journal, "destroy")):
		o.result = outcomeOK
	default:
		o.result, o.reason = outcomeDirty, "it was killed, and what it changed is uncertain"
		if errs != "" {
			o.reason += ": " + errs
		}
	}
	return o, nil
}
