package experiment

import (
	"encoding/json"
	"strings"
	"time"
)

// Phase is where a run is in its life. Each is recorded before it starts.
type Phase string

// The phases of a run, in order. A failed, cancelled or timed-out run always
// goes through PhaseDestroy and PhaseVerify.
const (
	PhaseQueued    Phase = "queued"
	PhaseProvision Phase = "provision"
	PhasePrepare   Phase = "prepare"
	PhaseLoad      Phase = "load"
	PhaseCollect   Phase = "collect"
	PhaseDestroy   Phase = "destroy"
	PhaseVerify    Phase = "verify"
	PhaseEnded     Phase = "ended"
)

// Stage is a part of the load phase.
type Stage string

// The stages of the load phase, in order.
const (
	StageWarmup  Stage = "warmup"
	StageMeasure Stage = "measure"
	StageDrain   Stage = "drain"
)

// Outcome of a run.
type Outcome string

// The outcomes of a run; empty until it is known.
const (
	Succeeded Outcome = "succeeded"
	Failed    Outcome = "failed"
	Cancelled Outcome = "cancelled"
)

// Teardown says what became of a run's infrastructure.
type Teardown string

// The states of a run's infrastructure. A run is never called clean while
// anything of it may exist.
const (
	TeardownNone    Teardown = "none"    // nothing was ever created
	TeardownPending Teardown = "pending" // the obligation to destroy is open
	TeardownClean   Teardown = "clean"   // a receipt proves that nothing is left
	TeardownLeaked  Teardown = "leaked"  // destroy failed for now; reported and retried
)

// Validity reports whether a run's numbers describe the system under test. A run
// is not valid when the generator or the clocks were the limit.
type Validity struct {
	OK      bool     `json:"ok"`
	Reasons []string `json:"reasons,omitempty"` // sentences; phrases in results of earlier versions
}

// Text returns the reasons as one text.
func (v Validity) Text() string {
	var text string
	for _, reason := range v.Reasons {
		switch {
		case text == "":
		case strings.HasSuffix(text, "."):
			text += " "
		default:
			text += "; "
		}
		text += reason
	}
	return text
}

// Run is one provisioning and measurement of one variant, from queued to
// proven destroyed.
type Run struct {
	ID         string          `json:"id"`
	Experiment string          `json:"experiment"`
	Target     string          `json:"target,omitempty"` // of the experiment's plan
	Variant    string          `json:"variant"`
	Order      int             `json:"order"`                 // position in the randomised, interleaved order, from 0
	Round      int             `json:"round"`                 // from 0; the runs of a round have the same load, see [RoundSeed]
	Extra      bool            `json:"extra,omitempty"`       // repeats a run that failed or was not valid
	SystemDied bool            `json:"system_died,omitempty"` // the system under test ended under the load: it did not deliver
	Phase      Phase           `json:"phase"`
	Outcome    Outcome         `json:"outcome,omitempty"`
	Validity   Validity        `json:"validity"`
	Teardown   Teardown        `json:"teardown"`
	Reason     string          `json:"reason,omitempty"` // why it failed or was cancelled, with the next step
	Since      time.Time       `json:"since"`            // start of the phase
	StartedAt  time.Time       `json:"started_at,omitzero"`
	EndedAt    time.Time       `json:"ended_at,omitzero"`
	Phases     []PhaseTime     `json:"phases,omitempty"`
	Receipt    *Receipt        `json:"receipt,omitempty"`
	Result     json.RawMessage `json:"result,omitempty"` // a measure.Result, once collected
}

// PhaseTime says when a run entered a phase.
type PhaseTime struct {
	Phase Phase     `json:"phase"`
	At    time.Time `json:"at"`
}

// Receipt is the proof that a run's infrastructure is gone.
type Receipt struct {
	At          time.Time       `json:"at"`
	Statement   string          `json:"statement"` // a sentence: what was checked and found
	Objects     []ReceiptObject `json:"objects,omitempty"`
	QuietSweeps int             `json:"quiet_sweeps"`
}

// ReceiptObject is one object that a run ever had, described as gone.
type ReceiptObject struct {
	Kind         string  `json:"kind"` // "process", "port"
	ID           string  `json:"id"`
	Address      string  `json:"address,omitempty"` // in OpenTofu
	By           string  `json:"by"`                // who removed it: "destroy", "sweep", "never created"
	SecondsAlive float64 `json:"seconds_alive,omitempty"`
}

// EventKind says what an [Event] tells.
type EventKind string

// The kinds of events.
const (
	EventPhase    EventKind = "phase"    // a run entered a phase
	EventResource EventKind = "resource" // a resource is being, or was, created or deleted
	EventOutcome  EventKind = "outcome"  // a run ended
	EventNotice   EventKind = "notice"   // something an operator should read
)

// Event is a stored step in the life of a run. Ids count from 1.
type Event struct {
	ID         int64     `json:"id"`
	At         time.Time `json:"at"`
	Experiment string    `json:"experiment,omitempty"`
	Run        string    `json:"run,omitempty"`
	Variant    string    `json:"variant,omitempty"`
	Kind       EventKind `json:"kind"`
	Phase      Phase     `json:"phase,omitempty"`
	Resource   *Resource `json:"resource,omitempty"`
	Message    string    `json:"message,omitempty"`
}

// Resource is a real object of a run as OpenTofu's journal tells of it.
type Resource struct {
	Address string  `json:"address"` // in OpenTofu
	Action  string  `json:"action"`  // "create" or "delete"
	State   string  `json:"state"`   // "started", "complete" or "errored"
	ID      string  `json:"id,omitempty"`
	Seconds float64 `json:"seconds,omitempty"`
}
