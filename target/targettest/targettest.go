// Package targettest is the suite that every target passes: nodes come up and
// can be reached, a destroy leaves nothing, and what OpenTofu has lost is found
// and removed by the target's inventory. It runs the real OpenTofu.
package targettest

import (
	"context"
	_ "embed"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"dec.local/dec/internal/experiment"
	"dec.local/dec/target"
)

// Inventory is a target's own view of what exists, see package target.
type Inventory interface {
	List(ctx context.Context, run string) ([]experiment.Object, error)
	Remove(ctx context.Context, o experiment.Object) error
}

// Target is what the suite needs to try one.
type Target struct {
	Name        string   // of its folder, which holds its nodes module
	Providers   string   // HCL: its required_providers and its provider block, which finds the artifact probe@1
	Mirror      string   // folder of providers
	Environment []string // added to OpenTofu's environment
	Inventory   Inventory
}

// nodes is how many nodes the suite brings up.
const nodes = 3

//go:embed suite.tf
var suite string

// Run runs the suite.
func Run(t *testing.T, target Target) {
	t.Run("nodes come up, can be reached, and a destroy leaves nothing", target.testLife)
	t.Run("what the state has lost is found and removed by the inventory", target.testOrphans)
}

func (tt Target) testLife(t *testing.T) {
	const run = "rsuite0001"
	root := tt.root(t, run)
	plan := root.Plan()
	if got := plan.OutputChanges["addresses"].AfterUnknown; got != false {
		t.Errorf("addresses at plan are unknown: %v, want all known", got)
	}
	root.Must("apply", "-input=false", "plan")
	addresses := tt.addresses(t, root)
	for i, node := range addresses {
		tt.reach(t, fmt.Sprintf("node-%d", i), node)
	}
	tt.described(t, root, run)

	if result := root.Run("plan", "-input=false", "-detailed-exitcode"); result.Code != 0 {
		t.Errorf("a plan after the apply exits with %d, want 0: no changes\n%s", result.Code, result.Output)
	}
	root.Must("destroy", "-input=false", "-auto-approve")
	tt.nothing(t, run, addresses)
}

func (tt Target) testOrphans(t *testing.T) {
	const run = "rsuite0002"
	root := tt.root(t, run)
	root.Must("apply", "-input=false", "-auto-approve")
	addresses := tt.addresses(t, root)
	if err := os.Remove(filepath.Join(root.Dir, "terraform.tfstate")); err != nil {
		t.Fatal(err)
	}
	objects := tt.list(t, run)
	if len(objects) == 0 {
		t.Fatal("List(run) is empty, want every object that the state has lost")
	}
	for range 2 { // removing what is gone is no error
		for _, o := range objects {
			if err := tt.Inventory.Remove(t.Context(), o); err != nil {
				t.Errorf("Remove(%s %s) = %v, want nil", o.Kind, o.ID, err)
			}
		}
	}
	tt.nothing(t, run, addresses)
}

// root is the suite's root module for a run, with everything of that run
// removed at the end of the test.
func (tt Target) root(t *testing.T, run string) *Root {
	t.Helper()
	variables, err := json.Marshal(map[string]any{
		"nodes": nodes,
		"run": map[string]any{
			"id":         run,
			"install":    "targettest",
			"expires_at": time.Now().Add(time.Hour).UTC().Format(time.RFC3339),
			"logs":       t.TempDir(),
			"cpus":       map[string][]int{},
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	files := map[string]string{
		"main.tf":               strings.Replace(suite, "# __PROVIDERS__", tt.Providers, 1),
		"terraform.tfvars.json": string(variables),
	}
	maps.Copy(files, Module(t, tt.Name))
	t.Cleanup(func() { tt.sweep(t, run) })
	return NewRoot(t, Options{Files: files, Mirror: tt.Mirror, Environment: tt.Environment})
}

// Module returns the files of a target's nodes module, by their paths below a
// root module.
func Module(t *testing.T, name string) map[string]string {
	t.Helper()
	files := map[string]string{}
	sub, err := fs.Sub(target.Nodes, name)
	if err == nil {
		err = fs.WalkDir(sub, "nodes", func(path string, entry fs.DirEntry, err error) error {
			if err != nil || entry.IsDir() {
				return err
			}
			content, err := fs.ReadFile(sub, path)
			files[path] = string(content)
			return err
		})
	}
	if err != nil {
		t.Fatalf("read the nodes module of %s: %v", name, err)
	}
	return files
}

// sweep removes what a failed test has left.
func (tt Target) sweep(t *testing.T, run string) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), time.Minute)
	defer cancel()
	objects, err := tt.Inventory.List(ctx, run)
	if err != nil {
		t.Errorf("List(%q) = %v", run, err)
	}
	for _, o := range objects {
		if err := tt.Inventory.Remove(ctx, o); err != nil {
			t.Errorf("Remove(%s %s) = %v", o.Kind, o.ID, err)
		}
	}
}

