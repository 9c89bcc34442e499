package target_test

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"dec.local/dec/internal/experiment"
	"dec.local/dec/target"
)

// place is one with nothing on it, which knows how it was opened.
type place struct{ opened target.Options }

func (place) List(context.Context, string) ([]experiment.Object, error) { return nil, nil }
func (place) Remove(context.Context, experiment.Object) error           { return nil }
func (place) Watch(ctx context.Context, _ string) error                 { <-ctx.Done(); return nil }
func (place) Check(context.Context, target.Demand) []target.Finding     { return []target.Finding{{}} }
func (place) Placement() target.Placement                               { return target.Placement{} }

// opens is a target whose place can be opened.
func opens(name string, f target.Facts) target.Target {
	return target.Target{Name: name, Facts: f, Open: func(_ context.Context, o target.Options) (target.Place, error) { return place{o}, nil }}
}

var errClosed = errors.New("no credentials; set some")

// refuses is a target whose place can't be opened.
func refuses(name string) target.Target {
	return target.Target{Name: name, Title: "Closed", Open: func(context.Context, target.Options) (target.Place, error) { return nil, errClosed }}
}

func TestPlacesAreFoundByName(t *testing.T) {
	places := target.OpenAll(t.Context(), []target.Target{opens("b", target.Facts{Slots: 7}), opens("a", target.Facts{})}, target.Options{Data: "/d"})
	if diff := cmp.Diff([]string{"a", "b"}, places.Names()); diff != "" {
		t.Errorf("Names() (-want +got):\n%s", diff)
	}
	for name, slots := range map[string]int{"a": 1, "b": 7} {
		found, err := places.Find(name)
		if err != nil || found.Name != name || found.Facts.Slots != slots || found.Place.(place).opened.Data != "/d" {
			t.Errorf("Find(%s) = %s with %d slots of %v, %v, want it with %d", name, found.Name, found.Facts.Slots, found.Place, err, slots)
		}
	}
	if _, err := places.Find("c"); !errors.Is(err, experiment.ErrNotFound) || !strings.Contains(err.Error(), `"c"`) {
		t.Errorf("Find(c) = %v, want that there is none of that name", err)
	}
}

func TestPlacesGetTheEnvironment(t *testing.T) {
	t.Setenv("DEC_TEST_PLACE", "of the process")
	given := func(string) string { return "given" }
	for want, getenv := range map[string]func(string) string{"of the process": nil, "given": given} {
		places := target.OpenAll(t.Context(), []target.Target{opens("a", target.Facts{})}, target.Options{Getenv: getenv})
		if got := places["a"].Place.(place).opened.Getenv("DEC_TEST_PLACE"); got != want {
			t.Errorf("a place reads %q, want %q", got, want)
		}
	}
}

// TestATargetThatCannotBeOpenedSaysWhy uses it like any other.
func TestATargetThatCannotBeOpenedSaysWhy(t *testing.T) {
	places := target.OpenAll(t.Context(), []target.Target{refuses("cloud"), opens("here", target.Facts{})}, target.Options{})
	if here, err := places.Find("here"); err != nil || here.Check(t.Context(), target.Demand{})[0].Level != target.OK {
		t.Errorf("the other target can't be used: %v", err)
	}
	closed, err := places.Find("cloud")
	if err != nil || closed.Title != "Closed" || closed.Facts.Slots != 1 {
		t.Fatalf("Find() = %+v, %v, want the target as it is", closed, err)
	}
	objects, listErr := closed.List(t.Context(), "")
	for call, err := range map[string]error{
		"List": listErr, "Remove": closed.Remove(t.Context(), experiment.Object{}), "Watch": closed.Watch(t.Context(), "r1"),
	} {
		if !errors.Is(err, errClosed) || !strings.Contains(err.Error(), "cloud") {
			t.Errorf("%s() = %v, want why the target can't be used, with its name", call, err)
		}
	}
	if len(objects) > 0 {
		t.Errorf("List() = %v, want nothing beside the error", objects)
	}
	if diff := cmp.Diff([]target.Finding{{Level: target.Refuse, Detail: "target cloud: no credentials; set some"}}, closed.Check(t.Context(), target.Demand{})); diff != "" {
		t.Errorf("Check() (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(target.Placement{}, closed.Placement()); diff != "" {
		t.Errorf("Placement() (-want +got):\n%s", diff)
	}
}

func TestClassify(t *testing.T) {
	facts := target.Facts{Errors: []target.ErrorText{
		{Class: target.ErrorGone, Text: regexp.MustCompile(`NotFound`)},
		{Class: target.ErrorAuth, Text: regexp.MustCompile(`(?i)expired`)},
		{Class: target.ErrorWait, Text: regexp.MustCompile(`Found`)},
	}}
	for text, want := range map[string]target.ErrorClass{
		"api error: NotFound: no such thing": target.ErrorGone, // of two that match, the first
		"Found a dependency":                 target.ErrorWait,
		"the token has Expired":              target.ErrorAuth,
		"something else":                     target.ErrorUnknown,
		"":                                   target.ErrorUnknown,
	} {
		if got := facts.Classify(text); got != want {
			t.Errorf("Classify(%q) = %s, want %s", text, got, want)
		}
	}
	if got := (target.Facts{}).Classify("NotFound"); got != target.ErrorUnknown {
		t.Errorf("Classify() of a target that knows no texts = %s, want %s", got, target.ErrorUnknown)
	}
}

func TestEndOfALog(t *testing.T) {
	path := filepath.Join(t.TempDir(), "stdout.log")
	if err := os.WriteFile(path, []byte("0123456789"), 0o600); err != nil {
		t.Fatal(err)
	}
	log := target.FileLog("broker-0", path)
	if log.Service != "broker-0" || log.Name != "stdout.log" || log.Size != 10 {
		t.Errorf("FileLog() = %s/%s of %d bytes, want broker-0/stdout.log of 10", log.Service, log.Name, log.Size)
	}
	for most, want := range map[int64]string{0: "", 3: "789", 10: "0123456789", 11: "0123456789"} {
		if got, err := log.ReadEnd(t.Context(), most); err != nil || string(got) != want {
			t.Errorf("ReadEnd(%d) = %q, %v, want %q", most, got, err, want)
		}
	}
	// What is written after it was listed is read, too.
	if err := os.WriteFile(path, []byte("0123456789ab"), 0o600); err != nil {
		t.Fatal(err)
	}
	if got, err := log.ReadEnd(t.Context(), 3); err != nil || string(got) != "9ab" {
		t.Errorf("ReadEnd(3) of a log that grew = %q, %v, want %q", got, err, "9ab")
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if got, err := log.ReadEnd(t.Context(), 3); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("ReadEnd(3) of a log that was removed = %q, %v, want %v", got, err, fs.ErrNotExist)
	}
	if absent := target.FileLog("broker-0", path); absent.Size != 0 || absent.Name != "stdout.log" {
		t.Errorf("FileLog() of no file = %s of %d bytes", absent.Name, absent.Size)
	}
}

// TestTagsStay holds what objects of earlier builds carry.
func TestTagsStay(t *testing.T) {
	if want := []string{"dec:install", "dec:run", "dec:address", "dec:expires-at"}; !slices.Equal(target.Tags(), want) {
		t.Errorf("Tags() = %q, want %q", target.Tags(), want)
	}
}
