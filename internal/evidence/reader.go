// Package evidence reads and keeps what belongs to runs and is not in the database:
// the seconds of a load, distributions, and all that a run's processes wrote,
// wherever it lies at the moment: in the data folder of a server of this machine, on
// the target, or in the bucket, where it is archived when a run has ended.
package evidence

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"dec.local/dec/internal/datadir"
	"dec.local/dec/internal/experiment"
	"dec.local/dec/internal/measure"
	"dec.local/dec/internal/rendezvous"
	"dec.local/dec/target"
)

// records is what a reader asks of the database.
type records interface {
	Experiment(ctx context.Context, id string) (experiment.Experiment, error)
	Runs(ctx context.Context, experimentID string) ([]experiment.Run, error)
	Run(ctx context.Context, id string) (experiment.Run, error) // with its receipt and result
	Events(ctx context.Context, q experiment.EventQuery) ([]experiment.Event, error)
	Home(ctx context.Context, run string) (experiment.Host, error) // that claimed the run; the zero one if none did
}

// Options configures a [Reader]. All are required but Host.
type Options struct {
	Folders *datadir.Folders
	Host    experiment.Host // of this process; the zero one where the database is of this data folder alone
	Store   records
	Places  target.Places
	Bucket  *rendezvous.Bucket // the one in force
	Live    *Live              // seconds of the runs that this process drives
}

// Reader reads the evidence of runs.
type Reader struct {
	folders *datadir.Folders
	host    experiment.Host
	store   records
	places  target.Places
	bucket  *rendezvous.Bucket
	live    *Live
}

// New returns a reader.
func New(o Options) *Reader {
	return &Reader{folders: o.Folders, host: o.Host, store: o.Store, places: o.Places, bucket: o.Bucket, live: o.Live}
}

// HomeOf returns the data folder where the files of a run are. It is false for a run
// of another machine, of which nothing can be seen here.
func (f *Reader) HomeOf(ctx context.Context, run string) (datadir.Home, bool, error) {
	host, err := f.store.Home(ctx, run)
	if err != nil && !errors.Is(err, experiment.ErrNotFound) {
		return datadir.Home(""), false, err
	}
	switch {
	case host.Home == "":
		return f.folders.Home(), true, nil
	case host.ID != "" && host.ID != f.host.ID && host.Home != f.folders.Data:
		return datadir.Home(""), false, nil
	}
	return datadir.Home(host.Home), true, nil
}

// Seconds returns the timeline of a run from second after+1 on.
func (f *Reader) Seconds(ctx context.Context, run string, after int) ([]measure.Second, error) {
	if known, here := f.live.After(run, after); here {
		return known, nil
	}
	var list []measure.Second
	err := f.inBucket(ctx, run, func(ctx context.Context, bucket *rendezvous.Bucket) (err error) {
		list, err = rendezvous.Seconds(ctx, bucket, run, after)
		return err
	})
	return list, err
}

// Tail returns the newer seconds of a run that another server drives, and none
// of one that is driven here.
func (f *Reader) Tail(ctx context.Context, run string, after int) ([]measure.Second, error) {
	if _, here := f.live.After(run, after); here {
		return nil, nil
	}
	h, seen, err := f.HomeOf(ctx, run)
	if err != nil || seen && h == f.folders.Home() {
		return nil, err
	}
	return f.Seconds(ctx, run, after)
}

// Histograms returns the distributions of a run's measure stage so far.
func (f *Reader) Histograms(ctx context.Context, run string) (map[measure.Distribution]string, error) {
	var found map[measure.Distribution]string
	err := f.inBucket(ctx, run, func(ctx context.Context, bucket *rendezvous.Bucket) (err error) {
		found, err = rendezvous.Histograms(ctx, bucket, run)
		return err
	})
	return found, err
}

// KeptTimeline returns every second of a run that was collected: from the bucket,
// or from the result of an earlier version, which carries them inside.
// [experiment.ErrUnavailable] when the bucket can't be read now.
func (f *Reader) KeptTimeline(ctx context.Context, r experiment.Run) ([]measure.Second, error) {
	m, err := measure.ReadMerged(r.Result)
	if err != nil || m.Timeline != nil {
		return m.Timeline, err
	}
	return kept(ctx, f, r.ID, rendezvous.TimelineObject, rendezvous.KeptTimeline)
}

