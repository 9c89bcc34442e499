package phases_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"dec.local/dec/internal/datadir"
	"dec.local/dec/internal/experiment"
	"dec.local/dec/internal/orchestrator"
	"dec.local/dec/internal/phases"
	"dec.local/dec/internal/rendezvous"
	"dec.local/dec/internal/rendezvous/buckettest"
	"dec.local/dec/internal/supervise"
	"dec.local/dec/internal/tofu"
	"dec.local/dec/internal/vault"
	"dec.local/dec/target"
)

func TestMain(m *testing.M) {
	supervise.Main(tofu.Sidecars())
	os.Exit(m.Run())
}

// run is the one that the tests are about.
const run = "r123456789"

// stack is one without any software, which has a secret option.
var stack = fstest.MapFS{
	"toy/stacks/plain/stack.json": file(`{"title": "Plain", "description": "Members without any software.", "options": ["members", "password"]}`),
	"toy/stacks/plain/variables.tf": file(`
variable "members" {
  type        = number
  default     = 1
  description = "Number of members."
}
variable "password" {
  type        = string
  default     = null
  sensitive   = true
  ephemeral   = true
  description = "A secret."
}
variable "addresses" {
  type    = any
  default = {}
}`),
	"toy/stacks/plain/main.tf": file(`
output "groups" { value = { member = { count = var.members } } }
output "services" {
  value = { for i in range(var.members) : "member-${i}" => { group = "member", index = i, command = ["true"] } }
}
output "endpoints" { value = { hosts = [for node in lookup(var.addresses, "member", []) : node.host] } }`),
}

// nodes is the module of a target whose services are entries in OpenTofu's state.
var nodes = fstest.MapFS{"main.tf": file(`
variable "run" {
  type = object({ id = string, install = string, expires_at = string, logs = string, cpus = map(list(number)) })
}
variable "groups" {
  type = map(object({ count = number, ports = optional(list(string), []), role = optional(string, "broker") }))
}
variable "services" {
  type = map(object({
    group       = string
    index       = number
    command     = list(string)
    environment = optional(map(string), {})
    artifacts   = optional(map(string), {})
    lifetime    = optional(string, "service")
    grace       = optional(number, 5)
  }))
}
variable "secrets" {
  type      = map(map(string))
  default   = {}
  ephemeral = true
}
resource "terraform_data" "service" {
  for_each = var.services
  input    = each.key
}
output "addresses" { value = { for name, group in var.groups : name => [for i in range(group.count) : { host = "${name}-${i}", ports = {} }] } }
output "network" { value = {} }`)}

func file(text string) *fstest.MapFile { return &fstest.MapFile{Data: []byte(text)} }

// place is a target's place in memory.
type place struct {
	name string

	mu      sync.Mutex // protects the following
	objects []experiment.Object
	watched []string
}

func (p *place) List(_ context.Context, run string) ([]experiment.Object, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	var found []experiment.Object
	for _, o := range p.objects {
		if run == "" || o.Run == run {
			found = append(found, o)
		}
	}
	return found, nil
}

func (p *place) Remove(_ context.Context, o experiment.Object) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.objects = slices.DeleteFunc(p.objects, func(known experiment.Object) bool { return known.ID == o.ID })
	return nil
}

func (p *place) Watch(_ context.Context, run string) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.watched = append(p.watched, run)
	return fmt.Errorf("broker-0 of %s has ended on %s", run, p.name)
}

func (*place) Check(context.Context, target.Demand) []target.Finding { return []target.Finding{{}} }

func (p *place) Placement() target.Placement {
	return target.Placement{CPUs: map[string][]int{"broker": {0, 1}, "agent": {2}}, Environment: map[string]string{"PLACE": p.name}}
}

// richPlace is a place that can do what a target may choose to do.
type richPlace struct {
	*place
	lock  chan struct{}                                                    // takes a value while somebody measures
	usage *func(run string, from, until time.Time) map[string]target.Usage // what services used
}

