package report

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// Fairness says whether the variants gave the same guarantees, as read back
// from the brokers.
type Fairness struct {
	Known       bool     `json:"known"`       // every variant has guarantees that were read back
	Differences []string `json:"differences"` // a sentence each; none means alike, if known
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
	Details     map[string]string `json:"details"`
}

// rows are the guarantees as people read them, in a fixed order.
func (g guarantees) rows() []pair {
	return []pair{
		{"Acknowledged by", g.ProducerAck},
		{"Durable before the acknowledgement", g.Durability},
		{"Copies of a message", strconv.Itoa(g.Replicas)},
		{"Copies that must exist before it", strconv.Itoa(g.MinInSync)},
	}
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
	f := Fairness{Known: len(variants) > 0, Differences: []string{}}
	labels, values := map[string][]string{}, map[string][]string{}
	var order []string
	for _, v := range variants {
		g, ok := v.effective()
		if !ok {
			f.Known = false
			continue
		}
		for _, row := range g.rows() {
			if len(values[row.Name]) == 0 {
				order = append(order, row.Name)
			}
			labels[row.Name] = append(labels[row.Name], v.Label)
			values[row.Name] = append(values[row.Name], row.Value)
		}
	}
	for _, name := range order {
		if len(slices.Compact(slices.Sorted(slices.Values(values[name])))) < 2 {
			continue
		}
		var parts []string
		for i, label := range labels[name] {
			parts = append(parts, label+" "+words(values[name][i]))
		}
		f.Differences = append(f.Differences, fmt.Sprintf("%s: %s.", lowerFirst(name), strings.Join(parts, ", ")))
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
