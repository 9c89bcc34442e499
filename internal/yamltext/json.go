package yamltext

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"unicode/utf8"

	"dec.local/dec/internal/experiment"
)

// jsonReader builds nodes from tokens.
type jsonReader struct {
	data     []byte
	tokens   *json.Decoder
	most     int // values
	values   int
	at       trail
	problems experiment.Problems
}

// ParseJSON is [Parse] for JSON alone. It stops at a bound before it looks at
// what follows.
func ParseJSON(data []byte) (*Node, error) {
	if !utf8.Valid(data) {
		return nil, errEncoding
	}
	return parseJSON(data, maxValues)
}

func parseJSON(data []byte, most int) (*Node, error) {
	r := &jsonReader{data: data, tokens: json.NewDecoder(bytes.NewReader(data)), most: most}
	r.tokens.UseNumber()
	root, err := r.value()
	if refused, ok := errors.AsType[*experiment.Problems](err); ok {
		return nil, refused
	}
	if err := json.Unmarshal(data, new(json.RawMessage)); err != nil { // tokens alone are not all of the grammar
		return nil, fmt.Errorf("not JSON: %s", syntaxFault(data, err))
	}
	if err != nil {
		return nil, fmt.Errorf("not JSON: %w", err)
	}
	return root, r.problems.Err()
}

// syntaxFault adds the line and column to an error of encoding/json.
func syntaxFault(data []byte, err error) string {
	syntax, ok := errors.AsType[*json.SyntaxError](err)
	if !ok {
		return err.Error()
	}
	before := data[:min(int(syntax.Offset), len(data))]
	column := len(before) - bytes.LastIndexByte(before, '\n') - 1
	return fmt.Sprintf("line %d, column %d: %s", lineAt(data, syntax.Offset), max(column, 1), syntax.Error())
}

func (r *jsonReader) line() int { return lineAt(r.data, r.tokens.InputOffset()) }

func (r *jsonReader) value() (*Node, error) {
	token, err := r.tokens.Token()
	if err != nil {
		return nil, err
	}
	if r.values++; r.values > r.most {
		return nil, tooMany(r.line())
	}
	switch token := token.(type) {
	case json.Delim:
		if len(r.at) == MaxDepth {
			return nil, tooDeep(r.line())
		}
		r.at = append(r.at, step{})
		defer func() { r.at = r.at[:len(r.at)-1] }()
		if token == '{' {
			return r.object()
		}
		return r.list()
	case string:
		return &Node{Kind: Text, Text: token}, nil
	case json.Number:
		return &Node{Kind: Number, Text: token.String()}, nil
	case bool:
		return &Node{Kind: Boolean, Text: strconv.FormatBool(token)}, nil
	}
	return &Node{Kind: Null}, nil
}

func (r *jsonReader) object() (*Node, error) {
	n := &Node{Kind: Object}
	seen := map[string]bool{}
	for r.tokens.More() {
		token, err := r.tokens.Token()
		if err != nil {
			return nil, err
		}
		name, ok := token.(string)
		if !ok {
			return nil, errors.New("a field name is missing")
		}
		if len(name) > maxName {
			return nil, longName(r.line())
		}
		r.at[len(r.at)-1] = step{name, noItem}
		if seen[name] {
			r.problems.Add(r.at.path(), "is given twice: keep one of them")
		}
		seen[name] = true
		value, err := r.value()
		if err != nil {
			return nil, err
		}
		n.Members = append(n.Members, Member{name, value})
	}
	_, err := r.tokens.Token() // the closing brace
	return n, err
}

func (r *jsonReader) list() (*Node, error) {
	n := &Node{Kind: List}
	for r.tokens.More() {
		r.at[len(r.at)-1] = step{item: len(n.Items)}
		value, err := r.value()
		if err != nil {
			return nil, err
		}
		n.Items = append(n.Items, value)
	}
	_, err := r.tokens.Token() // the closing bracket
	return n, err
}

// trail is the way from the root to a value. It is made a path only for a
// message: a path for each value would be quadratic in the text.
type trail []step

// step is one field, or one item of a list.
type step struct {
	name string // of a field
	item int    // of a list; noItem for a field
}

const noItem = -1

func (t trail) path() string {
	var path bytes.Buffer
	for _, s := range t {
		switch {
		case s.item != noItem:
			fmt.Fprintf(&path, "[%d]", s.item)
		case path.Len() > 0:
			path.WriteByte('.')
			fallthrough
		default:
			path.WriteString(s.name)
		}
	}
	return path.String()
}
