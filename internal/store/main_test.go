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
	goleak.VerifyTestMain(m)
}

// process runs do on the database that the environment names.
func process(do func(*store.Store) error) int {
	s, err := store.OpenSQLite(ctx, os.Getenv("STORE_TEST_DATABASE"), store.Options{})
	if err == nil {
		err = errors.Join(do(s), s.Close())
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

// write stores states until it is killed, and says of each that it is stored.
func write(s *store.Store) error {
	first, err := s.BeginAttempt(ctx, experiment.Attempt{Run: "e1-0", Kind: experiment.AttemptApply})
	if err != nil {
		return err
	}
	for serial := int64(1); ; serial++ {
		if err := s.SaveState(ctx, "e1-0", first, serial, fmt.Appendf(nil, "state %d", serial)); err != nil {
			return err
		}
		fmt.Println(serial)
	}
}

// claim claims until nothing is left.
func claim(s *store.Store) error {
	for {
		run, _, err := s.Claim(ctx, fmt.Sprint(os.Getpid()), time.Hour)
		if errors.Is(err, experiment.ErrNotFound) {
			return nil
		} else if err != nil {
			return err
		}
		fmt.Println(run.ID)
	}
}
