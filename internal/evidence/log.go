package evidence

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"dec.local/dec/internal/api"
	"dec.local/dec/internal/experiment"
)

// defaultLines is how many lines a page of a log has unless asked otherwise.
const defaultLines = 1000

// Log returns lines of all that was written about a run or by its processes, in
// the order of time as far as they tell it.
func (f *Reader) Log(ctx context.Context, q experiment.LogQuery) (api.Log, error) {
	lines, sources, err := f.wholeLog(ctx, q.Run)
	if err != nil {
		return api.Log{}, err
	}
	matching := lines[:0]
	for _, line := range lines {
		if matches(line, q) {
			matching = append(matching, line)
		}
	}
	log := api.Log{Run: q.Run, Sources: sources, Matches: len(matching)}
	if q.Before != "" {
		before, err := strconv.Atoi(q.Before)
		if err != nil {
			return api.Log{}, experiment.ErrCursor
		}
		end, _ := slices.BinarySearchFunc(matching, before, func(l api.LogLine, n int) int { return l.N - n })
		matching = matching[:end]
	}
	if limit := cmp.Or(q.Limit, defaultLines); len(matching) > limit {
		matching = matching[len(matching)-limit:]
		log.Before = strconv.Itoa(matching[0].N)
	}
	log.Lines = matching
	return log, nil
}

func matches(line api.LogLine, q experiment.LogQuery) bool {
	return (q.Source == "" || line.Source == q.Source) &&
		(q.Level == "" || severity(line.Level) >= severity(q.Level)) &&
		(q.Text == "" || strings.Contains(strings.ToLower(line.Text), strings.ToLower(q.Text)))
}

// severity orders levels; lines without one count as information.
func severity(level string) int {
	return map[string]int{"debug": -1, "warn": 1, "error": 2}[level]
}

// wholeLog reads every line of a run, numbered in the order of time, and the
// names of the sources. A line without a time follows the one before it.
func (f *Reader) wholeLog(ctx context.Context, run string) ([]api.LogLine, []string, error) {
	lines, ended, err := f.eventLines(ctx, run)
	if err != nil {
		return nil, nil, err
	}
	written, err := f.written(ctx, run, ended)
	if err != nil {
		return nil, nil, fmt.Errorf("log of run %s: %w", run, err)
	}
	lines = append(lines, written...)
	slices.SortStableFunc(lines, func(a, b timedLine) int { return a.sortAt.Compare(b.sortAt) })
	log := make([]api.LogLine, len(lines))
	names := []string{}
	for i, line := range lines {
		log[i] = line.LogLine
		log[i].N = i + 1
		if !slices.Contains(names, line.Source) {
			names = append(names, line.Source)
		}
	}
	slices.Sort(names)
	return log, names, nil
}

// eventLines are the stored events of a run as lines, and whether it has ended.
func (f *Reader) eventLines(ctx context.Context, run string) (lines []timedLine, ended bool, err error) {
	events, err := f.events(ctx, run)
	for _, event := range events {
		ended = ended || event.Kind == experiment.EventOutcome
		line := api.LogLine{At: event.At, Source: "events", Level: "info", Text: eventText(event)}
		lines = append(lines, timedLine{sortAt: event.At, LogLine: line})
	}
	return lines, ended, err
}

// events are all stored events of a run.
func (f *Reader) events(ctx context.Context, run string) ([]experiment.Event, error) {
	var all []experiment.Event
	for after := int64(0); ; after = all[len(all)-1].ID {
		page, err := f.store.Events(ctx, experiment.EventQuery{Run: run, After: after})
		if err != nil || len(page) == 0 {
			return all, err
		}
		all = append(all, page...)
	}
}

// eventText is an event in a line.
func eventText(e experiment.Event) string {
	text := string(e.Kind)
	switch {
	case e.Resource != nil:
		text = fmt.Sprintf("%s %s: %s", e.Resource.Action, e.Resource.Address, e.Resource.State)
		if e.Resource.Seconds > 0 {
			text += fmt.Sprintf(" (%.2f s)", e.Resource.Seconds)
		}
	case e.Kind == experiment.EventPhase:
		text = "phase " + string(e.Phase)
	}
	if e.Message != "" {
		text += ": " + e.Message
	}
	return text
}
