package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"strconv"
	"time"

	"golang.org/x/sys/unix"

	"dec.local/dec/internal/pacing"
)

// system is a technology that can be measured.
type system struct {
	start func(ctx context.Context, tools, dir string) (*broker, error)
	open  func(ctx context.Context, address, destination string, consumes bool) (bareClient, error)
}

var systems = map[string]system{
	"kafka":   {startKafka, openBareKafka},
	"kinesis": {startKinesis, openBareKinesis},
}

// bareClient is what a user of the client library writes.
type bareClient interface {
	send(ctx context.Context, payload []byte) // without waiting for the answer
	flush(ctx context.Context) error          // fails when a message did
	consume(ctx context.Context) error        // until ctx ends
}

// bare runs one bare loop with the settings of DEC's driver. It prints the CPU
// seconds of the measured time.
func bare(args []string) error {
	if len(args) != 9 {
		return errors.New("bare wants role, technology, pace, broker, destination, rate, size, warm-up and measured time")
	}
	role, pace := args[0], args[2]
	rate, err1 := strconv.Atoi(args[5])
	size, err2 := strconv.Atoi(args[6])
	warmup, err3 := time.ParseDuration(args[7])
	measure, err4 := time.ParseDuration(args[8])
	if err := errors.Join(err1, err2, err3, err4); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), warmup+measure+time.Minute)
	defer cancel()
	client, err := systems[args[1]].open(ctx, args[3], args[4], role == "consumer")
	if err != nil {
		return err
	}
	deadline := time.Now().Add(warmup + measure)
	done := make(chan error, 1)
	go func() {
		if role == "consumer" {
			done <- client.consume(ctx)
		} else {
			done <- produce(ctx, client, produceLoad{rate, size, pace == "paced", deadline})
		}
	}()
	time.Sleep(warmup)
	before := cpuSeconds()
	time.Sleep(time.Until(deadline))
	fmt.Printf("%.6f\n", cpuSeconds()-before)
	if role == "producer" {
		return <-done
	}
	return nil
}

type produceLoad struct {
	rate     int
	size     int
	paced    bool // wakes up as often as the agent's pacer, not once a millisecond
	deadline time.Time
}

// produce sends what is due, in steps of a millisecond or as precisely as the
// agent's pacer.
func produce(ctx context.Context, client bareClient, l produceLoad) error {
	// The same pre-made content as the agent's: a mebibyte of random bytes, of
	// which each message is the next piece.
	pool := make([]byte, 1<<20)
	if _, err := rand.Read(pool); err != nil {
		return err
	}
	anchor := pacing.NewAnchor()
	sleep := func(int) error { time.Sleep(time.Millisecond); return nil }
	start, sent, offset := time.Now(), 0, 0
	if l.paced {
		thread, err := pacing.Lock(anchor)
		if err != nil {
			return err
		}
		defer thread.Close()
		begin := anchor.Now()
		sleep = func(next int) error {
			_, err := thread.SleepUntil(ctx, begin+int64(float64(next)/float64(l.rate)*1e9))
			return err
		}
	}
	for now := start; now.Before(l.deadline); now = time.Now() {
		due := int(now.Sub(start).Seconds() * float64(l.rate))
		for ; sent < due; sent++ {
			if offset+l.size > len(pool) {
				offset = 0
			}
			client.send(ctx, pool[offset:offset+l.size])
			offset += l.size
		}
		if err := sleep(sent + 1); err != nil {
			return err
		}
	}
	return client.flush(ctx)
}

// cpuSeconds is what this process has used, user and system.
func cpuSeconds() float64 {
	var usage unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &usage); err != nil {
		return 0
	}
	return float64(usage.Utime.Nano()+usage.Stime.Nano()) / 1e9
}
