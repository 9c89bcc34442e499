package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strconv"
	"sync"
	"time"

	"github.com/alexedwards/scs/v2"

	"dec.local/dec/internal/experiment"
	"dec.local/dec/internal/guard"
	"dec.local/dec/internal/measure"
	"dec.local/dec/internal/stream"
)

const (
	token          = "a token for this benchmark alone, on the loopback interface"
	eventsVariable = "SSE_EVENTS_PER_SECOND"
	maxConnections = 4096
)

// source keeps the newest stored events in memory.
type source struct {
	mu     sync.Mutex // protects all
	last   int64
	recent []experiment.Event
}

func (s *source) Events(_ context.Context, q experiment.EventQuery) ([]experiment.Event, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var found []experiment.Event
	for _, e := range s.recent {
		if e.ID > q.After && len(found) < q.Limit {
			found = append(found, e)
		}
	}
	return found, nil
}

func (s *source) LastEvent(context.Context) (int64, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.last, nil
}

func (s *source) add() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.last++
	if len(s.recent) == 1000 {
		s.recent = s.recent[1:]
	}
	s.recent = append(s.recent, experiment.Event{
		ID: s.last, At: time.Now(), Kind: experiment.EventResource, Experiment: "e123456789", Run: "r123456789", Variant: "kafka",
		Resource: &experiment.Resource{
			Address: `module.nodes.dec_process.service["broker-0"]`, Action: "create", State: "complete",
			ID: "r123456789-broker-0", Seconds: 1.5,
		},
	})
}

// serve is the server's process. It ends when its standard input does.
func serve() error {
	perSecond, err := strconv.Atoi(os.Getenv(eventsVariable))
	if err != nil {
		return fmt.Errorf("%s: %w", eventsVariable, err)
	}
	stored := &source{}
	hub := stream.New(stream.Options{Source: stored, Version: "bench"})
	go hub.Run(context.Background())
	go happen(hub, stored, perSecond)
	g, err := guard.New(guard.Options{
		TokenHashes: func() [][32]byte { return [][32]byte{guard.Hash(token)} },
		Sessions:    struct{ scs.CtxStore }{}, // tokens need none
		MaxBody:     1,                        // no call has any
	})
	if err != nil {
		return err
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	server := guard.Server(g.Wrap(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s, err := hub.Subscribe(r.Context(), stream.Filter{After: -1})
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		defer s.Close()
		stream.Serve(r.Context(), w, s)
	})))
	fmt.Println(l.Addr())
	go func() {
		io.Copy(io.Discard, os.Stdin)
		server.Close()
	}()
	if err := server.Serve(guard.Limit(l, maxConnections)); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// happen plays a run that is being loaded, for ever.
func happen(hub *stream.Hub, stored *source, perSecond int) {
	if perSecond > 0 {
		go func() {
			for range time.Tick(time.Second / time.Duration(perSecond)) {
				stored.add()
				hub.Wake()
			}
		}()
	}
	second := typicalSecond()
	for range time.Tick(time.Second) {
		second.Second++
		hub.Second("r123456789", "e123456789", second)
	}
}

// typicalSecond is a second of a run with all that a snapshot can have.
func typicalSecond() measure.Second {
	h := measure.NewHistogram()
	for i := range int64(20_000) {
		h.Record(i * 1_234)
	}
	s := measure.Second{
		Stage: experiment.StageMeasure, InFlight: 1234, Backlog: 5678, CPUSeconds: 0.23,
		Counts:    measure.Counts{Offered: 20_000, Sent: 20_000, Acked: 19_990, Received: 19_985},
		Latencies: map[measure.Distribution]measure.Latency{},
	}
	for _, d := range []measure.Distribution{
		measure.PublishLatency, measure.PublishService, measure.E2ELatency, measure.E2EService, measure.PacerLateness, measure.Backpressure,
	} {
		s.Latencies[d] = h.Summary()
	}
	return s
}
