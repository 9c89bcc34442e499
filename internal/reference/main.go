// Command reference writes what the documentation says of commands, plans and
// stacks, from what the program itself knows: docs/reference/commands.md and plan.md,
// the table of technologies in the top README, and in the README of each technology
// tables of its client settings and of each stack's options.
//
//	go generate ./internal/reference
package main

//go:generate go run . ../..

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strings"

	"dec.local/dec/internal/cli"
	"dec.local/dec/technology"
	"dec.local/dec/technology/all"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: go generate ./internal/reference")
		os.Exit(2)
	}
	if err := write(os.Args[1], all.Technologies()); err != nil {
		fmt.Fprintln(os.Stderr, "reference:", err)
		os.Exit(1)
	}
}

// write writes the files of generate below the top folder root.
func write(root string, registered []technology.Technology) error {
	files, err := generate(root, registered)
	if err != nil {
		return err
	}
	for name, content := range files {
		path := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
			return err
		}
	}
	return nil
}

// generated begins files that are generated wholly.
const generated = "<!-- Written by go generate ./internal/reference. -->\n"

// generate returns the content of all files that are generated wholly or in part,
// by their paths below root. Of the technologies there, those that are registered get
// a table of their client settings.
func generate(root string, registered []technology.Technology) (map[string]string, error) {
	commands, err := cli.Reference()
	if err != nil {
		return nil, err
	}
	top := os.DirFS(root)
	stacks, err := readStacks(top)
	if err != nil {
		return nil, err
	}
	readme, err := technologies(top, stacks)
	if err != nil {
		return nil, err
	}
	files := map[string]string{
		"README.md":                  readme,
		"docs/reference/commands.md": generated + commands,
		"docs/reference/plan.md":     generated + plan(),
	}
	for _, stack := range stacks {
		readme := path.Join("technology", stack.Technology, "README.md")
		if _, ok := files[readme]; !ok {
			content, err := fs.ReadFile(top, readme)
			if err != nil {
				return nil, fmt.Errorf("a technology needs a README: %w", err)
			}
			files[readme] = string(content)
		}
		table, err := table("option", stack.Schema)
		if err != nil {
			return nil, fmt.Errorf("options of %s/%s: %w", stack.Technology, stack.Name, err)
		}
		files[readme] = insert(files[readme], "Options of `"+stack.Name+"`", "options of "+stack.Name, "options", table)
	}
	for _, t := range registered {
		readme := path.Join("technology", t.Name, "README.md")
		if _, ok := files[readme]; !ok {
			continue
		}
		table, err := table("setting", t.ConfigSchema)
		if err != nil {
			return nil, fmt.Errorf("client settings of %s: %w", t.Name, err)
		}
		if table != "" {
			files[readme] = insert(files[readme], "Client settings", "client settings", "client settings", table)
		}
	}
	return files, nil
}

// insert puts a table between its marks, or at the end with a heading and marks if
// there are none. The marks name what the table has, in full and in short.
func insert(readme, heading, what, short, table string) string {
	begin, end := "<!-- "+what+": go generate ./internal/reference -->\n", "<!-- end of "+short+" -->\n"
	marks := regexp.MustCompile("(?s)" + regexp.QuoteMeta(begin) + ".*?" + regexp.QuoteMeta(end))
	if found := marks.FindStringIndex(readme); found != nil {
		return readme[:found[0]] + begin + table + end + readme[found[1]:]
	}
	return readme + "\n## " + heading + "\n\n" + begin + table + end
}

// table returns the table of a schema's properties. They are options or settings.
func table(what string, schema json.RawMessage) (string, error) {
	settings, err := cli.Settings(schema)
	if err != nil || len(settings) == 0 {
		return "", err
	}
	var out strings.Builder
	fmt.Fprintf(&out, "| %s | values | default | meaning |\n|---|---|---|---|\n", what)
	for _, s := range settings {
		values := s.Kind
		if len(s.Choices) > 0 {
			values = "`" + strings.Join(s.Choices, "`, `") + "`"
		}
		fmt.Fprintf(&out, "| `%s` | %s | %s | %s |\n", s.Name, cell(values), cell(standard(s)), cell(s.Meaning))
	}
	return out.String(), nil
}

// standard says which value a setting has if none is given.
func standard(s cli.Setting) string {
	switch s.Default {
	case "":
		return "**required**"
	case "null":
		return "none"
	}
	return "`" + s.Default + "`"
}

// cell returns text as it can stand in a cell of a table.
func cell(text string) string {
	return strings.NewReplacer("|", `\|`, "\n", " ").Replace(text)
}
