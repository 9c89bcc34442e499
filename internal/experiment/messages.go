package experiment

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// expectation says what a field wants, with an example, as the end of a
// sentence: "write a whole number such as 12".
func (d *decoder) expectation(t reflect.Type, at place) string {
	rule := fields[at.rule]
	if len(rule.enum) > 0 {
		return "write " + alternatives(rule.enum)
	}
	text := "write " + typeWords(t)
	if sample := rule.sample(); sample != "" {
		text += " such as " + sample
	}
	return text
}

// typeWords names a Go type for people.
func typeWords(t reflect.Type) string {
	switch t {
	case reflect.TypeFor[Duration]():
		return "a length of time with its unit"
	case reflect.TypeFor[Bytes]():
		return "an amount of data with its unit"
	case reflect.TypeFor[Size](), reflect.TypeFor[Key]():
		return "text or an object"
	}
	switch t.Kind() {
	case reflect.Pointer:
		return typeWords(t.Elem())
	case reflect.Struct, reflect.Map:
		return string(kindObject)
	case reflect.Slice:
		return string(kindList)
	case reflect.String:
		return string(kindText)
	case reflect.Float64:
		return string(kindNumber)
	}
	return "a whole number"
}

func (d *decoder) wrongType(n *node, t reflect.Type, at place) {
	if d.refuseForm(n, at) {
		return
	}
	d.problems.Add(at.path, "%s, not %s", d.expectation(t, at), n.describe())
}

// refuseForm adds a problem when n is a form of a value that this version does
// not honour, such as {"burst": …}.
func (d *decoder) refuseForm(n *node, at place) bool {
	m, ok := n.only()
	if !ok {
		return false
	}
	instead, ok := notHonoured[at.field(m.name).rule]
	if ok {
		d.problems.Add(at.field(m.name).path, "not honoured by this version: %s", instead)
	}
	return ok
}

func (d *decoder) unknown(name string, known map[string]bool, at place) {
	here := at.field(name)
	if instead, ok := notHonoured[here.rule]; ok {
		d.problems.Add(here.path, "not honoured by this version: %s", instead)
		return
	}
	message := "unknown field"
	if near := Nearest(name, slices.Sorted(maps.Keys(known))); near != "" {
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
		message := fmt.Sprintf("write %s, not %q", alternatives(f.enum), shorten(text))
		if near := Nearest(text, f.enum); near != "" && len(f.enum) > 4 {
			message = fmt.Sprintf("%q is not known; did you mean %q?", shorten(text), near)
		}
		return message
	case f.slug && !isSlug(text):
		return f.notSlug(text)
	case utf8.RuneCountInString(text) > maxName:
		return fmt.Sprintf("has %d characters, must have at most %d", utf8.RuneCountInString(text), maxName)
	case strings.ContainsFunc(text, unicode.IsControl):
		return "holds a control character: write one line of text"
	}
	return ""
}

// notSlug says what to write instead of text where a slug is needed.
func (f field) notSlug(text string) string {
	return fmt.Sprintf("%q is not a name: write up to %d lower-case letters, digits and inner hyphens, beginning with a letter, such as %s", shorten(text), maxLabel, f.sample())
}

// isSlug reports whether text is a name that is safe in paths, tags and URLs.
func isSlug(text string) bool {
	if text == "" || len(text) > maxLabel || text[0] < 'a' || text[0] > 'z' || strings.HasSuffix(text, "-") {
		return false
	}
	return strings.Trim(text, "abcdefghijklmnopqrstuvwxyz0123456789-") == ""
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