// node is where a node is reached.
type node struct {
	Host  string         `json:"host"`
	Ports map[string]int `json:"ports"`
}

func (n node) each(f func(port, address string)) {
	for _, port := range slices.Sorted(maps.Keys(n.Ports)) {
		f(port, net.JoinHostPort(n.Host, strconv.Itoa(n.Ports[port])))
	}
}

// addresses reads the output of that name, which must hold every node.
func (tt Target) addresses(t *testing.T, root *Root) []node {
	t.Helper()
	var groups map[string][]node
	if err := json.Unmarshal(root.Outputs()["addresses"], &groups); err != nil {
		t.Fatalf("decode addresses: %v", err)
	}
	if got := len(groups["node"]); got != nodes {
		t.Fatalf("addresses has %d nodes, want %d", got, nodes)
	}
	return groups["node"]
}

// reach checks that a node tells its name at every port.
func (tt Target) reach(t *testing.T, name string, n node) {
	t.Helper()
	if len(n.Ports) != 2 {
		t.Errorf("%s has the ports %v, want client and peers", name, n.Ports)
	}
	n.each(func(port, address string) {
		if got, err := ask(t.Context(), address); err != nil || got != name {
			t.Errorf("port %s of %s says %q, %v, want its name", port, name, got, err)
		}
	})
}

// ask connects to a probe and returns the name that it tells.
func ask(ctx context.Context, address string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", address)
	if err != nil {
		return "", err
	}
	defer conn.Close()
	deadline, _ := ctx.Deadline()
	if err := conn.SetDeadline(deadline); err != nil {
		return "", err
	}
	answer, err := io.ReadAll(conn)
	return strings.TrimSpace(string(answer)), err
}

// described checks that the inventory knows exactly the resources of the state,
// by their addresses, and that a node's services count as alive.
func (tt Target) described(t *testing.T, root *Root, run string) {
	t.Helper()
	var addresses []string
	alive := 0
	for _, o := range tt.list(t, run) {
		addresses = append(addresses, o.Address)
		if o.Alive {
			alive++
		}
		if o.Install != "targettest" || o.ExpiresAt.IsZero() || o.CreatedAt.IsZero() {
			t.Errorf("List(%q) has %+v, want it with install, expiry and creation", run, o)
		}
	}
	if want := root.Addresses(); !equalSets(addresses, want) {
		t.Errorf("List(%q) has the addresses %q, want those of the state %q", run, addresses, want)
	}
	if alive < nodes {
		t.Errorf("List(%q) has %d objects alive, want at least %d", run, alive, nodes)
	}
}

// nothing checks that nothing is left of a run.
func (tt Target) nothing(t *testing.T, run string, addresses []node) {
	t.Helper()
	if got := tt.list(t, run); len(got) > 0 {
		t.Errorf("List(%q) = %+v, want nothing", run, got)
	}
	for i, n := range addresses {
		n.each(func(port, address string) {
			if _, err := ask(t.Context(), address); err == nil {
				t.Errorf("port %s of node-%d still answers", port, i)
			}
		})
	}
}

func (tt Target) list(t *testing.T, run string) []experiment.Object {
	t.Helper()
	objects, err := tt.Inventory.List(t.Context(), run)
	if err != nil {
		t.Fatalf("List(%q) = %v", run, err)
	}
	return objects
}

func equalSets(a, b []string) bool {
	return slices.Equal(slices.Sorted(slices.Values(a)), slices.Sorted(slices.Values(b)))
}
