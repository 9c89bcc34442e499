package server

import (
	"context"
	"errors"
	"sync"
	"time"

	"dec.local/dec/internal/orchestrator"
	"dec.local/dec/internal/upkeep"
)

// Mode says what a server does while it runs.
type Mode int

// The modes of [Server.Run].
const (
	// Execute answers calls and executes what is queued.
	Execute Mode = iota
	// Answer answers calls and starts no run: what was stored can be read.
	Answer
)

// ErrDrained is why a server ends after a drain was granted.
var ErrDrained = errors.New("the drain was granted")

// ErrDetached is returned by [Server.Run] after [Server.Detach].
var ErrDetached = orchestrator.ErrDetached

// Run answers calls, which [Server.Listen] has begun to take, and does what the mode
// says. When ctx ends, active runs are cancelled and destroyed before Run returns,
// and calls are answered until then; queued runs stay queued. It returns the cause of
// ctx, [ErrDrained] or [ErrDetached].
func (s *Server) Run(ctx context.Context, mode Mode) error {
	defer s.front.withdraw()
	if mode == Answer {
		return s.answer(ctx)
	}
	working, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	go func() {
		select {
		case <-s.front.drained:
			stop(ErrDrained)
		case <-working.Done():
		}
	}()
	answering, quiet := context.WithCancelCause(context.WithoutCancel(ctx))
	answered := make(chan struct{})
	go func() {
		defer close(answered)
		if err := s.answer(answering); answering.Err() == nil {
			stop(err) // without its API the server is of no use
		}
	}()
	err := s.execute(working)
	s.front.withdraw()
	if ctx.Err() != nil && !errors.Is(err, ErrDetached) {
		s.hold()
	}
	quiet(err)
	if errors.Is(err, ErrDetached) {
		return err // at once: nothing is waited for
	}
	<-answered
	return err
}

// holdTimeout is how long a server whose work was ended waits for its own command.
const holdTimeout = 10 * time.Second

// hold waits until the command that this server is part of has read what became of
// its runs.
func (s *Server) hold() {
	if s.options.Hold == nil {
		return
	}
	select {
	case <-s.options.Hold:
	case <-time.After(holdTimeout):
	}
}

// Detach makes [Server.Run] return [ErrDetached] at once: what is running goes on
// until its time to live ends, and the next start follows or destroys it.
func (s *Server) Detach() { s.engine.Detach() }

// execute goes on where the last process left off, and then with the queue.
func (s *Server) execute(ctx context.Context) error {
	beginning := context.WithoutCancel(ctx) // an early end is in order, too
	if err := s.store.ClearGranted(beginning); err != nil {
		return err
	}
	if err := s.takeOver(beginning); err != nil {
		return err
	}
	err := s.engine.Run(ctx)
	if !errors.Is(err, ErrDetached) {
		s.Archive(ctx)
	}
	return err
}

// Archive puts what is kept of ended runs into the bucket, as far as that is
// possible now: what stays is taken up by the next start.
func (s *Server) Archive(ctx context.Context) { s.archiver.Last(ctx) }

// answer answers calls and looks after what has ended, until ctx ends.
func (s *Server) answer(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	var work sync.WaitGroup
	defer work.Wait()
	defer cancel() // before the wait
	work.Go(func() { s.concluder.Run(ctx) })
	work.Go(func() { s.archiver.Run(ctx) })
	pruner := &upkeep.Pruner{Keep: s.front.options.Keep, Prune: s.store.Prune, Forget: s.evidence.Forget, Logger: s.Logger}
	work.Go(func() { pruner.Run(ctx) })
	if s.options.Notifier != nil {
		work.Go(func() { s.notifyWebhook(ctx) })
		work.Go(func() { s.logEnd(ctx, "notifications", s.options.Notifier.Run(ctx)) })
	}
	work.Go(func() {
		s.logEnd(ctx, "database notifications", s.store.Listen(ctx, func() { s.hub.Wake(); s.engine.Wake() }))
	})
	streams, endStreams := context.WithCancel(context.WithoutCancel(ctx))
	work.Go(func() { s.logEnd(streams, "events", s.hub.Run(streams)) })
	defer endStreams()
	err := s.front.serve(ctx, endStreams) // streams would hold up the end
	if ctx.Err() == nil {
		return err
	}
	if err != nil {
		s.Logger.Warn("the server did not shut down cleanly", "error", err)
	}
	return context.Cause(ctx)
}

// logEnd says why something ended before its context did.
func (s *Server) logEnd(ctx context.Context, what string, err error) {
	if err != nil && ctx.Err() == nil {
		s.Logger.Error(what+" ended", "error", err)
	}
}
