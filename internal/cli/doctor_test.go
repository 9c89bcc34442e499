package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"dec.local/dec/internal/datadir"
	"dec.local/dec/target/all"
)

// doctor runs `dec doctor --json` on folders of its own.
func doctor(t *testing.T, tools string) (int, map[string]finding) {
	t.Helper()
	return doctorIn(t, t.TempDir(), tools)
}

// doctorIn runs `dec doctor --json` with the data folder "data" in dir.
func doctorIn(t *testing.T, dir, tools string) (int, map[string]finding) {
	t.Helper()
	var stdout, stderr bytes.Buffer
	vars := map[string]string{"HOME": dir}
	code := Main(context.Background(), &Env{
		Args:   []string{"doctor", "--json", "--tools", tools, "--data", filepath.Join(dir, "data")},
		Stdout: &stdout, Stderr: &stderr, Getenv: func(name string) string { return vars[name] },
		Executable: filepath.Join(dir, "bin", "dec"), Targets: all.Targets(),
	})
	var out struct {
		Findings []finding `json:"findings"`
	}
	if err := json.Unmarshal(stdout.Bytes(), &out); err != nil {
		t.Fatalf("dec doctor --json printed %q, %q: %v", stdout.String(), stderr.String(), err)
	}
	found := map[string]finding{}
	for _, f := range out.Findings {
		found[f.Name] = f
	}
	return code, found
}

func TestDoctorNamesWhatIsMissingAndTheFix(t *testing.T) {
	t.Setenv("DEC_LOCAL_LEDGER", filepath.Join(t.TempDir(), "ledger"))
	t.Setenv("PATH", "")
	code, found := doctor(t, t.TempDir())
	if code != exitFailed {
		t.Errorf("dec doctor without tools = exit %d, want %d", code, exitFailed)
	}
	setup := (&datadir.Folders{}).Setup()
	if f := found["agent and providers"]; f.OK || f.Fix != beside || !strings.Contains(f.Detail, "dec-agent") {
		t.Errorf("doctor on the programs of DEC = %+v, want not ok, a word on dec-agent, and %q", f, beside)
	}
	for name, want := range map[string]string{"OpenTofu": "tofu", "kafka/kraft": "java", "nats/jetstream": "nats-server"} {
		f := found[name]
		if f.OK || f.Fix != setup || !strings.Contains(f.Detail, want) {
			t.Errorf("doctor on %s = %+v, want not ok, a word on %s, and %q", name, f, want, setup)
		}
	}
	for _, name := range []string{"local", "disk", "memory", "load"} {
		if found[name].Detail == "" {
			t.Errorf("doctor says nothing of %s", name)
		}
	}
}

func TestDoctorFindsTheInstalledTools(t *testing.T) {
	t.Setenv("DEC_LOCAL_LEDGER", filepath.Join(t.TempDir(), "ledger"))
	_, found := doctor(t, "../../.tools")
	for _, name := range []string{"OpenTofu", "kafka/kraft", "nats/jetstream", "local"} {
		if f := found[name]; !f.OK {
			t.Errorf("doctor on %s = %+v, want ok; run make setup", name, f)
		}
	}
}

func TestDoctorMissesTheBucketOfEarlierRuns(t *testing.T) {
	t.Setenv("DEC_LOCAL_LEDGER", filepath.Join(t.TempDir(), "ledger"))
	dir := t.TempDir()
	_, found := doctorIn(t, dir, t.TempDir())
	if f := found["bucket"]; !f.OK {
		t.Errorf("doctor on the bucket before the first run = %+v, want ok", f)
	}
	data := filepath.Join(dir, "data")
	if err := os.MkdirAll(data, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(data, "dec.db"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	_, found = doctorIn(t, dir, t.TempDir())
	if f := found["bucket"]; f.OK || !strings.Contains(f.Detail, filepath.Join(data, "bucket")) || f.Fix == "" {
		t.Errorf("doctor on a bucket that was removed = %+v, want not ok, the folder and a fix", f)
	}
}
