package tofu

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
	ctyjson "github.com/zclconf/go-cty/cty/json"
)

// keywords are those of one JSON Schema.
type keywords map[string]any

// schema makes the JSON Schema of options. It carries of the validations what
// JSON Schema can say; [Stack.Check] is what decides.
func schema(options []*variable) (json.RawMessage, error) {
	properties, order, required := keywords{}, []string{}, []string{}
	for _, v := range options {
		property, err := v.schema()
		if err != nil {
			return nil, err
		}
		properties[v.name] = property
		order = append(order, v.name)
		if v.required() {
			required = append(required, v.name)
		}
	}
	return encode(keywords{
		"$schema":              "https://json-schema.org/draft/2020-12/schema",
		"type":                 "object",
		"properties":           properties,
		"required":             required,
		"additionalProperties": false,
		"x-order":              order,
	})
}

// encode is json.MarshalIndent without escapes for HTML.
func encode(value any) (json.RawMessage, error) {
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	err := encoder.Encode(value)
	return out.Bytes(), err
}

// schema makes the JSON Schema of one option.
func (v *variable) schema() (keywords, error) {
	property := typeSchema(v.ty)
	if v.description != "" {
		property["description"] = v.description
	}
	if v.secret() {
		property["writeOnly"], property["x-secret"] = true, true
	}
	for _, rule := range v.rules {
		message := ""
		if value, diags := rule.message.Value(nil); !diags.HasErrors() && value.Type() == cty.String {
			message = value.AsString()
		}
		translation{v.isSubject, property, message}.translate(rule.condition)
	}
	if v.required() {
		return property, nil
	}
	value, err := ctyjson.Marshal(v.value, v.value.Type())
	if err != nil {
		return nil, fmt.Errorf("encode the default of %s: %w", v.name, err)
	}
	property["default"] = json.RawMessage(value)
	if v.value.IsNull() {
		allowNull(property)
	}
	return property, nil
}

// allowNull lets null pass a schema.
func allowNull(property keywords) {
	if ty, ok := property["type"].(string); ok {
		property["type"] = []string{ty, "null"}
	}
	if values, ok := property["enum"].([]json.RawMessage); ok {
		property["enum"] = append(values, json.RawMessage("null"))
	}
}

// isSubject reports whether expr is var.<name>.
func (v *variable) isSubject(expr hclsyntax.Expression) bool {
	traversal, ok := expr.(*hclsyntax.ScopeTraversalExpr)
	return ok && len(traversal.Traversal) == 2 && referenced(traversal.Traversal) == v.name
}

// typeSchema translates a type.
func typeSchema(ty cty.Type) keywords {
	switch {
	case ty == cty.String:
		return keywords{"type": "string"}
	case ty == cty.Number:
		return keywords{"type": "number"}
	case ty == cty.Bool:
		return keywords{"type": "boolean"}
	case ty.IsMapType():
		return keywords{"type": "object", "additionalProperties": typeSchema(ty.ElementType())}
	case ty.IsListType(), ty.IsSetType():
		return keywords{"type": "array", "items": typeSchema(ty.ElementType())}
	case ty.IsTupleType():
		items := []keywords{}
		for _, element := range ty.TupleElementTypes() {
			items = append(items, typeSchema(element))
		}
		return keywords{"type": "array", "prefixItems": items, "minItems": len(items), "maxItems": len(items)}
	case ty.IsObjectType():
		properties, required := keywords{}, []string{}
		for _, name := range slices.Sorted(maps.Keys(ty.AttributeTypes())) {
			properties[name] = typeSchema(ty.AttributeType(name))
			if !ty.AttributeOptional(name) {
				required = append(required, name)
			}
		}
		return keywords{"type": "object", "properties": properties, "required": required, "additionalProperties": false}
	}
	return keywords{}
}

// translation adds to a schema what it can say of a condition. It may only ever
// allow more than the condition does.
type translation struct {
	is      func(hclsyntax.Expression) bool // recognises what the condition is about
	into    keywords
	message string // the stack's own words for the condition
}

func (t translation) translate(expr hclsyntax.Expression) {
	switch e := expr.(type) {
	case *hclsyntax.ParenthesesExpr:
		t.translate(e.Expression)
	case *hclsyntax.ConditionalExpr: // x == null ? true : condition
		if t.isNullTest(e.Condition) {
			t.translate(e.FalseResult)
		}
	case *hclsyntax.BinaryOpExpr:
		t.translateBinary(e)
	case *hclsyntax.FunctionCallExpr:
		t.translateCall(e)
	}
}

// translateBinary translates x && y, x == null || y, and comparisons.
func (t translation) translateBinary(e *hclsyntax.BinaryOpExpr) {
	left, right, op := e.LHS, e.RHS, e.Op
	switch op {
	case hclsyntax.OpLogicalAnd:
		t.translate(left)
		t.translate(right)
		return
	case hclsyntax.OpLogicalOr:
		if t.isNullTest(left) {
			t.translate(right)
		}
		return
	case hclsyntax.OpEqual:
		if t.isFloor(left) && t.is(right) || t.isFloor(right) && t.is(left) {
			t.into["type"] = "integer"
			t.into.explain("type", t.message)
		}
		return
	}
	if mirrored, ok := mirror[op]; ok && constant(left) != cty.NilVal {
		left, right, op = right, left, mirrored
	}
	limit := constant(right)
	if names, ok := bounds[op]; ok && limit != cty.NilVal && limit.Type() == cty.Number {
		if t.is(left) {
			t.into.add(names.number, literal(limit), t.message)
			return
		}
		t.translateLength(left, names, limit)
	}
}

