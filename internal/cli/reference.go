package cli

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/alecthomas/kong"
)

// Reference returns the manual of all commands in Markdown, from the definitions
// that --help shows.
func Reference() (string, error) {
	parser, err := kong.New(&commands{}, kong.Name("dec"))
	if err != nil {
		return "", err
	}
	var out strings.Builder
	out.WriteString("# Commands\n\nEvery command takes these flags:\n")
	writeFlags(&out, parser.Model.Flags)
	out.WriteString("\n## Exit codes\n\n| code | meaning |\n|---|---|\n")
	for _, exit := range exitCodes {
		fmt.Fprintf(&out, "| %d | %s |\n", exit.code, cell(exit.meaning))
	}
	for _, command := range parser.Model.Leaves(true) {
		fmt.Fprintf(&out, "\n## %s\n%s\n```\ndec %s\n```\n", command.FullPath(), wrap(command.Help), strings.TrimSpace(command.Summary()))
		if len(command.Positional) > 0 {
			out.WriteString("\n| argument | meaning |\n|---|---|\n")
			for _, argument := range command.Positional {
				fmt.Fprintf(&out, "| `%s` | %s |\n", argument.Summary(), cell(argument.Help))
			}
		}
		writeFlags(&out, command.Flags)
	}
	return out.String(), nil
}

// writeFlags writes a table of flags, without those that are hidden; nothing if
// that leaves none.
func writeFlags(out *strings.Builder, flags []*kong.Flag) {
	head := "\n| flag | variable | default | meaning |\n|---|---|---|---|\n"
	for _, flag := range flags {
		if flag.Hidden || flag.Name == "help" {
			continue
		}
		meaning, standard := meaningAndDefault(flag)
		variables := make([]string, len(flag.Envs))
		for i, name := range flag.Envs {
			variables[i] = "`" + name + "`"
		}
		fmt.Fprintf(out, "%s| `%s` | %s | %s | %s |\n", head, cell(synopsis(flag)), strings.Join(variables, ", "), cell(standard), cell(meaning))
		head = ""
	}
}

// synopsis returns how a flag is written.
func synopsis(flag *kong.Flag) string {
	text := "--" + flag.Name
	if flag.Short != 0 {
		text = fmt.Sprintf("-%c, %s", flag.Short, text)
	}
	if flag.IsBool() {
		return text
	}
	value := flag.PlaceHolder
	if value == "" {
		value = strings.ToUpper(flag.Name)
	}
	return text + "=" + value
}

// meaningAndDefault splits what the help of a flag says. Only what is no constant
// is told there in words; it ends the text.
func meaningAndDefault(flag *kong.Flag) (meaning, standard string) {
	meaning, standard, _ = strings.Cut(flag.Help, " Default: ")
	if flag.HasDefault && flag.Default != "" {
		return meaning, "`" + flag.Default + "`"
	}
	return meaning, strings.TrimSuffix(standard, ".")
}

// cell returns text as it can stand in a cell of a table.
func cell(text string) string { return strings.ReplaceAll(text, "|", `\|`) }

// wrap breaks prose into lines of the width that texts of this repository have.
func wrap(text string) string {
	const columns = 120
	var lines []string
	line := ""
	for _, word := range strings.Fields(text) {
		if line != "" && utf8.RuneCountInString(line+" "+word) > columns {
			lines, line = append(lines, line), ""
		}
		line = strings.TrimPrefix(line+" "+word, " ")
	}
	return strings.Join(append(lines, line), "\n")
}
