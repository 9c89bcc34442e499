package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"golang.org/x/sys/unix"

	"dec.local/dec/internal/pacing"
)

// bare is the loop that a user of franz-go writes, with the settings of DEC's
// Kafka driver. It prints the CPU seconds of the measured time.
func bare(args []string) error {
	if len(args) != 8 {
		return errors.New("bare wants role, pace, broker, topic, rate, size, warm-up and measured time")
	}
	rate, err1 := strconv.Atoi(args[4])
	size, err2 := strconv.Atoi(args[5])
	warmup, err3 := time.ParseDuration(args[6])
	measure, err4 := time.ParseDuration(args[7])
	if err := errors.Join(err1, err2, err3, err4); err != nil {
		return err
	}
	options := []kgo.Opt{
		kgo.SeedBrokers(args[2]), kgo.DisableClientMetrics(), kgo.RequiredAcks(kgo.AllISRAcks()), kgo.ProducerLinger(5 * time.Millisecond),
		kgo.ProducerBatchMaxBytes(131_072), kgo.ProducerBatchCompression(kgo.NoCompression()), kgo.MaxBufferedRecords(10_000),
		kgo.FetchMinBytes(1), kgo.FetchMaxWait(500 * time.Millisecond), kgo.DefaultProduceTopic(args[3]),
	}
	ctx, cancel := context.WithTimeout(context.Background(), warmup+measure+time.Minute)
	defer cancel()
	if args[0] == "consumer" {
		options = append(options, kgo.ConsumeTopics(args[3]))
	}
	client, err := kgo.NewClient(options...)
	if err != nil {
		return err
	}
	defer client.Close()
	if err := createTopic(ctx, client, args[3]); err != nil {
		return err
	}
	deadline := time.Now().Add(warmup + measure)
	done := make(chan error, 1)
	go func() {
		if args[0] == "consumer" {
			done <- consume(ctx, client)
		} else {
			done <- produce(ctx, client, produceLoad{rate, size, args[1] == "paced", deadline})
		}
	}()
	time.Sleep(warmup)
	before := cpuSeconds()
	time.Sleep(time.Until(deadline))
	fmt.Printf("%.6f\n", cpuSeconds()-before)
	if args[0] == "producer" {
		return <-done
	}
	return nil
}

func createTopic(ctx context.Context, client *kgo.Client, topic string) error {
	admin := kadm.NewClient(client)
	for {
		_, err := admin.CreateTopic(ctx, 1, 1, nil, topic)
		if err == nil || errors.Is(err, kerr.TopicAlreadyExists) {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("create topic: %w", err)
		case <-time.After(100 * time.Millisecond):
		}
	}
}

type produceLoad struct {
	rate     int
	size     int
	paced    bool // wakes up as often as the agent's pacer, not once a millisecond
	deadline time.Time
}

// produce sends what is due, in steps of a millisecond or as precisely as the
// agent's pacer.
func produce(ctx context.Context, client *kgo.Client, l produceLoad) error {
	var failed atomic.Int64
	promise := func(_ *kgo.Record, err error) {
		if err != nil {
			failed.Add(1)
		}
	}
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
			client.Produce(ctx, &kgo.Record{Value: pool[offset : offset+l.size]}, promise)
			offset += l.size
		}
		if err := sleep(sent + 1); err != nil {
			return err
		}
	}
	if err := client.Flush(ctx); err != nil {
		return err
	}
	if n := failed.Load(); n > 0 {
		return fmt.Errorf("%d of %d messages failed", n, sent)
	}
	return nil
}

func consume(ctx context.Context, client *kgo.Client) error {
	for {
		fetches := client.PollFetches(ctx)
		if err := fetches.Err0(); err != nil {
			return err
		}
		fetches.EachRecord(func(*kgo.Record) {})
	}
}

// cpuSeconds is what this process has used, user and system.
func cpuSeconds() float64 {
	var usage unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &usage); err != nil {
		return 0
	}
	return float64(usage.Utime.Nano()+usage.Stime.Nano()) / 1e9
}
