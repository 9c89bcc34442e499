package local_test

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"dec.local/dec/internal/experiment"
	"dec.local/dec/internal/supervise"
	"dec.local/dec/target"
	"dec.local/dec/target/local"
)

const (
	run      = "raaaaaaaaa"
	otherRun = "rbbbbbbbbb"
)

func TestMain(m *testing.M) {
	supervise.Main(nil)
	goleak.VerifyTestMain(m)
}

// mustOpen opens a ledger in a folder of its own and removes everything in it at
// the end.
func mustOpen(t *testing.T) *local.Ledger {
	t.Helper()
	l, err := local.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), time.Minute)
		defer cancel()
		objects, err := l.List(ctx, "")
		for _, o := range objects {
			err = errors.Join(err, l.Remove(ctx, o))
		}
		if err != nil {
			t.Errorf("remove what is left: %v", err)
		}
	})
	return l
}

// tags are those of something of a run that expires in an hour.
func tags(run, address string) map[string]string {
	return map[string]string{
		target.TagInstall:   "install",
		target.TagRun:       run,
		target.TagAddress:   address,
		target.TagExpiresAt: time.Now().Add(time.Hour).UTC().Format(time.RFC3339),
	}
}

// shell is a process of the run that runs a script.
func shell(script string, lifetime supervise.Lifetime) supervise.Spec {
	return supervise.Spec{
		Command:  []string{"/bin/sh", "-c", script},
		Lifetime: lifetime,
		Tags:     tags(run, "dec_process.p"),
	}
}

// start starts a process under its name and waits until it is ready.
func start(t *testing.T, l *local.Ledger, name string, spec supervise.Spec) *supervise.Process {
	t.Helper()
	spec.Name = name
	p, err := supervise.Start(t.Context(), l.Folder(name), spec, supervise.Secrets{})
	if err != nil {
		t.Fatal(err)
	}
	if err := p.WaitReady(t.Context()); err != nil {
		t.Fatal(err)
	}
	return p
}

func list(t *testing.T, l *local.Ledger, run string) []experiment.Object {
	t.Helper()
	objects, err := l.List(t.Context(), run)
	if err != nil {
		t.Fatalf("List(%q) = %v", run, err)
	}
	return objects
}

// ids are the kinds and ids of objects.
func ids(objects []experiment.Object) []string {
	var ids []string
	for _, o := range objects {
		ids = append(ids, o.Kind+" "+o.ID)
	}
	return ids
}

