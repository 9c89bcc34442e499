package comparison

import (
	"encoding/json"
	"slices"

	"dec.local/dec/internal/experiment"
)

// Fairness reports whether the variants gave the same guarantees, as read back
// from the brokers.
type Fairness struct {
	Known       bool              `json:"known" doc:"The guarantees of every variant were read back."`
	Label       string            `json:"label" doc:"Summary, such as 'same guarantees'."`
	Differences []string          `json:"differences" doc:"One sentence per difference, with a way to equalise; none means equal if 'known' is true."`
	Unequal     []Inequality      `json:"unequal" doc:"The same differences, as structured data."`
	Nature      []string          `json:"nature" doc:"Sentences about what technologies guarantee if that was not measured."`
	Emulators   map[string]string `json:"emulators,omitempty" doc:"Emulator that stood in for the technology, by variant."`
}

// Equal reports whether all variants are known to have given the same
// guarantees, and their clients had the same settings where they can.
func (f Fairness) Equal() bool { return f.Known && len(f.Differences) == 0 }

// label is the fairness in a few words.
func (f Fairness) label() string {
	clients := slices.ContainsFunc(f.Unequal, func(i Inequality) bool { return i.Client })
	guarantees := slices.ContainsFunc(f.Unequal, func(i Inequality) bool { return !i.Client })
	switch {
	case guarantees && clients:
		return "guarantees and client settings differ"
	case guarantees:
		return "guarantees differ"
	case clients && f.Known:
		return "same guarantees, client settings differ"
	case clients:
		return "client settings differ"
	case !f.Known:
		return "guarantees not known"
	}
	return "same guarantees"
}

// Effective returns the guarantees of a variant's first run that has some.
func (v *Variant) Effective() (experiment.Effective, bool) {
	for _, r := range v.Runs {
		var e experiment.Effective
		if r.Result != nil && len(r.Result.Guarantees) > 0 && json.Unmarshal(r.Result.Guarantees, &e) == nil {
			return e, true
		}
	}
	return experiment.Effective{}, false
}

// fairness compares the guarantees of all variants.
func (s *Set) fairness() Fairness {
	variants := s.Variants
	f := Fairness{Known: len(variants) > 0, Differences: []string{}, Unequal: []Inequality{}, Nature: []string{}}
	var known []variantGuarantees
	for _, v := range variants {
		e, ok := v.Effective()
		if !ok {
			f.Known = false
			continue
		}
		known = append(known, variantGuarantees{v, e})
		if e.Nature != "" && !slices.Contains(f.Nature, e.Nature) {
			f.Nature = append(f.Nature, e.Nature)
		}
		if program := v.Program(); program != "" {
			if f.Emulators == nil {
				f.Emulators = map[string]string{}
			}
			f.Emulators[v.Label] = program
		}
	}
	for _, g := range experiment.Guarantees() {
		if found, ok := unequal(g, known); ok {
			f.Unequal = append(f.Unequal, found)
			f.Differences = append(f.Differences, found.sentence(s.Experiment.Plan.NameOf))
		}
	}
	for _, setting := range experiment.ClientSettings() {
		if found, ok := unlike(setting, known); ok && len(known) == len(variants) {
			f.Unequal = append(f.Unequal, found)
			f.Differences = append(f.Differences, found.sentence(s.Experiment.Plan.NameOf))
		}
	}
	f.Label = f.label()
	return f
}
