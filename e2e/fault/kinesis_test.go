package fault

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"dec.local/dec/internal/comparison"
	"dec.local/dec/internal/experiment"
	"dec.local/dec/internal/measure"
	"dec.local/dec/internal/mototest"
	"dec.local/dec/internal/rendezvous"
	"dec.local/dec/technology/technologytest"
)

const kinesisVariant = `{"label": "kinesis", "technology": "kinesis", "stack": "emulator"}`

// many is for e2e/long.
var many = flag.Bool("many", false, "offer 100,000 messages where they are counted, on an idle machine")

// TestKinesisDeliversEachMessageOnceAndInOrder offers keyed messages in each mode. What
// an emulator cannot take on a busy machine is unsent, and the account says so.
func TestKinesisDeliversEachMessageOnceAndInOrder(t *testing.T) {
	tests := map[string]struct {
		options  map[string]any
		messages int64
		rate     int64 // what the emulator can take
		shards   int
		client   string // client_config
	}{
		"polling": {map[string]any{"engine": "kinesalite"}, 30_000, 1000, 4, "{}"},
		// This emulator gets slower with the records of a shard, and takes few
		// requests, however many records each has.
		"enhanced fan-out": {map[string]any{"engine": "kinesis-local", "consumers": "enhanced_fan_out"}, 10_000, 250, 32,
			`{"linger_ms": 500, "request_timeout_ms": 60000}`},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if *many {
				tt.messages, tt.rate = 100_000, 2*tt.rate
			}
			r := run{
				id:        experiment.NewID("r"),
				variant:   fmt.Sprintf(`{"label": "kinesis", "technology": "kinesis", "stack": "emulator", "client_config": %s}`, tt.client),
				endpoints: technologytest.Start(t, "kinesis", "emulator", tt.options),
				workload: fmt.Sprintf(`{"topology": {"partitions": %d}, "load": {"rate": %d}, "message": {"size": "100B", "key": {"uniform": {"cardinality": 1000}}},
					"stages": {"warmup": "1s", "measure": "%ds", "drain": "2m"}}`, tt.shards, tt.rate, tt.messages/tt.rate),
			}
			_, result, err := r.measure(t.Context(), t)
			if err != nil {
				t.Fatalf("measure() = %v, want no error", err)
			}
			sent := result.Counts.Sent
			want := measure.Counts{Offered: tt.messages, Sent: sent, Unsent: tt.messages - sent, Acked: sent, Received: sent, Bytes: sent * 100}
			if sent < tt.messages/10 || result.Counts != want {
				t.Errorf("counts = %+v, want %+v", result.Counts, want)
			}
			var effective experiment.Effective
			if err := json.Unmarshal(result.Guarantees, &effective); err != nil || effective.Emulator == "" {
				t.Errorf("guarantees = %s, %v, want the emulator's name in them", result.Guarantees, err)
			}
		})
	}
}

// TestAnEmulatorThatRestartsIsAccountedFor kills the emulator in the middle of the
// measure stage and starts it again: what it had is gone, and each message must
// still be in exactly one place of the account.
func TestAnEmulatorThatRestartsIsAccountedFor(t *testing.T) {
	t.Parallel()
	e := newEmulator(t)
	e.start(t)
	var once sync.Once
	r := run{
		id: experiment.NewID("r"), endpoints: e.endpoints,
		// What fails must fail while the run lasts.
		variant: `{"label": "kinesis", "technology": "kinesis", "stack": "emulator", "client_config": {"delivery_timeout_ms": 1000}}`,
		workload: `{"topology": {"partitions": 2}, "load": {"rate": 500}, "message": {"size": "100B", "key": {"uniform": {"cardinality": 100}}},
			"stages": {"warmup": "1s", "measure": "10s", "drain": "5s"}}`,
		onSecond: func(s measure.Second) {
			if s.Second == 4 {
				once.Do(func() {
					e.kill()
					e.start(t)
				})
			}
		},
	}
	folder, result, err := r.measure(t.Context(), t)
	if err != nil {
		t.Logf("the run failed, which is an answer: %v", err)
		return
	}
	c := result.Counts
	t.Logf("counts: %+v, errors: %v", c, result.Errors)
	if c.Failed == 0 || len(result.Errors) == 0 || len(result.Errors) > 5 {
		t.Errorf("%d messages failed with the texts %v, want some, since the stream was gone, and few texts", c.Failed, result.Errors)
	}
	if c.Offered != c.Sent+c.Unsent || c.Sent != c.Acked+c.Failed {
		t.Errorf("counts %+v don't add up: each offered message is sent or not, each sent one acknowledged or failed", c)
	}
	producer, consumer := results(t.Context(), t, folder)
	acked, received := producer.Producers[0], consumer.Groups["group-0"].Received[0]
	missing := int64(acked.Acked.Subtract(received).CountIn(acked.MeasureFrom, acked.MeasureUntil))
	if missing != c.Lost {
		t.Errorf("lost = %d, want %d: what was acknowledged and not received", c.Lost, missing)
	}
}

