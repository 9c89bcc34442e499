package planner_test

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"testing"
	"testing/fstest"
	"time"

	"dec.local/dec/internal/experiment"
	"dec.local/dec/internal/planner"
	"dec.local/dec/target"
	"dec.local/dec/technology"
)

func file(text string) *fstest.MapFile { return &fstest.MapFile{Data: []byte(text)} }

// variables of stacks.
const (
	size = `
variable "size" {
  type        = number
  default     = 1
  description = "Members."
  validation {
    condition     = var.size >= 1 && var.size <= 9
    error_message = "Write a number from 1 to 9."
  }
}`
	copies = `
variable "copies" {
  type        = number
  default     = null
  description = "Copies of each message."
}`
	password = `
variable "password" {
  type        = string
  default     = null
  sensitive   = true
  ephemeral   = true
  description = "A secret."
}`
)

// stacks are those of two technologies, toy and rival.
var stacks = fstest.MapFS{
	"toy/stacks/plain/stack.json": file(`{"title": "Plain", "description": "Members.", "options": ["size", "copies", "password"], "copies": "copies",
		"artifacts": {"broker": "toy-broker@1", "client": "toy-client@2"}}`),
	"toy/stacks/plain/main.tf":        file(size + copies + password),
	"toy/stacks/managed/stack.json":   file(`{"title": "Managed", "description": "Of a cloud.", "options": [], "targets": ["cloud"]}`),
	"toy/stacks/managed/main.tf":      file(""),
	"rival/stacks/pretend/stack.json": file(`{"title": "Pretend", "description": "Not itself.", "options": [], "emulator": "pretender 1.0"}`),
	"rival/stacks/pretend/main.tf":    file(""),
}

// toys are toy and rival. The client of toy takes linger alone, and no
// message above 1 KiB.
func toys() []technology.Technology {
	checkToy := func(config map[string]json.RawMessage, w experiment.Workload) error {
		var problems experiment.Problems
		for name := range config {
			if name != "linger" {
				problems.Add("client_config."+name, "unknown setting")
			}
		}
		if w.Message.Size.Max > 1024 {
			problems.Add("", "takes no message above 1KiB")
		}
		return problems.Err()
	}
	checkRival := func(config map[string]json.RawMessage, _ experiment.Workload) error {
		if len(config) > 0 {
			return errors.New("rival takes no settings")
		}
		return nil
	}
	return []technology.Technology{
		{Name: "toy", Title: "Toy Broker", ConfigSchema: json.RawMessage(`{"type":"object"}`), CheckConfig: checkToy,
			Cost: technology.Cost{Send: 10 * time.Microsecond, Receive: 20 * time.Microsecond}},
		{Name: "rival", Title: "Rival", ConfigSchema: json.RawMessage(`{}`), CheckConfig: checkRival},
	}
}

// place says of every demand the same.
type place struct {
	target.Place
	found func(target.Demand) []target.Finding
}

func (p place) Check(_ context.Context, d target.Demand) []target.Finding { return p.found(d) }

// stocked is a place without some artifacts.
type stocked struct {
	place
	lacks []string
}

func (s stocked) Missing(artifacts []string) []string {
	var missing []string
	for _, artifact := range artifacts {
		if slices.Contains(s.lacks, artifact) {
			missing = append(missing, artifact)
		}
	}
	return missing
}

// well is what a place says on which everything is fine.
func well(target.Demand) []target.Finding { return []target.Finding{{Detail: "fine"}} }

// options are those of a planner with the two technologies and three targets: here
// is stocked, cloud is not and takes three runs, and closed cannot be used.
func options() planner.Options {
	closed := []target.Finding{{Level: target.Refuse, Detail: "no credentials", Fix: "dec login"}, {Detail: "fine"}}
	return planner.Options{
		Technologies: toys(), Stacks: stacks, Tools: "/tools", Setup: "make setup",
		Places: target.Places{
			"here": {
				Target: target.Target{Name: "here", Title: "Here", Facts: target.Facts{SharedMachine: true, OneHost: true, SharedFiles: true, Slots: 1}},
				Place:  stocked{place: place{found: well}},
			},
			"cloud":  {Target: target.Target{Name: "cloud", Title: "The Cloud", Facts: target.Facts{Slots: 3}}, Place: place{found: well}},
			"closed": {Target: target.Target{Name: "closed", Title: "Closed", Facts: target.Facts{Slots: 1}}, Place: place{found: func(target.Demand) []target.Finding { return closed }}},
		},
	}
}

// fake returns a planner of options, changed.
func fake(t *testing.T, change ...func(*planner.Options)) *planner.Planner {
	t.Helper()
	o := options()
	for _, c := range change {
		c(&o)
	}
	p, err := planner.New(o)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// here replaces the place of that name.
func here(p target.Place) func(*planner.Options) {
	return func(o *planner.Options) {
		opened := o.Places["here"]
		opened.Place = p
		o.Places["here"] = opened
	}
}
