package tofu_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"dec.local/dec/internal/experiment"
	"dec.local/dec/internal/supervise"
	"dec.local/dec/internal/tofu"
)

// member is the address of a member of the fake stack.
func member(i int) string {
	return fmt.Sprintf("module.nodes.terraform_data.service[\"member-%d\"]", i)
}

func TestProvisionAndDestroy(t *testing.T) {
	o, log := options(t)
	r := newRunner(t, o)
	j := job(t, map[string]any{"members": 3, "text": "hello"})
	j.AgentGroups = map[string]tofu.Group{"producer": {Count: 1, Role: "agent"}}
	j.Agents = map[string]tofu.Service{"producer-0": {Group: "producer", Command: []string{"test", `"$TEXT"`, "=", `'${file("x")}'`}, Environment: map[string]string{"TEXT": `${file("x")}`}}}

	created := map[string][]string{}
	note := func(e experiment.Resource) { created[e.Address] = append(created[e.Address], e.Action+" "+e.State) }
	out, err := r.Provision(t.Context(), j, note)
	if err != nil {
		t.Fatalf("Provision() = %v", err)
	}
	if want := `{"bootstrap":["127.0.0.1:20000","127.0.0.1:20010","127.0.0.1:20020"],"text":"hello"}`; string(out.Endpoints) != want && !sameJSON(t, out.Endpoints, want) {
		t.Errorf("Provision() endpoints = %s, want %s", out.Endpoints, want)
	}
	if want := `{"member":[{"host":"127.0.0.1","ports":{"client":20000}},{"host":"127.0.0.1","ports":{"client":20010}},{"host":"127.0.0.1","ports":{"client":20020}}],"producer":[{"host":"127.0.0.1","ports":{}}]}`; !sameJSON(t, out.Addresses, want) {
		t.Errorf("Provision() addresses = %s, want %s", out.Addresses, want)
	}
	golden(t, filepath.Join(o.Dir, j.Run, "root", "main.tf.json"), "main.tf.json")
	agent := `module.nodes.terraform_data.service["producer-0"]`
	both := []string{"create started", "create complete"}
	if diff := cmp.Diff(map[string][]string{member(0): both, member(1): both, member(2): both, agent: both}, created); diff != "" {
		t.Errorf("Provision() events (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"plan ok", "apply ok"}, log.outcomes()); diff != "" {
		t.Errorf("attempts (-want +got):\n%s", diff)
	}
	intent := func(action, address string) experiment.Intent {
		return experiment.Intent{Address: address, Action: action, Kind: "terraform_data"}
	}
	want := []experiment.Intent{intent("create", member(0)), intent("create", member(1)), intent("create", member(2)), intent("create", agent)}
	if diff := cmp.Diff(want, log.intents[1]); diff != "" {
		t.Errorf("intents of the plan (-want +got):\n%s", diff)
	}
	seen, err := r.Created(j.Run)
	if err != nil || !cmp.Equal(seen, want, cmpopts.IgnoreFields(experiment.Intent{}, "ID")) {
		t.Errorf("Created() = %+v, %v, want %+v with ids", seen, err, want)
	}
	for _, object := range seen {
		if object.ID == "" {
			t.Errorf("Created() has no id of %s, which the journal tells", object.Address)
		}
	}
	if _, err := r.Provision(t.Context(), j, nil); err == nil {
		t.Error("Provision() of an applied run = nil, want an error")
	}

	for range 2 { // the second time there is nothing to do
		if err := r.Destroy(t.Context(), tofu.Teardown{Run: j.Run, Target: j.Target}, note); err != nil {
			t.Fatalf("Destroy() = %v", err)
		}
	}
	if diff := cmp.Diff([]string{"plan ok", "apply ok", "plan_destroy ok", "destroy ok"}, log.outcomes()); diff != "" {
		t.Errorf("attempts (-want +got):\n%s", diff)
	}
	if got := created[member(2)]; !cmp.Equal(got, append(both, "delete started", "delete complete")) {
		t.Errorf("events of %s = %q, want its deletion too", member(2), got)
	}
	if got := log.intents[3]; len(got) != 4 || got[0].Action != "delete" || got[0].ID == "" {
		t.Errorf("intents of the destroy plan = %+v, want 4 deletes with ids", got)
	}
	if destroyed := lines(t, filepath.Join(j.Logs, "destroyed")); len(destroyed) != 4 {
		t.Errorf("destroyed %q, want each service once", destroyed)
	}
	if err := r.Remove(j.Run); err != nil {
		t.Errorf("Remove() = %v", err)
	}
	if _, err := os.Stat(filepath.Join(o.Dir, j.Run)); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("folder after Remove(): %v, want none", err)
	}
}

func TestUserTextIsLiteral(t *testing.T) {
	text := strings.Join([]string{`${file("/etc/hostname")}`, `"; rm -rf / #`, `%{ if true }x%{ endif }`, `$${a}`, "a\nb \\ \"'`$(id)"}, " ")
	o, _ := options(t)
	r := newRunner(t, o)
	out, err := r.Provision(t.Context(), job(t, map[string]any{"members": 1, "text": text}), nil)
	if err != nil {
		t.Fatalf("Provision() = %v", err)
	}
	var endpoints struct {
		Text string `json:"text"`
	}
	if err := json.Unmarshal(out.Endpoints, &endpoints); err != nil || endpoints.Text != text {
		t.Errorf("Provision(text %q) gives %q, %v", text, endpoints.Text, err)
	}
	main, err := os.ReadFile(filepath.Join(o.Dir, "r1", "root", "main.tf.json"))
	if err != nil || strings.Contains(string(main), "hostname") {
		t.Errorf("main.tf.json holds text of a user, or %v", err)
	}
}

