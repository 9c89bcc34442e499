package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"

	"dec.local/dec/internal/experiment"
	"dec.local/dec/internal/measure"
	"dec.local/dec/internal/rendezvous"
	"dec.local/dec/technology/all"
)

// asAgent makes the test binary the agent itself.
const asAgent = "DEC_AGENT_TEST"

func TestMain(m *testing.M) {
	if os.Getenv(asAgent) != "" {
		main()
	}
	os.Exit(m.Run())
}

// password is what the broker asks for.
const password = "a password, as a user gives it"

// command is the agent with these arguments and variables, and no others.
func command(ctx context.Context, env []string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, os.Args[0], args...)
	cmd.Env = append([]string{asAgent + "=1"}, env...)
	return cmd
}

func TestCommandSaysWhatIsWrong(t *testing.T) {
	tests := map[string]struct {
		args []string
		env  []string
		code int
		want string
	}{
		"no command":                       {nil, nil, 2, "dec-agent run"},
		"an unknown command":               {[]string{"walk"}, nil, 2, `unknown command "walk"`},
		"no bucket":                        {[]string{"run"}, nil, 2, "DEC_BUCKET is not set"},
		"no agent":                         {[]string{"run"}, []string{"DEC_BUCKET=file:///nowhere", "DEC_RUN=r1"}, 2, "DEC_AGENT is not set"},
		"a clock that is ahead by no time": {[]string{"certify-agent"}, []string{"DEC_CLOCK_AHEAD=much"}, 2, "DEC_CLOCK_AHEAD"},
		"a bucket elsewhere":               {[]string{"run"}, []string{"DEC_BUCKET=ftp://a/b", "DEC_RUN=r1", "DEC_AGENT=producer-0"}, 1, `starts with "ftp"; use s3://`},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			out, _ := command(t.Context(), tt.env, tt.args...).CombinedOutput()
			if !strings.Contains(string(out), tt.want) {
				t.Errorf("dec-agent %v printed %q, want %q", tt.args, out, tt.want)
			}
			cmd := command(t.Context(), tt.env, tt.args...)
			_ = cmd.Run()
			if got := cmd.ProcessState.ExitCode(); got != tt.code {
				t.Errorf("dec-agent %v ended with %d, want %d", tt.args, got, tt.code)
			}
		})
	}
}

// TestCommandRunsThePrograms starts what technologies add, without telling it
// what to do, and stops what waits nevertheless.
func TestCommandRunsThePrograms(t *testing.T) {
	help, err := command(t.Context(), nil, "help").Output()
	if err != nil {
		t.Fatal(err)
	}
	for _, technology := range all.Technologies() {
		for _, program := range technology.Programs {
			t.Run(program.Name, func(t *testing.T) {
				if !bytes.Contains(help, []byte("dec-agent "+program.Name+"\n")) {
					t.Errorf("dec-agent help does not list %s:\n%s", program.Name, help)
				}
				cmd := command(t.Context(), nil, program.Name)
				cmd.Dir = t.TempDir()
				stderr, err := cmd.StderrPipe()
				if err != nil {
					t.Fatal(err)
				}
				if err := cmd.Start(); err != nil {
					t.Fatal(err)
				}
				// It says what is missing, or that it is ready.
				line, err := bufio.NewReader(stderr).ReadString('\n')
				if err := cmd.Process.Signal(syscall.SIGTERM); err != nil && !errors.Is(err, os.ErrProcessDone) {
					t.Error(err)
				}
				_ = cmd.Wait()
				if err != nil || strings.Contains(line, "unknown command") {
					t.Errorf("dec-agent %s printed %q, %v, want the program to run", program.Name, line, err)
				}
			})
		}
	}
}

func TestCommandPrintsItsVersion(t *testing.T) {
	out, err := command(t.Context(), nil, "version").Output()
	if err != nil || len(bytes.TrimSpace(out)) == 0 {
		t.Errorf("dec-agent version = %q, %v, want a version", out, err)
	}
}

// TestCommandStoppedFromOutsideSaysSo stops an agent that waits for its plan.
func TestCommandStoppedFromOutsideSaysSo(t *testing.T) {
	bucketURL, folder, _ := newRun(t)
	cmd := command(t.Context(), agentEnv(bucketURL, "producer-0"), "run")
	stderr, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	// The agent reports before it looks for its plan.
	if _, err := stderr.Read(make([]byte, 1)); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait()
	if got := cmd.ProcessState.ExitCode(); got != 1 {
		t.Errorf("a stopped agent ended with %d, want 1", got)
	}
	var failed rendezvous.Failed
	if err := folder.Get(t.Context(), rendezvous.FailedObject("producer-0"), &failed); err != nil || !strings.HasPrefix(failed.Reason, "stopped: terminated") {
		t.Errorf("failed.json = %+v, %v, want the signal", failed, err)
	}
}

func agentEnv(bucketURL, id string) []string {
	return []string{"DEC_BUCKET=" + bucketURL, "DEC_RUN=r1", "DEC_AGENT=" + id}
}

