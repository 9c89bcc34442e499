package fakecloud_test

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"dec.local/dec/e2e/fakecloud"
	"dec.local/dec/e2e/fakecloud/cloud"
	"dec.local/dec/e2e/fakecloud/fakecloudtest"
	"dec.local/dec/e2e/fakecloud/simulator"
	"dec.local/dec/internal/experiment"
	"dec.local/dec/internal/supervise"
	"dec.local/dec/target"
	"dec.local/dec/target/targettest"
)

// built holds the provider in a mirror, and the probe of the suite among the
// artifacts.
var built struct{ mirror, artifacts string }

func TestMain(m *testing.M) {
	supervise.Main(nil)
	flag.Parse()
	dir, err := os.MkdirTemp("", "fakecloud-")
	if err == nil {
		built.mirror, built.artifacts = filepath.Join(dir, "mirror"), filepath.Join(dir, "artifacts")
		err = errors.Join(
			targettest.BuildProvider(built.mirror, fakecloud.Target.Providers[0].Source, "dec.local/dec/e2e/fakecloud/cmd/terraform-provider-fakecloud"),
			targettest.BuildProbe(built.artifacts),
		)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "prepare the tests:", err)
		os.Exit(1)
	}
	goleak.VerifyTestMain(m, goleak.Cleanup(func(code int) {
		if err := os.RemoveAll(dir); err != nil {
			fmt.Fprintln(os.Stderr, "clean up after the tests:", err)
			code = 1
		}
		os.Exit(code)
	}))
}

const run = "raaaaaaaaa"

// fixture is a cloud, and the target on it.
type fixture struct {
	*fakecloudtest.Cloud
	t     *testing.T
	place target.Place
}

func newFixture(t *testing.T, faults ...cloud.Fault) *fixture {
	t.Helper()
	c := fakecloudtest.Run(t, simulator.Options{Faults: cloud.Faults{List: faults}})
	return &fixture{Cloud: c, t: t, place: open(t, c.Client)}
}

// open opens the target with the key of a client.
func open(t *testing.T, c *cloud.Client) target.Place {
	t.Helper()
	environment := cloud.Environment(c.URL(), time.Minute)
	for name, value := range c.Credentials() {
		environment[name] = value
	}
	place, err := fakecloud.Target.Open(t.Context(), target.Options{Getenv: func(name string) string { return environment[name] }})
	if err != nil {
		t.Fatal(err)
	}
	return place
}

// tags are those of the nodes module for something of a run.
func tags(run string) map[string]string {
	return map[string]string{
		target.TagInstall: "install", target.TagRun: run, target.TagAddress: "module.nodes.x", target.TagExpiresAt: "2030-01-02T03:04:05Z",
	}
}

// node makes a network, an address and an instance that runs a script, of a run.
func (f *fixture) node(run, script string) cloud.Object {
	f.t.Helper()
	network := f.make(cloud.Creation{Kind: cloud.KindNetwork, Name: run + "-network", Tags: tags(run)})
	address := f.make(cloud.Creation{Kind: cloud.KindAddress, Name: run + "-broker-0", Tags: tags(run), DependsOn: []string{network.ID}})
	data, err := json.Marshal(cloud.Service{Command: []string{"/bin/sh", "-c", script}, Grace: 1})
	if err != nil {
		f.t.Fatal(err)
	}
	return f.make(cloud.Creation{
		Kind: cloud.KindInstance, Name: run + "-broker-0", Tags: tags(run), DependsOn: []string{address.ID}, UserData: string(data),
	})
}

func (f *fixture) make(creation cloud.Creation) cloud.Object {
	f.t.Helper()
	o, err := f.Create(f.t.Context(), creation)
	if err == nil {
		o, err = f.AwaitReady(f.t.Context(), o.ID)
	}
	if err != nil {
		f.t.Fatal(err)
	}
	return o
}

// idle is a script that runs until it is stopped.
const idle = "echo up; exec sleep 600"

func (f *fixture) list(run string) []experiment.Object {
	f.t.Helper()
	objects, err := f.place.List(f.t.Context(), run)
	if err != nil {
		f.t.Fatalf("List(%q) = %v", run, err)
	}
	return objects
}

