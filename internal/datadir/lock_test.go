package datadir_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"dec.local/dec/internal/datadir"
)

func TestOneProcessHoldsADataFolder(t *testing.T) {
	f := datadir.Folders{Data: filepath.Join(t.TempDir(), "new", "data")}
	lock, err := f.Lock()
	if err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(f.Data); err != nil || info.Mode() != fs.ModeDir|0o700 {
		t.Errorf("the data folder was made with %v, %v, want for its owner only", info.Mode(), err)
	}
	pid := strconv.Itoa(os.Getpid())
	_, err = f.Lock()
	inUse, ok := errors.AsType[*datadir.InUseError](err)
	if !ok || inUse.Data != f.Data || inUse.Holder != pid {
		t.Fatalf("second Lock() = %v, want that process %s holds it", err, pid)
	}
	if text := inUse.Error(); !strings.Contains(text, f.Data) || !strings.Contains(text, "process "+pid) || !strings.Contains(text, "--data DIR") {
		t.Errorf("error = %q, want one that names the folder, the process and what to do", text)
	}
	if err := lock.Close(); err != nil {
		t.Fatal(err)
	}
	lock, err = f.Lock()
	if err != nil {
		t.Fatalf("Lock() after the release = %v", err)
	}
	lock.Close()
}

func TestWhoHeldAFolderBeforeIsForgotten(t *testing.T) {
	f := datadir.Folders{Data: t.TempDir()}
	path := filepath.Join(f.Data, "lock")
	write(t, path, "123456789012345\n", 0o600) // of a process that was killed
	lock, err := f.Lock()
	if err != nil {
		t.Fatal(err)
	}
	defer lock.Close()
	if got, err := os.ReadFile(path); err != nil || string(got) != strconv.Itoa(os.Getpid())+"\n" {
		t.Errorf("the lock names process %q, %v, want this one alone", got, err)
	}
}

func TestAFolderThatCannotBeMadeIsNotInUse(t *testing.T) {
	for name, below := range map[string]string{"a file is in its place": "file", "a file is above it": "file/data"} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			write(t, filepath.Join(dir, "file"), "", 0o600)
			f := datadir.Folders{Data: filepath.Join(dir, below)}
			_, err := f.Lock()
			if _, inUse := errors.AsType[*datadir.InUseError](err); err == nil || inUse || !strings.Contains(err.Error(), "data folder") {
				t.Errorf("Lock() = %v, want an error of the folder", err)
			}
		})
	}
}
