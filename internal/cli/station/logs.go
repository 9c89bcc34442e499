package station

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"dec.local/dec/internal/api"
	"dec.local/dec/internal/experiment"
	"dec.local/dec/internal/httpapi"
)

// logPart is the most that is read of one file, its end: a broker that went mad
// must not take the server's memory.
const logPart = 4 << 20

// defaultLines is how many lines a page of a log has unless asked otherwise.
const defaultLines = 1000

// verbOf is the OpenTofu command of an attempt's folder: "0002-apply" → "apply".
func verbOf(attempt string) string {
	_, verb, _ := strings.Cut(attempt, "-")
	return verb
}

// Log returns lines of all that was written about a run or by its processes, in
// the order of time as far as they tell it.
func (f *Field) Log(ctx context.Context, q httpapi.LogQuery) (api.Log, error) {
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

func matches(line api.LogLine, q httpapi.LogQuery) bool {
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
func (f *Field) wholeLog(ctx context.Context, run string) ([]api.LogLine, []string, error) {
	home, seen, err := f.homeOf(ctx, run)
	if err != nil {
		return nil, nil, err
	}
	lines, err := f.eventLines(ctx, run)
	if err != nil {
		return nil, nil, err
	}
	var files []source
	if seen {
		files = f.sources(home, run)
	}
	for _, source := range files {
		text, err := readEnd(source.path)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		} else if err != nil {
			return nil, nil, fmt.Errorf("log of run %s: %w", run, err)
		}
		lines = append(lines, parseLog(source.name, text, source.parse)...)
	}
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

// source is one file with lines of a run.
type source struct {
	name, path string
	parse      func(line string) api.LogLine
}

// sources are the files of a run: where it is midway those of its processes,
// later what was kept of them.
func (f *Field) sources(h home, run string) []source {
	list := []source{{"dec", h.runLogFile(run), parseDEC}}
	for _, found := range []struct{ pattern, file string }{
		{filepath.Join(h.attempts(run), "*", "stdout.log"), ""},
		{filepath.Join(h.journals(run), "*.jsonl"), ".jsonl"},
	} {
		for _, path := range glob(found.pattern) {
			attempt := strings.TrimSuffix(filepath.Base(path), found.file)
			if found.file == "" {
				attempt = filepath.Base(filepath.Dir(path))
			}
			if isJournal(attempt) {
				number, verb, _ := strings.Cut(attempt, "-")
				list = append(list, source{"tofu " + strings.TrimLeft(number, "0") + " " + verb, path, parseTofu})
			}
		}
	}
	live := filepath.Join(f.ledger.Dir(), "processes", run+"-")
	seen := map[string]bool{}
	for _, pattern := range []string{live + "*/*.log", filepath.Join(h.services(run), "*", "*.log")} {
		for _, path := range glob(pattern) {
			folder := filepath.Base(filepath.Dir(path))
			name := strings.TrimPrefix(folder, run+"-")
			if stream := name + "/" + filepath.Base(path); !seen[stream] {
				seen[stream] = true
				list = append(list, source{name, path, parseService})
			}
		}
	}
	return list
}

// glob returns the files of a pattern in order; the pattern is never wrong.
func glob(pattern string) []string {
	paths, _ := filepath.Glob(pattern)
	return paths
}

// readEnd reads the last part of a file, from the beginning of a line.
func readEnd(path string) (string, error) {
	file, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return "", err
	}
	cut := info.Size() > logPart
	if cut {
		if _, err := file.Seek(-logPart, io.SeekEnd); err != nil {
			return "", err
		}
	}
	data, err := io.ReadAll(io.LimitReader(file, logPart))
	if err != nil {
		return "", err
	}
	text := string(data)
	if cut {
		_, text, _ = strings.Cut(text, "\n")
	}
	return text, nil
}

// eventLines are the stored events of a run as lines.
func (f *Field) eventLines(ctx context.Context, run string) ([]timedLine, error) {
	var lines []timedLine
	for after := int64(0); ; {
		events, err := f.store.Events(ctx, experiment.EventQuery{Run: run, After: after})
		if err != nil || len(events) == 0 {
			return lines, err
		}
		for _, event := range events {
			after = event.ID
			lines = append(lines, timedLine{sortAt: event.At, LogLine: api.LogLine{At: event.At, Source: "events", Level: "info", Text: eventText(event)}})
		}
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
