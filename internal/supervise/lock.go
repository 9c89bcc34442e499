package supervise

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// createLock makes a lock file that is held from the first moment it can be
// seen: it is locked under another name. The lock belongs to the open file, so
// it is held until every process that inherited the file has closed it.
func createLock(folder, name string, content []byte) (*os.File, error) {
	hidden := filepath.Join(folder, "."+name)
	f, err := os.OpenFile(hidden, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return nil, err
	}
	_, err = f.Write(content)
	if err == nil {
		err = flock(f, unix.LOCK_EX|unix.LOCK_NB)
	}
	if err == nil {
		err = os.Rename(hidden, filepath.Join(folder, name))
	}
	if err != nil {
		f.Close()
		return nil, fmt.Errorf("create lock %s: %w", name, err)
	}
	return f, nil
}

// held reports whether anybody holds the lock file. It asks for a shared lock, so
// that any number of askers do not see one another.
func held(folder, name string) (bool, error) {
	f, err := os.Open(filepath.Join(folder, name))
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil // made, and locked, before anything is started
	} else if err != nil {
		return false, fmt.Errorf("test lock: %w", err)
	}
	defer f.Close()
	switch err := flock(f, unix.LOCK_SH|unix.LOCK_NB); {
	case errors.Is(err, unix.EWOULDBLOCK):
		return true, nil
	case err != nil:
		return false, fmt.Errorf("test lock %s: %w", f.Name(), err)
	}
	return false, nil
}

// flock is the system call, repeated when a signal interrupts it.
func flock(f *os.File, how int) error {
	for {
		err := unix.Flock(int(f.Fd()), how)
		if !errors.Is(err, unix.EINTR) {
			return err
		}
	}
}

// fileID tells files apart, whatever they are called.
type fileID struct{ dev, inode uint64 }

// idOf returns the identity of the file at path, following links.
func idOf(path string) (fileID, error) {
	var st unix.Stat_t
	if err := unix.Stat(path, &st); err != nil {
		return fileID{}, fmt.Errorf("stat %s: %w", path, err)
	}
	return fileID{uint64(st.Dev), st.Ino}, nil
}
