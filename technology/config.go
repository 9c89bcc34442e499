package technology

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"

	"dec.local/dec/internal/experiment"
)

// ConfigField describes one setting of a technology's client_config. Checking,
// defaults and the JSON Schema all come from it.
type ConfigField struct {
	Name     string   // in snake_case, with the unit at the end if it has one: "linger_ms"
	Doc      string   // what it does, for people
	Default  any      // an int, a bool or a string; it gives the type
	Min, Max int      // inclusive range of an int
	Enum     []string // the only values of a string; any if empty
}

// DecodeConfig reads a client_config into a struct with JSON tags that are the
// names of the fields; what is not given gets its default. Its error is an
// *[experiment.Problems] with all faults, the paths relative to the variant.
func DecodeConfig(fields []ConfigField, config map[string]json.RawMessage, into any) error {
	problems := new(experiment.Problems)
	values := make(map[string]any, len(fields))
	for _, f := range fields {
		values[f.Name] = f.Default
	}
	for _, name := range slices.Sorted(maps.Keys(config)) {
		if problems.Full() {
			break
		}
		i := slices.IndexFunc(fields, func(f ConfigField) bool { return f.Name == name })
		if i < 0 {
			problems.Add("client_config."+name, "%s", unknown(fields, name))
			continue
		}
		value, fault := fields[i].read(config[name])
		if fault != "" {
			problems.Add("client_config."+name, "%s", fault)
			continue
		}
		values[name] = value
	}
	if err := problems.Err(); err != nil {
		return err
	}
	data, err := json.Marshal(values)
	if err != nil {
		return fmt.Errorf("encode the client configuration: %w", err)
	}
	if err := json.Unmarshal(data, into); err != nil {
		return fmt.Errorf("decode the client configuration: %w", err)
	}
	return nil
}

// read checks one value against f and says what it must be.
func (f ConfigField) read(raw json.RawMessage) (value any, fault string) {
	decoder := json.NewDecoder(bytes.NewReader(raw))
	decoder.UseNumber()
	if err := decoder.Decode(&value); err != nil {
		return nil, "is not JSON"
	}
	switch f.Default.(type) {
	case bool:
		if _, ok := value.(bool); !ok {
			return nil, fmt.Sprintf("must be true or false, not %s", raw)
		}
		return value, ""
	case int:
		return f.readInt(value, raw)
	}
	text, ok := value.(string)
	switch {
	case len(f.Enum) > 0 && (!ok || !slices.Contains(f.Enum, text)):
		return nil, fmt.Sprintf("must be one of %s, not %s", strings.Join(f.Enum, ", "), raw)
	case !ok:
		return nil, fmt.Sprintf("must be text, not %s", raw)
	}
	return text, ""
}

func (f ConfigField) readInt(value any, raw json.RawMessage) (any, string) {
	number, ok := value.(json.Number)
	if !ok {
		return nil, fmt.Sprintf("must be a whole number, such as %d, not %s", f.Default, raw)
	}
	float, err := number.Float64()
	if err != nil || float != math.Trunc(float) || float < float64(f.Min) || float > float64(f.Max) {
		return nil, fmt.Sprintf("must be a whole number from %d to %d, not %s", f.Min, f.Max, raw)
	}
	return int(float), ""
}

// unknown says that there is no such setting, and the one that was probably meant.
func unknown(fields []ConfigField, name string) string {
	names := make([]string, len(fields))
	for i, f := range fields {
		names[i] = f.Name
	}
	if near := experiment.Nearest(name, names); near != "" {
		return fmt.Sprintf("there is no such setting; did you mean %s?", near)
	}
	return "there is no such setting; known settings: " + strings.Join(names, ", ")
}

// ConfigSchema is the JSON Schema of a client_config with these fields. Its x-order is
// their order, in which they are shown.
func ConfigSchema(fields []ConfigField) json.RawMessage {
	properties, order := make(map[string]any, len(fields)), make([]string, 0, len(fields))
	for _, f := range fields {
		property := map[string]any{"description": f.Doc, "default": f.Default}
		switch f.Default.(type) {
		case int:
			property["type"], property["minimum"], property["maximum"] = "integer", f.Min, f.Max
		case bool:
			property["type"] = "boolean"
		default:
			property["type"] = "string"
		}
		if len(f.Enum) > 0 {
			property["enum"] = f.Enum
		}
		properties[f.Name] = property
		order = append(order, f.Name)
	}
	schema, err := json.Marshal(map[string]any{
		"$schema":              "https://json-schema.org/draft/2020-12/schema",
		"type":                 "object",
		"additionalProperties": false,
		"properties":           properties,
		"x-order":              order,
	})
	if err != nil {
		panic(fmt.Sprintf("technology: a field of a client_config has a default that is not JSON: %v", err))
	}
	return schema
}
