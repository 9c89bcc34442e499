package kinesis_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"os"
	"strings"
	"testing"

	"dec.local/dec/technology"
	"dec.local/dec/technology/kinesis"
)

// runLimits runs kinesis-limits in a folder with this kinesis-limits.json; there
// is none if content is "".
func runLimits(t *testing.T, ctx context.Context, log *slog.Logger, content string) error {
	t.Helper()
	t.Chdir(t.TempDir())
	if content != "" {
		if err := os.WriteFile("kinesis-limits.json", []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, program := range kinesis.Technology.Programs {
		if program.Name == "kinesis-limits" {
			return program.Run(ctx, log)
		}
	}
	t.Fatal("there is no program kinesis-limits")
	return nil
}

func TestLimitsSayWhatIsWrong(t *testing.T) {
	tests := map[string]struct {
		content string
		want    string
	}{
		"no file":                   {"", "read the arguments: open kinesis-limits.json"},
		"a file that is not JSON":   {`listen: 1`, "read kinesis-limits.json"},
		"an emulator without a URL": {`{"listen": "127.0.0.1:0", "upstream": "localhost"}`, `the upstream "localhost" in kinesis-limits.json is not a URL: use http://host:port`},
		"no place to listen":        {`{"listen": "nowhere", "upstream": "http://127.0.0.1:1"}`, "listen as configured in kinesis-limits.json"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			err := runLimits(t, t.Context(), slog.New(slog.DiscardHandler), tt.content)
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("kinesis-limits = %v, want %q", err, tt.want)
			}
			if errors.Is(err, technology.ErrUsage) != (tt.content == "") {
				t.Errorf("kinesis-limits = %v, want it to be ErrUsage only where there is no file", err)
			}
		})
	}
}

// whenLogged calls a function at the first write.
type whenLogged struct {
	bytes.Buffer
	call func()
}

func (w *whenLogged) Write(p []byte) (int, error) {
	w.call()
	return w.Buffer.Write(p)
}

func TestLimitsEndWhenTold(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	out := &whenLogged{call: cancel}
	err := runLimits(t, ctx, slog.New(slog.NewTextHandler(out, nil)), `{"listen": "127.0.0.1:0", "upstream": "http://127.0.0.1:1"}`)
	if err != nil {
		t.Errorf("kinesis-limits, when told to end = %v, want no error", err)
	}
	if !strings.Contains(out.String(), "kinesis-limits listens on 127.0.0.1:") {
		t.Errorf("it logged %q, want it to say where it listens", out)
	}
}
