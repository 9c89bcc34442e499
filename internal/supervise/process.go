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
	"slices"
	"strings"
)

// Open returns a handle on the folder of a process that was started before, by
// whomever. The error is [fs.ErrNotExist] when there is no such folder.
func Open(folder string) (*Process, error) {
	folder, err := filepath.Abs(folder)
	if err != nil {
		return nil, fmt.Errorf("open process: %w", err)
	}
	info, err := os.Stat(folder)
	if err != nil {
		return nil, fmt.Errorf("open process: %w", err)
	}
	if !info.IsDir() {
		return nil, fmt.Errorf("open process: %s is not a folder", folder)
	}
	return &Process{folder: folder}, nil
}

// Folder returns the absolute path of the process's folder.
func (p *Process) Folder() string { return p.folder }

// Spec returns what the process was started from. The error is
// [fs.ErrNotExist] when its starter was killed before it started anything.
func (p *Process) Spec() (Spec, error) {
	var spec Spec
	err := readRecord(p.folder, specFile, &spec)
	return spec, err
}

// Alive reports whether anything of the process lives: the starter while it
// starts, the child, whatever inherited the lock from it, and the supervisor
// until its last record is written.
func (p *Process) Alive() (bool, error) {
	alive, err := held(p.folder, lockFile)
	if alive || err != nil {
		return alive, err
	}
	return p.SupervisorAlive()
}

// SupervisorAlive reports whether the supervisor lives. A process may live without
// one; then nobody samples it, ends it at its time, or writes its [Exit].
func (p *Process) SupervisorAlive() (bool, error) { return held(p.folder, supervisorLockFile) }

// Child returns the identity of the child. The error is [fs.ErrNotExist] when
// none was started.
func (p *Process) Child() (Identity, error) {
	var id Identity
	err := readRecord(p.folder, childFile, &id)
	return id, err
}

// Supervisor returns the identity of the supervisor. The error is
// [fs.ErrNotExist] when it never ran.
func (p *Process) Supervisor() (Identity, error) {
	data, err := os.ReadFile(filepath.Join(p.folder, supervisorLockFile))
	if err != nil {
		return Identity{}, fmt.Errorf("read supervisor: %w", err)
	}
	if data = bytes.TrimSpace(data); len(data) == 0 {
		return Identity{}, fmt.Errorf("read supervisor: it has not begun: %w", fs.ErrNotExist)
	}
	var id Identity
	if err := json.Unmarshal(data, &id); err != nil {
		return Identity{}, fmt.Errorf("read supervisor: %w", err)
	}
	return id, nil
}

// Exit returns the record of the process's end, and whether there is one.
func (p *Process) Exit() (Exit, bool, error) {
	var exit Exit
	err := readRecord(p.folder, exitFile, &exit)
	if errors.Is(err, fs.ErrNotExist) {
		return Exit{}, false, nil
	}
	return exit, err == nil, err
}

// Usage returns the newest sample, which is at most a second old while the
// supervisor lives. The error is [fs.ErrNotExist] when there is none yet.
func (p *Process) Usage() (Usage, error) {
	lines := lastLines(filepath.Join(p.folder, samplesFile), 3)
	for _, line := range slices.Backward(lines) {
		var u Usage
		if json.Unmarshal([]byte(line), &u) == nil { // not torn by a full disk or a kill
			return u, nil
		}
	}
	return Usage{}, fmt.Errorf("usage of %s: no sample: %w", filepath.Base(p.folder), fs.ErrNotExist)
}

// Tail returns the last n lines of the output. Of standard output and standard
// error, the one written to last comes last, and the other gets at most half
// of the lines.
func (p *Process) Tail(n int) string {
	older, newer := filepath.Join(p.folder, stdoutFile), filepath.Join(p.folder, stderrFile)
	a, errA := os.Stat(older)
	b, errB := os.Stat(newer)
	if errA == nil && errB == nil && a.Size() > 0 && a.ModTime().After(b.ModTime()) {
		older, newer = newer, older
	}
	last, first := lastLines(newer, n), lastLines(older, n)
	first = first[max(0, len(first)-max(n/2, n-len(last))):]
	last = last[max(0, len(last)-(n-len(first))):]
	return strings.Join(append(first, last...), "\n")
}

// Remove removes the folder. It refuses with [ErrAlive] while anything of the
// process lives, and may be repeated when it was interrupted: the spec goes last.
func (p *Process) Remove() error {
	alive, err := p.Alive()
	if err == nil && alive {
		err = ErrAlive
	}
	if err != nil {
		return fmt.Errorf("remove %s: %w", p.folder, err)
	}
	return removeFolder(p.folder)
}

func removeFolder(folder string) error {
	entries, err := os.ReadDir(folder)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	} else if err != nil {
		return fmt.Errorf("remove %s: %w", folder, err)
	}
	for _, entry := range entries {
		if entry.Name() != specFile {
			err = errors.Join(err, os.RemoveAll(filepath.Join(folder, entry.Name())))
		}
	}
	if err == nil {
		err = os.RemoveAll(folder)
	}
	if err != nil {
		return fmt.Errorf("remove %s: %w", folder, err)
	}
	return nil
}

// tailBytes is how much of the end of a file is searched for lines.
const tailBytes = 64 << 10

// lastLines returns the last n lines of a file, none if it cannot be read. A
// file that was cut within a line begins with the rest of it.
func lastLines(path string, n int) []string {
	f, err := os.Open(path)
	if err != nil {
		return nil
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil
	}
	from := max(0, info.Size()-tailBytes)
	data, err := io.ReadAll(io.NewSectionReader(f, from, info.Size()-from))
	if err != nil {
		return nil
	}
	text := strings.TrimRight(strings.ToValidUTF8(string(data), "\uFFFD"), "\r\n")
	if text == "" {
		return nil
	}
	lines := strings.Split(text, "\n")
	return lines[max(0, len(lines)-n):]
}
