// Package report draws a comparison: as a table for a terminal, as one HTML file
// without scripts or outside resources, as CSV and as JSON. Every form tells the
// verdict first and never a number without its caveats: runs that do not count,
// guarantees that differ, a machine that brokers and load shared. It computes
// none of that: package comparison does.
package report

import (
	"slices"
	"time"

	"dec.local/dec/internal/comparison"
)

// Document is what the files show: a comparison with the runs behind it.
type Document struct {
	comparison.Comparison
	Set     *comparison.Set
	Traces  Traces    // what [HTML] draws of the runs
	Version string    // of the program
	MadeAt  time.Time // when the files are made
}

// variant is a variant with its place in the charts.
type variant struct {
	*comparison.Variant
	slot   int // of its colour, dash and marker, from 1 by its place in the plan
	traces *Traces
}

// variants are those of the document, in their order.
func (d *Document) variants() []variant {
	all := make([]variant, len(d.Set.Variants))
	for i, v := range d.Set.Variants {
		all[i] = variant{v, min(i+1, slots), &d.Traces}
	}
	return all
}

// of is the variant of a run.
func (d *Document) of(r *comparison.Run) variant {
	all := d.variants()
	return all[slices.IndexFunc(all, func(v variant) bool { return v.Variant == r.Of })]
}

// names are those of variants, in their order.
func names(variants []variant) []string {
	all := make([]string, len(variants))
	for i, v := range variants {
		all[i] = v.Name()
	}
	return all
}
