// Package experiment holds the vocabulary of the product: what is measured,
// under which load, on which stack. It has no I/O and imports only the standard
// library, so every other package may import it.
//
// A [Plan] is what a user posts. It compares variants; each [Variant] is
// executed as several [Run]s, in a random and interleaved order, so that drift
// of the machine cannot favour one variant.
package experiment

import (
	"encoding/json"
	"time"
)

// Plan is the description of one experiment as a user writes it. Package planspec
// decodes one, which applies the defaults and validates.
type Plan struct {
	Name     string    `json:"name,omitzero"`    // for people; the labels of the variants if unset
	Target   string    `json:"target,omitzero"`  // where the runs take place; "local" if unset
	Compare  Metric    `json:"compare,omitzero"` // primary metric, the only one that gets a verdict; [DefaultMetric] if unset
	Matters  Percent   `json:"matters,omitzero"` // smallest difference in the metric that matters; unset, no difference is too small
	Workload Workload  `json:"workload"`
	Variants []Variant `json:"variants"`
	Repeat   int       `json:"repeat,omitzero"` // runs per variant, each on fresh infrastructure; 5 if unset
	Limits   Limits    `json:"limits"`
}

// Variant is one candidate: a technology on a stack with options.
type Variant struct {
	Label        string                     `json:"label"` // unique within the plan; a slug
	Technology   string                     `json:"technology"`
	Stack        string                     `json:"stack"`
	Emulator     string                     `json:"emulator,omitempty"`      // program standing for the technology; set by admission, from the stack
	Options      map[string]json.RawMessage `json:"options,omitempty"`       // the stack's OpenTofu variables
	ClientConfig map[string]json.RawMessage `json:"client_config,omitempty"` // settings of the driver without a neutral name
	// Secrets are the secret options, once the plan was checked: part of no JSON, so
	// never shown, stored in clear or digested.
	Secrets map[string]json.RawMessage `json:"-"`
}

// Limits bound what an experiment may use.
type Limits struct {
	TTL     Duration `json:"ttl,omitzero"`      // per run, from its apply; hard, enforced by the supervisors themselves; 1h if unset
	MaxWall Duration `json:"max_wall,omitzero"` // per experiment; no further run starts after it; unlimited if zero
}

// Experiment is an admitted [Plan].
type Experiment struct {
	ID        string    `json:"id"`
	Plan      Plan      `json:"plan"`
	Digest    string    `json:"digest"`       // of the normalised plan without its name: equal digests ask the same question
	By        string    `json:"by,omitempty"` // who submitted it
	CreatedAt time.Time `json:"created_at"`
	State     State     `json:"state"` // derived from the runs
	Reason    string    `json:"reason,omitempty"`
}

// State of an experiment, derived from its runs.
type State string

// The states of an experiment.
const (
	Queued  State = "queued"
	Running State = "running"
	Ended   State = "ended"
)
