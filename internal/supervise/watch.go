package supervise

import (
	"context"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// watcher tells of new names in a folder. It is only a wake-up call: whoever
// uses it also looks by himself now and then.
type watcher struct {
	file   *os.File      // the inotify queue; nil when there is none
	events chan struct{} // one pending call at most; never closed
	done   chan struct{} // closed when the reader has ended
}

// watch begins to watch a folder. Where inotify is exhausted (128 queues per
// user by default) the watcher stays silent; see [watcher.interval].
func watch(folder string) *watcher {
	w := &watcher{events: make(chan struct{}, 1), done: make(chan struct{})}
	fd, err := unix.InotifyInit1(unix.IN_CLOEXEC | unix.IN_NONBLOCK)
	if err != nil {
		return w
	}
	if _, err := unix.InotifyAddWatch(fd, folder, unix.IN_CREATE|unix.IN_MOVED_TO|unix.IN_DELETE_SELF); err != nil {
		unix.Close(fd)
		return w
	}
	w.file = os.NewFile(uintptr(fd), "inotify")
	go w.read()
	return w
}

func (w *watcher) read() {
	defer close(w.done)
	buf := make([]byte, 16<<10)
	for {
		if _, err := w.file.Read(buf); err != nil {
			return // closed
		}
		select {
		case w.events <- struct{}{}:
		default:
		}
	}
}

// interval is how often to look without being called: relaxed if calls come,
// at most 50 ms if none can.
func (w *watcher) interval(relaxed time.Duration) time.Duration {
	if w.file == nil {
		return min(relaxed, 50*time.Millisecond)
	}
	return relaxed
}

func (w *watcher) close() {
	if w.file != nil {
		w.file.Close()
		<-w.done
	}
}

// await calls check until it says that it is done: at once, then whenever a
// name appears in the folder, and after each delay that check returns. It
// returns the cause of ctx when that ends first.
func await(ctx context.Context, folder string, check func() (done bool, next time.Duration, err error)) error {
	// Most answers are there at once and need no watching.
	done, _, err := check()
	if done || err != nil {
		return err
	}
	w := watch(folder)
	defer w.close()
	timer := time.NewTimer(0) // once more, for what happened before the watch
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-w.events:
		case <-timer.C:
		}
		done, next, err := check()
		if done || err != nil {
			return err
		}
		timer.Reset(w.interval(next))
	}
}
