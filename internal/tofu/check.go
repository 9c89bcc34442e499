package tofu

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"
	ctyjson "github.com/zclconf/go-cty/cty/json"

	"dec.local/dec/internal/experiment"
)

// Check evaluates options as a user gave them: names, types and the stack's own
// validations. It returns the value of every option, defaults included, in the
// declared types. The error is an [*experiment.Problems] whose paths begin with
// the option's name.
//
// Unlike OpenTofu it converts nothing: the text "3" is no number. Text is
// literal, so "${file("x")}" is just a text.
func (s *Stack) Check(options map[string]json.RawMessage) (map[string]json.RawMessage, error) {
	var problems experiment.Problems
	for _, name := range slices.Sorted(maps.Keys(options)) {
		if s.option(name) == nil && !problems.Full() {
			problems.Add(name, "%s", unknownName("option", name, s.names()))
		}
	}
	values := map[string]cty.Value{}
	for _, v := range s.options {
		raw, given := options[v.name]
		switch {
		case given:
			value, faults := v.decode(raw)
			if len(faults) == 0 {
				values[v.name] = value
			} else if v.secret() { // what is wrong in detail would repeat it
				problems.Add(v.name, "must be %s", typeName(v.ty))
			} else {
				problems = append(problems, faults...)
			}
		case v.required():
			problems.Add(v.name, "is required: %s", v.expects())
		default:
			values[v.name] = v.value
		}
	}
	for _, v := range s.options {
		problems = append(problems, s.validate(v, values)...)
	}
	if err := problems.Err(); err != nil {
		return nil, err
	}
	normalised := map[string]json.RawMessage{}
	for name, value := range values {
		data, err := ctyjson.Marshal(value, value.Type())
		if err != nil {
			return nil, fmt.Errorf("encode option %s: %w", name, err)
		}
		normalised[name] = data
	}
	return normalised, nil
}

// names returns the names of the options in their order.
func (s *Stack) names() []string {
	names := make([]string, len(s.options))
	for i, v := range s.options {
		names[i] = v.name
	}
	return names
}

// expects says what a value must be: the description, or the type.
func (v *variable) expects() string {
	if v.description != "" {
		return v.description
	}
	return typeName(v.ty)
}

// decode reads a user's value. It accepts null only for an option whose default
// is null: everywhere else leaving the option out says the same.
func (v *variable) decode(raw json.RawMessage) (cty.Value, experiment.Problems) {
	var problems experiment.Problems
	ty, err := ctyjson.ImpliedType(raw)
	if err != nil {
		problems.Add(v.name, "is not valid JSON")
		return cty.NilVal, problems
	}
	value, err := ctyjson.Unmarshal(raw, ty)
	if err != nil {
		problems.Add(v.name, "is not valid JSON: %v", err)
		return cty.NilVal, problems
	}
	if value.IsNull() && (v.required() || !v.value.IsNull()) {
		problems.Add(v.name, "must not be null; omit it to use the default")
		return cty.NilVal, problems
	}
	conform(value, v.ty, v.name, &problems)
	if len(problems) > 0 {
		return cty.NilVal, problems
	}
	if value, err = v.convert(value); err != nil {
		problems.Add(v.name, "must be %s: %v", typeName(v.ty), err)
	}
	return value, problems
}

// conform tells where a JSON value is not of a type.
func conform(value cty.Value, want cty.Type, at string, problems *experiment.Problems) {
	got := value.Type()
	switch {
	case value.IsNull() || want == cty.DynamicPseudoType:
	case want.IsPrimitiveType():
		if got != want {
			problems.Add(at, "must be %s, not %s", typeName(want), valueName(value))
		}
	case want.IsObjectType():
		conformObject(value, want, at, problems)
	case want.IsMapType():
		if !got.IsObjectType() {
			problems.Add(at, "must be %s, not %s", typeName(want), valueName(value))
			return
		}
		for key, element := range value.Elements() {
			conform(element, want.ElementType(), at+"."+key.AsString(), problems)
		}
	default:
		conformList(value, want, at, problems)
	}
}

