package supervise

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"
)

// folderVariable makes a program that begins with [Main] the supervisor of the
// folder it names.
const folderVariable = "DEC_SUPERVISE"

// handover is what the supervisor reads from its standard input. A whole one
// is the last thing the starter sends; without it nothing is started.
type handover struct {
	Secrets map[string]string `json:"secrets"` // added to the child's environment
}

// Secrets are what a process needs and no record of it holds.
type Secrets struct {
	Environment map[string]string // added to the spec's; it never reaches the disk
	// Files are path below the working folder → content. They are for the user
	// alone, take the place of a file of the spec, and are removed at the end of
	// the process.
	Files map[string]string
}

// Start starts a process in a new folder and returns as soon as the supervisor
// has taken over: it has the secrets, and has started the child or recorded why
// it could not (see [Process.WaitReady]). The folder must not exist; its parents
// are made.
//
// On an error nothing runs and the folder is gone. When ctx ends while the
// supervisor takes over, the process goes on, and Start returns it.
func Start(ctx context.Context, folder string, spec Spec, secrets Secrets) (*Process, error) {
	p, err := start(ctx, folder, spec, secrets)
	if err != nil {
		return nil, fmt.Errorf("start process %q: %w", spec.Name, err)
	}
	return p, nil
}

func start(ctx context.Context, folder string, spec Spec, secrets Secrets) (*Process, error) {
	if err := ctx.Err(); err != nil {
		return nil, context.Cause(ctx)
	}
	spec.SecretFiles = slices.Sorted(maps.Keys(secrets.Files))
	if err := errors.Join(spec.Validate(), checkEnvironment(secrets.Environment)); err != nil {
		return nil, err
	}
	if spec.Lifetime == "" {
		spec.Lifetime = Service
	}
	folder, err := filepath.Abs(folder)
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(filepath.Dir(folder), 0o755); err != nil {
		return nil, err
	}
	if err := os.Mkdir(folder, 0o700); err != nil {
		return nil, err // also when it exists: nobody starts twice in one folder
	}
	p := &Process{folder: folder}
	died, err := p.launch(ctx, spec, secrets)
	if err == nil {
		err = p.awaitTakeover(ctx, died)
	}
	if err != nil {
		return nil, errors.Join(err, removeFolder(folder))
	}
	return p, nil
}

// launch prepares the folder, starts the supervisor and hands over. The channel
// is closed when the supervisor has ended.
func (p *Process) launch(ctx context.Context, spec Spec, secrets Secrets) (died chan struct{}, err error) {
	locks, err := p.prepare(spec, secrets.Files)
	defer func() {
		for _, lock := range locks {
			lock.Close() // from here on, the supervisor holds them
		}
	}()
	if err != nil {
		return nil, err
	}
	message, err := json.Marshal(handover{Secrets: secrets.Environment})
	if err != nil {
		return nil, err
	}
	return p.spawn(ctx, locks, message)
}

// prepare writes everything that must be there before anything runs, and
// returns the two locks.
func (p *Process) prepare(spec Spec, secretFiles map[string]string) (locks []*os.File, err error) {
	lock, err := createLock(p.folder, lockFile, nil)
	if err != nil {
		return nil, err
	}
	room := bytes.Repeat([]byte{' '}, identityBytes)
	supervisorLock, err := createLock(p.folder, supervisorLockFile, room)
	if err != nil {
		return []*os.File{lock}, err
	}
	locks = []*os.File{lock, supervisorLock} // descriptors 3 and 4 of the supervisor
	if err := makeReserves(p.folder); err != nil {
		return locks, err
	}
	if err := fillWorkFolder(filepath.Join(p.folder, workFolder), spec, secretFiles); err != nil {
		return locks, err
	}
	if err := writeRecord(p.folder, specFile, spec); err != nil {
		return locks, err
	}
	return locks, syncFolder(filepath.Dir(p.folder))
}

