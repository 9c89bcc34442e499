package simulator_test

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"dec.local/dec/e2e/fakecloud/cloud"
	"dec.local/dec/e2e/fakecloud/simulator"
	"dec.local/dec/internal/experiment"
)

// A delay that a test can see the end of, and one that it cannot.
const (
	brief = experiment.Duration(300 * time.Millisecond)
	ages  = experiment.Duration(24 * time.Hour)
)

// aNetwork is what most tests make.
var aNetwork = cloud.Creation{Kind: cloud.KindNetwork, Name: "raaaaaaaaa-network", Tags: tags}

func TestSlowCreates(t *testing.T) {
	t.Parallel()
	f := newFixture(t, cloud.Fault{Name: cloud.SlowCreate, Kind: cloud.KindAddress, Delay: brief})
	network := f.network()
	o, err := f.Create(t.Context(), cloud.Creation{Kind: cloud.KindAddress, Name: "a", DependsOn: []string{network.ID}, Ports: []string{"client"}})
	if err != nil || o.State != cloud.Pending || o.Host != "" || o.Ports != nil {
		t.Errorf("Create = %+v, %v, want it pending, without host and ports", o, err)
	}
	o, err = f.AwaitReady(t.Context(), o.ID)
	if err != nil || o.Host == "" || o.Ports["client"] == 0 || time.Since(o.CreatedAt) < brief.Std() {
		t.Errorf("AwaitReady = %+v, %v after %s, want host and port after %s", o, err, time.Since(o.CreatedAt), brief)
	}
}

func TestASlowInstanceCanBeDeletedBeforeItRuns(t *testing.T) {
	t.Parallel()
	f := newFixture(t, cloud.Fault{Name: cloud.SlowCreate, Kind: cloud.KindInstance, Delay: brief})
	o, err := f.Create(t.Context(), instance(t, f.address(f.network().ID).ID, shell(idle)))
	if err != nil {
		t.Fatal(err)
	}
	f.remove(o)
	if left := cloud.Left(f.Log()); len(left) != 2 {
		t.Errorf("Left = %+v, want address and network", left)
	}
}

func TestIDsThatComeLate(t *testing.T) {
	t.Parallel()
	f := newFixture(t, cloud.Fault{Name: cloud.LateID, Delay: ages, Times: 1})
	if o, err := f.Create(f.shortly(), aNetwork); err == nil {
		t.Errorf("Create = %+v, want it to wait for the id", o)
	}
	if list := f.list(); len(list) != 1 {
		t.Errorf("List = %+v, want the object whose id was never told", list)
	}
	f.SetFaults(cloud.Fault{Name: cloud.LateID, Delay: brief})
	if o, err := f.Create(t.Context(), aNetwork); err != nil || o.ID == "" || time.Since(o.CreatedAt) < brief.Std() {
		t.Errorf("Create = %+v, %v after %s, want an id after %s", o, err, time.Since(o.CreatedAt), brief)
	}
}

func TestObjectsThatAppearWhenTheirCallerHasGone(t *testing.T) {
	t.Parallel()
	f := newFixture(t, cloud.Fault{Name: cloud.LateObject})
	ctx, leave := context.WithCancel(t.Context())
	left := make(chan error, 1)
	go func() {
		_, err := f.Create(ctx, aNetwork)
		left <- err
	}()
	call := f.Await(func(e cloud.Entry) bool { return e.Event == cloud.EventCall && e.Action == cloud.ActionCreate })
	leave()
	if err := <-left; err == nil {
		t.Error("Create = nil, want that its caller gave up")
	}
	if list := f.list(); len(list) != 0 {
		t.Errorf("List = %+v, want nothing yet", list)
	}
	f.SetFaults()
	created := f.Await(func(e cloud.Entry) bool { return e.Event == cloud.EventCreated })
	if created.Call != call.N {
		t.Errorf("created = %+v, want it of call %d", created, call.N)
	}
	answer := f.Await(func(e cloud.Entry) bool { return e.Event == cloud.EventAnswer && e.Call == call.N })
	if !answer.Gone || answer.ID != created.ID || !slices.Equal(answer.Faults, []cloud.FaultName{cloud.LateObject}) {
		t.Errorf("answer = %+v, want that its caller has gone, and the fault", answer)
	}
	if list := f.list(); len(list) != 1 || list[0].ID != created.ID {
		t.Errorf("List = %+v, want the object that nobody waits for", list)
	}
}

