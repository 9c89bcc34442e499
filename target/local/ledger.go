// Package local makes this machine a small cloud: processes and ports that live
// on their own, carry tags, and can be listed and removed by anyone who knows
// the ledger, with no database and no OpenTofu.
//
// The ledger is a folder, one per user and machine:
//
//	processes/<run>-<service>/   a folder of package supervise; the tags are in its spec
//	ports/<number>.json          a reserved port; made whole, by a link
//	lock                         held while ports change
//	measuring.lock               held while somebody measures
//
// Nothing in it is ever half true for long: any program that uses it may be
// killed at any point, and the next one lists and removes what is left. An
// entry whose process is dead is an entry until it is removed.
package local

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"dec.local/dec/internal/experiment"
)

// The kinds of objects that a ledger holds.
const (
	KindProcess = "process"
	KindPort    = "port"
)

// Ledger is what exists on this machine. It holds no resource of the operating
// system and may be used by any number of programs at once.
type Ledger struct {
	dir string
}

// Folder returns the ledger's folder of this user: $DEC_LOCAL_LEDGER if set, else
// $XDG_STATE_HOME/dec/local, by default ~/.local/state/dec/local.
func Folder(getenv func(string) string) (string, error) {
	if dir := getenv(LedgerVariable); dir != "" {
		return dir, nil
	}
	state := getenv("XDG_STATE_HOME")
	if !filepath.IsAbs(state) { // the XDG specification: relative paths are ignored
		home := getenv("HOME")
		if home == "" {
			return "", errors.New("find the ledger of processes and ports: set HOME or XDG_STATE_HOME")
		}
		state = filepath.Join(home, ".local", "state")
	}
	return filepath.Join(state, "dec", "local"), nil
}

// At returns the ledger in dir, which need not be there yet: it holds nothing then.
func At(dir string) (*Ledger, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, fmt.Errorf("find the ledger: %w", err)
	}
	return &Ledger{dir: dir}, nil
}

// Open returns the ledger in dir, and creates it if there is none.
func Open(dir string) (*Ledger, error) {
	l, err := At(dir)
	if err != nil {
		return nil, err
	}
	for _, folder := range []string{l.processesDir(), l.portsDir()} {
		if err := os.MkdirAll(folder, 0o700); err != nil {
			return nil, fmt.Errorf("open the ledger: %w", err)
		}
	}
	return l, nil
}

// Dir is the ledger's folder, an absolute path.
func (l *Ledger) Dir() string { return l.dir }

func (l *Ledger) processesDir() string { return filepath.Join(l.dir, "processes") }
func (l *Ledger) portsDir() string     { return filepath.Join(l.dir, "ports") }

// List returns the processes and ports of a run, of all runs if run is empty,
// by kind and id. What is so damaged that it does not tell its run is listed by
// the beginning of its name, or else only with all.
func (l *Ledger) List(ctx context.Context, run string) ([]experiment.Object, error) {
	processes, err := l.listProcesses(ctx)
	if err != nil {
		return nil, fmt.Errorf("list processes: %w", err)
	}
	ports, err := l.listPorts(ctx)
	if err != nil {
		return nil, fmt.Errorf("list ports: %w", err)
	}
	objects := slices.Concat(processes, ports)
	if run != "" {
		objects = slices.DeleteFunc(objects, func(o experiment.Object) bool { return o.Run != run })
	}
	slices.SortFunc(objects, func(a, b experiment.Object) int {
		return cmp.Or(cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.ID, b.ID))
	})
	return objects, nil
}

// Remove stops a process, saves its logs and removes its folder, or frees a
// port. Of the object, Kind, ID and Run are used: what belongs to another run
// by now is left alone. Removing what is gone is no error. An error that
// matches [ErrLogs] says that the object is gone, but not its logs saved.
func (l *Ledger) Remove(ctx context.Context, o experiment.Object) error {
	switch o.Kind {
	case KindProcess:
		return l.RemoveProcess(ctx, o.ID)
	case KindPort:
		return l.removePort(ctx, o)
	default:
		return fmt.Errorf("remove %s %q: this machine has processes and ports only", o.Kind, o.ID)
	}
}

// gone reports whether an error only means that something is not there.
func gone(err error) bool { return errors.Is(err, fs.ErrNotExist) }
