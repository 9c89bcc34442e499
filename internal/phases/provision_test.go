package phases_test

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"dec.local/dec/internal/datadir"
	"dec.local/dec/internal/experiment"
	"dec.local/dec/internal/phases"
	"dec.local/dec/internal/rendezvous"
	"dec.local/dec/internal/rendezvous/buckettest"
	"dec.local/dec/internal/tofu"
)

// bundle names a file of certificates for the AWS SDK.
const bundle = "AWS_CA_BUNDLE"

// given is what OpenTofu gets in the file of variables, as far as the phases decide.
type given struct {
	Run struct {
		ID, Install string
		ExpiresAt   time.Time `json:"expires_at"`
		Logs        string
		CPUs        map[string][]int
	}
	Topology struct {
		Partitions, Replicas int
		ConsumerGroups       int    `json:"consumer_groups"`
		RetentionBytes       string `json:"retention_bytes"`
	}
	Agent    string
	Options  map[string]any
	Groups   map[string]tofu.Group   `json:"agent_groups"`
	Services map[string]tofu.Service `json:"agent_services"`
}

// TestARunIsProvisionedAsItsTargetNeedsIt provisions and destroys a run on each of
// two targets with the real OpenTofu. Credentials of the bucket and certificates go
// only where nodes read the server's files; secrets go to every command.
func TestARunIsProvisionedAsItsTargetNeedsIt(t *testing.T) {
	const secrets, bucket = "TF_VAR_secrets", "TF_VAR_bucket"
	tests := map[string]struct {
		shared bool
		want   map[string]string // variables of each command that changes something
	}{
		"shared": {true, map[string]string{"PLACE": "shared", "PLACE_KEY": "key of " + run, secrets: `{"password":"canary"}`, bucket: "{"}},
		"cloud":  {false, map[string]string{"PLACE": "cloud", "PLACE_KEY": "", secrets: `{"password":"canary"}`, bucket: ""}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t, func(o *phases.Options) { o.Bucket = buckettest.NewServer(t).Open(t, "team") })
			t.Setenv(bundle, "/etc/ssl/own.pem")
			a := assignment(name)
			f.seal(a.Plan)
			var created []string
			endpoints, err := f.Provisioner.Provision(t.Context(), a, func(r experiment.Resource) { created = append(created, r.Action+" "+r.State) })
			if err != nil {
				t.Fatal(err)
			}
			if string(endpoints) != `{"hosts":["member-0","member-1"]}` || len(created) != 8 {
				t.Errorf("Provision() = %s after %q, want both members, and 4 services reported", endpoints, created)
			}
			checkGiven(t, f, a, tt.shared)
			if err := f.Provisioner.Destroy(t.Context(), experiment.Run{ID: run, Target: "gone", Experiment: "e1", Variant: "a"}, ignore); !errors.Is(err, experiment.ErrNotFound) || !strings.Contains(err.Error(), `"gone"`) {
				t.Errorf("Destroy() on a target that is unknown = %v, want an error that names it", err)
			}
			if err := f.Provisioner.Destroy(t.Context(), a.Run, ignore); err != nil {
				t.Fatal(err)
			}
			all := f.environments()
			if len(all) != 4 {
				t.Fatalf("%d commands have changed something, want a plan and an apply, twice", len(all))
			}
			for i, got := range all {
				for variable, want := range tt.want {
					if variable == bucket && i >= 2 {
						want = "" // there are no agents to give them to
					}
					if got[variable] != want && (want != "{" || !strings.HasPrefix(got[variable], `{"access_key_id":`)) {
						t.Errorf("command %d has %s=%q, want %q", i, variable, got[variable], want)
					}
				}
			}
		})
	}
}

// seal stores the plan's experiment with a secret.
func (f *fixture) seal(p experiment.Plan) {
	f.t.Helper()
	p.Variants = []experiment.Variant{p.Variants[0]}
	p.Variants[0].Secrets = map[string]json.RawMessage{"password": json.RawMessage(`"canary"`)}
	_, sealed, err := f.Seal("e1", p)
	if err != nil {
		f.t.Fatal(err)
	}
	f.secrets["e1"] = sealed
}

