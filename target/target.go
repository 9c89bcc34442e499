// Package target holds the contract between DEC and the places where runs take
// place. A target is one folder here: a module `nodes` in HCL, and Go only
// where real resources must be listed.
//
// # The nodes module
//
// It turns what a stack asks for into running things. Its variables:
//
//   - run: id, install, expires_at, logs, and cpus by role. Every resource
//     carries the four tags below, and its name begins with the run's id.
//   - groups: by name, how many nodes there are, their ports by name, and their
//     role ("broker" or "agent").
//   - services: by name, what runs on which node: command, environment, files,
//     artifacts, readiness, lifetime, stop signal, grace and memory limit.
//
// groups and services stay two variables: addresses depends on groups alone, so
// that services may contain addresses. In one variable that would be a cycle.
// The keys of both are known at plan.
//
// Its outputs are addresses (by group, the host and the ports of each node) and
// network (what managed services need to know of it; empty if nothing).
//
// # The inventory
//
// A target lists what really exists, by tag and by name, as objects of package
// experiment, and removes one by one what OpenTofu has lost. An object stays
// listed until nothing of it is left, and removing what is gone succeeds.
package target

import "embed"

// Nodes holds the nodes module of every target, at <target>/nodes.
//
//go:embed all:*/nodes
var Nodes embed.FS

// The tags that every resource of every target carries, so that anything can be
// found, understood and deleted without a database.
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
