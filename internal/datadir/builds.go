package datadir

import (
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"runtime"

	"dec.local/dec/internal/buildinfo"
	"dec.local/dec/target"
)

// Builds are the versions of DEC's own agent and providers. Each build is kept
// under a version made from its content, beside the earlier ones: a run that was
// made by one build is destroyed by the same.
type Builds struct {
	Agent     string            // artifact: "dec-agent@<hash>"
	Providers map[string]string // version of each by its source address: "0.0.0-g<hash>"
}

// Install puts the agent and the targets' own providers that lie beside dec into
// the data folder, unless the very same builds are there.
func (f *Folders) Install(targets []target.Target) (Builds, error) {
	b := Builds{Providers: map[string]string{}}
	agent, err := f.FindAgent()
	if err != nil {
		return Builds{}, err
	}
	hash, err := buildinfo.Digest(agent)
	if err != nil {
		return Builds{}, fmt.Errorf("install dec-agent: %w", err)
	}
	if err := copyOnce(agent, filepath.Join(f.Data, "artifacts", "dec-agent", hash, "dec-agent")); err != nil {
		return Builds{}, err
	}
	b.Agent = "dec-agent@" + hash
	for _, t := range targets {
		for _, p := range t.Providers {
			if b.Providers[p.Source], err = f.installProvider(p); err != nil {
				return Builds{}, err
			}
		}
	}
	return b, nil
}

// FindAgent returns the path of DEC's agent, which is next to dec.
func (f *Folders) FindAgent() (string, error) {
	path := filepath.Join(filepath.Dir(f.Executable), "dec-agent")
	if _, err := os.Stat(path); err != nil {
		return "", fmt.Errorf("dec-agent must be next to dec; build both with 'make setup', or unpack the whole release archive: %w", err)
	}
	return path, nil
}

// installProvider puts the build of a provider into the mirror and returns its
// version.
func (f *Folders) installProvider(p target.Provider) (version string, err error) {
	build := filepath.Join(filepath.Dir(f.Executable), p.Executable)
	hash, err := buildinfo.Digest(build)
	if err != nil {
		return "", fmt.Errorf("the OpenTofu provider must be next to dec; build both with 'make setup', or unpack the whole release archive: %w", err)
	}
	version = "0.0.0-g" + hash
	name := "terraform-provider-" + path.Base(p.Source) + "_v" + version
	return version, copyOnce(build, filepath.Join(f.Home().Mirror(), filepath.FromSlash(p.Source), version, runtime.GOOS+"_"+runtime.GOARCH, name))
}

// copyOnce copies an executable unless the copy is there. A copy appears whole
// or not at all.
func copyOnce(from, to string) (err error) {
	if _, err := os.Stat(to); err == nil {
		return nil
	}
	if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
		return fmt.Errorf("install %s: %w", filepath.Base(from), err)
	}
	tmp, err := os.CreateTemp(filepath.Dir(filepath.Dir(to)), ".install-*")
	if err != nil {
		return fmt.Errorf("install %s: %w", filepath.Base(from), err)
	}
	defer func() {
		if err != nil {
			os.Remove(tmp.Name())
		}
	}()
	src, err := os.Open(from)
	if err != nil {
		return fmt.Errorf("install %s: %w", filepath.Base(from), err)
	}
	defer src.Close()
	if _, err := io.Copy(tmp, src); err != nil {
		return fmt.Errorf("install %s: %w", filepath.Base(from), err)
	}
	if err := tmp.Chmod(0o755); err != nil {
		return fmt.Errorf("install %s: %w", filepath.Base(from), err)
	}
	if err := tmp.Sync(); err != nil {
		return fmt.Errorf("install %s: %w", filepath.Base(from), err)
	}
	if err := tmp.Close(); err != nil {
		return fmt.Errorf("install %s: %w", filepath.Base(from), err)
	}
	if err := os.Rename(tmp.Name(), to); err != nil {
		return fmt.Errorf("install %s: %w", filepath.Base(from), err)
	}
	return nil
}
