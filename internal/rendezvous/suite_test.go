package rendezvous_test

import (
	"errors"
	"sync"
	"sync/atomic"
	"testing"

	"dec.local/dec/internal/rendezvous"
	"dec.local/dec/internal/rendezvous/buckettest"
)

func TestSuiteOnAFolder(t *testing.T) { buckettest.Run(t, buckettest.Folder) }

func TestSuiteOnS3(t *testing.T) {
	for name, prefix := range map[string]string{"the whole bucket": "", "a part of a bucket": "team/dec"} {
		t.Run(name, func(t *testing.T) {
			buckettest.Run(t, func(t testing.TB) *rendezvous.Bucket { return buckettest.NewServer(t).Open(t, prefix) })
		})
	}
}

// TestOneOfManyWritesWins writes the same object from everywhere at once. Only S3
// promises it; see [rendezvous.Folder.Put].
func TestOneOfManyWritesWins(t *testing.T) {
	folder := rendezvous.NewFolder(buckettest.NewServer(t).Open(t, ""), "r1")
	var won atomic.Int64
	var wg sync.WaitGroup
	for n := range 32 {
		wg.Go(func() {
			switch err := folder.Put(t.Context(), "steps/0.json", n); {
			case err == nil:
				won.Add(1)
			case !errors.Is(err, rendezvous.ErrExists):
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if won.Load() != 1 {
		t.Errorf("%d writers have won, want 1", won.Load())
	}
}
