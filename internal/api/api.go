// Package api holds the types that cross the wire of the HTTP API: the server
// (internal/httpapi) writes them, the client (internal/client) reads them. What
// has a meaning of its own elsewhere (plans, runs, results, comparisons) is used
// as it is.
package api

import (
	"encoding/json"
	"time"

	"dec.local/dec/internal/comparison"
	"dec.local/dec/internal/experiment"
	"dec.local/dec/internal/measure"
)

// Prefix is the path below which every call is, but for health and metrics.
const Prefix = "/api/v1"

// Action is something that the caller may do with an object now.
type Action string

// The actions.
const (
	ActionCancel Action = "cancel"
	ActionDelete Action = "delete"
)

// Page is a part of a list.
type Page[T any] struct {
	Items       []T       `json:"items"`
	Next        string    `json:"next,omitempty" doc:"Cursor of the next page; absent on the last one."`
	AsOf        time.Time `json:"as_of"`
	LastEventID int64     `json:"last_event_id" doc:"The list includes everything up to this event; start the event stream after it."`
}

// Experiment is an experiment as lists show it.
type Experiment struct {
	ID           string               `json:"id"`
	Name         string               `json:"name"`
	State        experiment.State     `json:"state" enum:"queued,running,ended"`
	Target       string               `json:"target"`
	Compare      experiment.Metric    `json:"compare" doc:"The primary metric."`
	Variants     []VariantName        `json:"variants"`
	Digest       string               `json:"digest" doc:"Digest of the plan without its name: equal plans have equal digests."`
	By           string               `json:"by,omitempty" doc:"Who submitted it."`
	CreatedAt    time.Time            `json:"created_at"`
	StartedAt    time.Time            `json:"started_at,omitzero"`
	EndedAt      time.Time            `json:"ended_at,omitzero"`
	Reason       string               `json:"reason,omitempty" doc:"Why no further run of the experiment starts."`
	Runs         experiment.RunCounts `json:"runs"`
	RemainingS   float64              `json:"remaining_s,omitempty" doc:"Estimated time to completion, in seconds."`
	Verdict      *experiment.Verdict  `json:"verdict,omitempty" doc:"Absent until all runs have ended."`
	Allowed      []Action             `json:"allowed" enum:"cancel,delete"`
	QueuedBefore int                  `json:"queued_before,omitempty" doc:"Number of runs of other experiments that start before it."`
}

// VariantName names a variant in lists.
type VariantName struct {
	Label      string `json:"label"`
	Technology string `json:"technology"`
	Stack      string `json:"stack"`
	Emulator   string `json:"emulator,omitempty" doc:"Emulator that stands in for the technology; name it next to every number of the variant."`
}

// ExperimentDetail is one experiment with its plan and its runs.
type ExperimentDetail struct {
	Experiment
	Plan        experiment.Plan `json:"plan"`
	RunList     []Run           `json:"run_list" doc:"Runs in the order in which they run."`
	Warnings    []string        `json:"warnings" doc:"Settings that are allowed but probably unintended."`
	AsOf        time.Time       `json:"as_of"`
	LastEventID int64           `json:"last_event_id"`
}

// Run is one run without its result.
type Run struct {
	ID         string                 `json:"id"`
	Experiment string                 `json:"experiment"`
	Name       string                 `json:"name" doc:"Such as 'kafka #3' or 'kinesis (emulator) #1'."`
	Variant    string                 `json:"variant"`
	Order      int                    `json:"order" doc:"Position in the randomised order, from 0."`
	Round      int                    `json:"round" doc:"Round, from 0. The runs of a round have the same seed."`
	Extra      bool                   `json:"extra" doc:"The run repeats one that failed or was not valid."`
	SystemDied bool                   `json:"system_died" doc:"The system under test ended under the load. Such a run is not repeated."`
	Phase      experiment.Phase       `json:"phase" enum:"queued,provision,prepare,load,collect,destroy,verify,ended"`
	Stage      experiment.Stage       `json:"stage,omitempty" enum:"warmup,measure,drain" doc:"Stage within the load phase."`
	Outcome    experiment.Outcome     `json:"outcome,omitempty" enum:"succeeded,failed,cancelled"`
	Validity   experiment.Validity    `json:"validity"`
	Teardown   experiment.Teardown    `json:"teardown" enum:"none,pending,clean,leaked"`
	Reason     string                 `json:"reason,omitempty"`
	Since      time.Time              `json:"since" doc:"Start of the current phase."`
	StartedAt  time.Time              `json:"started_at,omitzero"`
	EndedAt    time.Time              `json:"ended_at,omitzero"`
	ExpiresAt  time.Time              `json:"expires_at,omitzero" doc:"Hard deadline: the run's processes are stopped."`
	Phases     []experiment.PhaseTime `json:"phases"`
	Allowed    []Action               `json:"allowed" enum:"cancel"`
}

