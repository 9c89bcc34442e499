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

// crowd is all subscribers.
type crowd struct {
	stop   context.CancelFunc
	all    sync.WaitGroup
	frames atomic.Int64

	mu   sync.Mutex // protects what follows
	late []time.Duration
	errs []error
}

// connect returns when every subscriber has its stream.
func connect(ctx context.Context, address string, n int) (*crowd, error) {
	ctx, stop := context.WithCancel(ctx)
	c := &crowd{stop: stop}
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
		c.all.Go(func() {
			defer res.Body.Close()
			if err := c.follow(bufio.NewReader(res.Body)); ctx.Err() == nil {
				c.fault(err)
			}
		})
	}
	return c, nil
}

// follow reads a stream until it ends, and returns why it did.
func (c *crowd) follow(stream *bufio.Reader) error {
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
			c.frames.Add(1)
			if id != 0 {
				if err := c.note(data); err != nil {
					return err
				}
			}
			id = 0
		}
	}
}

// note keeps how old an event is when it arrives.
func (c *crowd) note(data string) error {
	var e struct{ At time.Time }
	if err := json.Unmarshal([]byte(data), &e); err != nil {
		return err
	}
	late := time.Since(e.At)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.late = append(c.late, late)
	return nil
}

func (c *crowd) fault(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.errs = append(c.errs, err)
}

// seen returns how many frames have arrived.
func (c *crowd) seen() int64 { return c.frames.Load() }

// leave ends the streams, and returns what was wrong with them.
func (c *crowd) leave() error {
	c.stop()
	c.all.Wait()
	return errors.Join(c.errs...)
}

// delays tells quantiles; call it after leave.
func (c *crowd) delays() string {
	if len(c.late) == 0 {
		return "none came"
	}
	slices.Sort(c.late)
	at := func(q float64) time.Duration {
		return c.late[int(q*float64(len(c.late)-1))].Round(10 * time.Microsecond)
	}
	return fmt.Sprintf("p50 %s, p99 %s, longest %s", at(0.5), at(0.99), at(1))
}
