package provider_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	tfjson "github.com/hashicorp/terraform-json"

	"dec.local/dec/e2e/fakecloud/cloud"
	"dec.local/dec/internal/experiment"
)

func TestLifeOfANode(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	root := f.root(network, address, instance(serving, ""))
	for _, c := range root.Plan().ResourceChanges {
		if unknown, _ := c.Change.AfterUnknown.(map[string]any); unknown["id"] != true {
			t.Errorf("%s is planned with the unknowns %v, want the id among them", c.Address, unknown)
		}
	}
	root.Must("apply", "-input=false", "plan")
	objects := f.objects()
	node := objects[cloud.KindInstance]
	end, err := f.LogEnd(t.Context(), node.ID, "stdout.log", 100)
	if want := "up " + strconv.Itoa(objects[cloud.KindAddress].Ports["client"]) + "\n"; string(end) != want || err != nil {
		t.Errorf("the service says %q, %v, want %q: the port of its address", end, err, want)
	}
	unchanged(t, root)
	root.Must(destroy...)
	f.nothing()
}

func TestImport(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	resources := []string{network, address, instance(serving, "")}
	f.root(resources...).Must(apply...)
	objects := f.objects()
	root := f.root(append(resources, `
import {
  to = fakecloud_network.network
  id = "`+objects[cloud.KindNetwork].ID+`"
}
import {
  to = fakecloud_address.node
  id = "`+objects[cloud.KindAddress].ID+`"
}
import {
  to       = fakecloud_instance.node
  identity = { id = "`+objects[cloud.KindInstance].ID+`" }
}
`)...)
	plan := root.Plan()
	for _, c := range plan.ResourceChanges {
		if !slices.Equal(c.Change.Actions, tfjson.Actions{tfjson.ActionNoop}) {
			t.Errorf("import of %s: %v, want no change", c.Address, c.Change.Actions)
		}
	}
	root.Must("apply", "-input=false", "plan")
	unchanged(t, root)
	root.Must(destroy...)
	f.nothing()
}

func TestImportNamesTheMissingObject(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	root := f.root(network, `
import {
  to = fakecloud_network.network
  id = "net-missing"
}`)
	fails(t, root, []string{"plan", "-input=false"}, "No object net-missing", "NotFound")
}

func TestAFailedCreateIsInTheState(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	root := f.root(network, address, instance("echo boom; exit 3", ""))
	fails(t, root, apply, "The instance "+run+"-broker-0 did not get ready", "exit code 3", "boom")
	want := []string{"fakecloud_address.node", "fakecloud_instance.node", "fakecloud_network.network"}
	if got := state(root); !slices.Equal(got, want) {
		t.Errorf("state has %q, want %q", got, want)
	}
	root.Must(destroy...)
	f.nothing()
}

func TestAServiceThatEndsIsNotStartedAgain(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	gate := filepath.Join(t.TempDir(), "gate")
	root := f.root(network, address, instance("echo up; until [ -e "+gate+" ]; do sleep 0.02; done; echo boom; exit 3", ""))
	root.Must(apply...)
	if err := os.WriteFile(gate, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for o := f.objects()[cloud.KindInstance]; o.State != cloud.Failed; {
		o = f.objects()[cloud.KindInstance]
	}
	fails(t, root, apply, "is not started again", "exit code 3", "boom")
	root.Must(destroy...)
	f.nothing()
}

func TestDestroySucceedsOnWhatIsGone(t *testing.T) {
	t.Parallel()
	for name, args := range map[string][]string{"found by the refresh": nil, "found by the delete": {"-refresh=false"}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newFixture(t)
			root := f.root(network)
			root.Must(apply...)
			if err := f.Delete(t.Context(), f.objects()[cloud.KindNetwork].ID); err != nil {
				t.Fatal(err)
			}
			root.Must(append(slices.Clone(destroy), args...)...)
			f.nothing()
		})
	}
}

