package reconcile_test

import (
	std "cmp"
	"context"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"dec.local/dec/internal/experiment"
	"dec.local/dec/internal/reconcile"
)

// target is an inventory in memory. The tests run in a synctest bubble, so
// pauses cost nothing.
type target struct {
	mu      sync.Mutex // protects the following
	objects []experiment.Object
	stuck   map[string]int   // by id: how many removals fail before one works
	sweeps  []time.Time      // when the run was listed
	onList  func(sweeps int) // called with the number of the list of the run
	listErr error
}

func (f *target) List(_ context.Context, run string) ([]experiment.Object, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.listErr != nil {
		return nil, f.listErr
	}
	if run != "" {
		f.sweeps = append(f.sweeps, time.Now())
		if f.onList != nil {
			f.onList(len(f.sweeps))
		}
	}
	var found []experiment.Object
	for _, o := range f.objects {
		if run == "" || o.Run == run {
			found = append(found, o)
		}
	}
	return found, nil
}

func (f *target) Remove(_ context.Context, o experiment.Object) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.stuck[o.ID] > 0 {
		f.stuck[o.ID]--
		return errors.New("it does not die")
	}
	f.objects = slices.DeleteFunc(f.objects, func(x experiment.Object) bool { return x.Kind == o.Kind && x.ID == o.ID })
	return nil
}

// ledger is what a run meant to do.
type ledger struct {
	created, deleted []experiment.Intent
	seconds          map[string]float64
	err              error
}

func (l *ledger) Created(context.Context, string) ([]experiment.Intent, error) {
	return l.created, l.err
}
func (l *ledger) Deleted(context.Context, string) ([]experiment.Intent, error) {
	return l.deleted, l.err
}
func (l *ledger) Seconds(context.Context, string) (map[string]float64, error) {
	return l.seconds, l.err
}

// attempts says which answers about live attempts are given, the last for ever.
type attempts struct {
	alive []bool
	err   error
}

func (a *attempts) Alive(context.Context, string) (bool, error) {
	if len(a.alive) == 0 {
		return false, a.err
	}
	alive := a.alive[0]
	if len(a.alive) > 1 {
		a.alive = a.alive[1:]
	}
	return alive, a.err
}

func intent(action, kind, id string) experiment.Intent {
	return experiment.Intent{Address: "dec_" + kind + "." + id, Action: action, Kind: kind, ID: id}
}

func object(run, kind, id string) experiment.Object {
	return experiment.Object{Run: run, Kind: kind, ID: id, Address: "dec_" + kind + "." + id}
}

