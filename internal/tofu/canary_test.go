package tofu_test

import (
	"archive/zip"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	natsgo "github.com/nats-io/nats.go"

	"dec.local/dec/internal/experiment"
	"dec.local/dec/internal/measure"
	"dec.local/dec/internal/rendezvous"
	"dec.local/dec/internal/tofu"
	"dec.local/dec/technology"
	"dec.local/dec/technology/nats"
)

// TestNoFileHoldsASecret measures a real broker that asks for a password, with
// real agents, which are given credentials of the bucket, too. The secrets are in
// the files of the running services, the password is in force, and they are
// nowhere else: not in root module, plan, state, journal, records, ledger, bucket
// or saved logs.
func TestNoFileHoldsASecret(t *testing.T) {
	o, log := localOptions(t)
	o.Stacks, o.Artifacts = technology.Stacks, []string{filepath.Join(repository(t), ".tools", "artifacts"), t.TempDir()}
	build(t, filepath.Join(o.Artifacts[1], "dec-agent", "test", "dec-agent"), "./cmd/dec-agent")
	secrets := map[string]json.RawMessage{"password": json.RawMessage(`"` + canary + `"`)}
	tests := map[string]map[string]json.RawMessage{"destroyed with it": secrets, "destroyed without it": nil}
	for name, atDestroy := range tests {
		t.Run(name, func(t *testing.T) {
			o.Dir, o.Targets = filepath.Join(t.TempDir(), "runs"), localTarget(t)
			r := newRunner(t, o)
			bucket := t.TempDir()
			j := secretJob(t, secrets, bucket)
			t.Cleanup(func() { // whatever fails, no process is left
				if err := r.Destroy(context.WithoutCancel(t.Context()), tofu.Teardown{Run: j.Run, Target: j.Target}, nil); err != nil {
					t.Logf("Destroy() = %v", err)
				}
			})
			out, err := r.Provision(t.Context(), j, nil)
			if err != nil {
				t.Fatalf("Provision() = %v", err)
			}
			asksFor(t, out.Endpoints, secrets)
			work := func(service, file string) string {
				return filepath.Join(ledgerOf(o), "processes", j.Run+"-"+service, "work", file)
			}
			want := []string{
				work("consumer-0", tofu.AgentBucketFile), work("consumer-0", tofu.AgentSecretsFile),
				work("producer-0", tofu.AgentBucketFile), work("producer-0", tofu.AgentSecretsFile), work("server-0", "password.conf"),
			}
			if diff := cmp.Diff(want, holding(t, o.Dir, ledgerOf(o), bucket)); diff != "" {
				t.Errorf("files with the secret while the services run (-want +got):\n%s", diff)
			}
			for _, file := range want {
				if info, err := os.Stat(file); err != nil || info.Mode() != 0o600 {
					t.Errorf("%s: %v, %v, want mode 0600", file, info, err)
				}
			}
			measures(t, bucket, j.Run, out.Endpoints)
			if err := r.Destroy(t.Context(), tofu.Teardown{Run: j.Run, Target: j.Target, Secrets: atDestroy}, nil); err != nil {
				t.Fatalf("Destroy() = %v", err)
			}
			if files := holding(t, o.Dir, ledgerOf(o), bucket); len(files) > 0 {
				t.Errorf("%q hold the secret after the destroy", files)
			}
			if recorded := fmt.Sprintf("%+v", log); bytes.Contains([]byte(recorded), []byte(canary)) {
				t.Error("what was recorded of the attempts holds the secret")
			}
		})
	}
}

// load is a short one.
var load = experiment.Workload{
	Topology: experiment.Topology{Partitions: 1, Replicas: 1, Producers: 1, ConsumerGroups: 1, ConsumersPerGroup: 1, ProducerNodes: 1, ConsumerNodes: 1},
	Load:     experiment.Load{Rate: 500, Arrivals: experiment.ArrivalsUniform, MaxInFlight: 1000},
	Message:  experiment.Message{Size: experiment.Size{Min: 100, Max: 100}},
	Stages: experiment.Stages{
		Warmup: experiment.Duration(100 * time.Millisecond), Measure: experiment.Duration(time.Second), Drain: experiment.Duration(time.Minute),
	},
	Retention: 64 << 20,
	Seed:      42,
}

