package planner

import (
	"context"
	"slices"
	"strings"

	"dec.local/dec/internal/api"
	"dec.local/dec/internal/experiment"
	"dec.local/dec/internal/planspec"
	"dec.local/dec/internal/tofu"
	"dec.local/dec/target"
	"dec.local/dec/technology"
)

// catalogEntry is a technology of this build with its stacks.
type catalogEntry struct {
	technology.Technology
	stacks []*tofu.Stack
}

func (e catalogEntry) name() string  { return e.Name }
func stackName(s *tofu.Stack) string { return s.Name }

// Catalog lists the technologies with their stacks, and the targets, each available
// or why not.
func (p *Planner) Catalog(ctx context.Context) (api.Catalog, error) {
	c := api.Catalog{Targets: []api.Target{}, PlanSchema: planspec.Schema(), Vocabulary: api.NewVocabulary()}
	for _, name := range p.Places.Names() {
		c.Targets = append(c.Targets, p.viewTarget(ctx, p.Places[name]))
	}
	for _, entry := range p.catalog {
		tech := api.Technology{Name: entry.Name, Title: entry.Title, ClientConfigSchema: entry.ConfigSchema}
		for _, s := range entry.stacks {
			tech.Stacks = append(tech.Stacks, p.viewStack(s))
		}
		c.Technologies = append(c.Technologies, tech)
	}
	return c, nil
}

func (p *Planner) viewTarget(ctx context.Context, place target.Opened) api.Target {
	facts := api.TargetFacts{SharedMachine: place.Facts.SharedMachine, OneHost: place.Facts.OneHost}
	view := api.Target{Name: place.Name, Title: place.Title, Facts: facts, Available: true, Slots: place.Facts.Slots}
	if n, told := p.Slots[place.Name]; told {
		view.Slots = n
	}
	if whole := place.Check(ctx, target.Demand{})[0]; whole.Level == target.Refuse {
		view.Available, view.Why, view.Fix = false, whole.Detail, whole.Fix
	}
	return view
}

func (p *Planner) viewStack(s *tofu.Stack) api.Stack {
	view := api.Stack{
		Name: s.Name, Title: s.Title, Description: s.Description,
		Targets: p.targetsOf(s), Emulator: s.Emulator, Schema: s.Schema, Available: true,
	}
	if len(view.Targets) == 0 {
		view.Available, view.Why = false, "runs only on target "+strings.Join(s.Targets, ", ")+", which is not available here"
	}
	for i, name := range view.Targets {
		why := p.why(s, name)
		if why == "" {
			view.Available, view.Why, view.Fix = true, "", ""
			break
		}
		if i == 0 {
			view.Available, view.Why, view.Fix = false, why, p.Setup
		}
	}
	return view
}

// targetsOf lists those of the targets here that a stack runs on.
func (p *Planner) targetsOf(s *tofu.Stack) []string {
	return slices.DeleteFunc(p.Places.Names(), func(name string) bool { return !s.RunsOn(name) })
}

// why says why a stack can't be used on a target; "" if it can.
func (p *Planner) why(s *tofu.Stack, targetName string) string {
	host, ok := p.Places[targetName].Place.(target.ArtifactHost)
	if !ok {
		return ""
	}
	missing := host.Missing(s.Artifacts)
	if len(missing) == 0 {
		return ""
	}
	verb := "is"
	if len(missing) > 1 {
		verb = "are"
	}
	return strings.Join(missing, ", ") + " " + verb + " not installed in " + p.Tools
}

// stackOf finds the technology and the stack of a variant; the stack is nil when
// there is none.
func (p *Planner) stackOf(v experiment.Variant) (catalogEntry, *tofu.Stack) {
	tech, _ := find(p.catalog, v.Technology, catalogEntry.name)
	stack, _ := find(tech.stacks, v.Stack, stackName)
	return tech, stack
}

// find returns the item of that name.
func find[T any](list []T, name string, nameOf func(T) string) (item T, found bool) {
	i := slices.IndexFunc(list, func(item T) bool { return nameOf(item) == name })
	if i < 0 {
		return item, false
	}
	return list[i], true
}

// names lists the names of items, for messages.
func names[T any](list []T, nameOf func(T) string) string {
	out := make([]string, len(list))
	for i, item := range list {
		out[i] = nameOf(item)
	}
	return strings.Join(out, ", ")
}
