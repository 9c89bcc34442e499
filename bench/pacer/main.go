// Command pacer measures how late the pacer's thread wakes up on this machine,
// and what processor time that costs, without sending anything.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"dec.local/dec/internal/measure"
	"dec.local/dec/internal/pacing"
)

func main() {
	rates := flag.String("rates", "1000,10000,20000", "messages per second, one measurement each")
	length := flag.Duration("for", 5*time.Second, "length of each measurement")
	gap := flag.Duration("gap", pacing.DefaultMinGap, "least time between two wake-ups")
	timer := flag.Bool("timer", false, "use Go's timers instead, to compare")
	flag.Parse()
	if err := run(strings.Split(*rates, ","), *length, *gap, *timer); err != nil {
		fmt.Fprintln(os.Stderr, "pacer:", err)
		os.Exit(1)
	}
}

// sleeper waits; see [pacing.Thread].
type sleeper interface {
	Now() int64
	SleepUntil(ctx context.Context, at int64) (int64, error)
}

func run(rates []string, length, gap time.Duration, timer bool) error {
	anchor := pacing.NewAnchor()
	thread, err := pacing.Lock(anchor)
	if err != nil {
		return err
	}
	defer thread.Close()
	thread.MinGap = gap
	var clock sleeper = thread
	name := pacing.TimerName + ", gap " + gap.String()
	if timer {
		clock, name = pacing.Timer{Anchor: anchor}, "Go timer"
	}
	fmt.Printf("lateness with %s\n%10s %12s %12s %12s %8s\n", name, "rate/s", "p50", "p99", "max", "CPU")
	for _, text := range rates {
		rate, err := strconv.ParseFloat(text, 64)
		if err != nil {
			return fmt.Errorf("rate: %w", err)
		}
		late := measure.NewHistogram()
		cpu, start := cpuTime(), clock.Now()
		if err := pacing.CheckLateness(context.Background(), clock, rate, length, late.Record); err != nil {
			return err
		}
		share := float64(cpuTime()-cpu) / float64(clock.Now()-start)
		l := late.Summary()
		fmt.Printf("%10s %12s %12s %12s %7.1f%%\n", text, show(l.P50NS), show(l.P99NS), show(l.MaxNS), 100*share)
	}
	return nil
}

func show(ns *int64) string {
	if ns == nil {
		return "too few"
	}
	return time.Duration(*ns).Round(time.Microsecond).String()
}

// cpuTime is the processor time of this process in nanoseconds.
func cpuTime() int64 {
	var use unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &use); err != nil {
		return 0
	}
	return use.Utime.Nano() + use.Stime.Nano()
}
