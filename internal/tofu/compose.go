package tofu

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/zclconf/go-cty/cty"

	"dec.local/dec/internal/identity"
)

// compose writes the run's root module and the files beside it. They stay until
// the run is clean: the exact stack that made a run is what destroys it. It
// returns the secrets that the commands of the run are to be given.
func (r *Runner) compose(dir string, job Job) (_ *secrets, err error) {
	stack, err := ReadStack(r.options.Stacks, job.Technology, job.Stack)
	if err != nil {
		return nil, err
	}
	options, err := stack.join(job.Options, job.Secrets)
	if err == nil {
		options, err = stack.Check(options)
	}
	if err != nil {
		return nil, fmt.Errorf("options of stack %s/%s: %w", job.Technology, job.Stack, err)
	}
	given := &secrets{bucket: job.Bucket}
	options, given.options = stack.Split(options)
	variables := r.variables(job, options)
	if err := given.identify(stack, job, variables); err != nil {
		return nil, err
	}
	target, err := r.target(job.Target)
	if err != nil {
		return nil, err
	}
	nodes, err := readModule(target.Nodes, ".")
	if err != nil {
		return nil, fmt.Errorf("nodes module of target %q: %w", job.Target, err)
	}
	root := rootFolder(dir)
	if err := os.RemoveAll(root); err != nil {
		return nil, fmt.Errorf("clear the root module: %w", err)
	}
	if err := copyModule(r.options.Stacks, stackDir(job.Technology, job.Stack), filepath.Join(root, "stack")); err != nil {
		return nil, err
	}
	if err := copyModule(target.Nodes, ".", filepath.Join(root, "nodes")); err != nil {
		return nil, err
	}
	own := r.ownProviders(nodes, stack.module)
	if err := r.writeLockFile(root, own); err != nil {
		return nil, err
	}
	main := r.mainFile(stack, nodes, own)
	if err := given.addTo(main, nodes, stack); err != nil {
		return nil, err
	}
	return given, errors.Join(
		writeJSON(filepath.Join(root, "main.tf.json"), main),
		writeJSON(filepath.Join(root, "terraform.tfvars.json"), variables),
		r.writeCLIConfig(dir),
	)
}

// rootFolder is where a run's root module is.
func rootFolder(dir string) string { return filepath.Join(dir, "root") }

// copyModule copies a folder of a file system.
func copyModule(fsys fs.FS, from, to string) error {
	sub, err := fs.Sub(fsys, from)
	if err == nil {
		err = os.CopyFS(to, sub)
	}
	if err != nil {
		return fmt.Errorf("copy module %s: %w", from, err)
	}
	return nil
}

// mainFile is the generated root module. It holds references and names that the
// modules declare, no text of a user: a string here is a template.
func (r *Runner) mainFile(stack *Stack, nodes *module, own []Provider) map[string]any {
	type object = map[string]any
	call := object{"source": "./stack"}
	for _, v := range stack.options {
		if v.secret() {
			continue // see secrets.addTo
		}
		call[v.name] = "${var.options." + v.name + "}"
	}
	for _, name := range special {
		if stack.module.variable(name) != nil && name != tlsVariable {
			call[name] = specialSource(name)
		}
	}
	settings := object{"backend": object{"http": object{}}}
	main := object{
		"terraform": settings,
		"variable": object{
			"options": object{"type": "any"}, "run": object{"type": "any"}, "artifacts": object{"type": "list(string)"},
			"topology": object{"type": "any"}, "agent": object{"type": "string"}, "ca": object{"type": "any"},
			"agent_groups": object{"type": "any"}, "agent_services": object{"type": "any"},
		},
		"locals": object{
			"groups":             "${merge(module.stack.groups, var.agent_groups)}",
			"services":           "${merge(module.stack.services, var.agent_services)}",
			"unknown_attributes": "${concat(" + unknownAttributes("groups", nodes) + ", " + unknownAttributes("services", nodes) + ")}",
		},
		"module": object{
			"stack": call,
			"nodes": object{"source": "./nodes", "run": "${var.run}", "groups": "${local.groups}", "services": "${local.services}"},
		},
		"output": object{
			"endpoints": object{"value": "${module.stack.endpoints}"},
			"addresses": object{"value": "${module.nodes.addresses}"},
			"attributes_known": object{"value": true, "precondition": []object{{
				"condition": "${length(local.unknown_attributes) == 0}",
				"error_message": "The nodes module does not know these attributes and would silently ignore them: " +
					"${join(\", \", local.unknown_attributes)}.",
			}}},
		},
	}
	required, blocks := object{}, object{}
	for _, p := range own {
		required[p.localName()] = object{"source": p.Source, "version": p.Version}
		if p.Artifacts {
			blocks[p.localName()] = object{"artifacts": "${var.artifacts}"}
		}
	}
	if len(required) > 0 {
		settings["required_providers"] = required
	}
	if len(blocks) > 0 {
		main["provider"] = blocks
	}
	return main
}

