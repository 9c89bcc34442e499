// Package supervise runs one detached process from one spec: it survives its
// parent, is known by its lock, is stopped exactly once, and is watched. It is
// used for brokers and agents and for OpenTofu itself. It never restarts
// anything.
//
// Liveness is a lock that the child inherits: the starter takes it, hands it to
// the supervisor, which hands it to the child. So it is held while anything of
// the process lives, whatever became of its parents. No pid is trusted.
package supervise

import "time"

// Spec says what to run and how. It is written to the process's folder before
// anything starts, and holds no secret.
type Spec struct {
	Name        string            `json:"name"`
	Command     []string          `json:"command"`                // relative paths are below the working folder
	Environment map[string]string `json:"environment,omitempty"`  // the whole environment: nothing is inherited
	Files       map[string]string `json:"files,omitempty"`        // path below the working folder → content; executable if it begins with "#!"
	SecretFiles []string          `json:"secret_files,omitempty"` // paths of [Secrets].Files; set by [Start]
	Artifacts   map[string]string `json:"artifacts,omitempty"`    // link below the working folder → absolute path of a folder or file
	Lifetime    Lifetime          `json:"lifetime"`               // Service if empty
	Readiness   Readiness         `json:"readiness,omitzero"`
	StopSignal  string            `json:"stop_signal,omitempty"` // "SIGTERM" if empty; "SIGINT" for OpenTofu
	Grace       time.Duration     `json:"grace_ns,omitempty"`    // from the stop signal to the kill of the whole group; 10 s if zero
	Limits      Limits            `json:"limits,omitzero"`
	ExpiresAt   time.Time         `json:"expires_at,omitzero"` // the supervisor stops the process then, whatever became of the server
	Tags        map[string]string `json:"tags,omitempty"`      // dec:install, dec:run, dec:address, dec:expires-at
	Sidecar     *SidecarSpec      `json:"sidecar,omitempty"`   // runs inside the supervisor while the child lives
	Logs        string            `json:"logs,omitempty"`      // folder that logs and records are saved to at the end; not saved if empty
}

// Lifetime says how a process is meant to end.
type Lifetime string

// The lifetimes of a process.
const (
	Service Lifetime = "service" // runs until it is stopped; an exit is a failure
	Task    Lifetime = "task"    // ends by itself; exit 0 is success
)

// Readiness says when a process counts as ready: every given condition holds.
// With none, it is ready as soon as it was started.
type Readiness struct {
	Log     string        `json:"log,omitempty"`        // a regular expression that a line of the output matches
	Port    int           `json:"port,omitempty"`       // this port accepts connections
	Host    string        `json:"host,omitempty"`       // of the port; 127.0.0.1 if empty
	Timeout time.Duration `json:"timeout_ns,omitempty"` // 60 s if zero
}

// Limits bound what a process may use. Zero means unlimited.
type Limits struct {
	MemoryBytes int64 `json:"memory_bytes,omitempty"` // of the whole process tree
	CPUs        []int `json:"cpus,omitempty"`         // affinity
}

// SidecarSpec names a sidecar that was handed to [Main] and its argument.
type SidecarSpec struct {
	Name string `json:"name"`
	Arg  string `json:"arg"`
}

// Exit is what became of a process. It is written once, whole, at its end.
type Exit struct {
	Code      int       `json:"code"`             // -1 when a signal ended it
	Signal    string    `json:"signal,omitempty"` // "SIGKILL"
	Cause     Cause     `json:"cause"`
	Message   string    `json:"message,omitempty"` // for start failures and limits
	StartedAt time.Time `json:"started_at"`
	EndedAt   time.Time `json:"ended_at"`
	Usage     Usage     `json:"usage"` // in total; RSSBytes and Processes are the highest that were sampled
}

// Cause says why a process ended.
type Cause string

// The causes of an end.
const (
	CauseExited  Cause = "exited"  // by itself
	CauseStopped Cause = "stopped" // it was asked to stop
	CauseExpired Cause = "expired" // ExpiresAt was reached
	CauseMemory  Cause = "memory"  // it used more than Limits.MemoryBytes
	CauseStart   Cause = "start"   // it could not be started
	CauseUnready Cause = "unready" // it was not ready within Readiness.Timeout
	CauseLost    Cause = "lost"    // unknown: its supervisor was killed; never in a record
)

// Usage is what a process tree used. Samples are one line of JSON a second in
// the folder's samples.jsonl.
type Usage struct {
	At         time.Time `json:"at"`
	CPUSeconds float64   `json:"cpu_s"` // user and system, ended children included
	RSSBytes   int64     `json:"rss_bytes"`
	ReadBytes  int64     `json:"read_bytes"`
	WriteBytes int64     `json:"write_bytes"`
	Processes  int       `json:"processes"`
}