func TestSecretsAreInTheWorkingFolderAlone(t *testing.T) {
	t.Parallel()
	const canary = "canary-1618033988"
	f := newFixture(t)
	root := f.root(`
variable "secret" {
  type      = string
  default   = null
  sensitive = true
  ephemeral = true
}
`, network, address, instance(serving, `secrets_wo = { "etc/token" = var.secret }`))
	root.Setenv("TF_VAR_secret", canary)
	root.Must(apply...)
	token := filepath.Join(f.Folder, "instances", f.objects()[cloud.KindInstance].ID, "work", "etc", "token")
	for _, dir := range []string{root.Dir, f.Folder} {
		for _, file := range holding(t, dir, canary) {
			if file != token {
				t.Errorf("%s holds the secret", file)
			}
		}
	}
	if content, err := os.ReadFile(token); string(content) != canary {
		t.Errorf("the secret file = %q, %v", content, err)
	}
	root.Setenv("TF_VAR_secret", "")
	root.Must(destroy...)
	f.nothing()
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

// A delay that a test can see the end of, and one that it cannot.
const (
	brief = experiment.Duration(200 * time.Millisecond)
	ages  = experiment.Duration(24 * time.Hour)
)

func TestTransientErrorsAreTolerated(t *testing.T) {
	t.Parallel()
	tests := map[string][]cloud.Fault{
		"slow creates":   {{Name: cloud.SlowCreate, Delay: brief}},
		"late ids":       {{Name: cloud.LateID, Delay: brief}},
		"late objects":   {{Name: cloud.LateObject, Delay: brief}},
		"reads that lag": {{Name: cloud.Lag, Delay: brief}},
		"throttling":     {{Name: cloud.Throttle, Times: 2}},
		"dependencies":   {{Name: cloud.Dependency, Times: 3}},
		"children":       {{Name: cloud.Children, Delay: brief}},
		"deletes that hang for a while, and all the above": {
			{Name: cloud.HangDelete, Delay: brief}, {Name: cloud.SlowCreate, Delay: brief}, {Name: cloud.LateID, Delay: brief},
			{Name: cloud.LateObject, Delay: brief},
			{Name: cloud.Lag, Delay: brief}, {Name: cloud.Throttle, Times: 2}, {Name: cloud.Dependency, Times: 3}, {Name: cloud.Children, Delay: brief},
		},
	}
	for name, faults := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newFixture(t, faults...)
			root := f.root(network, address, instance(serving, ""))
			root.Must(apply...)
			unchanged(t, root)
			root.Must(destroy...)
			f.nothing()
		})
	}
}

// waits reports whether only the provider's timeout ends what a fault does.
func waits(f cloud.Fault) bool {
	return f.Name == cloud.SlowCreate || f.Name == cloud.HangDelete || f.Name == cloud.Dependency
}

func TestWhatDoesNotPassIsTold(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		fault cloud.Fault
		args  []string
		left  int // objects in the state
		want  []string
	}{
		"throttling for ever": {
			cloud.Fault{Name: cloud.Throttle, Action: cloud.ActionCreate}, apply, 0, []string{"was not created", "Throttling: rate exceeded"}},
		"an auth error": {
			cloud.Fault{Name: cloud.Denied, Action: cloud.ActionCreate}, apply, 0, []string{"was not created", "AccessDenied"}},
		"an auth error on read": {
			cloud.Fault{Name: cloud.Denied, Action: cloud.ActionRead}, apply, 1, []string{"did not get ready", "AccessDenied"}},
		"a create that is too slow": {
			cloud.Fault{Name: cloud.SlowCreate, Delay: ages}, apply, 1, []string{"did not get ready", "deadline exceeded"}},
		"a failing delete": {
			cloud.Fault{Name: cloud.Fail, Action: cloud.ActionDelete}, destroy, 1, []string{"was not deleted", "InternalError"}},
		"a delete that hangs": {
			cloud.Fault{Name: cloud.HangDelete}, destroy, 1, []string{"was not deleted", "for too long"}},
		"a dependency for ever": {
			cloud.Fault{Name: cloud.Dependency}, destroy, 1, []string{"was not deleted", "DependencyViolation"}},
		"a read that fails": {
			cloud.Fault{Name: cloud.Fail, Action: cloud.ActionRead}, destroy, 1, []string{"cannot be read", "InternalError"}},
		"an expired credential": {
			cloud.Fault{Name: cloud.Expire, Delay: 1}, destroy, 1, []string{"cannot be read", "ExpiredToken"}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newFixture(t)
			var err error
			account := f.Client
			if f.Client, err = account.Session(t.Context(), "attempt 1"); err != nil {
				t.Fatal(err)
			}
			root := f.root(network)
			if tt.args[0] == "destroy" {
				root.Must(apply...)
			}
			f.SetFaults(tt.fault)
			if waits(tt.fault) {
				root.Setenv("FAKECLOUD_TIMEOUT", "3s")
			}
			fails(t, root, tt.args, tt.want...)
			root.Setenv("FAKECLOUD_TIMEOUT", "1m")
			if got := state(root); len(got) != tt.left {
				t.Errorf("state has %q, want %d objects", got, tt.left)
			}
			f.SetFaults()
			root.Must(destroy...)
			f.Client = account
			f.nothing()
		})
	}
}
