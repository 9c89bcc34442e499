package local_test

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"dec.local/dec/internal/experiment"
	"dec.local/dec/target"
	"dec.local/dec/target/local"
)

func reserve(t *testing.T, l *local.Ledger, name string, tags map[string]string) local.Port {
	t.Helper()
	p, err := l.ReservePort(t.Context(), name, tags)
	if err != nil {
		t.Fatalf("ReservePort(%q) = %v", name, err)
	}
	return p
}

// listen keeps a port busy until the test ends.
func listen(t *testing.T, number int) {
	t.Helper()
	listener, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(number)))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
}

func portFile(l *local.Ledger, number int) string {
	return filepath.Join(l.Dir(), "ports", strconv.Itoa(number)+".json")
}

func TestReservePortIsStableAndExclusive(t *testing.T) {
	l := mustOpen(t)
	const names, askers = 8, 4
	numbers := make([][]int, names)
	var wg sync.WaitGroup
	for i := range names {
		numbers[i] = make([]int, askers)
		for j := range askers {
			wg.Go(func() {
				other, err := local.Open(l.Dir()) // as another program would
				if err != nil {
					t.Error(err)
					return
				}
				p, err := other.ReservePort(t.Context(), fmt.Sprintf("%s-p-%d", run, i), tags(run, ""))
				if err != nil {
					t.Error(err)
				}
				numbers[i][j] = p.Number
			})
		}
	}
	wg.Wait()
	given := map[int]int{}
	for i, of := range numbers {
		for _, n := range of {
			if n != of[0] {
				t.Errorf("ReservePort gives name %d the ports %v, want the same each time", i, of)
			}
			if n < local.FirstPort || n > local.LastPort {
				t.Errorf("ReservePort = %d, want %d to %d", n, local.FirstPort, local.LastPort)
			}
		}
		if other, ok := given[of[0]]; ok {
			t.Errorf("ReservePort gives %d to the names %d and %d", of[0], other, i)
		}
		given[of[0]] = i
	}
	if got := len(list(t, l, run)); got != names {
		t.Errorf("List has %d ports, want %d", got, names)
	}
}

func TestReservePortSkipsWhatIsTaken(t *testing.T) {
	l := mustOpen(t)
	// All numbers but two belong to somebody, and on one of the two somebody
	// listens without asking.
	free, listened := reserve(t, mustOpen(t), "a", nil).Number, reserve(t, mustOpen(t), "b", nil).Number
	others := filepath.Join(l.Dir(), "others")
	if err := os.WriteFile(others, []byte(`{"name":"others","tags":{}}`), 0o600); err != nil {
		t.Fatal(err)
	}
	for n := local.FirstPort; n <= local.LastPort; n++ {
		if n == free || n == listened {
			continue
		}
		if err := os.Link(others, portFile(l, n)); err != nil {
			t.Fatal(err)
		}
	}
	listen(t, listened)
	if p := reserve(t, l, run+"-p", tags(run, "")); p.Number != free {
		t.Errorf("ReservePort = %d, want %d: the only one that is free", p.Number, free)
	}
	if p, err := l.ReservePort(t.Context(), run+"-q", tags(run, "")); err == nil {
		t.Errorf("ReservePort = %d, want an error: none is free", p.Number)
	}
	// For the clean-up, which would take each by itself.
	if err := errors.Join(os.RemoveAll(filepath.Join(l.Dir(), "ports")), os.Mkdir(filepath.Join(l.Dir(), "ports"), 0o700)); err != nil {
		t.Fatal(err)
	}
}

func TestReservePortFreesWhatHasExpired(t *testing.T) {
	l := mustOpen(t)
	old := tags(otherRun, "")
	old[target.TagExpiresAt] = time.Now().Add(-time.Second).UTC().Format(time.RFC3339)
	expired := reserve(t, l, otherRun+"-p", old)
	reserve(t, l, run+"-p", tags(run, ""))
	if _, err := l.Port(expired.Number); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("Port(expired) = %v, want %v", err, fs.ErrNotExist)
	}
	if got := list(t, l, ""); len(got) != 1 {
		t.Errorf("List = %v, want the new port only", ids(got))
	}
}

