package local

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"

	"dec.local/dec/target"
)

// How often a lock that somebody holds is tried.
const (
	lockEvery      = 5 * time.Millisecond
	measuringEvery = 100 * time.Millisecond
)

// LockMeasuring waits until nobody else measures on this machine under this
// user, and keeps others from it until release is called or this program ends.
// If ctx ends first, the error matches [target.ErrMeasuring] as well as the cause of
// ctx, and names the process that measures.
func (l *Ledger) LockMeasuring(ctx context.Context) (release func(), err error) {
	path := filepath.Join(l.dir, "measuring.lock")
	file, err := lock(ctx, path, measuringEvery)
	if err != nil && ctx.Err() != nil {
		return nil, fmt.Errorf("%w%s: %w", target.ErrMeasuring, holder(path), err)
	} else if err != nil {
		return nil, fmt.Errorf("take the measuring lock: %w", err)
	}
	// The process ID is only for messages; the lock decides.
	if err := file.Truncate(0); err == nil {
		_, _ = fmt.Fprintf(file, "%d\n", os.Getpid())
	}
	return func() { _ = file.Close() }, nil
}

// holder names the process in a lock file, to go after a noun.
func holder(path string) string {
	content, err := os.ReadFile(path)
	if pid := bytes.TrimSpace(content); err == nil && len(pid) > 0 {
		return fmt.Sprintf(" (process %s)", pid)
	}
	return ""
}

// locked calls f while no other program changes the ports.
func (l *Ledger) locked(ctx context.Context, f func() error) error {
	file, err := lock(ctx, filepath.Join(l.dir, "lock"), lockEvery)
	if err != nil {
		return fmt.Errorf("lock the ledger: %w", err)
	}
	return errors.Join(f(), file.Close())
}

// lock opens a file and locks it exclusively, trying again while another holds
// it. Closing the file releases the lock; so does the end of this program. The
// lock is of the open file, so it works between goroutines too.
func lock(ctx context.Context, path string, every time.Duration) (*os.File, error) {
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	timer := time.NewTimer(every)
	defer timer.Stop()
	for {
		err := unix.Flock(int(file.Fd()), unix.LOCK_EX|unix.LOCK_NB)
		switch {
		case err == nil:
			return file, nil
		case errors.Is(err, unix.EINTR):
			continue
		case !errors.Is(err, unix.EWOULDBLOCK):
			return nil, errors.Join(fmt.Errorf("lock %s: %w", path, err), file.Close())
		}
		timer.Reset(every)
		select {
		case <-ctx.Done():
			return nil, errors.Join(context.Cause(ctx), file.Close())
		case <-timer.C:
		}
	}
}

// writeWhole writes a file beside path and lets place put it there, so that no
// reader ever sees half of it. The caller holds the ledger's lock, so the name
// beside it is free to use, whoever was killed before.
func writeWhole(path string, content []byte, place func(from, to string) error) error {
	beside := filepath.Join(filepath.Dir(path), ".new")
	file, err := os.OpenFile(beside, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	defer os.Remove(beside) // gone already if place was a rename
	_, err = io.Copy(file, bytes.NewReader(content))
	if err := errors.Join(err, file.Sync(), file.Close()); err != nil {
		return err
	}
	return place(beside, path)
}
