package rendezvous_test

import (
	"context"
	"errors"
	"io/fs"
	"strings"
	"sync"
	"testing"
	"time"

	"dec.local/dec/internal/rendezvous"
)

func TestOpenBucketRefusesOtherURLs(t *testing.T) {
	tests := map[string]string{
		"a relative folder": "file://bucket",
		"another scheme":    "s3://bucket",
		"no scheme":         "/tmp/bucket",
		"nothing":           "",
		"not a URL":         "file://\x00",
	}
	for name, url := range tests {
		t.Run(name, func(t *testing.T) {
			if bucket, err := rendezvous.OpenBucket(t.Context(), url); err == nil {
				bucket.Close()
				t.Errorf("OpenBucket(%q) = nil error, want one", url)
			}
		})
	}
}

func TestFolderKeepsTheFirstObject(t *testing.T) {
	folder := rendezvous.NewFolder(openBucket(t), "r1", 1)
	if err := folder.Put(t.Context(), "a/b.json", 1); err != nil {
		t.Fatal(err)
	}
	if err := folder.Put(t.Context(), "a/b.json", 2); !errors.Is(err, rendezvous.ErrExists) {
		t.Errorf("Put() again = %v, want %v", err, rendezvous.ErrExists)
	}
	var got int
	if err := folder.Get(t.Context(), "a/b.json", &got); err != nil || got != 1 {
		t.Errorf("Get() = %d, %v, want 1", got, err)
	}
	if err := folder.Get(t.Context(), "a/c.json", &got); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("Get() of nothing = %v, want %v", err, fs.ErrNotExist)
	}
	other := rendezvous.NewFolder(openBucket(t), "r1", 2)
	if found, err := other.Find(t.Context(), "a/b.json", &got); found || err != nil {
		t.Errorf("Find() in another epoch = %t, %v, want false", found, err)
	}
}

// TestFolderNeverShowsHalfAnObject reads an object, by name, as long as it is
// being written again and again: it is absent or whole.
func TestFolderNeverShowsHalfAnObject(t *testing.T) {
	bucket := openBucket(t)
	folder := rendezvous.NewFolder(bucket, "r1", 1)
	want := strings.Repeat("x", 1<<20)
	var wg sync.WaitGroup
	defer wg.Wait()
	for n := range 20 {
		wg.Go(func() {
			if err := folder.Put(context.Background(), rendezvous.StepObject(n), want); err != nil {
				t.Error(err)
			}
		})
		var got string
		if err := folder.Await(t.Context(), time.Microsecond, rendezvous.StepObject(n), &got); err != nil || got != want {
			t.Errorf("Await() = %d bytes, %v, want %d", len(got), err, len(want))
		}
	}
}

func TestFolderWritesNothingWhenCancelled(t *testing.T) {
	folder := rendezvous.NewFolder(openBucket(t), "r1", 1)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := folder.Put(ctx, "a.json", 1); !errors.Is(err, context.Canceled) {
		t.Errorf("Put() = %v, want %v", err, context.Canceled)
	}
	var got int
	if found, err := folder.Find(t.Context(), "a.json", &got); found || err != nil {
		t.Errorf("Find() = %t, %v, want false", found, err)
	}
}