func TestReservePortGivesTheNumberThatWasFreed(t *testing.T) {
	l := mustOpen(t)
	first := reserve(t, l, run+"-p", tags(run, "a"))
	if err := l.FreePort(t.Context(), first.Number, first.Name); err != nil {
		t.Fatal(err)
	}
	if again := reserve(t, l, first.Name, first.Tags); again.Number != first.Number {
		t.Errorf("ReservePort = %d after %d was freed, want the same: a plan to replace it says so", again.Number, first.Number)
	}
	if other := reserve(t, l, first.Name, tags(run, "b")); other.Number == first.Number {
		t.Errorf("ReservePort with other tags = %d, want another number: the first still exists", other.Number)
	}
}

func TestClaimPort(t *testing.T) {
	tests := map[string]struct {
		before func(t *testing.T, l *local.Ledger, p local.Port)
		want   string // in the error; none if empty
		taken  bool
	}{
		"as it was reserved": {},
		"its reservation expired and was freed": {before: func(t *testing.T, l *local.Ledger, p local.Port) {
			if err := l.FreePort(t.Context(), p.Number, p.Name); err != nil {
				t.Fatal(err)
			}
		}},
		"it belongs to another by now": {want: "reserved for \"" + otherRun, before: func(t *testing.T, l *local.Ledger, p local.Port) {
			content := fmt.Sprintf(`{"name":%q,"tags":{}}`, otherRun+"-p")
			if err := os.WriteFile(portFile(l, p.Number), []byte(content), 0o600); err != nil {
				t.Fatal(err)
			}
		}},
		"another program listens on it": {want: "another program listens", taken: true, before: func(t *testing.T, l *local.Ledger, p local.Port) {
			listen(t, p.Number)
		}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			l := mustOpen(t)
			p := reserve(t, l, run+"-p", tags(run, ""))
			if tt.before != nil {
				tt.before(t, l, p)
			}
			got, err := l.ClaimPort(t.Context(), p.Number, p.Name, p.Tags)
			if tt.want == "" {
				if err != nil || got.Number != p.Number || !got.Claimed {
					t.Errorf("ClaimPort(%d) = %+v, %v, want the port", p.Number, got, err)
				}
				if objects := list(t, l, run); len(objects) != 1 || objects[0].Detail["claimed"] != "true" {
					t.Errorf("List = %+v, want the claimed port", objects)
				}
				return
			}
			if err == nil || !strings.Contains(err.Error(), tt.want) || errors.Is(err, local.ErrPortTaken) != tt.taken {
				t.Errorf("ClaimPort(%d) = %v, want %q", p.Number, err, tt.want)
			}
			if next := reserve(t, l, p.Name, p.Tags); next.Number == p.Number {
				t.Errorf("ReservePort after the failure = %d again, want another number", next.Number)
			}
		})
	}
}

func TestPortsOfOthersAreLeftAlone(t *testing.T) {
	l := mustOpen(t)
	p := reserve(t, l, run+"-p", tags(run, ""))
	if err := l.FreePort(t.Context(), p.Number, otherRun+"-p"); err != nil {
		t.Errorf("FreePort = %v, want nil", err)
	}
	other := experiment.Object{Kind: local.KindPort, ID: strconv.Itoa(p.Number), Run: otherRun}
	if err := l.Remove(t.Context(), other); err != nil {
		t.Errorf("Remove = %v, want nil", err)
	}
	if got := list(t, l, run); len(got) != 1 {
		t.Errorf("List = %v, want the port: neither was its owner", ids(got))
	}
	for range 2 {
		if err := l.FreePort(t.Context(), p.Number, p.Name); err != nil {
			t.Errorf("FreePort = %v, want nil", err)
		}
	}
	if got := list(t, l, run); len(got) != 0 {
		t.Errorf("List = %v, want nothing", ids(got))
	}
}

func TestPortsSurviveDamage(t *testing.T) {
	l := mustOpen(t)
	for name, content := range map[string]string{
		".new":       `{"na`, // its writer was killed
		"20000.json": ``,     // the machine crashed
	} {
		if err := os.WriteFile(filepath.Join(l.Dir(), "ports", name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	reserve(t, l, run+"-p", tags(run, ""))
	if got := list(t, l, run); len(got) != 1 {
		t.Errorf("List(run) = %v, want the new port", ids(got))
	}
	all := list(t, l, "")
	if len(all) != 2 {
		t.Fatalf("List = %v, want the new port and the damaged one", ids(all))
	}
	for _, o := range all {
		if err := l.Remove(t.Context(), o); err != nil {
			t.Errorf("Remove(%s) = %v", o.ID, err)
		}
	}
	if got := list(t, l, ""); len(got) != 0 {
		t.Errorf("List = %v, want nothing", ids(got))
	}
}
