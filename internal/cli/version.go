package cli

import (
	"encoding/json"
	"fmt"
	"io"
	"runtime"
	"runtime/debug"
)

// versionCmd prints what this build is.
type versionCmd struct {
	JSON bool `help:"Print as JSON."`
}

// Run prints the version.
func (c *versionCmd) Run(env *Env) error {
	v := versionInfo()
	if c.JSON {
		return printJSON(env.Stdout, v)
	}
	_, err := fmt.Fprintf(env.Stdout, "dec %s (%s, %s)\n", v["version"], v["go"], v["platform"])
	return err
}

func versionInfo() map[string]string {
	version := "development"
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" && info.Main.Version != "(devel)" {
		version = info.Main.Version
	}
	return map[string]string{
		"version":  version,
		"go":       runtime.Version(),
		"platform": runtime.GOOS + "/" + runtime.GOARCH,
	}
}

// printJSON writes v as indented JSON.
func printJSON(w io.Writer, v any) error {
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	enc.SetEscapeHTML(false)
	return enc.Encode(v)
}
