package comparison

import (
	"fmt"
	"strings"

	"dec.local/dec/internal/experiment"
	"dec.local/dec/internal/format"
)

// variantGuarantees are the guarantees of a variant, as its brokers gave them.
type variantGuarantees struct {
	of *Variant
	experiment.Effective
}

// knowsRaise reports whether the result is of a version that knew how guarantees
// are raised, so that a missing way means that there is none.
func (p variantGuarantees) knowsRaise() bool { return p.Zones > 0 }

// Inequality is a guarantee that not all variants gave alike.
type Inequality struct {
	Guarantee string         `json:"guarantee" doc:"Display name of the guarantee or of the setting of clients."`
	Client    bool           `json:"client" doc:"A setting of clients, not a guarantee."`
	Values    []VariantValue `json:"values" doc:"Display values, in the order of the variants."`
	Raise     []VariantValue `json:"raise" doc:"How to raise weaker guarantees to the strongest; empty text if that is not possible."`
}

// VariantValue is what belongs to one variant.
type VariantValue struct {
	Variant string `json:"variant"`
	Value   string `json:"value"`
}

// unequal compares one guarantee; false if it is the same everywhere.
func unequal(g experiment.Guarantee, all []variantGuarantees) (Inequality, bool) {
	found := Inequality{Guarantee: g.Title(), Raise: []VariantValue{}}
	most, top, ranked := "", 0, true
	distinct := map[string]bool{}
	for _, p := range all {
		value := p.Value(g)
		if value == "" {
			return Inequality{}, false // of a version that did not tell
		}
		distinct[value] = true
		found.Values = append(found.Values, VariantValue{p.of.Label, p.of.words(g, p.Effective)})
		n, ok := g.Rank(value)
		ranked = ranked && ok
		if most == "" || n > top {
			most, top = value, n
		}
	}
	if len(distinct) < 2 {
		return Inequality{}, false
	}
	if !ranked { // which one is less is not known
		return found, true
	}
	for _, p := range all {
		if n, _ := g.Rank(p.Value(g)); n < top && p.knowsRaise() {
			found.Raise = append(found.Raise, VariantValue{p.of.Label, strings.ReplaceAll(p.Raise[string(g)], "{want}", most)})
		}
	}
	return found, true
}

// unlike compares one setting of clients; false if it is the same everywhere, or lies in
// the nature of the technologies.
func unlike(s experiment.ClientSetting, all []variantGuarantees) (Inequality, bool) {
	found := Inequality{Guarantee: s.Title(), Client: true, Raise: []VariantValue{}}
	distinct := map[string]bool{}
	for _, p := range all {
		value := p.Clients[s]
		if value == "" {
			return Inequality{}, false // of a version that did not tell
		}
		distinct[value] = true
		found.Values = append(found.Values, VariantValue{p.of.Label, value})
	}
	if !s.Comparable() || len(distinct) < 2 {
		return Inequality{}, false
	}
	if way := s.Align(); way != "" {
		_, want, _ := strings.Cut(way, ": ")
		for _, p := range all {
			if p.Clients[s] != want {
				found.Raise = append(found.Raise, VariantValue{p.of.Label, way})
			}
		}
	}
	return found, true
}

// sentence lists the values and what would make them equal: "copies of a
// message: a 1, b 3. To make them equal: a with brokers: 3."
func (i Inequality) sentence(name func(label string) string) string {
	var values, ways, stuck []string
	for _, v := range i.Values {
		values = append(values, name(v.Variant)+" "+v.Value)
	}
	for _, r := range i.Raise {
		if r.Value == "" {
			stuck = append(stuck, name(r.Variant))
		} else {
			ways = append(ways, name(r.Variant)+" with "+r.Value)
		}
	}
	said := []string{fmt.Sprintf("%s: %s.", format.LowerFirst(i.Guarantee), strings.Join(values, ", "))}
	if len(ways) > 0 {
		said = append(said, fmt.Sprintf("To make them equal: %s.", strings.Join(ways, "; ")))
	}
	if len(stuck) > 0 {
		said = append(said, fmt.Sprintf("No stronger setting exists for %s.", enumerate(stuck)))
	}
	return strings.Join(said, " ")
}

// enumerate joins names for a sentence: "a, b and c".
func enumerate(names []string) string {
	if len(names) < 2 {
		return strings.Join(names, "")
	}
	return strings.Join(names[:len(names)-1], ", ") + " and " + names[len(names)-1]
}
