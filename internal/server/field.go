package server

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"dec.local/dec/internal/api"
	"dec.local/dec/internal/experiment"
	"dec.local/dec/internal/measure"
	"dec.local/dec/internal/rendezvous"
	"dec.local/dec/target/local"
)

// records is what the field asks of the database.
type records interface {
	Run(ctx context.Context, id string) (experiment.Run, error)
	Events(ctx context.Context, q experiment.EventQuery) ([]experiment.Event, error)
	Home(ctx context.Context, run string) (experiment.Host, error) // that claimed the run; the zero one if none did
}

// Field is what belongs to runs and is not in the database: files, processes and
// what was measured since a moment ago. It implements the field of package
// httpapi.
type Field struct {
	folders *Folders
	host    experiment.Host
	store   records
	ledger  *local.Ledger
	bucket  *rendezvous.Bucket // the one in force
	live    *seconds
}

// homeOf is the data folder where the files of a run are. It is false for a run
// of another machine, of which nothing can be seen here.
func (f *Field) homeOf(ctx context.Context, run string) (home, bool, error) {
	host, err := f.store.Home(ctx, run)
	if err != nil && !errors.Is(err, experiment.ErrNotFound) {
		return home{}, false, err
	}
	switch {
	case host.Home == "":
		return f.folders.home(), true, nil
	case host.ID != "" && host.ID != f.host.ID && host.Home != f.folders.Data:
		return home{}, false, nil
	}
	return home{host.Home}, true, nil
}

// Seconds returns the timeline of a run from second after+1 on.
func (f *Field) Seconds(ctx context.Context, run string, after int) ([]measure.Second, error) {
	if known, here := f.live.after(run, after); here {
		return known, nil
	}
	var list []measure.Second
	err := f.inBucket(ctx, run, func(ctx context.Context, bucket *rendezvous.Bucket) (err error) {
		list, err = rendezvous.Seconds(ctx, bucket, run, epoch, after)
		return err
	})
	return list, err
}

// Tail returns the newer seconds of a run that another server drives, and none
// of one that is driven here.
func (f *Field) Tail(ctx context.Context, run string, after int) ([]measure.Second, error) {
	if _, here := f.live.after(run, after); here {
		return nil, nil
	}
	h, seen, err := f.homeOf(ctx, run)
	if err != nil || seen && h == f.folders.home() || !seen && !f.folders.sharedBucket() {
		return nil, err
	}
	return f.Seconds(ctx, run, after)
}

// Histograms returns the distributions of a run's measure stage so far.
func (f *Field) Histograms(ctx context.Context, run string) (map[measure.Distribution]string, error) {
	var found map[measure.Distribution]string
	err := f.inBucket(ctx, run, func(ctx context.Context, bucket *rendezvous.Bucket) (err error) {
		found, err = rendezvous.Histograms(ctx, bucket, run, epoch)
		return err
	})
	return found, err
}

// LoadStart returns when second 0 of a run began; the zero time before.
func (f *Field) LoadStart(ctx context.Context, run string) (time.Time, error) {
	var start time.Time
	err := f.inBucket(ctx, run, func(ctx context.Context, bucket *rendezvous.Bucket) (err error) {
		start, err = rendezvous.LoadStart(ctx, bucket, run, epoch)
		return err
	})
	return start, err
}

// bucketTime is how long somebody who looks at a run may wait for the bucket.
const bucketTime = 10 * time.Second

// inBucket calls do with the bucket that has a run. It does not when nothing of
// the run is known here.
func (f *Field) inBucket(ctx context.Context, run string, do func(context.Context, *rendezvous.Bucket) error) error {
	ctx, cancel := context.WithTimeout(ctx, bucketTime)
	defer cancel()
	bucket, release, err := f.bucketOf(ctx, run)
	if errors.Is(err, errElsewhere) {
		return nil
	} else if err != nil {
		return err
	}
	defer release()
	return do(ctx, bucket)
}

// errElsewhere says that a run's bucket is another machine's, or gone with its
// data folder.
var errElsewhere = errors.New("the bucket of the run is not on this machine")

// bucketOf is the bucket that has a run, until release is called: the one that all
// servers share, or that of the run's data folder.
func (f *Field) bucketOf(ctx context.Context, run string) (b *rendezvous.Bucket, release func(), err error) {
	if f.folders.sharedBucket() {
		return f.bucket, func() {}, nil
	}
	h, seen, err := f.homeOf(ctx, run)
	switch {
	case err != nil:
		return nil, nil, err
	case !seen:
		return nil, nil, errElsewhere
	case h == f.folders.home():
		return f.bucket, func() {}, nil
	}
	if _, err := os.Stat(h.bucket()); errors.Is(err, fs.ErrNotExist) { // it is not made by looking
		return nil, nil, errElsewhere
	}
	b, err = rendezvous.OpenBucket(ctx, rendezvous.FolderURL(h.bucket()))
	return b, func() { b.Close() }, err
}

// Forget removes what is kept of a deleted run. What the bucket does not let go is
// removed later.
func (f *Field) Forget(ctx context.Context, run string) error {
	if !runID.MatchString(run) {
		return fmt.Errorf("forget run %q: not an id", run)
	}
	h := f.folders.home()
	for _, folder := range []string{h.staged(run), filepath.Join(h.runs(), run)} {
		if err := os.RemoveAll(folder); err != nil {
			return fmt.Errorf("forget run %s: %w", run, err)
		}
	}
	ctx, cancel := context.WithTimeout(ctx, bucketTime)
	defer cancel()
	if err := f.bucket.Remove(ctx, run); err != nil {
		return errors.Join(fmt.Errorf("forget run %s: %w; trying again", run, err), h.mark(run))
	}
	return nil
}

// Inventory lists what exists on every target.
func (f *Field) Inventory(ctx context.Context) ([]api.TargetInventory, error) {
	listed := api.TargetInventory{Target: LocalTarget, Objects: []api.InventoryObject{}}
	objects, err := f.ledger.List(ctx, "")
	if err != nil {
		listed.Unknown = err.Error()
		return []api.TargetInventory{listed}, nil
	}
	for _, object := range objects {
		class, err := f.class(ctx, object)
		if err != nil {
			return nil, err
		}
		listed.Objects = append(listed.Objects, api.InventoryObject{Object: object, Class: class, AgeS: time.Since(object.CreatedAt).Seconds()})
	}
	return []api.TargetInventory{listed}, nil
}

// The classes of objects.
const (
	classManaged = "managed" // of an active run
	classLost    = "lost"    // of a run that has ended
	classLeaked  = "leaked"  // a destroy was given up
	classForeign = "foreign" // not of this install
)

func (f *Field) class(ctx context.Context, o experiment.Object) (string, error) {
	var run experiment.Run
	err := experiment.ErrNotFound
	if f.store != nil { // there is none before the first run
		run, err = f.store.Run(ctx, o.Run)
	}
	switch {
	case errors.Is(err, experiment.ErrNotFound) && o.Install == f.folders.Data:
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
