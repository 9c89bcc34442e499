// Command client compares the CPU time of DEC's agents with that of a bare loop
// around the client library (franz-go, or the SDK of AWS): same broker, same
// client settings, same rate, one pre-made payload, no clock, no histogram, no
// accounting.
//
// It starts one Kafka broker, or one emulator of Kinesis, from the installed
// tools on one CPU, and runs agents and bare loops on another, in interleaved
// rounds. One bare loop sends
// in steps of a millisecond; the other wakes up as often as the agent's pacer
// does, so the difference between the two is the price of precise pacing.
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
)

// load is what both sides are given.
type load struct {
	rate            int
	size            int
	warmup, measure time.Duration
}

func main() {
	if len(os.Args) > 1 && os.Args[1] == "bare" {
		if err := bare(os.Args[2:]); err != nil {
			fail(err)
		}
		return
	}
	rounds := flag.Int("rounds", 7, "interleaved rounds")
	technology := flag.String("technology", "kafka", "kafka or kinesis")
	rate := flag.Int("rate", 20_000, "messages per second")
	size := flag.Int("size", 1024, "payload bytes")
	measure := flag.Duration("measure", 15*time.Second, "measured time of each side")
	tools := flag.String("tools", ".tools", "folder of the installed tools")
	agent := flag.String("agent", "bin/dec-agent", "the agent")
	flag.Parse()

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	l := load{rate: *rate, size: *size, warmup: 5 * time.Second, measure: *measure}
	if err := compare(ctx, place{*technology, *tools, *agent}, l, *rounds); err != nil {
		stop()
		fail(err)
	}
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, "client:", err)
	os.Exit(1)
}

// place is where both sides find what they run.
type place struct{ technology, tools, agent string }

func compare(ctx context.Context, p place, l load, rounds int) error {
	system, ok := systems[p.technology]
	if !ok {
		return fmt.Errorf("no technology %q; there are kafka and kinesis", p.technology)
	}
	dir, err := os.MkdirTemp("", "dec-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	broker, err := system.start(ctx, p.tools, dir)
	if err != nil {
		return err
	}
	defer broker.stop()

	fmt.Printf("%s, %d messages/s of %d bytes, %s each, %d interleaved rounds; CPU seconds per second of load, producer + consumer\n",
		p.technology, l.rate, l.size, l.measure, rounds)
	fmt.Printf("%5s  %17s  %17s  %17s  %7s  %9s\n", "round", "agents", "bare, 1 ms steps", "bare, paced alike", "to bare", "to paced")
	var coarse, paced []float64
	for round := range rounds {
		sides := []func() (usage, error){
			func() (usage, error) {
				return agents(ctx, side{p, dir, fmt.Sprintf("agents-%d", round), broker.endpoints, l})
			},
			func() (usage, error) {
				return bareLoops(ctx, []string{p.technology, "steps", broker.address, fmt.Sprintf("steps-%d", round)}, l)
			},
			func() (usage, error) {
				return bareLoops(ctx, []string{p.technology, "paced", broker.address, fmt.Sprintf("paced-%d", round)}, l)
			},
		}
		used := make([]usage, len(sides))
		for i := range sides { // who goes first alternates
			k := (i + round) % len(sides)
			if used[k], err = sides[k](); err != nil {
				return err
			}
		}
		coarse = append(coarse, used[0].total()/used[1].total())
		paced = append(paced, used[0].total()/used[2].total())
		fmt.Printf("%5d  %17s  %17s  %17s  %7.2f  %9.2f\n",
			round+1, used[0].per(l.measure), used[1].per(l.measure), used[2].per(l.measure), coarse[round], paced[round])
	}
	fmt.Printf("agents to bare loop in steps of 1 ms: %s\nagents to bare loop paced alike:      %s\n", spread(coarse), spread(paced))
	return nil
}

// spread is the median of ratios with their range.
func spread(ratios []float64) string {
	slices.Sort(ratios)
	return fmt.Sprintf("median %.2f (%.2f to %.2f)", ratios[len(ratios)/2], ratios[0], ratios[len(ratios)-1])
}

// usage is CPU seconds in the measured time.
type usage struct{ producer, consumer float64 }

func (u usage) total() float64 { return u.producer + u.consumer }

// per is the usage per second of load.
func (u usage) per(length time.Duration) string {
	return fmt.Sprintf("%.3f + %.3f", u.producer/length.Seconds(), u.consumer/length.Seconds())
}

func (u *usage) add(role string, seconds float64) {
	if role == "producer" {
		u.producer += seconds
	} else {
		u.consumer += seconds
	}
}

// pinned runs a command on the second CPU, where there is one.
func pinned(ctx context.Context, cpu string, args ...string) *exec.Cmd {
	if _, err := exec.LookPath("taskset"); err == nil {
		args = append([]string{"taskset", "-c", cpu}, args...)
	}
	cmd := exec.CommandContext(ctx, args[0], args[1:]...)
	cmd.Stderr = os.Stderr
	return cmd
}

// bareLoops runs a bare producer and a bare consumer and returns the CPU
// seconds that both used in the measured time. What is the technology, the pace,
// the broker's address and the destination.
func bareLoops(ctx context.Context, what []string, l load) (usage, error) {
	self, err := os.Executable()
	if err != nil {
		return usage{}, err
	}
	type answer struct {
		role string
		used float64
		err  error
	}
	answers := make(chan answer, 2)
	for _, role := range []string{"consumer", "producer"} {
		go func() {
			args := append([]string{self, "bare", role}, what...)
			cmd := pinned(ctx, "1", append(args, strconv.Itoa(l.rate), strconv.Itoa(l.size), l.warmup.String(), l.measure.String())...)
			out, err := cmd.Output()
			used, parseErr := strconv.ParseFloat(strings.TrimSpace(string(out)), 64)
			if err == nil {
				err = parseErr
			}
			answers <- answer{role, used, err}
		}()
	}
	var total usage
	for range 2 {
		a := <-answers
		if a.err != nil {
			return usage{}, fmt.Errorf("bare loop: %w", a.err)
		}
		total.add(a.role, a.used)
	}
	return total, nil
}

// broker is what both sides send to.
type broker struct {
	address   string          // for bare loops
	endpoints json.RawMessage // for the driver
	cmd       *exec.Cmd
}

// startBroker runs a command on the first CPU, its output in a file.
func startBroker(dir, address string, endpoints json.RawMessage, args ...string) (*broker, error) {
	log, err := os.Create(filepath.Join(dir, "broker.log"))
	if err != nil {
		return nil, err
	}
	defer log.Close()
	cmd := pinned(context.Background(), "0", args...)
	cmd.Stdout, cmd.Stderr = log, log
	cmd.Dir = dir
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	return &broker{address: address, endpoints: endpoints, cmd: cmd}, nil
}

func (b *broker) stop() {
	_ = b.cmd.Process.Kill() // throw-away data
	_ = b.cmd.Wait()         // killed: always an error
}
