package cli

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"

	"github.com/alecthomas/kong"

	"dec.local/dec/internal/yamltext"
)

// configFile is a flag that names a file with the values of other flags.
type configFile string

// BeforeResolve reads the file; kong calls it once the flag is known.
func (c configFile) BeforeResolve(k *kong.Kong, ctx *kong.Context, trace *kong.Path) error {
	path, _ := ctx.FlagValue(trace.Flag).(configFile)
	if path == "" {
		return nil
	}
	settings, err := readSettings(string(path))
	if err != nil {
		return err
	}
	ctx.AddResolver(settings)
	return nil
}

// settings are the values of a config file, by name of the flag.
type settings struct {
	path   string
	values map[string]*yamltext.Node
}

func readSettings(path string) (*settings, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("--config: %w", err)
	}
	defer f.Close()
	doc, err := yamltext.Read(f)
	if err != nil {
		return nil, fmt.Errorf("--config %s: %w", path, err)
	}
	s := &settings{path: path, values: map[string]*yamltext.Node{}}
	switch doc.Kind {
	case yamltext.Null: // an empty file
	case yamltext.Object:
		for _, m := range doc.Members {
			s.values[m.Name] = m.Value
		}
	default:
		return nil, fmt.Errorf("--config %s: write settings such as \"listen: 127.0.0.1:8080\", not %s", path, doc.Kind)
	}
	return s, nil
}

// Validate implements [kong.Resolver]: a name that is no flag of serve is
// refused.
func (s *settings) Validate(app *kong.Application) error {
	known := map[string]bool{}
	for _, flag := range app.Flags {
		known[flag.Name] = true
	}
	for _, child := range app.Children {
		if child.Name == "serve" {
			for _, flag := range child.Flags {
				known[flag.Name] = true
			}
		}
	}
	for _, none := range []string{"help", "config", "server", "token-file"} {
		delete(known, none)
	}
	for _, name := range slices.Sorted(maps.Keys(s.values)) {
		if !known[name] {
			return fmt.Errorf("--config %s: unknown setting %q; known settings: %s",
				s.path, name, strings.Join(slices.Sorted(maps.Keys(known)), ", "))
		}
	}
	return nil
}

// Resolve implements [kong.Resolver]. A variable of the environment counts more
// than the file.
func (s *settings) Resolve(_ *kong.Context, _ *kong.Path, flag *kong.Flag) (any, error) {
	for _, name := range flag.Envs {
		if os.Getenv(name) != "" {
			return nil, nil
		}
	}
	value, ok := s.values[flag.Name]
	if !ok {
		return nil, nil
	}
	switch value.Kind {
	case yamltext.Null: // as if it were absent
		return nil, nil
	case yamltext.Object: // as on the command line
		var pairs []string
		for _, m := range value.Members {
			pairs = append(pairs, m.Name+"="+m.Value.Text)
		}
		slices.Sort(pairs)
		return strings.Join(pairs, ","), nil
	case yamltext.List:
		return nil, errors.New("must be a single value, not a list")
	}
	return value.Text, nil
}
