package server

import (
	"context"
	"log/slog"

	"dec.local/dec/internal/comparison"
	"dec.local/dec/internal/datadir"
	"dec.local/dec/internal/planner"
	"dec.local/dec/internal/rendezvous"
	"dec.local/dec/internal/store"
	"dec.local/dec/internal/tofu"
	"dec.local/dec/target"
	"dec.local/dec/technology"
	"dec.local/dec/technology/all"
)

// OpenTargets opens the targets for a data folder.
func OpenTargets(ctx context.Context, f *datadir.Folders, targets []target.Target) target.Places {
	return target.OpenAll(ctx, targets, target.Options{Data: f.Data, Artifacts: f.Artifacts(), Getenv: f.Getenv})
}

// storeOptions tells the database what it must know of targets.
func storeOptions(places target.Places) store.Options {
	o := store.Options{Slots: map[string]int{}}
	for _, name := range places.Names() {
		o.Slots[name] = places[name].Facts.Slots
		if places[name].Facts.OneHost {
			o.OneHost = append(o.OneHost, name)
		}
	}
	return o
}

// providers are the builds of the targets' own providers.
func providers(targets []target.Target, built datadir.Builds) []tofu.Provider {
	var list []tofu.Provider
	known := map[string]bool{}
	for _, t := range targets {
		for _, p := range t.Providers {
			if !known[p.Source] {
				known[p.Source] = true
				list = append(list, tofu.Provider{Source: p.Source, Version: built.Providers[p.Source], Artifacts: p.Artifacts})
			}
		}
	}
	return list
}

// OpenPlanner returns the planner of a data folder, which knows nothing of earlier
// runs. It needs no server.
func OpenPlanner(ctx context.Context, f *datadir.Folders, targets []target.Target) (*planner.Planner, error) {
	return newPlanner(f, OpenTargets(ctx, f, targets), nil, nil)
}

// newPlanner returns the planner of a data folder.
func newPlanner(f *datadir.Folders, places target.Places, slots map[string]int, past planner.Past) (*planner.Planner, error) {
	return planner.New(planner.Options{
		Technologies: all.Technologies(), Stacks: technology.Stacks, Places: places, Slots: slots, Past: past, Tools: f.Tools, Setup: f.Setup(),
		LocalBucket: rendezvous.IsFolder(f.BucketURL()),
	})
}

// comparing is how runs are compared here: with the names of the technologies
// for people, and what is known of the targets.
func comparing(places target.Places, log *slog.Logger) comparison.Options {
	o := comparison.Options{
		Titles:        map[string]string{},
		SharedMachine: func(target string) bool { return places[target].Facts.SharedMachine },
		Logger:        log,
	}
	for _, tech := range all.Technologies() {
		o.Titles[tech.Name] = tech.Title
	}
	return o
}
