package server

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"dec.local/dec/internal/experiment"
)

// reasonKilled is why the rest of an experiment does not run whose dec run was
// killed.
const reasonKilled = "interrupted: the 'dec run' command that submitted the experiment was killed; submit it again"

// MarkInteractive notes that a user waits at a terminal for an experiment. If this
// process is killed, the next one cancels its queued runs: the user at the terminal no
// longer waits for them.
func (s *Server) MarkInteractive(id string) error {
	file, err := os.OpenFile(s.folders.Home().Interactive(), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("note experiment %s: %w", id, err)
	}
	_, err = fmt.Fprintln(file, id)
	return errors.Join(err, file.Sync(), file.Close())
}

// Leave forgets who waits: the process ends in an orderly way.
func (s *Server) Leave() error {
	if err := os.Remove(s.folders.Home().Interactive()); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// Stop ends what is queued of an experiment.
func (s *Server) Stop(ctx context.Context, id, reason string) error {
	return s.engine.Stop(ctx, id, reason)
}

// cancelAbandoned cancels the queued runs of a killed process for which a user waited
// at its terminal.
func (s *Server) cancelAbandoned(ctx context.Context) error {
	list, err := os.ReadFile(s.folders.Home().Interactive())
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	} else if err != nil {
		return err
	}
	// What that process had claimed and not begun is queued, too.
	if err := s.store.Reclaim(ctx, s.owner()); err != nil {
		return err
	}
	for lines := bufio.NewScanner(bytes.NewReader(list)); lines.Scan(); {
		err := s.Stop(ctx, lines.Text(), reasonKilled)
		if err != nil && !errors.Is(err, experiment.ErrNotFound) {
			return err
		}
	}
	return s.Leave()
}

// takeOver makes what an earlier process left active claimable, and says what
// becomes of it: the engine follows a load to its end, and destroys all else.
func (s *Server) takeOver(ctx context.Context) error {
	left, err := s.leftActive(ctx)
	if err != nil {
		return err
	}
	for _, run := range left {
		then := "destroying what is left of it"
		if run.Phase == experiment.PhaseLoad || run.Phase == experiment.PhaseCollect {
			then = "following its agents, if they still work"
		}
		s.notice(fmt.Sprintf("run %s (%s) was interrupted in phase %s; %s", run.ID, run.Variant, run.Phase, then))
	}
	return s.engine.Reclaim(ctx)
}

// leftActive are the runs that an earlier process left. With other servers on the
// database nobody can tell: they may be at work on theirs.
func (s *Server) leftActive(ctx context.Context) ([]experiment.Run, error) {
	if s.folders.SharedDatabase() {
		return nil, nil
	}
	return s.store.Active(ctx)
}

// Recover destroys what every run has left that an earlier process left active,
// tells [Options.Notice] so, or that there was nothing, and archives what was
// written about it.
func (s *Server) Recover(ctx context.Context) error {
	left, err := s.leftActive(ctx)
	if err != nil {
		return err
	}
	last, err := s.store.LastEvent(ctx)
	if err != nil {
		return err
	}
	for _, run := range left {
		s.notice(fmt.Sprintf("run %s (%s) was interrupted in phase %s; destroying what is left of it", run.ID, run.Variant, run.Phase))
	}
	if err := s.engine.Recover(ctx); err != nil {
		return err
	}
	for _, run := range left {
		ended, err := s.store.Run(ctx, run.ID)
		if err != nil {
			return err
		}
		switch {
		case ended.Teardown == experiment.TeardownLeaked:
			s.notice(fmt.Sprintf("run %s: LEAKED: %s", run.ID, ended.Reason))
		case ended.Receipt != nil:
			s.notice(fmt.Sprintf("run %s: %s", run.ID, ended.Receipt.Statement))
		}
	}
	s.Archive(ctx)
	return s.noticeIdle(ctx, last)
}

// noticeIdle says that nothing was left behind if nothing happened since an event,
// and no run is leaked.
func (s *Server) noticeIdle(ctx context.Context, since int64) error {
	last, err := s.store.LastEvent(ctx)
	if err != nil {
		return err
	}
	totals, err := s.store.Totals(ctx)
	if err == nil && last == since && totals.Leaked == 0 {
		s.notice("Nothing was left behind.")
	}
	return err
}

// Unfinished are the experiments of which a run has not ended.
func (s *Server) Unfinished(ctx context.Context) ([]experiment.Experiment, error) {
	return s.store.Unfinished(ctx)
}

// Drain is the drain in force, if any.
func (s *Server) Drain(ctx context.Context) (experiment.Drain, error) { return s.store.Drain(ctx) }