// newRun returns a new bucket, the run's folder in it and its server.
func newRun(t *testing.T) (bucketURL string, _ rendezvous.Folder, _ *rendezvous.Coordinator) {
	t.Helper()
	bucketURL = "file://" + t.TempDir()
	bucket, err := rendezvous.OpenBucket(t.Context(), bucketURL)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { bucket.Close() })
	return bucketURL, rendezvous.NewFolder(bucket, "r1"), rendezvous.New(rendezvous.Options{Bucket: bucket, Run: "r1"})
}

// secretsFolder makes a working folder with the secrets of a run.
func secretsFolder(t *testing.T, content string) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "secrets.json"), []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return dir
}

func TestCommandTellsNoSecret(t *testing.T) {
	for _, content := range []string{`{"password": "canary`, `["canary"]`} {
		cmd := command(t.Context(), agentEnv("file://"+t.TempDir(), "producer-0"), "run")
		cmd.Dir = secretsFolder(t, content)
		out, err := cmd.CombinedOutput()
		if err == nil || !strings.Contains(string(out), "secrets.json is not a JSON object") || strings.Contains(string(out), "canary") {
			t.Errorf("dec-agent run with the secrets %s printed %q, %v, want that they are no object, and not the secrets", content, out, err)
		}
	}
}

// TestAgentsMeasureARealBroker runs four agents, each a process of its own,
// against a NATS server that asks for a password: every message is accounted
// for.
func TestAgentsMeasureARealBroker(t *testing.T) {
	bucketURL, _, coordinator := newRun(t)
	w := experiment.Workload{
		Require: experiment.Require{ProducerAck: "leader"},
		Topology: experiment.Topology{
			Partitions: 3, Replicas: 1, Producers: 2, ConsumerGroups: 2, ConsumersPerGroup: 2, ProducerNodes: 2, ConsumerNodes: 2,
		},
		Load:    experiment.Load{Rate: 500, Arrivals: experiment.ArrivalsUniform, MaxInFlight: 1000},
		Message: experiment.Message{Size: experiment.Size{Min: 100, Max: 2000}, Key: experiment.Key{Kind: experiment.KeyUniform, Cardinality: 100}},
		Stages: experiment.Stages{
			Warmup: experiment.Duration(500 * time.Millisecond), Measure: experiment.Duration(time.Second), Drain: experiment.Duration(time.Minute),
		},
		Retention: 1 << 30,
		Seed:      42,
	}
	plan := rendezvous.Plan{
		Run: "r1", Technology: "nats", Destination: "dec", Endpoints: startNATS(t), Workload: w, Agents: rendezvous.Shares(w),
	}
	if err := coordinator.WritePlan(t.Context(), plan); err != nil {
		t.Fatal(err)
	}
	var agents sync.WaitGroup
	folder := secretsFolder(t, `{"password": "`+password+`"}`)
	for id := range plan.Agents {
		agents.Go(func() {
			cmd := command(t.Context(), agentEnv(bucketURL, id), "run")
			cmd.Dir = folder
			if out, err := cmd.CombinedOutput(); err != nil {
				t.Errorf("agent %s: %v\n%s", id, err, out)
			}
		})
	}
	result := measureRun(t, coordinator)
	agents.Wait()

	c := result.Counts
	want := measure.Counts{Offered: 500, Sent: 500, Acked: 500, Received: 1000, Bytes: c.Bytes}
	if c != want {
		t.Errorf("Counts = %+v, want %+v", c, want)
	}
	if len(result.Agents) != 4 || len(result.Groups) != 2 || result.Guarantees == nil {
		t.Errorf("%d agents, %d groups, guarantees %s: want 4, 2 and some", len(result.Agents), len(result.Groups), result.Guarantees)
	}
}

// measureRun is the server's part of the run.
func measureRun(t *testing.T, c *rendezvous.Coordinator) measure.Result {
	t.Helper()
	ctx := t.Context()
	if err := c.AwaitReady(ctx); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Begin(ctx, 500*time.Millisecond); err != nil {
		t.Fatal(err)
	}
	if err := c.Follow(ctx, func(measure.Second) {}); err != nil {
		t.Fatal(err)
	}
	result, _, err := c.Collect(ctx, nil)
	if err != nil {
		t.Fatal(err)
	}
	return result
}

// startNATS starts a server in this process and returns its endpoints.
func startNATS(t *testing.T) json.RawMessage {
	t.Helper()
	s, err := server.NewServer(&server.Options{
		Host: "127.0.0.1", Port: server.RANDOM_PORT, HTTPHost: "127.0.0.1", HTTPPort: server.RANDOM_PORT,
		JetStream: true, StoreDir: t.TempDir(), NoLog: true, NoSigs: true,
		Username: "dec", Password: password,
	})
	if err != nil {
		t.Fatal(err)
	}
	s.Start()
	t.Cleanup(func() {
		s.Shutdown()
		s.WaitForShutdown()
	})
	if !s.ReadyForConnections(30 * time.Second) {
		t.Fatal("the NATS server is not ready after 30 s")
	}
	monitor := url.URL{Scheme: "http", Host: s.MonitorAddr().String()}
	endpoints, err := json.Marshal(map[string]any{
		"servers": []string{s.ClientURL()}, "monitors": []string{monitor.String()}, "storage": "file",
	})
	if err != nil {
		t.Fatal(err)
	}
	return endpoints
}
