package tofu

import (
	"fmt"
	"os"
	"path"
	"path/filepath"
	"runtime"
	"slices"

	"github.com/hashicorp/hcl/v2/hclwrite"
	"github.com/zclconf/go-cty/cty"
	"golang.org/x/mod/sumdb/dirhash"
)

// localName is what modules call the provider: the end of its address.
func (p Provider) localName() string { return path.Base(p.Source) }

// ownProviders are the builds of DEC's own that the modules require.
func (r *Runner) ownProviders(modules ...*module) []Provider {
	var own []Provider
	for _, p := range r.options.Providers {
		if slices.ContainsFunc(modules, func(m *module) bool { return slices.Contains(m.providers, p.Source) }) {
			own = append(own, p)
		}
	}
	return own
}

// writeLockFile writes the root module's .terraform.lock.hcl, if it requires
// providers of DEC's own: init with a read-only lock file fails without one, and a
// lock file that init wrote would take any build that it finds.
func (r *Runner) writeLockFile(root string, own []Provider) error {
	if len(own) == 0 {
		return nil
	}
	file := hclwrite.NewEmptyFile()
	for _, p := range own {
		build := filepath.Join(r.options.Mirror, filepath.FromSlash(p.Source), p.Version, runtime.GOOS+"_"+runtime.GOARCH)
		hash, err := dirhash.HashDir(build, "", dirhash.Hash1)
		if err != nil {
			return fmt.Errorf("hash the provider %s %s: %w; run 'make setup'", p.Source, p.Version, err)
		}
		body := file.Body().AppendNewBlock("provider", []string{p.Source}).Body()
		body.SetAttributeValue("version", cty.StringVal(p.Version))
		body.SetAttributeValue("constraints", cty.StringVal(p.Version))
		body.SetAttributeValue("hashes", cty.ListVal([]cty.Value{cty.StringVal(hash)}))
	}
	return os.WriteFile(filepath.Join(root, ".terraform.lock.hcl"), file.Bytes(), 0o600)
}

// cliConfig is the run's OpenTofu CLI configuration file.
func cliConfig(dir string) string { return filepath.Join(dir, "tofu.rc") }

// writeCLIConfig lets OpenTofu find providers in our mirror and nowhere else.
func (r *Runner) writeCLIConfig(dir string) error {
	file := hclwrite.NewEmptyFile()
	installation := file.Body().AppendNewBlock("provider_installation", nil).Body()
	if r.options.Mirror != "" {
		installation.AppendNewBlock("filesystem_mirror", nil).Body().SetAttributeValue("path", cty.StringVal(r.options.Mirror))
	}
	return os.WriteFile(cliConfig(dir), file.Bytes(), 0o600)
}