// checkGiven looks at the variables of the run's root module.
func checkGiven(t *testing.T, f *fixture, a assigned, shared bool) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(f.home.Runs(), run, "root", "terraform.tfvars.json"))
	if err != nil {
		t.Fatal(err)
	}
	var got given
	if err := json.Unmarshal(text, &got); err != nil {
		t.Fatal(err)
	}
	var want given
	want.Run.ID, want.Run.Install, want.Run.Logs = run, string(f.home), f.home.Services(run)
	want.Run.ExpiresAt = a.ExpiresAt.UTC().Truncate(time.Second)
	want.Run.CPUs = map[string][]int{"broker": {0, 1}, "agent": {2}}
	want.Topology.Partitions, want.Topology.Replicas, want.Topology.ConsumerGroups, want.Topology.RetentionBytes = 4, 3, 1, "1GiB"
	want.Agent, want.Options = "dec-agent@0", map[string]any{"members": 2.0}
	want.Groups = map[string]tofu.Group{"producer": {Count: 1, Role: "agent"}, "consumer": {Count: 1, Role: "agent"}}
	want.Services = map[string]tofu.Service{}
	for _, role := range []string{"producer", "consumer"} {
		environment := map[string]string{"DEC_BUCKET": f.bucket.URL(), "DEC_RUN": run, "DEC_AGENT": role + "-0"}
		if shared {
			environment[bundle] = "/etc/ssl/own.pem"
		}
		want.Services[role+"-0"] = tofu.Service{
			Group: role, Command: []string{"./dec-agent/dec-agent", "run"}, Artifacts: map[string]string{"dec-agent": "dec-agent@0"},
			Environment: environment, Lifetime: "task", Grace: 5,
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("variables (-want +got):\n%s", diff)
	}
	if strings.Contains(string(text), "canary") {
		t.Error("the variables on disk hold the secret")
	}
}

func TestWhatCannotBeProvisionedSaysWhy(t *testing.T) {
	f := newFixture(t)
	if _, err := f.Provisioner.Provision(t.Context(), assignment("gone"), ignore); !errors.Is(err, experiment.ErrNotFound) || !strings.Contains(err.Error(), `target "gone"`) {
		t.Errorf("Provision() on a target that is unknown = %v, want an error that names it", err)
	}
	f.secrets["e1"] = []byte("of another key")
	if _, err := f.Provisioner.Provision(t.Context(), assignment("shared"), ignore); err == nil || !strings.Contains(err.Error(), "cannot be decrypted") {
		t.Errorf("Provision() with secrets that do not open = %v, want an error that says so", err)
	}
	if err := f.Provisioner.Destroy(t.Context(), assignment("shared").Run, ignore); err == nil || !strings.Contains(err.Error(), "cannot be decrypted") {
		t.Errorf("Destroy() with secrets that do not open = %v, want an error that says so", err)
	}
	if calls := f.environments(); len(calls) > 0 {
		t.Errorf("OpenTofu was started %d times, want never", len(calls))
	}
}

func TestRunsOfOtherMachinesCannotBeDestroyedHere(t *testing.T) {
	f := newFixture(t)
	f.homes[run] = ""
	const want = "run " + run + " is on another machine"
	_, verified := f.Verifier.Verify(t.Context(), assignment("shared").Run)
	for call, err := range map[string]error{
		"Destroy": f.Provisioner.Destroy(t.Context(), assignment("shared").Run, ignore),
		"Halt":    f.Provisioner.Halt(t.Context(), assignment("shared").Run),
		"Verify":  verified,
	} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s() = %v, want an error with %q", call, err, want)
		}
	}
}