func (p richPlace) LockMeasuring(ctx context.Context) (func(), error) {
	select {
	case p.lock <- struct{}{}:
		return func() { <-p.lock }, nil
	case <-ctx.Done():
		return nil, fmt.Errorf("%w (ann's): %w", target.ErrMeasuring, context.Cause(ctx))
	}
}

func (p richPlace) Usage(_ context.Context, run string, from, until time.Time) (map[string]target.Usage, error) {
	return (*p.usage)(run, from, until), nil
}

func (p richPlace) Credentials(_ context.Context, run string) (map[string]string, time.Time, error) {
	return map[string]string{"PLACE_KEY": "key of " + run}, time.Time{}, nil
}

// homes knows of each run whose folder it is in; "" for another machine.
type homes map[string]datadir.Home

func (h homes) HomeOf(_ context.Context, run string) (datadir.Home, bool, error) {
	home, known := h[run]
	if !known {
		return "", false, experiment.ErrNotFound
	}
	return home, home != "", nil
}

// keeper has sealed secrets by experiment.
type keeper map[string][]byte

func (k keeper) Secrets(_ context.Context, id string) ([]byte, error) {
	sealed, ok := k[id]
	if !ok {
		return nil, experiment.ErrNotFound
	}
	return sealed, nil
}

// attempts records nothing but numbers, and what verifiers ask for.
type attempts struct {
	mu sync.Mutex // protects the following
	n  int
}

func (a *attempts) BeginAttempt(context.Context, experiment.Attempt) (int, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.n++
	return a.n, nil
}
func (*attempts) RecordIntents(context.Context, string, int, []experiment.Intent) error { return nil }
func (*attempts) EndAttempt(context.Context, experiment.Attempt) error                  { return nil }
func (*attempts) SaveState(context.Context, string, int, int64, []byte) error           { return nil }
func (*attempts) Created(context.Context, string) ([]experiment.Intent, error)          { return nil, nil }
func (*attempts) Deleted(context.Context, string) ([]experiment.Intent, error)          { return nil, nil }
func (*attempts) Seconds(context.Context, string) (map[string]float64, error)           { return nil, nil }

// included are the data folders that were shown to the archive.
type included []datadir.Home

func (i *included) Include(h datadir.Home) { *i = append(*i, h) }

// fixture is a server's part in the phases of runs.
type fixture struct {
	orchestrator.Options // under test

	t        *testing.T
	home     datadir.Home
	homes    homes
	secrets  keeper
	bucket   *rendezvous.Bucket
	archived included
	log      bytes.Buffer
	lost     []string // runs
	notices  []string
	seconds  []string // of runs and experiments
	calls    string   // folder with the environment of each OpenTofu command
	shared   richPlace
	cloud    *place
}

// newFixture has two targets: "shared", whose nodes read this machine's files, and
// "cloud", which can do only what every target can.
func newFixture(t *testing.T, change ...func(*phases.Options)) *fixture {
	t.Helper()
	f := &fixture{
		t: t, home: datadir.Home(t.TempDir()), secrets: keeper{}, calls: t.TempDir(),
		shared: richPlace{place: &place{name: "shared"}, lock: make(chan struct{}, 1), usage: new(func(string, time.Time, time.Time) map[string]target.Usage)}, cloud: &place{name: "cloud"},
	}
	f.homes = homes{run: f.home}
	v, err := vault.Open(filepath.Join(t.TempDir(), "key"))
	if err != nil {
		t.Fatal(err)
	}
	log := &attempts{}
	o := phases.Options{
		Home: f.home, Homes: f.homes, Agent: "dec-agent@0", Bucket: buckettest.Folder(t), Vault: v, Secrets: f.secrets, Intents: log, Archive: &f.archived,
		Version: map[string]string{"dec": "test"}, Logger: slog.New(slog.NewTextHandler(&f.log, nil)),
		Places: target.Places{
			"shared": {Target: target.Target{Name: "shared", Nodes: nodes, Facts: target.Facts{SharedFiles: true, SweepInterval: time.Second}}, Place: f.shared},
			"cloud":  {Target: target.Target{Name: "cloud", Nodes: nodes, Facts: target.Facts{SweepInterval: time.Minute}}, Place: f.cloud},
		},
		Tofu:     tofu.Options{Dir: f.home.Runs(), Binary: recordingTofu(t, f.calls), Stacks: stack, Attempts: log, Install: string(f.home), Logger: slog.New(slog.DiscardHandler)},
		OnSecond: func(run, experiment string, _ measured) { f.seconds = append(f.seconds, run+" of "+experiment) },
		OnLost:   func(run string) { f.lost = append(f.lost, run) },
		Notice:   func(text string) { f.notices = append(f.notices, text) },
	}
	for _, c := range change {
		c(&o)
	}
	f.bucket = o.Bucket
	o.BucketOf = func(context.Context, string) (*rendezvous.Bucket, func(), error) { return o.Bucket, func() {}, nil }
	if f.Options, err = phases.New(o); err != nil {
		t.Fatal(err)
	}
	return f
}

