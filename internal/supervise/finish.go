package supervise

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// holdPatience is how long the end of a supervisor waits for its sidecar.
const holdPatience = 5 * time.Second

// holdKey finds the holds of a supervisor in the context of its sidecar.
type holdKey struct{}

// holds counts what a sidecar has begun and not finished.
type holds struct{ count atomic.Int64 }

// Hold keeps the supervisor from ending, for up to five seconds after the end of
// the child, until release is called. A sidecar uses it, with its context or one
// derived from that, around work that must not be cut in two.
func Hold(ctx context.Context) (release func()) {
	h, ok := ctx.Value(holdKey{}).(*holds)
	if !ok {
		return func() {}
	}
	h.count.Add(1)
	return sync.OnceFunc(func() { h.count.Add(-1) })
}

// startSidecar starts the sidecar of the spec and returns its variables. A
// request to stop, or the end of its time, does not wait for it.
func (s *supervisor) startSidecar(ctx context.Context) (map[string]string, error) {
	sidecar, ok := s.sidecars[s.spec.Sidecar.Name]
	if !ok {
		return nil, fmt.Errorf("sidecar %q is unknown to this program", s.spec.Sidecar.Name)
	}
	type result struct {
		env map[string]string
		err error
	}
	results := make(chan result, 1)
	go func() {
		env, err := sidecar(context.WithValue(ctx, holdKey{}, &s.holds), s.spec.Sidecar.Arg)
		results <- result{env, err}
	}()
	for {
		select {
		case r := <-results:
			if r.err == nil {
				r.err = checkEnvironment(r.env)
			}
			if r.err != nil {
				return nil, fmt.Errorf("start sidecar %q: %w", s.spec.Sidecar.Name, r.err)
			}
			return r.env, nil
		case <-time.After(restInterval):
		}
		s.readSignals()
		if now := time.Now(); s.wantsEnd(now) {
			return nil, fmt.Errorf("%s while its sidecar %q started", s.cause, s.spec.Sidecar.Name)
		}
	}
}

// readSignals handles the signals that have arrived, without waiting.
func (s *supervisor) readSignals() {
	for {
		select {
		case sig := <-s.signals:
			s.asked = s.asked || sig == unix.SIGTERM
		default:
			return
		}
	}
}

// pause waits until something may have happened, at most for d.
func (s *supervisor) pause(d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case sig := <-s.signals:
		s.asked = s.asked || sig == unix.SIGTERM
	case err := <-s.ready:
		s.becomeReady(err)
	case <-s.watch.events:
	case <-timer.C:
	}
}

// patience returns how long nothing needs to be looked at.
func (s *supervisor) patience(now time.Time) time.Duration {
	d := s.watch.interval(sampleInterval)
	d = min(d, s.nextSample.Sub(now))
	if s.spec.Limits.MemoryBytes > 0 {
		d = min(d, memoryInterval)
	}
	if s.cause == "" && !s.spec.ExpiresAt.IsZero() {
		d = min(d, s.spec.ExpiresAt.Sub(now))
	}
	if s.child.ended {
		d = min(d, restInterval)
	}
	if !s.deadline.IsZero() {
		d = min(d, s.deadline.Sub(now))
	}
	return max(d, killInterval)
}

// endedChild returns the pid of a child that has ended and was not waited for,
// or 0. It stays so: its pid cannot be given away before it was looked at.
func endedChild() int {
	var info unix.Siginfo
	err := unix.Waitid(unix.P_ALL, 0, &info, unix.WEXITED|unix.WNOHANG|unix.WNOWAIT, nil)
	if err != nil {
		return 0 // ECHILD: there are none; EINTR: it is asked again
	}
	// si_pid is the first field behind the three of every siginfo_t and their
	// padding, on all 64-bit machines.
	raw := (*[20]byte)(unsafe.Pointer(&info))
	return int(int32(binary.NativeEndian.Uint32(raw[16:20])))
}

// finish ends the sidecar, writes the record, and saves the logs. The locks are
// released by the end of the process.
func (s *supervisor) finish() {
	if s.quit != nil {
		s.quit()
	}
	for over := time.Now().Add(holdPatience); s.holds.count.Load() > 0 && time.Now().Before(over); {
		time.Sleep(endInterval)
	}
	if err := s.removeSecretFiles(); err != nil {
		s.log.Error("cannot remove secret files", "error", err)
	}
	now := time.Now()
	s.exit.Cause, s.exit.Message = s.cause, s.message[:min(len(s.message), maxMessage)]
	s.exit.EndedAt = now.UTC()
	if s.exit.StartedAt.IsZero() {
		s.exit.StartedAt = s.exit.EndedAt
	}
	s.exit.Usage = s.tree.total(now)
	if s.child.PID != 0 {
		s.writeSample(s.tree.last)
	}
	if err := s.writeExit(); err != nil {
		s.log.Error("cannot record the end of the process", "error", err)
	}
	removeReserves(s.folder)
	if err := saveLogs(s.folder, s.spec.Logs); err != nil {
		s.log.Error("cannot save logs", "error", err)
	}
	// In this order, so that nobody finds a process without its supervisor.
	if err := s.lock.Close(); err != nil {
		s.log.Error("release lock", "error", err)
	}
}

// writeExit writes the record of the end. A disk that does not take it, not
// even in the room reserved for it, gets a few seconds to recover.
func (s *supervisor) writeExit() error {
	for over := time.Now().Add(recordPatience); ; time.Sleep(recordInterval) {
		err := writeRecord(s.folder, exitFile, s.exit)
		if err == nil || time.Now().After(over) {
			return err
		}
	}
}

// removeSecretFiles removes what nobody needs any more, long before anyone may
// come to remove the folder. [os.Root] keeps it to the working folder, whatever
// the child has put into the place of a file.
func (s *supervisor) removeSecretFiles() error {
	if len(s.spec.SecretFiles) == 0 {
		return nil
	}
	root, err := os.OpenRoot(filepath.Join(s.folder, workFolder))
	if err != nil {
		return err
	}
	defer root.Close()
	var errs []error
	for _, path := range s.spec.SecretFiles {
		if err := root.Remove(path); !errors.Is(err, fs.ErrNotExist) {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}
