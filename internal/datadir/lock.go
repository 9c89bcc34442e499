package datadir

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

// InUseError says that another process works on a data folder.
type InUseError struct {
	Data   string
	Holder string // its process id
}

// Error names the process.
func (e *InUseError) Error() string {
	return fmt.Sprintf("the data folder %s is in use by process %s; wait until that ends, or choose another folder with --data DIR", e.Data, e.Holder)
}

// Lock makes the data folder and locks it for this process. A folder that
// another one holds is an [*InUseError]. Closing the file releases it; so does the
// end of this process.
func (f *Folders) Lock() (*os.File, error) {
	if err := os.MkdirAll(f.Data, 0o700); err != nil {
		return nil, fmt.Errorf("data folder: %w", err)
	}
	path := filepath.Join(f.Data, "lock")
	lock, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("data folder: %w", err)
	}
	err = syscall.Flock(int(lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if errors.Is(err, syscall.EWOULDBLOCK) {
		holder, _ := os.ReadFile(path) // the message does without it
		lock.Close()
		return nil, &InUseError{Data: f.Data, Holder: strings.TrimSpace(string(holder))}
	} else if err != nil {
		lock.Close()
		return nil, fmt.Errorf("lock data folder %s: %w", f.Data, err)
	}
	err = lock.Truncate(0)
	if err == nil {
		_, err = lock.WriteAt([]byte(strconv.Itoa(os.Getpid())+"\n"), 0)
	}
	if err != nil {
		lock.Close()
		return nil, fmt.Errorf("lock data folder %s: %w", f.Data, err)
	}
	return lock, nil
}
