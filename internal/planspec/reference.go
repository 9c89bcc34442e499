package planspec

import (
	"fmt"
	"reflect"
	"strings"

	"dec.local/dec/internal/experiment"
	"dec.local/dec/internal/yamltext"
)

// Reference returns a table of all fields of a plan, in Markdown.
func Reference() string {
	var out strings.Builder
	out.WriteString("| field | value | default | meaning |\n|---|---|---|---|\n")
	writeFields(&out, reflect.TypeFor[experiment.Plan](), "")
	return out.String()
}

// writeFields writes a row for each field below a path, and for those below it.
func writeFields(out *strings.Builder, t reflect.Type, path string) {
	for name, v := range jsonFields(reflect.New(t).Elem()) {
		there, inner := join(path, name), v.Type()
		rule := fields[there]
		fmt.Fprintf(out, "| `%s` | %s | %s | %s |\n", there, rule.values(inner), rule.standard(), rule.doc)
		for inner.Kind() == reflect.Pointer || inner.Kind() == reflect.Slice {
			if inner.Kind() == reflect.Slice {
				there += "[]"
			}
			inner = inner.Elem()
		}
		if inner.Kind() == reflect.Struct && !isForm(inner) {
			writeFields(out, inner, there)
		}
	}
}

// values says which values a field of this type takes.
func (f field) values(t reflect.Type) string {
	switch {
	case t == reflect.TypeFor[experiment.Metric]():
		return "a [metric](#metrics)"
	case len(f.enum) > 0:
		return "`" + strings.Join(f.enum, "`, `") + "`"
	case f.slug:
		return "a name of lower-case letters, digits and hyphens"
	case t == reflect.TypeFor[experiment.Size]():
		return sizeForms
	case t == reflect.TypeFor[experiment.Key]():
		return keyForms
	}
	words := strings.TrimPrefix(strings.TrimPrefix(typeWords(t), "an "), "a ")
	format := plainNumber
	switch t {
	case reflect.TypeFor[experiment.Duration]():
		format = func(x float64) string { return experiment.Duration(x).String() }
	case reflect.TypeFor[experiment.Percent]():
		format = func(x float64) string { return experiment.Percent(x).String() }
	case reflect.TypeFor[experiment.Bytes]():
		format = func(x float64) string { return experiment.Bytes(x).String() }
	}
	if words == string(yamltext.Object) || f.max == 0 {
		return words
	}
	return fmt.Sprintf("%s, %s to %s", words, format(f.min), format(f.max))
}

// standard says which value a field has if none is given.
func (f field) standard() string {
	switch {
	case f.required:
		return "**required**"
	case f.def != "":
		return "`" + f.def + "`"
	}
	return ""
}
