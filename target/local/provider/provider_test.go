package provider_test

import (
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	tfjson "github.com/hashicorp/terraform-json"

	"dec.local/dec/internal/supervise"
	"dec.local/dec/target/local"
	"dec.local/dec/target/targettest"
)

// serving is a process that uses the port and writes its pid into its working
// folder.
var serving = process("broker-0", "echo $$ > pid; echo port $PORT; exec sleep 600", `
  environment = { PORT = tostring(dec_port.port.number) }
  ready_log   = "port [0-9]+"
`)

// changes are the actions that a plan takes, by address.
func changes(plan *tfjson.Plan) map[string]tfjson.Actions {
	changes := map[string]tfjson.Actions{}
	for _, c := range plan.ResourceChanges {
		changes[c.Address] = c.Change.Actions
	}
	return changes
}

// unchanged checks that a plan finds nothing to do.
func unchanged(t *testing.T, root *targettest.Root) {
	t.Helper()
	if result := root.Run("plan", "-input=false", "-detailed-exitcode"); result.Code != 0 {
		t.Errorf("tofu plan exits with %d, want 0: no changes\n%s", result.Code, result.Output)
	}
}

// fails runs a command that has to fail and to say why.
func fails(t *testing.T, root *targettest.Root, args []string, want ...string) {
	t.Helper()
	result := root.Run(args...)
	if result.Code == 0 {
		t.Errorf("tofu %s succeeded, want it to fail\n%s", args, result.Output)
	}
	flat := strings.Join(strings.Fields(strings.ReplaceAll(result.Output, "│", " ")), " ")
	for _, w := range want {
		if !strings.Contains(flat, w) {
			t.Errorf("tofu %s says\n%s\nwant %q", args, result.Output, w)
		}
	}
}

var (
	apply   = []string{"apply", "-input=false", "-auto-approve"}
	destroy = []string{"destroy", "-input=false", "-auto-approve"}
)

func TestLifeOfAService(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	root := f.root(port, serving)

	planned := map[string]map[string]any{}
	for _, c := range root.Plan().ResourceChanges {
		planned[c.Address], _ = c.Change.After.(map[string]any)
		if unknown, _ := c.Change.AfterUnknown.(map[string]any); unknown["id"] == true || unknown["number"] == true || unknown["folder"] == true {
			t.Errorf("%s is planned with the unknowns %v, want id, number and folder known", c.Address, unknown)
		}
	}
	if got := planned["dec_process.broker-0"]; got["id"] != service || got["folder"] != f.ledger.Folder(service) {
		t.Errorf("planned process has id %v in %v, want %s in %s", got["id"], got["folder"], service, f.ledger.Folder(service))
	}
	reserved := f.list()
	if len(reserved) != 1 || reserved[0].Kind != local.KindPort || reserved[0].ID != planned["dec_port.port"]["id"] {
		t.Errorf("List after the plan = %+v, want the planned port %v", reserved, planned["dec_port.port"]["id"])
	}

	root.Must("apply", "-input=false", "plan")
	if got, want := f.process("broker-0").Tail(1), "port "+reserved[0].ID; strings.TrimSpace(got) != want {
		t.Errorf("process says %q, want %q: the port of the plan", got, want)
	}
	unchanged(t, root)

	f.kill("broker-0")
	if got := changes(root.Plan())["dec_process.broker-0"]; !slices.Equal(got, tfjson.Actions{tfjson.ActionUpdate}) {
		t.Errorf("plan after the process was killed: %v, want an update: it is not forgotten", got)
	}
	fails(t, root, apply, "Process "+service+" is not started again", "SIGKILL", "port "+reserved[0].ID)

	root.Must(destroy...)
	f.nothing()
}

