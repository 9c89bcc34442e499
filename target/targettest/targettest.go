// Package targettest is the suite that every target passes: nodes come up and
// can be reached, a destroy leaves nothing, and what OpenTofu has lost is found
// and removed by the target's inventory. It runs the real OpenTofu.
package targettest

import (
	"cmp"
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

// Suite is what is needed to try a target.
type Suite struct {
	Target    target.Target
	Place     target.Place // opened from it
	Providers string       // HCL: its required_providers and its provider block, which finds the artifact probe@1
	Mirror    string       // folder of providers
}

// nodes is how many nodes the suite brings up.
const nodes = 3

//go:embed suite.tf
var suite string

// Run runs the suite.
func (s Suite) Run(t *testing.T) {
	t.Run("it says what it is and whether it can be used", s.testFacts)
	t.Run("nodes come up, can be reached, and a destroy leaves nothing", s.testLife)
	t.Run("what the state has lost is found and removed by the inventory", s.testOrphans)
}

func (s Suite) testFacts(t *testing.T) {
	tt := s.Target
	if tt.Name == "" || tt.Title == "" || tt.Facts.Slots < 1 || tt.Facts.SweepInterval <= 0 {
		t.Errorf("Target = %+v, want every field set", tt)
	}
	for _, text := range tt.Facts.Errors {
		if got := tt.Facts.Classify(text.Example); got != text.Class {
			t.Errorf("Classify(%q) = %s, want %s", text.Example, got, text.Class)
		}
	}
	findings := s.Place.Check(t.Context(), target.Demand{})
	if len(findings) == 0 || findings[0].Subject != "" || findings[0].Level != target.OK {
		t.Errorf("Check() = %+v, want first that the place as a whole can be used", findings)
	}
	findings = s.Place.Check(t.Context(), target.Demand{DiskBytes: 1 << 60})
	if tt.Facts.SharedMachine && Worst(findings).Level != target.Refuse {
		t.Errorf("Check(an exbibyte) = %+v, want a refusal", findings)
	}
}

func (s Suite) testLife(t *testing.T) {
	const run = "rsuite0001"
	root := s.root(t, run)
	plan := root.Plan()
	checkShape(t, plan.OutputChanges["addresses"].AfterUnknown)
	root.Must("apply", "-input=false", "plan")
	addresses := s.addresses(t, root)
	for i, node := range addresses {
		s.reach(t, fmt.Sprintf("node-%d", i), node)
	}
	s.described(t, root, run)

	if result := root.Run("plan", "-input=false", "-detailed-exitcode"); result.Code != 0 {
		t.Errorf("a plan after the apply exits with %d, want 0: no changes\n%s", result.Code, result.Output)
	}
	root.Must("destroy", "-input=false", "-auto-approve")
	s.nothing(t, run, addresses)
}

func (s Suite) testOrphans(t *testing.T) {
	const run = "rsuite0002"
	root := s.root(t, run)
	root.Must("apply", "-input=false", "-auto-approve")
	addresses := s.addresses(t, root)
	if err := os.Remove(filepath.Join(root.Dir, "terraform.tfstate")); err != nil {
		t.Fatal(err)
	}
	objects := s.list(t, run)
	if len(objects) == 0 {
		t.Fatal("List(run) is empty, want every object that the state has lost")
	}
	for range 2 { // removing what is gone is no error
		for _, o := range objects {
			if err := s.Place.Remove(t.Context(), o); err != nil {
				t.Errorf("Remove(%s %s) = %v, want nil", o.Kind, o.ID, err)
			}
		}
	}
	s.nothing(t, run, addresses)
}

// root is the suite's root module for a run, with everything of that run
// removed at the end of the test.
func (s Suite) root(t *testing.T, run string) *Root {
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
		"main.tf":               strings.Replace(suite, "# __PROVIDERS__", s.Providers, 1),
		"terraform.tfvars.json": string(variables),
	}
	maps.Copy(files, Module(t, s.Target))
	t.Cleanup(func() { s.sweep(t, run) })
	return NewRoot(t, Options{Files: files, Mirror: s.Mirror, Environment: s.environment(t, run)})
}

// Module returns the files of a target's nodes module, by their paths below a
// root module.
func Module(t *testing.T, tt target.Target) map[string]string {
	t.Helper()
	files := map[string]string{}
	err := fs.WalkDir(tt.Nodes, ".", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		content, err := fs.ReadFile(tt.Nodes, path)
		files["nodes/"+path] = string(content)
		return err
	})
	if err != nil {
		t.Fatalf("read the nodes module of %s: %v", tt.Name, err)
	}
	return files
}

// environment is that by which the providers find the place, with credentials for
// the run.
func (s Suite) environment(t *testing.T, run string) []string {
	t.Helper()
	variables := maps.Clone(s.Place.Placement().Environment)
	if place, ok := s.Place.(target.Credentialed); ok {
		credentials, _, err := place.Credentials(t.Context(), run)
		if err != nil {
			t.Fatalf("Credentials(%q) = %v", run, err)
		}
		maps.Copy(variables, credentials)
	}
	var environment []string
	for name, value := range variables {
		environment = append(environment, name+"="+value)
	}
	return environment
}

// Worst returns the first of the worst findings.
func Worst(findings []target.Finding) target.Finding {
	return slices.MaxFunc(findings, func(a, b target.Finding) int { return cmp.Compare(a.Level, b.Level) })
}

// checkShape checks, of what is unknown of addresses at plan, that it is at most
// hosts and numbers of ports: how many nodes there are and the names of their
// ports decide what services there are.
func checkShape(t *testing.T, unknown any) {
	t.Helper()
	if unknown == false {
		return // all is known
	}
	groups, _ := unknown.(map[string]any)
	list, _ := groups["node"].([]any)
	for _, n := range list {
		n, _ := n.(map[string]any)
		if _, whole := n["ports"].(bool); whole || n == nil {
			list = nil
		}
	}
	if len(list) != nodes {
		t.Errorf("addresses at plan are unknown: %v, want the number of nodes and the names of ports known", unknown)
	}
}

// sweep removes what a failed test has left.
func (s Suite) sweep(t *testing.T, run string) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), time.Minute)
	defer cancel()
	objects, err := s.Place.List(ctx, run)
	if err != nil {
		t.Errorf("List(%q) = %v", run, err)
	}
	for _, o := range objects {
		if err := s.Place.Remove(ctx, o); err != nil {
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
func (s Suite) addresses(t *testing.T, root *Root) []node {
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
func (s Suite) reach(t *testing.T, name string, n node) {
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
func (s Suite) described(t *testing.T, root *Root, run string) {
	t.Helper()
	var addresses []string
	alive := 0
	for _, o := range s.list(t, run) {
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
func (s Suite) nothing(t *testing.T, run string, addresses []node) {
	t.Helper()
	if got := s.list(t, run); len(got) > 0 {
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

func (s Suite) list(t *testing.T, run string) []experiment.Object {
	t.Helper()
	objects, err := s.Place.List(t.Context(), run)
	if err != nil {
		t.Fatalf("List(%q) = %v", run, err)
	}
	return objects
}

func equalSets(a, b []string) bool {
	return slices.Equal(slices.Sorted(slices.Values(a)), slices.Sorted(slices.Values(b)))
}
