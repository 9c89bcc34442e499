package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// subscribers are all clients of the stream.
type subscribers struct {
	stop   context.CancelFunc
	all    sync.WaitGroup
	frames atomic.Int64

	mu   sync.Mutex // protects what follows
	late []time.Duration
	errs []error
}

// connect returns when every subscriber has its stream.
func connect(ctx context.Context, address string, n int) (*subscribers, error) {
	ctx, stop := context.WithCancel(ctx)
	s := &subscribers{stop: stop}
	client := &http.Client{Transport: &http.Transport{}}
	for range n {
		r, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+address+"/", nil)
		if err != nil {
			return nil, err
		}
		r.Header.Set("Authorization", "Bearer "+token)
		res, err := client.Do(r)
		if err != nil {
			stop()
			return nil, fmt.Errorf("subscribe: %w", err)
		}
		if res.StatusCode != http.StatusOK {
			stop()
			return nil, fmt.Errorf("subscribe: %s", res.Status)
		}
		s.all.Go(func() {
			defer res.Body.Close()
			if err := s.follow(bufio.NewReader(res.Body)); ctx.Err() == nil {
				s.fault(err)
			}
		})
	}
	return s, nil
}

// follow reads a stream until it ends, and returns why it did.
func (s *subscribers) follow(stream *bufio.Reader) error {
	var last, id int64
	for {
		line, err := stream.ReadString('\n')
		if err != nil {
			return fmt.Errorf("a stream ended: %w", err)
		}
		if text, ok := strings.CutPrefix(line, "id: "); ok {
			if id, err = strconv.ParseInt(strings.TrimSpace(text), 10, 64); err != nil {
				return err
			}
			if last != 0 && id != last+1 {
				return fmt.Errorf("event %d came after %d", id, last)
			}
			last = id
		}
		if data, ok := strings.CutPrefix(line, "data: "); ok {
			s.frames.Add(1)
			if id != 0 {
				if err := s.note(data); err != nil {
					return err
				}
			}
			id = 0
		}
	}
}

// note keeps how old an event is when it arrives.
func (s *subscribers) note(data string) error {
	var e struct{ At time.Time }
	if err := json.Unmarshal([]byte(data), &e); err != nil {
		return err
	}
	late := time.Since(e.At)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.late = append(s.late, late)
	return nil
}

func (s *subscribers) fault(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.errs = append(s.errs, err)
}

// seen returns how many frames have arrived.
func (s *subscribers) seen() int64 { return s.frames.Load() }

// leave ends the streams, and returns what was wrong with them.
func (s *subscribers) leave() error {
	s.stop()
	s.all.Wait()
	return errors.Join(s.errs...)
}

// delays tells quantiles; call it after leave.
func (s *subscribers) delays() string {
	if len(s.late) == 0 {
		return "none came"
	}
	slices.Sort(s.late)
	at := func(q float64) time.Duration {
		return s.late[int(q*float64(len(s.late)-1))].Round(10 * time.Microsecond)
	}
	return fmt.Sprintf("p50 %s, p99 %s, longest %s", at(0.5), at(0.99), at(1))
}
