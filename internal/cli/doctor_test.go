package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"

	"dec.local/dec/internal/datadir"
	"dec.local/dec/target/all"
)

// doctor runs `dec doctor --json` on folders of its own.
func doctor(t *testing.T, tools string) (int, map[string]finding) {
	t.Helper()
	var stdout, stderr bytes.Buffer
	dir := t.TempDir()
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
	for name, want := range map[string]string{"OpenTofu": "tofu", "agent and providers": "dec-agent", "kafka/kraft": "java", "nats/jetstream": "nats-server"} {
		f := found[name]
		if f.OK || f.Fix != datadir.Setup || !strings.Contains(f.Detail, want) {
			t.Errorf("doctor on %s = %+v, want not ok, a word on %s, and %q", name, f, want, datadir.Setup)
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
