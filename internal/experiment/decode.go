package experiment

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strconv"
	"strings"
)

// DecodePlan reads a plan from JSON, applies the defaults and validates it. The
// error is a *[Problems] that tells all faults at once, each with its path.
// Unknown fields, fields given twice, and fields that this version does not
// honour are faults. The plan that is returned marshals to JSON that decodes to
// the same plan.
func DecodePlan(data []byte) (Plan, error) {
	root, problems := parse(data)
	if root == nil {
		return Plan{}, problems.Err()
	}
	var p Plan
	d := decoder{problems: problems}
	d.value(root, reflect.ValueOf(&p).Elem(), place{})
	p.complete()
	p.check(problems)
	if err := problems.Err(); err != nil {
		return Plan{}, err
	}
	return p, nil
}

// place is where a value stands: as the user sees it, and as [fields] has it.
type place struct{ path, rule string }

func (at place) field(name string) place { return place{join(at.path, name), join(at.rule, name)} }

func (at place) item(i int) place {
	return place{fmt.Sprintf("%s[%d]", at.path, i), at.rule + "[]"}
}

// decoder fills Go values from nodes by reflection, guided by [fields].
type decoder struct{ problems *Problems }

// custom is a value that is written as text with a unit, or in several forms.
type custom interface {
	// decodeNode adds what is wrong to problems, with paths that begin with path.
	decodeNode(n *node, path string, f field, problems *Problems)
}

var rawMessage = reflect.TypeFor[json.RawMessage]()

func (d *decoder) value(n *node, v reflect.Value, at place) {
	if n.kind == kindNull && v.Type() != rawMessage {
		d.problems.Add(at.path, "is empty (null): leave the field out, or %s", d.expectation(v.Type(), at))
		return
	}
	if c, ok := v.Addr().Interface().(custom); ok {
		if !d.refuseForm(n, at) {
			c.decodeNode(n, at.path, fields[at.rule], d.problems)
		}
		return
	}
	switch {
	case v.Type() == rawMessage:
		raw, err := n.raw()
		if err != nil {
			d.problems.Add(at.path, "%s", err)
		}
		v.SetBytes(raw)
	case v.Kind() == reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		d.value(n, v.Elem(), at)
	case v.Kind() == reflect.Struct:
		d.structure(n, v, at)
	case v.Kind() == reflect.Map:
		d.dictionary(n, v, at)
	case v.Kind() == reflect.Slice:
		d.list(n, v, at)
	default:
		d.scalar(n, v, at)
	}
}

func (d *decoder) structure(n *node, v reflect.Value, at place) {
	if n.kind != kindObject {
		d.wrongType(n, v.Type(), at)
		return
	}
	known := map[string]bool{}
	for name, target := range jsonFields(v) {
		known[name] = true
		there, rule := at.field(name), fields[at.field(name).rule]
		value := n.get(name)
		switch {
		case value != nil:
			d.value(value, target, there)
		case rule.required:
			d.problems.Add(there.path, "is required: %s", d.expectation(target.Type(), there))
		case rule.def != "":
			value, _ := parse([]byte(rule.def))
			d.value(value, target, there)
		case target.Kind() == reflect.Struct:
			if _, ok := target.Addr().Interface().(custom); !ok {
				d.structure(&node{kind: kindObject}, target, there) // for its defaults
			}
		}
	}
	for _, m := range n.members {
		if !known[m.name] && !d.problems.Full() {
			d.unknown(m.name, known, at)
		}
	}
}

// jsonFields yields the fields of a struct by the names of their JSON tags.
func jsonFields(v reflect.Value) func(yield func(string, reflect.Value) bool) {
	return func(yield func(string, reflect.Value) bool) {
		for i := range v.NumField() {
			name, _, _ := strings.Cut(v.Type().Field(i).Tag.Get("json"), ",")
			if name == "-" {
				continue // not part of the document
			}
			if !yield(name, v.Field(i)) {
				return
			}
		}
	}
}

// dictionary fills a map from names to raw JSON.
func (d *decoder) dictionary(n *node, v reflect.Value, at place) {
	if n.kind != kindObject {
		d.wrongType(n, v.Type(), at)
		return
	}
	if len(n.members) == 0 {
		return // as if it were absent, which it is when the plan is written again
	}
	v.Set(reflect.MakeMap(v.Type()))
	for _, m := range n.members {
		value := reflect.New(v.Type().Elem()).Elem()
		d.value(m.value, value, at.field(m.name))
		v.SetMapIndex(reflect.ValueOf(m.name), value)
	}
}

func (d *decoder) list(n *node, v reflect.Value, at place) {
	if n.kind != kindList {
		d.wrongType(n, v.Type(), at)
		return
	}
	rule := fields[at.rule]
	if count := len(n.items); count < int(rule.min) || count > int(rule.max) {
		d.problems.Add(at.path, "has %d items, must have %.0f to %.0f", count, rule.min, rule.max)
		return
	}
	v.Set(reflect.MakeSlice(v.Type(), len(n.items), len(n.items)))
	for i, item := range n.items {
		d.value(item, v.Index(i), at.item(i))
	}
}

func (d *decoder) scalar(n *node, v reflect.Value, at place) {
	rule := fields[at.rule]
	switch {
	case v.Kind() == reflect.String && n.kind == kindText:
		v.SetString(n.text)
		if message := rule.refuseText(n.text); message != "" {
			d.problems.Add(at.path, "%s", message)
		}
	case v.CanInt() && n.kind == kindNumber:
		number, err := strconv.ParseInt(n.text, 10, 64)
		if err != nil {
			d.wrongType(n, v.Type(), at)
			return
		}
		v.SetInt(number)
		rule.checkRange(float64(number), func(x float64) string { return strconv.FormatFloat(x, 'f', -1, 64) }, at.path, d.problems)
	case v.CanFloat() && n.kind == kindNumber:
		number, err := strconv.ParseFloat(n.text, 64)
		if err != nil {
			d.wrongType(n, v.Type(), at)
			return
		}
		v.SetFloat(number)
		rule.checkRange(number, func(x float64) string { return strconv.FormatFloat(x, 'f', -1, 64) }, at.path, d.problems)
	default:
		d.wrongType(n, v.Type(), at)
	}
}

// checkRange adds a problem when x is outside of the field's range.
func (f field) checkRange(x float64, format func(float64) string, path string, problems *Problems) {
	switch {
	case f.max == 0 && x < f.min:
		problems.Add(path, "is %s, must be at least %s", format(x), format(f.min))
	case f.max != 0 && (x < f.min || x > f.max):
		problems.Add(path, "is %s, must be %s to %s", format(x), format(f.min), format(f.max))
	}
}
