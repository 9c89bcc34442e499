package rendezvous

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"path/filepath"
	"time"

	"gocloud.dev/blob"
	"gocloud.dev/blob/fileblob"
	"gocloud.dev/gcerrors"
)

// ErrExists says that an object was there already. Nothing was written.
var ErrExists = errors.New("the object exists already")

// OpenBucket opens the bucket at a URL of the form file:///absolute/folder,
// which is made when it is not there. Temporary files lie beside their objects,
// so that the final rename never crosses a file system, and no file carries
// metadata. The caller closes the bucket.
func OpenBucket(_ context.Context, rawURL string) (*blob.Bucket, error) {
	u, err := url.Parse(rawURL)
	if err != nil {
		return nil, fmt.Errorf("bucket %q: %w", rawURL, err)
	}
	if u.Scheme != "file" || u.Host != "" || !filepath.IsAbs(u.Path) {
		return nil, fmt.Errorf("bucket %q: write file:/// and an absolute folder", rawURL)
	}
	bucket, err := fileblob.OpenBucket(u.Path, &fileblob.Options{
		CreateDir: true,
		NoTempDir: true,
		Metadata:  fileblob.MetadataDontWrite,
	})
	if err != nil {
		return nil, fmt.Errorf("open bucket %q: %w", rawURL, err)
	}
	return bucket, nil
}

// Names of objects in a [Folder].
const (
	PlanObject     = "plan.json"
	PreparedObject = "prepared.json"
	ResultObject   = "result.json"
)

// HelloObject is the name of an agent's [Hello].
func HelloObject(agent string) string { return "agents/" + agent + "/hello.json" }

// FailedObject is the name of an agent's [Failed].
func FailedObject(agent string) string { return "agents/" + agent + "/failed.json" }

// AgentResultObject is the name of an agent's result.
func AgentResultObject(agent string) string { return "agents/" + agent + "/result.json" }

// ProgressObject is the name of an agent's [Progress] in second n, from 0.
func ProgressObject(agent string, n int) string {
	return fmt.Sprintf("agents/%s/progress/%06d.json", agent, n)
}

// StepObject is the name of [Step] n.
func StepObject(n int) string { return fmt.Sprintf("steps/%d.json", n) }

// Folder is the part of a bucket that belongs to one epoch of a run. Its
// methods may be called from several goroutines.
type Folder struct {
	bucket *blob.Bucket
	prefix string
}

// NewFolder returns the folder of one epoch of a run.
func NewFolder(bucket *blob.Bucket, run string, epoch int) Folder {
	return Folder{bucket: bucket, prefix: fmt.Sprintf("runs/%s/%d/", run, epoch)}
}

// Put writes an object whole. An object that is there already is left as it is,
// with [ErrExists].
//
// A file bucket looks for the object and then renames over its name, which are
// two operations: the protocol has one writer per object, except for steps,
// whose writers are servers, of which the data folder's lock admits one.
func (f Folder) Put(ctx context.Context, name string, v any) error {
	data, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("encode %s: %w", name, err)
	}
	return f.put(ctx, name, data)
}

func (f Folder) put(ctx context.Context, name string, data []byte) error {
	// The content type is given because it would otherwise be guessed from the content.
	err := f.bucket.WriteAll(ctx, f.prefix+name, data, &blob.WriterOptions{
		ContentType: "application/json",
		IfNotExist:  true,
	})
	if gcerrors.Code(err) == gcerrors.FailedPrecondition {
		return fmt.Errorf("write %s: %w", name, ErrExists)
	}
	if err != nil {
		return fmt.Errorf("write %s: %w", name, err)
	}
	return nil
}

// Get reads an object into v; [fs.ErrNotExist] when it is not there (yet).
func (f Folder) Get(ctx context.Context, name string, v any) error {
	data, err := f.bucket.ReadAll(ctx, f.prefix+name)
	if gcerrors.Code(err) == gcerrors.NotFound {
		return fmt.Errorf("read %s: %w", name, fs.ErrNotExist)
	}
	if err != nil {
		return fmt.Errorf("read %s: %w", name, err)
	}
	if err := json.Unmarshal(data, v); err != nil {
		return fmt.Errorf("decode %s: %w", name, err)
	}
	return nil
}

// Find reads an object into v and says whether it is there.
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
