package experiment

import (
	"fmt"
	"slices"
)

// Name is the variant's name wherever something that was measured of it stands:
// its label, with the word that it is an emulator, if it is one.
func (v Variant) Name() string {
	if v.Emulator != "" {
		return v.Label + " (emulator)"
	}
	return v.Label
}

// NameOf returns the name of the plan's variant with this label.
func (p Plan) NameOf(label string) string {
	i := slices.IndexFunc(p.Variants, func(v Variant) bool { return v.Label == label })
	if i < 0 {
		return label
	}
	return p.Variants[i].Name()
}

// RunNames are the names of all runs of an experiment, by id: "kafka #3" is the
// third of its variant.
func (p Plan) RunNames(runs []Run) map[string]string {
	ordered := slices.SortedStableFunc(slices.Values(runs), func(a, b Run) int { return a.Order - b.Order })
	names, last := make(map[string]string, len(runs)), map[string]int{}
	for _, run := range ordered {
		last[run.Variant]++
		names[run.ID] = fmt.Sprintf("%s #%d", p.NameOf(run.Variant), last[run.Variant])
	}
	return names
}
