// Package datadir knows where DEC keeps what: the data folder with its layout, its
// lock and the builds in it, the tools, and what lies elsewhere when told so.
package datadir

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"dec.local/dec/internal/rendezvous"
)

// Folders are the places that dec reads and writes; the same flags serve every
// command.
type Folders struct {
	Data  string `help:"Data folder: database, results and active runs. Default: ~/.local/share/dec." env:"DEC_DATA" placeholder:"DIR"`
	Tools string `help:"Folder with tools installed by 'make setup'. Default: .tools next to the folder of dec." env:"DEC_TOOLS" placeholder:"DIR"`
	Tofu  string `help:"OpenTofu executable. Default: the one in the tools folder, else tofu in PATH." env:"DEC_TOFU" placeholder:"PATH"`
	// Database, Bucket and KeyFile are beside the data unless told otherwise.
	Database string `help:"Database: postgres://… or an SQLite file. Default: dec.db in the data folder." env:"DEC_DATABASE" placeholder:"URL"`
	Bucket   string `help:"Bucket: a folder or s3://name/prefix?region=…. Default: bucket in the data folder." env:"DEC_BUCKET" placeholder:"URL"`
	KeyFile  string `help:"Key file for secret options; created if missing. Default: key in the data folder." env:"DEC_KEY_FILE" placeholder:"FILE"`
	// Executable is dec itself; agent and providers lie beside it.
	Executable string `kong:"-"`
	// Getenv reads the environment, for targets.
	Getenv func(string) string `kong:"-"`
}

// Resolve fills in the defaults and makes every path absolute.
func (f *Folders) Resolve(getenv func(string) string, executable string) error {
	f.Executable, f.Getenv = executable, getenv
	home := getenv("HOME")
	if f.Data == "" {
		base := cmp.Or(getenv("XDG_DATA_HOME"), filepath.Join(home, ".local", "share"))
		if home == "" && getenv("XDG_DATA_HOME") == "" {
			return errors.New("neither HOME nor XDG_DATA_HOME is set; set the data folder with --data DIR")
		}
		f.Data = filepath.Join(base, "dec")
	}
	if f.Tools == "" {
		f.Tools = filepath.Join(filepath.Dir(executable), "..", ".tools")
	}
	for _, path := range []*string{&f.Data, &f.Tools} {
		abs, err := filepath.Abs(*path)
		if err != nil {
			return fmt.Errorf("folder %s: %w", *path, err)
		}
		*path = abs
	}
	if scheme, _, isURL := strings.Cut(f.Database, "://"); isURL && scheme != "postgres" && scheme != "postgresql" {
		return fmt.Errorf("--database: %q is not a known kind of database; give postgres://… or the path of an SQLite file", scheme)
	}
	if f.Bucket != "" && !strings.Contains(f.Bucket, "://") {
		abs, err := filepath.Abs(f.Bucket)
		if err != nil {
			return fmt.Errorf("bucket %s: %w", f.Bucket, err)
		}
		f.Bucket = rendezvous.FolderURL(abs)
	}
	return nil
}

// KeyPath is the file of the key in force.
func (f *Folders) KeyPath() string { return cmp.Or(f.KeyFile, filepath.Join(f.Data, "key")) }

// FindTofu finds the OpenTofu executable. A terraform that happens to lie in
// PATH is never taken.
func (f *Folders) FindTofu() (string, error) {
	if f.Tofu != "" {
		path, err := exec.LookPath(f.Tofu)
		if err != nil {
			return "", fmt.Errorf("OpenTofu: %w", err)
		}
		return filepath.Abs(path)
	}
	own := filepath.Join(f.Tools, "bin", "tofu")
	if info, err := os.Stat(own); err == nil && info.Mode().IsRegular() {
		return own, nil
	}
	if path, err := exec.LookPath("tofu"); err == nil {
		return filepath.Abs(path)
	}
	return "", fmt.Errorf("OpenTofu was not found at %s or in PATH; fix: %s, or set its path with --tofu", own, f.Setup())
}

// Setup says how to install what is missing. Only a clone of the repository has a
// Makefile; a release archive has none.
func (f *Folders) Setup() string {
	if _, err := os.Stat(filepath.Join(filepath.Dir(f.Executable), "..", "Makefile")); err == nil {
		return "make setup"
	}
	return "install the tools with 'make setup' in a clone of this version and name them with --tools"
}

// Artifacts are the folders that hold what stacks name: the installed tools,
// and the builds of DEC's own agent.
func (f *Folders) Artifacts() []string {
	return []string{filepath.Join(f.Tools, "artifacts"), filepath.Join(f.Data, "artifacts")}
}

// DatabaseURL is that of the database in force.
func (f *Folders) DatabaseURL() string { return cmp.Or(f.Database, filepath.Join(f.Data, "dec.db")) }

// SharedDatabase reports whether other servers, perhaps on other machines, may use
// the database. An own one belongs to its data folder, wherever that is moved.
func (f *Folders) SharedDatabase() bool { return strings.Contains(f.Database, "://") }

// BucketURL is that of the bucket in force.
func (f *Folders) BucketURL() string {
	return cmp.Or(f.Bucket, rendezvous.FolderURL(f.Home().Bucket()))
}

// SharedBucket reports whether all servers of the database have the same bucket. An
// own one belongs to its data folder.
func (f *Folders) SharedBucket() bool { return f.Bucket != "" }

// Used reports whether anything was ever stored.
func (f *Folders) Used() bool {
	_, err := os.Stat(f.DatabaseURL())
	return f.SharedDatabase() || err == nil
}

// Logs is the file of the server's own log.
func (f *Folders) Logs() string { return filepath.Join(f.Data, "dec.log") }

// Home is the layout of this data folder.
func (f *Folders) Home() Home { return Home(f.Data) }
