package certify

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"dec.local/dec/internal/measure"
)

// Store keeps certificates, a file for each build and machine.
type Store struct {
	Dir string
	Now func() time.Time // time.Now if nil
}

func (s Store) now() time.Time {
	if s.Now != nil {
		return s.Now()
	}
	return time.Now()
}

// Save keeps a certificate in place of an earlier one of that build and machine, and
// forgets those that hold no more.
func (s Store) Save(r Report) (err error) {
	defer func() {
		if err != nil {
			err = fmt.Errorf("keep the certificate: %w", err)
		}
	}()
	data, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return err
	}
	if err := os.MkdirAll(s.Dir, 0o755); err != nil {
		return err
	}
	if err := s.forget(); err != nil {
		return err
	}
	beside, err := os.CreateTemp(s.Dir, ".new-*")
	if err != nil {
		return err
	}
	defer os.Remove(beside.Name()) // gone already once it was renamed
	_, err = beside.Write(data)
	err = errors.Join(err, beside.Chmod(0o644)) // the server may be another user
	if err := errors.Join(err, beside.Close()); err != nil {
		return err
	}
	return os.Rename(beside.Name(), filepath.Join(s.Dir, r.Build+"-"+r.MachineID+suffix))
}

// suffix is what the files of certificates end with.
const suffix = ".json"

// Find returns the certificate of the agents of a run; nil if one of them has none. Where
// several hold it is the one that missed most.
func (s Store) Find(agents []measure.AgentFacts) (*measure.Certificate, error) {
	var worst *measure.Certificate
	kept, err := s.all()
	if err != nil {
		return nil, err
	}
	for _, a := range agents {
		found := s.of(a, kept)
		if found == nil {
			return nil, nil
		}
		if worst == nil || len(found.Misses) > len(worst.Misses) {
			worst = found
		}
	}
	return worst, nil
}

// of returns an agent's certificate: that of its own machine before one of another, and of
// several others the one that missed most.
func (s Store) of(a measure.AgentFacts, kept []measure.Certificate) *measure.Certificate {
	var found *measure.Certificate
	for i := range kept {
		c := &kept[i]
		if !c.Holds(a, s.now()) {
			continue
		}
		if c.MachineID == a.MachineID {
			return c
		}
		if found == nil || len(c.Misses) > len(found.Misses) {
			found = c
		}
	}
	return found
}

// all reads what is kept. A file that cannot be read is none.
func (s Store) all() ([]measure.Certificate, error) {
	files, err := filepath.Glob(filepath.Join(s.Dir, "*"+suffix))
	if err != nil {
		return nil, fmt.Errorf("find certificates: %w", err)
	}
	var kept []measure.Certificate
	for _, file := range files {
		data, err := os.ReadFile(file)
		if errors.Is(err, fs.ErrNotExist) {
			continue // another dec has just forgotten it
		}
		if err != nil { // one that is no file, or another user's; others may hold
			continue
		}
		var c measure.Certificate
		if json.Unmarshal(data, &c) == nil {
			kept = append(kept, c)
		}
	}
	return kept, nil
}

// forget removes the files of certificates that hold no more.
func (s Store) forget() error {
	files, err := filepath.Glob(filepath.Join(s.Dir, "*"+suffix))
	if err != nil {
		return err
	}
	for _, file := range files {
		info, err := os.Stat(file)
		if err == nil && s.now().Sub(info.ModTime()) >= measure.CertificateLife {
			err = os.Remove(file)
		}
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}
