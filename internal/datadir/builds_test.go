package datadir_test

import (
	"crypto/sha256"
	"encoding/hex"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"dec.local/dec/internal/datadir"
	"dec.local/dec/target"
)

// targets share a provider, and one has another.
var targets = []target.Target{
	{Name: "here", Providers: []target.Provider{{Source: "dec.local/dec/dec", Executable: "provider-dec"}}},
	{Name: "there", Providers: []target.Provider{{Source: "dec.local/dec/dec", Executable: "provider-dec"}, {Source: "dec.local/test/cloud", Executable: "provider-cloud"}}},
}

// newBuild returns the folders of a dec with an agent and providers beside it.
func newBuild(t *testing.T) *datadir.Folders {
	t.Helper()
	dir := t.TempDir()
	for name, content := range map[string]string{"dec-agent": "agent", "provider-dec": "provider", "provider-cloud": "cloud"} {
		write(t, filepath.Join(dir, "bin", name), content, 0o700)
	}
	return &datadir.Folders{Data: filepath.Join(dir, "data"), Executable: filepath.Join(dir, "bin", "dec")}
}

// hash names a content as builds are named after it.
func hash(content string) string {
	sum := sha256.Sum256([]byte(content))
	return hex.EncodeToString(sum[:6])
}

// installed are the paths below a data folder with what they hold.
func installed(t *testing.T, f *datadir.Folders) map[string]string {
	t.Helper()
	files := map[string]string{}
	err := filepath.WalkDir(f.Data, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		content, err := os.ReadFile(path)
		name, _ := filepath.Rel(f.Data, path) // both are absolute
		files[name] = string(content)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// agentPath and providerPath are where a build with this content lies.
func agentPath(content string) string { return "artifacts/dec-agent/" + hash(content) + "/dec-agent" }

func providerPath(source, content string) string {
	version := "0.0.0-g" + hash(content)
	return "mirror/" + source + "/" + version + "/" + runtime.GOOS + "_" + runtime.GOARCH + "/terraform-provider-" + filepath.Base(source) + "_v" + version
}

func TestBuildsAreInstalledOnce(t *testing.T) {
	f := newBuild(t)
	got, err := f.Install(targets)
	if err != nil {
		t.Fatal(err)
	}
	want := datadir.Builds{
		Agent:     "dec-agent@" + hash("agent"),
		Providers: map[string]string{"dec.local/dec/dec": "0.0.0-g" + hash("provider"), "dec.local/test/cloud": "0.0.0-g" + hash("cloud")},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("Install() (-want +got):\n%s", diff)
	}
	files := map[string]string{
		agentPath("agent"): "agent", providerPath("dec.local/dec/dec", "provider"): "provider", providerPath("dec.local/test/cloud", "cloud"): "cloud",
	}
	if diff := cmp.Diff(files, installed(t, f)); diff != "" {
		t.Errorf("installed (-want +got):\n%s", diff)
	}
	before := map[string]fs.FileInfo{}
	for name := range files {
		info, err := os.Stat(filepath.Join(f.Data, name))
		if err != nil || info.Mode() != 0o755 {
			t.Errorf("%s has mode %v, %v, want an executable", name, info.Mode(), err)
		}
		before[name] = info
	}
	if again, err := f.Install(targets); err != nil || !cmp.Equal(got, again) {
		t.Errorf("second Install() = %v, %v, want the same", again, err)
	}
	for name := range files {
		if info, err := os.Stat(filepath.Join(f.Data, name)); err != nil || !os.SameFile(before[name], info) {
			t.Errorf("%s was installed again, %v", name, err)
		}
	}
}

// TestBuildsStandBesideEarlierOnes installs another build: runs that the first one
// made are destroyed by it.
func TestBuildsStandBesideEarlierOnes(t *testing.T) {
	f := newBuild(t)
	if _, err := f.Install(targets[:1]); err != nil {
		t.Fatal(err)
	}
	bin := filepath.Dir(f.Executable)
	write(t, filepath.Join(bin, "dec-agent"), "agent 2", 0o700)
	write(t, filepath.Join(bin, "provider-dec"), "provider 2", 0o700)
	got, err := f.Install(targets[:1])
	if err != nil {
		t.Fatal(err)
	}
	want := datadir.Builds{Agent: "dec-agent@" + hash("agent 2"), Providers: map[string]string{"dec.local/dec/dec": "0.0.0-g" + hash("provider 2")}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("Install() (-want +got):\n%s", diff)
	}
	files := map[string]string{
		agentPath("agent"): "agent", agentPath("agent 2"): "agent 2",
		providerPath("dec.local/dec/dec", "provider"): "provider", providerPath("dec.local/dec/dec", "provider 2"): "provider 2",
	}
	if diff := cmp.Diff(files, installed(t, f)); diff != "" {
		t.Errorf("installed (-want +got):\n%s", diff)
	}
}

func TestWhatIsNotBesideDecCannotBeInstalled(t *testing.T) {
	for _, missing := range []string{"dec-agent", "provider-dec", "provider-cloud"} {
		t.Run(missing, func(t *testing.T) {
			f := newBuild(t)
			if err := os.Remove(filepath.Join(filepath.Dir(f.Executable), missing)); err != nil {
				t.Fatal(err)
			}
			got, err := f.Install(targets)
			if err == nil || !strings.Contains(err.Error(), missing) || !strings.Contains(err.Error(), "make setup") || !cmp.Equal(got, datadir.Builds{}) {
				t.Errorf("Install() = %v, %v, want an error that names %s and what to do", got, err, missing)
			}
		})
	}
}

// TestACopyThatFailsLeavesNothing has something in the way of one.
func TestACopyThatFailsLeavesNothing(t *testing.T) {
	for name, path := range map[string]string{
		"in the place of its folder": "artifacts/dec-agent/" + hash("agent"),
		"in the place of all":        "artifacts",
	} {
		t.Run(name, func(t *testing.T) {
			f := newBuild(t)
			write(t, filepath.Join(f.Data, path), "in the way", 0o600)
			if _, err := f.Install(targets); err == nil || !strings.Contains(err.Error(), "install dec-agent") {
				t.Errorf("Install() = %v, want an error that says what cannot be installed", err)
			}
			if diff := cmp.Diff(map[string]string{path: "in the way"}, installed(t, f)); diff != "" {
				t.Errorf("left (-want +got):\n%s", diff)
			}
		})
	}
}

// TestACopyThatCannotGetItsNameLeavesNothing installs one that is too long for a
// file.
func TestACopyThatCannotGetItsNameLeavesNothing(t *testing.T) {
	f := newBuild(t)
	long := []target.Target{{Providers: []target.Provider{{Source: "dec.local/dec/" + strings.Repeat("p", 250), Executable: "provider-dec"}}}}
	if _, err := f.Install(long); err == nil || !strings.Contains(err.Error(), "install provider-dec") {
		t.Errorf("Install() = %v, want an error that says what cannot be installed", err)
	}
	if diff := cmp.Diff(map[string]string{agentPath("agent"): "agent"}, installed(t, f)); diff != "" {
		t.Errorf("left (-want +got):\n%s", diff)
	}
}
