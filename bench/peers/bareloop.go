package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"dec.local/dec/internal/agent"
)

// counting is how often a bare loop prints how far it is.
const counting = 250 * time.Millisecond

// bareLoop is a process of its own: bare ROLE SYSTEM ADDRESS DESTINATION RATE SIZE
// LENGTH. It has the runtime settings of DEC's agent.
func bareLoop(args []string) error {
	if len(args) != 7 {
		return errors.New("bare wants role, system, address, destination, rate, size and length")
	}
	rate, err1 := strconv.Atoi(args[4])
	size, err2 := strconv.Atoi(args[5])
	length, err3 := time.ParseDuration(args[6])
	if err := errors.Join(err1, err2, err3); err != nil {
		return err
	}
	agent.Tune()
	consumes := args[0] == "consumer"
	client, err := bareClients[args[1]](args[2], args[3], consumes)
	if err != nil {
		return err
	}
	defer client.close()
	var count atomic.Int64
	stop := make(chan struct{})
	defer close(stop)
	go tell(&count, stop)
	if consumes {
		ctx, cancel := context.WithTimeout(context.Background(), length)
		defer cancel()
		if err := client.consume(ctx, func(n int) { count.Add(int64(n)) }); !errors.Is(err, context.DeadlineExceeded) {
			return err
		}
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), length+patience)
	defer cancel()
	if err := produce(ctx, client, bareLoad{rate: rate, size: size, deadline: time.Now().Add(length), count: &count}); err != nil {
		return err
	}
	return client.flush(ctx)
}

// tell prints the count until stop is closed.
func tell(count *atomic.Int64, stop <-chan struct{}) {
	ticker := time.NewTicker(counting)
	defer ticker.Stop()
	for {
		select {
		case <-stop:
			return
		case <-ticker.C:
			fmt.Printf("count %d\n", count.Load())
		}
	}
}

// bareCount reads what tell prints.
func bareCount(text string) (total float64, ok bool) {
	rest, ok := strings.CutPrefix(text, "count ")
	if !ok {
		return 0, false
	}
	total, err := strconv.ParseFloat(rest, 64)
	return total, err == nil
}

type bareLoad struct {
	rate     int // 0 is flat out
	size     int
	deadline time.Time
	count    *atomic.Int64
}

// produce sends what is due in steps of a millisecond, or flat out as fast as the
// client takes it.
func produce(ctx context.Context, client bareClient, l bareLoad) error {
	// The same pre-made content as the agent's: a mebibyte of random bytes, of
	// which each message is the next piece.
	pool := make([]byte, 1<<20)
	if _, err := rand.Read(pool); err != nil {
		return err
	}
	start, sent, offset := time.Now(), 0, 0
	for now := start; now.Before(l.deadline); now = time.Now() {
		due := int(now.Sub(start).Seconds() * float64(l.rate))
		if l.rate == 0 {
			due = sent + 100
		}
		for ; sent < due; sent++ {
			if offset+l.size > len(pool) {
				offset = 0
			}
			if err := client.send(ctx, pool[offset:offset+l.size]); err != nil {
				return err
			}
			offset += l.size
		}
		l.count.Store(int64(sent))
		if l.rate > 0 {
			time.Sleep(time.Millisecond)
		}
	}
	return nil
}