// RunDetail is one run with what its page needs.
type RunDetail struct {
	Run
	ExperimentName string              `json:"experiment_name"`
	VariantPlan    experiment.Variant  `json:"variant_plan"`
	Stages         experiment.Stages   `json:"stages"`
	LoadStartedAt  time.Time           `json:"load_started_at,omitzero" doc:"Time of second 0 of the timeline."`
	HasResult      bool                `json:"has_result"`
	Receipt        *experiment.Receipt `json:"receipt,omitempty" doc:"Proof that nothing of the run is left."`
	AsOf           time.Time           `json:"as_of"`
	LastEventID    int64               `json:"last_event_id"`
}

// Timeline is a run second by second; it grows while the run is loaded.
type Timeline struct {
	Run      string           `json:"run"`
	Complete bool             `json:"complete" doc:"The run has been collected; no data will be added."`
	Seconds  []measure.Second `json:"seconds"`
	AsOf     time.Time        `json:"as_of"`
}

// Histograms are the distributions of the measure stage; they grow while the run
// is loaded.
type Histograms struct {
	Run        string                          `json:"run"`
	Complete   bool                            `json:"complete" doc:"The run has been collected; these are exact and no data will be added."`
	Histograms map[measure.Distribution]string `json:"histograms" doc:"V2-encoded HDR histograms, in base64."`
	AsOf       time.Time                       `json:"as_of"`
}

// Resources are the real objects of a run, as OpenTofu told of them.
type Resources struct {
	Run   string     `json:"run"`
	Items []Resource `json:"items"`
	AsOf  time.Time  `json:"as_of"`
}

// Resource is one object in the life of a run.
type Resource struct {
	Address   string    `json:"address"`
	ID        string    `json:"id,omitempty"`
	State     string    `json:"state" enum:"creating,created,create failed,destroying,destroyed,destroy failed"`
	Since     time.Time `json:"since"`
	CreateS   float64   `json:"create_s,omitempty"`
	DestroyS  float64   `json:"destroy_s,omitempty"`
	CreatedAt time.Time `json:"created_at,omitzero"`
	GoneAt    time.Time `json:"gone_at,omitzero"`
}

// Log is a part of what a run's processes wrote, oldest line first.
type Log struct {
	Run     string    `json:"run"`
	Sources []string  `json:"sources" doc:"Values of the query parameter 'source'."`
	Lines   []LogLine `json:"lines"`
	Matches int       `json:"matches" doc:"Number of lines that match the query, over all pages."`
	Before  string    `json:"before,omitempty" doc:"Cursor of the preceding lines; absent if there are none."`
}

// LogLine is one line of a log.
type LogLine struct {
	N      int       `json:"n" doc:"Position in the whole log, from 1."`
	At     time.Time `json:"at,omitzero" doc:"Absent if the line has no time."`
	Source string    `json:"source" doc:"Source of the line, such as 'dec', 'tofu 2 apply' or 'broker-0'."`
	Level  string    `json:"level,omitempty" enum:"debug,info,warn,error"`
	Text   string    `json:"text"`
}

// Comparison is what one experiment, or picked runs, found.
type Comparison struct {
	comparison.Comparison
	Runs []ComparedRun `json:"runs" doc:"Runs in the order in which they ran."`
}

// ComparedRun is one run's part in a comparison.
type ComparedRun struct {
	Run       Run                            `json:"run"`
	Counts    *measure.Counts                `json:"counts,omitempty"`
	Metrics   map[experiment.Metric]*float64 `json:"metrics,omitempty" doc:"Metrics in their units; null if the run has no value."`
	Incidents map[experiment.Incident]int64  `json:"incidents,omitempty" doc:"Incidents in the measure stage; absent where the clients cannot tell."`
	Excluded  string                         `json:"excluded,omitempty" doc:"Why the run is excluded from the statistics."`
	Link      string                         `json:"link"`
}

// DryRun is what a plan would do.
type DryRun struct {
	Plan       experiment.Plan `json:"plan" doc:"Normalised plan, with all defaults."`
	YAML       string          `json:"yaml" doc:"The same plan as YAML."`
	Digest     string          `json:"digest"`
	Order      []string        `json:"order" doc:"Variants in the order in which they run."`
	EstimateS  float64         `json:"estimate_s" doc:"Estimated duration in seconds, if no run has to be repeated."`
	EstimateOf string          `json:"estimate_of" doc:"What the estimate is based on."`
	Precision  Precision       `json:"precision"`
	Warnings   []string        `json:"warnings"`
}

// Precision tells how large a difference the runs of a plan can show.
type Precision struct {
	Text       string   `json:"text" doc:"The same as a sentence, or why it is not known."`
	Runs       int      `json:"runs" doc:"Number of earlier runs of the same workload and variants."`
	Spread     *float64 `json:"spread,omitempty" doc:"Standard deviation of the logarithms of their primary metric."`
	Detectable *float64 `json:"detectable,omitempty" doc:"Smallest difference, as a share, that the planned runs show in four of five experiments."`
	RunsNeeded int      `json:"runs_needed,omitempty" doc:"About how many runs of each variant show the difference that matters."`
}

// Inventory is all that exists on the targets for this install.
type Inventory struct {
	AsOf    time.Time         `json:"as_of"`
	Targets []TargetInventory `json:"targets"`
}