func TestListTellsWhatTheTagsSay(t *testing.T) {
	l := mustOpen(t)
	spec := shell("exec sleep 600", supervise.Service)
	start(t, l, run+"-broker-0", spec)

	objects := list(t, l, run)
	if len(objects) != 1 {
		t.Fatalf("List(%q) = %+v, want one process", run, objects)
	}
	got := objects[0]
	if age := time.Since(got.CreatedAt); age < 0 || age > time.Hour {
		t.Errorf("List: created %s ago, want just now", age)
	}
	expires, err := time.Parse(time.RFC3339, spec.Tags[target.TagExpiresAt])
	if err != nil {
		t.Fatal(err)
	}
	got.CreatedAt = time.Time{}
	want := experiment.Object{
		Kind: local.KindProcess, ID: run + "-broker-0", Run: run, Install: "install",
		Address: "dec_process.p", Alive: true, ExpiresAt: expires,
		Detail: map[string]string{"folder": l.Folder(run + "-broker-0"), "lifetime": "service"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("List (-want +got):\n%s", diff)
	}
}

func TestListIsByRun(t *testing.T) {
	l := mustOpen(t)
	for _, r := range []string{run, otherRun} {
		if _, err := l.ReservePort(t.Context(), r+"-broker-0-client", tags(r, "")); err != nil {
			t.Fatal(err)
		}
	}
	for of, want := range map[string]int{run: 1, otherRun: 1, "": 2, "rccccccccc": 0} {
		if got := list(t, l, of); len(got) != want {
			t.Errorf("List(%q) = %v, want %d", of, ids(got), want)
		}
	}
}

func TestAProcessIsAnEntryUntilItIsRemoved(t *testing.T) {
	l := mustOpen(t)
	logs := filepath.Join(t.TempDir(), "logs", "task")
	spec := shell("echo done", supervise.Task)
	spec.Logs = logs
	p := start(t, l, run+"-task", spec)
	if _, err := p.Wait(t.Context()); err != nil {
		t.Fatal(err)
	}
	objects := list(t, l, run)
	if len(objects) != 1 || objects[0].Alive {
		t.Fatalf("List = %+v, want the ended process", objects)
	}
	for range 2 {
		if err := l.Remove(t.Context(), objects[0]); err != nil {
			t.Errorf("Remove = %v, want nil", err)
		}
	}
	if got := list(t, l, ""); len(got) != 0 {
		t.Errorf("List after Remove = %v, want nothing", ids(got))
	}
	if got, err := os.ReadFile(filepath.Join(logs, "stdout.log")); err != nil || string(got) != "done\n" {
		t.Errorf("saved output = %q, %v, want what the process wrote", got, err)
	}
}

func TestRemoveStopsAProcess(t *testing.T) {
	l := mustOpen(t)
	logs := t.TempDir()
	spec := shell(`trap "echo stopped; exit 0" TERM; echo ready; while :; do sleep 0.05; done`, supervise.Service)
	spec.Logs, spec.Readiness.Log = logs, "ready"
	start(t, l, run+"-broker-0", spec)
	if err := l.RemoveProcess(t.Context(), run+"-broker-0"); err != nil {
		t.Fatalf("RemoveProcess = %v", err)
	}
	if _, err := l.Process(run + "-broker-0"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("Process after RemoveProcess = %v, want %v", err, fs.ErrNotExist)
	}
	if got, err := os.ReadFile(filepath.Join(logs, "stdout.log")); err != nil || string(got) != "ready\nstopped\n" {
		t.Errorf("saved output = %q, %v, want that it was asked to stop", got, err)
	}
}

func TestRemoveSaysWhenLogsAreLost(t *testing.T) {
	l := mustOpen(t)
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	spec := shell("exec sleep 600", supervise.Service)
	spec.Logs = filepath.Join(file, "logs")
	start(t, l, run+"-broker-0", spec)
	if err := l.RemoveProcess(t.Context(), run+"-broker-0"); !errors.Is(err, local.ErrLogs) {
		t.Errorf("RemoveProcess = %v, want %v", err, local.ErrLogs)
	}
	if got := list(t, l, ""); len(got) != 0 {
		t.Errorf("List = %v, want nothing: lost logs are no reason to keep a process", ids(got))
	}
}

func TestDamagedEntriesAreFoundAndRemoved(t *testing.T) {
	damage := map[string]func(t *testing.T, l *local.Ledger) error{
		"a folder whose maker was killed before the spec": func(t *testing.T, l *local.Ledger) error {
			return os.Mkdir(l.Folder(run+"-broker-0"), 0o700)
		},
		"a folder with half a spec": func(t *testing.T, l *local.Ledger) error {
			folder := l.Folder(run + "-broker-0")
			return errors.Join(os.Mkdir(folder, 0o700), os.WriteFile(filepath.Join(folder, "spec.json"), []byte(`{"na`), 0o600))
		},
		"a folder whose remover was killed after the spec": func(t *testing.T, l *local.Ledger) error {
			p := start(t, l, run+"-broker-0", shell("exit 0", supervise.Task))
			_, err := p.Wait(t.Context())
			return errors.Join(err, os.Remove(filepath.Join(p.Folder(), "spec.json")))
		},
	}
	for name, do := range damage {
		t.Run(name, func(t *testing.T) {
			l := mustOpen(t)
			if err := do(t, l); err != nil {
				t.Fatal(err)
			}
			objects := list(t, l, run)
			if want := []string{"process " + run + "-broker-0"}; !slices.Equal(ids(objects), want) {
				t.Fatalf("List(%q) = %q, want %q by its name", run, ids(objects), want)
			}
			if objects[0].Alive || objects[0].Detail["damaged"] == "" {
				t.Errorf("List = %+v, want it dead and damaged", objects[0])
			}
			if err := l.Remove(t.Context(), objects[0]); err != nil {
				t.Errorf("Remove = %v, want nil", err)
			}
			if got := list(t, l, ""); len(got) != 0 {
				t.Errorf("List after Remove = %v, want nothing", ids(got))
			}
		})
	}
}

func TestRemoveRefusesWhatItDoesNotKnow(t *testing.T) {
	l := mustOpen(t)
	for _, o := range []experiment.Object{
		{Kind: "bucket", ID: "b"},
		{Kind: local.KindPort, ID: "twenty"},
		{Kind: local.KindProcess, ID: "../ports"},
		{Kind: local.KindProcess, ID: ""},
	} {
		if err := l.Remove(t.Context(), o); err == nil {
			t.Errorf("Remove(%s %q) = nil, want an error", o.Kind, o.ID)
		}
	}
}

func TestFolder(t *testing.T) {
	tests := map[string]struct {
		env  map[string]string
		want string
	}{
		"the home folder":                  {env: map[string]string{"HOME": "/home/a"}, want: "/home/a/.local/state/dec/local"},
		"XDG_STATE_HOME":                   {env: map[string]string{"HOME": "/home/a", "XDG_STATE_HOME": "/state"}, want: "/state/dec/local"},
		"a relative XDG_STATE_HOME is not": {env: map[string]string{"HOME": "/home/a", "XDG_STATE_HOME": "state"}, want: "/home/a/.local/state/dec/local"},
		"DEC_LOCAL_LEDGER above all":       {env: map[string]string{"XDG_STATE_HOME": "/state", "DEC_LOCAL_LEDGER": "/ledger"}, want: "/ledger"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if got, err := local.Folder(func(name string) string { return tt.env[name] }); got != tt.want || err != nil {
				t.Errorf("Folder() = %q, %v, want %q", got, err, tt.want)
			}
		})
	}
}

func TestCheckName(t *testing.T) {
	for name, ok := range map[string]bool{
		"raaaaaaaaa-broker-0":    true,
		"A.b_c-d":                true,
		"":                       false,
		".":                      false,
		"..":                     false,
		"a/b":                    false,
		"a b":                    false,
		"-a":                     false,
		strings.Repeat("a", 200): true,
		strings.Repeat("a", 201): false,
	} {
		if err := local.CheckName(name); (err == nil) != ok {
			t.Errorf("CheckName(%q) = %v, want ok: %v", name, err, ok)
		}
	}
}
