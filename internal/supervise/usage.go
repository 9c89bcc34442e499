package supervise

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

// UsageBetween returns the CPU time, user and system, that the whole tree of the
// process used from one moment until another, and the largest sample of its
// memory in between. Samples are a second apart; CPU at the edges of the window
// is interpolated between them.
func (p *Process) UsageBetween(from, until time.Time) (cpuSeconds float64, maxRSSBytes int64, err error) {
	samples, err := p.samples()
	if err != nil {
		return 0, 0, fmt.Errorf("usage of %s: %w", filepath.Base(p.folder), err)
	}
	for _, s := range samples {
		if !s.At.Before(from) && !s.At.After(until) {
			maxRSSBytes = max(maxRSSBytes, s.RSSBytes)
		}
	}
	return cpuAt(samples, until) - cpuAt(samples, from), maxRSSBytes, nil
}

// Created returns when the folder got its spec, or failing that, its last entry.
// The error is [fs.ErrNotExist] when there is no folder.
func (p *Process) Created() (time.Time, error) {
	info, err := os.Stat(filepath.Join(p.folder, specFile))
	if errors.Is(err, fs.ErrNotExist) {
		info, err = os.Stat(p.folder)
	}
	if err != nil {
		return time.Time{}, err
	}
	return info.ModTime(), nil
}

// samples reads the samples in order of time, beginning with nothing at the
// start and ending, if the process ended, with its total.
func (p *Process) samples() ([]Usage, error) {
	start, err := p.Created()
	if err != nil {
		return nil, err
	}
	samples := []Usage{{At: start}}
	file, err := os.Open(filepath.Join(p.folder, samplesFile))
	if errors.Is(err, fs.ErrNotExist) {
		return samples, nil
	} else if err != nil {
		return nil, err
	}
	defer file.Close()
	lines := bufio.NewScanner(file)
	for lines.Scan() {
		var u Usage
		if json.Unmarshal(lines.Bytes(), &u) != nil {
			continue // the last line, while it is being written
		}
		samples = append(samples, u)
	}
	if err := lines.Err(); err != nil {
		return nil, err
	}
	if exit, ended, err := p.Exit(); err == nil && ended {
		last := exit.Usage
		last.At = exit.EndedAt
		samples = append(samples, last)
	}
	return samples, nil
}

// cpuAt is the CPU time used by a moment, on a straight line between the samples
// around it, which are in order of time and at least one.
func cpuAt(samples []Usage, at time.Time) float64 {
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
