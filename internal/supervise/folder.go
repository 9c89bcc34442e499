package supervise

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// The names in the folder of a process.
const (
	specFile           = "spec.json"
	lockFile           = "lock"            // held while anything of the process lives
	supervisorLockFile = "supervisor.lock" // held while the supervisor lives; its content is the supervisor's Identity
	childFile          = "child.json"      // Identity of the child
	readyFile          = "ready.json"      // readyRecord
	exitFile           = "exit.json"       // Exit
	stdoutFile         = "stdout.log"      // of the child
	stderrFile         = "stderr.log"      // of the child
	supervisorLogFile  = "supervisor.log"  // what the supervisor has to say
	samplesFile        = "samples.jsonl"   // a Usage a line
	stopFile           = "stop"            // latch: a stop was requested
	signalledFile      = "signalled"       // latch: somebody took it upon himself to send the stop signal
	workFolder         = "work"            // the child's working folder
	reservePrefix      = ".reserve."       // in front of a record's name: room for it on a disk that fills up
	reserveBytes       = 4096              // of each reserve, and so the largest record written from one
	identityBytes      = 512               // of room for the supervisor's Identity in supervisor.lock
)

// reserved are the records and latches that are made even when the disk is full.
var reserved = []string{childFile, readyFile, exitFile, stopFile, signalledFile}

// readyRecord is the content of ready.json.
type readyRecord struct {
	At     string `json:"at,omitempty"`     // when it was ready, RFC 3339
	Failed string `json:"failed,omitempty"` // why it was given up instead
}

// writeRecord writes a record of the folder whole or not at all, and makes it
// durable. On a full disk it goes into the room that [makeReserves] kept for it.
func writeRecord(folder, name string, record any) error {
	data, err := json.Marshal(record)
	if err != nil {
		return fmt.Errorf("encode %s: %w", name, err)
	}
	data = append(data, '\n')
	err = replaceFile(filepath.Join(folder, name), bytes.NewReader(data), 0o600)
	if isFull(err) {
		err = writeFromReserve(folder, name, data)
	}
	if err != nil {
		return fmt.Errorf("write %s: %w", name, err)
	}
	return syncFolder(folder)
}

// writeFromReserve overwrites the reserve of a record in place, which needs no
// new block, and renames it. JSON allows the blanks that remain at its end.
func writeFromReserve(folder, name string, data []byte) error {
	if len(data) > reserveBytes {
		return fmt.Errorf("the disk is full and only %d bytes are reserved: %w", reserveBytes, unix.ENOSPC)
	}
	reserve := filepath.Join(folder, reservePrefix+name)
	f, err := os.OpenFile(reserve, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	_, err = f.WriteAt(data, 0)
	if err := errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	return os.Rename(reserve, filepath.Join(folder, name))
}

// makeReserves keeps room for the records and names for the latches.
func makeReserves(folder string) error {
	blank := bytes.Repeat([]byte{' '}, reserveBytes)
	for _, name := range reserved {
		content := blank
		if name == stopFile || name == signalledFile {
			content = nil // a name is all of a latch
		}
		if err := os.WriteFile(filepath.Join(folder, reservePrefix+name), content, 0o600); err != nil {
			return fmt.Errorf("reserve space for %s: %w", name, err)
		}
	}
	return nil
}

// removeReserves gives the room back when nothing will be written any more.
func removeReserves(folder string) {
	for _, name := range reserved {
		os.Remove(filepath.Join(folder, reservePrefix+name))
	}
}

// readRecord reads a record of the folder; fs.ErrNotExist when there is none.
func readRecord(folder, name string, record any) error {
	data, err := os.ReadFile(filepath.Join(folder, name))
	if err != nil {
		return fmt.Errorf("read %s: %w", name, err)
	}
	if err := json.Unmarshal(data, record); err != nil {
		return fmt.Errorf("read %s of %s: %w", name, folder, err)
	}
	return nil
}

// replaceFile puts content at path in one step: whoever reads it sees the old
// file or the whole new one, also after a power cut.
func replaceFile(path string, content io.Reader, mode fs.FileMode) error {
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*")
	if err != nil {
		return err
	}
	_, err = io.Copy(f, content)
	err = errors.Join(err, f.Chmod(mode), f.Sync(), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		os.Remove(f.Name())
	}
	return err
}

// syncFolder makes the names in a folder durable.
func syncFolder(folder string) error {
	f, err := os.Open(folder)
	if err != nil {
		return err
	}
	defer f.Close()
	if err := f.Sync(); err != nil && !errors.Is(err, unix.EINVAL) { // some file systems cannot
		return fmt.Errorf("sync folder %s: %w", folder, err)
	}
	return nil
}

// isFull reports whether err means that there is no room for another byte or file.
func isFull(err error) bool {
	return errors.Is(err, unix.ENOSPC) || errors.Is(err, unix.EDQUOT) || errors.Is(err, unix.EFBIG)
}

// exists reports whether the folder has a file of that name.
func exists(folder, name string) bool {
	_, err := os.Lstat(filepath.Join(folder, name))
	return err == nil
}