func verifier(t interface{ Fatal(...any) }, inventory reconcile.Inventory, l reconcile.Intents, a reconcile.Attempts) *reconcile.Verifier {
	v, err := reconcile.New(reconcile.Options{Inventory: inventory, Intents: l, Attempts: a, Interval: time.Second, Tries: 4,
		Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func TestVerifyReceipts(t *testing.T) {
	tests := map[string]struct {
		objects   []experiment.Object
		ledger    ledger
		stuck     map[string]int
		statement string
		want      []string // kind id by
		kept      []string // ids still there
	}{
		"a run that meant nothing created nothing": {
			statement: "Nothing was created",
		},
		"what destroy removed is told one by one": {
			ledger: ledger{
				created: []experiment.Intent{intent("create", "port", "20001"), intent("create", "process", "r1-a")},
				deleted: []experiment.Intent{intent("delete", "port", "20001"), intent("delete", "process", "r1-a")}},
			statement: "2 objects are gone (2 destroyed, 0 removed by the sweep, 0 never created)",
			want:      []string{"port 20001 destroy", "process r1-a destroy"},
		},
		"what is left is swept, the rest was never created": {
			objects: []experiment.Object{object("r1", "process", "r1-a"), object("r2", "process", "r2-a")},
			ledger:  ledger{created: []experiment.Intent{intent("create", "port", "20001"), intent("create", "process", "r1-a")}},
			want:    []string{"process r1-a sweep", "port 20001 never created"},
			kept:    []string{"r2-a"},
		},
		"a port reserved by a plan that was not recorded is swept": {
			objects:   []experiment.Object{object("r1", "port", "20001")},
			statement: "1 removed by the sweep",
			want:      []string{"port 20001 sweep"},
		},
		"a port in use again by another run is not touched": {
			objects: []experiment.Object{object("r2", "port", "20001")},
			ledger:  ledger{created: []experiment.Intent{intent("create", "port", "20001")}, deleted: []experiment.Intent{intent("delete", "port", "20001")}},
			want:    []string{"port 20001 destroy"},
			kept:    []string{"20001"},
		},
		"an object without a tag is found by its planned name": {
			objects: []experiment.Object{object("", "process", "r1-a"), object("", "process", "foreign")},
			ledger:  ledger{created: []experiment.Intent{intent("create", "process", "r1-a")}},
			want:    []string{"process r1-a sweep"},
			kept:    []string{"foreign"},
		},
		"a stubborn object takes several sweeps and is told once": {
			objects: []experiment.Object{object("r1", "process", "r1-a")},
			stuck:   map[string]int{"r1-a": 2},
			want:    []string{"process r1-a sweep"},
		},
		"objects of two attempts are told once": {
			ledger: ledger{created: []experiment.Intent{intent("create", "port", "20001"), intent("create", "port", "20001"), intent("create", "port", "20002")}},
			want:   []string{"port 20001 never created", "port 20002 never created"},
		},
		"objects whose id was never known are told by their address": {
			ledger: ledger{created: []experiment.Intent{{Address: "a.one", Kind: "stream"}, {Address: "a.two", Kind: "stream"}}},
			want:   []string{"stream  never created", "stream  never created"},
		},
		"an object whose id was known to nobody but the sweep is told once": {
			objects: []experiment.Object{{Run: "r1", Kind: "stream", ID: "s-7f3", Address: "a.one"}},
			ledger: ledger{
				created: []experiment.Intent{{Address: "a.one", Kind: "stream"}, {Address: "a.two", Kind: "stream"}},
				deleted: []experiment.Intent{{Address: "a.one", Kind: "stream"}, {Address: "a.two", Kind: "stream"}}},
			statement: "2 objects are gone (1 destroyed, 1 removed by the sweep, 0 never created)",
			want:      []string{"stream s-7f3 sweep", "stream  destroy"},
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := &target{objects: tt.objects, stuck: tt.stuck}
				receipt, err := verifier(t, f, &tt.ledger, &attempts{}).Verify(t.Context(), "r1")
				if err != nil {
					t.Fatalf("Verify(r1): %v", err)
				}
				var got, kept []string
				for _, o := range receipt.Objects {
					got = append(got, o.Kind+" "+o.ID+" "+o.By)
				}
				for _, o := range f.objects {
					kept = append(kept, o.ID)
				}
				if diff := cmp.Diff(tt.want, got); diff != "" {
					t.Errorf("Verify(r1) objects differ (-want +got):\n%s", diff)
				}
				if diff := cmp.Diff(tt.kept, kept); diff != "" {
					t.Errorf("objects left differ (-want +got):\n%s", diff)
				}
				if !strings.Contains(receipt.Statement, tt.statement) || receipt.QuietSweeps != 2 || !receipt.At.Equal(time.Now()) {
					t.Errorf("Verify(r1) = %+v, want a statement with %q of now after two quiet sweeps", receipt, tt.statement)
				}
				last := f.sweeps[len(f.sweeps)-2:]
				if apart := last[1].Sub(last[0]); apart != time.Second {
					t.Errorf("the quiet sweeps were %s apart, want the interval", apart)
				}
			})
		})
	}
}

func TestVerifySecondsAlive(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		left := object("r1", "process", "r1-a")
		left.CreatedAt = time.Now().Add(-time.Minute)
		l := &ledger{created: []experiment.Intent{intent("create", "port", "1"), intent("create", "process", "r1-a")},
			deleted: []experiment.Intent{intent("delete", "port", "1")}, seconds: map[string]float64{"dec_port.1": 42}}
		receipt, err := verifier(t, &target{objects: []experiment.Object{left}}, l, &attempts{}).Verify(t.Context(), "r1")
		if err != nil {
			t.Fatal(err)
		}
		got := []float64{receipt.Objects[0].SecondsAlive, receipt.Objects[1].SecondsAlive}
		if want := []float64{62, 42}; !cmp.Equal(got, want) { // the sweeps took two seconds
			t.Errorf("Verify(r1) seconds alive = %v, want %v", got, want)
		}
	})
}

// An object that appears between two sweeps makes the quiet ones count anew.
func TestVerifyWantsTwoQuietSweepsInARow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &target{}
		f.onList = func(sweeps int) {
			if sweeps == 2 {
				f.objects = append(f.objects, object("r1", "process", "late"))
			}
		}
		receipt, err := verifier(t, f, &ledger{}, &attempts{}).Verify(t.Context(), "r1")
		if err != nil || len(f.sweeps) != 4 || len(receipt.Objects) != 1 {
			t.Errorf("Verify(r1) = %+v, %v after %d sweeps, want the late object swept and 4 sweeps", receipt, err, len(f.sweeps))
		}
	})
}

func TestVerifyGivesNoReceipt(t *testing.T) {
	broken := errors.New("broken")
	tests := map[string]struct {
		target   *target
		ledger   ledger
		attempts attempts
		want     error
	}{
		"while an attempt is alive":               {attempts: attempts{alive: []bool{true}}, want: reconcile.ErrAlive},
		"when an attempt began during the sweeps": {attempts: attempts{alive: []bool{false, true}}, want: reconcile.ErrAlive},
		"when nobody knows whether one is alive":  {attempts: attempts{err: broken}, want: broken},
		"when the target cannot be listed":        {target: &target{listErr: broken}, want: broken},
		"when the ledger cannot be read":          {ledger: ledger{err: broken}, want: broken},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				receipt, err := verifier(t, std.Or(tt.target, &target{}), &tt.ledger, &tt.attempts).Verify(t.Context(), "r1")
				if !errors.Is(err, tt.want) || receipt.Statement != "" {
					t.Errorf("Verify(r1) = %+v, %v, want no receipt and %v", receipt, err, tt.want)
				}
			})
		})
	}
}

