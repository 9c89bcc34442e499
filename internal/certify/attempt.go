package certify

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"dec.local/dec/internal/certify/reference"
	"dec.local/dec/internal/measure"
	"dec.local/dec/internal/rendezvous"
)

// attempt is a trial under way.
type attempt struct {
	certifier *certifier
	trial     trial
	run       string
	server    *rendezvous.Coordinator
	broker    *reference.Run
	agents    []*process
	start     time.Time // of the load
}

// prepare starts the agents and returns when they are ready.
func (a *attempt) prepare(ctx context.Context) error {
	c := a.certifier
	at := reference.Endpoints{Address: c.address, Run: a.run, Blocks: a.trial.blocks}
	a.server = rendezvous.New(rendezvous.Options{Bucket: c.bucket, Run: a.run, Logger: slog.New(slog.DiscardHandler)})
	var err error
	if a.broker, err = reference.Open(ctx, at, a.trial.script); err != nil {
		return err
	}
	endpoints, err := json.Marshal(at)
	if err != nil {
		return err
	}
	w := a.trial.workload
	shares := rendezvous.Shares(w)
	err = a.server.WritePlan(ctx, rendezvous.Plan{
		Run: a.run, Technology: reference.Name, Destination: a.run, Endpoints: endpoints, Workload: w, Agents: shares,
		OwnCPUs: a.trial.spins,
	})
	if err != nil {
		return err
	}
	for id, share := range shares {
		env := []string{"DEC_BUCKET=" + c.bucket.URL(), "DEC_RUN=" + a.run, "DEC_AGENT=" + id}
		if share.Role == measure.RoleConsumer && a.trial.ahead != 0 {
			env = append(env, reference.ClockAhead+"="+a.trial.ahead.String())
		}
		agent, err := start(ctx, c.dir, env, nil, c.Options.Agent, reference.AgentCommand)
		if err != nil {
			return err
		}
		a.agents = append(a.agents, agent)
	}
	ctx, cancel := context.WithTimeoutCause(ctx, patience, fmt.Errorf("not within %s", patience))
	defer cancel()
	if err := a.server.AwaitReady(ctx); err != nil {
		return a.explain(err)
	}
	return nil
}

// patience is how long agents may take until they are ready.
const patience = 30 * time.Second

// lead is the time from the start step until the first message.
const lead = 400 * time.Millisecond

// begin starts the load.
func (a *attempt) begin(ctx context.Context) error {
	step, err := a.server.Begin(ctx, lead)
	if err != nil {
		return err
	}
	a.start = step.Start
	return a.broker.Begin(step.Start.UnixNano())
}

// collect waits for the end of the load and judges what came of it.
func (a *attempt) collect(ctx context.Context) (Outcome, []measure.AgentFacts, error) {
	if err := a.server.Follow(ctx, func(measure.Second) {}); err != nil {
		return Outcome{}, nil, a.explain(err)
	}
	told, _, err := a.server.Collect(ctx, nil)
	if err != nil {
		return Outcome{}, nil, a.explain(err)
	}
	for _, agent := range a.agents {
		if err := agent.wait(ctx); err != nil {
			return Outcome{}, nil, err
		}
	}
	record, err := a.broker.End()
	if err != nil {
		return Outcome{}, nil, err
	}
	is, err := tell(a.trial.workload, a.start.UnixNano(), record)
	if err != nil {
		return Outcome{}, nil, err
	}
	return judge(a.trial, told, is), told.Agents, nil
}

// explain adds what the agents said.
func (a *attempt) explain(err error) error {
	errs := []error{fmt.Errorf("%s: %w", a.trial.name, err)}
	for _, agent := range a.agents {
		agent.stop()
		if text := agent.said.text(); !agent.cmd.ProcessState.Success() && text != "" {
			errs = append(errs, errors.New(text))
		}
	}
	return errors.Join(errs...)
}

// close ends what is left of it.
func (a *attempt) close() {
	for _, agent := range a.agents {
		agent.stop()
	}
	if a.broker != nil {
		_ = a.broker.Close()
	}
}
