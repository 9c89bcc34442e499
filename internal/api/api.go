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
	LastEventID int64     `json:"last_event_id" doc:"The list holds everything up to this event; open the stream after it."`
}

// Experiment is an experiment as lists show it.
type Experiment struct {
	ID           string               `json:"id"`
	Name         string               `json:"name"`
	State        experiment.State     `json:"state" enum:"queued,running,ended"`
	Target       string               `json:"target"`
	Compare      experiment.Metric    `json:"compare" doc:"The primary metric."`
	Variants     []VariantName        `json:"variants"`
	Digest       string               `json:"digest" doc:"Plans that differ in nothing but their name have equal digests."`
	By           string               `json:"by,omitempty" doc:"Who submitted it."`
	CreatedAt    time.Time            `json:"created_at"`
	StartedAt    time.Time            `json:"started_at,omitzero"`
	EndedAt      time.Time            `json:"ended_at,omitzero"`
	Reason       string               `json:"reason,omitempty" doc:"Why no further run of it starts."`
	Runs         experiment.RunCounts `json:"runs"`
	RemainingS   float64              `json:"remaining_s,omitempty" doc:"Seconds until it will probably have ended."`
	Verdict      *experiment.Verdict  `json:"verdict,omitempty" doc:"Absent until all runs have ended."`
	Allowed      []Action             `json:"allowed" enum:"cancel,delete"`
	QueuedBefore int                  `json:"queued_before,omitempty" doc:"Runs of other experiments that start before it."`
}

// VariantName names a variant in lists.
type VariantName struct {
	Label      string `json:"label"`
	Technology string `json:"technology"`
	Stack      string `json:"stack"`
	Emulator   string `json:"emulator,omitempty" doc:"Program that stands for the technology; say so beside every number of the variant."`
}

// ExperimentDetail is one experiment with its plan and its runs.
type ExperimentDetail struct {
	Experiment
	Plan        experiment.Plan `json:"plan"`
	RunList     []Run           `json:"run_list" doc:"In the order in which they run."`
	Warnings    []string        `json:"warnings" doc:"What is allowed but probably not meant."`
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
	Extra      bool                   `json:"extra" doc:"Repeats a run that failed or was not valid."`
	Phase      experiment.Phase       `json:"phase" enum:"queued,provision,prepare,load,collect,destroy,verify,ended"`
	Stage      experiment.Stage       `json:"stage,omitempty" enum:"warmup,measure,drain" doc:"Within phase load."`
	Outcome    experiment.Outcome     `json:"outcome,omitempty" enum:"succeeded,failed,cancelled"`
	Validity   experiment.Validity    `json:"validity"`
	Teardown   experiment.Teardown    `json:"teardown" enum:"none,pending,clean,leaked"`
	Reason     string                 `json:"reason,omitempty"`
	Since      time.Time              `json:"since" doc:"Start of the phase."`
	StartedAt  time.Time              `json:"started_at,omitzero"`
	EndedAt    time.Time              `json:"ended_at,omitzero"`
	ExpiresAt  time.Time              `json:"expires_at,omitzero" doc:"Everything of it ends by itself then."`
	Phases     []experiment.PhaseTime `json:"phases"`
	Allowed    []Action               `json:"allowed" enum:"cancel"`
}

// RunDetail is one run with what its page needs.
type RunDetail struct {
	Run
	ExperimentName string              `json:"experiment_name"`
	VariantPlan    experiment.Variant  `json:"variant_plan"`
	Stages         experiment.Stages   `json:"stages"`
	LoadStartedAt  time.Time           `json:"load_started_at,omitzero" doc:"Second 0 of the timeline."`
	HasResult      bool                `json:"has_result"`
	Receipt        *experiment.Receipt `json:"receipt,omitempty" doc:"The proof that nothing of it is left."`
	AsOf           time.Time           `json:"as_of"`
	LastEventID    int64               `json:"last_event_id"`
}

// Timeline is a run second by second; it grows while the run is loaded.
type Timeline struct {
	Run      string           `json:"run"`
	Complete bool             `json:"complete" doc:"The run was collected: nothing will be added."`
	Seconds  []measure.Second `json:"seconds"`
	AsOf     time.Time        `json:"as_of"`
}

// Histograms are the distributions of the measure stage; they grow while the run
// is loaded.
type Histograms struct {
	Run        string                          `json:"run"`
	Complete   bool                            `json:"complete" doc:"The run was collected: these are exact and nothing will be added."`
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
	Sources []string  `json:"sources" doc:"All that can be asked for by source."`
	Lines   []LogLine `json:"lines"`
	Matches int       `json:"matches" doc:"Lines that match the query, in all pages."`
	Before  string    `json:"before,omitempty" doc:"Cursor of the lines before these; absent when there are none."`
}

