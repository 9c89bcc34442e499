package phases_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"dec.local/dec/internal/experiment"
)

// TestEachRunIsWatchedAndVerifiedOnItsOwnTarget has objects on two.
func TestEachRunIsWatchedAndVerifiedOnItsOwnTarget(t *testing.T) {
	for name, apart := range map[string]string{"shared": "1s", "cloud": "1m0s"} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := newFixture(t)
				places := map[string]*place{"shared": f.shared.place, "cloud": f.cloud}
				for name, p := range places {
					p.objects = []experiment.Object{{Kind: "process", ID: name + "-1", Run: run}, {Kind: "process", ID: name + "-2", Run: "r000000000"}}
				}
				a := assignment(name)
				r := a.Run
				if err := f.Watcher.Watch(t.Context(), a); err == nil || err.Error() != "broker-0 of "+run+" has ended on "+name {
					t.Errorf("Watch() = %v, want what has ended there", err)
				}
				receipt, err := f.Verifier.Verify(t.Context(), r)
				if err != nil || len(receipt.Objects) != 1 || receipt.Objects[0].ID != name+"-1" || !strings.Contains(receipt.Statement, "sweeps "+apart+" apart") {
					t.Errorf("Verify() = %+v, %v, want its object removed, and sweeps %s apart", receipt, err, apart)
				}
				for of, p := range places {
					want := 2
					if of == name {
						want = 1
					}
					if len(p.objects) != want {
						t.Errorf("%s has %v, want %d objects", of, p.objects, want)
					}
				}
			})
		})
	}
}

func TestATargetThatIsUnknownIsAnError(t *testing.T) {
	f := newFixture(t)
	a := assignment("gone")
	r := a.Run
	_, verified := f.Verifier.Verify(t.Context(), r)
	for call, err := range map[string]error{"Watch": f.Watcher.Watch(t.Context(), a), "Verify": verified} {
		if !errors.Is(err, experiment.ErrNotFound) || !strings.Contains(err.Error(), `target "gone"`) {
			t.Errorf("%s() = %v, want an error that names the target", call, err)
		}
	}
	if len(f.archived) > 0 {
		t.Errorf("the archive looks after %v, want nothing", f.archived)
	}
}

// TestAReceiptStandsAlthoughFilesStay has something in the way of what is kept.
func TestAReceiptStandsAlthoughFilesStay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		attempt := filepath.Join(f.home.Attempts(run), "0001-plan")
		for _, folder := range []string{attempt, f.home.Staging()} {
			if err := os.MkdirAll(folder, 0o755); err != nil {
				t.Fatal(err)
			}
		}
		if err := os.WriteFile(filepath.Join(attempt, "stdout.log"), []byte("x\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(f.home.Staged(run), nil, 0o600); err != nil {
			t.Fatal(err)
		}
		receipt, err := f.Verifier.Verify(t.Context(), assignment("shared").Run)
		if err != nil || receipt.Statement == "" {
			t.Errorf("Verify() = %+v, %v, want a receipt", receipt, err)
		}
		if text := f.log.String(); !strings.Contains(text, "cannot keep OpenTofu's output") || !strings.Contains(text, "run="+run) {
			t.Errorf("log = %q, want a word on what is not kept", text)
		}
	})
}

// TestWhoWaitsToMeasureIsTold takes the measuring lock of a place away.
func TestWhoWaitsToMeasureIsTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		if len(f.Measuring) != 1 || f.Measuring["shared"] == nil {
			t.Fatalf("measuring locks of %v, want of the one place that has one", f.Measuring)
		}
		lock := f.Measuring["shared"]
		release, err := lock.LockMeasuring(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		// Who waits only for a moment is told nothing.
		time.AfterFunc(250*time.Millisecond, release)
		if release, err = lock.LockMeasuring(t.Context()); err != nil || len(f.notices) > 0 {
			t.Errorf("LockMeasuring() of a lock that is soon free = %v, and told %q", err, f.notices)
		}
		time.AfterFunc(time.Hour, release)
		began := time.Now()
		if release, err = lock.LockMeasuring(t.Context()); err != nil || time.Since(began) != time.Hour {
			t.Errorf("LockMeasuring() = %v after %s, want the lock after an hour", err, time.Since(began))
		}
		want := []string{"waiting: another measurement is under way on this target (ann's)"}
		if diff := cmp.Diff(want, f.notices); diff != "" {
			t.Errorf("notices (-want +got):\n%s", diff)
		}
		ctx, cancel := context.WithCancelCause(t.Context())
		cancelled := errors.New("cancelled by ann")
		time.AfterFunc(100*time.Millisecond, func() { cancel(cancelled) })
		if _, err := lock.LockMeasuring(ctx); !errors.Is(err, cancelled) {
			t.Errorf("LockMeasuring() of a run that is cancelled = %v, want %v", err, cancelled)
		}
		if len(f.notices) != 1 {
			t.Errorf("notices = %q, want none of a run that is cancelled before", f.notices)
		}
		release()
	})
}
