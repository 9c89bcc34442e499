package datadir

import (
	"fmt"
	"os"
	"path/filepath"
)

// Home is the path of a data folder: this server's, or that of another one on this
// machine. Its methods tell where in it what lies.
type Home string

func (h Home) in(names ...string) string {
	return filepath.Join(append([]string{string(h)}, names...)...)
}

// Runs holds a folder per run with its root module and attempts, until it is clean.
func (h Home) Runs() string { return h.in("runs") }

// Attempts holds a folder per OpenTofu command of a run.
func (h Home) Attempts(run string) string { return h.in("runs", run, "attempts") }

// Bucket is the folder that serves as bucket where none is named.
func (h Home) Bucket() string { return h.in("bucket") }

// Mirror holds the builds of DEC's own providers, as OpenTofu finds them.
func (h Home) Mirror() string { return h.in("mirror") }

// Certificates holds what dec certify found out about agents on this machine.
func (h Home) Certificates() string { return h.in("certificates") }

// Staging holds a folder per run with what goes into the bucket at its end.
func (h Home) Staging() string { return h.in("staging") }

// Staged is where that of one run lies, by the names that it will have there.
func (h Home) Staged(run string) string { return h.in("staging", run) }

// Services is where the logs of a run's services are staged.
func (h Home) Services(run string) string { return h.in("staging", run, "services") }

// Journals is where OpenTofu's output of a run is staged.
func (h Home) Journals(run string) string { return h.in("staging", run, "tofu") }

// Interactive is the file that lists the experiments for which a user waits at a terminal.
func (h Home) Interactive() string { return h.in("attended") }

// deletedMark is a file among what is staged of a run that was deleted and of
// which the bucket still has something.
const deletedMark = "deleted"

// MarkDeleted notes that a deleted run must be removed from the bucket.
func (h Home) MarkDeleted(run string) error {
	err := os.MkdirAll(h.Staged(run), 0o755)
	if err == nil {
		err = os.WriteFile(filepath.Join(h.Staged(run), deletedMark), nil, 0o600)
	}
	if err != nil {
		return fmt.Errorf("record that run %s was deleted: %w", run, err)
	}
	return nil
}

// MarkedDeleted reports whether [Home.MarkDeleted] noted the run.
func (h Home) MarkedDeleted(run string) bool {
	_, err := os.Stat(filepath.Join(h.Staged(run), deletedMark))
	return err == nil
}
