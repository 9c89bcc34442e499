package store

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"dec.local/dec/internal/experiment"
)

// cursorExperiments begins the cursors of lists of experiments.
const cursorExperiments = "e-"

// ListExperiments returns a page of experiments and the cursor of the next page,
// "" on the last. A cursor that no page gave is [experiment.ErrCursor].
//
// What never changes of an experiment is filtered and searched in memory, see
// finder; the database has the states.
func (s *Store) ListExperiments(ctx context.Context, q experiment.ExperimentQuery) ([]experiment.Summary, string, error) {
	var after int64
	if q.Cursor != "" {
		var err error
		if after, err = position(cursorExperiments, q.Cursor); err != nil {
			return nil, "", fmt.Errorf("list experiments: %w", err)
		}
	}
	limit := pageSize(q.Limit)
	var found []placed
	var err error
	if q.Text == "" && q.Technology == "" && q.Target == "" && q.Digest == "" && q.By == "" {
		found, err = s.experimentsIn(ctx, q, after, limit+1)
	} else {
		found, err = s.search(ctx, q, after, limit+1)
	}
	if err != nil {
		return nil, "", fmt.Errorf("list experiments: %w", err)
	}
	next := ""
	if len(found) > limit {
		found = found[:limit]
		next = cursor(cursorExperiments, found[limit-1].seq)
	}
	var page []experiment.Summary
	for _, p := range found {
		page = append(page, p.Summary)
	}
	return page, next, nil
}

// experimentsIn returns up to limit experiments in the state of the query, or in
// any, after the one with the given seq; 0 begins.
func (s *Store) experimentsIn(ctx context.Context, q experiment.ExperimentQuery, after int64, limit int) ([]placed, error) {
	var c conditions
	if q.State != "" {
		c.add("e.state = ?", q.State)
	}
	order, compare := "DESC", "<"
	if q.Oldest {
		order, compare = "ASC", ">"
	}
	if after > 0 {
		c.add("e.seq "+compare+" ?", after)
	}
	rows, err := s.db.QueryContext(ctx, `SELECT `+summaryColumns+` FROM experiments e`+c.where()+
		fmt.Sprintf(` ORDER BY e.seq %s LIMIT %d`, order, limit), c.args...)
	return collect(rows, err, scanSummary)
}

// search is experimentsIn for all filters.
func (s *Store) search(ctx context.Context, q experiment.ExperimentQuery, after int64, limit int) ([]placed, error) {
	if err := s.found.refresh(ctx, s.db); err != nil {
		return nil, err
	}
	in, err := s.inState(ctx, q.State)
	if err != nil {
		return nil, err
	}
	var page []placed
	for {
		want := limit - len(page)
		seqs := s.found.find(q, after, want, in)
		if len(seqs) > 0 {
			// What was removed, or changed its state, since then falls out.
			some, err := s.experimentsAt(ctx, q, seqs)
			if err != nil {
				return nil, err
			}
			page, after = append(page, some...), seqs[len(seqs)-1]
		}
		if len(seqs) < want || len(page) == limit {
			return page, nil
		}
	}
}

// inState returns a function that says which experiments are in a state, nil for
// every one. Of those that have not ended there are few.
func (s *Store) inState(ctx context.Context, state experiment.State) (func(seq int64) bool, error) {
	if state == "" {
		return nil, nil
	}
	open := map[int64]bool{}
	states := []experiment.State{state}
	if state == experiment.Ended {
		states = []experiment.State{experiment.Queued, experiment.Running}
	}
	rows, err := s.db.QueryContext(ctx, `SELECT seq FROM experiments WHERE state IN (`+list(1, len(states))+`)`, arguments(states)...)
	seqs, err := collect(rows, err, scanOne[int64])
	if err != nil {
		return nil, err
	}
	for _, seq := range seqs {
		open[seq] = true
	}
	return func(seq int64) bool { return open[seq] != (state == experiment.Ended) }, nil
}

// experimentsAt returns the experiments with the given seqs, in their order.
func (s *Store) experimentsAt(ctx context.Context, q experiment.ExperimentQuery, seqs []int64) ([]placed, error) {
	var c conditions
	c.add("e.seq IN ("+strings.TrimSuffix(strings.Repeat("?, ", len(seqs)), ", ")+")", arguments(seqs)...)
	if q.State != "" {
		c.add("e.state = ?", q.State)
	}
	rows, err := s.db.QueryContext(ctx, `SELECT `+summaryColumns+` FROM experiments e`+c.where()+` ORDER BY e.seq`, c.args...)
	found, err := collect(rows, err, scanSummary)
	if !q.Oldest {
		slices.Reverse(found)
	}
	return found, err
}
