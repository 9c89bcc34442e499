package report

import (
	"encoding/json"
	"maps"
	"slices"
	"strconv"
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

// guarantees are what a broker promises; technology.Effective, whose package
// would bring in the technologies.
type guarantees struct {
	ProducerAck string            `json:"producer_ack"`
	Durability  string            `json:"durability"`
	Replicas    int               `json:"replicas"`
	MinInSync   int               `json:"min_in_sync"`
	Zones       int               `json:"zones"` // zero in results of versions that did not read it
	Details     map[string]string `json:"details"`
	Raise       map[string]string `json:"raise"`
	Emulator    string            `json:"emulator"`
	Nature      string            `json:"nature"`
}

// guarantee is one promise, as people read it and as it can be compared.
type guarantee struct {
	name  string // of its JSON field
	title string
	scale []string // its values from the least to the most; nil for numbers
	of    func(guarantees) string
}

// guaranteeList is in the order of the tables.
var guaranteeList = []guarantee{
	{"producer_ack", "Acknowledged by", []string{"none", "leader", "all"}, func(g guarantees) string { return g.ProducerAck }},
	{"durability", "Durable before the acknowledgement", []string{"memory", "page_cache", "fsync_before_ack"}, func(g guarantees) string { return g.Durability }},
	{"replicas", "Copies of a message", nil, func(g guarantees) string { return strconv.Itoa(g.Replicas) }},
	{"min_in_sync", "Copies that must exist before the acknowledgement", nil, func(g guarantees) string { return strconv.Itoa(g.MinInSync) }},
	{"zones", "Places that fail independently", nil, func(g guarantees) string { return strconv.Itoa(max(1, g.Zones)) }},
}

// rank is the place of a value on the scale of a guarantee; false for one that
// the scale does not know.
func (g guarantee) rank(value string) (int, bool) {
	if g.scale == nil {
		n, err := strconv.Atoi(value)
		return n, err == nil
	}
	i := slices.Index(g.scale, value)
	return i, i >= 0
}

// pair is a name with its value.
type pair struct{ Name, Value string }

// effective returns the guarantees of a variant's first run that has some.
func (v variant) effective() (guarantees, bool) {
	for _, r := range v.runs {
		var g guarantees
		if r.result != nil && len(r.result.Guarantees) > 0 && json.Unmarshal(r.result.Guarantees, &g) == nil {
			return g, true
		}
	}
	return guarantees{}, false
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
	for _, g := range guaranteeList {
		if found, ok := unequal(g, known); ok {
			f.Unequal = append(f.Unequal, found)
			f.Differences = append(f.Differences, found.sentence())
		}
	}
	return f
}

// details are a technology's own settings, sorted by name.
func (g guarantees) details() []pair {
	var rows []pair
	for _, name := range slices.Sorted(maps.Keys(g.Details)) {
		rows = append(rows, pair{name, g.Details[name]})
	}
	return rows
}