// secretJob is a server with a password, and agents for the load.
func secretJob(t *testing.T, secrets map[string]json.RawMessage, bucket string) tofu.Job {
	t.Helper()
	j := job(t, nil)
	j.Technology, j.Stack, j.Target, j.Secrets, j.Logs = "nats", "jetstream", "local", secrets, filepath.Join(bucket, "logs")
	j.Bucket = json.RawMessage(`{"access_key_id": "AKIATEST", "secret_access_key": "` + canary + `"}`)
	j.AgentGroups, j.Agents = map[string]tofu.Group{}, map[string]tofu.Service{}
	for id, share := range rendezvous.Shares(load) {
		j.AgentGroups[share.Role] = tofu.Group{Count: 1, Role: "agent"}
		j.Agents[id] = tofu.Service{
			Group: share.Role, Command: []string{"./dec-agent/dec-agent", "run"}, Lifetime: "task",
			Artifacts:   map[string]string{"dec-agent": "dec-agent@test"},
			Environment: map[string]string{"DEC_BUCKET": "file://" + bucket, "DEC_RUN": j.Run, "DEC_AGENT": id},
		}
	}
	return j
}

// measures lets the agents do their part, for which they need the password.
func measures(t *testing.T, dir, run string, endpoints json.RawMessage) {
	t.Helper()
	bucket, err := rendezvous.OpenBucket(t.Context(), "file://"+dir)
	if err != nil {
		t.Fatal(err)
	}
	defer bucket.Close()
	c := rendezvous.New(rendezvous.Options{Bucket: bucket, Run: run})
	plan := rendezvous.Plan{
		Run: run, Technology: "nats", Destination: "dec", Endpoints: endpoints, Workload: load, Agents: rendezvous.Shares(load),
	}
	if err := c.WritePlan(t.Context(), plan); err != nil {
		t.Fatal(err)
	}
	if err := c.AwaitReady(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Begin(t.Context(), 500*time.Millisecond); err != nil {
		t.Fatal(err)
	}
	if err := c.Follow(t.Context(), func(measure.Second) {}); err != nil {
		t.Fatal(err)
	}
	if result, _, err := c.Collect(t.Context(), nil); err != nil || result.Counts.Received != 500 {
		t.Errorf("Collect() = %+v, %v, want 500 messages received", result.Counts, err)
	}
}

// asksFor wants a server to let in who has the secrets, and nobody else.
func asksFor(t *testing.T, endpoints json.RawMessage, secrets map[string]json.RawMessage) {
	t.Helper()
	wrong := map[string]json.RawMessage{"password": json.RawMessage(`"wrong-password"`)}
	for _, given := range []map[string]json.RawMessage{nil, wrong} {
		if _, err := nats.Technology.Open(t.Context(), endpoints, technology.Settings{Destination: "d", Secrets: given}); !errors.Is(err, natsgo.ErrAuthorization) {
			t.Errorf("Open(%s) = %v, want %v", given, err, natsgo.ErrAuthorization)
		}
	}
	driver, err := nats.Technology.Open(t.Context(), endpoints, technology.Settings{Destination: "d", Secrets: secrets})
	if err != nil {
		t.Fatalf("Open() with the password = %v", err)
	}
	if err := driver.Close(); err != nil {
		t.Errorf("Close() = %v", err)
	}
}

// holding returns the files below folders that hold the canary.
func holding(t *testing.T, folders ...string) []string {
	t.Helper()
	return holdingText(t, canary, folders...)
}

// holdingText returns the files below folders that hold a text, also packed
// ones: a plan is a zip file.
func holdingText(t *testing.T, text string, folders ...string) []string {
	t.Helper()
	var files []string
	look := func(name string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.Type().IsRegular() {
			return err
		}
		data, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		if packed, err := zip.NewReader(bytes.NewReader(data), int64(len(data))); err == nil {
			data = unpack(t, packed)
		}
		if bytes.Contains(data, []byte(text)) {
			files = append(files, name)
		}
		return nil
	}
	for _, folder := range folders {
		if err := filepath.WalkDir(folder, look); err != nil {
			t.Fatal(err)
		}
	}
	slices.Sort(files)
	return files
}

// unpack returns the content of all files of a zip file.
func unpack(t *testing.T, packed *zip.Reader) []byte {
	t.Helper()
	var all []byte
	for _, file := range packed.File {
		reader, err := file.Open()
		if err != nil {
			t.Fatal(err)
		}
		data, err := io.ReadAll(reader)
		if err := errors.Join(err, reader.Close()); err != nil {
			t.Fatal(err)
		}
		all = append(all, data...)
	}
	return all
}
