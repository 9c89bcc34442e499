// Package target holds the contract between DEC and the places where runs take
// place. A target is one folder here that exports `var Target = target.Target{…}`:
// a module `nodes` in HCL, the providers that it needs, facts, and Go that looks
// at what really exists. Package all lists the targets of the product.
//
// Everything else knows facts of a target, never its name.
//
// # The nodes module
//
// It turns what a stack asks for into running things, and is responsible for their
// end: what it makes stops by itself at expires_at, even if no server ever comes back.
// Its variables:
//
//   - run: id, install, expires_at, logs (a folder of the server that keeps what
//     services print, for targets with shared files), and cpus by role. Every resource
//     carries the four tags below, and its name begins with the run's id.
//   - groups: by name, how many nodes there are, their ports by name, and their
//     role ("broker" or "agent").
//   - services: by name, what runs on which node; CONTRIBUTING.md lists the keys.
//   - secrets: by service, secret files; ephemeral.
//
// groups and services stay two variables: addresses depends on groups alone, so
// that services may contain addresses. In one variable that would be a cycle.
// The keys of both are known at plan.
//
// Its outputs are addresses (by group, the host and the ports of each node) and
// network (what managed services need to know of it; empty if nothing).
//
// # Configuration and credentials
//
// An operator configures a target by environment variables of the server, which
// [Options] passes to Open. OpenTofu runs with an environment of its own, in which HOME
// is a folder of the run: what its providers need is in [Placement] or, if it is
// secret, comes from [Credentialed]. For now the providers are builds of DEC's own,
// which lie beside dec; others, from a registry, need a mirror that DEC does not make
// yet.
//
// Package targettest is the suite that every target passes.
package target

import (
	"context"
	"io/fs"
	"time"

	"dec.local/dec/internal/experiment"
)

// Target is one kind of place where runs can take place.
type Target struct {
	Name      string // of its folder, as plans name it: a slug
	Title     string // for people, such as "This machine"
	Facts     Facts
	Nodes     fs.FS      // the nodes module: *.tf at its root
	Providers []Provider // that the nodes module needs

	// Open looks at the place; it starts nothing and costs nothing. An error
	// says why the target can't be used and what to do.
	Open func(ctx context.Context, o Options) (Place, error)
}

// Facts are what the rest of DEC may know of a target.
type Facts struct {
	// SharedMachine: brokers and agents of a run share one machine, so that its
	// numbers are no ground for a purchase.
	SharedMachine bool
	// OneHost: what exists can be seen and removed from the host that made it
	// alone, so that servers of one host at a time take its runs.
	OneHost bool
	// SharedFiles: nodes read the files of the server, so that a folder can be
	// the bucket, and agents get the server's own credentials of a bucket.
	SharedFiles bool
	// Slots is how many runs may be active at once unless an operator says
	// otherwise; at least 1.
	Slots int
	// SweepInterval is the time between two looks at what exists that both must
	// find nothing before a run counts as clean: as long as the place may take to
	// show what it has made.
	SweepInterval time.Duration
	// Errors are texts by which errors of its providers are told apart, the first
	// that matches counts; see [Facts.Classify]. Nothing asks for them yet: they are
	// declared for recovery that tries again as the class says.
	Errors []ErrorText
}

// Provider is an OpenTofu provider of DEC's own that a nodes module needs.
type Provider struct {
	Source     string // address in OpenTofu, such as "dec.local/dec/dec"
	Executable string // name of its build, which lies beside dec
	Artifacts  bool   // its block takes the folders of artifacts as "artifacts"
}

// Options are what a target gets to know of the installation that opens it.
type Options struct {
	Data      string                   // the data folder, absolute; its path names the installation in tags
	Artifacts []string                 // folders that hold what stacks name, at <name>/<version>
	Getenv    func(name string) string // of the server's environment; os.Getenv if nil
}

// Place is an opened target. What only some places can do is declared in
// abilities.go and found by type assertion.
type Place interface {
	// List returns the objects tagged with the run or named after it, also those
	// that no provider made; all objects of DEC for "", whoever made them. An object
	// stays listed until nothing of it is left. Kind and ID are the type and the id of
	// the resource in OpenTofu's state, the type without the dec_ of our own, so that
	// what was intended and what exists can be matched.
	List(ctx context.Context, run string) ([]experiment.Object, error)
	// Remove removes one object that OpenTofu has lost. One that is gone is no
	// error.
	Remove(ctx context.Context, o experiment.Object) error
	// Watch blocks until ctx ends, or returns before that with an [*Ended] that names
	// a service of the run that ended and why, or with why it cannot watch.
	Watch(ctx context.Context, run string) error
	// Check looks whether a run that needs as much can take place now. It returns
	// at least one finding; the first is about the place as a whole.
	Check(ctx context.Context, d Demand) []Finding
	// Placement is what provisioning needs to know of the place.
	Placement() Placement
}

// Ended tells that a service of a run has ended by itself.
type Ended struct {
	Service string // its name within the run
	Err     error  // names the service too, and says how it ended
}

func (e *Ended) Error() string { return e.Err.Error() }

// Unwrap returns how the service ended.
func (e *Ended) Unwrap() error { return e.Err }

// Demand is what a run needs. The zero one asks for the state of the place alone.
type Demand struct {
	DiskBytes int64   // that its brokers write at most, in all
	AgentCPUs float64 // that its agents use at its highest rate, about and in all
}

// Finding is one thing that a place looked at.
type Finding struct {
	Subject string // such as "disk"; "" for the place as a whole
	Level   Level
	Detail  string // what was found
	Fix     string // what to do about it; "" if nothing
}

// Level says what follows from a [Finding].
type Level int

// The levels, from the best to the worst.
const (
	OK     Level = iota // nothing follows
	Advice              // a run may take place; a person should know this
	Refuse              // no run may take place
)

// Placement is what provisioning needs to know of a place.
type Placement struct {
	CPUs        map[string][]int  // CPU affinity of services by role, "broker" and "agent"; none if empty
	Environment map[string]string // for OpenTofu, by which the providers find the place; no secrets
}

// The tags that every resource of every target carries, so that anything can be
// found, understood and deleted without a database. A cloud whose labels can't hold
// them keeps them in another way, such as in encoded form or in a description: List
// gives them back as they are here.
const (
	TagInstall   = "dec:install"    // the data folder that made it
	TagRun       = "dec:run"        // the run it belongs to
	TagAddress   = "dec:address"    // its address in OpenTofu
	TagExpiresAt = "dec:expires-at" // RFC 3339; nobody needs it afterwards
)

// Tags returns the names of the tags that a resource must carry.
func Tags() []string {
	return []string{TagInstall, TagRun, TagAddress, TagExpiresAt}
}