func TestReadsLagBehind(t *testing.T) {
	t.Parallel()
	f := newFixture(t, cloud.Fault{Name: cloud.Lag, Delay: ages})
	o, err := f.Create(t.Context(), aNetwork)
	if err != nil {
		t.Fatal(err)
	}
	_, err = f.Object(t.Context(), o.ID)
	wantCode(t, "Object that is not seen yet", err, cloud.CodeNotFound)
	_, err = f.Create(t.Context(), cloud.Creation{Kind: cloud.KindAddress, Name: "a", DependsOn: []string{o.ID}})
	wantCode(t, "Create in what is not seen yet", err, cloud.CodeNotFound)
	if list := f.list(); len(list) != 0 {
		t.Errorf("List = %+v, want nothing yet", list)
	}
	f.SetFaults()
	if list := f.list(); len(list) != 1 {
		t.Errorf("List = %+v, want the object", list)
	}
	f.SetFaults(cloud.Fault{Name: cloud.Lag, Delay: brief})
	if _, err := f.AwaitReady(t.Context(), o.ID); err != nil {
		t.Errorf("AwaitReady of what is seen late = %v", err)
	}
	f.remove(o)
	gone := f.Await(func(e cloud.Entry) bool { return e.Event == cloud.EventDeleted })
	if since := time.Since(gone.At); since < brief.Std() {
		t.Errorf("Delete returned %s after the end of the object, want it to wait %s until it is no longer seen", since, brief)
	}
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		fault cloud.Fault
		want  []cloud.Code // of the answers to the deletes of one network
	}{
		"throttling":                       {cloud.Fault{Name: cloud.Throttle, Times: 2}, []cloud.Code{cloud.CodeThrottling, cloud.CodeThrottling, ""}},
		"throttling for ever":              {cloud.Fault{Name: cloud.Throttle}, slices.Repeat([]cloud.Code{cloud.CodeThrottling}, 6)},
		"dependencies that nobody can see": {cloud.Fault{Name: cloud.Dependency, Times: 2}, []cloud.Code{cloud.CodeDependency, cloud.CodeDependency, ""}},
		"an auth error":                    {cloud.Fault{Name: cloud.Denied}, []cloud.Code{cloud.CodeDenied}},
		"a failing delete":                 {cloud.Fault{Name: cloud.Fail, Action: cloud.ActionDelete}, []cloud.Code{cloud.CodeInternal}},
		"a fault of another action":        {cloud.Fault{Name: cloud.Fail, Action: cloud.ActionCreate}, []cloud.Code{""}},
		"a fault of another kind":          {cloud.Fault{Name: cloud.Fail, Kind: cloud.KindAddress}, []cloud.Code{""}},
		"a fault of another name":          {cloud.Fault{Name: cloud.Fail, Match: "broker"}, []cloud.Code{""}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newFixture(t)
			o := f.network()
			f.SetFaults(tt.fault)
			err := f.Delete(t.Context(), o.ID)
			last := tt.want[len(tt.want)-1]
			if last == "" && err != nil || last != "" && !cloud.IsCode(err, last) {
				t.Errorf("Delete = %v, want %q", err, last)
			}
			if got := f.answers(cloud.ActionDelete); !slices.Equal(got, tt.want) {
				t.Errorf("answers = %q, want %q", got, tt.want)
			}
			if gone := len(cloud.Left(f.Log())) == 0; gone != (last == "") {
				t.Errorf("the object is gone: %v, want %v", gone, last == "")
			}
		})
	}
}

func TestAListingThatFails(t *testing.T) {
	t.Parallel()
	f := newFixture(t, cloud.Fault{Name: cloud.Fail, Action: cloud.ActionList})
	f.network()
	_, err := f.List(t.Context())
	wantCode(t, "List", err, cloud.CodeInternal)
}

func TestCredentialsExpire(t *testing.T) {
	t.Parallel()
	f := newFixture(t, cloud.Fault{Name: cloud.Expire, Delay: 1})
	session, err := f.Session(t.Context(), "s")
	if err != nil {
		t.Fatal(err)
	}
	_, err = session.List(t.Context())
	wantCode(t, "List of the session", err, cloud.CodeExpired)
	f.list() // the account's own key does not expire
	f.SetFaults(cloud.Fault{Name: cloud.Expire, Delay: ages})
	if _, err := session.List(t.Context()); err != nil {
		t.Errorf("List before the session's time = %v", err)
	}
}

func TestDeletesThatHang(t *testing.T) {
	t.Parallel()
	f := newFixture(t, cloud.Fault{Name: cloud.HangDelete})
	o := f.network()
	for range 2 { // who tries again waits as well
		if err := f.Delete(f.shortly(), o.ID); err == nil {
			t.Fatal("Delete = nil, want it to hang")
		}
	}
	if got, err := f.Object(t.Context(), o.ID); err != nil || got.State != cloud.Deleting {
		t.Errorf("Object = %+v, %v, want it deleting", got, err)
	}
	f.SetFaults()
	f.remove(o)

	f.SetFaults(cloud.Fault{Name: cloud.HangDelete, Delay: brief})
	o = f.network()
	before := time.Now()
	f.remove(o)
	if took := time.Since(before); took < brief.Std() {
		t.Errorf("Delete took %s, want %s", took, brief)
	}
}

