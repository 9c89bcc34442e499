package simulator_test

import (
	"context"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"dec.local/dec/e2e/fakecloud/cloud"
	"dec.local/dec/e2e/fakecloud/fakecloudtest"
	"dec.local/dec/e2e/fakecloud/simulator"
)

func TestLifeOfANode(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	network, address, node := f.node(idle)
	host, ports := net.ParseIP(address.Host), address.Ports
	if host == nil || !host.IsLoopback() || ports["client"] == 0 || ports["peers"] == ports["client"] {
		t.Errorf("address = %+v, want a host and two ports", address)
	}
	if want := []cloud.Kind{cloud.KindInstance, cloud.KindAddress, cloud.KindNetwork}; !slices.Equal(kinds(f.list()), want) {
		t.Errorf("List = %v, want %v: as they can be deleted", kinds(f.list()), want)
	}
	wantCode(t, "Delete(network with an address)", f.Delete(f.shortly(), network.ID), cloud.CodeDependency)
	wantCode(t, "Delete(address of an instance)", f.Delete(f.shortly(), address.ID), cloud.CodeDependency)
	var used cloud.Usage
	var err error
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	for tick := time.NewTicker(20 * time.Millisecond); err == nil && used.MaxRSSBytes == 0; <-tick.C { // it is sampled each second
		used, err = f.Usage(ctx, node.ID, node.CreatedAt, time.Now().Add(time.Minute))
	}
	if err != nil {
		t.Errorf("Usage = %+v, %v, want its memory", used, err)
	}
	if left := cloud.Left(f.Log()); len(left) != 3 {
		t.Errorf("Left = %+v, want three objects", left)
	}
	f.remove(node, address, network)
	f.remove(node, address, network) // what is gone is no error
	if list, left := f.list(), cloud.Left(f.Log()); len(list) != 0 || len(left) != 0 {
		t.Errorf("after Delete, List = %+v and Left = %+v, want nothing", list, left)
	}
}

func TestAnInstanceRunsItsService(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	network := f.network()
	address := f.address(network.ID)
	at := net.JoinHostPort(address.Host, strconv.Itoa(address.Ports["client"]))
	logs, artifacts := filepath.Join(t.TempDir(), "logs"), t.TempDir()
	if err := os.MkdirAll(filepath.Join(artifacts, "tool", "1"), 0o700); err != nil {
		t.Fatal(err)
	}
	service := shell("cat settings secret; [ -d tool ] && echo $GREETING; exec sleep 600")
	service.Environment = map[string]string{"GREETING": "hello", "PATH": "/usr/bin:/bin"}
	service.Files = map[string]string{"settings": "at " + at + "\n"}
	service.Artifacts = map[string]string{"tool": "tool@1"}
	service.Readiness.Log, service.Logs = "^hello$", logs
	creation := instance(t, address.ID, service)
	creation.Secrets = map[string]string{"secret": "told to nobody\n"}
	creation.Artifacts = []string{t.TempDir(), artifacts}
	node := f.make(creation)
	stdout := "at " + at + "\ntold to nobody\nhello\n"
	if logs, err := f.Logs(t.Context(), node.ID); err != nil || !slices.Contains(logs, cloud.LogFile{Name: "stdout.log", Size: int64(len(stdout))}) {
		t.Errorf("Logs = %+v, %v, want stdout.log with %d bytes", logs, err, len(stdout))
	}
	if end, err := f.LogEnd(t.Context(), node.ID, "stdout.log", 6); string(end) != "hello\n" || err != nil {
		t.Errorf("LogEnd = %q, %v, want the last 6 bytes", end, err)
	}
	_, err := f.LogEnd(t.Context(), node.ID, "../../cloud.json", 6)
	wantCode(t, "LogEnd of another file", err, cloud.CodeInvalid)
	if holds := holding(t, f.Folder, "told to nobody"); len(holds) != 2 { // in its working folder, and in what it printed
		t.Errorf("%q hold the secret, want the file and the output alone", holds)
	}
	f.remove(node)
	if got, err := os.ReadFile(filepath.Join(logs, "stdout.log")); string(got) != stdout {
		t.Errorf("the service wrote %q, %v", got, err)
	}
	if holds := holding(t, f.Folder, "told to nobody"); len(holds) != 0 {
		t.Errorf("after Delete, %q hold the secret", holds)
	}
}

