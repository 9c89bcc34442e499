package pacing

import (
	"bytes"
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// runQueue tells for how long a thread was ready and had no processor: the second number
// of its schedstat (sched-stats in the kernel's documentation). A reading takes about
// 1 µs.
type runQueue struct {
	file *os.File // nil where the kernel keeps none
	fd   int
}

// openRunQueue opens that of the calling thread.
func openRunQueue() runQueue {
	file, err := os.Open(fmt.Sprintf("/proc/self/task/%d/schedstat", unix.Gettid()))
	if err != nil {
		return runQueue{}
	}
	return runQueue{file, int(file.Fd())}
}

// wait is the time so far, in nanoseconds; 0 where it is not known.
func (q runQueue) wait() (ns int64) {
	if q.file == nil {
		return 0
	}
	var buffer [64]byte
	n, err := unix.Pread(q.fd, buffer[:], 0)
	if err != nil {
		return 0
	}
	_, rest, _ := bytes.Cut(buffer[:n], []byte(" "))
	for _, digit := range rest {
		if digit < '0' || digit > '9' {
			break
		}
		ns = 10*ns + int64(digit-'0')
	}
	return ns
}

func (q runQueue) close() {
	if q.file != nil {
		_ = q.file.Close() // it was only read
	}
}
