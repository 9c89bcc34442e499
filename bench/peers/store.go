package main

import (
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// store keeps the results of finished cells, by commit: those of another commit do
// not count.
type store struct{ dir string }

// openStore also keeps brief runs apart from true ones.
func openStore(o options) (store, error) {
	commit, err := revision()
	if err != nil {
		return store{}, err
	}
	if o.seconds > 0 {
		commit += fmt.Sprintf("-%ds", o.seconds)
	}
	s := store{filepath.Join(o.keep, commit)}
	if o.fresh {
		if err := os.RemoveAll(s.dir); err != nil {
			return s, err
		}
	}
	return s, os.MkdirAll(s.dir, 0o755)
}

// revision is the commit, and a digest of what differs from it.
func revision() (string, error) {
	git := func(args ...string) (string, error) {
		out, err := exec.Command("git", args...).Output()
		if err != nil {
			return "", fmt.Errorf("git %s: %w; run this command in the repository", args[0], err)
		}
		return strings.TrimSpace(string(out)), nil
	}
	commit, err := git("rev-parse", "--short=12", "HEAD")
	if err != nil {
		return "", err
	}
	changes, err := git("diff", "HEAD")
	if err != nil || changes == "" {
		return commit, err
	}
	return fmt.Sprintf("%s+%.6x", commit, sha256.Sum256([]byte(changes))), nil
}

func (s store) path(c cell) string { return filepath.Join(s.dir, c.id()+".json") }

// get returns the result of a cell if there is one.
func (s store) get(c cell) (o outcome, found bool, err error) {
	data, err := os.ReadFile(s.path(c))
	if errors.Is(err, fs.ErrNotExist) {
		return o, false, nil
	} else if err != nil {
		return o, false, err
	}
	if err := json.Unmarshal(data, &o); err != nil {
		return o, false, fmt.Errorf("read %s: %w; remove it to measure again", s.path(c), err)
	}
	return o, true, nil
}

// put stores a result whole or not at all.
func (s store) put(c cell, o outcome) error {
	data, err := json.MarshalIndent(o, "", "  ")
	if err != nil {
		return err
	}
	if err := os.WriteFile(s.path(c)+".new", data, 0o644); err != nil {
		return err
	}
	return os.Rename(s.path(c)+".new", s.path(c))
}

// results are the outcomes of the cells that are there, by id.
func (s store) results(cells []cell) (map[string]outcome, error) {
	all := map[string]outcome{}
	for _, c := range cells {
		o, found, err := s.get(c)
		if err != nil {
			return nil, err
		}
		if found {
			all[c.id()] = o
		}
	}
	return all, nil
}
