package evidence

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"dec.local/dec/internal/datadir"
	"dec.local/dec/internal/experiment"
	"dec.local/dec/internal/rendezvous"
)

// Archiver moves what is kept of runs that have ended into the bucket: output of
// their services, OpenTofu's, and the server's own log of them. Until then it is
// staged in the data folder, where the processes of a run write. Each file goes
// as a whole and is removed once it is there; what can't go yet, because the
// bucket is away, stays and is tried again, also by the next server.
type Archiver struct {
	reader *Reader
	logs   *RunLogs
	logger *slog.Logger
	wake   chan struct{} // a run may have ended

	pass sync.Mutex // one at a time

	mu     sync.Mutex                // protects the following
	others map[datadir.Home]struct{} // data folders of this machine with runs that were taken over
}

// NewArchiver returns an archiver of the runs that the reader reads; logs are the
// server's own logs of them.
func NewArchiver(r *Reader, logs *RunLogs, logger *slog.Logger) *Archiver {
	return &Archiver{reader: r, logs: logs, logger: logger, wake: make(chan struct{}, 1), others: map[datadir.Home]struct{}{}}
}

// archiveEvery is how often staged files are looked for, unless woken.
const archiveEvery = time.Minute

// lastArchive is how long the end of a process may be held up.
const lastArchive = 30 * time.Second

// uploads is how many files go at once.
const uploads = 4

func (a *Archiver) own() datadir.Home { return a.reader.folders.Home() }

// Wake says that a run may have ended. It never blocks.
func (a *Archiver) Wake() {
	select {
	case a.wake <- struct{}{}:
	default:
	}
}

// Include looks after another data folder as well.
func (a *Archiver) Include(h datadir.Home) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if h != a.own() {
		a.others[h] = struct{}{}
	}
}

// Run archives until ctx ends.
func (a *Archiver) Run(ctx context.Context) {
	ticker := time.NewTicker(archiveEvery)
	defer ticker.Stop()
	for {
		a.all(ctx)
		select {
		case <-ctx.Done():
			return
		case <-a.wake:
		case <-ticker.C:
		}
	}
}

// Last archives before the process ends.
func (a *Archiver) Last(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), lastArchive)
	defer cancel()
	a.all(ctx)
}

// all archives what is staged. A failure that is not of a file is the bucket's and
// ends the pass.
func (a *Archiver) all(ctx context.Context) {
	a.pass.Lock()
	defer a.pass.Unlock()
	a.mu.Lock()
	homes := []datadir.Home{a.own()}
	for h := range a.others {
		homes = append(homes, h)
	}
	a.mu.Unlock()
	for _, h := range homes {
		entries, err := os.ReadDir(h.Staging())
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			a.logger.Warn("cannot read the staged evidence of runs", "folder", h.Staging(), "error", err)
		}
		for _, entry := range entries {
			// No attribute "run": the line would be staged itself.
			if err := a.one(ctx, h, entry.Name()); err != nil {
				if ctx.Err() != nil {
					return
				}
				a.logger.Warn("cannot move a run's evidence to the bucket; trying again", "folder", h.Staged(entry.Name()), "error", err)
				if _, local := errors.AsType[*fs.PathError](err); !local {
					return
				}
			}
		}
	}
}

// one archives a run if it has ended and nothing of it may still write.
func (a *Archiver) one(ctx context.Context, h datadir.Home, id string) error {
	run, err := a.reader.store.Run(ctx, id)
	if errors.Is(err, experiment.ErrNotFound) {
		return a.forget(ctx, h, id)
	}
	if err != nil || run.Phase != experiment.PhaseEnded || run.Teardown == experiment.TeardownLeaked {
		return err
	}
	if h == a.own() {
		if err := a.logs.seal(id); err != nil {
			return err
		}
	}
	files, err := stagedFiles(h.Staged(id))
	if err != nil {
		return err
	}
	bucket, release, err := a.reader.BucketOf(ctx, id)
	if errors.Is(err, ErrElsewhere) {
		bucket, release = a.reader.bucket, func() {} // better here than nowhere
	} else if err != nil {
		return err
	}
	defer release()
	folder := rendezvous.NewFolder(bucket, id)
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(uploads)
	for name, path := range files {
		if name == openLog {
			continue // it was begun just now
		}
		g.Go(func() error {
			if err := folder.Save(ctx, name, path); err != nil {
				return err
			}
			return os.Remove(path)
		})
	}
	if err := g.Wait(); err != nil {
		return err
	}
	if h == a.own() { // what is empty in another one, its own server removes
		a.logs.clear(id)
	}
	return nil
}

// forget removes a run from the bucket that was deleted when the bucket was away.
// A run that this database does not know for another reason is left alone.
func (a *Archiver) forget(ctx context.Context, h datadir.Home, run string) error {
	if !h.MarkedDeleted(run) {
		return nil
	}
	if err := a.reader.bucket.Remove(ctx, run); err != nil {
		return err
	}
	return os.RemoveAll(h.Staged(run))
}

// stagedFiles are the files below a folder, by their names in the bucket. There
// are none when there is no folder.
func stagedFiles(root string) (map[string]string, error) {
	files := map[string]string{}
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) {
			return nil // archived meanwhile
		}
		if err != nil || !entry.Type().IsRegular() {
			return err
		}
		name, err := filepath.Rel(root, path)
		files[filepath.ToSlash(name)] = path
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("evidence of a run: %w", err)
	}
	return files, nil
}

// removeEmpty removes a folder and those in it as far as they are empty.
func removeEmpty(root string) {
	entries, err := os.ReadDir(root)
	if err != nil {
		return
	}
	for _, entry := range entries {
		if entry.IsDir() {
			removeEmpty(filepath.Join(root, entry.Name()))
		}
	}
	_ = os.Remove(root) // an error says that it is not empty
}
