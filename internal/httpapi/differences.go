package httpapi

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"dec.local/dec/internal/api"
	"dec.local/dec/internal/experiment"
)

// side is one of the variants that are compared.
type side struct {
	label   string
	plan    experiment.Plan
	variant experiment.Variant
}

func sidesOf(p experiment.Plan) []side {
	var sides []side
	for _, v := range p.Variants {
		sides = append(sides, side{v.Label, p, v})
	}
	return sides
}

// settings are all settings of a side by their paths.
func (s side) settings() (map[string]json.RawMessage, error) {
	data, err := json.Marshal(map[string]any{
		"technology": s.variant.Technology, "stack": s.variant.Stack,
		"options": s.variant.Options, "client_config": s.variant.ClientConfig,
		"target": s.plan.Target, "workload": s.plan.Workload,
	})
	if err != nil {
		return nil, fmt.Errorf("write the settings of %s: %w", s.label, err)
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

// differences are the settings in which not all sides are alike.
func differences(sides []side) ([]api.Difference, error) {
	values := map[string]map[string]json.RawMessage{} // by path and label
	for _, s := range sides {
		settings, err := s.settings()
		if err != nil {
			return nil, err
		}
		for path, value := range settings {
			if values[path] == nil {
				values[path] = map[string]json.RawMessage{}
			}
			values[path][s.label] = value
		}
	}
	found := []api.Difference{}
	for _, path := range slices.Sorted(maps.Keys(values)) {
		if differ(values[path], len(sides)) {
			found = append(found, api.Difference{Path: path, Values: values[path]})
		}
	}
	return found, nil
}

// differ reports whether a setting is missing somewhere or has two values.
func differ(values map[string]json.RawMessage, sides int) bool {
	distinct := map[string]bool{}
	for _, value := range values {
		distinct[string(value)] = true
	}
	return len(distinct) > 1 || len(values) < sides
}
