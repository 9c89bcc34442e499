// Package planfile reads plans as people write them: YAML or JSON, with
// overrides, and a workload that may be a file of its own.
package planfile

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
)

const (
	// maxPlanBytes bounds a plan file. A plan with a hundred variants is a few
	// kilobytes.
	maxPlanBytes = 1 << 20
	// maxAliases bounds how often a plan may repeat a part of itself.
	maxAliases = 64
)

// Read reads a plan file, YAML or JSON ("-" is standard input), with the given
// path=value overrides, as JSON. A workload that is the name of another file is
// read in its place.
func Read(path string, sets []string) ([]byte, error) {
	tree, err := readTree(path)
	if err != nil {
		return nil, err
	}
	if name, ok := tree["workload"].(string); ok {
		workload, err := readTree(filepath.Join(filepath.Dir(path), name))
		if err != nil {
			return nil, fmt.Errorf("workload: %w", err)
		}
		tree["workload"] = workload
	}
	for _, set := range sets {
		if err := override(tree, set); err != nil {
			return nil, err
		}
	}
	out, err := json.Marshal(tree)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return out, nil
}

// JSON turns one YAML or JSON document that is a mapping into JSON. It opens no
// file.
func JSON(data []byte) ([]byte, error) {
	tree, err := parseTree(data)
	if err != nil {
		return nil, err
	}
	return json.Marshal(tree)
}

func readTree(path string) (map[string]any, error) {
	data, err := readLimited(path)
	if err != nil {
		return nil, err
	}
	tree, err := parseTree(data)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return tree, nil
}

func readLimited(path string) ([]byte, error) {
	in := io.Reader(os.Stdin)
	if path != "-" {
		f, err := os.Open(path)
		if err != nil {
			return nil, err
		}
		defer f.Close()
		in = f
	}
	data, err := io.ReadAll(io.LimitReader(in, maxPlanBytes+1))
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", path, err)
	}
	if len(data) > maxPlanBytes {
		return nil, fmt.Errorf("%s is larger than %d MiB, the most that a plan may be", path, maxPlanBytes>>20)
	}
	return data, nil
}

// parseTree decodes one YAML or JSON document that is a mapping.
func parseTree(data []byte) (map[string]any, error) {
	if err := checkAliases(data); err != nil {
		return nil, err
	}
	dec := yaml.NewDecoder(bytes.NewReader(data))
	var doc any
	if err := dec.Decode(&doc); errors.Is(err, io.EOF) {
		return nil, errors.New("the plan is empty; see examples/ for one")
	} else if err != nil {
		return nil, fmt.Errorf("not YAML or JSON: %s", fault(err))
	}
	var second any
	if err := dec.Decode(&second); !errors.Is(err, io.EOF) {
		return nil, errors.New("there are several YAML documents; write one plan at a time")
	}
	tree, ok := doc.(map[string]any)
	if !ok {
		return nil, fmt.Errorf("a plan is a mapping with name, workload and variants, not %s", kindOf(doc))
	}
	return tree, nil
}

// checkAliases refuses documents that decoding would blow up: an anchor that
// itself holds an alias doubles with each level.
func checkAliases(data []byte) error {
	file, err := parser.ParseBytes(data, 0)
	if err != nil {
		return fmt.Errorf("not YAML or JSON: %s", fault(err))
	}
	for _, doc := range file.Docs {
		if doc.Body == nil {
			continue // an empty document, which decoding tells
		}
		for _, anchor := range ast.Filter(ast.AnchorType, doc) {
			if len(ast.Filter(ast.AliasType, anchor)) > 0 {
				return errors.New("a YAML anchor holds an alias; write the value out instead")
			}
		}
		if len(ast.Filter(ast.AliasType, doc)) > maxAliases {
			return fmt.Errorf("more than %d YAML aliases; write the values out instead", maxAliases)
		}
	}
	return nil
}

// quoted is a part of a document within a message: a value, unless it is the
// key of a mapping.
var quoted = regexp.MustCompile(`mapping key "[^"]*"|"(?:[^"\\]|\\.)*"|alias name \S+`)

// fault says what is not YAML, and where. It repeats no value of the document,
// which may be a secret.
func fault(err error) string {
	return quoted.ReplaceAllStringFunc(strings.TrimSpace(yaml.FormatError(err, false, false)), func(part string) string {
		if strings.HasPrefix(part, "mapping key") {
			return part
		}
		return `"…"`
	})
}

func kindOf(v any) string {
	switch v.(type) {
	case nil:
		return "nothing"
	case []any:
		return "a list"
	case string:
		return "a text"
	default:
		return "a single value"
	}
}

// override applies one --set path=value. A path's parts are separated by dots;
// a variant is named by its label or position.
func override(tree map[string]any, set string) error {
	path, text, ok := strings.Cut(set, "=")
	if !ok || path == "" {
		return fmt.Errorf("--set %s: write path=value, such as variants.kafka.options.brokers=3", set)
	}
	var value any
	if err := yaml.Unmarshal([]byte(text), &value); err != nil {
		return fmt.Errorf("--set %s: the value is not YAML: %s", path, fault(err))
	}
	parts := strings.Split(path, ".")
	node := any(tree)
	for i, part := range parts {
		last := i == len(parts)-1
		switch n := node.(type) {
		case map[string]any:
			if last {
				n[part] = value
				return nil
			}
			if n[part] == nil {
				n[part] = map[string]any{}
			}
			node = n[part]
		case []any:
			child, err := element(n, part)
			if err != nil {
				return fmt.Errorf("--set %s: %w", path, err)
			}
			if last {
				return fmt.Errorf("--set %s: name a field below %s", path, part)
			}
			node = child
		default:
			return fmt.Errorf("--set %s: %s is a single value and has no %s", path, strings.Join(parts[:i], "."), part)
		}
	}
	return nil
}

// element finds the list element with this label, or at this position.
func element(list []any, name string) (any, error) {
	var labels []string
	for i, item := range list {
		entry, ok := item.(map[string]any)
		if !ok {
			continue
		}
		label, _ := entry["label"].(string)
		if label == name || fmt.Sprint(i) == name {
			return item, nil
		}
		labels = append(labels, label)
	}
	return nil, fmt.Errorf("no element %q; there are %s", name, strings.Join(labels, ", "))
}
