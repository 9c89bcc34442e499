package server

import (
	"context"
	"errors"
	"time"

	"dec.local/dec/internal/api"
	"dec.local/dec/internal/datadir"
	"dec.local/dec/internal/experiment"
	"dec.local/dec/internal/store"
	"dec.local/dec/target"
)

// inventory lists what exists on every target, and tells what it belongs to.
type inventory struct {
	places  target.Places
	runs    runReader // nil before the first run
	install string    // the data folder
}

// runReader finds the run of an object.
type runReader interface {
	Run(ctx context.Context, id string) (experiment.Run, error)
}

func (s *Server) inventory() inventory { return inventory{s.places, s.store, s.folders.Data} }

// Inventory lists what exists on every target of a data folder, without a server.
func Inventory(ctx context.Context, f *datadir.Folders, targets []target.Target) ([]api.TargetInventory, error) {
	i := inventory{places: OpenTargets(ctx, f, targets), install: f.Data}
	if f.Used() {
		db, err := store.Open(ctx, f.DatabaseURL(), storeOptions(i.places))
		if err != nil {
			return nil, err
		}
		defer db.Close()
		i.runs = db
	}
	return i.Inventory(ctx)
}

// Inventory implements [httpapi.Inventory].
func (i inventory) Inventory(ctx context.Context) ([]api.TargetInventory, error) {
	all := []api.TargetInventory{}
	for _, name := range i.places.Names() {
		listed := api.TargetInventory{Target: name, Objects: []api.InventoryObject{}}
		objects, err := i.places[name].List(ctx, "")
		if err != nil {
			listed.Unknown = err.Error()
		}
		for _, object := range objects {
			class, err := i.class(ctx, object)
			if err != nil {
				return nil, err
			}
			listed.Objects = append(listed.Objects, api.InventoryObject{Object: object, Class: class, AgeS: time.Since(object.CreatedAt).Seconds()})
		}
		all = append(all, listed)
	}
	return all, nil
}

// The classes of objects.
const (
	classManaged = "managed" // of an active run
	classLost    = "lost"    // of a run that has ended
	classLeaked  = "leaked"  // a destroy was given up
	classForeign = "foreign" // not of this install
)

func (i inventory) class(ctx context.Context, o experiment.Object) (string, error) {
	var run experiment.Run
	err := experiment.ErrNotFound
	if i.runs != nil { // there is none before the first run
		run, err = i.runs.Run(ctx, o.Run)
	}
	switch {
	case errors.Is(err, experiment.ErrNotFound) && o.Install == i.install:
		return classLost, nil
	case errors.Is(err, experiment.ErrNotFound):
		return classForeign, nil
	case err != nil:
		return "", err
	case run.Teardown == experiment.TeardownLeaked:
		return classLeaked, nil
	case run.Phase == experiment.PhaseEnded:
		return classLost, nil
	}
	return classManaged, nil
}
