package supervise

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"
)

// The stop latch makes any number of requests, by any number of processes, one
// signal. It has two stages, each a file that only one can create:
//
//   - "stop": a stop is wanted. The supervisor sees it; whoever finds that the
//     supervisor is gone goes on by himself.
//   - "signalled": its creator, and nobody else, sends the stop signal.
//
// The second stage comes before the signal. So a sender that is killed between
// the two has sent none, and then none is sent: nobody else can know, and a
// second signal makes OpenTofu lose its state, while a missing one costs the
// grace period, counted from the age of the second stage, after which everything
// is killed as it would have been anyway. Nothing is synced to the disk: a latch
// need not survive a power cut, which ends what it is about.

// claim creates a stage of the latch, and reports whether this call did.
func claim(folder, stage string, by Identity) (bool, error) {
	path := filepath.Join(folder, stage)
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if isFull(err) {
		return claimFromReserve(folder, stage)
	}
	if errors.Is(err, fs.ErrExist) {
		return false, nil
	} else if err != nil {
		return false, fmt.Errorf("claim the latch %s: %w", stage, err)
	}
	defer f.Close()
	// The name is the latch; who made it helps a reader on a disk with room.
	fmt.Fprintf(f, "%d %d %s\n", by.PID, by.StartTicks, by.BootID)
	return true, nil
}

// claimFromReserve claims a stage without a new file, by renaming the one kept
// for it, which is as exclusive.
func claimFromReserve(folder, stage string) (bool, error) {
	path, reserve := filepath.Join(folder, stage), filepath.Join(folder, reservePrefix+stage)
	now := time.Now() // before it can be seen: its age is the age of the signal
	err := os.Chtimes(reserve, now, now)
	if err == nil {
		err = unix.Renameat2(unix.AT_FDCWD, reserve, unix.AT_FDCWD, path, unix.RENAME_NOREPLACE)
	}
	switch {
	case err == nil:
		return true, nil
	case errors.Is(err, fs.ErrExist), exists(folder, stage):
		return false, nil
	}
	return false, fmt.Errorf("claim the latch %s on a full disk: %w", stage, err)
}

// signalledFor returns how long ago the stop signal was claimed, between 0 and
// limit whatever the clock did since.
func signalledFor(folder string, limit time.Duration) time.Duration {
	info, err := os.Stat(filepath.Join(folder, signalledFile))
	if err != nil {
		return 0
	}
	return min(max(time.Since(info.ModTime()), 0), limit)
}
