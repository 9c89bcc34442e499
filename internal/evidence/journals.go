package evidence

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"dec.local/dec/internal/datadir"
)

// KeepJournals copies what OpenTofu said beside the other logs of a run that are
// staged in a data folder. The output of show is left out: it is no log, but the
// whole plan once more.
func KeepJournals(h datadir.Home, run string) error {
	attempts, err := os.ReadDir(h.Attempts(run))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	} else if err != nil {
		return err
	}
	if err := os.MkdirAll(h.Journals(run), 0o755); err != nil {
		return err
	}
	var errs []error
	for _, attempt := range attempts {
		if !isJournal(attempt.Name()) {
			continue
		}
		for from, to := range map[string]string{"stdout.log": ".jsonl", "stderr.log": ".stderr"} {
			errs = append(errs, copyIfAny(filepath.Join(h.Attempts(run), attempt.Name(), from), filepath.Join(h.Journals(run), attempt.Name()+to)))
		}
	}
	return errors.Join(errs...)
}

// isJournal reports whether an attempt, such as "0002-apply", says what
// OpenTofu does.
func isJournal(attempt string) bool {
	verb := verbOf(attempt)
	return verb != "" && verb != "show"
}

// copyIfAny copies a file that is there and not empty.
func copyIfAny(from, to string) error {
	in, err := os.Open(from)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	} else if err != nil {
		return err
	}
	defer in.Close()
	if info, err := in.Stat(); err != nil || info.Size() == 0 {
		return err
	}
	out, err := os.OpenFile(to, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, in)
	return errors.Join(err, out.Close())
}

// verbOf is the OpenTofu command of an attempt's folder: "0002-apply" → "apply".
func verbOf(attempt string) string {
	_, verb, _ := strings.Cut(attempt, "-")
	return verb
}