// TestThrottlingIsTold offers half as much again as a shard takes.
func TestThrottlingIsTold(t *testing.T) {
	t.Parallel()
	r := run{
		id: experiment.NewID("r"), variant: kinesisVariant,
		endpoints: technologytest.Start(t, "kinesis", "emulator", map[string]any{"shard_limits": true}),
		workload: `{"topology": {"partitions": 1}, "load": {"rate": 1500, "max_in_flight": 500}, "message": {"size": "100B", "key": {"uniform": {"cardinality": 1000}}},
			"stages": {"warmup": "2s", "measure": "20s", "drain": "30s"}}`,
	}
	folder, result, err := r.measure(t.Context(), t)
	if err != nil {
		t.Fatalf("measure() = %v, want no error", err)
	}
	var timeline []measure.Second
	if err := folder.Get(t.Context(), rendezvous.TimelineObject, &timeline); err != nil {
		t.Fatal(err)
	}
	throttled := result.Incidents[experiment.ThrottledWrites]
	if throttled == 0 || result.Incidents[experiment.RetriedSends] == 0 {
		t.Errorf("incidents = %v, want throttled writes and retries", result.Incidents)
	}
	// A shard takes 1,000 records in a second; the measure stage has 20 of them,
	// and what was under way at its ends may be counted on either side.
	var acked int64
	seconds := 0
	for _, second := range timeline {
		if second.Stage == experiment.StageMeasure {
			acked += second.Counts.Acked
			seconds++
			throttled -= second.Incidents[experiment.ThrottledWrites]
		}
	}
	if throttled != 0 {
		t.Errorf("the timeline has %d throttles less than the result", throttled)
	}
	if limit := int64(1000 * (seconds + 1)); acked > limit || acked < limit/2 {
		t.Errorf("%d messages were acknowledged in %d seconds, want about 1,000 each", acked, seconds)
	}
	if result.Counts.Acked != result.Counts.Offered || result.Counts.Lost > 0 || result.Counts.Reordered > 0 || result.Counts.Duplicates > 0 {
		t.Errorf("counts = %+v, want all acknowledged by the end of the drain stage, none lost, reordered or received twice", result.Counts)
	}
	sentences := strings.Join(r.verdict(t, result).Caveats, " ")
	for _, want := range []string{"limit", "1,500", "wait"} {
		if !strings.Contains(sentences, want) {
			t.Errorf("the verdict says %q, want a sentence on throttling with %q", sentences, want)
		}
	}
}

