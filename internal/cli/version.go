package cli

import (
	"encoding/json"
	"fmt"
	"io"
)

// versionCmd prints what this build is.
type versionCmd struct {
	JSON bool `help:"Print as JSON."`
}

// Run prints the version.
func (c *versionCmd) Run(env *Env) error {
	v := env.Version
	if c.JSON {
		return printJSON(env.Stdout, v)
	}
	_, err := fmt.Fprintf(env.Stdout, "dec %s (%s, %s)\n", v["version"], v["go"], v["platform"])
	return err
}

// printJSON writes v as indented JSON.
func printJSON(w io.Writer, v any) error {
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	enc.SetEscapeHTML(false)
	return enc.Encode(v)
}