// kill kills the child of a process, and waits for the record of it.
func (f *fixture) kill(label string) {
	f.t.Helper()
	p := f.process(label)
	text, err := os.ReadFile(filepath.Join(p.Folder(), "work", "pid"))
	if err != nil {
		f.t.Fatal(err)
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil {
		f.t.Fatal(err)
	}
	child, err := os.FindProcess(pid)
	if err != nil {
		f.t.Fatal(err)
	}
	if err := child.Kill(); err != nil {
		f.t.Fatal(err)
	}
	if _, err := p.Wait(f.t.Context()); err != nil {
		f.t.Fatal(err)
	}
}

func TestTasks(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	root := f.root(
		process("good", "exit 0", `lifetime = "task"`),
		process("bad", "until [ -e gate ]; do sleep 0.02; done; exit 3", `lifetime = "task"`),
	)
	root.Must(apply...)
	if _, err := f.process("good").Wait(t.Context()); err != nil {
		t.Fatal(err)
	}
	unchanged(t, root)

	if err := os.WriteFile(filepath.Join(f.process("bad").Folder(), "work", "gate"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := f.process("bad").Wait(t.Context()); err != nil {
		t.Fatal(err)
	}
	got := changes(root.Plan())
	if !slices.Equal(got["dec_process.good"], tfjson.Actions{tfjson.ActionNoop}) || !slices.Equal(got["dec_process.bad"], tfjson.Actions{tfjson.ActionUpdate}) {
		t.Errorf("plan = %v, want an update of the task that failed only", got)
	}
	root.Must(destroy...)
	f.nothing()
}

func TestDestroySucceedsOnWhatIsGone(t *testing.T) {
	t.Parallel()
	for name, args := range map[string][]string{
		"found by the refresh": nil,
		"found by the delete":  {"-refresh=false"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newFixture(t)
			root := f.root(port, serving)
			root.Must(apply...)
			for _, o := range f.list() {
				if err := f.ledger.Remove(t.Context(), o); err != nil {
					t.Fatal(err)
				}
			}
			root.Must(append(destroy[:len(destroy):len(destroy)], args...)...)
			// To refresh, OpenTofu plans to make the port again, so its number
			// is reserved as for every plan that is not applied.
			for _, o := range f.list() {
				if o.Detail["claimed"] != "false" {
					t.Errorf("List has %+v, want mere reservations at most", o)
				}
				if err := f.ledger.Remove(t.Context(), o); err != nil {
					t.Errorf("Remove(%s %s) = %v", o.Kind, o.ID, err)
				}
			}
			f.nothing()
		})
	}
}

func TestReplace(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	root := f.root(port, serving)
	root.Must(apply...)
	before := f.list()
	root.Must(append(apply[:len(apply):len(apply)], "-replace=dec_port.port", "-replace=dec_process.broker-0")...)
	root.Write("main.tf", strings.Replace(module(port, serving), `"install"`, `"other"`, 1))
	root.Must(apply...)
	after := f.list()
	if len(after) != len(before) {
		t.Errorf("List = %+v, want as many as before: %+v", after, before)
	}
	for _, o := range after {
		if o.Install != "other" {
			t.Errorf("List has %+v, want it replaced", o)
		}
	}
	unchanged(t, root)
	root.Must(destroy...)
	f.nothing()
}

func TestAProcessThatFailsIsInTheState(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	root := f.root(
		process("exits", "echo boom >&2; exit 3", `ready_log = "never"`),
		process("hangs", "echo waiting; exec sleep 600", "ready_log = \"never\"\n ready_timeout = 0.3"),
		`resource "dec_process" "missing" {
  name    = "`+run+`-missing"
  command = ["./no-such-program"]
  tags    = merge(local.tags, { "dec:address" = "dec_process.missing" })
}`)
	fails(t, root, apply, "exit code 3", "boom", "waiting", "no-such-program")
	want := []string{"dec_process.exits", "dec_process.hangs", "dec_process.missing"}
	if got := root.Addresses(); !slices.Equal(slices.Sorted(slices.Values(got)), want) {
		t.Errorf("state has %q after the failure, want %q", got, want)
	}
	root.Must(destroy...)
	f.nothing()
}

func TestAPortTakenSinceThePlan(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	root := f.root(port)
	root.Plan()
	taken := f.list()[0].ID
	f.listen(taken)
	fails(t, root, []string{"apply", "-input=false", "plan"}, "Port "+taken+" is taken")
	root.Must(apply...)
	if got := f.list(); len(got) != 1 || got[0].ID == taken {
		t.Errorf("List = %+v, want another port than %s", got, taken)
	}
	root.Must(destroy...)
	f.nothing()
}

func TestAProcessThatExistsIsNotTaken(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.root(process("broker-0", "exec sleep 600", "")).Must(apply...)
	other := f.root(process("broker-0", "exec sleep 600", ""))
	fails(t, other, apply, "Process "+service+" exists", "Import it")
	other.Must(destroy...)
	if alive, err := f.process("broker-0").Alive(); err != nil || !alive {
		t.Errorf("Alive = %v, %v, want the process of the other state to live", alive, err)
	}
}

func TestAProcessGetsWhatItIsGiven(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	root := f.root(
		`resource "dec_process" "env" {
  name        = "`+run+`-env"
  command     = ["/usr/bin/env"]
  environment = { A = "b $${c} \"d\"" }
  lifetime    = "task"
  tags        = merge(local.tags, { "dec:address" = "dec_process.env" })
}`,
		process("rest", `cat etc/config tools/probe | head -c 6; grep Cpus_allowed_list /proc/self/status`, `
  lifetime  = "task"
  files     = { "etc/config" = "a = 1\n" }
  artifacts = { tools = "probe@1" }
  cpus      = [0]
`),
	)
	root.Must(apply...)
	for label, want := range map[string]string{
		"env":  `A=b ${c} "d"` + "\n",
		"rest": "a = 1\nCpus_allowed_list:\t0\n",
	} {
		p := f.process(label)
		if exit, err := p.Wait(t.Context()); err != nil || exit.Code != 0 {
			t.Errorf("%s ended with %v, %v", label, exit, err)
		}
		if got, err := os.ReadFile(filepath.Join(p.Folder(), "stdout.log")); err != nil || string(got) != want {
			t.Errorf("%s says %q, %v, want %q", label, got, err, want)
		}
	}
	spec, err := f.process("rest").Spec()
	if err != nil {
		t.Fatal(err)
	}
	if want := filepath.Join(built.artifacts, "probe", "1"); spec.Artifacts["tools"] != want || spec.Lifetime != supervise.Task {
		t.Errorf("spec = %+v, want the artifact at %s", spec, want)
	}
	if got := spec.ExpiresAt.Format(time.RFC3339); got != expires {
		t.Errorf("spec expires at %s, want %s as its tag says", got, expires)
	}
	root.Must(destroy...)
	f.nothing()
}

func TestWrongConfigurationIsRefusedBeforeAnythingExists(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	root := f.root(process("broker-0", "exit", `
  lifetime      = "forever"
  stop_signal   = "SIGNOTHING"
  ready_log     = "("
  ready_port    = 70000
  ready_timeout = 0
  grace         = -1
  memory        = -1
  artifacts     = { a = "kafka", b = "../x@1" }
`), `
resource "dec_process" "bare" {
  name    = "../x"
  command = []
  tags    = { "dec:run" = "r" }
}
resource "dec_port" "late" {
  name = "p"
  tags = merge(local.tags, { "dec:address" = "dec_port.late", "dec:expires-at" = "tomorrow" })
}`)
	fails(t, root, []string{"validate"},
		"Invalid lifetime", "Invalid stop_signal", "Invalid ready_log", "Invalid ready_port", "Invalid ready_timeout",
		"Invalid grace", "Invalid memory", `"kafka" does not name an artifact`, `"../x@1" does not name an artifact`,
		`"../x" is not a valid name`, "Invalid command", "the tag dec:install is missing", `is "tomorrow": use a time`)
	f.nothing()
}

func TestAMissingArtifactIsRefusedAtPlan(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	root := f.root(process("broker-0", "exit", `artifacts = { kafka = "kafka@0.0" }`))
	fails(t, root, []string{"plan", "-input=false"},
		"the artifact kafka@0.0 is missing", built.artifacts, "make setup", "dec doctor")
	f.nothing()
}
