package rendezvous

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"time"

	"gocloud.dev/blob"
	"golang.org/x/sync/errgroup"
)

// ErrExists says that an object was there already. Nothing was written.
var ErrExists = errors.New("the object already exists")

// Folder is the part of a bucket that belongs to a run. Its
// methods may be called from several goroutines.
type Folder struct {
	bucket *Bucket
	prefix string
}

// NewFolder returns the folder of a run.
func NewFolder(bucket *Bucket, run string) Folder {
	return Folder{bucket: bucket, prefix: runPrefix(run) + "1/"}
}

// runPrefix begins the keys of all that belongs to a run. Below it is the version of
// the layout, 1.
func runPrefix(run string) string { return "runs/" + run + "/" }

// Put writes an object whole. An object that is there already is left as it is,
// with [ErrExists].
//
// S3 decides who was first. A folder looks for the object and then renames over
// its name, which are two operations: the protocol has one writer per object,
// except for steps, whose writers are servers, of which the data folder's lock
// admits one.
func (f Folder) Put(ctx context.Context, name string, v any) error {
	return f.putMade(ctx, name, func() any { return v })
}

// putMade is Put of what is made anew for each try.
func (f Folder) putMade(ctx context.Context, name string, make func() any) error {
	var data []byte
	tries := 0
	err := f.bucket.try(ctx, "write "+name, 0, func(ctx context.Context) (err error) {
		if data, err = json.Marshal(make()); err != nil {
			return fmt.Errorf("encode: %w", err)
		}
		tries++
		// The content type is given because it would otherwise be guessed from the content.
		return f.bucket.blob.WriteAll(ctx, f.prefix+name, data, &blob.WriterOptions{ContentType: "application/json", IfNotExist: true})
	})
	if !taken(err) {
		return err
	}
	if tries > 1 { // an earlier try may have been done, and its answer lost
		var there json.RawMessage
		if err := f.Get(ctx, name, &there); err == nil && bytes.Equal(there, data) {
			return nil
		}
	}
	return fmt.Errorf("write %s: %w", name, ErrExists)
}

// Get reads an object into v; [fs.ErrNotExist] when it is not there (yet).
func (f Folder) Get(ctx context.Context, name string, v any) error {
	var data []byte
	err := f.bucket.try(ctx, "read "+name, 0, func(ctx context.Context) (err error) {
		data, err = f.bucket.blob.ReadAll(ctx, f.prefix+name)
		return err
	})
	if missing(err) {
		return fmt.Errorf("read %s: %w", name, fs.ErrNotExist)
	}
	if err != nil {
		return err
	}
	if err := json.Unmarshal(data, v); err != nil {
		return fmt.Errorf("decode %s: %w", name, err)
	}
	return nil
}

// Find reads an object into v and reports whether it is there.
func (f Folder) Find(ctx context.Context, name string, v any) (bool, error) {
	err := f.Get(ctx, name, v)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	return err == nil, err
}

// Await reads an object into v as soon as it is there, looking every so often.
func (f Folder) Await(ctx context.Context, every time.Duration, name string, v any) error {
	for {
		found, err := f.Find(ctx, name, v)
		if found || err != nil {
			return err
		}
		if err := sleep(ctx, every); err != nil {
			return fmt.Errorf("waiting for %s: %w", name, err)
		}
	}
}

// window is how many seconds of an agent are read at once.
const window = 16

// progress reads the seconds of an agent from second n on, at most so many, all
// at once, and returns those before the first that is not there.
func (f Folder) progress(ctx context.Context, agent string, n, most int) ([]Progress, error) {
	read, found := make([]Progress, most), make([]bool, most)
	g, ctx := errgroup.WithContext(ctx)
	for i := range read {
		g.Go(func() (err error) {
			found[i], err = f.Find(ctx, ProgressObject(agent, n+i), &read[i])
			return err
		})
	}
	if err := g.Wait(); err != nil {
		return nil, err
	}
	for i, there := range found {
		if !there {
			return read[:i], nil
		}
	}
	return read, nil
}

// sleep returns after d, or with the cause of ctx's end.
func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-timer.C:
		return nil
	}
}
