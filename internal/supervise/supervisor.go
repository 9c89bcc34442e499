package supervise

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"runtime/debug"
	"time"

	"golang.org/x/sys/unix"
)

const (
	sampleInterval = time.Second
	memoryInterval = 200 * time.Millisecond // between looks at a limited memory
	restInterval   = 25 * time.Millisecond  // between looks at what the child has left behind
	maxRestGrace   = 10 * time.Second       // for what the child has left behind, at most its own
	recordPatience = 5 * time.Second        // for the exit record of a disk that does not take it
	recordInterval = 100 * time.Millisecond
	maxMessage     = 1024 // bytes in a record
)

// supervisor is the state of a supervisor. It belongs to one goroutine, so
// nothing is waited for, and no pid becomes free, while it decides whom to signal.
type supervisor struct {
	folder   string
	spec     Spec
	sidecars map[string]Sidecar
	self     Identity
	lock     *os.File // the inherited lock
	log      *slog.Logger
	signals  <-chan os.Signal
	watch    *watcher
	samples  *os.File // samples.jsonl; nil if it could not be opened

	child child
	tree  *tree
	ready chan error // the answer of awaitReady, once; nil when there is none to come
	holds holds      // what the sidecar does not want to be interrupted in
	quit  context.CancelFunc

	asked      bool      // SIGTERM: a request to stop
	cause      Cause     // why it ends; empty while it may go on
	message    string    // says more about the cause
	deadline   time.Time // after which everything is killed; zero while it may go on
	nextSample time.Time
	exit       Exit
}

// run starts the sidecar and the child and returns when nothing of them lives.
func (s *supervisor) run(secrets map[string]string) {
	debug.SetGCPercent(50) // memory of this machine belongs to what is measured
	s.exit.StartedAt = time.Now().UTC()
	ctx, quit := context.WithCancel(context.Background())
	s.quit = quit // called by finish
	env := maps.Clone(s.spec.Environment)
	if env == nil {
		env = make(map[string]string)
	}
	maps.Copy(env, secrets)
	if s.spec.Sidecar != nil {
		more, err := s.startSidecar(ctx)
		if err != nil {
			s.failStart(err)
			return
		}
		maps.Copy(env, more)
	}
	if s.wantsEnd(time.Now()) {
		s.failStart(fmt.Errorf("%s before it was started", s.cause))
		return
	}
	if err := s.launch(env); err != nil {
		s.failStart(err)
		return
	}
	s.tree.child = s.child.PID
	if err := writeRecord(s.folder, childFile, s.child.Identity); err != nil {
		// A child that nobody could find again must not live.
		s.fail(CauseStart, err.Error())
		s.killAll()
	}
	s.log.Info("started", "pid", s.child.PID)
	s.awaitReadiness(ctx)
	s.loop()
}

// awaitReadiness begins to look for the signs of readiness.
func (s *supervisor) awaitReadiness(ctx context.Context) {
	s.ready = make(chan error, 1)
	if s.spec.Readiness.Log == "" && s.spec.Readiness.Port == 0 {
		s.becomeReady(nil)
		return
	}
	go func() { s.ready <- awaitReady(ctx, s.folder, s.spec.Readiness) }()
}

// becomeReady records the answer of awaitReady.
func (s *supervisor) becomeReady(err error) {
	s.ready = nil
	var ready readyRecord
	switch {
	case s.child.ended || s.cause != "":
		return // the end will tell
	case err == nil:
		ready.At = time.Now().UTC().Format(time.RFC3339Nano)
	default:
		ready.Failed = err.Error()
	}
	if err := writeRecord(s.folder, readyFile, ready); err != nil {
		s.log.Error("cannot record readiness", "error", err)
	}
	if ready.Failed != "" {
		s.end(CauseUnready, ready.Failed)
	}
}

// loop watches until the child and everything it left behind has ended.
func (s *supervisor) loop() {
	for {
		s.reap()
		now := time.Now()
		s.sample(now)
		if s.child.ended {
			rest, err := s.tree.members()
			if err == nil && len(rest) == 0 {
				return
			}
		} else if s.wantsEnd(now) {
			s.end(s.cause, s.message)
		}
		if !s.deadline.IsZero() && !now.Before(s.deadline) {
			s.killAll()
		}
		s.pause(s.patience(now))
	}
}

