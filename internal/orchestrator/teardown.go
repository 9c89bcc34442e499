package orchestrator

import (
	"context"
	"fmt"
	"strings"
	"time"

	"dec.local/dec/internal/experiment"
)

// leakedMark begins the part of a run's reason that tells of its leak.
const leakedMark = "leaked: "

// fromCrash takes a run that an earlier process left active to its end. A load is
// followed on if the loop does that; else what was measured so far is lost, unless
// its outcome is recorded already.
func (x *execution) fromCrash(work, held context.Context) error {
	phase := x.run.Phase
	var reason string
	err := x.try(held, func(ctx context.Context) (err error) {
		reason, err = x.e.Store.Renew(ctx, x.run.ID, x.lease, x.e.Lease)
		return err
	})
	if err != nil {
		return err
	}
	if x.resume && reason == "" && x.run.Outcome == "" && (phase == experiment.PhaseLoad || phase == experiment.PhaseCollect) {
		if followed, err := x.followOn(work, held); followed || err != nil {
			return err
		}
	}
	x.log.Warn("an earlier process was killed during this run; destroying it", "phase", phase)
	x.halt(held)
	if x.run.Outcome != "" {
		return x.teardown(held)
	}
	x.run.Outcome, x.run.Reason = experiment.Failed, fmt.Sprintf("interrupted: the server was killed in phase %s", phase)
	if reason != "" {
		x.run.Outcome, x.run.Reason = experiment.Cancelled, reason
	}
	return x.teardown(held)
}

// halt ends attempts that are still alive. When that fails, verify will say so.
func (x *execution) halt(held context.Context) {
	ctx, cancel := context.WithTimeout(held, x.e.Limits.Halt)
	defer cancel()
	if err := x.guard(func() error { return x.e.Provisioner.Halt(ctx, x.run) }); err != nil {
		x.log.Error("cannot halt the run's attempts", "phase", x.run.Phase, "error", err)
	}
}

// teardown takes the run through destroy and verify to its end, beginning with
// the phase it is in.
func (x *execution) teardown(held context.Context) error {
	if x.run.Phase != experiment.PhaseVerify {
		if x.run.Phase != experiment.PhaseDestroy {
			if err := x.enter(held, experiment.PhaseDestroy); err != nil {
				return err
			}
		}
		if err := x.destroy(held); err != nil {
			return err
		}
		if err := x.enter(held, experiment.PhaseVerify); err != nil {
			return err
		}
	}
	if err := x.verify(held); err != nil {
		return err
	}
	return x.end(held)
}

// end records the end of the run.
func (x *execution) end(held context.Context) error {
	err := x.write(held, func(ctx context.Context) ([]experiment.Event, error) {
		return x.e.Store.End(ctx, &x.run, x.lease, extraRuns)
	})
	if err != nil {
		return err
	}
	x.log.Info("the run ended", "phase", x.run.Phase, "outcome", x.run.Outcome, "teardown", x.run.Teardown, "reason", x.run.Reason)
	return nil
}

// destroyLeaked tries once more to destroy a run that ended as leaked.
func (x *execution) destroyLeaked(held context.Context) error {
	x.halt(held)
	if err := x.destroy(held); err != nil {
		return err
	}
	if err := x.verify(held); err != nil {
		return err
	}
	return x.write(held, func(ctx context.Context) ([]experiment.Event, error) {
		return x.e.Store.Settle(ctx, &x.run, x.lease)
	})
}

// destroy brings the infrastructure down in a few rounds. What is left after
// them is for verify to sweep; the error is one of the store.
func (x *execution) destroy(held context.Context) error {
	report := x.reporter(held)
	return x.rounds(held, "destroy", x.e.Limits.Destroy, func(ctx context.Context) error {
		return x.e.Provisioner.Destroy(ctx, x.run, report)
	}, nil)
}

// verify asks for the proof that nothing is left and keeps it in x.run, or the
// mark that the run leaked; the error is one of the store.
func (x *execution) verify(held context.Context) error {
	own, _, _ := strings.Cut(x.run.Reason, leakedMark)
	own = strings.TrimSuffix(own, "; ")
	x.run.Receipt, x.run.Reason, x.run.Teardown = nil, own, experiment.TeardownLeaked
	return x.rounds(held, "verify", x.e.Limits.Verify, func(ctx context.Context) error {
		receipt, err := x.e.Verifier.Verify(ctx, x.run)
		if err != nil {
			return err
		}
		x.run.Receipt, x.run.Teardown = &receipt, experiment.TeardownClean
		if len(receipt.Objects) == 0 {
			x.run.Teardown = experiment.TeardownNone
		}
		return nil
	}, func(last error) {
		x.run.Reason = strings.TrimPrefix(own+"; "+leakedMark+last.Error(), "; ")
		x.log.Error("LEAKED: parts of the run may still exist", "phase", x.run.Phase, "error", last)
	})
}

// rounds tries do until it succeeds, with growing pauses, at most as often as the
// limits say, and then calls givenUp. Between two tries attempts that may still
// be alive are halted. It returns errors of the store, and
// [experiment.ErrFenced] when the lease is lost.
func (x *execution) rounds(held context.Context, what string, limit time.Duration, do func(context.Context) error, givenUp func(error)) error {
	pause := x.e.Limits.Backoff
	for round := 1; ; round++ {
		ctx, cancel := context.WithTimeout(held, limit)
		err := x.guard(func() error { return do(ctx) })
		cancel()
		if held.Err() != nil {
			return experiment.ErrFenced
		}
		if err == nil {
			return nil
		}
		x.log.Warn(what+" failed", "phase", x.run.Phase, "round", round, "error", err)
		if err := x.notice(held, fmt.Sprintf("%s failed (try %d of %d): %v", what, round, x.e.Limits.Rounds, err)); err != nil {
			return err
		}
		if round >= x.e.Limits.Rounds {
			if givenUp != nil {
				givenUp(err)
			}
			return nil
		}
		x.halt(held)
		if err := x.rest(held, pause); err != nil {
			return err
		}
		pause *= 2
	}
}
