package planspec

import (
	"reflect"
	"slices"
	"strconv"

	"dec.local/dec/internal/experiment"
	"dec.local/dec/internal/yamltext"
)

// isForm reports whether values of a type are written as text with a unit, or in
// several forms.
func isForm(t reflect.Type) bool {
	return slices.Contains([]reflect.Type{
		reflect.TypeFor[experiment.Duration](), reflect.TypeFor[experiment.Bytes](), reflect.TypeFor[experiment.Percent](),
		reflect.TypeFor[experiment.Size](), reflect.TypeFor[experiment.Key](),
	}, t)
}

// form reads a value of such a type into v.
func (d *decoder) form(n *yamltext.Node, v any, at place) {
	switch v := v.(type) {
	case *experiment.Duration:
		d.duration(n, v, at)
	case *experiment.Percent:
		d.percent(n, v, at)
	case *experiment.Bytes:
		d.bytes(n, v, at, fields[at.rule])
	case *experiment.Size:
		d.size(n, v, at)
	case *experiment.Key:
		d.key(n, v, at)
	}
}

func (d *decoder) duration(n *yamltext.Node, v *experiment.Duration, at place) {
	rule := fields[at.rule]
	if n.Kind != yamltext.Text {
		d.problems.Add(at.path, "must be a duration with a unit, such as %s, not %s", rule.sample(), describe(n))
		return
	}
	parsed, err := experiment.ParseDuration(n.Text)
	if err != nil {
		d.problems.Add(at.path, "%s", err)
		return
	}
	*v = parsed
	rule.checkRange(float64(parsed), func(x float64) string { return experiment.Duration(x).String() }, at.path, d.problems)
}

func (d *decoder) percent(n *yamltext.Node, v *experiment.Percent, at place) {
	rule := fields[at.rule]
	if n.Kind != yamltext.Text {
		d.problems.Add(at.path, "must be a percentage, such as %s, not %s", rule.sample(), describe(n))
		return
	}
	parsed, err := experiment.ParsePercent(n.Text)
	if err != nil {
		d.problems.Add(at.path, "%s", err)
		return
	}
	*v = parsed
	rule.checkRange(float64(parsed), func(x float64) string { return experiment.Percent(x).String() }, at.path, d.problems)
}

// bytes reads text with a unit, or a number.
func (d *decoder) bytes(n *yamltext.Node, v *experiment.Bytes, at place, rule field) {
	if n.Kind != yamltext.Text && n.Kind != yamltext.Number {
		d.problems.Add(at.path, "must be a size with a unit, such as %s, not %s", rule.sample(), describe(n))
		return
	}
	parsed, err := experiment.ParseBytes(n.Text)
	if err != nil {
		d.problems.Add(at.path, "%s", err)
		return
	}
	*v = parsed
	rule.checkRange(float64(parsed), func(x float64) string { return experiment.Bytes(x).String() }, at.path, d.problems)
}

// sizeForms tells how a size is written.
const sizeForms = `a size such as "1KiB", or {"uniform": [100, 4000]}`

func (d *decoder) size(n *yamltext.Node, v *experiment.Size, at place) {
	rule := fields[at.rule]
	if n.Kind == yamltext.Text || n.Kind == yamltext.Number {
		d.bytes(n, &v.Min, at, rule)
		v.Max = v.Min
		return
	}
	m, ok := only(n)
	if !ok || m.Name != "uniform" || m.Value.Kind != yamltext.List || len(m.Value.Items) != 2 {
		d.problems.Add(at.path, "must be %s, not %s", sizeForms, describe(n))
		return
	}
	at = at.field("uniform")
	d.bytes(m.Value.Items[0], &v.Min, at.item(0), rule)
	d.bytes(m.Value.Items[1], &v.Max, at.item(1), rule)
	if v.Max < v.Min {
		d.problems.Add(at.path, "the range is reversed; put the smaller size first")
	}
}

// keyForms tells how keys are written.
const keyForms = `"none", "round_robin" or {"uniform": {"cardinality": 10000}}`

func (d *decoder) key(n *yamltext.Node, v *experiment.Key, at place) {
	rule := fields[at.rule]
	if n.Kind == yamltext.Text && (n.Text == string(experiment.KeyNone) || n.Text == string(experiment.KeyRoundRobin)) {
		*v = experiment.Key{Kind: experiment.KeyKind(n.Text)}
		return
	}
	m, ok := only(n)
	if !ok || m.Name != string(experiment.KeyUniform) {
		d.problems.Add(at.path, "must be %s, not %s", keyForms, describe(n))
		return
	}
	at = at.field(m.Name)
	inner, ok := only(m.Value)
	if !ok || inner.Name != "cardinality" {
		d.problems.Add(at.path, `must be {"cardinality": 10000}, not %s`, describe(m.Value))
		return
	}
	at = at.field(inner.Name)
	count, err := strconv.Atoi(inner.Value.Text)
	if inner.Value.Kind != yamltext.Number || err != nil {
		d.problems.Add(at.path, "must be a whole number, such as 10000, not %s", describe(inner.Value))
		return
	}
	*v = experiment.Key{Kind: experiment.KeyUniform, Cardinality: count}
	rule.checkRange(float64(count), plainNumber, at.path, d.problems)
}
