package provider

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

// exitWithParent ends this program when the one that started it has ended, or
// nobody reads its standard output any more. OpenTofu tells its providers to
// end, but if it was killed nobody does, and a provider left alone would go on
// creating things that no state will know. Being killed at any point is
// something that the ledger is built for.
//
// The pipe is there because the parent may have ended before we ask who it is.
func exitWithParent() {
	watched := []unix.PollFd{{Fd: int32(os.Stdout.Fd())}} // asked for nothing, poll still tells of a broken pipe
	parent := os.Getppid()
	switch fd, err := unix.PidfdOpen(parent, 0); {
	case errors.Is(err, unix.ESRCH):
		os.Exit(1)
	case err == nil: // else a kernel before 5.3, and the pipe has to do
		watched = append(watched, unix.PollFd{Fd: int32(fd), Events: unix.POLLIN})
	}
	if os.Getppid() != parent { // it ended before we looked, and its number was given away
		os.Exit(1)
	}
	go func() {
		for {
			if _, err := unix.Poll(watched, -1); !errors.Is(err, unix.EINTR) {
				os.Exit(1)
			}
		}
	}()
}
