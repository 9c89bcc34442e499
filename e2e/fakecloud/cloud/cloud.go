// Package cloud is the interface of the fake cloud: its objects, the faults that
// it can be told to have, the log of its calls, and the client of its API. The
// cloud itself is package simulator.
//
// The API is modelled on those of real clouds. Ids are made by the cloud, so
// nobody knows them before a create is answered. An object that others depend
// on cannot be deleted before them. Creating and deleting take time, and go on
// whatever becomes of the caller.
package cloud

import (
	"errors"
	"time"
)

// Kind is what an object is.
type Kind string

// The kinds of objects. A caller makes the first three; an interface is made by
// the cloud itself, see [Children].
const (
	KindNetwork   Kind = "network"   // holds everything of a run together
	KindAddress   Kind = "address"   // host and ports of a node, in a network
	KindInstance  Kind = "instance"  // runs one service at an address
	KindInterface Kind = "interface" // of an instance, in its network
)

// State is where an object is in its life.
type State string

// The states of an object.
const (
	Pending  State = "pending"  // not usable yet
	Ready    State = "ready"    // usable; an instance's service is ready, or a task has ended well
	Failed   State = "failed"   // an instance whose service did not get ready, or has ended
	Deleting State = "deleting" // on its way out
)

// Object is what the cloud shows of one of its objects.
type Object struct {
	Kind      Kind              `json:"kind"`
	ID        string            `json:"id"`
	Name      string            `json:"name,omitempty"` // empty for what the cloud made by itself
	Tags      map[string]string `json:"tags,omitempty"` // none for what the cloud made by itself
	State     State             `json:"state"`
	Reason    string            `json:"reason,omitempty"`     // why it has failed
	DependsOn []string          `json:"depends_on,omitempty"` // ids of objects that cannot be deleted before it
	Owner     string            `json:"owner,omitempty"`      // id of the instance that the cloud made it for
	CreatedAt time.Time         `json:"created_at"`
	Host      string            `json:"host,omitempty"`      // of an address; empty while it is pending
	Ports     map[string]int    `json:"ports,omitempty"`     // of an address, by name; none while it is pending
	UserData  string            `json:"user_data,omitempty"` // of an instance: a [Service], as it was given
}

// Service is what an instance runs: its user data, in JSON. Zero values mean the
// defaults of package supervise. Unknown fields are passed over.
type Service struct {
	Command     []string          `json:"command"`
	Environment map[string]string `json:"environment"`
	Files       map[string]string `json:"files"`     // path below the working folder → content
	Artifacts   map[string]string `json:"artifacts"` // link below the working folder → name@version
	Readiness   struct {
		Log     string  `json:"log"`     // a regular expression that a line of the output matches
		Port    string  `json:"port"`    // name of a port of the address that accepts connections
		Timeout float64 `json:"timeout"` // in seconds
	} `json:"readiness"`
	Lifetime   string    `json:"lifetime"` // "service" or "task"
	StopSignal string    `json:"stop_signal"`
	Grace      float64   `json:"grace"`      // in seconds
	Memory     int64     `json:"memory"`     // in bytes
	Logs       string    `json:"logs"`       // folder that its logs are saved to at its end; nowhere if empty
	ExpiresAt  time.Time `json:"expires_at"` // it is stopped then, whoever has forgotten it
}

// Creation asks for an object.
type Creation struct {
	Kind      Kind              `json:"kind"`
	Name      string            `json:"name"`
	Tags      map[string]string `json:"tags,omitempty"`
	DependsOn []string          `json:"depends_on,omitempty"` // an address: its network; an instance: its address
	Ports     []string          `json:"ports,omitempty"`      // of an address: their names
	UserData  string            `json:"user_data,omitempty"`  // of an instance: a [Service]
	Artifacts []string          `json:"artifacts,omitempty"`  // of an instance: absolute folders that hold <name>/<version>
	Secrets   map[string]string `json:"secrets,omitempty"`    // of an instance: path below the working folder → content; kept nowhere else
}

// Created answers a [Creation]: with the object, or, when its id comes late, with
// an operation to ask for it.
type Created struct {
	Operation string  `json:"operation,omitempty"`
	Object    *Object `json:"object,omitempty"`
}

// Usage is what the service of an instance used within a window of time.
type Usage struct {
	CPUSeconds  float64 `json:"cpu_s"` // user and system, of its whole process tree
	MaxRSSBytes int64   `json:"max_rss_bytes"`
}

// Session asks for a credential that says who uses it.
type Session struct {
	Name string `json:"name"` // in the log of calls
}

// Credential is what a [Session] gets.
type Credential struct {
	Key string `json:"key"`
}

// Code says what kind of error an answer is.
type Code string

// The codes of errors, named as clouds name them.
const (
	CodeNotFound   Code = "NotFound"
	CodeInvalid    Code = "InvalidParameter"
	CodeThrottling Code = "Throttling"
	CodeDependency Code = "DependencyViolation"
	CodeDenied     Code = "AccessDenied"
	CodeExpired    Code = "ExpiredToken"
	CodeInternal   Code = "InternalError"
)

// Error is an answer that refuses a call.
type Error struct {
	Status  int    `json:"-"` // of HTTP
	Code    Code   `json:"code"`
	Message string `json:"message"`
}

// Error reads "Throttling: rate exceeded".
func (e *Error) Error() string { return string(e.Code) + ": " + e.Message }

// IsCode reports whether err is or wraps an [Error] of a code.
func IsCode(err error, code Code) bool {
	e, ok := errors.AsType[*Error](err)
	return ok && e.Code == code
}