// mirror turns a comparison round.
var mirror = map[*hclsyntax.Operation]*hclsyntax.Operation{
	hclsyntax.OpGreaterThan: hclsyntax.OpLessThan, hclsyntax.OpGreaterThanOrEqual: hclsyntax.OpLessThanOrEqual,
	hclsyntax.OpLessThan: hclsyntax.OpGreaterThan, hclsyntax.OpLessThanOrEqual: hclsyntax.OpGreaterThanOrEqual,
}

// bound is the keywords of a comparison.
type bound struct {
	number string // keyword for numbers
	length string // beginning of the keyword for lengths
	step   int64  // what a strict bound adds to a length, which is a whole number
}

var bounds = map[*hclsyntax.Operation]bound{
	hclsyntax.OpGreaterThan: {"exclusiveMinimum", "min", 1}, hclsyntax.OpGreaterThanOrEqual: {"minimum", "min", 0},
	hclsyntax.OpLessThan: {"exclusiveMaximum", "max", -1}, hclsyntax.OpLessThanOrEqual: {"maximum", "max", 0},
}

// translateLength translates length(subject) >= limit.
func (t translation) translateLength(left hclsyntax.Expression, names bound, limit cty.Value) {
	call, ok := left.(*hclsyntax.FunctionCallExpr)
	if !ok || call.Name != "length" || len(call.Args) != 1 || !limit.AsBigFloat().IsInt() {
		return
	}
	if !t.is(call.Args[0]) {
		// length(regexall("…", x)) > 0
		if names.number == "exclusiveMinimum" && limit.RawEquals(cty.Zero) {
			t.translatePattern(call.Args[0], "regexall")
		}
		return
	}
	if of := map[any]string{"string": "Length", "array": "Items", "object": "Properties"}[t.into["type"]]; of != "" {
		n, _ := limit.AsBigFloat().Int64()
		t.into.add(names.length+of, n+names.step, t.message)
	}
}

// translateCall translates contains, can(regex) and alltrue.
func (t translation) translateCall(e *hclsyntax.FunctionCallExpr) {
	switch {
	case e.Name == "contains" && len(e.Args) == 2 && t.is(e.Args[1]):
		values := constant(e.Args[0])
		if values == cty.NilVal || !values.CanIterateElements() {
			return
		}
		enum := []json.RawMessage{}
		for _, value := range values.Elements() {
			enum = append(enum, literal(value))
		}
		t.into.add("enum", enum, t.message)
	case e.Name == "can" && len(e.Args) == 1:
		t.translatePattern(e.Args[0], "regex")
	case e.Name == "alltrue" && len(e.Args) == 1:
		loop, ok := e.Args[0].(*hclsyntax.ForExpr)
		items, isArray := t.into["items"].(keywords)
		if ok && isArray && t.is(loop.CollExpr) && loop.CondExpr == nil {
			element := func(expr hclsyntax.Expression) bool {
				traversal, ok := expr.(*hclsyntax.ScopeTraversalExpr)
				return ok && len(traversal.Traversal) == 1 && traversal.Traversal.RootName() == loop.ValVar
			}
			translation{element, items, t.message}.translate(loop.ValExpr)
		}
	}
}

// translatePattern translates regex("…", subject). Patterns of Go that
// JavaScript reads differently are left to the server.
func (t translation) translatePattern(expr hclsyntax.Expression, function string) {
	call, ok := expr.(*hclsyntax.FunctionCallExpr)
	if !ok || call.Name != function || len(call.Args) != 2 || !t.is(call.Args[1]) {
		return
	}
	pattern := constant(call.Args[0])
	if pattern == cty.NilVal || pattern.Type() != cty.String {
		return
	}
	for _, foreign := range []string{"(?", `\A`, `\z`, `\p`, `\P`, `\Q`, "[[:"} {
		if strings.Contains(pattern.AsString(), foreign) {
			return
		}
	}
	t.into.add("pattern", pattern.AsString(), t.message)
}

// isNullTest reports whether expr is subject == null.
func (t translation) isNullTest(expr hclsyntax.Expression) bool {
	e, ok := expr.(*hclsyntax.BinaryOpExpr)
	if !ok || e.Op != hclsyntax.OpEqual || !t.is(e.LHS) {
		return false
	}
	value := constant(e.RHS)
	return value != cty.NilVal && value.IsNull()
}

// isFloor reports whether expr is floor(subject).
func (t translation) isFloor(expr hclsyntax.Expression) bool {
	call, ok := expr.(*hclsyntax.FunctionCallExpr)
	return ok && call.Name == "floor" && len(call.Args) == 1 && t.is(call.Args[0])
}

// constant evaluates an expression without references, else cty.NilVal.
func constant(expr hclsyntax.Expression) cty.Value {
	if len(expr.Variables()) > 0 {
		return cty.NilVal
	}
	value, diags := expr.Value(&hcl.EvalContext{Functions: functions})
	if diags.HasErrors() || !value.IsWhollyKnown() {
		return cty.NilVal
	}
	return value
}

// literal is a value as JSON.
func literal(value cty.Value) json.RawMessage {
	data, err := ctyjson.Marshal(value, value.Type())
	if err != nil {
		return json.RawMessage("null") // unreachable: known values of JSON's own types
	}
	return data
}

// add sets a keyword. A second rule of the same kind holds as well as the first.
func (k keywords) add(name string, value any, message string) {
	if _, taken := k[name]; taken {
		more := keywords{name: value}
		more.explain(name, message)
		all, _ := k["allOf"].([]keywords)
		k["allOf"] = append(all, more)
		return
	}
	k[name] = value
	k.explain(name, message)
}

// explain keeps the stack's own words for a keyword.
func (k keywords) explain(name, message string) {
	if message == "" {
		return
	}
	words, ok := k["x-message"].(map[string]string)
	if !ok {
		words = map[string]string{}
		k["x-message"] = words
	}
	words[name] = message
}
