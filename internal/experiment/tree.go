package experiment

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"
)

// maxDepth bounds how deep a document may nest. Plans need seven levels.
const maxDepth = 32

// node is a JSON value that keeps what decoding into Go types loses: the order
// of members, duplicates, and numbers as they were written.
type node struct {
	kind    kind
	text    string   // of text the content, of a number its literal, of a boolean its name
	items   []*node  // of a list
	members []member // of an object
}

type member struct {
	name  string
	value *node
}

// kind is the kind of a JSON value, in the words of messages.
type kind string

const (
	kindObject  kind = "an object"
	kindList    kind = "a list"
	kindText    kind = "text"
	kindNumber  kind = "a number"
	kindBoolean kind = "a boolean"
	kindNull    kind = "nothing (null)"
)

// parse reads a whole document. It refuses what is not JSON, and fields that
// are given twice, of which one would be lost.
func parse(data []byte) (*node, *Problems) {
	problems := new(Problems)
	if !utf8.Valid(data) {
		problems.Add("", "this is not UTF-8 text")
		return nil, problems
	}
	if err := json.Unmarshal(data, new(json.RawMessage)); err != nil {
		problems.Add("", "this is not JSON: %s", syntaxFault(data, err))
		return nil, problems
	}
	tokens := json.NewDecoder(bytes.NewReader(data))
	tokens.UseNumber()
	r := reader{tokens: tokens, problems: problems}
	root := r.value("", 0)
	if len(*problems) > 0 {
		return nil, problems
	}
	return root, problems
}

// syntaxFault adds the line and column to an error of encoding/json.
func syntaxFault(data []byte, err error) string {
	syntax, ok := errors.AsType[*json.SyntaxError](err)
	if !ok {
		return err.Error()
	}
	before := data[:min(int(syntax.Offset), len(data))]
	line := 1 + bytes.Count(before, []byte("\n"))
	column := len(before) - bytes.LastIndexByte(before, '\n') - 1
	return fmt.Sprintf("line %d, column %d: %s", line, max(column, 1), syntax.Error())
}

// reader builds nodes from tokens that are known to form a valid document.
type reader struct {
	tokens   *json.Decoder
	problems *Problems
}

func (r *reader) value(path string, depth int) *node {
	token, err := r.tokens.Token()
	if err != nil {
		r.problems.Add(path, "this is not JSON: %s", err)
		return &node{kind: kindNull}
	}
	switch token := token.(type) {
	case json.Delim:
		if depth == maxDepth {
			r.problems.Add(path, "nests deeper than %d levels", maxDepth)
			r.skip()
			return &node{kind: kindNull}
		}
		if token == '{' {
			return r.object(path, depth)
		}
		return r.list(path, depth)
	case string:
		return &node{kind: kindText, text: token}
	case json.Number:
		return &node{kind: kindNumber, text: token.String()}
	case bool:
		return &node{kind: kindBoolean, text: strconv.FormatBool(token)}
	}
	return &node{kind: kindNull, text: "null"}
}

func (r *reader) object(path string, depth int) *node {
	n := &node{kind: kindObject}
	seen := map[string]bool{}
	for r.tokens.More() {
		token, err := r.tokens.Token()
		name, ok := token.(string)
		if err != nil || !ok {
			break
		}
		if seen[name] {
			r.problems.Add(join(path, name), "is given twice; keep one")
		}
		seen[name] = true
		n.members = append(n.members, member{name, r.value(join(path, name), depth+1)})
	}
	r.tokens.Token() // the closing brace
	return n
}

func (r *reader) list(path string, depth int) *node {
	n := &node{kind: kindList}
	for i := 0; r.tokens.More(); i++ {
		n.items = append(n.items, r.value(fmt.Sprintf("%s[%d]", path, i), depth+1))
	}
	r.tokens.Token() // the closing bracket
	return n
}

// skip reads to the end of the object or list that was just opened.
func (r *reader) skip() {
	for open := 1; open > 0; {
		token, err := r.tokens.Token()
		if err != nil {
			return
		}
		if delim, ok := token.(json.Delim); ok {
			if delim == '{' || delim == '[' {
				open++
			} else {
				open--
			}
		}
	}
}

// get returns the member called name, or nil.
func (n *node) get(name string) *node {
	for _, m := range n.members {
		if m.name == name {
			return m.value
		}
	}
	return nil
}

// only returns the single member of an object.
func (n *node) only() (member, bool) {
	if n.kind != kindObject || len(n.members) != 1 {
		return member{}, false
	}
	return n.members[0], true
}

// describe says what n is, shortly, for "expected …, got …".
func (n *node) describe() string {
	switch n.kind {
	case kindText:
		return fmt.Sprintf("text %q", shorten(n.text))
	case kindNumber, kindBoolean:
		return shorten(n.text)
	}
	return string(n.kind)
}

// shorten cuts text that would drown a message.
func shorten(text string) string {
	const limit = 40
	if runes := []rune(text); len(runes) > limit {
		return string(runes[:limit]) + "…"
	}
	return text
}

// plain returns n as the values that [json.Marshal] writes with sorted members,
// so that equal values have equal text.
func (n *node) plain() any {
	switch n.kind {
	case kindObject:
		object := make(map[string]any, len(n.members))
		for _, m := range n.members {
			object[m.name] = m.value.plain()
		}
		return object
	case kindList:
		list := make([]any, len(n.items))
		for i, item := range n.items {
			list[i] = item.plain()
		}
		return list
	case kindText:
		return n.text
	case kindNumber:
		return json.Number(n.text)
	case kindBoolean:
		return n.text == "true"
	}
	return nil
}

// raw returns the canonical JSON of n.
func (n *node) raw() (json.RawMessage, error) {
	data, err := json.Marshal(n.plain())
	if err != nil {
		return nil, fmt.Errorf("write %s as JSON: %w", strings.ToLower(n.describe()), err)
	}
	return data, nil
}