// TargetInventory is what exists on one target, or why that is not known.
type TargetInventory struct {
	Target  string            `json:"target"`
	Unknown string            `json:"unknown,omitempty" doc:"Why the target cannot be listed; then nothing is known about it."`
	Objects []InventoryObject `json:"objects"`
}

// InventoryObject is a real object.
type InventoryObject struct {
	experiment.Object
	Class string  `json:"class" enum:"managed,lost,leaked,foreign" doc:"managed: active run; lost: ended run; leaked: given up; foreign: not ours."`
	AgeS  float64 `json:"age_s"`
}

// ShutdownMode says what becomes of active runs.
type ShutdownMode string

// The modes of a shutdown.
const (
	ShutdownDrain   ShutdownMode = "drain"
	ShutdownHandoff ShutdownMode = "handoff"
)

// Shutdown is where a shutdown stands.
type Shutdown struct {
	State      string       `json:"state" enum:"none,draining,ready" doc:"ready: no run is active."`
	Mode       ShutdownMode `json:"mode,omitempty" enum:"drain,handoff"`
	By         string       `json:"by,omitempty"`
	Since      time.Time    `json:"since,omitzero"`
	LapsesAt   time.Time    `json:"lapses_at,omitzero" doc:"When the request lapses unless it is repeated."`
	Deferred   bool         `json:"deferred" doc:"The shutdown waits for active runs."`
	WaitsFor   []WaitingRun `json:"waits_for"`
	RemainingS float64      `json:"remaining_s,omitempty" doc:"Estimated time until ready, in seconds."`
	Exits      bool         `json:"exits" doc:"The process exits after this response."`
	Queued     int          `json:"queued" doc:"Number of runs that stay queued for the next server."`
}

// WaitingRun is a run that defers a shutdown.
type WaitingRun struct {
	Run        string           `json:"run"`
	Name       string           `json:"name"`
	Experiment string           `json:"experiment"`
	Phase      experiment.Phase `json:"phase"`
	Since      time.Time        `json:"since"`
}

// Session is who the caller is.
type Session struct {
	Subject string   `json:"subject" doc:"Who the caller is, such as 'admin'."`
	Roles   []string `json:"roles"`
	Via     string   `json:"via" enum:"token,cookie"`
	Version string   `json:"version"`
	Install string   `json:"install" doc:"Identifier of this installation, stored in the data folder."`
}

// The names of the server-sent events.
const (
	EventStored   = "event"    // data: an experiment.Event; has the id of it
	EventSnapshot = "snapshot" // data: a Snapshot; has no id
	EventBeat     = "beat"     // data: a Beat; has no id
)

// Snapshot is one second of a run as it happens.
type Snapshot struct {
	Run        string         `json:"run"`
	Experiment string         `json:"experiment"`
	Second     measure.Second `json:"second"`
}

// Beat says that the stream is alive.
type Beat struct {
	At       time.Time `json:"at" doc:"Server time."`
	Version  string    `json:"version"`
	Draining bool      `json:"draining"`
}

// Catalog is what can be compared here.
type Catalog struct {
	Technologies []Technology    `json:"technologies"`
	Targets      []Target        `json:"targets"`
	PlanSchema   json.RawMessage `json:"plan_schema" doc:"JSON Schema of plans."`
	Vocabulary
}

// Target is a place where runs can be.
type Target struct {
	Name      string `json:"name"`
	Title     string `json:"title"`
	Available bool   `json:"available"`
	Why       string `json:"why,omitempty" doc:"Why the target is not available."`
	Fix       string `json:"fix,omitempty" doc:"Command that fixes it."`
	Slots     int    `json:"slots" doc:"Maximum number of concurrent runs."`

	Facts TargetFacts `json:"facts"`
}

// TargetFacts are what can be said of a target without its name.
type TargetFacts struct {
	SharedMachine bool `json:"shared_machine" doc:"Brokers and agents of a run share one machine; the results do not suit purchase decisions."`
	OneHost       bool `json:"one_host" doc:"All objects of a run are on the host of the server that runs it."`
}

// Technology is something that can be compared.
type Technology struct {
	Name               string          `json:"name"`
	Title              string          `json:"title"`
	ClientConfigSchema json.RawMessage `json:"client_config_schema"`
	Stacks             []Stack         `json:"stacks"`
}

// Stack is one way to run a technology.
type Stack struct {
	Name        string          `json:"name"`
	Title       string          `json:"title"`
	Description string          `json:"description,omitempty"`
	Targets     []string        `json:"targets" doc:"Targets of this server on which the stack runs."`
	Emulator    string          `json:"emulator,omitempty" doc:"Emulator that stands in for the technology, if the stack uses one."`
	Schema      json.RawMessage `json:"schema" doc:"JSON Schema of the stack's options."`
	Available   bool            `json:"available"`
	Why         string          `json:"why,omitempty"`
	Fix         string          `json:"fix,omitempty"`
}

// ServerFile is what a running server leaves in its data folder, so that the
// commands on the same machine find it.
type ServerFile struct {
	URL string `json:"url"`
	PID int    `json:"pid"`
}
