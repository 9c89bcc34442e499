// Command sse measures what many subscribers of server-sent events cost the
// server: its CPU time and memory while each of them gets one snapshot a second
// of a run, and every stored event, over real connections with tokens.
//
// The server is a process of its own (this program with the argument "serve"),
// made of DEC's guard and hub; the subscribers are all in this one. Each checks
// that no stored event is missing or comes twice.
package main

import (
	"bufio"
	"context"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"strings"
	"time"
)

// load is what the server has to do.
type load struct {
	subscribers int
	events      int           // stored events per second
	length      time.Duration // measured
}

func main() {
	if len(os.Args) == 2 && os.Args[1] == "serve" {
		if err := serve(); err != nil {
			fail(err)
		}
		return
	}
	var l load
	flag.IntVar(&l.subscribers, "subscribers", 500, "connections")
	flag.IntVar(&l.events, "events", 5, "stored events per second, beside one snapshot")
	flag.DurationVar(&l.length, "for", 30*time.Second, "length of the measurement")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := measureServer(ctx, l); err != nil {
		stop()
		fail(err)
	}
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, "sse:", err)
	os.Exit(1)
}

// measureServer starts the server and the subscribers, and prints what the
// server used.
func measureServer(ctx context.Context, l load) error {
	server, address, err := startServer(ctx, l.events)
	if err != nil {
		return err
	}
	defer server.Wait()
	defer server.Process.Kill()
	pid := server.Process.Pid
	alone, err := usageOf(pid)
	if err != nil {
		return err
	}
	subscribers, err := connect(ctx, address, l.subscribers)
	if err != nil {
		return err
	}
	defer subscribers.leave()
	if err := wait(ctx, 2*time.Second); err != nil { // connecting is over
		return err
	}
	before, err := usageOf(pid)
	if err != nil {
		return err
	}
	seen, began := subscribers.seen(), time.Now()
	if err := wait(ctx, l.length); err != nil {
		return err
	}
	after, err := usageOf(pid)
	if err != nil {
		return err
	}
	elapsed := time.Since(began).Seconds()
	frames := subscribers.seen() - seen
	if err := subscribers.leave(); err != nil {
		return err
	}
	fmt.Printf("%d subscribers, 1 snapshot/s and %d events/s, %.0f s\n", l.subscribers, l.events, elapsed)
	fmt.Printf("CPU of the server    %.1f %% of one core\n", 100*(after.cpu-before.cpu).Seconds()/elapsed)
	fmt.Printf("memory of the server %.1f MiB; %.1f MiB without subscribers; %.1f KiB each\n",
		mib(after.rss), mib(alone.rss), float64(after.rss-alone.rss)/1024/float64(l.subscribers))
	fmt.Printf("frames               %d, that is %.1f/s for each; no event missing or twice\n",
		frames, float64(frames)/elapsed/float64(l.subscribers))
	fmt.Printf("delay of events      %s\n", subscribers.delays())
	return nil
}

// startServer starts this program as the server; it ends with its standard input.
func startServer(ctx context.Context, events int) (*exec.Cmd, string, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, "", err
	}
	cmd := exec.CommandContext(ctx, self, "serve")
	cmd.Env = append(os.Environ(), fmt.Sprintf("%s=%d", eventsVariable, events))
	cmd.Stderr = os.Stderr
	if _, err := cmd.StdinPipe(); err != nil {
		return nil, "", err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, "", err
	}
	if err := cmd.Start(); err != nil {
		return nil, "", fmt.Errorf("start the server: %w", err)
	}
	address, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		cmd.Process.Kill()
		cmd.Wait()
		return nil, "", fmt.Errorf("read the server's address: %w", err)
	}
	return cmd, strings.TrimSpace(address), nil
}

func wait(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-time.After(d):
		return nil
	}
}

func mib(bytes int64) float64 { return float64(bytes) / (1 << 20) }
