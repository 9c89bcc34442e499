// Package mototest runs moto, an emulator of AWS, for tests: a server of S3, and
// a Kinesis that loses acknowledged records under concurrent writes.
package mototest

import (
	"bufio"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// announced is the line in which the server says where it listens.
var announced = regexp.MustCompile(`Running on (http://127\.0\.0\.1:\d+)`)

// Start runs a server with nothing in it until the end of the test, on a free
// port of the loopback interface, and returns its URL. Any credentials do.
func Start(t testing.TB) string {
	t.Helper()
	server := exec.Command(program(t), "-H", "127.0.0.1", "-p", "0")
	server.Env = []string{"PATH=/usr/bin:/bin", "PYTHONUNBUFFERED=1"}
	output, err := server.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := server.Start(); err != nil {
		t.Fatalf("start moto: %v", err)
	}
	var said strings.Builder
	url, ended := make(chan string, 1), make(chan struct{})
	go func() {
		defer close(ended)
		for lines := bufio.NewScanner(output); lines.Scan(); {
			if found := announced.FindStringSubmatch(lines.Text()); found != nil {
				url <- found[1]
			} else if said.Len() < 1<<16 {
				said.WriteString(lines.Text() + "\n")
			}
		}
	}()
	t.Cleanup(func() {
		_ = server.Process.Kill()
		<-ended
		_ = server.Wait()
	})
	select {
	case at := <-url:
		return at
	case <-ended:
		t.Fatalf("moto has ended:\n%s", said.String())
	case <-t.Context().Done():
		t.Fatal("the test ended before moto listened")
	}
	return ""
}

// program is where make test-tools installs moto.
func program(t testing.TB) string {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for dir != filepath.Dir(dir) {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			found := filepath.Join(dir, ".tools", "python", "bin", "moto_server")
			if _, err := os.Stat(found); err != nil {
				t.Fatal(".tools/python/bin/moto_server is missing: run make test-tools")
			}
			return found
		}
		dir = filepath.Dir(dir)
	}
	t.Fatal("no go.mod above the test's folder")
	return ""
}
