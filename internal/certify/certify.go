// Package certify finds out how wrong the agents' own figures are: it runs the real
// agents, as processes, against a broker whose behaviour is known (package reference),
// and compares what they told with what was true. The error of a latency is what was
// reported minus the time from the intended moment until the broker let the message go.
//
// What it finds is kept as a certificate of that build of the agent on that machine
// ([Store]), and stands in every result that they measure.
package certify

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sync/errgroup"

	"dec.local/dec/internal/certify/reference"
	"dec.local/dec/internal/format"
	"dec.local/dec/internal/measure"
	"dec.local/dec/internal/rendezvous"
)

// Options configures [Run]. Agent is required.
type Options struct {
	Agent    string            // path of dec-agent
	Short    bool              // few and short trials, for tests: the certificate says that it is none
	Progress func(text string) // told of each trial; nobody if nil
}

// Run runs all trials, which takes about three minutes, and returns what they told. A bound
// that is missed is no error.
func Run(ctx context.Context, o Options) (_ Report, err error) {
	began := time.Now()
	dir, err := os.MkdirTemp("", "dec-certify-")
	if err != nil {
		return Report{}, fmt.Errorf("certify: %w", err)
	}
	defer os.RemoveAll(dir)
	bucket, err := rendezvous.OpenBucket(ctx, rendezvous.FolderURL(filepath.Join(dir, "bucket")))
	if err != nil {
		return Report{}, fmt.Errorf("certify: %w", err)
	}
	defer bucket.Close()
	c := &certifier{Options: o, dir: dir, bucket: bucket}
	broker, err := start(ctx, dir, nil, &c.address, o.Agent, reference.BrokerCommand)
	if err != nil {
		return Report{}, fmt.Errorf("certify: %w", err)
	}
	defer broker.stop()
	if err := c.runAll(ctx, plan(o.Short)); err != nil {
		return Report{}, fmt.Errorf("certify: %w", err)
	}
	return c.report(began), nil
}

// certifier runs trials.
type certifier struct {
	Options
	dir     string
	bucket  *rendezvous.Bucket
	address string // of the reference broker
	begun   int    // trials
	done    int    // of them
	trials  []Outcome
	agents  []measure.AgentFacts
}

// shortMiss is why a short certificate is none.
const shortMiss = "made with the short plan, which is for tests and certifies nothing"

func (c *certifier) report(began time.Time) Report {
	r := Report{Trials: c.trials, Seconds: time.Since(began).Seconds()}
	r.MadeAt = time.Now().UTC()
	for _, a := range c.agents {
		m := measure.NewMachine(a)
		m.SelfCheckNS = max(m.SelfCheckNS, r.Machine.SelfCheckNS)
		r.Build, r.MachineID, r.Machine, r.Host, r.Agent = a.Build, a.MachineID, m, a.Host, a.Version
	}
	r.Line, r.Misses = conclude(c.trials)
	if c.Short {
		r.Misses = append(r.Misses, shortMiss)
	}
	return r
}

// runAll runs one stage after the other. The agents of the next one start, and check
// themselves, while those of the last one wait for the end of their drain stage.
func (c *certifier) runAll(ctx context.Context, stages [][]trial) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	total := 0
	for _, s := range stages {
		total += len(s)
	}
	var next *stage
	defer func() {
		if next != nil {
			cancel()
			_ = next.ready()
			next.close()
		}
	}()
	next = c.prepareAll(ctx, stages[0])
	for i := range stages {
		current := next
		next = nil
		err := current.ready()
		if err == nil {
			c.tell(fmt.Sprintf("      %s …", current.attempts[0].trial.name))
			err = current.begin(ctx)
		}
		if err == nil {
			err = current.measured(ctx)
		}
		if err == nil && i+1 < len(stages) {
			next = c.prepareAll(ctx, stages[i+1])
		}
		if err == nil {
			err = c.collect(ctx, current, total)
		}
		current.close()
		if err != nil {
			return err
		}
	}
	return nil
}

// collect takes in what a stage told.
func (c *certifier) collect(ctx context.Context, s *stage, total int) error {
	outcomes, agents, err := s.collect(ctx)
	if err != nil {
		return err
	}
	c.trials, c.agents = append(c.trials, outcomes...), append(c.agents, agents...)
	for _, o := range outcomes {
		c.done++
		c.tell(fmt.Sprintf("%2d/%d  %s at %s: %s", c.done, total, o.Name, format.Rate(o.Rate), o.Summary()))
	}
	return nil
}

func (c *certifier) tell(text string) {
	if c.Progress != nil {
		c.Progress(text)
	}
}

// stage is trials that are run at the same time.
type stage struct {
	attempts []*attempt
	prepared errgroup.Group
}

// prepareAll starts the agents of some trials. Wait for them with ready.
func (c *certifier) prepareAll(ctx context.Context, trials []trial) *stage {
	s := &stage{}
	for _, t := range trials {
		c.begun++
		s.attempts = append(s.attempts, &attempt{certifier: c, trial: t, run: fmt.Sprintf("certify-%d", c.begun)})
	}
	for _, a := range s.attempts {
		s.prepared.Go(func() error { return a.prepare(ctx) })
	}
	return s
}

func (s *stage) ready() error { return s.prepared.Wait() }

// begin starts the loads.
func (s *stage) begin(ctx context.Context) error {
	for _, a := range s.attempts {
		if err := a.begin(ctx); err != nil {
			return err
		}
	}
	return nil
}

// settle is how long after the measure stage its last messages are given until others
// may disturb.
const settle = 300 * time.Millisecond

// measured waits until the measure stages are over.
func (s *stage) measured(ctx context.Context) error {
	for _, a := range s.attempts {
		stages := a.trial.workload.Stages
		timer := time.NewTimer(time.Until(a.start.Add(stages.Warmup.Std() + stages.Measure.Std() + settle)))
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return context.Cause(ctx)
		}
	}
	return nil
}

// collect waits for the ends of the loads and judges what came of them.
func (s *stage) collect(ctx context.Context) ([]Outcome, []measure.AgentFacts, error) {
	outcomes, facts := make([]Outcome, len(s.attempts)), make([][]measure.AgentFacts, len(s.attempts))
	g, ctx := errgroup.WithContext(ctx)
	for i, a := range s.attempts {
		g.Go(func() (err error) {
			outcomes[i], facts[i], err = a.collect(ctx)
			return err
		})
	}
	if err := g.Wait(); err != nil {
		return nil, nil, err
	}
	var all []measure.AgentFacts
	for _, f := range facts {
		all = append(all, f...)
	}
	return outcomes, all, nil
}

func (s *stage) close() {
	for _, a := range s.attempts {
		a.close()
	}
}