func TestTarget(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	providers := fmt.Sprintf(`
terraform {
  required_providers {
    fakecloud = { source = %q }
  }
}
provider "fakecloud" {
  artifacts = [%q]
}
`, fakecloud.Target.Providers[0].Source, built.artifacts)
	targettest.Suite{Target: fakecloud.Target, Place: f.place, Providers: providers, Mirror: built.mirror}.Run(t)
	if left := cloud.Left(f.Log()); len(left) > 0 {
		t.Errorf("the log shows as left: %+v", left)
	}
}

func TestListTellsWhatTheTagsSay(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	node := f.node(run, idle)
	f.node("rbbbbbbbbb", idle)
	f.make(cloud.Creation{Kind: cloud.KindNetwork, Name: "of somebody else"})
	want := experiment.Object{
		Kind: "fakecloud_instance", ID: node.ID, Run: run, Install: "install", Address: "module.nodes.x", Alive: true,
		CreatedAt: node.CreatedAt, ExpiresAt: time.Date(2030, 1, 2, 3, 4, 5, 0, time.UTC),
		Detail: map[string]string{"name": run + "-broker-0", "state": "ready"},
	}
	if diff := cmp.Diff(want, f.list(run)[0]); diff != "" {
		t.Errorf("List (-want +got):\n%s", diff)
	}
	for of, want := range map[string]int{run: 3, "rbbbbbbbbb": 3, "": 6, "rccccccccc": 0} {
		if got := len(f.list(of)); got != want {
			t.Errorf("List(%q) has %d objects, want %d", of, got, want)
		}
	}
}

func TestWhatHasNoTagsIsFoundAndRemoved(t *testing.T) {
	t.Parallel()
	f := newFixture(t, cloud.Fault{Name: cloud.Untagged}, cloud.Fault{Name: cloud.Children, Delay: experiment.Duration(time.Hour)})
	f.node(run, idle)
	objects := f.list(run)
	var kinds []string
	for _, o := range objects {
		kinds = append(kinds, o.Kind)
	}
	if want := []string{"fakecloud_instance", "fakecloud_interface", "fakecloud_address", "fakecloud_network"}; !slices.Equal(kinds, want) {
		t.Fatalf("List = %v, want %v: by their names, and what was made for them", kinds, want)
	}
	for _, o := range objects {
		if err := f.place.Remove(t.Context(), o); err != nil {
			t.Errorf("Remove(%s) = %v", o.ID, err)
		}
	}
	if got := f.list(""); len(got) > 0 {
		t.Errorf("List after Remove = %+v, want nothing", got)
	}
}

func TestWatch(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		happens func(f *fixture, node cloud.Object)
		want    []string
	}{
		"a service that fails": {func(f *fixture, _ cloud.Object) {
			gate := filepath.Join(f.t.TempDir(), "gate") // it fails once it runs
			f.node(run, "until [ -e "+gate+" ]; do sleep 0.02; done; echo boom; exit 3")
			if err := os.WriteFile(gate, nil, 0o600); err != nil {
				f.t.Error(err)
			}
		}, []string{"service broker-0 failed", "exit code 3", "boom"}},
		"a service that somebody deletes": {func(f *fixture, node cloud.Object) {
			f.SetFaults(cloud.Fault{Name: cloud.HangDelete})
			ctx, cancel := context.WithTimeout(f.t.Context(), 100*time.Millisecond)
			defer cancel()
			_ = f.Delete(ctx, node.ID) // it is not waited for
		}, []string{"service broker-0 is being deleted"}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newFixture(t)
			node := f.node(run, idle)
			f.node("rbbbbbbbbb", idle)
			watched := make(chan error, 1)
			go func() { watched <- f.place.Watch(t.Context(), run) }()
			tt.happens(f, node)
			err := <-watched
			for _, want := range tt.want {
				if err == nil || !strings.Contains(err.Error(), want) {
					t.Errorf("Watch = %v, want %q in it", err, want)
				}
			}
		})
	}
}

