package cli

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

// folders are the places that dec reads and writes; the same flags serve every
// command.
type folders struct {
	Data  string `help:"Folder of results, runs in progress and the database. Default: the user's data folder." env:"DEC_DATA" placeholder:"DIR"`
	Tools string `help:"Folder of the tools that 'make setup' installs. Default: .tools beside the folder of dec." env:"DEC_TOOLS" placeholder:"DIR"`
	Tofu  string `help:"OpenTofu executable. Default: the one among the tools, else tofu from PATH." env:"DEC_TOFU" placeholder:"PATH"`
	// Ledger is where the local target keeps its books: one per user and
	// machine, so it is no flag.
	Ledger string `hidden:"" env:"DEC_LOCAL_LEDGER"`
}

// resolve fills in the defaults and makes every path absolute.
func (f *folders) resolve(env *Env) error {
	home := env.Getenv("HOME")
	if f.Data == "" {
		base := cmp.Or(env.Getenv("XDG_DATA_HOME"), filepath.Join(home, ".local", "share"))
		if home == "" && env.Getenv("XDG_DATA_HOME") == "" {
			return errors.New("neither HOME nor XDG_DATA_HOME is set; name the data folder with --data DIR")
		}
		f.Data = filepath.Join(base, "dec")
	}
	if f.Ledger == "" {
		base := cmp.Or(env.Getenv("XDG_STATE_HOME"), filepath.Join(home, ".local", "state"))
		f.Ledger = filepath.Join(base, "dec", "local")
	}
	if f.Tools == "" {
		f.Tools = filepath.Join(filepath.Dir(env.Executable), "..", ".tools")
	}
	for _, path := range []*string{&f.Data, &f.Tools, &f.Ledger} {
		abs, err := filepath.Abs(*path)
		if err != nil {
			return fmt.Errorf("folder %s: %w", *path, err)
		}
		*path = abs
	}
	return nil
}

// tofu finds the OpenTofu executable. A terraform that happens to lie in PATH is
// never taken.
func (f *folders) tofu() (string, error) {
	if f.Tofu != "" {
		return exec.LookPath(f.Tofu)
	}
	own := filepath.Join(f.Tools, "bin", "tofu")
	if info, err := os.Stat(own); err == nil && info.Mode().IsRegular() {
		return own, nil
	}
	if path, err := exec.LookPath("tofu"); err == nil {
		return filepath.Abs(path)
	}
	return "", fmt.Errorf("no OpenTofu: neither %s nor tofu in PATH; run 'make setup', or name one with --tofu", own)
}

// artifacts are the folders that hold what stacks name: the installed tools,
// and the builds of DEC's own agent.
func (f *folders) artifacts() []string {
	return []string{filepath.Join(f.Tools, "artifacts"), filepath.Join(f.Data, "artifacts")}
}

func (f *folders) runs() string   { return filepath.Join(f.Data, "runs") }
func (f *folders) bucket() string { return filepath.Join(f.Data, "bucket") }
func (f *folders) mirror() string { return filepath.Join(f.Data, "mirror") }
