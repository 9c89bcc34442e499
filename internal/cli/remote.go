package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"

	"dec.local/dec/internal/api"
	"dec.local/dec/internal/cli/terminal"
	"dec.local/dec/internal/client"
	"dec.local/dec/internal/experiment"
)

// remoteRun is a dec run that uses a server: it submits, watches and reports. What
// Ctrl-C does depends on whose server that is.
type remoteRun struct {
	client   *client.Client
	progress *terminal.Progress
	cancel   func(experiment string) error // the first Ctrl-C; "" when none is under way
	leave    func()                        // the second
	admitted func(experiment string) error // called after each submission
	exitHint string                        // said after the second

	mu          sync.Mutex // protects the following
	current     string     // experiment under way
	interrupted bool       // a first Ctrl-C came
}

// The causes of the end of the contexts that [remoteRun.onInterrupt] returns.
var (
	errInterrupted = errors.New("Ctrl-C")
	errLeft        = errors.New("exited immediately")
)

// onInterrupt handles Ctrl-C until done is called. The first one cancels uninterrupted,
// the second cancels ctx.
func (r *remoteRun) onInterrupt(parent context.Context, interrupts <-chan os.Signal) (ctx, uninterrupted context.Context, done func()) {
	ctx, leave := context.WithCancelCause(parent)
	uninterrupted, interrupt := context.WithCancelCause(ctx)
	over := make(chan struct{})
	go func() {
		select {
		case <-interrupts:
		case <-over:
			return
		}
		r.progress.Notice("Ctrl-C: cancelling; active runs are being destroyed. Press Ctrl-C again to exit immediately.")
		interrupt(errInterrupted)
		if err := r.interrupt(); err != nil {
			r.progress.Notice("cancelling failed: %v", err)
		}
		select {
		case <-interrupts:
		case <-over:
			return
		}
		leave(errLeft)
		r.leave()
	}()
	return ctx, uninterrupted, func() {
		close(over)
		leave(nil)
	}
}

// interrupt cancels what is under way, now or as soon as it is admitted.
func (r *remoteRun) interrupt() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.interrupted = true
	return r.cancel(r.current)
}

func (r *remoteRun) wasInterrupted() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.interrupted
}

// begin makes an experiment the one under way.
func (r *remoteRun) begin(id string) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.current = id
	if err := r.admitted(id); err != nil || !r.interrupted {
		return err
	}
	return r.cancel(id)
}

// run runs one plan, given as JSON, to its end.
func (r *remoteRun) run(ctx context.Context, plan []byte) (api.ExperimentDetail, error) {
	detail, err := r.client.Submit(ctx, plan, experiment.NewID("k"))
	if err != nil {
		return detail, err
	}
	if err := r.begin(detail.ID); err != nil {
		return detail, err
	}
	r.progress.Introduce(detail)
	if err := r.watch(ctx, detail.ID); err != nil {
		return detail, err
	}
	r.progress.End()
	return r.client.Experiment(ctx, detail.ID)
}

// watch shows the progress of an experiment until it has ended.
func (r *remoteRun) watch(ctx context.Context, id string) error {
	draining := false
	for event, err := range r.client.Events(ctx, client.EventFilter{Experiment: id}) {
		switch {
		case err != nil:
			return fmt.Errorf("%w; to see what was stored, run 'dec experiments show %s'", err, id)
		case event.Snapshot != nil:
			r.progress.Second(event.Snapshot.Run, event.Snapshot.Second)
		case event.Beat != nil:
			if event.Beat.Draining && !draining {
				r.progress.Notice("the server is draining: no further run starts until it has been replaced, " +
					"or 'dec shutdown --cancel' ends the drain")
			}
			draining = event.Beat.Draining
		case event.Stored != nil:
			r.progress.Event(*event.Stored)
			if event.Stored.Kind != experiment.EventOutcome {
				continue
			}
			detail, err := r.client.Experiment(ctx, id)
			if err != nil || detail.State == experiment.Ended {
				return err
			}
		}
	}
	return nil
}
