// Package yamltext reads YAML and JSON text that people write as a tree of
// values. Reading is bounded before it begins: no text, however it is nested or
// repeats itself, takes more than a second or about a hundred megabytes. What
// lies beyond the bounds is refused with its line. No message repeats a value of
// the text, which may be a secret.
package yamltext

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"dec.local/dec/internal/experiment"
)

const (
	// MaxBytes is the size above which a document is refused. A plan with a hundred
	// variants is a few kilobytes.
	MaxBytes = 1 << 20
	// MaxDepth is how many lists and objects may stand within each other. Plans need
	// seven.
	MaxDepth = 64

	maxValues = 20_000 // what aliases repeat included; a schedule of a thousand segments has 3000
	maxMarks  = 50_000 // punctuation marks and lines of YAML, which bound what its library keeps
	maxName   = 1024   // bytes of a field's name, as YAML itself has it
)

// Node is one value. Unlike Go values it keeps the order of members, and numbers
// as they were written.
type Node struct {
	Kind    Kind
	Text    string   // of text the content, of a number its literal in JSON, of a boolean "true" or "false"
	Items   []*Node  // of a list
	Members []Member // of an object, their names unique
}

// Member is one field of an object.
type Member struct {
	Name  string
	Value *Node
}

// Kind is the kind of a value, in the words of messages.
type Kind string

// The kinds of values.
const (
	Object  Kind = "an object"
	List    Kind = "a list"
	Text    Kind = "text"
	Number  Kind = "a number"
	Boolean Kind = "a boolean"
	Null    Kind = "empty (null)"
)

// Read reads a document of at most [MaxBytes]; see [Parse].
func Read(r io.Reader) (*Node, error) {
	data, err := io.ReadAll(io.LimitReader(r, MaxBytes+1))
	if err != nil {
		return nil, err
	}
	if len(data) > MaxBytes {
		return nil, fmt.Errorf("is larger than %d MiB, the maximum", MaxBytes>>20)
	}
	return Parse(data)
}

// Parse reads one document, JSON or YAML. An empty one is [Null]. The error is an
// *[experiment.Problems] for a document that is beyond the bounds or gives a
// field twice; any other error says why the text is neither YAML nor JSON.
func Parse(data []byte) (*Node, error) {
	if json.Valid(data) {
		return ParseJSON(data)
	}
	return parseYAML(data)
}

var errEncoding = errors.New("not UTF-8 text")

// refusal is the error of a document that is beyond a bound.
func refusal(line int, format string, args ...any) error {
	problems := new(experiment.Problems)
	problems.Add("", "line %d: %s", line, fmt.Sprintf(format, args...))
	return problems
}

// The refusals of both languages.
func tooDeep(line int) error {
	return refusal(line, "nested %d levels deep; at most %d are allowed", MaxDepth+1, MaxDepth)
}

func tooMany(line int) error {
	return refusal(line, "the document has more than %d values; the limit is reached on this line", maxValues)
}

func longName(line int) error {
	return refusal(line, "a field name has more than %d bytes", maxName)
}

// lineAt is the line, from 1, of an offset.
func lineAt(data []byte, offset int64) int {
	return 1 + strings.Count(string(data[:min(int(offset), len(data))]), "\n")
}

// Get returns the member called name, or nil.
func (n *Node) Get(name string) *Node {
	for _, m := range n.Members {
		if m.Name == name {
			return m.Value
		}
	}
	return nil
}

// Set gives the member called name a value.
func (n *Node) Set(name string, value *Node) {
	for i, m := range n.Members {
		if m.Name == name {
			n.Members[i].Value = value
			return
		}
	}
	n.Members = append(n.Members, Member{name, value})
}

// MarshalJSON writes n with sorted members, so that equal values have equal text.
func (n *Node) MarshalJSON() ([]byte, error) { return json.Marshal(n.plain()) }

// plain returns n as values of the standard library.
func (n *Node) plain() any {
	switch n.Kind {
	case Object:
		object := make(map[string]any, len(n.Members))
		for _, m := range n.Members {
			object[m.Name] = m.Value.plain()
		}
		return object
	case List:
		list := make([]any, len(n.Items))
		for i, item := range n.Items {
			list[i] = item.plain()
		}
		return list
	case Text:
		return n.Text
	case Number:
		return json.Number(n.Text)
	case Boolean:
		return n.Text == "true"
	}
	return nil
}
