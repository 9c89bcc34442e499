package rendezvous

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"time"

	"gocloud.dev/blob"
)

// checkTime is how long a bucket that does not answer is asked.
const checkTime = 5 * time.Second

// Check reports whether the bucket can be used: an object is written, found again,
// not replaced by a second write, listed and deleted. Its error says what to do.
func (b *Bucket) Check(ctx context.Context) error {
	ctx, cancel := context.WithTimeoutCause(ctx, checkTime, fmt.Errorf("no success within %s", checkTime))
	defer cancel()
	if _, _, err := b.Credentials(ctx); err != nil {
		return err
	}
	probe, name := Folder{bucket: b}, "probe-"+rand.Text()
	if err := probe.Put(ctx, name, name); err != nil {
		return fmt.Errorf("check %s: %w", b.at, err)
	}
	err := b.checkProbe(ctx, probe, name)
	deleted := b.try(ctx, "delete "+name, 0, func(ctx context.Context) error { return b.blob.Delete(ctx, name) })
	if err := errors.Join(err, deleted); err != nil {
		return fmt.Errorf("check %s: %w", b.at, err)
	}
	return nil
}

// checkProbe looks at the object that was written.
func (b *Bucket) checkProbe(ctx context.Context, probe Folder, name string) error {
	switch err := probe.Put(ctx, name, "another"); {
	case err == nil:
		return errors.New("a second write replaced the first: the server does not support If-None-Match, " +
			"which S3 has had since 2024; use a newer version")
	case !errors.Is(err, ErrExists):
		return err
	}
	var got string
	if err := probe.Get(ctx, name, &got); err != nil {
		return err
	}
	if got != name {
		return fmt.Errorf("%q was written, but %q was read back", name, got)
	}
	if _, err := probe.Find(ctx, name+"-not", &got); err != nil {
		return fmt.Errorf("a missing object must be reported as missing; for that S3 requires the permission s3:ListBucket: %w", err)
	}
	listed, err := probe.List(ctx, name)
	if err == nil && len(listed) != 1 {
		err = fmt.Errorf("the listing has %d objects, but one was written", len(listed))
	}
	return err
}

// Keys returns the key of every object in the bucket, for tests and the curious.
// The cost grows with the bucket.
func (b *Bucket) Keys(ctx context.Context) ([]string, error) {
	var keys []string
	err := b.list(ctx, "", func(o *blob.ListObject) error {
		keys = append(keys, o.Key)
		return nil
	})
	return keys, err
}
