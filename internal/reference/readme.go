package main

import (
	"fmt"
	"io/fs"
	"path"
	"regexp"
	"strings"

	"dec.local/dec/internal/tofu"
)

// The marks of the table of technologies in the top README.
const (
	technologiesBegin = "<!-- technologies: go generate ./internal/reference -->\n"
	technologiesEnd   = "<!-- end of technologies -->\n"
)

// technologies puts the table of the stacks into the top README. root is the top
// folder.
func technologies(root fs.FS, stacks []*tofu.Stack) (string, error) {
	readme, err := fs.ReadFile(root, "README.md")
	if err != nil {
		return "", err
	}
	var table strings.Builder
	table.WriteString("| technology | stack | |\n|---|---|---|\n")
	for i, stack := range stacks {
		name := ""
		if i == 0 || stacks[i-1].Technology != stack.Technology {
			title, err := heading(root, stack.Technology)
			if err != nil {
				return "", err
			}
			name = fmt.Sprintf("[%s](technology/%s/README.md)", title, stack.Technology)
		}
		fmt.Fprintf(&table, "| %s | `%s` | %s |\n", name, stack.Name, cell(about(root, stack)))
	}
	marks := regexp.MustCompile("(?s)" + regexp.QuoteMeta(technologiesBegin) + ".*" + regexp.QuoteMeta(technologiesEnd))
	if !marks.Match(readme) {
		return "", fmt.Errorf("README.md lacks the marks of the table of technologies: %s", strings.TrimSpace(technologiesBegin))
	}
	return marks.ReplaceAllLiteralString(string(readme), technologiesBegin+table.String()+technologiesEnd), nil
}

// heading is the title of a technology: the first heading of its README.
func heading(root fs.FS, technology string) (string, error) {
	text, err := fs.ReadFile(root, path.Join("technology", technology, "README.md"))
	if err != nil {
		return "", fmt.Errorf("a technology needs a README: %w", err)
	}
	first, _, _ := strings.Cut(string(text), "\n")
	title, ok := strings.CutPrefix(first, "# ")
	if !ok {
		return "", fmt.Errorf("the README of %s must begin with its title as a heading", technology)
	}
	return title, nil
}

// about says what a stack is, and what a reader must know before choosing it.
func about(root fs.FS, stack *tofu.Stack) string {
	text := stack.Description
	if stack.Emulator != "" {
		text += " **An emulator**; its results are marked as such."
	}
	for _, target := range stack.Targets {
		if _, err := fs.Stat(root, path.Join("target", target)); err != nil {
			text += fmt.Sprintf(" Needs the target `%s`, which does not exist yet.", target)
		}
	}
	return text
}

// readStacks reads all stacks, in the order of their names.
func readStacks(root fs.FS) ([]*tofu.Stack, error) {
	technologies, err := fs.Sub(root, "technology")
	if err != nil {
		return nil, err
	}
	files, err := fs.Glob(technologies, "*/stacks/*/stack.json")
	if err != nil {
		return nil, err
	}
	var stacks []*tofu.Stack
	for _, file := range files {
		dir := path.Dir(file)
		stack, err := tofu.ReadStack(technologies, path.Dir(path.Dir(dir)), path.Base(dir))
		if err != nil {
			return nil, err
		}
		stacks = append(stacks, stack)
	}
	return stacks, nil
}
