package comparison

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
)

// Difference is one setting in which variants are not alike.
type Difference struct {
	Path   string                     `json:"path"`
	Values map[string]json.RawMessage `json:"values" doc:"Values by variant; absent if not set."`
}

// settings are all settings of a variant by their paths.
func (v *Variant) settings() (map[string]json.RawMessage, error) {
	data, err := json.Marshal(map[string]any{
		"technology": v.Technology, "stack": v.Stack, "options": v.Options, "client_config": v.ClientConfig,
		"target": v.Plan.Target, "workload": v.Plan.Workload,
	})
	if err != nil {
		return nil, fmt.Errorf("write the settings of %s: %w", v.Label, err)
	}
	leaves := map[string]json.RawMessage{}
	return leaves, flatten("", data, leaves)
}

// flatten takes objects apart; lists are values.
func flatten(path string, value json.RawMessage, leaves map[string]json.RawMessage) error {
	if !bytes.HasPrefix(bytes.TrimSpace(value), []byte("{")) {
		if string(value) != "null" {
			leaves[path] = value
		}
		return nil
	}
	var members map[string]json.RawMessage
	if err := json.Unmarshal(value, &members); err != nil {
		return fmt.Errorf("read the setting %s: %w", path, err)
	}
	for name, member := range members {
		below := name
		if path != "" {
			below = path + "." + name
		}
		if err := flatten(below, member, leaves); err != nil {
			return err
		}
	}
	return nil
}

// differences are the settings in which not all variants are alike.
func differences(variants []*Variant) ([]Difference, error) {
	values := map[string]map[string]json.RawMessage{} // by path and label
	for _, v := range variants {
		settings, err := v.settings()
		if err != nil {
			return nil, err
		}
		for path, value := range settings {
			if values[path] == nil {
				values[path] = map[string]json.RawMessage{}
			}
			values[path][v.Label] = value
		}
	}
	found := []Difference{}
	for _, path := range slices.Sorted(maps.Keys(values)) {
		if differ(values[path], len(variants)) {
			found = append(found, Difference{Path: path, Values: values[path]})
		}
	}
	return found, nil
}

// differ reports whether a setting is missing somewhere or has two values.
func differ(values map[string]json.RawMessage, variants int) bool {
	distinct := map[string]bool{}
	for _, value := range values {
		distinct[string(value)] = true
	}
	return len(distinct) > 1 || len(values) < variants
}
