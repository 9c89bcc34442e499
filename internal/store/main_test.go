package store_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"testing"
	"time"

	"go.uber.org/goleak"

	"dec.local/dec/internal/experiment"
	"dec.local/dec/internal/store"
	"dec.local/dec/internal/store/pgtest"
)

// ctx is that of processes that end only by being done or killed.
var ctx = context.Background()

func TestMain(m *testing.M) {
	switch os.Getenv("STORE_TEST_PROCESS") {
	case "writer":
		os.Exit(process(write))
	case "claimer":
		os.Exit(process(claim))
	}
	goleak.VerifyTestMain(m, goleak.Cleanup(func(code int) {
		pgtest.Stop()
		os.Exit(code)
	}))
}

// process runs do on the database that the environment names.
func process(do func(*store.Store) error) int {
	s, err := store.Open(ctx, os.Getenv("STORE_TEST_DATABASE"), store.Options{})
	if err == nil {
		err = errors.Join(do(s), s.Close())
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

// write writes the audit log until it is killed, and says of each entry that it
// is stored.
func write(s *store.Store) error {
	for n := 1; ; n++ {
		if err := s.Audit(ctx, experiment.AuditEntry{By: os.Getenv("STORE_TEST_BY"), Object: fmt.Sprint(n)}); err != nil {
			return err
		}
		fmt.Println(n)
	}
}

// claim claims until nothing is left.
func claim(s *store.Store) error {
	for {
		run, _, err := s.Claim(ctx, fmt.Sprint(os.Getpid()), experiment.Host{}, time.Hour)
		if errors.Is(err, experiment.ErrNotFound) {
			return nil
		} else if err != nil {
			return err
		}
		fmt.Println(run.ID)
	}
}
