package supervise

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// savedFiles are copied to Spec.Logs; the exit record comes last, so that it
// says that the others are there.
var savedFiles = []string{stdoutFile, stderrFile, supervisorLogFile, samplesFile, readyFile, exitFile}

// SaveLogs copies output, samples and records to Spec.Logs, each file whole or
// not at all, as far as there are any. The supervisor does it at the end; it is
// for processes whose supervisor was killed.
func (p *Process) SaveLogs() error {
	spec, err := p.Spec()
	if err != nil {
		return fmt.Errorf("save logs: %w", err)
	}
	return saveLogs(p.folder, spec.Logs)
}

func saveLogs(folder, to string) error {
	if to == "" {
		return nil
	}
	if err := os.MkdirAll(to, 0o755); err != nil {
		return fmt.Errorf("save logs: %w", err)
	}
	var errs []error
	for _, name := range savedFiles {
		err := copyFile(filepath.Join(folder, name), filepath.Join(to, name))
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			errs = append(errs, fmt.Errorf("save %s: %w", name, err))
		}
	}
	return errors.Join(errs...)
}

func copyFile(from, to string) error {
	f, err := os.Open(from)
	if err != nil {
		return err
	}
	defer f.Close()
	return replaceFile(to, f, 0o644)
}
