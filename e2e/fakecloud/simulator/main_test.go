package simulator_test

import (
	"context"
	"encoding/json"
	"testing"
	"time"

	"go.uber.org/goleak"

	"dec.local/dec/e2e/fakecloud/cloud"
	"dec.local/dec/e2e/fakecloud/fakecloudtest"
	"dec.local/dec/e2e/fakecloud/simulator"
	"dec.local/dec/internal/supervise"
)

func TestMain(m *testing.M) {
	supervise.Main(nil)
	simulator.Main()
	goleak.VerifyTestMain(m)
}

// fixture is a cloud inside of the test.
type fixture struct {
	*fakecloudtest.Cloud
	t *testing.T
}

// newFixture runs a cloud with faults until the test ends.
func newFixture(t *testing.T, faults ...cloud.Fault) *fixture {
	t.Helper()
	return run(t, simulator.Options{Faults: cloud.Faults{List: faults}})
}

func run(t *testing.T, o simulator.Options) *fixture {
	t.Helper()
	return &fixture{fakecloudtest.Run(t, o), t}
}

// tags are those of everything here.
var tags = map[string]string{"dec:run": "raaaaaaaaa"}

// make makes an object and waits until it is ready.
func (f *fixture) make(creation cloud.Creation) cloud.Object {
	f.t.Helper()
	creation.Tags = tags
	o, err := f.Create(f.t.Context(), creation)
	if err == nil {
		o, err = f.AwaitReady(f.t.Context(), o.ID)
	}
	if err != nil {
		f.t.Fatal(err)
	}
	return o
}

func (f *fixture) network() cloud.Object {
	f.t.Helper()
	return f.make(cloud.Creation{Kind: cloud.KindNetwork, Name: "raaaaaaaaa-network"})
}

func (f *fixture) address(network string) cloud.Object {
	f.t.Helper()
	return f.make(cloud.Creation{Kind: cloud.KindAddress, Name: "raaaaaaaaa-broker-0", DependsOn: []string{network}, Ports: []string{"client", "peers"}})
}

// shell is a service that runs a script.
func shell(script string) cloud.Service {
	return cloud.Service{Command: []string{"/bin/sh", "-c", script}, Grace: 1}
}

// instance asks for one at an address.
func instance(t *testing.T, address string, service cloud.Service) cloud.Creation {
	t.Helper()
	data, err := json.Marshal(service)
	if err != nil {
		t.Fatal(err)
	}
	return cloud.Creation{Kind: cloud.KindInstance, Name: "raaaaaaaaa-broker-0", Tags: tags, DependsOn: []string{address}, UserData: string(data)}
}

// idle is a script that runs until it is stopped.
const idle = "exec sleep 600"

// node makes a network, an address in it and an instance there.
func (f *fixture) node(script string) (network, address, node cloud.Object) {
	f.t.Helper()
	network = f.network()
	address = f.address(network.ID)
	return network, address, f.make(instance(f.t, address.ID, shell(script)))
}

// remove deletes objects in an order.
func (f *fixture) remove(objects ...cloud.Object) {
	f.t.Helper()
	for _, o := range objects {
		if err := f.Delete(f.t.Context(), o.ID); err != nil {
			f.t.Fatalf("Delete(%s) = %v", o.ID, err)
		}
	}
}

// list are the objects that a list shows.
func (f *fixture) list() []cloud.Object {
	f.t.Helper()
	list, err := f.List(f.t.Context())
	if err != nil {
		f.t.Fatalf("List = %v", err)
	}
	return list
}

// kinds are those of objects, in their order.
func kinds(objects []cloud.Object) []cloud.Kind {
	var kinds []cloud.Kind
	for _, o := range objects {
		kinds = append(kinds, o.Kind)
	}
	return kinds
}

// answers are the codes of the answers to calls of an action, "" for success.
func (f *fixture) answers(action cloud.Action) []cloud.Code {
	f.t.Helper()
	var codes []cloud.Code
	for _, e := range f.Log() {
		if e.Event == cloud.EventAnswer && e.Action == action {
			codes = append(codes, e.Code)
		}
	}
	return codes
}

// shortly is a context for what is not expected to end well.
func (f *fixture) shortly() context.Context {
	ctx, cancel := context.WithTimeout(f.t.Context(), 200*time.Millisecond)
	f.t.Cleanup(cancel)
	return ctx
}

// wantCode checks the code of an error.
func wantCode(t *testing.T, what string, err error, code cloud.Code) {
	t.Helper()
	if !cloud.IsCode(err, code) {
		t.Errorf("%s = %v, want %s", what, err, code)
	}
}
