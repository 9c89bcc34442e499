package experiment

import "time"

// AttemptKind is what one OpenTofu process does.
type AttemptKind string

// The kinds of attempts.
const (
	AttemptPlan        AttemptKind = "plan"
	AttemptApply       AttemptKind = "apply"
	AttemptPlanDestroy AttemptKind = "plan_destroy"
	AttemptDestroy     AttemptKind = "destroy"
)

// Attempt is one OpenTofu plan or apply process of a run. Its number never
// changes, whoever looks after it.
type Attempt struct {
	Run       string      `json:"run"`
	N         int         `json:"n"` // from 1 within the run
	Kind      AttemptKind `json:"kind"`
	Folder    string      `json:"folder"` // the supervised process's folder
	StartedAt time.Time   `json:"started_at"`
	EndedAt   time.Time   `json:"ended_at,omitzero"`
	Outcome   string      `json:"outcome,omitempty"` // "ok", "failed", "dirty" (killed: what it did is in doubt)
	Error     string      `json:"error,omitempty"`
}

// Intent is an object that an attempt is about to create or delete, known
// before it starts.
type Intent struct {
	Address string `json:"address"` // in OpenTofu
	Action  string `json:"action"`  // "create" or "delete"
	Kind    string `json:"kind"`    // "process", "port"
	ID      string `json:"id"`      // "" when the provider will only know it after the create
}

// Object is a real thing on a target, as the target's own inventory tells it.
type Object struct {
	Kind      string            `json:"kind"` // "process", "port"
	ID        string            `json:"id"`
	Run       string            `json:"run"`
	Install   string            `json:"install"` // the data folder that made it
	Address   string            `json:"address,omitempty"`
	Alive     bool              `json:"alive"` // a process of it is running
	CreatedAt time.Time         `json:"created_at"`
	ExpiresAt time.Time         `json:"expires_at,omitzero"`
	Detail    map[string]string `json:"detail,omitempty"`
}
