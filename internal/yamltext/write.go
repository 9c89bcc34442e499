package yamltext

import (
	"fmt"
	"math"

	"go.yaml.in/yaml/v4"
)

// YAML writes JSON as people write YAML, the members in their order.
func YAML(data []byte) (string, error) {
	n, err := parseJSON(data, math.MaxInt)
	if err != nil {
		return "", err
	}
	text, err := yaml.Dump(n.yaml(), yaml.WithV4Defaults(), yaml.WithLineWidth(-1), yaml.WithQuotePreference(yaml.QuoteDouble))
	if err != nil {
		return "", fmt.Errorf("write YAML: %w", err)
	}
	return string(text), nil
}

// tags are those of the kinds, by which the library knows what to quote.
var tags = map[Kind]string{Text: "!!str", Number: "!!float", Boolean: "!!bool", Null: "!!null"}

func (n *Node) yaml() *yaml.Node {
	switch n.Kind {
	case Object:
		object := &yaml.Node{Kind: yaml.MappingNode}
		for _, m := range n.Members {
			object.Content = append(object.Content, (&Node{Kind: Text, Text: m.Name}).yaml(), m.Value.yaml())
		}
		return object
	case List:
		list := &yaml.Node{Kind: yaml.SequenceNode}
		for _, item := range n.Items {
			list.Content = append(list.Content, item.yaml())
		}
		return list
	case Null:
		return &yaml.Node{Kind: yaml.ScalarNode, Tag: tags[Null], Value: "null"}
	}
	return &yaml.Node{Kind: yaml.ScalarNode, Tag: tags[n.Kind], Value: n.Text}
}
