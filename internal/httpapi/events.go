package httpapi

import (
	"context"
	"log/slog"
	"net/http"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"dec.local/dec/internal/api"
	"dec.local/dec/internal/stream"
)

// eventRoutes serve the stream of events.
type eventRoutes struct {
	hub *stream.Hub
	log *slog.Logger
}

func (e eventRoutes) add(a *registrar) {
	op := call(http.MethodGet, "/events", "stream-events", "events", "Stream events as server-sent events")
	op.Description = "The event '" + api.EventStored + "' (data: Event) has an ID. Resume with Last-Event-ID or 'after' to get all later events; " +
		"without either, the stream has only new events. " +
		"The event '" + api.EventSnapshot + "' (data: Snapshot) is one second of a run and is not repeated; " +
		"a client that resumes reads the timeline. " +
		"The event '" + api.EventBeat + "' (data: Beat) is sent every ten seconds. A client that is too slow is disconnected and has to resume."
	text(&op, "text/event-stream", "An endless stream of events.")
	register(a, op, e.stream)
}

type eventsInput struct {
	Run        string `query:"run" pattern:"^r[a-z0-9]{9}$" patternDescription:"the id of a run" doc:"Only events of this run."`
	Experiment string `query:"experiment" pattern:"^e[a-z0-9]{9}$" patternDescription:"the id of an experiment" doc:"Only events of this experiment."`
	After      int64  `query:"after" minimum:"-1" default:"-1" doc:"Start after this event; -1 starts with new events."`
	LastEvent  int64  `header:"Last-Event-ID" minimum:"-1" default:"-1" doc:"Takes precedence over 'after'; browsers send it when they resume."`
}

type eventsOutput struct{ Body func(huma.Context) }

func (e eventRoutes) stream(ctx context.Context, in *eventsInput) (*eventsOutput, error) {
	after := in.After
	if in.LastEvent >= 0 {
		after = in.LastEvent
	}
	subscription, err := e.hub.Subscribe(ctx, stream.Filter{Run: in.Run, Experiment: in.Experiment, After: after})
	if err != nil {
		return nil, err
	}
	return &eventsOutput{func(hctx huma.Context) {
		defer subscription.Close()
		r, w := humago.Unwrap(hctx)
		if r.Method == http.MethodHead {
			w.Header().Set("Content-Type", "text/event-stream")
			return
		}
		err := stream.Serve(ctx, w, subscription)
		e.log.DebugContext(ctx, "an event stream ended", slog.Any("reason", err))
	}}, nil
}