// TestARunThatWasTakenOverIsDestroyedFromItsOwnFolder provisions it by one server,
// and destroys it by another.
func TestARunThatWasTakenOverIsDestroyedFromItsOwnFolder(t *testing.T) {
	first, second := newFixture(t), newFixture(t)
	a := assignment("shared")
	if _, err := first.Provisioner.Provision(t.Context(), a, ignore); err != nil {
		t.Fatal(err)
	}
	second.homes[run] = first.home
	if err := second.Provisioner.Halt(t.Context(), a.Run); err != nil {
		t.Errorf("Halt() = %v", err)
	}
	var deleted int
	err := second.Provisioner.Destroy(t.Context(), a.Run, func(r experiment.Resource) {
		if r.Action == "delete" && r.State == "complete" {
			deleted++
		}
	})
	if err != nil || deleted != 4 {
		t.Errorf("Destroy() = %v after %d deletions, want 4", err, deleted)
	}
	if len(second.environments()) != 2 || len(first.environments()) != 2 {
		t.Errorf("the servers have run %d and %d commands, want 2 each", len(first.environments()), len(second.environments()))
	}
	if _, err := second.Verifier.Verify(t.Context(), a.Run); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(included{first.home}, second.archived); diff != "" {
		t.Errorf("the archive looks after (-want +got):\n%s", diff)
	}
	if _, err := os.Stat(filepath.Join(first.home.Runs(), run)); !os.IsNotExist(err) {
		t.Errorf("the run's folder: %v, want none", err)
	}
	for _, verb := range []string{"plan", "apply"} {
		if kept, err := filepath.Glob(filepath.Join(first.home.Journals(run), "*-"+verb+".jsonl")); err != nil || len(kept) != 2 {
			t.Errorf("journals kept of %s: %q, %v, want 2", verb, kept, err)
		}
	}
	if entries, err := os.ReadDir(second.home.Staging()); !os.IsNotExist(err) {
		t.Errorf("staged in the folder of the server that took it over: %v, %v", entries, err)
	}
}

// TestCredentialsThatExpireTooSoonAreTold lets a server on this machine give them.
func TestCredentialsThatExpireTooSoonAreTold(t *testing.T) {
	for _, name := range []string{"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE"} {
		t.Setenv(name, "")
	}
	expires := time.Now().Add(30 * time.Minute)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_ = json.NewEncoder(w).Encode(map[string]any{"AccessKeyId": "id", "SecretAccessKey": "key", "Token": "t", "Expiration": expires}) // the SDK says so
	}))
	defer server.Close()
	t.Setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", server.URL)
	tests := map[string]struct {
		target string
		life   time.Duration
		warned bool
	}{
		"before the run is over":             {"shared", time.Hour, true},
		"after it":                           {"shared", time.Minute, false},
		"where nodes have some of their own": {"cloud", time.Hour, false},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t, func(o *phases.Options) {
				b, err := rendezvous.OpenBucketWith(t.Context(), buckettest.URL(""), rendezvous.BucketOptions{Transport: buckettest.NewServer(t)})
				if err != nil {
					t.Fatal(err)
				}
				t.Cleanup(func() { b.Close() })
				o.Bucket = b
			})
			a := assignment(tt.target)
			a.Variant.Stack, a.ExpiresAt = "none", time.Now().Add(tt.life) // which ends it there
			if _, err := f.Provisioner.Provision(t.Context(), a, ignore); err == nil || !strings.Contains(err.Error(), "none") {
				t.Errorf("Provision() = %v, want that there is no such stack", err)
			}
			if got := strings.Contains(f.log.String(), "credentials may expire"); got != tt.warned {
				t.Errorf("warned: %v, want %v; log:\n%s", got, tt.warned, f.log.String())
			}
		})
	}
}

func TestARunNeedsAFolderToBeTakenOverFrom(t *testing.T) {
	f := newFixture(t)
	delete(f.homes, run)
	if err := f.Provisioner.Halt(t.Context(), assignment("shared").Run); !errors.Is(err, experiment.ErrNotFound) {
		t.Errorf("Halt() of a run that nobody knows = %v, want %v", err, experiment.ErrNotFound)
	}
	f.homes[run] = datadir.Home("relative")
	if err := f.Provisioner.Halt(t.Context(), assignment("shared").Run); err == nil {
		t.Error("Halt() of a run in a folder that is none = nil, want an error")
	}
}
