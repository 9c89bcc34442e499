// Command stall checks DEC's latencies against a closed form: it stops a real
// broker with SIGSTOP for three seconds of a 30 s window at 1,000 messages/s and
// compares the measured p95 and p99 with what the stall must have given.
//
// It runs the product itself (dec run) and finds the broker by its run.
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"math"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"dec.local/dec/internal/experiment"
	"dec.local/dec/internal/measure"
)

const (
	rate    = 1000
	window  = 30 * time.Second
	warmup  = 10 * time.Second
	stalled = 3 * time.Second
)

var limit = flag.Float64("limit", 0.05, "share by which a measured quantile may differ from the closed form")

const plan = `{"name": "stall",
 "workload": {"load": {"rate": %d}, "message": {"size": 256}, "stages": {"warmup": "%s", "measure": "%s", "drain": "20s"}},
 "variants": [{"label": "%s", "technology": "%s", "stack": "%s"}], "repeat": 1}`

func main() {
	dec := flag.String("dec", "bin/dec", "the dec command")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	good := true
	for _, tech := range [][2]string{{"nats", "jetstream"}, {"kafka", "kraft"}} {
		ok, err := check(ctx, *dec, tech[0], tech[1])
		if err != nil {
			stop()
			fmt.Fprintln(os.Stderr, "stall:", err)
			os.Exit(1)
		}
		good = good && ok
	}
	if !good {
		os.Exit(1)
	}
}

// check stalls one technology's broker and compares.
func check(ctx context.Context, dec, technology, stack string) (bool, error) {
	dir, err := os.MkdirTemp("", "dec-stall-")
	if err != nil {
		return false, err
	}
	defer os.RemoveAll(dir)
	file := filepath.Join(dir, "plan.json")
	if err := os.WriteFile(file, fmt.Appendf(nil, plan, rate, warmup, window, technology, technology, stack), 0o600); err != nil {
		return false, err
	}
	ledger := filepath.Join(dir, "ledger")
	cmd := exec.CommandContext(ctx, dec, "run", file, "--json", "--data", filepath.Join(dir, "data"))
	cmd.Env = append(os.Environ(), "DEC_LOCAL_LEDGER="+ledger)
	var out bytes.Buffer
	cmd.Stdout = &out
	progress, err := cmd.StderrPipe()
	if err != nil {
		return false, err
	}
	if err := cmd.Start(); err != nil {
		return false, err
	}
	stallErr := stallAtMeasure(ctx, progress, ledger)
	if err := cmd.Wait(); err != nil {
		return false, fmt.Errorf("dec run: %w", err)
	}
	if stallErr != nil {
		return false, stallErr
	}
	return judge(technology, out.Bytes())
}

// stallAtMeasure reads the progress, and stops the broker ten seconds into the
// measure stage.
func stallAtMeasure(ctx context.Context, progress io.Reader, ledger string) error {
	var seen bytes.Buffer
	buf := make([]byte, 4096)
	done := make(chan error, 1)
	started := false
	for {
		n, err := progress.Read(buf)
		seen.Write(buf[:n])
		if !started && strings.Contains(seen.String(), "measure ") {
			started = true
			go func() { done <- stallBroker(ctx, ledger) }()
		}
		if err == io.EOF && started {
			return <-done
		} else if err != nil {
			return fmt.Errorf("the run never came to its measure stage:\n%s", seen.String())
		}
	}
}

func stallBroker(ctx context.Context, ledger string) error {
	select {
	case <-time.After(8 * time.Second):
	case <-ctx.Done():
		return ctx.Err()
	}
	folders, err := filepath.Glob(filepath.Join(ledger, "processes", "*", "child.json"))
	if err != nil {
		return err
	}
	for _, path := range folders {
		if strings.Contains(path, "-producer-") || strings.Contains(path, "-consumer-") {
			continue
		}
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		var child struct {
			PID int `json:"pid"`
		}
		if err := json.Unmarshal(data, &child); err != nil {
			return err
		}
		if err := syscall.Kill(child.PID, syscall.SIGSTOP); err != nil {
			return err
		}
		time.Sleep(stalled)
		return syscall.Kill(child.PID, syscall.SIGCONT)
	}
	return fmt.Errorf("no broker found below %s", ledger)
}

// judge compares a run's result with the closed form.
func judge(technology string, out []byte) (bool, error) {
	var report struct {
		Runs []struct {
			experiment.Run
			Result *measure.Merged `json:"result"`
		} `json:"runs"`
	}
	if err := json.Unmarshal(out, &report); err != nil {
		return false, err
	}
	run := report.Runs[0]
	if run.Result == nil {
		return false, fmt.Errorf("%s: no result: %s", technology, run.Reason)
	}
	r := run.Result
	drain := drainRate(r.Timeline)
	fmt.Printf("%s: %v stall, %d messages/s, %v window; released at %.0f messages/s\n", technology, stalled, rate, window, drain)
	good := run.Validity.OK
	for _, q := range []struct {
		name string
		q    float64
		got  *int64
	}{{"p95", 0.95, r.E2E.P95NS}, {"p99", 0.99, r.E2E.P99NS}} {
		want := measure.StallQuantile(q.q, stalled, window, rate, drain)
		if q.got == nil {
			return false, fmt.Errorf("%s: %s is absent", technology, q.name)
		}
		off := float64(*q.got)/float64(want) - 1
		good = good && math.Abs(off) <= *limit
		fmt.Printf("  end to end %s %v, closed form %v: %+.1f %%\n",
			q.name, time.Duration(*q.got).Round(time.Millisecond), want.Round(time.Millisecond), off*100)
	}
	fmt.Printf("  pacer lateness p99 %s, back-pressure wait max %v, unsent %d, lost %d, valid %t %v\n",
		text(r.Lateness.P99NS), text(r.Wait.MaxNS), r.Counts.Unsent, r.Counts.Lost, run.Validity.OK, run.Validity.Reasons)
	return good, nil
}

// drainRate is the highest rate at which messages arrived in a second: that of
// the release after the stall. It is at least the rate that second can show.
func drainRate(timeline []measure.Second) float64 {
	peak := int64(0)
	for _, s := range timeline {
		peak = max(peak, s.Counts.Received)
	}
	// The release of 3,000 held messages is over within one second, so the count
	// of that second is a lower bound only; an instant release is the limit.
	if float64(peak) > 2*rate {
		return math.Inf(1)
	}
	return float64(peak)
}

func text(ns *int64) string {
	if ns == nil {
		return "absent"
	}
	return time.Duration(*ns).String()
}
