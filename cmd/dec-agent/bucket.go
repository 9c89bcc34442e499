package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"dec.local/dec/internal/rendezvous"
)

// bucketFile is where the server has put the credentials of the bucket, as
// internal/tofu says. Where there is none, the bucket needs none, or the machine
// has a role.
const bucketFile = "bucket.json"

// openBucket opens the bucket in which the agent meets the server.
func openBucket(ctx context.Context, url string) (*rendezvous.Bucket, error) {
	credentials, err := os.ReadFile(bucketFile)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("read the credentials of the bucket: %w", err)
	}
	return rendezvous.OpenBucketWith(ctx, url, rendezvous.BucketOptions{Credentials: credentials})
}
