package yamltext

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v4"

	"dec.local/dec/internal/experiment"
)

// maxAliases bounds how often a document may repeat a part of itself.
const maxAliases = 64

// parseYAML reads a document of YAML. The library scans linearly and asks at each
// level whether to go on; what it keeps is bounded by what it is fed.
func parseYAML(data []byte) (*Node, error) {
	if !utf8.Valid(data) {
		return nil, errEncoding
	}
	in := &meter{rest: data}
	loader, err := yaml.NewLoader(in, yaml.WithPlugin(depthLimit{}))
	if err != nil {
		return nil, fmt.Errorf("read YAML: %w", err) // a fault in this file
	}
	var doc, second yaml.Node
	if err := loader.Load(&doc); errors.Is(err, io.EOF) {
		return &Node{Kind: Null}, nil
	} else if err != nil {
		return nil, in.fault(err)
	}
	if err := loader.Load(&second); err == nil {
		return nil, errors.New("there are several YAML documents; only one is allowed")
	} else if !errors.Is(err, io.EOF) {
		return nil, in.fault(err)
	}
	var r yamlReader
	root, err := r.value(doc.Content[0])
	if err != nil {
		return nil, err
	}
	return root, r.problems.Err()
}

// depthLimit is a [yaml.LoaderLimitsPlugin].
type depthLimit struct{}

var errDepth = errors.New("too deep")

// CheckDepth stops the scanner. Lists in objects may take no indentation, so not
// every level comes by here; [yamlReader] counts them all.
func (depthLimit) CheckDepth(depth int, _ *yaml.DepthContext) error {
	if depth > MaxDepth {
		return errDepth
	}
	return nil
}

// CheckAlias allows all: no alias is expanded by the library.
func (depthLimit) CheckAlias(int, int) error { return nil }

// meter feeds a document to the scanner until it has had too many marks: each
// token needs one, and takes a few hundred bytes.
type meter struct {
	rest  []byte
	lines int
	marks int
}

var errMarks = errors.New("too many marks")

// indicators are the characters that mean something to YAML; the breaks of lines
// do, too.
const indicators = "-?:,[]{}#&*!|>'\"%@`\r\n"

// Read implements [io.Reader].
func (m *meter) Read(p []byte) (int, error) {
	if len(m.rest) == 0 {
		return 0, io.EOF
	}
	n := copy(p, m.rest)
	for _, b := range m.rest[:n] {
		if strings.IndexByte(indicators, b) >= 0 {
			m.marks++
		}
		if m.marks > maxMarks {
			return 0, errMarks
		}
		if b == '\n' {
			m.lines++
		}
	}
	m.rest = m.rest[n:]
	return n, nil
}

// fault tells what is wrong with the text, and where.
func (m *meter) fault(err error) error {
	load, ok := errors.AsType[*yaml.LoadError](err)
	switch {
	case m.marks > maxMarks && (!ok || load.Stage == yaml.ReaderStage):
		return refusal(m.lines+1, "the document has more than %d punctuation marks and lines; the limit is reached on this line", maxMarks)
	case !ok:
		return errors.New("not YAML or JSON") // the library has no other errors
	case load.Message == errDepth.Error():
		return tooDeep(load.Mark.Line)
	case load.Stage == yaml.ComposerStage: // would repeat the name, which may be a secret that begins with *
		return fmt.Errorf("not YAML or JSON: line %d, column %d: an alias of an unknown anchor", load.Mark.Line, load.Mark.Column)
	case load.Mark.Line == 0:
		return errors.New("not YAML or JSON: " + load.Message)
	}
	message := load.Message
	if load.ContextMsg != "" {
		message = load.ContextMsg + ", " + message
	}
	return fmt.Errorf("not YAML or JSON: line %d, column %d: %s", load.Mark.Line, load.Mark.Column, message)
}

// yamlReader makes nodes of what the library has read.
type yamlReader struct {
	at       trail
	values   int
	aliases  int
	anchored bool // within an anchor
	repeated int  // bytes that aliases have repeated
	copying  bool // within what an alias repeats
	problems experiment.Problems
}

func (r *yamlReader) value(n *yaml.Node) (*Node, error) {
	if r.values++; r.values > maxValues {
		return nil, tooMany(n.Line)
	}
	if n.Anchor != "" && !r.anchored {
		r.anchored = true
		defer func() { r.anchored = false }()
	}
	switch n.Kind {
	case yaml.AliasNode:
		return r.alias(n)
	case yaml.ScalarNode:
		return r.scalar(n)
	}
	if len(r.at) == MaxDepth {
		return nil, tooDeep(n.Line)
	}
	r.at = append(r.at, step{})
	defer func() { r.at = r.at[:len(r.at)-1] }()
	switch {
	case n.Kind == yaml.MappingNode && n.ShortTag() == "!!map":
		return r.object(n)
	case n.Kind == yaml.SequenceNode && n.ShortTag() == "!!seq":
		return r.list(n)
	}
	return nil, unknownTag(n)
}