// fillWorkFolder makes the working folder with its files and links. [os.Root]
// keeps every path inside of it, also through links.
func fillWorkFolder(work string, spec Spec, secretFiles map[string]string) error {
	if err := os.Mkdir(work, 0o700); err != nil {
		return err
	}
	root, err := os.OpenRoot(work)
	if err != nil {
		return err
	}
	defer root.Close()
	for _, path := range slices.Sorted(maps.Keys(spec.Files)) {
		if slices.Contains(spec.SecretFiles, path) {
			continue
		}
		content := spec.Files[path]
		mode := fs.FileMode(0o600)
		if strings.HasPrefix(content, "#!") {
			mode = 0o700
		}
		if err := writeBelow(root, path, content, mode); err != nil {
			return err
		}
	}
	for _, path := range spec.SecretFiles {
		if err := writeBelow(root, path, secretFiles[path], 0o600); err != nil {
			return err
		}
	}
	for _, path := range slices.Sorted(maps.Keys(spec.Artifacts)) {
		target := spec.Artifacts[path]
		if _, err := os.Stat(target); err != nil {
			return fmt.Errorf("artifact %s is missing; install it first: %w", path, err)
		}
		err := root.MkdirAll(filepath.Dir(path), 0o700)
		if err == nil {
			err = root.Symlink(target, path)
		}
		if err != nil {
			return fmt.Errorf("link artifact %s: %w", path, err)
		}
	}
	return nil
}

// writeBelow writes a file and makes its folders.
func writeBelow(root *os.Root, path, content string, mode fs.FileMode) error {
	err := root.MkdirAll(filepath.Dir(path), 0o700)
	if err == nil {
		err = root.WriteFile(path, []byte(content), mode)
	}
	if err != nil {
		return fmt.Errorf("write file %s: %w", path, err)
	}
	return nil
}

// spawn starts the supervisor and writes the handover to its standard input.
func (p *Process) spawn(ctx context.Context, locks []*os.File, message []byte) (died chan struct{}, err error) {
	log, err := os.OpenFile(filepath.Join(p.folder, supervisorLogFile), os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return nil, err
	}
	defer log.Close()
	stdin, handing, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	defer stdin.Close()
	// /proc/self/exe is this very program, also when its file was replaced or
	// removed since, and so the protocol of both sides is the same.
	child, err := os.StartProcess("/proc/self/exe", []string{"dec-supervise", p.folder}, &os.ProcAttr{
		Dir:   "/",
		Env:   []string{folderVariable + "=" + p.folder},
		Files: append([]*os.File{stdin, log, log}, locks...),
		Sys:   &syscall.SysProcAttr{Setsid: true},
	})
	if err != nil {
		handing.Close()
		return nil, fmt.Errorf("start supervisor: %w", err)
	}
	died = make(chan struct{})
	go func() { // for as long as the supervisor lives: it would stay a zombie
		defer close(died)
		_, _ = child.Wait() // what it has to say is in its folder
	}()
	if err := hand(ctx, handing, message); err != nil {
		_ = child.Kill() // it has started nothing without a whole handover
		<-died
		return nil, fmt.Errorf("instruct the supervisor: %w", err)
	}
	return died, nil
}

// hand writes the message and the end of it. The supervisor may be slow to
// read a large one, so ctx can interrupt it.
func hand(ctx context.Context, to *os.File, message []byte) error {
	stop := context.AfterFunc(ctx, func() { _ = to.SetWriteDeadline(time.Unix(1, 0)) })
	defer stop()
	_, err := io.Copy(to, bytes.NewReader(message))
	if errors.Is(err, os.ErrDeadlineExceeded) {
		err = context.Cause(ctx)
	}
	return errors.Join(err, to.Close())
}

// awaitTakeover waits until the supervisor has started the child or recorded
// why not. A supervisor that died is an error only if nothing else lives.
func (p *Process) awaitTakeover(ctx context.Context, died <-chan struct{}) error {
	check := func() (bool, time.Duration, error) {
		done := exists(p.folder, childFile) || exists(p.folder, exitFile)
		if done {
			return true, 0, nil
		}
		select {
		case <-died:
		default:
			return false, lookInterval, nil
		}
		if exists(p.folder, childFile) || exists(p.folder, exitFile) {
			return true, 0, nil
		}
		// Killed on its way. The child may have been started, and not recorded.
		alive, err := p.Alive()
		if err == nil && !alive {
			err = fmt.Errorf("its supervisor died\n%s", strings.Join(lastLines(filepath.Join(p.folder, supervisorLogFile), tailLines), "\n"))
		}
		return true, 0, err
	}
	err := await(ctx, p.folder, check)
	if ctx.Err() != nil && errors.Is(err, context.Cause(ctx)) {
		return nil // handed over is handed over
	}
	return err
}
