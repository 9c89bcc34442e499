package store

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"
	"time"

	"dec.local/dec/internal/experiment"
)

// The cursors of lists of runs: of all by place, of one experiment by position.
const (
	cursorRuns   = "r-"
	cursorOfRuns = "o-"
)

// kindsAtOnce bounds the parts of one statement.
const kindsAtOnce = 100

// ListRuns returns a page of runs without receipts and results, and the cursor
// of the next page, "" on the last: the newest first, those of one experiment in
// their order. A cursor that no page gave is [experiment.ErrCursor].
//
// A filter that few runs pass must not look at all the others. So the kinds of
// runs are counted, a filter picks kinds, and of each kind an index has the runs
// in order.
func (s *Store) ListRuns(ctx context.Context, q experiment.RunQuery) ([]experiment.Run, string, error) {
	limit := pageSize(q.Limit)
	var runs []experiment.Run
	var last int64
	var err error
	kind := cursorRuns
	switch {
	case q.Experiment != "":
		kind = cursorOfRuns
		runs, last, err = s.runsOf(ctx, q, limit)
	case filter(q).terms == nil:
		runs, last, err = s.allRuns(ctx, q, limit)
	default:
		runs, last, err = s.runsOfKinds(ctx, q, limit)
	}
	if err != nil {
		return nil, "", fmt.Errorf("list runs: %w", err)
	}
	if last == none {
		return runs, "", nil
	}
	return runs, cursor(kind, last), nil
}

// none is the place of no run.
const none = -1

// runPage reads up to limit + 1 runs and returns limit of them, with the place of
// the last when there are more.
func runPage(rows *sql.Rows, err error, limit int) ([]experiment.Run, int64, error) {
	var places []int64
	runs, err := collect(rows, err, func(r row) (experiment.Run, error) {
		var place int64
		run, err := scanRun(r, &place)
		places = append(places, place)
		return run, err
	})
	if len(runs) <= limit {
		return runs, none, err
	}
	return runs[:limit], places[limit-1], err
}

// filter returns the conditions of a query that kinds can meet.
func filter(q experiment.RunQuery) conditions {
	var c conditions
	for column, value := range map[string]string{"phase": string(q.Phase), "outcome": string(q.Outcome), "teardown": string(q.Teardown),
		"technology": q.Technology, "target": q.Target} {
		if value != "" {
			c.add(column+" = ?", value)
		}
	}
	return c
}

// runsOf returns up to limit runs of one experiment, and the place of the last
// when there are more.
func (s *Store) runsOf(ctx context.Context, q experiment.RunQuery, limit int) ([]experiment.Run, int64, error) {
	c := filter(q)
	c.add("experiment = ?", q.Experiment)
	if q.Cursor != "" {
		after, err := position(cursorOfRuns, q.Cursor)
		if err != nil {
			return nil, none, err
		}
		c.add("place > ?", after)
	}
	rows, err := s.db.QueryContext(ctx, `SELECT `+runColumns+`, place FROM runs`+c.where()+
		fmt.Sprintf(` ORDER BY place LIMIT %d`, limit+1), c.args...)
	return runPage(rows, err, limit)
}

// allRuns is runsOf for all experiments, without a filter.
func (s *Store) allRuns(ctx context.Context, q experiment.RunQuery, limit int) ([]experiment.Run, int64, error) {
	var c conditions
	if q.Cursor != "" {
		before, err := position(cursorRuns, q.Cursor)
		if err != nil {
			return nil, none, err
		}
		c.add("place < ?", before)
	}
	rows, err := s.db.QueryContext(ctx, `SELECT `+runColumns+`, place FROM runs`+c.where()+
		fmt.Sprintf(` ORDER BY place DESC LIMIT %d`, limit+1), c.args...)
	return runPage(rows, err, limit)
}

// runsOfKinds is runsOf for all experiments, with a filter.
func (s *Store) runsOfKinds(ctx context.Context, q experiment.RunQuery, limit int) ([]experiment.Run, int64, error) {
	before := int64(1)<<62 - 1
	if q.Cursor != "" {
		var err error
		if before, err = position(cursorRuns, q.Cursor); err != nil {
			return nil, none, err
		}
	}
	counted, err := s.kinds(ctx, filter(q))
	if err != nil {
		return nil, none, err
	}
	var kinds []kind
	for k := range counted {
		kinds = append(kinds, k)
	}
	var places []int64
	for chunk := range slices.Chunk(kinds, kindsAtOnce) {
		found, err := s.placesOf(ctx, chunk, before, limit+1)
		if err != nil {
			return nil, none, err
		}
		places = append(places, found...)
	}
	slices.Sort(places)
	slices.Reverse(places)
	if len(places) == 0 {
		return nil, none, nil
	}
	last := int64(none)
	if len(places) > limit {
		places, last = places[:limit], places[limit-1]
	}
	// A run may have changed its kind since its place was read.
	c := filter(q)
	c.add("place IN ("+strings.TrimSuffix(strings.Repeat("?, ", len(places)), ", ")+")", arguments(places)...)
	rows, err := s.db.QueryContext(ctx, `SELECT `+runColumns+`, place FROM runs`+c.where()+` ORDER BY place DESC`, c.args...)
	runs, _, err := runPage(rows, err, limit)
	return runs, last, err
}

// placesOf returns the places of the newest runs of some kinds before a place.
func (s *Store) placesOf(ctx context.Context, kinds []kind, before int64, limit int) ([]int64, error) {
	args := []any{before}
	var parts []string
	for _, k := range kinds {
		n := len(args)
		parts = append(parts, fmt.Sprintf(`SELECT place FROM (SELECT place FROM runs
			WHERE phase = $%d AND outcome = $%d AND teardown = $%d AND technology = $%d AND target = $%d
			AND place < $1 ORDER BY place DESC LIMIT %d) k`, n+1, n+2, n+3, n+4, n+5, limit))
		args = append(args, k.phase, k.outcome, k.teardown, k.technology, k.target)
	}
	rows, err := s.db.QueryContext(ctx, strings.Join(parts, " UNION ALL ")+fmt.Sprintf(` ORDER BY place DESC LIMIT %d`, limit), args...)
	return collect(rows, err, scanOne[int64])
}

// oldestQueued returns since when the first run of the queue waits.
func (s *Store) oldestQueued(ctx context.Context) (time.Time, error) {
	rows, err := s.db.QueryContext(ctx, `SELECT (SELECT since FROM runs r
		WHERE r.phase = 'queued' AND r.target = s.target ORDER BY r.place LIMIT 1) AS since FROM slots s`)
	all, err := collect(rows, err, scanOne[*int64])
	if err != nil {
		return time.Time{}, err
	}
	var oldest int64
	for _, since := range all {
		if since != nil && (oldest == 0 || *since < oldest) {
			oldest = *since
		}
	}
	return fromNanos(oldest), nil
}
