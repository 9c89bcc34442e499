package supervise_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"dec.local/dec/internal/supervise"
)

func TestSecretVariablesAreNowhereOnTheDisk(t *testing.T) {
	t.Parallel()
	const canary = "canary-2718281828"
	spec := program(t, "stubborn")
	spec.Grace = time.Millisecond
	spec.Logs = filepath.Join(t.TempDir(), "logs")
	p := start(t, spec, supervise.Secrets{Environment: map[string]string{"TOKEN": canary, "LARGE": strings.Repeat(canary, 5_000)}})
	waitReady(t, p)
	for name, id := range map[string]supervise.Identity{"child": child(t, p), "supervisor": supervisor(t, p)} {
		data, err := os.ReadFile("/proc/" + strconv.Itoa(id.PID) + "/environ")
		if err != nil {
			t.Fatal(err)
		}
		if got, want := strings.Contains(string(data), "TOKEN="+canary), name == "child"; got != want {
			t.Errorf("environment of the %s has the secret = %t, want %t", name, got, want)
		}
	}
	stop(t, p)
	for _, folder := range []string{p.Folder(), spec.Logs} {
		text, err := folderText(folder)
		if err != nil || text == "" || strings.Contains(text, canary) {
			t.Errorf("files in %s hold the secret, or cannot be read: %v", folder, err)
		}
	}
}

// TestSecretFilesEndWithTheProcess wants them where the child finds them, for
// the user alone, in no record, and gone once it has ended by itself: nobody may
// come to remove its folder for a long time.
func TestSecretFilesEndWithTheProcess(t *testing.T) {
	t.Parallel()
	const canary = "canary-3141592653"
	spec := program(t, "idle")
	spec.Files = map[string]string{"etc/open.conf": "include secret.conf", "etc/secret.conf": "#!nothing"}
	spec.Logs = filepath.Join(t.TempDir(), "logs")
	p := start(t, spec, supervise.Secrets{Files: map[string]string{"etc/secret.conf": "#!" + canary, "token": canary}})
	waitReady(t, p)
	for name, want := range map[string]string{"etc/secret.conf": "#!" + canary, "token": canary} {
		file := filepath.Join(p.Folder(), "work", name)
		info, err := os.Stat(file)
		if err != nil {
			t.Fatal(err)
		}
		if data, err := os.ReadFile(file); string(data) != want || err != nil || info.Mode() != 0o600 {
			t.Errorf("%s = %q, %v with mode %v, want the secret with 0600", name, data, err, info.Mode())
		}
	}
	if data, err := os.ReadFile(filepath.Join(p.Folder(), "spec.json")); err != nil || strings.Contains(string(data), canary) {
		t.Errorf("spec.json holds the secret, or cannot be read: %v", err)
	}
	stop(t, p)
	if _, err := os.Stat(filepath.Join(p.Folder(), "work", "token")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("secret file after the end: %v, want none", err)
	}
	for _, folder := range []string{p.Folder(), spec.Logs} {
		text, err := folderText(folder)
		if err != nil || text == "" || strings.Contains(text, canary) {
			t.Errorf("files in %s hold the secret after the end, or cannot be read: %v", folder, err)
		}
	}
	if text, _ := folderText(p.Folder()); !strings.Contains(text, "include secret.conf") {
		t.Error("the other files are gone after the end too")
	}
}

func TestStartRefusesWrongSecretFiles(t *testing.T) {
	t.Parallel()
	tests := map[string]struct{ path, want string }{
		"outside":      {"../x", `"../x" is not a path below`},
		"below a file": {"conf/x", "write file conf/x"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			spec := program(t, "idle")
			spec.Files = map[string]string{"conf": ""}
			folder := filepath.Join(t.TempDir(), "process")
			_, err := supervise.Start(t.Context(), folder, spec, supervise.Secrets{Files: map[string]string{tt.path: "canary"}})
			if err == nil || !strings.Contains(err.Error(), tt.want) || strings.Contains(err.Error(), "canary") {
				t.Errorf("Start() = %v, want an error with %q and without the secret", err, tt.want)
			}
			if _, err := os.Stat(folder); !errors.Is(err, fs.ErrNotExist) {
				t.Errorf("folder after a failed start: %v, want none", err)
			}
		})
	}
}
