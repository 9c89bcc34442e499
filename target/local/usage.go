package local

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"dec.local/dec/internal/supervise"
)

// ServiceUsage is what one service used within a window of time.
type ServiceUsage struct {
	CPUSeconds  float64 `json:"cpu_s"`         // user and system, of its whole process tree
	MaxRSSBytes int64   `json:"max_rss_bytes"` // the largest sample
}

// Usage returns what each service of a run used from one time until another, by
// the name of the service. Samples are a second apart; CPU at the edges of the
// window is interpolated between them.
func (l *Ledger) Usage(ctx context.Context, run string, from, until time.Time) (map[string]ServiceUsage, error) {
	names, err := l.namesOf(run)
	if err != nil {
		return nil, fmt.Errorf("usage of run %s: %w", run, err)
	}
	usage := make(map[string]ServiceUsage, len(names))
	for _, name := range names {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		samples, err := l.samples(name)
		if gone(err) {
			continue
		} else if err != nil {
			return nil, fmt.Errorf("usage of process %s: %w", name, err)
		}
		usage[serviceOf(run, name)] = within(samples, from, until)
	}
	return usage, nil
}

// samples reads the samples of a process in order of time, beginning with
// nothing at its start and ending, if it ended, with its total.
func (l *Ledger) samples(name string) ([]supervise.Usage, error) {
	start, err := created(l.Folder(name))
	if err != nil {
		return nil, err
	}
	samples := []supervise.Usage{{At: start}}
	file, err := os.Open(filepath.Join(l.Folder(name), "samples.jsonl"))
	if gone(err) {
		return samples, nil
	} else if err != nil {
		return nil, err
	}
	defer file.Close()
	lines := bufio.NewScanner(file)
	for lines.Scan() {
		var u supervise.Usage
		if json.Unmarshal(lines.Bytes(), &u) != nil {
			continue // the last line, while it is being written
		}
		samples = append(samples, u)
	}
	if err := lines.Err(); err != nil {
		return nil, err
	}
	if p, err := l.Process(name); err == nil {
		if exit, ended, err := p.Exit(); err == nil && ended {
			last := exit.Usage
			last.At = exit.EndedAt
			samples = append(samples, last)
		}
	}
	return samples, nil
}

// within sums up a window of samples, which are in order of time and at least
// one.
func within(samples []supervise.Usage, from, until time.Time) ServiceUsage {
	u := ServiceUsage{CPUSeconds: cpuAt(samples, until) - cpuAt(samples, from)}
	for _, s := range samples {
		if !s.At.Before(from) && !s.At.After(until) {
			u.MaxRSSBytes = max(u.MaxRSSBytes, s.RSSBytes)
		}
	}
	return u
}

// cpuAt is the CPU time used by a moment, on a straight line between the samples
// around it.
func cpuAt(samples []supervise.Usage, at time.Time) float64 {
	before := samples[0]
	for _, s := range samples {
		if s.At.After(at) {
			span := s.At.Sub(before.At)
			if span <= 0 || at.Before(before.At) {
				return before.CPUSeconds
			}
			return before.CPUSeconds + (s.CPUSeconds-before.CPUSeconds)*float64(at.Sub(before.At))/float64(span)
		}
		before = s
	}
	return before.CPUSeconds
}
