package report

import (
	"encoding/json"
	"slices"

	"dec.local/dec/internal/experiment"
)

// Fairness says whether the variants gave the same guarantees, as read back
// from the brokers.
type Fairness struct {
	Known       bool              `json:"known" doc:"Every variant has guarantees that were read back."`
	Differences []string          `json:"differences" doc:"A sentence each, with what would make them equal; none means alike, if known."`
	Unequal     []Inequality      `json:"unequal" doc:"The same, to be laid out."`
	Nature      []string          `json:"nature" doc:"Sentences on what technologies guarantee where that is not what was measured."`
	Emulators   map[string]string `json:"emulators,omitempty" doc:"Program that stood for the technology, by variant."`
}

// Label is the fairness in a few words.
func (f Fairness) Label() string {
	switch {
	case len(f.Differences) > 0:
		return "guarantees differ"
	case !f.Known:
		return "guarantees not known"
	}
	return "same guarantees"
}

// pair is a name with its value.
type pair struct{ Name, Value string }

// effective returns the guarantees of a variant's first run that has some.
func (v variant) effective() (experiment.Effective, bool) {
	for _, r := range v.runs {
		var e experiment.Effective
		if r.result != nil && len(r.result.Guarantees) > 0 && json.Unmarshal(r.result.Guarantees, &e) == nil {
			return e, true
		}
	}
	return experiment.Effective{}, false
}

func compareGuarantees(variants []variant) Fairness {
	f := Fairness{Known: len(variants) > 0, Differences: []string{}, Unequal: []Inequality{}, Nature: []string{}}
	var known []promised
	for _, v := range variants {
		g, ok := v.effective()
		if !ok {
			f.Known = false
			continue
		}
		known = append(known, promised{v.Label, g})
		if g.Nature != "" && !slices.Contains(f.Nature, g.Nature) {
			f.Nature = append(f.Nature, g.Nature)
		}
		if program := v.emulator(); program != "" {
			if f.Emulators == nil {
				f.Emulators = map[string]string{}
			}
			f.Emulators[v.Label] = program
		}
	}
	for _, g := range experiment.Guarantees() {
		if found, ok := unequal(g, known); ok {
			f.Unequal = append(f.Unequal, found)
			f.Differences = append(f.Differences, found.sentence())
		}
	}
	return f
}
