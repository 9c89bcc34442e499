package server

import (
	"dec.local/dec/internal/comparison"
	"dec.local/dec/technology/all"
)

// comparing is how runs are compared here: with the names of the technologies
// for people, and what is known of the targets.
func comparing() comparison.Options {
	o := comparison.Options{Titles: map[string]string{}, OneMachine: func(target string) bool { return target == LocalTarget }}
	for _, tech := range all.Technologies() {
		o.Titles[tech.Name] = tech.Title
	}
	return o
}
