package cli

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"text/tabwriter"

	"dec.local/dec/internal/experiment"
	"dec.local/dec/internal/tofu"
	"dec.local/dec/technology"
	"dec.local/dec/technology/all"
)

// catalog is what can be compared here: the technologies with their stacks, and
// the targets.
type catalog struct {
	Technologies []technologyEntry `json:"technologies"`
	Targets      []string          `json:"targets"`
	Plan         json.RawMessage   `json:"plan_schema"` // JSON Schema of a plan
}

type technologyEntry struct {
	Name         string          `json:"name"`
	Title        string          `json:"title"`
	ClientConfig json.RawMessage `json:"client_config_schema"`
	Stacks       []stackEntry    `json:"stacks"`

	technology technology.Technology
}

type stackEntry struct {
	*tofu.Stack
	Available bool   `json:"available"`
	Why       string `json:"why,omitempty"` // not available
	Fix       string `json:"fix,omitempty"` // the command that mends it
}

// localTarget is the one target of this version.
const localTarget = "local"

// catalog reads every technology and stack, and looks whether their tools are
// there.
func (f *folders) catalog() (*catalog, error) {
	c := &catalog{Targets: []string{localTarget}, Plan: experiment.Schema()}
	for _, tech := range all.Technologies() {
		entry := technologyEntry{Name: tech.Name, Title: tech.Title, ClientConfig: tech.ConfigSchema, technology: tech}
		dirs, err := fs.ReadDir(technology.Stacks, tech.Name+"/stacks")
		if err != nil {
			return nil, fmt.Errorf("stacks of %s: %w", tech.Name, err)
		}
		for _, dir := range dirs {
			stack, err := tofu.ReadStack(technology.Stacks, tech.Name, dir.Name())
			if err != nil {
				return nil, err
			}
			available := stackEntry{Stack: stack, Available: true}
			if missing := missingArtifact(f.artifacts(), stack.Artifacts); missing != "" {
				available = stackEntry{Stack: stack, Why: missing + " is not installed below " + f.Tools, Fix: setupFix}
			}
			entry.Stacks = append(entry.Stacks, available)
		}
		c.Technologies = append(c.Technologies, entry)
	}
	return c, nil
}

// check holds a plan against the catalog, and returns it with the options in
// their normalised form.
func (c *catalog) check(p experiment.Plan) (experiment.Plan, error) {
	var problems experiment.Problems
	if !slices.Contains(c.Targets, p.Target) {
		problems.Add("target", "no target %q; there is %s", p.Target, strings.Join(c.Targets, ", "))
	}
	p.Variants = slices.Clone(p.Variants)
	for i := range p.Variants {
		var faults experiment.Problems
		c.checkVariant(&p.Variants[i], p, &faults)
		problems.AddUnder(fmt.Sprintf("variants[%d]", i), &faults)
	}
	return p, problems.Err()
}

func (c *catalog) checkVariant(v *experiment.Variant, p experiment.Plan, faults *experiment.Problems) {
	tech, ok := find(c.Technologies, v.Technology, func(t technologyEntry) string { return t.Name })
	if !ok {
		faults.Add("technology", "no technology %q; there are %s", v.Technology, names(c.Technologies, func(t technologyEntry) string { return t.Name }))
		return
	}
	stack, ok := find(tech.Stacks, v.Stack, func(s stackEntry) string { return s.Name })
	if !ok {
		faults.Add("stack", "%s has no stack %q; it has %s", tech.Name, v.Stack, names(tech.Stacks, func(s stackEntry) string { return s.Name }))
		return
	}
	if !slices.Contains(stack.Targets, p.Target) {
		faults.Add("stack", "%s/%s does not run on target %q, but on %s", tech.Name, stack.Name, p.Target, strings.Join(stack.Targets, ", "))
	}
	if !stack.Available {
		faults.Add("stack", "%s/%s cannot be used here: %s; mend it: %s", tech.Name, stack.Name, stack.Why, stack.Fix)
	}
	options, err := stack.Check(v.Options)
	addUnder(faults, "options", err)
	v.Options = options
	addUnder(faults, "", tech.technology.CheckConfig(v.ClientConfig, p.Workload))
}

// addUnder adds an error, whatever its kind, under a path.
func addUnder(faults *experiment.Problems, path string, err error) {
	if err == nil {
		return
	}
	if problems, ok := err.(*experiment.Problems); ok {
		faults.AddUnder(path, problems)
		return
	}
	faults.Add(path, "%v", err)
}

func find[T any](list []T, name string, nameOf func(T) string) (T, bool) {
	for _, item := range list {
		if nameOf(item) == name {
			return item, true
		}
	}
	var zero T
	return zero, false
}

func names[T any](list []T, nameOf func(T) string) string {
	out := make([]string, len(list))
	for i, item := range list {
		out[i] = nameOf(item)
	}
	return strings.Join(out, ", ")
}

// catalogCmd lists what can be compared.
type catalogCmd struct {
	JSON bool `help:"Print as JSON, with the JSON Schema of plans and options."`
}

// Run prints the catalog.
func (c *catalogCmd) Run(env *Env, f *folders) error {
	catalog, err := f.catalog()
	if err != nil {
		return err
	}
	if c.JSON {
		return printJSON(env.Stdout, catalog)
	}
	w := tabwriter.NewWriter(env.Stdout, 0, 0, 2, ' ', 0)
	for _, tech := range catalog.Technologies {
		for _, stack := range tech.Stacks {
			fmt.Fprintf(w, "%s/%s\t%s\n", tech.Name, stack.Name, stack.Title)
			if !stack.Available {
				fmt.Fprintf(w, "  not available: %s; mend it: %s\n", stack.Why, stack.Fix)
			}
			printOptions(w, "option", stack.Schema)
			printOptions(w, "client", tech.ClientConfig)
		}
	}
	return w.Flush()
}

// printOptions lists the properties of a JSON Schema.
func printOptions(w *tabwriter.Writer, kind string, schema json.RawMessage) {
	var doc struct {
		Properties map[string]struct {
			Type        any             `json:"type"`
			Default     json.RawMessage `json:"default"`
			Description string          `json:"description"`
		} `json:"properties"`
	}
	if json.Unmarshal(schema, &doc) != nil {
		return
	}
	keys := make([]string, 0, len(doc.Properties))
	for key := range doc.Properties {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	for _, key := range keys {
		p := doc.Properties[key]
		fallback := ""
		if p.Default != nil {
			fallback = "default " + string(p.Default)
		}
		fmt.Fprintf(w, "  %s %s\t%s\t%s\n", kind, key, fallback, p.Description)
	}
}
