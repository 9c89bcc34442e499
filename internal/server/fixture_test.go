package server_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"dec.local/dec/internal/client"
	"dec.local/dec/internal/datadir"
	"dec.local/dec/internal/server"
	"dec.local/dec/internal/supervise"
	"dec.local/dec/internal/tofu"
)

func TestMain(m *testing.M) {
	supervise.Main(tofu.Sidecars())
	os.Exit(m.Run())
}

// newFolders returns the folders of a server of its own. The programs beside
// dec are not real: no run is started in these tests.
func newFolders(t *testing.T) *datadir.Folders {
	t.Helper()
	dir := t.TempDir()
	for _, name := range []string{"bin/dec-agent", "bin/terraform-provider-dec"} {
		write(t, filepath.Join(dir, name), name)
	}
	tools, err := filepath.Abs("../../.tools")
	if err != nil {
		t.Fatal(err)
	}
	f := &datadir.Folders{Data: filepath.Join(dir, "data"), Tools: tools}
	if err := f.Resolve(func(string) string { return dir }, filepath.Join(dir, "bin", "dec")); err != nil {
		t.Fatal(err)
	}
	return f
}

func write(t *testing.T, path, content string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}

// open opens a server, which is closed by the returned function or at the end.
func open(t *testing.T, o server.Options) (*server.Server, func()) {
	t.Helper()
	s, err := server.Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	closed := false
	end := func() {
		if closed {
			return
		}
		closed = true
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}
	t.Cleanup(end)
	return s, end
}

// serve answers the calls of a server, and runs nothing, until the test or the
// returned function ends it.
func serve(t *testing.T, s *server.Server, o server.ListenOptions) (*client.Client, func()) {
	t.Helper()
	o.Address = "127.0.0.1:0"
	if err := s.Listen(o); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	answered := make(chan error, 1)
	go func() { answered <- s.Run(ctx, server.Answer) }()
	ended := false
	end := func() {
		if ended {
			return
		}
		ended = true
		cancel()
		if err := <-answered; !errors.Is(err, context.Canceled) {
			t.Errorf("Run() = %v, want %v", err, context.Canceled)
		}
	}
	t.Cleanup(end)
	c, err := client.New(client.Options{URL: s.URL, Token: s.Token})
	if err != nil {
		t.Fatal(err)
	}
	return c, end
}

// plan is a small plan, as JSON, with these options of its one variant.
func plan(options string) []byte {
	return []byte(`{"name": "small", "workload": {"load": {"rate": 10}, "stages": {"measure": "2s"}}, "repeat": 1,
		"variants": [{"label": "nats", "technology": "nats", "stack": "jetstream", "options": ` + options + `}]}`)
}
