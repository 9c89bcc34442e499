package tofu

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path"
	"slices"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"

	"dec.local/dec/internal/experiment"
)

// Stack is a stack of a technology as the catalog shows it. Its options are the
// variables of its OpenTofu module.
type Stack struct {
	Technology  string   `json:"technology"`
	Name        string   `json:"name"`
	Title       string   `json:"title"` // for people
	Description string   `json:"description"`
	Targets     []string `json:"targets"`   // names of the only targets that it runs on; empty: any that runs services
	Artifacts   []string `json:"artifacts"` // what its services run, as name@version
	Emulator    string   `json:"emulator"`  // what stands for the technology itself, for people; "" where nothing does
	// Schema is the JSON Schema of the options; x-message holds the stack's own words
	// per rule, x-order the order to show them in.
	Schema json.RawMessage `json:"schema"`

	module  *module
	options []*variable // in the order to show them
	copies  string      // the option that says how often a message is stored; "" if none does
}

// RunsOn reports whether the stack runs on the target of that name.
func (s *Stack) RunsOn(target string) bool {
	return len(s.Targets) == 0 || slices.Contains(s.Targets, target)
}

// Copies returns how often checked options say that a message is stored; 0 if
// they leave it to the workload's topology.
func (s *Stack) Copies(options map[string]json.RawMessage) int {
	var copies int
	_ = json.Unmarshal(options[s.copies], &copies) // null leaves it to the workload
	return copies
}

// special are the variables of a stack that DEC gives, not a user; each stack
// declares those that it needs.
//
//	addresses  host and ports of each node, by group
//	network    network of the target
//	topology   the workload's, with its retention_bytes, and whether its load outgrows them
//	run        id, install and expires_at, for names and tags
//	agent      artifact with this build's dec-agent, for services of a stack's own
//	ca         certificate, in PEM, that signed the one of tls, and the name on that
//	tls        certificate and key of the run's services, in PEM; ephemeral
var special = []string{"addresses", "network", "topology", "run", "agent", "ca", "tls"}

// ReadStack reads <technology>/stacks/<stack> of fsys: stack.json and the
// variables of all .tf files. The error is an [experiment.ErrNotFound] when
// there is no such stack, and an [*ErrFunction] when a validation uses a
// function that DEC can't evaluate.
func ReadStack(fsys fs.FS, technology, stack string) (*Stack, error) {
	if !slug.MatchString(technology) || !slug.MatchString(stack) {
		return nil, fmt.Errorf("stack %q of technology %q: %w", stack, technology, experiment.ErrNotFound)
	}
	s := &Stack{Technology: technology, Name: stack}
	dir := stackDir(technology, stack)
	var order []string
	if err := s.readDescription(fsys, dir, &order); err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			err = experiment.ErrNotFound
		}
		return nil, fmt.Errorf("stack %q of technology %q: %w", stack, technology, err)
	}
	var err error
	if s.module, err = readModule(fsys, dir); err != nil {
		return nil, err
	}
	if err := s.arrange(order); err != nil {
		return nil, fmt.Errorf("stack %s/%s: %w", technology, stack, err)
	}
	for _, v := range s.options {
		if err := s.checkRules(v); err != nil {
			return nil, fmt.Errorf("stack %s/%s: %w", technology, stack, err)
		}
	}
	if err := s.checkDefaults(); err != nil {
		return nil, fmt.Errorf("stack %s/%s: a default violates a validation: %w", technology, stack, err)
	}
	s.Schema, err = schema(s.options)
	return s, err
}

// stackDir is the folder of a stack within the file system of technologies.
func stackDir(technology, stack string) string { return path.Join(technology, "stacks", stack) }

// readDescription reads stack.json: what HCL can't say.
func (s *Stack) readDescription(fsys fs.FS, dir string, order *[]string) error {
	data, err := fs.ReadFile(fsys, path.Join(dir, "stack.json"))
	if err != nil {
		return err
	}
	artifacts := map[string]string{}
	description := struct {
		Title       *string            `json:"title"`
		Description *string            `json:"description"`
		Targets     *[]string          `json:"targets"` // of stacks with resources of their own; absent: any target
		Options     *[]string          `json:"options"`
		Copies      *string            `json:"copies"`    // name of the option
		Artifacts   *map[string]string `json:"artifacts"` // link in a service's working folder → name@version; main.tf reads them here
		Emulator    *string            `json:"emulator"`
	}{&s.Title, &s.Description, &s.Targets, order, &s.copies, &artifacts, &s.Emulator}
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&description); err != nil {
		return fmt.Errorf("read stack.json: %w", err)
	}
	s.Artifacts = slices.Sorted(maps.Values(artifacts))
	return nil
}

// arrange collects the options in the order to show them: those that stack.json
// lists, then the others as they stand in the module.
func (s *Stack) arrange(order []string) error {
	for _, name := range order {
		v := s.module.variable(name)
		if v == nil || slices.Contains(special, name) {
			return fmt.Errorf("stack.json lists the option %q, which is not a variable of the stack", name)
		}
		s.options = append(s.options, v)
	}
	if copies := s.option(s.copies); s.copies != "" && (copies == nil || !copies.ty.Equals(cty.Number)) {
		return fmt.Errorf("stack.json calls the option %q the number of copies, but it is not an option of type number", s.copies)
	}
	for _, v := range s.module.variables {
		if err := v.checkSecret(); err != nil {
			return err
		}
		if !slices.Contains(special, v.name) && !slices.Contains(order, v.name) {
			s.options = append(s.options, v)
		}
	}
	return nil
}

// option returns the option of that name, or nil.
func (s *Stack) option(name string) *variable {
	if slices.Contains(special, name) {
		return nil
	}
	return s.module.variable(name)
}

// checkRules refuses validations that DEC can't evaluate as OpenTofu would.
func (s *Stack) checkRules(v *variable) error {
	for _, rule := range v.rules {
		for _, expr := range []hclsyntax.Expression{rule.condition, rule.message} {
			var err error
			_ = hclsyntax.VisitAll(expr, func(node hclsyntax.Node) hcl.Diagnostics {
				if call, ok := node.(*hclsyntax.FunctionCallExpr); ok {
					if _, known := functions[call.Name]; !known {
						err = &ErrFunction{Variable: v.name, Function: call.Name}
					}
				}
				return nil
			})
			if err != nil {
				return err
			}
			for _, reference := range expr.Variables() {
				option := s.option(referenced(reference))
				if option == nil {
					return fmt.Errorf("the validation of %q refers to %s, which is not an option", v.name, reference.RootName())
				}
				if option.secret() && expr == rule.message {
					return fmt.Errorf("the error_message of %q would reveal the secret %q", v.name, option.name)
				}
			}
		}
	}
	return nil
}

// referenced returns the x of a reference var.x, or "".
func referenced(reference hcl.Traversal) string {
	if reference.RootName() != "var" || len(reference) < 2 {
		return ""
	}
	attribute, ok := reference[1].(hcl.TraverseAttr)
	if !ok {
		return ""
	}
	return attribute.Name
}

// checkDefaults evaluates the validations over the defaults.
func (s *Stack) checkDefaults() error {
	values := map[string]cty.Value{}
	for _, v := range s.options {
		if !v.required() {
			values[v.name] = v.value
		}
	}
	var problems experiment.Problems
	for _, v := range s.options {
		problems = append(problems, s.validate(v, values)...)
	}
	return problems.Err()
}
