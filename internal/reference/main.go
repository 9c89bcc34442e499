// Command reference writes what the documentation says of commands, plans and
// stacks, from what the program itself knows: docs/reference/commands.md and plan.md,
// the table of technologies in the top README, and a table of each stack's options in
// the README of its technology.
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
	"dec.local/dec/internal/tofu"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: go generate ./internal/reference")
		os.Exit(2)
	}
	if err := write(os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, "reference:", err)
		os.Exit(1)
	}
}

// write writes the files of generate below the top folder root.
func write(root string) error {
	files, err := generate(root)
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
// by their paths below root.
func generate(root string) (map[string]string, error) {
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
		table, err := options(stack)
		if err != nil {
			return nil, fmt.Errorf("options of %s/%s: %w", stack.Technology, stack.Name, err)
		}
		files[readme] = insert(files[readme], stack.Name, table)
	}
	return files, nil
}

// insert puts a table between the marks of a stack, or at the end with marks if
// there are none.
func insert(readme, stack, table string) string {
	begin, end := "<!-- options of "+stack+": go generate ./internal/reference -->\n", "<!-- end of options -->\n"
	marks := regexp.MustCompile("(?s)" + regexp.QuoteMeta(begin) + ".*?" + regexp.QuoteMeta(end))
	if found := marks.FindStringIndex(readme); found != nil {
		return readme[:found[0]] + begin + table + end + readme[found[1]:]
	}
	return readme + "\n## Options of `" + stack + "`\n\n" + begin + table + end
}

// property is what a stack's schema says of an option.
type property struct {
	Type             any               `json:"type"`
	Enum             []json.RawMessage `json:"enum"`
	Minimum          json.Number       `json:"minimum"`
	Maximum          json.Number       `json:"maximum"`
	ExclusiveMinimum json.Number       `json:"exclusiveMinimum"`
	ExclusiveMaximum json.Number       `json:"exclusiveMaximum"`
	Default          json.RawMessage   `json:"default"`
	Description      string            `json:"description"`
	Secret           bool              `json:"x-secret"`
}

// options returns the table of a stack's options.
func options(stack *tofu.Stack) (string, error) {
	var schema struct {
		Properties map[string]property `json:"properties"`
		Order      []string            `json:"x-order"`
	}
	if err := json.Unmarshal(stack.Schema, &schema); err != nil {
		return "", err
	}
	var out strings.Builder
	out.WriteString("| option | type | default | meaning |\n|---|---|---|---|\n")
	for _, name := range schema.Order {
		p := schema.Properties[name]
		fmt.Fprintf(&out, "| `%s` | %s | %s | %s |\n", name, cell(p.kind()), cell(p.standard()), cell(p.Description))
	}
	return out.String(), nil
}

// kind says which values an option takes.
func (p property) kind() string {
	var words []string
	for _, value := range p.Enum {
		if string(value) != "null" {
			words = append(words, "`"+string(value)+"`")
		}
	}
	if len(words) > 0 {
		return strings.Join(words, ", ")
	}
	name := fmt.Sprint(p.Type)
	if several, ok := p.Type.([]any); ok && len(several) > 0 { // the second is null
		name = fmt.Sprint(several[0])
	}
	words = append(words, name)
	for _, limit := range []struct {
		sign  string
		value json.Number
	}{{"≥", p.Minimum}, {">", p.ExclusiveMinimum}, {"≤", p.Maximum}, {"<", p.ExclusiveMaximum}} {
		if limit.value != "" {
			words = append(words, limit.sign+" "+limit.value.String())
		}
	}
	if p.Secret {
		words = append(words, "secret")
	}
	return strings.Join(words, ", ")
}

// standard says which value an option has if none is given.
func (p property) standard() string {
	switch string(p.Default) {
	case "":
		return "**required**"
	case "null":
		return "none"
	}
	return "`" + string(p.Default) + "`"
}

// cell returns text as it can stand in a cell of a table.
func cell(text string) string {
	return strings.NewReplacer("|", `\|`, "\n", " ").Replace(text)
}
