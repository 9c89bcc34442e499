package supervise

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"time"
)

const (
	readyInterval = 20 * time.Millisecond // between looks, until the process is ready
	maxLine       = 1 << 20               // bytes; the rest of a longer line is not searched
)

// awaitReady returns when every condition of r holds, ctx has ended, or the
// time is over; the last error says what is missing.
func awaitReady(ctx context.Context, folder string, r Readiness) error {
	var logs []*lineSearch
	if r.Log != "" {
		pattern, err := regexp.Compile(r.Log)
		if err != nil {
			return fmt.Errorf("readiness: log: %w", err)
		}
		for _, name := range []string{stdoutFile, stderrFile} {
			logs = append(logs, &lineSearch{path: filepath.Join(folder, name), pattern: pattern})
		}
		defer func() {
			for _, l := range logs {
				l.close()
			}
		}()
	}
	logged, open := r.Log == "", r.Port == 0
	over := time.NewTimer(r.timeout())
	defer over.Stop()
	tick := time.NewTicker(readyInterval)
	defer tick.Stop()
	for {
		for _, l := range logs {
			logged = logged || l.found()
		}
		open = open || accepts(r)
		if logged && open {
			return nil
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-over.C:
			return notReady(r, logged, open)
		case <-tick.C:
		}
	}
}

// notReady says what was missing when the time was over.
func notReady(r Readiness, logged, open bool) error {
	var missing []string
	if !logged {
		missing = append(missing, fmt.Sprintf("no line of its output matches %q", r.Log))
	}
	if !open {
		missing = append(missing, fmt.Sprintf("port %s accepts no connections", r.address()))
	}
	return fmt.Errorf("it was not ready within %s: %s", r.timeout(), strings.Join(missing, ", "))
}

// lineSearch looks for a pattern in the complete lines of a growing file.
type lineSearch struct {
	path    string
	pattern *regexp.Regexp
	file    *os.File
	partial []byte // the beginning of a line without its end
}

// found reads what is new in the file, and reports whether a line matches.
func (l *lineSearch) found() bool {
	if l.file == nil {
		f, err := os.Open(l.path)
		if err != nil {
			return false
		}
		l.file = f
	}
	buf := make([]byte, 64<<10)
	for {
		n, err := l.file.Read(buf)
		data := append(l.partial, buf[:n]...)
		for {
			line, rest, complete := bytes.Cut(data, []byte{'\n'})
			if !complete {
				break
			}
			if l.pattern.Match(bytes.TrimSuffix(line, []byte{'\r'})) {
				return true
			}
			data = rest
		}
		l.partial = bytes.Clone(data[:min(len(data), maxLine)])
		if n == 0 || errors.Is(err, io.EOF) || err != nil {
			return false
		}
	}
}

func (l *lineSearch) close() {
	if l.file != nil {
		l.file.Close()
	}
}
