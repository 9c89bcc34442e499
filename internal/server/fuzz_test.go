package server_test

import (
	"cmp"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"dec.local/dec/internal/api"
	"dec.local/dec/internal/datadir"
	"dec.local/dec/internal/server"
	"dec.local/dec/target/all"
)

// TestFuzzAPI lets schemathesis make up calls from the OpenAPI document, valid
// ones and others, and judge the answers: no 5xx, no undocumented status, content
// type, header or body, no invalid input accepted. The service is a real one on a
// real database; it executes nothing of what is admitted. One minute, or
// DEC_FUZZ_SECONDS.
func TestFuzzAPI(t *testing.T) {
	root, err := filepath.Abs(filepath.Join("..", ".."))
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	folders := &datadir.Folders{
		Data: filepath.Join(dir, "data"), Getenv: func(string) string { return dir },
		Tools: filepath.Join(root, ".tools"), Executable: filepath.Join(root, "bin", "dec"),
	}
	s, err := server.Open(t.Context(), server.Options{Folders: folders, Targets: all.Targets()})
	if err != nil {
		t.Fatalf("%v; 'make setup' installs what is needed", err)
	}
	defer s.Close()
	if err := s.Listen(server.ListenOptions{Address: "127.0.0.1:0"}); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	answered := make(chan error, 1)
	go func() { answered <- s.Run(ctx, server.Answer) }()
	defer func() {
		stop()
		<-answered
	}()

	fuzz := exec.CommandContext(t.Context(), filepath.Join(root, ".tools", "python", "bin", "schemathesis"), "run", s.URL+"/api/openapi.json",
		"--header", "Authorization: Bearer "+s.Token,
		"--max-time", cmp.Or(os.Getenv("DEC_FUZZ_SECONDS"), "60"),
		"--request-timeout", "40",
		// A stream does not end, so it is no answer that can be judged.
		"--exclude-path", api.Prefix+"/events",
		// A plan may follow its schema and still name no technology that there is.
		"--exclude-checks", "positive_data_acceptance",
		"--generation-database", "none", "--no-color")
	fuzz.Dir = dir
	out, err := fuzz.CombinedOutput()
	if err != nil {
		t.Errorf("schemathesis: %v\n%s", err, out)
	}
	if !regexp.MustCompile(`[1-9]\d* generated`).Match(out) || strings.Contains(string(out), "No operations") {
		t.Errorf("schemathesis made up no call:\n%s", out)
	}
	t.Logf("%s", out[max(0, len(out)-1500):])
}
