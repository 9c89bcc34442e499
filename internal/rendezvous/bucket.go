package rendezvous

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/s3"
	"gocloud.dev/blob"
	"gocloud.dev/blob/fileblob"
)

// Bucket is where server and agents meet: a folder, or a bucket on S3. Its
// methods may be called from several goroutines.
//
// What may pass is tried again, as [BucketOptions].Patience says: a network that
// fails, a server that is busy or away. What will not pass is an error at once: a
// bucket that does not exist, a key that is refused.
type Bucket struct {
	blob     *blob.Bucket
	at       location
	client   *s3.Client // nil for a folder
	patience time.Duration
	trouble  atomic.Int64 // when a try failed last that may be repeated; nanoseconds of the wall clock, 0 for never
}

// BucketOptions configures a [Bucket]; every zero value means the stated default.
type BucketOptions struct {
	// Credentials are what [Bucket.Credentials] of another process gave. If
	// empty they come from where the AWS SDK looks: the environment, a profile,
	// the role of the machine.
	Credentials json.RawMessage
	Patience    time.Duration     // how long an operation is tried again; 2 min if zero
	Transport   http.RoundTripper // carries requests to S3, for tests; HTTP if nil
}

// OpenBucket opens the bucket at a URL, with the defaults of [BucketOptions]:
//
//	file:///absolute/folder
//	s3://name/prefix?region=eu-central-1
//	s3://name?endpoint=http://127.0.0.1:9000&path_style=true
//
// A folder is made when it is not there; temporary files lie beside their
// objects, so that the final rename never crosses a file system, and no file
// carries metadata. A bucket on S3 is not asked for anything yet; see
// [Bucket.Check]. The caller closes the bucket.
func OpenBucket(ctx context.Context, rawURL string) (*Bucket, error) {
	return OpenBucketWith(ctx, rawURL, BucketOptions{})
}

// OpenBucketWith is [OpenBucket] with options.
func OpenBucketWith(ctx context.Context, rawURL string, o BucketOptions) (*Bucket, error) {
	at, err := parseLocation(rawURL)
	if err != nil {
		return nil, err
	}
	b := &Bucket{at: at, patience: cmp.Or(o.Patience, 2*time.Minute)}
	if at.folder == "" {
		if err := b.openS3(ctx, o); err != nil {
			return nil, err
		}
		return b, nil
	}
	b.blob, err = fileblob.OpenBucket(at.folder, &fileblob.Options{
		CreateDir: true,
		NoTempDir: true,
		Metadata:  fileblob.MetadataDontWrite,
	})
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", at, err)
	}
	return b, nil
}

// URL is where the bucket is, complete: another process needs nothing else to
// find it, but credentials.
func (b *Bucket) URL() string { return b.at.url() }

// String names the bucket for people.
func (b *Bucket) String() string { return b.at.String() }

// Pace is how often to look for an object where a look costs little every so often:
// on S3 a third as often, for there each look costs money.
func (b *Bucket) Pace(often time.Duration) time.Duration {
	if b.client == nil {
		return often
	}
	return 3 * often
}

// Close releases the bucket.
func (b *Bucket) Close() error { return b.blob.Close() }

// troubleAt is when the bucket could not be reached last; the zero time if it
// always could.
func (b *Bucket) troubleAt() time.Time {
	if at := b.trouble.Load(); at != 0 {
		return time.Unix(0, at)
	}
	return time.Time{}
}
