package cli

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"

	"github.com/alecthomas/kong"
	"github.com/goccy/go-yaml"
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
	values map[string]any
}

func readSettings(path string) (*settings, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("--config: %w", err)
	}
	s := &settings{path: path, values: map[string]any{}}
	if err := yaml.Unmarshal(data, &s.values); err != nil {
		return nil, fmt.Errorf("--config %s: %s", path, strings.TrimSpace(yaml.FormatError(err, false, true)))
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
			return fmt.Errorf("--config %s: no setting %q; there are %s", s.path, name, strings.Join(slices.Sorted(maps.Keys(known)), ", "))
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
	switch v := value.(type) {
	case map[string]any: // as on the command line
		var pairs []string
		for _, key := range slices.Sorted(maps.Keys(v)) {
			pairs = append(pairs, fmt.Sprintf("%s=%v", key, v[key]))
		}
		return strings.Join(pairs, ","), nil
	case []any:
		return nil, errors.New("a list is not expected")
	}
	return fmt.Sprint(value), nil
}
