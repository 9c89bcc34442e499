package provider_test

import (
	"bufio"
	"errors"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// cookie is what a program needs to know to start a provider. It is no secret,
// see hashicorp/go-plugin.
const cookie = "TF_PLUGIN_MAGIC_COOKIE=d602bf8f470bc67ca7faa0386276bbdd4330efaf76d1a219cb4d6991ca9872b2"

func TestAnIdleProviderEndsWithItsParent(t *testing.T) {
	t.Parallel()
	parent := exec.CommandContext(t.Context(), "/bin/sh", "-c", `"$0" >"$1" & echo $!; wait`, providerBinary(t), filepath.Join(t.TempDir(), "out"))
	parent.Env = []string{cookie}
	stdout, err := parent.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := parent.Start(); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(stdout).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	pid, err := strconv.Atoi(strings.TrimSpace(line))
	if err != nil {
		t.Fatal(err)
	}
	fd, err := unix.PidfdOpen(pid, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(fd)
	// It serves once it has told where.
	newFixture(t).eventually("the provider serves", func() bool {
		out, err := os.ReadFile(parent.Args[len(parent.Args)-1])
		return err == nil && strings.HasSuffix(string(out), "\n")
	})
	if err := parent.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = parent.Wait() // killed
	if err := ended(fd); err != nil {
		t.Errorf("after its parent was killed: %v", err)
		_ = unix.PidfdSendSignal(fd, unix.SIGKILL, nil, 0)
	}
}

func TestAnIdleProviderEndsWhenItsOutputIsClosed(t *testing.T) {
	t.Parallel()
	provider := exec.CommandContext(t.Context(), providerBinary(t))
	provider.Env = []string{cookie}
	stdout, err := provider.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := provider.Start(); err != nil {
		t.Fatal(err)
	}
	if _, err := bufio.NewReader(stdout).ReadString('\n'); err != nil && !errors.Is(err, io.EOF) {
		t.Fatal(err)
	}
	fd, err := unix.PidfdOpen(provider.Process.Pid, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(fd)
	if err := stdout.Close(); err != nil {
		t.Fatal(err)
	}
	if err := ended(fd); err != nil {
		t.Errorf("after its output was closed: %v", err)
		_ = provider.Process.Kill()
	}
	_ = provider.Wait() // it ends with an error, as it should
}

// providerBinary is the provider in the mirror.
func providerBinary(t *testing.T) string {
	t.Helper()
	var found string
	err := filepath.WalkDir(built.mirror, func(path string, entry fs.DirEntry, err error) error {
		if err == nil && entry.Type().IsRegular() {
			found = path
		}
		return err
	})
	if err != nil || found == "" {
		t.Fatalf("no provider in %s: %v", built.mirror, err)
	}
	return found
}
