// Package planspec reads plans as people write them: YAML or JSON, in a request
// or a file, with overrides. It knows each field of a plan, its default and range,
// and says what to write instead of what is wrong. It also has the JSON Schema of
// all that.
package planspec

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"

	"dec.local/dec/internal/experiment"
	"dec.local/dec/internal/yamltext"
)

// Decode reads a plan from YAML or JSON, applies the defaults and validates it. The
// error is an *[experiment.Problems] that tells all faults at once, each with its
// path; text that is no plan at all is a problem of the whole. Unknown fields, fields
// given twice, and fields that this version does not support are faults. The plan that
// is returned marshals to JSON that decodes to the same plan.
func Decode(text []byte) (experiment.Plan, error) {
	root, err := mapping(yamltext.Parse(text))
	if err != nil {
		return experiment.Plan{}, err
	}
	var p experiment.Plan
	problems := new(experiment.Problems)
	d := decoder{problems: problems}
	d.value(root, reflect.ValueOf(&p).Elem(), place{})
	p.Complete()
	p.Check(problems)
	if err := problems.Err(); err != nil {
		return experiment.Plan{}, err
	}
	return p, nil
}

// YAML writes a plan as people do, without its secrets.
func YAML(p experiment.Plan) (string, error) {
	data, err := json.Marshal(p)
	if err != nil {
		return "", fmt.Errorf("write the plan: %w", err)
	}
	text, err := yamltext.YAML(data)
	if err != nil {
		return "", fmt.Errorf("write the plan as YAML: %w", err)
	}
	return text, nil
}

// mapping refuses what cannot be a plan.
func mapping(root *yamltext.Node, err error) (*yamltext.Node, error) {
	if refused, ok := errors.AsType[*experiment.Problems](err); ok {
		return nil, refused
	}
	problems := new(experiment.Problems)
	switch {
	case err != nil:
		problems.Add("", "%v", err)
	case root.Kind == yamltext.Null:
		problems.Add("", "the plan is empty; see examples/ for a complete one")
	case root.Kind != yamltext.Object:
		problems.Add("", "a plan must be an object with name, workload and variants, not %s", root.Kind)
	}
	return root, problems.Err()
}
