package evidence

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"sync"
	"time"

	"dec.local/dec/internal/datadir"
)

// RunLogs is a [slog.Handler] that appends the records of each run, known by attribute
// "run", to a file of its own, so that a run's log can be read without searching
// all of dec.log.
type RunLogs struct {
	home datadir.Home
	mu   *sync.Mutex                       // of the files
	with []func(slog.Handler) slog.Handler // attributes and groups, in order
	run  string
	// grouped is set below a group: its attribute "run" is not the run.
	grouped bool
}

// NewRunLogs returns a handler that stages logs in the data folder.
func NewRunLogs(h datadir.Home) *RunLogs { return &RunLogs{home: h, mu: &sync.Mutex{}} }

var runID = regexp.MustCompile(`^r[a-z0-9]{9}$`)

// openLog is the log of a run that is written to, by its name among what is staged.
const openLog = "dec.jsonl"

// file is the log of a run, beside what else is staged of it.
func (l *RunLogs) file(run string) string { return filepath.Join(l.home.Staged(run), openLog) }

// seal ends the part of a run's log that was written so far, so that it can go
// into the bucket. What is said of the run later is another part; every server
// that says something has its own.
func (l *RunLogs) seal(run string) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	part := filepath.Join(l.home.Staged(run), "dec", time.Now().UTC().Format("20060102T150405.000000000Z")+".jsonl")
	if _, err := os.Stat(l.file(run)); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err := os.MkdirAll(filepath.Dir(part), 0o755); err != nil {
		return fmt.Errorf("log of run %s: %w", run, err)
	}
	return os.Rename(l.file(run), part)
}

// clear removes the folder of a run's log and of what else was staged of it, as far
// as nothing is in it. No line is written meanwhile.
func (l *RunLogs) clear(run string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	removeEmpty(l.home.Staged(run))
}

// Enabled implements [slog.Handler].
func (l *RunLogs) Enabled(_ context.Context, level slog.Level) bool { return level >= slog.LevelInfo }

// WithAttrs implements [slog.Handler].
func (l *RunLogs) WithAttrs(attrs []slog.Attr) slog.Handler {
	next := *l
	next.with = append(slices.Clip(l.with), func(h slog.Handler) slog.Handler { return h.WithAttrs(attrs) })
	for _, attr := range attrs {
		next.note(attr)
	}
	return &next
}

// WithGroup implements [slog.Handler].
func (l *RunLogs) WithGroup(name string) slog.Handler {
	next := *l
	next.with = append(slices.Clip(l.with), func(h slog.Handler) slog.Handler { return h.WithGroup(name) })
	next.grouped = l.grouped || name != "" // an empty one is none
	return &next
}

func (l *RunLogs) note(attr slog.Attr) {
	if !l.grouped && attr.Key == "run" && runID.MatchString(attr.Value.String()) {
		l.run = attr.Value.String()
	}
}

// Handle implements [slog.Handler].
func (l *RunLogs) Handle(ctx context.Context, record slog.Record) error {
	about := *l
	record.Attrs(func(attr slog.Attr) bool { about.note(attr); return true })
	if about.run == "" {
		return nil
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	path := l.file(about.run)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return fmt.Errorf("log of run %s: %w", about.run, err)
	}
	file, err := os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("log of run %s: %w", about.run, err)
	}
	var handler slog.Handler = slog.NewJSONHandler(file, nil)
	for _, with := range l.with {
		handler = with(handler)
	}
	return errors.Join(handler.Handle(ctx, record), file.Close())
}
