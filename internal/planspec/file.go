package planspec

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"dec.local/dec/internal/yamltext"
)

// ReadFile reads a plan file, YAML or JSON ("-" is standard input), with the given
// path=value overrides, as JSON that is not yet checked. A workload that is the
// name of another file is read in its place.
func ReadFile(path string, sets []string) ([]byte, error) {
	tree, err := readTree(path)
	if err != nil {
		return nil, err
	}
	if name := tree.Get("workload"); name != nil && name.Kind == yamltext.Text {
		workload, err := readTree(filepath.Join(filepath.Dir(path), name.Text))
		if err != nil {
			return nil, fmt.Errorf("workload: %w", err)
		}
		tree.Set("workload", workload)
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

func readTree(path string) (*yamltext.Node, error) {
	in := io.Reader(os.Stdin)
	if path != "-" {
		f, err := os.Open(path)
		if err != nil {
			return nil, err
		}
		defer f.Close()
		in = f
	}
	tree, err := mapping(yamltext.Read(in))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return tree, nil
}

// override applies one --set path=value. A path's parts are separated by dots;
// a variant is named by its label or position.
func override(tree *yamltext.Node, set string) error {
	path, text, ok := strings.Cut(set, "=")
	if !ok || path == "" {
		return fmt.Errorf("--set %s: must be path=value, such as variants.kafka.options.brokers=3", set)
	}
	parts := strings.Split(path, ".")
	if len(parts) > yamltext.MaxDepth {
		return fmt.Errorf("--set %.40s…: the path has %d levels; at most %d are allowed", path, len(parts), yamltext.MaxDepth)
	}
	value, err := yamltext.Parse([]byte(text))
	if err != nil {
		return fmt.Errorf("--set %s: %w", path, err)
	}
	node := tree
	for i, part := range parts {
		last := i == len(parts)-1
		switch node.Kind {
		case yamltext.Object:
			if last {
				node.Set(part, value)
				return nil
			}
			child := node.Get(part)
			if child == nil || child.Kind == yamltext.Null {
				child = &yamltext.Node{Kind: yamltext.Object}
				node.Set(part, child)
			}
			node = child
		case yamltext.List:
			child, err := element(node.Items, part)
			if err != nil {
				return fmt.Errorf("--set %s: %w", path, err)
			}
			if last {
				return fmt.Errorf("--set %s: add a field after %s", path, part)
			}
			node = child
		default:
			return fmt.Errorf("--set %s: %s is a single value and has no field %s", path, strings.Join(parts[:i], "."), part)
		}
	}
	return nil
}

// element finds the list element with this label, or at this position.
func element(list []*yamltext.Node, name string) (*yamltext.Node, error) {
	var labels []string
	for i, item := range list {
		if item.Kind != yamltext.Object {
			continue
		}
		label := ""
		if text := item.Get("label"); text != nil && text.Kind == yamltext.Text {
			label = text.Text
		}
		if label == name || fmt.Sprint(i) == name {
			return item, nil
		}
		labels = append(labels, label)
	}
	return nil, fmt.Errorf("there is no %q; known labels: %s", name, strings.Join(labels, ", "))
}