// conformObject is conform for objects. An unknown attribute is a fault here,
// where OpenTofu drops it silently.
func conformObject(value cty.Value, want cty.Type, at string, problems *experiment.Problems) {
	if !value.Type().IsObjectType() {
		problems.Add(at, "must be %s, not %s", typeName(want), valueName(value))
		return
	}
	known := slices.Sorted(maps.Keys(want.AttributeTypes()))
	given := value.AsValueMap()
	for _, name := range slices.Sorted(maps.Keys(given)) {
		if problems.Full() {
			return
		}
		if !want.HasAttribute(name) {
			problems.Add(at+"."+name, "%s", unknownName("attribute", name, known))
			continue
		}
		conform(given[name], want.AttributeType(name), at+"."+name, problems)
	}
	for _, name := range known {
		if _, ok := given[name]; !ok && !want.AttributeOptional(name) {
			problems.Add(at+"."+name, "is required: %s", typeName(want.AttributeType(name)))
		}
	}
}

// conformList is conform for lists, sets and tuples.
func conformList(value cty.Value, want cty.Type, at string, problems *experiment.Problems) {
	if !value.Type().IsTupleType() {
		problems.Add(at, "must be %s, not %s", typeName(want), valueName(value))
		return
	}
	if want.IsTupleType() && want.Length() != value.LengthInt() {
		problems.Add(at, "must have %d elements, not %d", want.Length(), value.LengthInt())
		return
	}
	for i, element := range value.AsValueSlice() {
		of := cty.DynamicPseudoType
		if want.IsTupleType() {
			of = want.TupleElementType(i)
		} else if want.IsCollectionType() {
			of = want.ElementType()
		}
		conform(element, of, fmt.Sprintf("%s[%d]", at, i), problems)
	}
}

// validate evaluates the validations of v, as far as all values that they refer
// to are there.
func (s *Stack) validate(v *variable, values map[string]cty.Value) experiment.Problems {
	var problems experiment.Problems
	scope := &hcl.EvalContext{
		Variables: map[string]cty.Value{"var": cty.ObjectVal(values)},
		Functions: functions,
	}
	for _, rule := range v.rules {
		complete, secret := true, false
		for _, reference := range append(rule.condition.Variables(), rule.message.Variables()...) {
			name := referenced(reference)
			_, ok := values[name]
			complete, secret = complete && ok, secret || s.Secret(name)
		}
		if !complete {
			continue
		}
		if message := rule.evaluate(scope, secret); message != "" {
			problems.Add(v.name, "%s", message)
		}
	}
	return problems
}

// evaluate returns "" when the rule holds, else what to tell the user: nothing
// that could repeat a secret that the rule refers to.
func (r rule) evaluate(scope *hcl.EvalContext, secret bool) string {
	result, diags := r.condition.Value(scope)
	if diags.HasErrors() && secret {
		return "the stack's validation of it cannot be evaluated"
	} else if diags.HasErrors() {
		return "the stack's validation of it cannot be evaluated: " + plain(diags)
	}
	if result.IsKnown() && !result.IsNull() && result.Type() == cty.Bool && result.True() {
		return ""
	}
	message, diags := r.message.Value(scope)
	if diags.HasErrors() || message.Type() != cty.String || message.IsNull() {
		return "violates a validation of the stack"
	}
	return message.AsString()
}

// plain joins the details of diagnostics, for users who never see the file.
func plain(diags hcl.Diagnostics) string {
	var details []string
	for _, d := range diags {
		details = append(details, d.Detail)
	}
	return strings.Join(details, " ")
}

// unknownName is the message for a name that is none of known.
func unknownName(kind, name string, known []string) string {
	near := experiment.Nearest(name, known)
	switch {
	case near != "":
		return fmt.Sprintf("unknown %s; did you mean %q?", kind, near)
	case len(known) == 0:
		return fmt.Sprintf("unknown %s: there are none here", kind)
	}
	return fmt.Sprintf("unknown %s; known names: %s", kind, strings.Join(known, ", "))
}

// typeName says a type in words.
func typeName(ty cty.Type) string {
	switch {
	case ty == cty.String:
		return "text"
	case ty == cty.Number:
		return "a number"
	case ty == cty.Bool:
		return "true or false"
	case ty.IsObjectType(), ty.IsMapType():
		return "an object"
	case ty == cty.DynamicPseudoType:
		return "any value"
	}
	return "a list"
}

// valueName says what a JSON value is.
func valueName(value cty.Value) string {
	switch ty := value.Type(); ty {
	case cty.String:
		return fmt.Sprintf("the text %.40q", value.AsString())
	case cty.Number:
		return "the number " + value.AsBigFloat().Text('g', 12)
	case cty.Bool:
		return fmt.Sprintf("%t", value.True())
	default:
		return typeName(ty)
	}
}