// specialSource is where a stack's special variable comes from.
func specialSource(name string) string {
	switch name {
	case "addresses", "network":
		return "${module.nodes." + name + "}"
	}
	return "${var." + name + "}"
}

// unknownAttributes is an expression for the attributes that elements of
// local.<name> have and that the nodes module's variable of that name lacks: a
// map(object({…optional…})) drops them silently.
func unknownAttributes(name string, nodes *module) string {
	v := nodes.variable(name)
	if v == nil || !v.ty.IsMapType() || !v.ty.ElementType().IsObjectType() {
		return "[]"
	}
	element := v.ty.ElementType()
	loops := []string{unknownKeys(name, "keys(v)", "", element)}
	for _, attribute := range slices.Sorted(maps.Keys(element.AttributeTypes())) {
		if ty := element.AttributeType(attribute); ty.IsObjectType() {
			loops = append(loops, unknownKeys(name, "try(keys(v."+attribute+"), [])", attribute+".", ty))
		}
	}
	return "flatten([for k, v in local." + name + " : concat(" + strings.Join(loops, ", ") + ")])"
}

// unknownKeys is the loop over the keys of one object.
func unknownKeys(name, keys, prefix string, ty cty.Type) string {
	known, _ := json.Marshal(slices.Sorted(maps.Keys(ty.AttributeTypes()))) // identifiers: can't fail
	return fmt.Sprintf(`[for a in %s : "%s.${k}.%s${a}" if !contains(%s, a)]`, keys, name, prefix, known)
}

// variables is the content of terraform.tfvars.json, where text is literal.
func (r *Runner) variables(job Job, options map[string]json.RawMessage) map[string]any {
	orEmpty := func(n int, value any) any {
		if n == 0 {
			return struct{}{}
		}
		return value
	}
	return map[string]any{
		"options":        options,
		"agent_groups":   orEmpty(len(job.AgentGroups), job.AgentGroups),
		"agent_services": orEmpty(len(job.Agents), job.Agents),
		"artifacts":      append([]string{}, r.options.Artifacts...),
		"topology":       cmp.Or[any](job.Topology, struct{}{}),
		"agent":          job.AgentBuild,
		"ca":             identity.Authority{},
		"run": map[string]any{
			"id":         job.Run,
			"install":    r.options.Install,
			"expires_at": job.ExpiresAt.UTC().Format(time.RFC3339),
			"logs":       job.Logs,
			"cpus":       orEmpty(len(job.CPUs), job.CPUs),
		},
	}
}

// writeJSON writes a value as indented JSON.
func writeJSON(name string, value any) error {
	data, err := encode(value)
	if err != nil {
		return fmt.Errorf("encode %s: %w", filepath.Base(name), err)
	}
	return os.WriteFile(name, data, 0o600)
}
