package comparison

import (
	"encoding/json"
	"slices"

	"dec.local/dec/internal/experiment"
	"dec.local/dec/internal/format"
)

// Fairness reports whether the variants gave the same guarantees, as read back
// from the brokers.
type Fairness struct {
	Known       bool              `json:"known" doc:"The guarantees of every variant were read back."`
	Label       string            `json:"label" doc:"Summary, such as 'same guarantees'."`
	Differences []string          `json:"differences" doc:"One sentence per difference, with a way to equalise; none means equal if 'known' is true."`
	Unequal     []Inequality      `json:"unequal" doc:"The same differences, as structured data."`
	Rows        []FairnessRow     `json:"rows" doc:"All guarantees and settings of clients, with their values."`
	Nature      []string          `json:"nature" doc:"Sentences on the nature of technologies, and on brokers not run by their own settings."`
	Emulators   map[string]string `json:"emulators,omitempty" doc:"Emulator that stood in for the technology, by variant."`
}

// FairnessRow is a guarantee or a setting of clients.
type FairnessRow struct {
	Name   string         `json:"name" doc:"Display name of the guarantee or of the setting of clients."`
	Client bool           `json:"client" doc:"A setting of clients, not a guarantee."`
	Values []VariantValue `json:"values" doc:"Display values, in the order of the variants; an empty text if not known."`
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
	f.Rows = s.fairnessRows()
	f.Label = f.label()
	return f
}

// fairnessRows are all guarantees and settings of clients, alike or not.
func (s *Set) fairnessRows() []FairnessRow {
	var rows []FairnessRow
	row := func(name string, client bool, value func(*Variant, experiment.Effective) string) {
		r := FairnessRow{Name: name, Client: client}
		for _, v := range s.Variants {
			e, known := v.Effective()
			text := ""
			if known {
				text = value(v, e)
			}
			r.Values = append(r.Values, VariantValue{v.Label, text})
		}
		rows = append(rows, r)
	}
	for _, g := range experiment.Guarantees() {
		row(g.Title(), false, func(v *Variant, e experiment.Effective) string { return v.words(g, e) })
	}
	for _, setting := range experiment.ClientSettings() {
		row(setting.Title(), true, func(_ *Variant, e experiment.Effective) string { return e.Clients[setting] })
	}
	return rows
}

// words are the degree to which a guarantee is in force, for people.
func (v *Variant) words(g experiment.Guarantee, e experiment.Effective) string {
	text := format.Words(e.Value(g))
	if g == experiment.Durability && v.noFsync() {
		text += "; no fsync of messages fell into the measure stage"
	}
	return text
}

// noFsync reports whether brokers called fsync for no message until the measure stage of
// any counted run was over.
func (v *Variant) noFsync() bool {
	counted := v.Counted()
	return len(counted) > 0 && !slices.ContainsFunc(counted, func(r *Run) bool { return !r.Result.NoFsync })
}
