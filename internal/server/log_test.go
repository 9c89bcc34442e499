package server_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"dec.local/dec/internal/experiment"
	"dec.local/dec/internal/server"
	"dec.local/dec/target/all"
)

// TestWhatIsWrittenAboutARunIsReadAndKept reads the log of a run while it lives and
// when it was archived, and deletes the run. What its processes and OpenTofu would
// have written is made.
func TestWhatIsWrittenAboutARunIsReadAndKept(t *testing.T) {
	for name, bucket := range map[string]string{"in the data folder": "", "elsewhere": t.TempDir()} {
		t.Run(name, func(t *testing.T) {
			f := newFolders(t)
			f.Bucket = bucket
			if err := f.Resolve(f.Getenv, f.Executable); err != nil {
				t.Fatal(err)
			}
			s, _ := open(t, server.Options{Folders: f, Targets: all.Targets()})
			c, _ := serve(t, s, server.ListenOptions{})
			e, err := c.Submit(t.Context(), plan(`{}`), "k")
			if err != nil {
				t.Fatal(err)
			}
			run := e.RunList[0].ID
			staged := filepath.Join(f.Data, "staging", run)
			s.Logger.With("run", run).Info("phase begins", "phase", "provision")
			write(t, filepath.Join(staged, "tofu", "0002-apply.jsonl"), `{"@message":"applied"}`+"\n")
			write(t, filepath.Join(staged, "services", "agent-0", "stderr.log"), "ready\n")
			service := filepath.Join(f.Getenv("DEC_LOCAL_LEDGER"), "processes", run+"-broker-0")
			write(t, filepath.Join(service, "stdout.log"), "a banner\n")
			read := func(want ...string) {
				t.Helper()
				log, err := c.Log(t.Context(), experiment.LogQuery{Run: run})
				if err != nil {
					t.Fatal(err)
				}
				var got []string
				for _, line := range log.Lines {
					got = append(got, line.Source+" "+line.Level+" "+line.Text)
				}
				got = slices.DeleteFunc(got, func(line string) bool { return strings.HasPrefix(line, "events info") })
				slices.Sort(got)
				if diff := cmp.Diff(want, got); diff != "" {
					t.Errorf("log (-want +got):\n%s", diff)
				}
			}
			read("agent-0  ready", "broker-0  a banner", "dec info phase begins phase=provision", "tofu 2 apply  applied")
			if err := os.RemoveAll(service); err != nil {
				t.Fatal(err)
			}
			if err := c.CancelExperiment(t.Context(), e.ID); err != nil {
				t.Fatal(err)
			}
			s.Archive(t.Context())
			if left := below(t, filepath.Join(f.Data, "staging")); len(left) > 0 {
				t.Errorf("still staged: %q", left)
			}
			read("agent-0  ready", "dec info phase begins phase=provision", "tofu 2 apply  applied")
			folder := filepath.Join(f.Data, "bucket")
			if bucket != "" {
				folder = bucket
			}
			if kept := below(t, folder); len(kept) != 3 {
				t.Errorf("the bucket has %q, want 3 files", kept)
			}
			if err := c.DeleteExperiment(t.Context(), e.ID); err != nil {
				t.Fatal(err)
			}
			if left := below(t, folder); len(left) > 0 {
				t.Errorf("left in the bucket: %q", left)
			}
		})
	}
}

// below lists the files below a folder.
func below(t *testing.T, root string) (files []string) {
	t.Helper()
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if os.IsNotExist(err) {
			return nil
		}
		if err == nil && !entry.IsDir() {
			files = append(files, path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}
