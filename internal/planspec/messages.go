package planspec

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"dec.local/dec/internal/experiment"
	"dec.local/dec/internal/yamltext"
)

// expectation says what a field takes, with an example, as the end of a
// sentence: "a whole number, such as 12".
func (d *decoder) expectation(t reflect.Type, at place) string {
	rule := fields[at.rule]
	if len(rule.enum) > 0 {
		return alternatives(rule.enum)
	}
	text := typeWords(t)
	if sample := rule.sample(); sample != "" {
		text += ", such as " + sample
	}
	return text
}

// typeWords names a Go type for people.
func typeWords(t reflect.Type) string {
	switch t {
	case reflect.TypeFor[experiment.Duration]():
		return "a duration with a unit"
	case reflect.TypeFor[experiment.Percent]():
		return "a percentage"
	case reflect.TypeFor[experiment.Bytes]():
		return "a size with a unit"
	case reflect.TypeFor[experiment.Size](), reflect.TypeFor[experiment.Key]():
		return "text or an object"
	}
	switch t.Kind() {
	case reflect.Pointer:
		return typeWords(t.Elem())
	case reflect.Struct, reflect.Map:
		return string(yamltext.Object)
	case reflect.Slice:
		return string(yamltext.List)
	case reflect.String:
		return string(yamltext.Text)
	case reflect.Float64:
		return string(yamltext.Number)
	}
	return "a whole number"
}

func (d *decoder) wrongType(n *yamltext.Node, t reflect.Type, at place) {
	if d.refuseForm(n, at) {
		return
	}
	d.problems.Add(at.path, "must be %s, not %s", d.expectation(t, at), describe(n))
}

// refuseForm adds a problem when n is a form of a value that this version does
// not support, such as {"burst": …}.
func (d *decoder) refuseForm(n *yamltext.Node, at place) bool {
	m, ok := only(n)
	if !ok {
		return false
	}
	instead, ok := unsupported[at.field(m.Name).rule]
	if ok {
		d.problems.Add(at.field(m.Name).path, "is not supported by this version: %s", instead)
	}
	return ok
}

func (d *decoder) unknown(name string, known map[string]bool, at place) {
	here := at.field(name)
	if instead, ok := unsupported[here.rule]; ok {
		d.problems.Add(here.path, "is not supported by this version: %s", instead)
		return
	}
	message := "unknown field"
	if near := experiment.Nearest(name, slices.Sorted(maps.Keys(known))); near != "" {
		message += fmt.Sprintf("; did you mean %q?", near)
	} else if elsewhere := elsewhere(name); elsewhere != "" {
		message += fmt.Sprintf("; did you mean %s?", elsewhere)
	}
	d.problems.Add(here.path, "%s", message)
}

// elsewhere finds the one path that ends in name, for a field that is right but
// stands in the wrong place.
func elsewhere(name string) string {
	var found []string
	for path := range fields {
		if strings.HasSuffix("."+path, "."+name) {
			found = append(found, path)
		}
	}
	if len(found) != 1 {
		return ""
	}
	return found[0]
}

// refuseText says what is wrong with the text of a field, or "".
func (f field) refuseText(text string) string {
	switch {
	case len(f.enum) > 0 && !slices.Contains(f.enum, text):
		message := fmt.Sprintf("must be %s, not %q", alternatives(f.enum), shorten(text))
		if near := experiment.Nearest(text, f.enum); near != "" && len(f.enum) > 4 {
			message = fmt.Sprintf("%q is unknown; did you mean %q?", shorten(text), near)
		}
		return message
	case f.slug:
		return experiment.SlugFault(text, f.sample())
	case utf8.RuneCountInString(text) > experiment.MaxName:
		return fmt.Sprintf("has %d characters; the maximum is %d", utf8.RuneCountInString(text), experiment.MaxName)
	case strings.ContainsFunc(text, unicode.IsControl):
		return "contains a control character; it must be one line of text"
	}
	return ""
}

// alternatives lists texts for a message: "a", "b" or "c".
func alternatives(texts []string) string {
	quoted := make([]string, len(texts))
	for i, text := range texts {
		quoted[i] = strconv.Quote(text)
	}
	if len(quoted) == 1 {
		return quoted[0]
	}
	return strings.Join(quoted[:len(quoted)-1], ", ") + " or " + quoted[len(quoted)-1]
}

// only returns the single member of an object.
func only(n *yamltext.Node) (yamltext.Member, bool) {
	if n.Kind != yamltext.Object || len(n.Members) != 1 {
		return yamltext.Member{}, false
	}
	return n.Members[0], true
}

// describe says briefly what n is, for "must be …, not …".
func describe(n *yamltext.Node) string {
	switch n.Kind {
	case yamltext.Text:
		return fmt.Sprintf("text %q", shorten(n.Text))
	case yamltext.Number, yamltext.Boolean:
		return shorten(n.Text)
	}
	return string(n.Kind)
}

// shorten cuts text that would drown a message.
func shorten(text string) string {
	const limit = 40
	if runes := []rune(text); len(runes) > limit {
		return string(runes[:limit]) + "…"
	}
	return text
}
