package evidence_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"dec.local/dec/internal/evidence"
)

func TestWhatOpenTofuSaidIsKept(t *testing.T) {
	f := newFixture(t, options{})
	h := f.folders.Home()
	if err := evidence.KeepJournals(h, run); err != nil || len(f.left()) > 0 {
		t.Errorf("KeepJournals() of a run without attempts = %v, and %q are staged", err, f.left())
	}
	for name, content := range map[string]string{
		"0001-plan/stdout.log": "plan\n", "0001-plan/stderr.log": "", "0002-show/stdout.log": "the whole plan", "0003-apply/stdout.log": "apply\n",
		"0003-apply/stderr.log": "panic\n", "0004-destroy/exit.json": "{}", "notes/stdout.log": "x\n",
	} {
		f.write(filepath.Join(h.Attempts(run), name), content)
	}
	if err := evidence.KeepJournals(h, run); err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for _, name := range f.left() {
		content, err := os.ReadFile(filepath.Join(h.Staging(), name))
		if err != nil {
			t.Fatal(err)
		}
		got[name] = string(content)
	}
	want := map[string]string{run + "/tofu/0001-plan.jsonl": "plan\n", run + "/tofu/0003-apply.jsonl": "apply\n", run + "/tofu/0003-apply.stderr": "panic\n"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("staged (-want +got):\n%s", diff)
	}
}

func TestAJournalThatCannotBeCopiedKeepsTheOthers(t *testing.T) {
	f := newFixture(t, options{})
	h := f.folders.Home()
	f.write(filepath.Join(h.Attempts(run), "0001-plan", "stdout.log"), "plan\n")
	f.write(filepath.Join(h.Attempts(run), "0002-apply", "stdout.log"), "apply\n")
	if err := os.MkdirAll(filepath.Join(h.Journals(run), "0001-plan.jsonl"), 0o755); err != nil { // in its way
		t.Fatal(err)
	}
	if err := evidence.KeepJournals(h, run); err == nil {
		t.Error("KeepJournals() has no error")
	}
	if diff := cmp.Diff([]string{run + "/tofu/0002-apply.jsonl"}, f.left()); diff != "" {
		t.Errorf("staged (-want +got):\n%s", diff)
	}
}
