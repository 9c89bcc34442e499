package server

import (
	"context"
	"fmt"
	"strings"
	"time"

	"dec.local/dec/internal/experiment"
	"dec.local/dec/internal/measure"
	"dec.local/dec/internal/notify"
)

// onEvent passes an event that this process has stored to all who want to know of
// it. It does not block.
func (s *Server) onEvent(e experiment.Event) {
	s.hub.Wake()
	s.metrics.Event(e)
	if e.Kind == experiment.EventOutcome {
		s.live.Forget(e.Run)
		s.concluder.Wake()
		s.archiver.Wake()
	}
	if e.Kind == experiment.EventOutcome || e.Kind == experiment.EventNotice {
		select {
		case s.outcomes <- e:
		default: // nobody reads them, or the webhook is far behind
		}
	}
}

// onSecond passes a second of a run that this process drives on.
func (s *Server) onSecond(run, experiment string, second measure.Second) {
	s.live.Add(run, second)
	s.hub.Second(run, experiment, second)
}

// notifyWebhook sends what a user must look after to the webhook, until ctx ends.
func (s *Server) notifyWebhook(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case e := <-s.outcomes:
			if event, ok := s.notificationOf(ctx, e); ok {
				s.options.Notifier.Send(ctx, event)
			}
		}
	}
}

// notificationOf turns an event into a message, if a user must look after it. An
// outcome says nothing of the teardown, so the run is read.
func (s *Server) notificationOf(ctx context.Context, e experiment.Event) (notify.Event, bool) {
	event := notify.Event{At: e.At, Experiment: e.Experiment, Run: e.Run}
	if e.Kind == experiment.EventNotice {
		event.Type, event.Message = notify.TeardownStuck, fmt.Sprintf("Run %s (%s): %s", e.Run, e.Variant, e.Message)
		return event, e.Phase == experiment.PhaseDestroy || e.Phase == experiment.PhaseVerify
	}
	run, err := s.store.Run(ctx, e.Run)
	if err != nil || run.Teardown != experiment.TeardownLeaked {
		return event, false
	}
	event.Type, event.Message = notify.RunLeaked, fmt.Sprintf("Run %s (%s) leaked: parts of it may still exist. %s", e.Run, e.Variant, run.Reason)
	return event, true
}

// announceVerdict tells the webhook what an experiment found.
func (s *Server) announceVerdict(e experiment.Experiment, v experiment.Verdict) {
	s.options.Notifier.Send(context.Background(), notify.Event{Type: notify.ExperimentEnded, At: time.Now(), Experiment: e.ID,
		Message: e.Plan.Name + ": " + strings.Join(v.Sentences, " ")})
}
