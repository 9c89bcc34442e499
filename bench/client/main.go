// Command client compares the CPU time of DEC's agents with that of a bare
// franz-go loop: same broker, same client settings, same rate, one pre-made
// payload, no clock, no histogram, no accounting.
//
// It starts one Kafka broker from the installed tools on one CPU, and runs
// agents and bare loops on another, in interleaved rounds. One bare loop sends
// in steps of a millisecond; the other wakes up as often as the agent's pacer
// does, so the difference between the two is the price of precise pacing.
package main

import (
	"context"
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
	rate := flag.Int("rate", 20_000, "messages per second")
	size := flag.Int("size", 1024, "payload bytes")
	measure := flag.Duration("measure", 15*time.Second, "measured time of each side")
	tools := flag.String("tools", ".tools", "folder of the installed tools")
	agent := flag.String("agent", "bin/dec-agent", "the agent")
	flag.Parse()

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	l := load{rate: *rate, size: *size, warmup: 5 * time.Second, measure: *measure}
	if err := compare(ctx, *tools, *agent, l, *rounds); err != nil {
		stop()
		fail(err)
	}
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, "client:", err)
	os.Exit(1)
}

func compare(ctx context.Context, tools, agent string, l load, rounds int) error {
	dir, err := os.MkdirTemp("", "dec-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	broker, err := startKafka(ctx, tools, dir)
	if err != nil {
		return err
	}
	defer broker.stop()

	fmt.Printf("%d messages/s of %d bytes, %s each, %d interleaved rounds; CPU seconds per second of load, producer + consumer\n", l.rate, l.size, l.measure, rounds)
	fmt.Printf("%5s  %17s  %17s  %17s  %7s  %9s\n", "round", "agents", "bare, 1 ms steps", "bare, paced alike", "to bare", "to paced")
	var coarse, paced []float64
	for round := range rounds {
		sides := []func() (usage, error){
			func() (usage, error) {
				return agents(ctx, side{agent, dir, fmt.Sprintf("agents-%d", round), broker.address, l})
			},
			func() (usage, error) {
				return bareLoops(ctx, "steps", broker.address, fmt.Sprintf("steps-%d", round), l)
			},
			func() (usage, error) {
				return bareLoops(ctx, "paced", broker.address, fmt.Sprintf("paced-%d", round), l)
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
		fmt.Printf("%5d  %17s  %17s  %17s  %7.2f  %9.2f\n", round+1, used[0].per(l.measure), used[1].per(l.measure), used[2].per(l.measure), coarse[round], paced[round])
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
// seconds that both used in the measured time.
func bareLoops(ctx context.Context, pace, broker, topic string, l load) (usage, error) {
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
			cmd := pinned(ctx, "1", self, "bare", role, pace, broker, topic,
				strconv.Itoa(l.rate), strconv.Itoa(l.size), l.warmup.String(), l.measure.String())
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

// kafka is one broker of the installed Kafka.
type kafka struct {
	address string
	cmd     *exec.Cmd
}

func startKafka(ctx context.Context, tools, dir string) (*kafka, error) {
	homes, err := filepath.Glob(filepath.Join(tools, "artifacts", "kafka", "*", "lib"))
	if err != nil || len(homes) == 0 {
		return nil, fmt.Errorf("no Kafka below %s: run make setup", tools)
	}
	config := filepath.Join(dir, "server.properties")
	data := filepath.Join(dir, "kafka")
	lines := []string{
		"process.roles=broker,controller", "node.id=1", "controller.quorum.voters=1@127.0.0.1:19093",
		"controller.listener.names=CONTROLLER", "listeners=PLAINTEXT://127.0.0.1:19092,CONTROLLER://127.0.0.1:19093",
		"listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
		"offsets.topic.replication.factor=1", "log.dirs=" + data, "log.retention.bytes=268435456", "log.segment.bytes=67108864",
	}
	if err := os.WriteFile(config, []byte(strings.Join(lines, "\n")+"\n"), 0o600); err != nil {
		return nil, err
	}
	classpath := filepath.Join(homes[0], "*")
	if out, err := exec.CommandContext(ctx, "java", "-cp", classpath, "kafka.tools.StorageTool", "format", "-c", config, "-t", "AAAAAAAAAAAAAAAAAAAAAA").CombinedOutput(); err != nil {
		return nil, fmt.Errorf("format: %w\n%s", err, out)
	}
	log, err := os.Create(filepath.Join(dir, "kafka.log"))
	if err != nil {
		return nil, err
	}
	defer log.Close()
	cmd := pinned(context.WithoutCancel(ctx), "0", "java", "-Xmx512m", "-cp", classpath, "kafka.Kafka", config)
	cmd.Stdout, cmd.Stderr = log, log
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	return &kafka{address: "127.0.0.1:19092", cmd: cmd}, nil
}

func (k *kafka) stop() {
	_ = k.cmd.Process.Kill() // throw-away data
	_ = k.cmd.Wait()         // killed: always an error
}