// holding returns the files below a folder that have a text in them.
func holding(t *testing.T, dir, text string) []string {
	t.Helper()
	var files []string
	err := filepath.WalkDir(dir, func(name string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.Type().IsRegular() {
			return err
		}
		data, err := os.ReadFile(name)
		if strings.Contains(string(data), text) {
			files = append(files, name)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

func TestAnInstanceIsReadyWithThePortOfItsAddress(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	address := f.address(f.network().ID)
	service := shell(idle)
	service.Readiness.Port = "client"
	o, err := f.Create(t.Context(), instance(t, address.ID, service))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.AwaitReady(f.shortly(), o.ID); err == nil {
		t.Error("AwaitReady before the port is open = nil, want it to wait")
	}
	listener, err := net.Listen("tcp", net.JoinHostPort(address.Host, strconv.Itoa(address.Ports["client"])))
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	if _, err := f.AwaitReady(t.Context(), o.ID); err != nil {
		t.Errorf("AwaitReady = %v", err)
	}
}

func TestAnInstanceFails(t *testing.T) {
	t.Parallel()
	gate := filepath.Join(t.TempDir(), "gate")
	later := "until [ -e " + gate + " ]; do sleep 0.02; done; echo boom; exit 3"
	tests := map[string]struct {
		change func(*cloud.Service)
		state  cloud.State
		reason []string
	}{
		"when it ends before it is ready": {func(s *cloud.Service) {
			s.Command[2], s.Readiness.Log = "echo boom; exit 3", "never"
		}, cloud.Failed, []string{"before it was ready", "exit code 3", "boom"}},
		"when it is not ready in time": {func(s *cloud.Service) {
			s.Command[2], s.Readiness.Log, s.Readiness.Timeout = "echo slow; exec sleep 600", "never", 0.1
		}, cloud.Failed, []string{"not ready within 100ms", "slow"}},
		"when there is no such program": {func(s *cloud.Service) { s.Command = []string{"./none"} }, cloud.Failed, []string{"could not be started"}},
		"when an artifact is missing": {func(s *cloud.Service) {
			s.Artifacts = map[string]string{"kafka": "kafka@0"}
		}, cloud.Failed, []string{"kafka@0 is not in"}},
		"when its address has no such port": {func(s *cloud.Service) { s.Readiness.Port = "none" }, cloud.Failed, []string{`has no port "none"`}},
		"when it ends later":                {func(s *cloud.Service) { s.Command[2] = later }, cloud.Failed, []string{"exit code 3", "boom"}},
		"when its task fails":               {func(s *cloud.Service) { s.Command[2], s.Lifetime = later, "task" }, cloud.Failed, []string{"exit code 3"}},
		"not when its task ends well":       {func(s *cloud.Service) { s.Command[2], s.Lifetime = "exit 0", "task" }, cloud.Ready, nil},
	}
	if err := os.WriteFile(gate, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newFixture(t)
			service := shell(idle)
			tt.change(&service)
			o, err := f.Create(t.Context(), instance(t, f.address(f.network().ID).ID, service))
			for err == nil && (o.State == cloud.Pending || o.State == cloud.Ready && tt.state != cloud.Ready) {
				o, err = f.Object(t.Context(), o.ID)
			}
			if err != nil || o.State != tt.state {
				t.Fatalf("instance = %+v, %v, want it %s", o, err, tt.state)
			}
			for _, want := range tt.reason {
				if !strings.Contains(o.Reason, want) {
					t.Errorf("reason = %q, want %q in it", o.Reason, want)
				}
			}
		})
	}
}

func TestWhatCannotBeMadeIsRefused(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	network := f.network()
	address := f.address(network.ID)
	tests := map[string]struct {
		creation cloud.Creation
		code     cloud.Code
	}{
		"an unknown kind":            {cloud.Creation{Kind: "bucket", Name: "x"}, cloud.CodeInvalid},
		"what the cloud alone makes": {cloud.Creation{Kind: cloud.KindInterface, Name: "x"}, cloud.CodeInvalid},
		"no name":                    {cloud.Creation{Kind: cloud.KindNetwork}, cloud.CodeInvalid},
		"an address without network": {cloud.Creation{Kind: cloud.KindAddress, Name: "x"}, cloud.CodeInvalid},
		"an address in an address":   {cloud.Creation{Kind: cloud.KindAddress, Name: "x", DependsOn: []string{address.ID}}, cloud.CodeInvalid},
		"an address in a lost net":   {cloud.Creation{Kind: cloud.KindAddress, Name: "x", DependsOn: []string{"net-none"}}, cloud.CodeNotFound},
		"an instance in a network":   {cloud.Creation{Kind: cloud.KindInstance, Name: "x", DependsOn: []string{network.ID}}, cloud.CodeInvalid},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			_, err := f.Create(t.Context(), tt.creation)
			wantCode(t, "Create", err, tt.code)
		})
	}
	if got := len(f.list()); got != 2 {
		t.Errorf("List has %d objects, want the two that could be made", got)
	}
}