// alias repeats a value. An anchor that itself holds an alias would double with
// each level, and may hold itself.
func (r *yamlReader) alias(n *yaml.Node) (*Node, error) {
	if r.anchored {
		return nil, refusal(n.Line, "a YAML anchor contains an alias; write out the value instead")
	}
	if r.aliases++; r.aliases > maxAliases {
		return nil, refusal(n.Line, "more than %d YAML aliases; write out the values instead", maxAliases)
	}
	r.copying = true
	defer func() { r.copying = false }()
	return r.value(n.Alias)
}

func (r *yamlReader) list(n *yaml.Node) (*Node, error) {
	list := &Node{Kind: List}
	for i, item := range n.Content {
		r.at[len(r.at)-1] = step{item: i}
		value, err := r.value(item)
		if err != nil {
			return nil, err
		}
		list.Items = append(list.Items, value)
	}
	return list, nil
}

// mergeTag is that of the key <<, whose value stands for the members of another
// object.
const mergeTag = "!!merge"

func (r *yamlReader) object(n *yaml.Node) (*Node, error) {
	object := &Node{Kind: Object}
	given := map[string]bool{}
	var merged []*yaml.Node
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		if key.ShortTag() == mergeTag {
			merged = append(merged, value)
			continue
		}
		name, err := r.name(key)
		if err != nil {
			return nil, err
		}
		r.at[len(r.at)-1] = step{name, noItem}
		if given[name] {
			r.problems.Add(r.at.path(), "is given twice, the second time on line %d: keep one of them", key.Line)
		}
		given[name] = true
		node, err := r.value(value)
		if err != nil {
			return nil, err
		}
		object.Members = append(object.Members, Member{name, node})
	}
	for _, value := range merged {
		if err := r.merge(object, given, value); err != nil {
			return nil, err
		}
	}
	return object, nil
}

// name reads the name of a field.
func (r *yamlReader) name(key *yaml.Node) (string, error) {
	switch {
	case key.Kind != yaml.ScalarNode || key.ShortTag() == "!!null":
		return "", refusal(key.Line, "a field name must be text")
	case len(key.Value) > maxName:
		return "", longName(key.Line)
	}
	if r.copying {
		r.repeated += len(key.Value)
	}
	return key.Value, nil
}

// merge adds the members of an object, or of those in a list, that are not given.
func (r *yamlReader) merge(into *Node, given map[string]bool, value *yaml.Node) error {
	r.at[len(r.at)-1] = step{"<<", noItem}
	source, err := r.value(value)
	if err != nil {
		return err
	}
	sources := []*Node{source}
	if source.Kind == List {
		sources = source.Items
	}
	for _, source := range sources {
		if source.Kind != Object {
			return refusal(value.Line, "the value of << must be an alias of an object, or a list of such aliases")
		}
		for _, m := range source.Members {
			if !given[m.Name] {
				given[m.Name] = true
				into.Members = append(into.Members, m)
			}
		}
	}
	return nil
}

func (r *yamlReader) scalar(n *yaml.Node) (*Node, error) {
	if r.copying {
		if r.repeated += len(n.Value); r.repeated > MaxBytes {
			return nil, refusal(n.Line, "YAML aliases expand to more than %d MiB", MaxBytes>>20)
		}
	}
	switch n.ShortTag() {
	case "!!str", "!!timestamp", mergeTag:
		return &Node{Kind: Text, Text: n.Value}, nil
	case "!!null":
		return &Node{Kind: Null}, nil
	case "!!bool":
		if text := strings.ToLower(n.Value); text == "true" || text == "false" {
			return &Node{Kind: Boolean, Text: text}, nil
		}
	case "!!int", "!!float":
		if literal, ok := number(n.Value); ok {
			return &Node{Kind: Number, Text: literal}, nil
		}
		return nil, refusal(n.Line, "a number that JSON cannot represent")
	}
	return nil, unknownTag(n)
}

func unknownTag(n *yaml.Node) error {
	return refusal(n.Line, "a YAML tag that is unknown or does not fit its value; remove it")
}

// number writes a number of YAML as JSON. A literal that is JSON stays as it is.
func number(text string) (string, bool) {
	if strings.IndexAny(text, "-0123456789") == 0 && json.Valid([]byte(text)) {
		return text, true
	}
	if i, err := strconv.ParseInt(text, 0, 64); err == nil {
		return strconv.FormatInt(i, 10), true
	}
	if u, err := strconv.ParseUint(strings.TrimPrefix(text, "+"), 0, 64); err == nil {
		return strconv.FormatUint(u, 10), true
	}
	f, err := strconv.ParseFloat(strings.ReplaceAll(text, "_", ""), 64)
	if err != nil || math.IsInf(f, 0) || math.IsNaN(f) {
		return "", false
	}
	literal, err := json.Marshal(f)
	return string(bytes.TrimSpace(literal)), err == nil
}