func TestWatchToleratesACloudThatDoesNotAnswer(t *testing.T) {
	t.Parallel()
	f := newFixture(t, cloud.Fault{Name: cloud.Fail, Action: cloud.ActionList, Times: 2})
	node := f.node(run, idle)
	watched := make(chan error, 1)
	go func() { watched <- f.place.Watch(t.Context(), run) }()
	f.Await(func(e cloud.Entry) bool {
		return e.Event == cloud.EventAnswer && e.Action == cloud.ActionList && e.Code == ""
	})
	if err := f.Delete(t.Context(), node.ID); err != nil {
		t.Fatal(err)
	}
	if err := <-watched; err == nil || !strings.Contains(err.Error(), "service broker-0") {
		t.Errorf("Watch = %v, want that broker-0 was removed, not that lists have failed", err)
	}
}

func TestUsageAndLogs(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	node := f.node(run, idle)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	var usage map[string]target.Usage
	var err error
	for tick := time.NewTicker(20 * time.Millisecond); err == nil && usage["broker-0"].MaxRSSBytes == 0; <-tick.C { // it is sampled each second
		usage, err = f.place.(target.Metered).Usage(ctx, run, node.CreatedAt, time.Now().Add(time.Hour))
	}
	if err != nil || len(usage) != 1 {
		t.Errorf("Usage = %+v, %v, want the memory of broker-0", usage, err)
	}
	logs, err := f.place.(target.Logging).Logs(t.Context(), run)
	i := slices.IndexFunc(logs, func(l target.LogFile) bool { return l.Name == "stdout.log" && l.Service == "broker-0" })
	if err != nil || i < 0 {
		t.Fatalf("Logs = %+v, %v, want stdout.log of broker-0", logs, err)
	}
	if end, err := logs[i].ReadEnd(t.Context(), 2); string(end) != "p\n" || err != nil {
		t.Errorf("ReadEnd = %q, %v, want the last 2 bytes", end, err)
	}
	if err := f.Delete(t.Context(), node.ID); err != nil {
		t.Fatal(err)
	}
	if _, err := logs[i].ReadEnd(t.Context(), 2); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("ReadEnd of what was removed = %v, want %v", err, fs.ErrNotExist)
	}
}

func TestCredentialsTellAttemptsApart(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	keys := map[string]bool{}
	for range 2 {
		environment, _, err := f.place.(target.Credentialed).Credentials(t.Context(), run)
		if err != nil {
			t.Fatal(err)
		}
		for name, value := range f.place.Placement().Environment {
			environment[name] = value
		}
		client, err := cloud.FromEnvironment(func(name string) string { return environment[name] })
		if err != nil {
			t.Fatal(err)
		}
		if _, err := client.List(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	for _, e := range f.Log() {
		if e.Action == cloud.ActionList && strings.HasPrefix(e.Key, "run "+run+",") {
			keys[e.Key] = true
		}
	}
	if len(keys) != 2 {
		t.Errorf("the log has the keys %v, want one for each attempt", keys)
	}
}

func TestWhatCannotBeUsedSaysSo(t *testing.T) {
	t.Parallel()
	if _, err := fakecloud.Target.Open(t.Context(), target.Options{Getenv: func(string) string { return "" }}); err == nil || !strings.Contains(err.Error(), "FAKECLOUD_URL") {
		t.Errorf("Open without a cloud = %v, want the variable to set", err)
	}
	f := newFixture(t)
	findings := open(t, cloud.New(f.URL(), "account-wrong")).Check(t.Context(), target.Demand{})
	if w := targettest.Worst(findings); w.Level != target.Refuse || !strings.Contains(w.Detail, "AccessDenied") || w.Fix == "" {
		t.Errorf("Check with a wrong key = %+v, want a refusal that says what to do", findings)
	}
}

func TestWhatCanBeImportedAndWhatItCosts(t *testing.T) {
	t.Parallel()
	f := newFixture(t, cloud.Fault{Name: cloud.Children})
	f.node(run, idle)
	costs := map[string]float64{}
	for _, o := range f.list(run) {
		if id, ok := f.place.(target.Importing).ImportID(o); ok != (o.Kind != "fakecloud_interface") || id != o.ID {
			t.Errorf("ImportID(%s) = %q, %v", o.Kind, id, ok)
		}
		costs[o.Kind], _ = f.place.(target.Priced).HourlyUSD(o)
	}
	want := map[string]float64{"fakecloud_instance": 0.1, "fakecloud_interface": 0, "fakecloud_address": 0.005, "fakecloud_network": 0}
	if diff := cmp.Diff(want, costs); diff != "" {
		t.Errorf("HourlyUSD (-want +got):\n%s", diff)
	}
}