func TestVerifyNamesWhatLeaked(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &target{objects: []experiment.Object{object("r1", "process", "r1-a"), object("r1", "port", "20001")}, stuck: map[string]int{"r1-a": 99}}
		_, err := verifier(t, f, &ledger{}, &attempts{}).Verify(t.Context(), "r1")
		leak, ok := errors.AsType[*reconcile.LeakedError](err)
		if !ok || leak.Run != "r1" || len(leak.Objects) != 1 || leak.Objects[0].ID != "r1-a" {
			t.Fatalf("Verify(r1) = %v, want a LeakedError with process r1-a alone", err)
		}
		for _, text := range []string{"process r1-a", "it does not die"} {
			if !strings.Contains(err.Error(), text) {
				t.Errorf("Verify(r1) = %q, want it to contain %q", err, text)
			}
		}
	})
}

func TestVerifyEndsWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 1500*time.Millisecond)
		defer cancel()
		f := &target{objects: []experiment.Object{object("r1", "process", "a")}, stuck: map[string]int{"a": 99}}
		if _, err := verifier(t, f, &ledger{}, &attempts{}).Verify(ctx, "r1"); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Verify(r1) past its deadline = %v, want %v", err, context.DeadlineExceeded)
		}
	})
}

func TestReap(t *testing.T) {
	now := time.Date(2026, 1, 2, 0, 0, 0, 0, time.UTC)
	object := func(id string, expires time.Time) experiment.Object {
		return experiment.Object{Run: "r" + id, Kind: "process", ID: id, ExpiresAt: expires}
	}
	f := &target{stuck: map[string]int{"stuck": 1}, objects: []experiment.Object{object("old", now.Add(-time.Second)), object("stuck", now.Add(-time.Hour)),
		object("young", now.Add(time.Second)), object("now", now), object("untagged", time.Time{})}}
	v := verifier(t, f, &ledger{}, &attempts{})
	reaped, err := v.Reap(t.Context(), now)
	if err == nil || !strings.Contains(err.Error(), "stuck") || len(reaped) != 1 || reaped[0].ID != "old" {
		t.Errorf("Reap() = %+v, %v, want the old one and an error for the stuck one", reaped, err)
	}
	if reaped, err := v.Reap(t.Context(), now); err != nil || len(reaped) != 1 || reaped[0].ID != "stuck" {
		t.Errorf("Reap() again = %+v, %v, want the stuck one", reaped, err)
	}
	if len(f.objects) != 3 {
		t.Errorf("objects left = %+v, want the three that have not expired", f.objects)
	}
}

func TestNewNamesWhatIsMissing(t *testing.T) {
	if _, err := reconcile.New(reconcile.Options{}); err == nil {
		t.Error("New() without an inventory = nil, want an error")
	}
}

// Whatever is left and however stubborn: a receipt means that nothing of the
// run exists, no other run loses anything, and what can be removed is.
func TestVerifyGivesNoFalseReceipt(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		f := &target{stuck: map[string]int{}}
		l := &ledger{}
		ours := map[string]bool{}
		worst := 0
		for n := range rapid.IntRange(0, 6).Draw(r, "objects") {
			o := object(rapid.SampledFrom([]string{"r1", "r2", ""}).Draw(r, "run"), "port", string(rune('a'+n)))
			planned := rapid.Bool().Draw(r, "planned")
			if planned {
				l.created = append(l.created, intent("create", o.Kind, o.ID))
			}
			if rapid.Bool().Draw(r, "exists") {
				f.objects = append(f.objects, o)
				f.stuck[o.ID] = rapid.IntRange(0, 5).Draw(r, "stuck")
				if ours[o.ID] = o.Run == "r1" || o.Run == "" && planned; ours[o.ID] {
					worst = max(worst, f.stuck[o.ID])
				}
			}
		}
		var err error
		synctest.Test(t, func(t *testing.T) {
			_, err = verifier(t, f, l, &attempts{}).Verify(context.Background(), "r1")
		})
		after := map[string]bool{}
		for _, o := range f.objects {
			after[o.ID] = true
		}
		for id, mine := range ours {
			if !mine && !after[id] {
				r.Errorf("object %s of others is gone", id)
			}
			if mine && after[id] && err == nil {
				r.Errorf("Verify(r1) gave a receipt while %s exists", id)
			}
		}
		if err != nil && worst < 3 { // four sweeps may find something
			r.Errorf("Verify(r1) = %v, want a receipt: everything can be removed", err)
		}
	})
}
