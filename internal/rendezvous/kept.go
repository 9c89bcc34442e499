package rendezvous

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"gocloud.dev/blob"
)

// Object is an object of a [Folder] as a list shows it.
type Object struct {
	Name string
	Size int64 // bytes
}

// Save writes a file as an object, whole. An object that is there already is
// left as it is, without an error: it was saved before.
func (f Folder) Save(ctx context.Context, name, path string) error {
	info, err := os.Stat(path)
	if err != nil {
		return fmt.Errorf("save %s: %w", name, err)
	}
	err = f.bucket.try(ctx, "save "+name, info.Size(), func(ctx context.Context) error {
		file, err := os.Open(path)
		if err != nil {
			return err
		}
		defer file.Close()
		return f.bucket.blob.Upload(ctx, f.prefix+name, file, &blob.WriterOptions{
			ContentType: "text/plain; charset=utf-8", IfNotExist: true, MaxConcurrency: 2, // each part is held in memory
		})
	})
	if taken(err) {
		return nil
	}
	return err
}

// List returns the objects whose names begin with under, in the order of their
// names.
func (f Folder) List(ctx context.Context, under string) ([]Object, error) {
	var list []Object
	err := f.bucket.list(ctx, f.prefix+under, func(o *blob.ListObject) error {
		list = append(list, Object{strings.TrimPrefix(o.Key, f.prefix), o.Size})
		return nil
	})
	return list, err
}

// ReadEnd reads at most so many bytes from the end of an object.
func (f Folder) ReadEnd(ctx context.Context, o Object, most int64) (text string, err error) {
	if o.Size == 0 { // no part of nothing can be asked for
		return "", nil
	}
	from := max(o.Size-most, 0)
	err = f.bucket.try(ctx, "read "+o.Name, most, func(ctx context.Context) error {
		r, err := f.bucket.blob.NewRangeReader(ctx, f.prefix+o.Name, from, o.Size-from, nil)
		if err != nil {
			return err
		}
		data, err := io.ReadAll(r)
		text = string(data)
		return errors.Join(err, r.Close())
	})
	return text, err
}

// Open reads an object from its beginning, whatever its size; the caller closes it.
// [fs.ErrNotExist] when there is none.
func (f Folder) Open(ctx context.Context, name string) (io.ReadCloser, error) {
	r, err := f.bucket.blob.NewReader(ctx, f.prefix+name, nil)
	switch {
	case err != nil && missing(err):
		return nil, fmt.Errorf("open %s: %w", name, fs.ErrNotExist)
	case err != nil:
		return nil, fmt.Errorf("open %s: %w", name, f.bucket.explain(err))
	}
	return r, nil
}

// pageSize is how many objects are listed or removed by one request to S3.
const pageSize = 1000

// list passes on every object whose key begins with prefix.
func (b *Bucket) list(ctx context.Context, prefix string, use func(*blob.ListObject) error) error {
	for token := blob.FirstPageToken; len(token) > 0; {
		var page []*blob.ListObject
		err := b.try(ctx, "list "+prefix, 0, func(ctx context.Context) error {
			got, next, err := b.blob.ListPage(ctx, token, pageSize, &blob.ListOptions{Prefix: prefix})
			if err == nil {
				page, token = got, next
			}
			return err
		})
		if err != nil {
			return err
		}
		for _, o := range page {
			if err := use(o); err != nil {
				return err
			}
		}
	}
	return nil
}

// Remove removes all that belongs to a run.
func (b *Bucket) Remove(ctx context.Context, run string) error {
	if b.client == nil { // with the folders, which are no objects
		if err := os.RemoveAll(filepath.Join(b.at.folder, filepath.FromSlash(runPrefix(run)))); err != nil {
			return fmt.Errorf("remove the objects of run %s from %s: %w", run, b.at, err)
		}
		return nil
	}
	var keys []types.ObjectIdentifier
	err := b.list(ctx, runPrefix(run), func(o *blob.ListObject) error {
		keys = append(keys, types.ObjectIdentifier{Key: aws.String(b.key(o.Key))})
		return nil
	})
	if err != nil {
		return err
	}
	for len(keys) > 0 {
		n := min(len(keys), pageSize)
		if err := b.delete(ctx, keys[:n]); err != nil {
			return fmt.Errorf("remove the objects of run %s from %s: %w", run, b.at, err)
		}
		keys = keys[n:]
	}
	return nil
}

// key is the key on S3 of one within the prefix.
func (b *Bucket) key(within string) string {
	if b.at.prefix == "" {
		return within
	}
	return b.at.prefix + "/" + within
}

// delete removes objects of S3 by one request.
func (b *Bucket) delete(ctx context.Context, keys []types.ObjectIdentifier) error {
	return b.try(ctx, "delete", 0, func(ctx context.Context) error {
		done, err := b.client.DeleteObjects(ctx, &s3.DeleteObjectsInput{
			Bucket: &b.at.bucket, Delete: &types.Delete{Objects: keys, Quiet: aws.Bool(true)},
		})
		if err != nil {
			return err
		}
		if len(done.Errors) > 0 {
			first := done.Errors[0]
			return fmt.Errorf("%d objects remain, such as %s: %s", len(done.Errors), aws.ToString(first.Key), aws.ToString(first.Message))
		}
		return nil
	})
}
