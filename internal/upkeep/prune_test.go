package upkeep_test

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"dec.local/dec/internal/experiment"
	"dec.local/dec/internal/upkeep"
)

// old are experiments that ended long ago.
type old struct {
	t   *testing.T
	log text

	mu        sync.Mutex       // protects the following
	runs      []experiment.Run // that the next look removes from the database
	err       error            // of the next look
	stuck     string           // run whose files can't be removed
	looks     []time.Duration  // when they came, from the start
	forgotten []string
}

// pruner keeps everything for so long.
func (o *old) pruner(keep time.Duration) *upkeep.Pruner {
	began := time.Now()
	return &upkeep.Pruner{
		Keep: keep, Logger: slog.New(slog.NewTextHandler(&o.log, nil)),
		Prune: func(_ context.Context, before time.Duration) ([]experiment.Run, error) {
			o.mu.Lock()
			defer o.mu.Unlock()
			if before != keep {
				o.t.Errorf("what ended %s ago is to be removed, want %s", before, keep)
			}
			o.looks = append(o.looks, time.Since(began))
			runs, err := o.runs, o.err
			o.runs, o.err = nil, nil
			return runs, err
		},
		Forget: func(_ context.Context, run string) error {
			o.mu.Lock()
			defer o.mu.Unlock()
			if run == o.stuck {
				return errors.New("the bucket is away")
			}
			o.forgotten = append(o.forgotten, run)
			return nil
		},
	}
}

func TestPrunerRemovesWhatEndedLongAgo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := &old{t: t, runs: []experiment.Run{{ID: "r1"}, {ID: "r2"}, {ID: "r3"}}, stuck: "r2"}
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan struct{})
		go func() { o.pruner(90 * 24 * time.Hour).Run(ctx); close(ended) }()
		synctest.Wait()
		o.mu.Lock()
		if diff := cmp.Diff([]string{"r1", "r3"}, o.forgotten); diff != "" {
			t.Errorf("forgotten at the start (-want +got):\n%s", diff)
		}
		if text := o.log.String(); !strings.Contains(text, "run=r2") || !strings.Contains(text, "the bucket is away") || !strings.Contains(text, "runs=3") {
			t.Errorf("log = %q, want what stays, and how many were removed", text)
		}
		o.runs, o.err = []experiment.Run{{ID: "r4"}}, errors.New("the database is away")
		o.mu.Unlock()
		time.Sleep(150 * time.Minute)
		cancel()
		<-ended
		if diff := cmp.Diff([]time.Duration{0, time.Hour, 2 * time.Hour}, o.looks); diff != "" {
			t.Errorf("looks (-want +got):\n%s", diff)
		}
		if diff := cmp.Diff([]string{"r1", "r3", "r4"}, o.forgotten); diff != "" {
			t.Errorf("forgotten, although the look went wrong (-want +got):\n%s", diff)
		}
		if text := o.log.String(); !strings.Contains(text, "the database is away") || strings.Count(text, "removed old experiments") != 2 {
			t.Errorf("log = %q, want what went wrong, and two removals", text)
		}
	})
}

func TestWithoutALimitEverythingIsKept(t *testing.T) {
	for _, keep := range []time.Duration{0, -time.Hour} {
		o := &old{t: t}
		o.pruner(keep).Run(t.Context()) // returns at once
		if len(o.looks) > 0 {
			t.Errorf("with %s there were looks after %v, want none", keep, o.looks)
		}
	}
}
