package planspec

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strconv"
	"strings"

	"dec.local/dec/internal/experiment"
	"dec.local/dec/internal/yamltext"
)

// place is where a value stands: as the user sees it, and as [fields] has it.
type place struct{ path, rule string }

func (at place) field(name string) place { return place{join(at.path, name), join(at.rule, name)} }

// join appends a field to a path.
func join(path, field string) string {
	if path == "" {
		return field
	}
	return path + "." + field
}

func (at place) item(i int) place {
	return place{fmt.Sprintf("%s[%d]", at.path, i), at.rule + "[]"}
}

// decoder fills Go values from nodes by reflection, guided by [fields].
type decoder struct{ problems *experiment.Problems }

var rawMessage = reflect.TypeFor[json.RawMessage]()

func (d *decoder) value(n *yamltext.Node, v reflect.Value, at place) {
	if n.Kind == yamltext.Null && v.Type() != rawMessage {
		d.problems.Add(at.path, "is empty (null): remove the field, or set it to %s", d.expectation(v.Type(), at))
		return
	}
	if isForm(v.Type()) {
		if !d.refuseForm(n, at) {
			d.form(n, v.Addr().Interface(), at)
		}
		return
	}
	switch {
	case v.Type() == rawMessage:
		raw, err := json.Marshal(n)
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

func (d *decoder) structure(n *yamltext.Node, v reflect.Value, at place) {
	if n.Kind != yamltext.Object {
		d.wrongType(n, v.Type(), at)
		return
	}
	known := map[string]bool{}
	for name, target := range jsonFields(v) {
		known[name] = true
		there, rule := at.field(name), fields[at.field(name).rule]
		value := n.Get(name)
		switch {
		case value != nil:
			d.value(value, target, there)
		case rule.required:
			d.problems.Add(there.path, "is required: set it to %s", d.expectation(target.Type(), there))
		case rule.def != "":
			d.value(defaults[there.rule], target, there)
		case target.Kind() == reflect.Struct && !isForm(target.Type()):
			d.structure(&yamltext.Node{Kind: yamltext.Object}, target, there) // for its defaults
		}
	}
	for _, m := range n.Members {
		if !known[m.Name] && !d.problems.Full() {
			d.unknown(m.Name, known, at)
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
func (d *decoder) dictionary(n *yamltext.Node, v reflect.Value, at place) {
	if n.Kind != yamltext.Object {
		d.wrongType(n, v.Type(), at)
		return
	}
	if len(n.Members) == 0 {
		return // as if it were absent, which it is when the plan is written again
	}
	v.Set(reflect.MakeMap(v.Type()))
	for _, m := range n.Members {
		value := reflect.New(v.Type().Elem()).Elem()
		d.value(m.Value, value, at.field(m.Name))
		v.SetMapIndex(reflect.ValueOf(m.Name), value)
	}
}

func (d *decoder) list(n *yamltext.Node, v reflect.Value, at place) {
	if n.Kind != yamltext.List {
		d.wrongType(n, v.Type(), at)
		return
	}
	rule := fields[at.rule]
	if count := len(n.Items); count < int(rule.min) || count > int(rule.max) {
		d.problems.Add(at.path, "has %d items; it must have %.0f to %.0f", count, rule.min, rule.max)
		return
	}
	v.Set(reflect.MakeSlice(v.Type(), len(n.Items), len(n.Items)))
	for i, item := range n.Items {
		d.value(item, v.Index(i), at.item(i))
	}
}

func (d *decoder) scalar(n *yamltext.Node, v reflect.Value, at place) {
	rule := fields[at.rule]
	switch {
	case v.Kind() == reflect.String && n.Kind == yamltext.Text:
		v.SetString(n.Text)
		if message := rule.refuseText(n.Text); message != "" {
			d.problems.Add(at.path, "%s", message)
		}
	case v.CanInt() && n.Kind == yamltext.Number:
		number, err := strconv.ParseInt(n.Text, 10, 64)
		if err != nil {
			d.wrongType(n, v.Type(), at)
			return
		}
		v.SetInt(number)
		rule.checkRange(float64(number), plainNumber, at.path, d.problems)
	case v.CanFloat() && n.Kind == yamltext.Number:
		number, err := strconv.ParseFloat(n.Text, 64)
		if err != nil {
			d.wrongType(n, v.Type(), at)
			return
		}
		v.SetFloat(number)
		rule.checkRange(number, plainNumber, at.path, d.problems)
	default:
		d.wrongType(n, v.Type(), at)
	}
}

func plainNumber(x float64) string { return strconv.FormatFloat(x, 'f', -1, 64) }

// checkRange adds a problem when x is outside of the field's range.
func (f field) checkRange(x float64, format func(float64) string, path string, problems *experiment.Problems) {
	switch {
	case f.max == 0 && x < f.min:
		problems.Add(path, "is %s; it must be at least %s", format(x), format(f.min))
	case f.max != 0 && (x < f.min || x > f.max):
		problems.Add(path, "is %s; it must be between %s and %s", format(x), format(f.min), format(f.max))
	}
}