// LogLine is one line of a log.
type LogLine struct {
	N      int       `json:"n" doc:"Position in the whole log, from 1."`
	At     time.Time `json:"at,omitzero" doc:"Absent where the line does not tell."`
	Source string    `json:"source" doc:"Such as 'dec', 'tofu 2 apply' or 'broker-0'."`
	Level  string    `json:"level,omitempty" enum:"debug,info,warn,error"`
	Text   string    `json:"text"`
}

// Comparison is what one experiment, or picked runs, found.
type Comparison struct {
	comparison.Comparison
	Runs []ComparedRun `json:"runs" doc:"In the order in which they ran."`
}

// ComparedRun is one run's part in a comparison.
type ComparedRun struct {
	Run       Run                            `json:"run"`
	Counts    *measure.Counts                `json:"counts,omitempty"`
	Metrics   map[experiment.Metric]*float64 `json:"metrics,omitempty" doc:"Every metric in its unit; null where the count does not support it."`
	Incidents map[experiment.Incident]int64  `json:"incidents,omitempty" doc:"How often they happened in the measure stage; absent without any."`
	Excluded  string                         `json:"excluded,omitempty" doc:"Why it does not count."`
	Link      string                         `json:"link"`
}

// DryRun is what a plan would do.
type DryRun struct {
	Plan       experiment.Plan `json:"plan" doc:"Normalised: every default is filled in."`
	YAML       string          `json:"yaml" doc:"The same as YAML."`
	Digest     string          `json:"digest"`
	Order      []string        `json:"order" doc:"Variants in the order of their runs."`
	EstimateS  float64         `json:"estimate_s" doc:"Seconds, if no run must be repeated."`
	EstimateOf string          `json:"estimate_of" doc:"What the estimate rests on."`
	Warnings   []string        `json:"warnings"`
}

// Inventory is all that exists on the targets for this install.
type Inventory struct {
	AsOf    time.Time         `json:"as_of"`
	Targets []TargetInventory `json:"targets"`
}

// TargetInventory is what exists on one target, or why that is not known.
type TargetInventory struct {
	Target  string            `json:"target"`
	Unknown string            `json:"unknown,omitempty" doc:"Why it cannot be listed; nothing is known then."`
	Objects []InventoryObject `json:"objects"`
}

// InventoryObject is a real object.
type InventoryObject struct {
	experiment.Object
	Class string  `json:"class" enum:"managed,lost,leaked,foreign" doc:"managed: of an active run; lost: of a run that has ended; leaked: a destroy was given up; foreign: not of this install."`
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
	LapsesAt   time.Time    `json:"lapses_at,omitzero" doc:"If nobody asks again until then."`
	Deferred   bool         `json:"deferred" doc:"It waits for active runs."`
	WaitsFor   []WaitingRun `json:"waits_for"`
	RemainingS float64      `json:"remaining_s,omitempty" doc:"Seconds until it will probably be ready."`
	Exits      bool         `json:"exits" doc:"The process exits after this answer."`
	Queued     int          `json:"queued" doc:"Runs that stay queued for the next server."`
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
	Subject string   `json:"subject" doc:"Such as 'admin'."`
	Roles   []string `json:"roles"`
	Via     string   `json:"via" enum:"token,cookie"`
	Version string   `json:"version"`
	Install string   `json:"install" doc:"The data folder's name for this install."`
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
	At       time.Time `json:"at" doc:"Time of the server."`
	Version  string    `json:"version"`
	Draining bool      `json:"draining"`
}

// Catalog is what can be compared here.
type Catalog struct {
	Technologies []Technology    `json:"technologies"`
	Targets      []Target        `json:"targets"`
	PlanSchema   json.RawMessage `json:"plan_schema" doc:"JSON Schema of a plan."`
	Vocabulary
}

// Target is a place where runs can be.
type Target struct {
	Name      string `json:"name"`
	Title     string `json:"title"`
	Available bool   `json:"available"`
	Why       string `json:"why,omitempty" doc:"Why it is not available."`
	Fix       string `json:"fix,omitempty" doc:"The command that mends it."`
	Slots     int    `json:"slots" doc:"Runs at once."`

	Facts TargetFacts `json:"facts"`
}

// TargetFacts are what can be said of a target without its name.
type TargetFacts struct {
	SharedMachine bool `json:"shared_machine" doc:"Brokers and agents of a run share one machine: its numbers are no ground for a purchase."`
	OneHost       bool `json:"one_host" doc:"Everything of a run is on the host of the server that runs it."`
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
	Targets     []string        `json:"targets" doc:"Targets of this server that it runs on."`
	Emulator    string          `json:"emulator,omitempty" doc:"What stands for the technology itself, if anything does."`
	Schema      json.RawMessage `json:"schema" doc:"JSON Schema of its options."`
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
