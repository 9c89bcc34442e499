package tofu

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// state is one version of an OpenTofu state.
type state struct {
	serial int64
	name   string // of its file
	data   []byte
}

// content is what DEC reads of a state, in OpenTofu's format 4.
type content struct {
	Version int    `json:"version"`
	Serial  int64  `json:"serial"`
	Lineage string `json:"lineage"`
	Outputs map[string]struct {
		Value json.RawMessage `json:"value"`
	} `json:"outputs"`
	Resources []struct {
		Mode      string            `json:"mode"` // "managed" or "data"
		Instances []json.RawMessage `json:"instances"`
	} `json:"resources"`
}

// parseState reads a state, and refuses what is none: a torn one above all.
func parseState(data []byte) (content, error) {
	var c content
	if err := json.Unmarshal(data, &c); err != nil {
		return c, fmt.Errorf("read OpenTofu state: %w", err)
	}
	if c.Version != 4 || c.Lineage == "" {
		return c, fmt.Errorf("read OpenTofu state: format %d, lineage %q: not a state of OpenTofu 1.x", c.Version, c.Lineage)
	}
	return c, nil
}

// empty reports whether a state holds no managed object.
func (c content) empty() bool {
	for _, resource := range c.Resources {
		if resource.Mode == "managed" && len(resource.Instances) > 0 {
			return false
		}
	}
	return true
}

// emptyState is the state of a run before its first apply. The lineage is the
// run's id, so that a plan and its apply agree on it.
func emptyState(lineage string) []byte {
	return fmt.Appendf(nil, `{"version":4,"terraform_version":"1.12.0","serial":0,"lineage":%q,"outputs":{},"resources":[],"check_results":null}`,
		lineage)
}

// statesFolder is where an attempt keeps its states, as <serial>.json.
func statesFolder(attempt string) string { return filepath.Join(attempt, "state") }

// saveState writes one version of a state so that it is there whole or not at
// all, whatever dies.
func saveState(attempt string, serial int64, data []byte) error {
	folder := statesFolder(attempt)
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return err
	}
	return writeWhole(filepath.Join(folder, strconv.FormatInt(serial, 10)+".json"), data)
}

// writeWhole writes a file by temporary, fsync and rename.
func writeWhole(name string, data []byte) error {
	folder := filepath.Dir(name)
	file, err := os.CreateTemp(folder, ".new-*")
	if err != nil {
		return err
	}
	_, err = file.Write(data)
	err = errors.Join(err, file.Sync(), file.Close())
	if err == nil {
		err = os.Rename(file.Name(), name)
	}
	if err != nil {
		return errors.Join(err, os.Remove(file.Name()))
	}
	parent, err := os.Open(folder)
	if err != nil {
		return err
	}
	return errors.Join(parent.Sync(), parent.Close())
}

// states returns the versions that an attempt kept, oldest first.
func states(attempt string) ([]state, error) {
	entries, err := os.ReadDir(statesFolder(attempt))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("list states: %w", err)
	}
	var found []state
	for _, entry := range entries {
		serial, err := strconv.ParseInt(strings.TrimSuffix(entry.Name(), ".json"), 10, 64)
		if err != nil {
			continue // a temporary file of a process that died
		}
		name := filepath.Join(statesFolder(attempt), entry.Name())
		data, err := os.ReadFile(name)
		if err != nil {
			return nil, fmt.Errorf("read state: %w", err)
		}
		found = append(found, state{serial, name, data})
	}
	slices.SortFunc(found, func(a, b state) int { return cmp.Compare(a.serial, b.serial) })
	return found, nil
}

// newestState returns the state of a run: the highest serial of the newest
// attempt that has any. It is the zero state before the run's first attempt.
func newestState(dir string) (state, error) {
	attempts, err := listAttempts(dir)
	if err != nil {
		return state{}, err
	}
	for _, attempt := range slices.Backward(attempts) {
		versions, err := states(attempt.folder)
		if err != nil {
			return state{}, err
		}
		if len(versions) > 0 {
			return versions[len(versions)-1], nil
		}
	}
	return state{}, nil
}

// collectErrored moves the state that OpenTofu left in its working folder, or
// in its journal when even that failed, because it could not write it to its
// backend, to the attempt that left it.
func collectErrored(dir, attempt string, journal []message) error {
	for _, m := range journal {
		if len(m.State) == 0 {
			continue
		}
		if c, err := parseState(m.State); err == nil {
			if err := saveState(attempt, c.Serial, m.State); err != nil {
				return fmt.Errorf("save the state in the journal: %w", err)
			}
		}
	}
	name := filepath.Join(rootFolder(dir), "errored.tfstate")
	data, err := os.ReadFile(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	} else if err != nil {
		return fmt.Errorf("read errored.tfstate: %w", err)
	}
	if c, err := parseState(data); err == nil {
		if err := saveState(attempt, c.Serial, data); err != nil {
			return fmt.Errorf("save errored.tfstate: %w", err)
		}
	}
	// A torn one tells nothing. Either way it must not be taken for the next
	// attempt's.
	// Another server that settles the same attempt may have moved it first.
	if err := os.Rename(name, filepath.Join(attempt, "errored.tfstate")); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("move errored.tfstate: %w", err)
	}
	return nil
}