func TestTheLogSaysWhoCalls(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	session, err := f.Session(t.Context(), "run raaaaaaaaa attempt 2")
	if err != nil {
		t.Fatal(err)
	}
	o, err := session.Create(t.Context(), cloud.Creation{Kind: cloud.KindNetwork, Name: "raaaaaaaaa-network", Tags: tags})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := session.Session(t.Context(), "another"); !cloud.IsCode(err, cloud.CodeDenied) {
		t.Errorf("a session's session = %v, want %s", err, cloud.CodeDenied)
	}
	caller := fmt.Sprintf("%s[%d]", filepath.Base(os.Args[0]), os.Getpid())
	want := []cloud.Entry{
		{N: 3, Event: cloud.EventCall, Action: cloud.ActionCreate},
		{N: 4, Event: cloud.EventCreated, Call: 3, ID: o.ID},
		{N: 5, Event: cloud.EventAnswer, Call: 3, Action: cloud.ActionCreate, ID: o.ID, Status: 201},
	}
	for i := range want {
		want[i].Caller, want[i].Key = caller, "run raaaaaaaaa attempt 2"
		want[i].Kind, want[i].Name, want[i].Tags = cloud.KindNetwork, "raaaaaaaaa-network", tags
	}
	got := f.Log()[2:5]
	for i := range got {
		got[i].At = time.Time{}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("the log of a create (-want +got):\n%s", diff)
	}
}

func TestKeysAreAsked(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	for _, key := range []string{"", "account-x", "e30.x"} {
		_, err := cloud.New(f.URL(), key).List(t.Context())
		wantCode(t, fmt.Sprintf("List with the key %q", key), err, cloud.CodeDenied)
	}
	wantCode(t, "SetFaults of the account", f.Client.SetFaults(t.Context(), cloud.Faults{}), cloud.CodeDenied)
	endpoint, err := cloud.ReadEndpoint(f.Folder)
	if err != nil {
		t.Fatal(err)
	}
	unknown := cloud.Faults{List: []cloud.Fault{{Name: "rain"}}}
	wantCode(t, "SetFaults(unknown)", endpoint.AdminClient().SetFaults(t.Context(), unknown), cloud.CodeInvalid)
}

func TestACloudGoesOnInItsFolder(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	var before, after []cloud.Object
	var session *cloud.Client
	t.Run("a cloud ends", func(t *testing.T) {
		f := run(t, simulator.Options{Folder: folder})
		f.node(idle)
		before = f.list()
		var err error
		if session, err = f.Session(t.Context(), "s"); err != nil {
			t.Fatal(err)
		}
	})
	f := run(t, simulator.Options{Folder: folder})
	after = f.list()
	if len(before) != 3 || len(after) != 3 || after[0].State != cloud.Failed {
		t.Fatalf("List = %+v, want what there was: %+v, its service stopped", after, before)
	}
	for i := range before {
		before[i].State, after[i].State, before[i].Reason, after[i].Reason = "", "", "", ""
	}
	if diff := cmp.Diff(before, after); diff != "" {
		t.Errorf("objects of the cloud before and after (-before +after):\n%s", diff)
	}
	key := session.Credentials()["FAKECLOUD_KEY"]
	if _, err := cloud.New(f.URL(), key).List(t.Context()); err != nil {
		t.Errorf("List with a key of the earlier cloud = %v", err)
	}
	f.remove(after...)
}

func TestADetachedCloud(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	process, err := simulator.Start(t.Context(), simulator.Options{Folder: folder})
	if err != nil {
		t.Fatal(err)
	}
	endpoint, err := cloud.ReadEndpoint(folder)
	if err != nil {
		t.Fatal(err)
	}
	f := &fixture{&fakecloudtest.Cloud{Client: endpoint.Client()}, t}
	f.node(idle)
	if err := process.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	if exit, err := process.Wait(t.Context()); err != nil || exit.Code != 0 {
		t.Errorf("the cloud ended with %+v, %v, want exit code 0\n%s", exit, err, process.Tail(20))
	}
	if left, err := os.ReadDir(filepath.Join(folder, "instances")); err != nil || len(left) != 0 {
		t.Errorf("folders of services = %v, %v, want none", left, err)
	}
}

func TestADetachedCloudEndsByItself(t *testing.T) {
	t.Parallel()
	process, err := simulator.Start(t.Context(), simulator.Options{Folder: t.TempDir(), Lifetime: 5 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	if exit, err := process.Wait(t.Context()); err != nil || exit.Cause != "expired" {
		t.Errorf("the cloud ended with %+v, %v, want it expired", exit, err)
	}
}