// wantsEnd reports whether a reason to end has come up, and notes it.
func (s *supervisor) wantsEnd(now time.Time) bool {
	switch {
	case s.cause != "":
		return false // it is ending already
	case s.asked, exists(s.folder, stopFile):
		s.cause = CauseStopped
	case !s.spec.ExpiresAt.IsZero() && !now.Before(s.spec.ExpiresAt): // by the wall clock, which also counts a suspension
		s.cause = CauseExpired
		s.message = "its deadline passed at " + s.spec.ExpiresAt.UTC().Format(time.RFC3339)
	default:
		return false
	}
	return true
}

// end sends the one stop signal and sets the time for what comes after it.
func (s *supervisor) end(cause Cause, message string) {
	s.fail(cause, message)
	s.deadline = time.Now().Add(s.spec.grace())
	// The first stage too, so that a stop after this supervisor's death goes on
	// from here.
	_, err := claim(s.folder, stopFile, s.self)
	mine, errSignalled := claim(s.folder, signalledFile, s.self)
	if err := errors.Join(err, errSignalled); err != nil {
		s.log.Error("cannot record the stop", "error", err)
	}
	if !mine && errSignalled == nil {
		return // signalled by one who took this supervisor for dead
	}
	s.log.Info("stop", "cause", cause, "message", message, "signal", s.spec.stopSignal())
	if err := sendStop(s.child.Identity, s.spec); err != nil {
		s.log.Error("stop", "error", err)
	}
}

// fail notes the cause of the end, the first one.
func (s *supervisor) fail(cause Cause, message string) {
	if s.cause == "" || s.cause == cause {
		s.cause, s.message = cause, message
	}
}

// failStart notes that nothing was started.
func (s *supervisor) failStart(err error) {
	s.fail(CauseStart, err.Error())
	s.message = err.Error()
	s.exit.Code = -1
}

// killAll kills everything of the process that lives.
func (s *supervisor) killAll() {
	s.deadline = time.Now()
	if !s.child.ended {
		// Not waited for, it keeps its pid, and so its group's: at once for all.
		_ = unix.Kill(-s.child.PID, unix.SIGKILL)
		_ = signalFD(s.child.fd, unix.SIGKILL)
	}
	if rest, err := s.tree.members(); err == nil {
		kill(rest)
	}
}

// reap waits for every child that has ended, the adopted ones too.
func (s *supervisor) reap() {
	for {
		pid := endedChild()
		if pid == 0 {
			return
		}
		s.tree.account(pid)
		var status unix.WaitStatus
		if _, err := unix.Wait4(pid, &status, unix.WNOHANG, nil); err != nil {
			s.log.Error("wait for child", "pid", pid, "error", err)
			return
		}
		if pid == s.child.PID && !s.child.ended {
			s.child.ended = true
			s.noteEnd(status)
		}
	}
}

// noteEnd notes how the child has ended.
func (s *supervisor) noteEnd(status unix.WaitStatus) {
	s.exit.Code = status.ExitStatus() // -1 after a signal
	if status.Signaled() {
		s.exit.Signal = unix.SignalName(status.Signal())
	}
	s.fail(CauseExited, "")
	s.log.Info("the child has ended", "code", s.exit.Code, "signal", s.exit.Signal, "cause", s.cause)
	if rest := time.Now().Add(min(s.spec.grace(), maxRestGrace)); s.deadline.IsZero() || rest.Before(s.deadline) {
		s.deadline = rest
	}
}

// sample measures the tree when it is time, and sees to its memory.
func (s *supervisor) sample(now time.Time) {
	limit := s.spec.Limits.MemoryBytes
	record := !now.Before(s.nextSample)
	if !record && limit == 0 {
		return
	}
	usage, err := s.tree.sample(now)
	if err != nil {
		s.log.Error("sample", "error", err)
		return
	}
	if record {
		s.nextSample = now.Add(sampleInterval)
		s.writeSample(usage)
	}
	if limit > 0 && usage.RSSBytes > limit && s.cause != CauseMemory {
		message := fmt.Sprintf("it used %s of memory; the limit is %s", megabytes(usage.RSSBytes), megabytes(limit))
		s.log.Info("kill", "message", message)
		s.fail(CauseMemory, message)
		s.killAll()
	}
}

// writeSample appends a line. On a full disk it is lost, or torn, which a
// reader notices; the line feed in front keeps the next one whole.
func (s *supervisor) writeSample(usage Usage) {
	if s.samples == nil {
		f, err := os.OpenFile(filepath.Join(s.folder, samplesFile), os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
		if err != nil {
			return
		}
		s.samples = f
	}
	line, err := json.Marshal(usage)
	if err != nil {
		return
	}
	if n, err := s.samples.Write(append(line, '\n')); err != nil && n > 0 {
		_, _ = s.samples.Write([]byte{'\n'})
	}
}
