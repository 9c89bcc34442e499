package cli

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"dec.local/dec/internal/cli/terminal"
	"dec.local/dec/internal/client"
	"dec.local/dec/internal/datadir"
	"dec.local/dec/internal/experiment"
	"dec.local/dec/internal/server"
)

// errDone is why a server ends that nobody interrupted.
var errDone = errors.New("everything that was submitted has ended")

// localServer is a dec run that is a server itself: others may submit to it, and it
// stays until all that was submitted has ended.
type localServer struct {
	server *server.Server
	stop   context.CancelCauseFunc // ends the work; active runs are destroyed
	ended  chan error              // takes why the server has ended
	hold   chan struct{}           // closed when this command has read what it needs
}

// startLocal becomes the server of the data folder. It takes over what an earlier
// one left.
func startLocal(ctx context.Context, env *Env, f *datadir.Folders, p *terminal.Progress) (_ *localServer, err error) {
	hold := make(chan struct{})
	s, err := server.Open(ctx, server.Options{
		Folders: f, Targets: env.Targets, Hold: hold, Notice: func(text string) { p.Notice("%s", text) },
	})
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			s.Close()
		}
	}()
	if err := s.CheckBucket(ctx); err != nil {
		return nil, err
	}
	if err := s.Listen(server.ListenOptions{Address: anyPort, Announce: true}); err != nil {
		return nil, err
	}
	h := &localServer{server: s, ended: make(chan error, 1), hold: hold}
	working, stop := context.WithCancelCause(context.WithoutCancel(ctx))
	h.stop = stop
	go func() { h.ended <- s.Run(working, server.Execute) }()
	return h, nil
}

// cancel ends the work: queued runs of the experiment end, and all active runs, of
// any experiment, are destroyed. Runs that others have queued stay for the next server.
func (h *localServer) cancel(id string) error {
	defer h.stop(errInterrupted)
	if id == "" {
		return nil
	}
	return h.server.Stop(context.Background(), id, "interrupted: "+errInterrupted.Error())
}

// waitForOthers stays until everything that others have submitted has ended, and says
// so.
func (h *localServer) waitForOthers(ctx context.Context, c *client.Client, p *terminal.Progress) error {
	said := ""
	for {
		open, err := h.server.Unfinished(ctx)
		if err != nil {
			return err
		}
		if len(open) == 0 {
			if said != "" { // the others have yet to read what they waited for
				h.server.AwaitIdle(ctx)
			}
			return nil
		}
		drain, err := h.server.Drain(ctx)
		if err != nil || drain.InForce() && len(drain.Active) == 0 {
			return err // the next server goes on
		}
		if names := namesOf(open); names != said {
			said = names
			p.Notice("waiting for experiments that others submitted here: %s (Ctrl-C cancels their active runs)", names)
		}
		if err := awaitOutcome(ctx, c); err != nil {
			return err
		}
	}
}

// recheckInterval is how often a local server checks whether it may end, unless a run ends.
const recheckInterval = 30 * time.Second

// awaitOutcome waits until a run ends, or a while.
func awaitOutcome(ctx context.Context, c *client.Client) error {
	soon, cancel := context.WithTimeout(ctx, recheckInterval)
	defer cancel()
	for event, err := range c.Events(soon, client.EventFilter{After: -1}) {
		if ctx.Err() == nil && soon.Err() != nil {
			return nil
		}
		if err != nil || event.Stored != nil && event.Stored.Kind == experiment.EventOutcome {
			return err
		}
	}
	return nil
}

func namesOf(list []experiment.Experiment) string {
	names := make([]string, len(list))
	for i, e := range list {
		names[i] = fmt.Sprintf("%s (%s)", e.ID, e.Plan.Name)
	}
	return strings.Join(names, ", ")
}

// end waits until active runs are destroyed and releases the data folder. It
// returns nil when the end was meant.
func (h *localServer) end() error {
	h.stop(errDone)
	close(h.hold)
	err := <-h.ended
	if errors.Is(err, server.ErrDetached) {
		return nil // at once: nothing is waited for
	}
	if errors.Is(err, errDone) || errors.Is(err, errInterrupted) {
		err = h.server.Leave()
	}
	return errors.Join(err, h.server.Close())
}
