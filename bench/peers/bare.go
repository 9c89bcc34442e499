package main

import (
	"context"
	"fmt"
	"time"
)

// runBare runs a bare producer and a bare consumer.
func runBare(ctx context.Context, p programs, j job) (outcome, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	if err := j.system.create(ctx, j.system, j.destination); err != nil {
		return outcome{}, err
	}
	const ahead = time.Second // of the consumer, which must be there first
	length := j.warmup + j.measure + time.Second
	from := time.Now().Add(ahead + j.warmup)
	w := window{from, from.Add(j.measure)}
	loop := func(role string, length time.Duration) (*process, error) {
		return start(ctx, command{name: "bare-" + role, dir: j.dir, args: []string{p.self, "bare", role, j.system.name, j.address, j.destination,
			fmt.Sprint(j.load.rate), fmt.Sprint(j.load.size), length.String()}})
	}
	var loops pair
	defer func() { loops.kill() }()
	var err error
	if loops.consumer, err = loop("consumer", ahead+length); err != nil {
		return outcome{}, err
	}
	if err := pause(ctx, ahead); err != nil {
		return outcome{}, err
	}
	if loops.producer, err = loop("producer", length); err != nil {
		return outcome{}, err
	}
	for _, process := range []*process{loops.producer, loops.consumer} {
		if err := process.wait(ctx); err != nil {
			return outcome{}, err
		}
	}
	var o outcome
	sent, received := counted(loops.producer, bareCount), counted(loops.consumer, bareCount)
	o.sides(w, loops.producer, loops.consumer, sent.between(w), received.between(w))
	return o, nil
}

// counted is the total that a process told line by line.
func counted(p *process, read func(text string) (total float64, ok bool)) series {
	var s series
	lines, _ := p.output()
	for _, l := range lines {
		if total, ok := read(l.text); ok {
			s.add(l.at, total)
		}
	}
	return s
}

// pause waits, or returns the cause of ctx's end.
func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-time.After(d):
		return nil
	}
}