// TestLossOfAnEmulatorIsRecounted writes to moto, which acknowledges records that
// it does not keep. What DEC reports as lost must be what a reader of its own
// does not find.
func TestLossOfAnEmulatorIsRecounted(t *testing.T) {
	endpoint := mototest.Start(t)
	endpoints, err := json.Marshal(map[string]any{"region": "us-east-1", "endpoint": endpoint, "consumers": "polling", "emulator": "moto", "capacity": "provisioned"})
	if err != nil {
		t.Fatal(err)
	}
	// It loses what requests that are under way at once write to one shard: more of
	// them, the more it is offered.
	for rate := 1000; ; rate *= 2 {
		r := run{
			id: experiment.NewID("r"), endpoints: endpoints,
			variant: `{"label": "kinesis", "technology": "kinesis", "stack": "emulator", "client_config": {"requests_per_shard": 16, "linger_ms": 0, "strict_order": false}}`,
			workload: fmt.Sprintf(`{"topology": {"partitions": 1}, "load": {"rate": %d}, "message": {"size": "100B", "key": {"uniform": {"cardinality": 10000}}},
				"stages": {"warmup": "1s", "measure": "8s", "drain": "30s"}}`, rate),
		}
		folder, result, err := r.measure(t.Context(), t)
		if err != nil {
			t.Fatalf("measure() = %v, want no error", err)
		}
		producer, consumer := results(t.Context(), t, folder)
		log, received := producer.Producers[0], consumer.Groups["group-0"].Received[0]
		kept := readStream(t, endpoint, "dec-"+r.id, measure.RunHash(r.id))
		var lost int64
		for from, until := range log.Acked.Runs() {
			for seq := max(from, log.MeasureFrom); seq < min(until, log.MeasureUntil); seq++ {
				if !kept[seq] && !received.Contains(seq) { // moto may lose it after it was read
					lost++
				}
			}
		}
		t.Logf("lost %d of %d acknowledged messages, by a reader of its own %d", result.Counts.Lost, result.Counts.Acked, lost)
		if lost != result.Counts.Lost {
			t.Errorf("lost = %d, want %d: what another reader does not find", result.Counts.Lost, lost)
		}
		if said := strings.Join(r.verdict(t, result).Sentences, " "); strings.Contains(said, "lost") != (lost > 0) {
			t.Errorf("the verdict is %q, want it to say that messages were lost, if they were: %d", said, lost)
		}
		if lost > 0 {
			return
		}
		if rate > 8000 {
			t.Fatal("moto lost nothing, so that this test shows nothing: offer it more at once")
		}
	}
}

// verdict is that of an experiment whose runs have all had this result.
func (r run) verdict(t *testing.T, result measure.Result) experiment.Verdict {
	t.Helper()
	data, err := json.Marshal(result)
	if err != nil {
		t.Fatal(err)
	}
	e := experiment.Experiment{ID: "e", Plan: r.plan(t)}
	var runs []experiment.Run
	for i := range e.Plan.Repeat {
		runs = append(runs, experiment.Run{
			ID: fmt.Sprint("r", i), Experiment: "e", Variant: e.Plan.Variants[0].Label, Order: i, Phase: experiment.PhaseEnded,
			Outcome: experiment.Succeeded, Validity: experiment.Validity{OK: true}, Teardown: experiment.TeardownClean, Result: data,
		})
	}
	set, err := comparison.NewSet(e, runs)
	if err != nil {
		t.Fatal(err)
	}
	found, err := comparison.New(set, comparison.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return found.Verdict()
}

// emulator is kinesalite, which a test may kill and start again.
type emulator struct {
	dir       string
	service   technologytest.Service
	endpoints json.RawMessage
	address   string

	command *exec.Cmd
	ended   chan struct{}
}

// newEmulator lays the service of the stack out, on a port of its own.
func newEmulator(t *testing.T) *emulator {
	t.Helper()
	port := freePort(t)
	stack, err := technologytest.Evaluate(t, "kinesis", "emulator", nil,
		map[string][]technologytest.Address{"emulator": {{Host: "127.0.0.1", Ports: map[string]int{"http": port}}}})
	if err != nil {
		t.Fatal(err)
	}
	e := &emulator{dir: t.TempDir(), endpoints: stack.Endpoints, address: fmt.Sprintf("127.0.0.1:%d", port)}
	for _, service := range stack.Services {
		e.service = service
	}
	for name, content := range e.service.Files {
		if err := os.WriteFile(filepath.Join(e.dir, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for link, artifact := range e.service.Artifacts {
		if err := os.Symlink(installed(t, artifact), filepath.Join(e.dir, link)); err != nil {
			t.Fatal(err)
		}
	}
	t.Cleanup(func() { e.kill() })
	return e
}

// start returns when the process was started: clients try again until it listens.
func (e *emulator) start(t *testing.T) {
	e.command = exec.Command(e.service.Command[0], e.service.Command[1:]...)
	e.command.Dir = e.dir
	e.command.Env = []string{"PATH=/usr/bin:/bin"}
	for name, value := range e.service.Environment {
		e.command.Env = append(e.command.Env, name+"="+value)
	}
	if err := e.command.Start(); err != nil {
		t.Errorf("start the emulator: %v", err)
	}
	e.ended = make(chan struct{})
	go func(command *exec.Cmd, ended chan struct{}) {
		defer close(ended)
		_ = command.Wait() // it is killed
	}(e.command, e.ended)
}

func (e *emulator) kill() {
	_ = e.command.Process.Kill()
	<-e.ended
}
