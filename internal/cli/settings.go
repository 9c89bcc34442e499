package cli

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Setting is an option of a stack or a setting of a client, as its JSON Schema
// describes it.
type Setting struct {
	Name    string
	Choices []string // the only values, in JSON; any of Kind if empty
	Kind    string   // type and limits: "integer, ≥ 1, ≤ 9"
	Default string   // in JSON; "null" if there is none, "" if a value is required
	Meaning string
}

// Settings reads the properties of a JSON Schema: those in its x-order, which is the
// order to show them in, then any others by name.
func Settings(schema json.RawMessage) ([]Setting, error) {
	var doc struct {
		Properties map[string]property `json:"properties"`
		Order      []string            `json:"x-order"`
	}
	if err := json.Unmarshal(schema, &doc); err != nil {
		return nil, fmt.Errorf("read the schema of settings: %w", err)
	}
	var settings []Setting
	for _, name := range slices.Concat(doc.Order, slices.Sorted(maps.Keys(doc.Properties))) {
		p, ok := doc.Properties[name]
		if !ok {
			continue
		}
		delete(doc.Properties, name)
		settings = append(settings, Setting{name, p.choices(), p.kind(), string(p.Default), p.Description})
	}
	return settings, nil
}

// property is what a schema says of a setting.
type property struct {
	Type             any               `json:"type"`
	Enum             []json.RawMessage `json:"enum"`
	Minimum          json.Number       `json:"minimum"`
	Maximum          json.Number       `json:"maximum"`
	ExclusiveMinimum json.Number       `json:"exclusiveMinimum"`
	ExclusiveMaximum json.Number       `json:"exclusiveMaximum"`
	Default          json.RawMessage   `json:"default"`
	Description      string            `json:"description"`
	Secret           bool              `json:"x-secret"`
}

func (p property) choices() []string {
	var choices []string
	for _, value := range p.Enum {
		if string(value) != "null" {
			choices = append(choices, string(value))
		}
	}
	return choices
}

func (p property) kind() string {
	words := []string{fmt.Sprint(p.Type)}
	if several, ok := p.Type.([]any); ok && len(several) > 0 { // the second is null
		words[0] = fmt.Sprint(several[0])
	}
	for _, limit := range []struct {
		sign  string
		value json.Number
	}{{"≥", p.Minimum}, {">", p.ExclusiveMinimum}, {"≤", p.Maximum}, {"<", p.ExclusiveMaximum}} {
		if limit.value != "" {
			words = append(words, limit.sign+" "+limit.value.String())
		}
	}
	if p.Secret {
		words = append(words, "secret")
	}
	return strings.Join(words, ", ")
}
