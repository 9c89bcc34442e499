// Package tofu brings a run's infrastructure up and down with OpenTofu. It
// assembles the run's root module from a stack and a target's nodes module,
// runs every OpenTofu command as an attempt under its own supervisor, reads the
// journal as it grows, and keeps the states.
//
// An attempt outlives its server: its state backend lives in its supervisor,
// its journal and states are files. So a server that comes back finds in the
// run's folder all there is to know. An empty state is never taken as a proof
// that nothing is left; [Runner.Created] tells a verifier what to look for.
//
// Text of users reaches OpenTofu only as values of a tfvars.json file, where it
// is literal: never in configuration, never on a command line. Secret options
// reach it only through its environment, and no file of the run holds them.
package tofu

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"regexp"
	"time"

	"dec.local/dec/internal/experiment"
)

// Options configures a [Runner]. Dir, Binary, Stacks, Targets and Attempts are
// required; Mirror and Providers when a module uses a provider of DEC's own.
type Options struct {
	Dir       string            // absolute; holds one folder per run: root module, attempts with their states
	Binary    string            // absolute path of the OpenTofu executable
	Mirror    string            // absolute; filesystem mirror that holds the builds of Providers
	Providers []Provider        // of DEC's own
	Artifacts []string          // folders that providers search for <name>/<version>
	Stacks    fs.FS             // <technology>/stacks/<stack>/*.tf
	Targets   map[string]Target // by name
	Attempts  AttemptLog        // where attempts are recorded
	Logger    *slog.Logger      // slog.Default() if nil
	Install   string            // the data folder's name, in the tags of every resource
}

// Target is a place where stacks are provisioned.
type Target struct {
	Nodes       fs.FS             // its nodes module: *.tf
	Environment map[string]string // of OpenTofu, by which providers find the place; no secrets
	// Credentials returns secret variables for the environment of one attempt of
	// the run; nil where providers need none.
	Credentials func(ctx context.Context, run string) (map[string]string, error)
}

// Provider is one build of a provider of DEC's own.
type Provider struct {
	Source    string // address in OpenTofu, such as "dec.local/dec/dec"
	Version   string // exact, made from the build's content: "0.0.0-g<hash>"
	Artifacts bool   // its block takes the folders of artifacts as "artifacts"
}

// AttemptLog records attempts before they start and what became of them. Each
// method may be called again with the same values after a crash.
type AttemptLog interface {
	// BeginAttempt records an attempt that is about to start and gives it its
	// number within the run.
	BeginAttempt(ctx context.Context, a experiment.Attempt) (n int, err error)
	// RecordIntents records what attempt n is about to create or delete.
	RecordIntents(ctx context.Context, run string, n int, intents []experiment.Intent) error
	// EndAttempt records the end, outcome and error of attempt a.N.
	EndAttempt(ctx context.Context, a experiment.Attempt) error
	// SaveState records one version of the state that attempt n wrote.
	SaveState(ctx context.Context, run string, n int, serial int64, state []byte) error
}

// Job is what [Runner.Provision] brings up: a stack on a target with options,
// and the agents beside it.
type Job struct {
	Run         string // a slug
	Target      string
	Technology  string
	Stack       string
	Options     map[string]json.RawMessage // of the stack, as a user gave them, without secret ones; checked again before use
	Secrets     map[string]json.RawMessage // secret options of the stack; see [Stack.Split]
	Topology    any                        // encodes to what stacks get as topology
	AgentBuild  string                     // artifact with this build's dec-agent, for services of a stack's own
	Bucket      json.RawMessage            // secret; content of [AgentBucketFile] for each agent; no file if empty
	Agents      map[string]Service         // services of the agents, by name
	AgentGroups map[string]Group           // node groups of the agents, by name
	ExpiresAt   time.Time                  // every process of the run ends then, whatever became of the server
	Logs        string                     // folder that logs of services are saved to, as <Logs>/<service>/
	CPUs        map[string][]int           // CPU affinity by role "broker" and "agent"; none if empty
}

// Group is a group of equal nodes, as the nodes module takes it.
type Group struct {
	Count int      `json:"count"`
	Ports []string `json:"ports,omitempty"` // names of the ports that each node has
	Role  string   `json:"role,omitempty"`  // "broker" if empty
}

// Service is a process on a node, as the nodes module takes it. Zero values
// are left out and mean the module's default.
type Service struct {
	Group       string            `json:"group"`
	Index       int               `json:"index"` // of the node within the group
	Command     []string          `json:"command"`
	Environment map[string]string `json:"environment,omitempty"`
	Files       map[string]string `json:"files,omitempty"`     // path below the working folder → content
	Artifacts   map[string]string `json:"artifacts,omitempty"` // link below the working folder → "name@version"
	Readiness   *Readiness        `json:"readiness,omitempty"` // ready as soon as it was started if nil
	Lifetime    string            `json:"lifetime,omitempty"`  // "service" if empty, or "task"
	StopSignal  string            `json:"stop_signal,omitempty"`
	Grace       float64           `json:"grace,omitempty"`  // seconds from the stop signal to the kill
	Memory      int64             `json:"memory,omitempty"` // bytes; unlimited if zero
}

// Readiness says when a [Service] counts as ready: every given condition holds.
type Readiness struct {
	Log     string  `json:"log,omitempty"`     // a regular expression that a line of the output matches
	Port    string  `json:"port,omitempty"`    // this port of its node accepts connections; a name
	Timeout float64 `json:"timeout,omitempty"` // seconds
}

// Outputs is what a provisioned stack tells.
type Outputs struct {
	Endpoints json.RawMessage // what a driver connects to, in the technology's own form
	Addresses json.RawMessage // group → list of {host, ports}
}

// Runner runs OpenTofu. Its methods may be called at once for different runs,
// not for the same run.
type Runner struct {
	options Options
	logger  *slog.Logger
}

// New returns a runner, or an error that names what is missing.
func New(o Options) (*Runner, error) {
	for name, path := range map[string]string{"Dir": o.Dir, "Binary": o.Binary} {
		if !filepath.IsAbs(path) {
			return nil, fmt.Errorf("tofu: option %s is %q: an absolute path is required", name, path)
		}
	}
	if o.Stacks == nil || len(o.Targets) == 0 || o.Attempts == nil {
		return nil, errors.New("tofu: options Stacks, Targets and Attempts are required")
	}
	if _, err := os.Stat(o.Binary); err != nil {
		return nil, fmt.Errorf("find OpenTofu: %w; run 'make setup'", err)
	}
	return &Runner{options: o, logger: cmp.Or(o.Logger, slog.Default())}, nil
}

// slug is the form of every name that becomes a part of a path.
var slug = regexp.MustCompile(`^[a-z0-9][a-z0-9_-]*$`)

// folder returns the run's folder, or an error when the id could leave Dir.
func (r *Runner) folder(run string) (string, error) {
	if !slug.MatchString(run) {
		return "", fmt.Errorf("run id %q is not a slug", run)
	}
	return filepath.Join(r.options.Dir, run), nil
}