func TestUntaggedObjects(t *testing.T) {
	t.Parallel()
	f := newFixture(t, cloud.Fault{Name: cloud.Untagged, Kind: cloud.KindAddress})
	network := f.network()
	if o := f.address(network.ID); o.Tags != nil || o.Name == "" || !cmp.Equal(network.Tags, tags) {
		t.Errorf("objects = %+v and %+v, want only the address to lack tags, and to keep its name", network, o)
	}
}

func TestChildrenThatTheCloudMakesItself(t *testing.T) {
	t.Parallel()
	f := newFixture(t, cloud.Fault{Name: cloud.Children, Delay: ages})
	network, address, node := f.node(idle)
	list := f.list()
	if want := []cloud.Kind{cloud.KindInstance, cloud.KindInterface, cloud.KindAddress, cloud.KindNetwork}; !slices.Equal(kinds(list), want) {
		t.Fatalf("List = %v, want %v", kinds(list), want)
	}
	child := list[1]
	if child.Name != "" || child.Tags != nil || child.Owner != node.ID || !slices.Equal(child.DependsOn, []string{network.ID}) {
		t.Errorf("interface = %+v, want it without name and tags, of %s in %s", child, node.ID, network.ID)
	}
	wantCode(t, "Delete(interface in use)", f.Delete(f.shortly(), child.ID), cloud.CodeDependency)
	f.remove(node, address)
	wantCode(t, "Delete(network of the interface)", f.Delete(f.shortly(), network.ID), cloud.CodeDependency)
	f.remove(child, network)

	f.SetFaults(cloud.Fault{Name: cloud.Children, Delay: brief})
	network, address, node = f.node(idle)
	f.remove(node, address, network) // waits until the interface has gone by itself

	f.SetFaults(cloud.Fault{Name: cloud.Children})
	_, _, node = f.node(idle)
	f.remove(node)
	if got := kinds(f.list()); slices.Contains(got, cloud.KindInterface) {
		t.Errorf("List = %v, want the interface gone with its instance", got)
	}
}

// TestFaultsFollowFromTheSeed makes the same calls in two orders.
func TestFaultsFollowFromTheSeed(t *testing.T) {
	t.Parallel()
	refused := func(seed uint64, step int) map[string]bool {
		f := run(t, simulator.Options{Faults: cloud.Faults{Seed: seed, List: []cloud.Fault{{Name: cloud.Denied, Share: 0.5}}}})
		refused := map[string]bool{}
		const calls = 40
		for i := range calls {
			name := fmt.Sprintf("network-%d", i*step%calls)
			_, err := f.Create(t.Context(), cloud.Creation{Kind: cloud.KindNetwork, Name: name})
			refused[name] = cloud.IsCode(err, cloud.CodeDenied)
		}
		return refused
	}
	one, again, other := refused(1, 1), refused(1, 7), refused(2, 1)
	if diff := cmp.Diff(one, again); diff != "" {
		t.Errorf("the same seed refuses other calls (-one +again):\n%s", diff)
	}
	if cmp.Equal(one, other) {
		t.Error("another seed refuses the same calls")
	}
	count := 0
	for _, refused := range one {
		if refused {
			count++
		}
	}
	if count < 8 || count > 32 {
		t.Errorf("a share of 0.5 refuses %d of 40 calls", count)
	}
}

func TestValidateFaults(t *testing.T) {
	t.Parallel()
	tests := map[string]cloud.Fault{
		`there is no fault "rain"`:           {Name: "rain"},
		"slow-create needs a delay":          {Name: cloud.SlowCreate},
		"the delay is negative":              {Name: cloud.HangDelete, Delay: -1},
		`there is no action "destroy"`:       {Name: cloud.Fail, Action: "destroy"},
		"the share 2 is not from 0 to 1":     {Name: cloud.Fail, Share: 2},
		"times is negative":                  {Name: cloud.Fail, Times: -1},
		"lag has neither share nor times":    {Name: cloud.Lag, Delay: brief, Share: 0.5},
		"expire has neither share nor times": {Name: cloud.Expire, Delay: brief, Times: 1},
	}
	for want, fault := range tests {
		err := cloud.Faults{List: []cloud.Fault{{Name: cloud.Fail}, fault}}.Validate()
		if err == nil || err.Error() != "faults: fault 1: "+want {
			t.Errorf("Validate(%+v) = %v, want %q", fault, err, want)
		}
	}
}