// recordingTofu is the pinned OpenTofu, which writes down the environment of each
// command.
func recordingTofu(t *testing.T, calls string) string {
	t.Helper()
	tofu, err := filepath.Abs("../../.tools/bin/tofu")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(tofu); err != nil {
		t.Fatalf("%v: run make setup", err)
	}
	script := filepath.Join(t.TempDir(), "tofu")
	text := "#!/bin/sh\nenv >" + calls + "/$(date +%s%N)-$2\nexec " + tofu + ` "$@"` + "\n"
	if err := os.WriteFile(script, []byte(text), 0o700); err != nil {
		t.Fatal(err)
	}
	return script
}

// environments are those of all commands that change something, in their order.
func (f *fixture) environments() []map[string]string {
	f.t.Helper()
	var all []map[string]string
	names, err := filepath.Glob(filepath.Join(f.calls, "*"))
	if err != nil {
		f.t.Fatal(err)
	}
	for _, name := range names { // in order, for they begin with the time
		if strings.HasSuffix(name, "-init") || strings.HasSuffix(name, "-show") {
			continue
		}
		text, err := os.ReadFile(name)
		if err != nil {
			f.t.Fatal(err)
		}
		variables := map[string]string{}
		for line := range strings.Lines(string(text)) {
			name, value, _ := strings.Cut(strings.TrimSpace(line), "=")
			variables[name] = value
		}
		all = append(all, variables)
	}
	return all
}

// assignment is the run on a target.
func assignment(targetName string) orchestrator.Assignment {
	variant := experiment.Variant{Label: "a", Technology: "toy", Stack: "plain", Options: map[string]json.RawMessage{"members": json.RawMessage(`2`)}}
	w := experiment.Workload{
		Topology: experiment.Topology{
			Partitions: 4, Replicas: 3, Producers: 1, ConsumerGroups: 1, ConsumersPerGroup: 1, ProducerNodes: 1, ConsumerNodes: 1,
		},
		Load:    experiment.Load{Rate: 100, Arrivals: experiment.ArrivalsUniform, MaxInFlight: 1000},
		Message: experiment.Message{Size: experiment.Size{Min: 100, Max: 100}, Key: experiment.Key{Kind: experiment.KeyNone}},
		Stages: experiment.Stages{
			Warmup: experiment.Duration(2 * time.Second), Measure: experiment.Duration(3 * time.Second), Drain: experiment.Duration(10 * time.Second),
		},
		Retention: 1 << 30, Seed: 42,
	}
	return orchestrator.Assignment{
		Run:     experiment.Run{ID: run, Experiment: "e1", Target: targetName, Variant: "a"},
		Plan:    experiment.Plan{Name: "p", Target: targetName, Workload: w, Variants: []experiment.Variant{variant}},
		Variant: variant, ExpiresAt: time.Now().Add(time.Hour),
	}
}

// ignore is for callers that need no reports of resources.
func ignore(experiment.Resource) {}
