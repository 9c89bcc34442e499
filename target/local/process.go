package local

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"dec.local/dec/internal/experiment"
	"dec.local/dec/internal/supervise"
)

// ErrLogs says that a process was removed but its logs could not be saved.
var ErrLogs = errors.New("its logs could not be saved")

// Folder is where the process of a name lives, or would live.
func (l *Ledger) Folder(name string) string {
	return filepath.Join(l.processesDir(), name)
}

// Process returns the process of a name, or an error that matches
// fs.ErrNotExist.
func (l *Ledger) Process(name string) (*supervise.Process, error) {
	if err := CheckName(name); err != nil {
		return nil, err
	}
	return supervise.Open(l.Folder(name))
}

// RemoveProcess stops the process of a name, saves its logs and removes its
// folder, in that order; each part may be gone already. An error that matches
// [ErrLogs] says that the process is gone, but not its logs saved.
func (l *Ledger) RemoveProcess(ctx context.Context, name string) error {
	p, err := l.Process(name)
	if gone(err) {
		return nil
	} else if err != nil {
		return fmt.Errorf("remove process %s: %w", name, err)
	}
	if err := p.Stop(ctx); err != nil && !gone(err) {
		return fmt.Errorf("stop process %s: %w", name, err)
	}
	var logs error
	if _, err := p.Spec(); err == nil { // without one it never started
		logs = p.SaveLogs() // as the supervisor did at the end, unless it was killed before
	}
	if err := p.Remove(); err != nil && !gone(err) {
		return fmt.Errorf("remove process %s: %w", name, err)
	}
	if logs != nil {
		return fmt.Errorf("process %s was removed, but %w: %w", name, ErrLogs, logs)
	}
	return nil
}

// names returns the names of all processes.
func (l *Ledger) names() ([]string, error) {
	entries, err := os.ReadDir(l.processesDir())
	if err != nil && !gone(err) {
		return nil, err
	}
	var names []string
	for _, e := range entries {
		if e.IsDir() && validName.MatchString(e.Name()) {
			names = append(names, e.Name())
		}
	}
	return names, nil
}

func (l *Ledger) listProcesses(ctx context.Context) ([]experiment.Object, error) {
	names, err := l.names()
	if err != nil {
		return nil, err
	}
	var objects []experiment.Object
	for _, name := range names {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		o, err := l.processObject(name)
		if gone(err) {
			continue // removed in the meantime
		} else if err != nil {
			return nil, err
		}
		objects = append(objects, o)
	}
	return objects, nil
}

// processObject describes a process, or as much of it as its folder tells.
func (l *Ledger) processObject(name string) (experiment.Object, error) {
	folder := l.Folder(name)
	p, err := supervise.Open(folder)
	if err != nil {
		return experiment.Object{}, err
	}
	o := experiment.Object{Kind: KindProcess, ID: name, Detail: map[string]string{"folder": folder}}
	if o.Alive, err = p.Alive(); err != nil && !gone(err) {
		return experiment.Object{}, fmt.Errorf("process %s: %w", name, err)
	}
	if o.CreatedAt, err = p.Created(); err != nil {
		return experiment.Object{}, err
	}
	spec, err := p.Spec()
	if err != nil {
		// Its maker was killed before the spec was whole, or its remover after
		// the spec was gone. It must still be found, so its name has to do.
		o.Run = runOfName(name)
		o.Detail["damaged"] = err.Error()
		return o, nil
	}
	tell(&o, spec.Tags)
	o.Detail["lifetime"] = string(spec.Lifetime)
	if exit, ended, err := p.Exit(); err == nil && ended && !o.Alive {
		o.Detail["exit"] = exit.String()
	}
	return o, nil
}
