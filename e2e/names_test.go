package e2e

import (
	"go/scanner"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// named are things that have a folder of their own. Code outside it must not know
// them by name: it reads what the folder states. Comments, tests, examples,
// benchmarks and documentation may name what they like.
type named struct {
	parent  string                             // of their folders
	marker  string                             // what each of the folders has, and no other one there
	mention func(name string) func(piece) bool // reports whether a piece of code has the name
	allowed map[string]string                  // patterns of files that have a name all the same, and why
}

// technologies are known by a word, wherever it stands.
var technologies = named{
	parent:  "technology",
	marker:  "stacks",
	mention: asWord,
	allowed: map[string]string{
		"technology/all/all.go":       "the generated list of technologies",
		"internal/planspec/fields.go": "examples in the schema of plans",
		"internal/api/api.go":         "an example of a run's name, in the description of the API",
		"internal/cli/cli.go":         "the example to begin with, in the help",
		"internal/cli/run.go":         "an example of --set, in the help",
		"internal/planspec/file.go":   "an example of --set, in an error",
	},
}

func TestNoCodeNamesATechnology(t *testing.T) { technologies.check(t) }

// targets have names that are ordinary words, so they count where a string is, or
// begins with, the name as a value, and in the path of an import.
var targets = named{
	parent:  "target",
	marker:  "nodes",
	mention: asString,
	allowed: map[string]string{
		"target/all/all.go":                "the generated list of targets",
		"internal/planspec/fields.go":      "the target of a plan that names none is part of the format of plans",
		"cmd/terraform-provider-*/main.go": "the program of the target's own provider",
	},
}

func TestNoCodeNamesATarget(t *testing.T) { targets.check(t) }

// asWord finds a name as a word of a text or of an identifier: kafka, Kafka's,
// startKafka and KAFKA_HEAP, but not nats in signatStyle.
func asWord(name string) func(piece) bool {
	lower, upper := regexp.QuoteMeta(name), regexp.QuoteMeta(strings.ToUpper(name))
	word := regexp.MustCompile(`(^|[^A-Za-z])` + lower + `([^a-z]|$)` +
		`|` + upper[:1] + lower[1:] + `([^a-z]|$)` +
		`|(^|[^A-Z])` + upper + `([^A-Z]|[A-Z][a-z]|$)`)
	return func(p piece) bool { return word.MatchString(p.text) }
}

// asString finds a name that is a value within a string: all of it, or between marks
// as in target="name", name:x and the path of an import.
func asString(name string) func(piece) bool {
	value := regexp.MustCompile(`(^|["'=:])` + regexp.QuoteMeta(name) + `(["':]|$)`)
	folder := module + "target/" + name + "/"
	return func(p piece) bool {
		return p.literal && (value.MatchString(p.text) || strings.HasPrefix(p.text+"/", folder))
	}
}

// check fails for each place that knows a name, and for each exception that is
// needed no more.
func (n named) check(t *testing.T) {
	t.Helper()
	folders, err := filepath.Glob(filepath.Join("..", n.parent, "*", n.marker))
	if err != nil || len(folders) == 0 {
		t.Fatalf("folders with %s below %s: %q, %v", n.marker, n.parent, folders, err)
	}
	mentions := map[string]func(piece) bool{}
	for _, folder := range folders {
		name := filepath.Base(filepath.Dir(folder))
		mentions[name] = n.mention(name)
	}
	needed := map[string]bool{}
	for _, file := range productFiles(t) {
		for _, p := range readCode(t, file) {
			for name, mentioned := range mentions {
				if strings.HasPrefix(file, path.Join(n.parent, name)+"/") || !mentioned(p) {
					continue
				}
				exception := n.exception(file)
				needed[exception] = true
				if exception == "" {
					t.Errorf("%s:%d knows %s by name: let the folder say what is needed here, or add the file and a reason to the list in this test",
						file, p.line, name)
				}
			}
		}
	}
	for file := range n.allowed {
		if !needed[file] {
			t.Errorf("%s is in the list of exceptions, and names none of %s: remove it", file, n.parent)
		}
	}
}

// exception is the pattern in the list of exceptions that a file matches, or "".
func (n named) exception(file string) string {
	for pattern := range n.allowed {
		if ok, _ := path.Match(pattern, file); ok {
			return pattern
		}
	}
	return ""
}

// productFiles lists the files of Go and of the page that are part of the product.
func productFiles(t *testing.T) []string {
	t.Helper()
	notProduct := regexp.MustCompile(`^(bench|docs|e2e|examples|bin|node_modules|testdata|dist|\..+|.+test)$`)
	var files []string
	err := filepath.WalkDir("..", func(file string, entry fs.DirEntry, err error) error {
		switch name := entry.Name(); {
		case err != nil:
			return err
		case entry.IsDir() && name != ".." && notProduct.MatchString(name):
			return filepath.SkipDir
		case strings.HasSuffix(name, "_test.go"), strings.Contains(name, ".test."), name == "schema.d.ts": // made of what internal/api says
			return nil
		case slices.Contains([]string{".go", ".ts", ".tsx", ".css", ".html", ".gohtml", ".mjs"}, path.Ext(name)):
			files = append(files, filepath.ToSlash(strings.TrimPrefix(file, "../")))
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// TestLogsHaveOneKeyForErrors lets operators search for all errors at once.
func TestLogsHaveOneKeyForErrors(t *testing.T) {
	for _, file := range productFiles(t) {
		for _, p := range readCode(t, file) {
			if p.literal && p.text == "err" {
				t.Errorf("%s:%d: the key of errors in logs is \"error\"", file, p.line)
			}
		}
	}
}

// piece is a part of a file that is not a comment.
type piece struct {
	line    int
	text    string
	literal bool // the text is all of a string
}

// readCode takes a file of the product to pieces.
func readCode(t *testing.T, file string) []piece {
	t.Helper()
	source, err := os.ReadFile(filepath.Join("..", file))
	if err != nil {
		t.Fatal(err)
	}
	if path.Ext(file) == ".go" {
		return goCode(source)
	}
	return pageCode(string(source))
}

// goCode are the identifiers and strings of a file of Go.
func goCode(source []byte) []piece {
	var pieces []piece
	var s scanner.Scanner
	file := token.NewFileSet().AddFile("", -1, len(source))
	s.Init(file, source, nil, 0)
	for {
		position, kind, text := s.Scan()
		switch kind {
		case token.EOF:
			return pieces
		case token.IDENT:
			pieces = append(pieces, piece{line: file.Line(position), text: text})
		case token.STRING:
			if unquoted, err := strconv.Unquote(text); err == nil {
				text = unquoted
			}
			pieces = append(pieces, piece{line: file.Line(position), text: text, literal: true})
		}
	}
}

// pagePiece is a comment, a string or anything else of a file of TypeScript.
var pagePiece = regexp.MustCompile("//[^\n]*|(?s:/\\*.*?\\*/)|\"(?:[^\"\\\\\n]|\\\\.)*\"|'(?:[^'\\\\\n]|\\\\.)*'|(?s:`(?:[^`\\\\]|\\\\.)*`)|[^/\"'`\n]+|.")

// pageCode are the strings of a file of TypeScript and what stands between them.
func pageCode(source string) []piece {
	var pieces []piece
	for _, at := range pagePiece.FindAllStringIndex(source, -1) {
		text := source[at[0]:at[1]]
		if strings.HasPrefix(text, "//") || strings.HasPrefix(text, "/*") {
			continue
		}
		literal := len(text) > 1 && strings.ContainsAny(text[:1], "\"'`")
		if literal {
			text = text[1 : len(text)-1]
		}
		pieces = append(pieces, piece{line: 1 + strings.Count(source[:at[0]], "\n"), text: text, literal: literal})
	}
	return pieces
}

func TestNamesAreFoundInCodeAlone(t *testing.T) {
	page := `import x from "./local"; // kafka
/* kafka
 */ const startKafka = 'KAFKA'; const at = "local"
<p>It's Kafka's</p> + ` + "`kafka ${signatsure}`"
	program := `package p // kafka
/* kafka */
import "dec.local/dec/target/local/provider"
const kafkaHeap = "local:" + "is local here" + ` + "`kafka`" + ` + "localhost"
`
	tests := map[string]struct {
		pieces []piece
		find   func(piece) bool
		want   int
	}{
		"words in a page":               {pageCode(page), technologies.mention("kafka"), 4},
		"strings in a page":             {pageCode(page), targets.mention("local"), 1},
		"no words in others":            {pageCode(page), technologies.mention("nats"), 0},
		"words in a program":            {goCode([]byte(program)), technologies.mention("kafka"), 2},
		"strings in a program":          {goCode([]byte(program)), targets.mention("local"), 2},
		"the name in capitals":          {goCode([]byte("package p\nvar startNATS, NATSServer, natsURL, signats int")), technologies.mention("nats"), 3},
		"a comment of two slashes ends": {pageCode("// kafka\nkafka"), technologies.mention("kafka"), 1},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			var found []piece
			for _, p := range tt.pieces {
				if tt.find(p) {
					found = append(found, p)
				}
			}
			if len(found) != tt.want {
				t.Errorf("found %+v, want %d", found, tt.want)
			}
		})
	}
}
