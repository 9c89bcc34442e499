package planspec

import (
	"encoding/json"
	"reflect"

	"dec.local/dec/internal/experiment"
)

// object is a JSON object under construction.
type object = map[string]any

// Schema returns the JSON Schema (2020-12) of what [Decode] reads, without
// the rules between fields. Ranges of texts with a unit are in x-minimum and
// x-maximum.
func Schema() json.RawMessage {
	schema := schemaOf(reflect.TypeFor[experiment.Plan](), "")
	schema["$schema"] = "https://json-schema.org/draft/2020-12/schema"
	schema["title"] = "DEC experiment plan"
	data, err := json.MarshalIndent(schema, "", "  ")
	if err != nil {
		panic("planspec: the schema is not JSON: " + err.Error()) // a fault in this file
	}
	return data
}

// schemaOf describes the type t, which stands at the path of [fields].
func schemaOf(t reflect.Type, path string) object {
	rule := fields[path]
	schema := shapeOf(t, path)
	if rule.doc != "" {
		schema["description"] = rule.doc
	}
	if rule.def != "" {
		schema["default"] = json.RawMessage(rule.def)
	}
	if rule.example != "" {
		schema["examples"] = []json.RawMessage{json.RawMessage(rule.example)}
	}
	if rule.readOnly {
		schema["readOnly"] = true
	}
	if len(rule.enum) > 0 {
		schema["enum"] = rule.enum
	}
	return schema
}

func shapeOf(t reflect.Type, path string) object {
	rule := fields[path]
	switch t {
	case reflect.TypeFor[experiment.Duration]():
		text := func(x float64) string { return experiment.Duration(x).String() }
		return withRange(object{"type": "string", "pattern": experiment.DurationPattern}, rule, text)
	case reflect.TypeFor[experiment.Percent]():
		text := func(x float64) string { return experiment.Percent(x).String() }
		return withRange(object{"type": "string", "pattern": experiment.PercentPattern}, rule, text)
	case reflect.TypeFor[experiment.Bytes]():
		return bytesSchema(rule)
	case reflect.TypeFor[experiment.Size]():
		uniform := object{"type": "array", "items": bytesSchema(rule), "minItems": 2, "maxItems": 2}
		return object{"oneOf": []object{bytesSchema(rule), closed(object{"uniform": uniform}, []string{"uniform"})}}
	case reflect.TypeFor[experiment.Key]():
		cardinality := object{"type": "integer", "minimum": rule.min, "maximum": rule.max}
		uniform := closed(object{"cardinality": cardinality}, []string{"cardinality"})
		return object{"oneOf": []object{
			{"enum": []experiment.KeyKind{experiment.KeyNone, experiment.KeyRoundRobin}},
			closed(object{string(experiment.KeyUniform): uniform}, []string{string(experiment.KeyUniform)}),
		}}
	}
	switch t.Kind() {
	case reflect.Pointer:
		return shapeOf(t.Elem(), path)
	case reflect.Struct:
		return structSchema(t, path)
	case reflect.Map:
		return object{"type": "object"}
	case reflect.Slice:
		return object{"type": "array", "items": schemaOf(t.Elem(), path+"[]"), "minItems": rule.min, "maxItems": rule.max}
	case reflect.String:
		schema := object{"type": "string", "maxLength": experiment.MaxName}
		if rule.slug {
			schema = object{"type": "string", "pattern": experiment.SlugPattern}
		}
		return schema
	}
	schema := object{"type": "integer", "minimum": rule.min}
	if t.Kind() == reflect.Float64 {
		schema["type"] = "number"
	}
	if rule.max != 0 {
		schema["maximum"] = rule.max
	}
	return schema
}

func bytesSchema(rule field) object {
	schema := object{"type": []string{"string", "integer"}, "pattern": experiment.BytesPattern}
	return withRange(schema, rule, func(x float64) string { return experiment.Bytes(x).String() })
}

// withRange adds the range of a text with a unit.
func withRange(schema object, rule field, format func(float64) string) object {
	schema["x-minimum"] = format(rule.min)
	if rule.max != 0 {
		schema["x-maximum"] = format(rule.max)
	}
	return schema
}

// closed describes an object that has no other members.
func closed(properties object, required []string) object {
	schema := object{"type": "object", "properties": properties, "additionalProperties": false}
	if len(required) > 0 {
		schema["required"] = required
	}
	return schema
}

func structSchema(t reflect.Type, path string) object {
	properties, required := object{}, []string{}
	for name, v := range jsonFields(reflect.New(t).Elem()) {
		there := join(path, name)
		properties[name] = schemaOf(v.Type(), there)
		if fields[there].required {
			required = append(required, name)
		}
	}
	return closed(properties, required)
}
