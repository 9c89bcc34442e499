package main

import (
	"bufio"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// limitsFolder makes a working folder with a kinesis-limits.json.
func limitsFolder(t *testing.T, content string) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "kinesis-limits.json"), []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return dir
}

func TestKinesisLimitsSayWhatIsWrong(t *testing.T) {
	tests := map[string]struct {
		dir  string
		code int
		want string
	}{
		"no file":                   {t.TempDir(), 2, "read what to do: open kinesis-limits.json"},
		"a file that is no JSON":    {limitsFolder(t, `listen: 1`), 1, "read kinesis-limits.json"},
		"an emulator without a URL": {limitsFolder(t, `{"listen": "127.0.0.1:0", "upstream": "localhost"}`), 1, `the upstream "localhost" in kinesis-limits.json is no URL: write http://host:port`},
		"no place to listen":        {limitsFolder(t, `{"listen": "nowhere", "upstream": "http://127.0.0.1:1"}`), 1, "listen as kinesis-limits.json says"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			cmd := command(t.Context(), nil, "kinesis-limits")
			cmd.Dir = tt.dir
			out, _ := cmd.CombinedOutput()
			if got := cmd.ProcessState.ExitCode(); got != tt.code || !strings.Contains(string(out), tt.want) {
				t.Errorf("dec-agent kinesis-limits ended with %d and printed %q, want %d and %q", got, out, tt.code, tt.want)
			}
		})
	}
}

func TestKinesisLimitsEndWhenTold(t *testing.T) {
	cmd := command(t.Context(), nil, "kinesis-limits")
	cmd.Dir = limitsFolder(t, `{"listen": "127.0.0.1:0", "upstream": "http://127.0.0.1:1"}`)
	stderr, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if line, err := bufio.NewReader(stderr).ReadString('\n'); !strings.Contains(line, "kinesis-limits listens on 127.0.0.1:") {
		t.Errorf("the first line = %q, %v; want it to say where it listens", line, err)
	}
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait()
	if got := cmd.ProcessState.ExitCode(); got != 0 {
		t.Errorf("after SIGTERM it ended with %d, want 0", got)
	}
}
