package server

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
)

// builds are the versions of DEC's own agent and provider. Each build is kept
// under a version made from its content, beside the earlier ones: a run that was
// made by one build is destroyed by the same.
type builds struct {
	Agent    string // artifact: "dec-agent@<hash>"
	Provider string // version: "0.0.0-g<hash>"
}

// install puts the agent and the provider that lie beside dec into the data
// folder, unless the very same builds are there.
func (f *Folders) install() (builds, error) {
	bin := filepath.Dir(f.Executable)
	agent := filepath.Join(bin, "dec-agent")
	provider := filepath.Join(bin, "terraform-provider-dec")

	agentHash, err := contentHash(agent)
	if err != nil {
		return builds{}, fmt.Errorf("the agent must lie beside dec; run 'make setup': %w", err)
	}
	providerHash, err := contentHash(provider)
	if err != nil {
		return builds{}, fmt.Errorf("the OpenTofu provider must lie beside dec; run 'make setup': %w", err)
	}
	version := "0.0.0-g" + providerHash
	platform := runtime.GOOS + "_" + runtime.GOARCH
	copies := map[string]string{
		filepath.Join(f.Data, "artifacts", "dec-agent", agentHash, "dec-agent"):                                            agent,
		filepath.Join(f.home().mirror(), "dec.local", "dec", "dec", version, platform, "terraform-provider-dec_v"+version): provider,
	}
	for to, from := range copies {
		if err := copyOnce(from, to); err != nil {
			return builds{}, err
		}
	}
	return builds{Agent: "dec-agent@" + agentHash, Provider: version}, nil
}

// contentHash names a file's content in 12 hexadecimal digits.
func contentHash(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return "", fmt.Errorf("read %s: %w", path, err)
	}
	return hex.EncodeToString(h.Sum(nil))[:12], nil
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
