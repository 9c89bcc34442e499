package cli

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"dec.local/dec/internal/client"
	"dec.local/dec/internal/experiment"
	"dec.local/dec/internal/orchestrator"
	"dec.local/dec/internal/server"
)

// errDone is why a host ends that nobody interrupted.
var errDone = errors.New("everything that was submitted has ended")

// host is a dec run that is a server itself: others may submit to it, and it
// stays until all that was submitted has ended.
type host struct {
	server  *server.Server
	service *server.Service

	stop     context.CancelCauseFunc // ends the work; active runs are destroyed
	quiet    context.CancelFunc      // ends the answering
	worked   chan error              // takes why the work has ended
	answered chan struct{}           // closed when nothing is answered any more
	withdraw func()
}

// startHost becomes the server of the data folder. It takes over what an earlier
// one left.
func startHost(ctx context.Context, f *server.Folders, p *progress) (_ *host, err error) {
	s, err := server.Open(ctx, server.Options{Folders: f, Notice: func(text string) { p.notice("%s", text) }})
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
	h := &host{server: s, worked: make(chan error, 1), answered: make(chan struct{})}
	if h.service, err = s.Listen(server.ServiceOptions{Listen: anyPort}); err != nil {
		return nil, err
	}
	if h.withdraw, err = h.service.Announce(); err != nil {
		return nil, err
	}
	var working, answering context.Context
	working, h.stop = context.WithCancelCause(context.WithoutCancel(ctx))
	answering, h.quiet = context.WithCancel(context.WithoutCancel(ctx))
	go func() {
		defer close(h.answered)
		h.stop(h.service.Answer(answering)) // without its API the host is of no use
	}()
	go func() {
		err := s.Execute(working)
		if working.Err() == nil {
			h.quiet() // it failed: nobody shall wait for what does not run
		}
		h.worked <- err
	}()
	return h, nil
}

// cancel ends the work: what is queued of the experiment ends, the active runs of
// any is destroyed. What others have queued stays for the next server.
func (h *host) cancel(id string) error {
	defer h.stop(errInterrupted)
	if id == "" {
		return nil
	}
	return h.server.Stop(context.Background(), id, "interrupted: "+errInterrupted.Error())
}

// linger stays until everything that others have submitted has ended, and says
// so.
func (h *host) linger(ctx context.Context, c *client.Client, p *progress) error {
	said := ""
	for {
		open, err := h.server.Unfinished(ctx)
		if err != nil {
			return err
		}
		if len(open) == 0 {
			if said != "" { // the others have yet to read what they waited for
				h.service.AwaitSilence(ctx)
			}
			return nil
		}
		drain, err := h.server.Drain(ctx)
		if err != nil || drain.InForce() && len(drain.Active) == 0 {
			return err // the next server goes on
		}
		if names := namesOf(open); names != said {
			said = names
			p.notice("finishing what others submitted here: %s (Ctrl-C cancels their active runs)", names)
		}
		if err := awaitOutcome(ctx, c); err != nil {
			return err
		}
	}
}

// lookAgain is how often a host looks whether it may end, unless a run ends.
const lookAgain = 30 * time.Second

// awaitOutcome waits until a run ends, or a while.
func awaitOutcome(ctx context.Context, c *client.Client) error {
	soon, cancel := context.WithTimeout(ctx, lookAgain)
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
func (h *host) end() error {
	h.stop(errDone)
	err := <-h.worked
	h.withdraw()
	if errors.Is(err, orchestrator.ErrDetached) {
		return nil // at once: nothing is waited for
	}
	h.quiet()
	<-h.answered
	if errors.Is(err, errDone) || errors.Is(err, errInterrupted) {
		err = h.server.Leave()
	}
	return errors.Join(err, h.server.Close())
}
