package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// session is one start of this command.
type session struct {
	options
	kept     store
	programs programs
	systems  *systems
	dir      string
	began    time.Time
	left     time.Duration // about what the cells to come will take
	reached  map[string]float64
}

// measureAll measures the cells that have no result yet. A cell that fails does not
// keep the others from being measured.
func measureAll(ctx context.Context, o options, kept store, all []cell) (code int, err error) {
	todo, err := unfinished(kept, all)
	if err != nil || len(todo) == 0 {
		return 0, err
	}
	s := &session{options: o, kept: kept, began: time.Now(), reached: map[string]float64{}}
	if s.programs, err = findPrograms(o); err != nil {
		return 0, err
	}
	if s.dir, err = os.MkdirTemp("", "dec-peers-"); err != nil {
		return 0, err
	}
	s.systems = newSystems(o.tools, s.dir)
	defer func() {
		s.systems.stop()
		if code == 0 {
			os.RemoveAll(s.dir)
		}
	}()
	for _, c := range todo {
		s.left += c.estimate(o.seconds)
	}
	s.announce(len(all), len(todo))
	failed := 0
	for i, c := range todo {
		if time.Since(s.began) > time.Duration(o.minutes)*time.Minute {
			fmt.Fprintf(os.Stderr, "%d minutes are over; measure the %d cells that are left with the same command\n", o.minutes, len(todo)-i)
			return exitLeft, nil
		}
		fmt.Fprintf(os.Stderr, "[%3d/%d] %-38s", i+1, len(todo), c.id())
		if err := s.measure(ctx, c); err != nil {
			fmt.Fprintf(os.Stderr, " failed\n%v\n", err)
			failed++
		}
		if ctx.Err() != nil {
			return 0, fmt.Errorf("stopped; what was measured is kept, go on with the same command")
		}
	}
	if failed > 0 {
		fmt.Fprintf(os.Stderr, "%d cells failed; their logs are in %s. The same command measures them again\n", failed, s.dir)
		return exitFailed, nil
	}
	return 0, nil
}

func unfinished(kept store, all []cell) (todo []cell, err error) {
	for _, c := range all {
		_, found, err := kept.get(c)
		if err != nil {
			return nil, err
		}
		if !found {
			todo = append(todo, c)
		}
	}
	return todo, nil
}

func (s *session) announce(all, todo int) {
	fmt.Fprintf(os.Stderr, "%d of %d cells to measure, about %d minutes; results in %s\n", todo, all, int(s.left.Minutes())+1, s.kept.dir)
	if s.omb == "" && len(s.only) == 0 {
		fmt.Fprintln(os.Stderr, "the OpenMessaging Benchmark is left out: --omb DIR names the folder in which it was built, see bench/README.md")
	}
}

// measure measures one cell and keeps the result.
func (s *session) measure(ctx context.Context, c cell) error {
	began := time.Now()
	s.left -= c.estimate(s.seconds)
	o, err := s.try(ctx, c)
	if err != nil {
		return err
	}
	o.Tool, o.Took = c.tool.name, time.Since(began)
	s.reached[c.tool.name+c.load.name] = o.Sent
	fmt.Fprintf(os.Stderr, " %9.0f/s %7.2f s/M %6.0f MB  %3.0f s, %d min left%s\n",
		o.Sent, o.PerMillion, o.Memory.Peak/1e6, o.Took.Seconds(), int(s.left.Minutes()), notes(append(o.Invalid, o.Notes...)))
	return s.kept.put(c, o)
}

func notes(all []string) string {
	if len(all) == 0 {
		return ""
	}
	return "  (" + strings.Join(all, "; ") + ")"
}

// try runs one cell, behind a proxy where it asks for one.
func (s *session) try(ctx context.Context, c cell) (outcome, error) {
	system, err := s.system(ctx, c.system)
	if err != nil {
		return outcome{}, err
	}
	t := c.times(s.seconds)
	j := job{
		system: system, load: c.load, address: system.direct, destination: "peers-" + strings.NewReplacer(".", "-").Replace(c.id()),
		dir: filepath.Join(s.dir, c.id()), warmup: t.warmup, measure: t.measure, linger: linger, inFlight: maxInFlight,
		expect: s.expect(c),
	}
	if err := os.MkdirAll(j.dir, 0o755); err != nil {
		return outcome{}, err
	}
	ctx, cancel := context.WithTimeoutCause(ctx, 2*c.estimate(s.seconds)+2*patience, fmt.Errorf("%s took far too long", c.id()))
	defer cancel()
	run := c.tool.run
	if c.truth != nil {
		run = behindProxy(run, *c.truth)
	}
	o, err := run(ctx, s.programs, j)
	clearing := context.WithoutCancel(ctx)
	if clearErr := system.clear(clearing, system); err == nil && clearErr != nil {
		err = fmt.Errorf("delete what %s left: %w", c.id(), clearErr)
	}
	if err == nil {
		err = os.RemoveAll(j.dir)
	}
	return o, err
}

// system returns a broker that has been under load before.
func (s *session) system(ctx context.Context, name string) (*system, error) {
	if up := s.systems.up[name]; up != nil {
		return up, nil
	}
	up, err := s.systems.get(ctx, name)
	if err != nil {
		return nil, err
	}
	j := job{
		system: up, load: load{name: "warmup", size: 1 << 10}, address: up.direct, destination: "peers-warmup", dir: s.dir, measure: 10 * time.Second,
	}
	if s.seconds > 0 {
		j.measure = time.Second
	}
	if _, err := runBare(ctx, s.programs, j); err != nil {
		return nil, fmt.Errorf("warm up %s: %w", name, err)
	}
	return up, up.clear(ctx, up)
}

// expect is about what a tool reaches flat out: what it did reach, or a guess.
func (s *session) expect(c cell) float64 {
	if reached := s.reached[c.tool.name+c.load.name]; reached > 0 {
		return reached
	}
	return min(400_000, 100e6/float64(c.load.size))
}
