package client

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"net/http"
	"strconv"
	"strings"
	"time"

	"dec.local/dec/internal/api"
	"dec.local/dec/internal/experiment"
)

// EventFilter picks events. Empty fields do not filter.
type EventFilter struct {
	Run        string
	Experiment string
	After      int64 // only stored events with greater ids, from 0; negative: only what is new
}

// Event is one event of a stream: exactly one field is set.
type Event struct {
	Stored   *experiment.Event
	Snapshot *api.Snapshot
	Beat     *api.Beat
}

// errSilent ends a stream on which not even beats come.
var errSilent = errors.New("the server stopped sending events")

// Events yields what happens until the caller stops, ctx ends, or the server
// refuses or can no longer be reached; the error comes last. A stream that breaks
// is opened anew after the last stored event: none is missed or seen twice.
func (c *Client) Events(ctx context.Context, f EventFilter) iter.Seq2[Event, error] {
	return func(yield func(Event, error) bool) {
		s := &stream{client: c, filter: f, yield: yield}
		failures, pause := 0, c.pause
		for {
			s.moved = false
			err := s.read(ctx)
			if s.stopped {
				return
			}
			if s.moved {
				failures, pause = 0, c.pause
			}
			if failures++; ctx.Err() != nil || !retryStream(err) || failures > c.retries+1 {
				yield(Event{}, err)
				return
			}
			if err := sleep(ctx, pause); err != nil {
				yield(Event{}, err)
				return
			}
			pause = min(2*pause, 5*time.Second)
		}
	}
}

// retryStream reports whether a stream may be opened anew: the server refuses
// nothing.
func retryStream(err error) bool {
	if _, refused := errors.AsType[*Problem](err); refused {
		return transient(err)
	}
	return true
}

// stream is one reading of events over any number of connections.
type stream struct {
	client  *Client
	filter  EventFilter
	yield   func(Event, error) bool
	stopped bool // the caller wants no more
	moved   bool // something came on this connection
}

// read reads one connection to its end and returns why it ended.
func (s *stream) read(parent context.Context) error {
	ctx, cancel := context.WithCancelCause(parent)
	defer cancel(nil)
	watchdog := time.AfterFunc(s.client.silence, func() { cancel(errSilent) })
	defer watchdog.Stop()
	query := values("run", s.filter.Run, "experiment", s.filter.Experiment)
	if s.filter.After >= 0 {
		query.Set("after", strconv.FormatInt(s.filter.After, 10))
	}
	answer, err := s.client.once(ctx, call{method: http.MethodGet, path: "events", query: query, accept: "text/event-stream"})
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	lines := bufio.NewReader(answer.Body)
	var m message
	for {
		line, err := lines.ReadString('\n')
		if err != nil {
			if cause := context.Cause(ctx); cause != nil {
				err = cause
			} else if errors.Is(err, io.EOF) {
				err = io.ErrUnexpectedEOF // the server ends no stream of itself
			}
			return &unreachable{server: s.client.URL(), err: err}
		}
		watchdog.Reset(s.client.silence)
		if !m.take(strings.TrimRight(line, "\r\n")) {
			continue
		}
		if err := s.deliver(m); err != nil || s.stopped {
			return err
		}
		m = message{}
	}
}

// message is one server-sent event.
type message struct {
	event string
	data  bytes.Buffer
}

// take adds a line and reports whether the message is whole.
func (m *message) take(line string) bool {
	if line == "" {
		return m.data.Len() > 0
	}
	name, value, _ := strings.Cut(line, ":")
	value = strings.TrimPrefix(value, " ")
	switch name {
	case "event":
		m.event = value
	case "data":
		if m.data.Len() > 0 {
			m.data.WriteByte('\n')
		}
		m.data.WriteString(value)
	}
	return false
}

// deliver hands a message to the caller. What this version does not know is
// passed over.
func (s *stream) deliver(m message) error {
	s.moved = true
	var event Event
	var into any
	switch m.event {
	case api.EventStored:
		event.Stored = &experiment.Event{}
		into = event.Stored
	case api.EventSnapshot:
		event.Snapshot = &api.Snapshot{}
		into = event.Snapshot
	case api.EventBeat:
		event.Beat = &api.Beat{}
		into = event.Beat
	default:
		return nil
	}
	if err := json.Unmarshal(m.data.Bytes(), into); err != nil {
		return fmt.Errorf("event %q of the server is not the expected JSON: %w", m.event, err)
	}
	if event.Stored != nil {
		if event.Stored.ID <= s.filter.After {
			return nil // seen before the connection broke
		}
		s.filter.After = event.Stored.ID
	}
	s.stopped = !s.yield(event, nil)
	return nil
}
