package tofu

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"

	"github.com/hashicorp/hcl/v2/hclwrite"
	"github.com/zclconf/go-cty/cty"
	"golang.org/x/mod/sumdb/dirhash"
)

// providerSource is the address of DEC's own provider, in a mirror of our own.
const providerSource = "dec.local/dec/dec"

// writeLockFile writes the root module's .terraform.lock.hcl: init with a
// read-only lock file fails without one, and a lock file that init wrote would
// take any build that it finds.
func (r *Runner) writeLockFile(root string) error {
	build := filepath.Join(r.options.Mirror, filepath.FromSlash(providerSource), r.options.ProviderVersion, runtime.GOOS+"_"+runtime.GOARCH)
	hash, err := dirhash.HashDir(build, "", dirhash.Hash1)
	if err != nil {
		return fmt.Errorf("hash DEC's provider %s: %w; run make setup", r.options.ProviderVersion, err)
	}
	file := hclwrite.NewEmptyFile()
	body := file.Body().AppendNewBlock("provider", []string{providerSource}).Body()
	body.SetAttributeValue("version", cty.StringVal(r.options.ProviderVersion))
	body.SetAttributeValue("constraints", cty.StringVal(r.options.ProviderVersion))
	body.SetAttributeValue("hashes", cty.ListVal([]cty.Value{cty.StringVal(hash)}))
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
