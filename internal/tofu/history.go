package tofu

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	tfjson "github.com/hashicorp/terraform-json"

	"dec.local/dec/internal/experiment"
	"dec.local/dec/internal/supervise"
)

// intents are the creates and deletes of a plan, a replacement being both.
func intents(changes []*tfjson.ResourceChange) []experiment.Intent {
	var found []experiment.Intent
	for _, change := range changes {
		if change.Mode != tfjson.ManagedResourceMode || change.Change == nil {
			continue
		}
		of := func(action string, values any) experiment.Intent {
			return experiment.Intent{Address: change.Address, Action: action, Kind: kindOf(change.Type), ID: idOf(values)}
		}
		if actions := change.Change.Actions; actions.Delete() || actions.Replace() {
			found = append(found, of("delete", change.Change.Before))
		}
		if actions := change.Change.Actions; actions.Create() || actions.Replace() {
			found = append(found, of("create", change.Change.After))
		}
	}
	return found
}

// kindOf is the kind of object that a resource type makes: "process" for
// dec_process, the type itself when it is not ours.
func kindOf(resourceType string) string { return strings.TrimPrefix(resourceType, "dec_") }

// idOf is the id among a resource's values, "" when it is not known.
func idOf(values any) string {
	attributes, ok := values.(map[string]any)
	if !ok {
		return ""
	}
	switch id := attributes["id"].(type) {
	case string:
		return id
	case float64:
		return strconv.FormatFloat(id, 'f', -1, 64)
	case fmt.Stringer: // a json.Number
		return id.String()
	}
	return ""
}

// attemptNumber is the number that the log gave a recorded attempt.
func attemptNumber(process *supervise.Process) (int, error) {
	spec, err := process.Spec()
	if err != nil {
		return 0, fmt.Errorf("open attempt: %w", err)
	}
	n, err := strconv.Atoi(spec.Tags[tagAttempt])
	if err != nil {
		return 0, fmt.Errorf("number of attempt %s: %w", process.Folder(), err)
	}
	return n, nil
}

// Created returns every object that the run ever planned or began to create, by
// address: what a verifier has to find gone. The id is "" when it was never
// known.
func (r *Runner) Created(run string) ([]experiment.Intent, error) {
	dir, err := r.folder(run)
	if err != nil {
		return nil, err
	}
	attempts, err := listAttempts(dir)
	if err != nil {
		return nil, err
	}
	var seen creations
	for _, attempt := range attempts {
		if attempt.verb == "show" {
			// A plan that was never shown whole was never applied; its own
			// journal tells of the addresses.
			if changes, err := readPlan(attempt.folder); err == nil {
				for _, intent := range intents(changes) {
					seen.add(intent)
				}
			}
			continue
		}
		journal, err := readJournal(attempt.folder)
		if err != nil {
			return nil, err
		}
		for _, m := range journal {
			seen.add(m.intent())
		}
	}
	slices.SortStableFunc(seen, func(a, b experiment.Intent) int { return cmp.Compare(a.Address, b.Address) })
	return seen, nil
}

// intent is what a message tells of an object; its action is "" when it tells
// nothing.
func (m message) intent() experiment.Intent {
	switch {
	case m.Hook != nil:
		return experiment.Intent{Address: m.Hook.Resource.Address, Action: m.Hook.Action, Kind: kindOf(m.Hook.Resource.Type), ID: m.Hook.ID}
	case m.Type == typePlannedChange && m.Change != nil:
		action := m.Change.Action
		if action == "replace" {
			action = "create"
		}
		return experiment.Intent{Address: m.Change.Resource.Address, Action: action, Kind: kindOf(m.Change.Resource.Type)}
	}
	return experiment.Intent{}
}

// creations are the objects heard of, each once.
type creations []experiment.Intent

// add adds an intended create. An object without an id is the same as the next
// one at its address that has one.
func (c *creations) add(intent experiment.Intent) {
	if intent.Action != "create" {
		return
	}
	for i, known := range *c {
		if known.Address != intent.Address {
			continue
		}
		if known.ID == "" || intent.ID == "" || known.ID == intent.ID {
			(*c)[i].ID = max(known.ID, intent.ID) // "" is less than any
			return
		}
	}
	*c = append(*c, intent)
}