// KeptHistograms returns the V2-encoded distributions of a run that was collected,
// like [Reader.KeptTimeline].
func (f *Reader) KeptHistograms(ctx context.Context, r experiment.Run) (map[measure.Distribution]string, error) {
	m, err := measure.ReadMerged(r.Result)
	if err != nil || m.Histograms != nil {
		return m.Histograms, err
	}
	return kept(ctx, f, r.ID, rendezvous.HistogramsObject, rendezvous.KeptHistograms)
}

// kept reads an object that was stored when a run was collected.
func kept[T any](ctx context.Context, f *Reader, run, object string,
	read func(ctx context.Context, b *rendezvous.Bucket, run string) (T, bool, error)) (v T, err error) {
	ctx, cancel := context.WithTimeout(ctx, bucketTime)
	defer cancel()
	bucket, release, err := f.BucketOf(ctx, run)
	if err != nil {
		return v, fmt.Errorf("%s of run %s %w: %w", object, run, experiment.ErrUnavailable, err)
	}
	defer release()
	v, found, err := read(ctx, bucket, run)
	switch {
	case err != nil:
		return v, fmt.Errorf("%s of run %s %w: %w", object, run, experiment.ErrUnavailable, err)
	case !found:
		return v, fmt.Errorf("%s of run %s %w: %s does not have it", object, run, experiment.ErrUnavailable, bucket)
	}
	return v, nil
}

// LoadStart returns when second 0 of a run began; the zero time before.
func (f *Reader) LoadStart(ctx context.Context, run string) (time.Time, error) {
	var start time.Time
	err := f.inBucket(ctx, run, func(ctx context.Context, bucket *rendezvous.Bucket) (err error) {
		start, err = rendezvous.LoadStart(ctx, bucket, run)
		return err
	})
	return start, err
}

// bucketTime is how long somebody who looks at a run may wait for the bucket.
const bucketTime = 10 * time.Second

// inBucket calls do with the bucket that has a run. It does not when nothing of
// the run is known here.
func (f *Reader) inBucket(ctx context.Context, run string, do func(context.Context, *rendezvous.Bucket) error) error {
	ctx, cancel := context.WithTimeout(ctx, bucketTime)
	defer cancel()
	bucket, release, err := f.BucketOf(ctx, run)
	if errors.Is(err, ErrElsewhere) {
		return nil
	} else if err != nil {
		return err
	}
	defer release()
	return do(ctx, bucket)
}

// ErrElsewhere says that a run's bucket is another machine's, or gone with its
// data folder.
var ErrElsewhere = errors.New("the bucket of the run is not on this machine")

// BucketOf returns the bucket that has a run, until release is called: the one that
// all servers share, or that of the run's data folder; [ErrElsewhere] when that is
// not on this machine.
func (f *Reader) BucketOf(ctx context.Context, run string) (b *rendezvous.Bucket, release func(), err error) {
	if f.folders.SharedBucket() {
		return f.bucket, func() {}, nil
	}
	h, seen, err := f.HomeOf(ctx, run)
	switch {
	case err != nil:
		return nil, nil, err
	case !seen:
		return nil, nil, ErrElsewhere
	case h == f.folders.Home():
		return f.bucket, func() {}, nil
	}
	if _, err := os.Stat(h.Bucket()); errors.Is(err, fs.ErrNotExist) { // it is not made by looking
		return nil, nil, ErrElsewhere
	}
	b, err = rendezvous.OpenBucket(ctx, rendezvous.FolderURL(h.Bucket()))
	return b, func() { b.Close() }, err
}

// Forget removes what is kept of a deleted run. What the bucket does not let go is
// removed later.
func (f *Reader) Forget(ctx context.Context, run string) error {
	if !runID.MatchString(run) {
		return fmt.Errorf("forget run %q: not an id", run)
	}
	h := f.folders.Home()
	for _, folder := range []string{h.Staged(run), filepath.Join(h.Runs(), run)} {
		if err := os.RemoveAll(folder); err != nil {
			return fmt.Errorf("forget run %s: %w", run, err)
		}
	}
	ctx, cancel := context.WithTimeout(ctx, bucketTime)
	defer cancel()
	if err := f.bucket.Remove(ctx, run); err != nil {
		return errors.Join(fmt.Errorf("forget run %s: %w; trying again", run, err), h.MarkDeleted(run))
	}
	return nil
}