func TestProvisionRefusesBeforeAnythingStarts(t *testing.T) {
	tests := map[string]struct {
		change func(*tofu.Job)
		want   string
	}{
		"an option out of validation":  {func(j *tofu.Job) { j.Options["members"] = json.RawMessage(`11`) }, "members: Write a whole number from 1 to 9."},
		"an unknown option":            {func(j *tofu.Job) { j.Options["member"] = json.RawMessage(`1`) }, `did you mean "members"?`},
		"an unknown stack":             {func(j *tofu.Job) { j.Stack = "plan" }, "not found"},
		"an unknown target":            {func(j *tofu.Job) { j.Target = "../fake" }, "not found"},
		"an id that leaves the folder": {func(j *tofu.Job) { j.Run = "../r1" }, "not a slug"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			o, log := options(t)
			j := job(t, map[string]any{})
			tt.change(&j)
			_, err := newRunner(t, o).Provision(t.Context(), j, nil)
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("Provision() = %v, want an error with %q", err, tt.want)
			}
			if len(log.attempts) > 0 {
				t.Errorf("attempts = %+v, want none", log.attempts)
			}
		})
	}
}

func TestUnknownAttributesFailThePlan(t *testing.T) {
	o, log := options(t)
	r := newRunner(t, o)
	j := job(t, map[string]any{"members": 1, "misspell": true})
	_, err := r.Provision(t.Context(), j, nil)
	for _, want := range []string{"services.member-0.readines,", "services.member-0.readiness.timout"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("Provision() = %v, want an error that names %s", err, want)
		}
	}
	if diff := cmp.Diff([]string{"plan failed"}, log.outcomes()); diff != "" {
		t.Errorf("attempts (-want +got):\n%s", diff)
	}
	if err := r.Destroy(t.Context(), tofu.Teardown{Run: j.Run, Target: j.Target}, nil); err != nil {
		t.Errorf("Destroy() of a run that was never applied = %v", err)
	}
}

func TestFailedServiceIsTold(t *testing.T) {
	o, log := options(t)
	r := newRunner(t, o)
	j := job(t, map[string]any{"members": 1})
	j.AgentGroups = map[string]tofu.Group{"producer": {Count: 1}}
	j.Agents = map[string]tofu.Service{"producer-0": {Group: "producer", Command: []string{"echo the reason; exit 7"}}}
	_, err := r.Provision(t.Context(), j, nil)
	if err == nil || !strings.Contains(err.Error(), "exit status 7") || !strings.Contains(err.Error(), "the reason") || !strings.Contains(err.Error(), log.last().Folder) {
		t.Errorf("Provision() = %v, want the provisioner's error and the attempt's folder", err)
	}
	if got := log.last(); got.Outcome != "failed" || !strings.Contains(got.Error, "exit status 7") {
		t.Errorf("attempt = %+v, want failed with its reason", got)
	}
	if err := r.Destroy(t.Context(), tofu.Teardown{Run: j.Run, Target: j.Target}, nil); err != nil {
		t.Errorf("Destroy() = %v", err)
	}
	if got, err := r.Created(j.Run); len(got) != 2 || err != nil {
		t.Errorf("Created() = %+v, %v, want both services", got, err)
	}
}

func TestAttemptsEnvironmentIsBuiltFromNothing(t *testing.T) {
	t.Setenv("TF_VAR_options", `{"members":9}`)
	t.Setenv("TF_CLI_ARGS", "-help")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "canary")
	o, log := options(t)
	target := o.Targets["fake"]
	target.Environment = map[string]string{"PLACE": "here"}
	target.Credentials = func(_ context.Context, run string) (map[string]string, error) {
		return map[string]string{"PLACE_KEY": "key of " + run}, nil
	}
	o.Targets = map[string]tofu.Target{"fake": target}
	r := newRunner(t, o)
	if _, err := r.Provision(t.Context(), job(t, map[string]any{"members": 1}), nil); err != nil {
		t.Fatalf("Provision() = %v", err)
	}
	process, err := supervise.Open(log.last().Folder)
	if err != nil {
		t.Fatal(err)
	}
	spec, err := process.Spec()
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"TF_VAR_options", "TF_CLI_ARGS", "AWS_SECRET_ACCESS_KEY", "TF_HTTP_PASSWORD", "PLACE_KEY"} {
		if _, ok := spec.Environment[name]; ok {
			t.Errorf("environment on disk has %s", name)
		}
	}
	if got := spec.Environment["PLACE"]; got != "here" {
		t.Errorf("PLACE = %q, want the target's", got)
	}
	if spec.StopSignal != "SIGINT" {
		t.Errorf("stop signal = %s, want SIGINT", spec.StopSignal)
	}
}

// sameJSON reports whether two documents are equal.
func sameJSON(t *testing.T, got []byte, want string) bool {
	t.Helper()
	var a, b any
	if err := errors.Join(json.Unmarshal(got, &a), json.Unmarshal([]byte(want), &b)); err != nil {
		t.Fatal(err)
	}
	return cmp.Equal(a, b)
}

// lines returns those of a file; none if it is not there.
func lines(t *testing.T, name string) []string {
	t.Helper()
	data, err := os.ReadFile(name)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	} else if err != nil {
		t.Fatal(err)
	}
	return strings.Fields(string(data))
}
