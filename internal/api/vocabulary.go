package api

import (
	"strings"

	"dec.local/dec/internal/experiment"
)

// Vocabulary names what results and comparisons speak of, for people: each title
// is the name of a row or a legend.
type Vocabulary struct {
	Metrics    []Metric    `json:"metrics" doc:"What variants can be compared by."`
	Guarantees []Guarantee `json:"guarantees" doc:"What brokers promise, in the order of tables."`
	Incidents  []Incident  `json:"incidents" doc:"Events that clients recover from by themselves, in the order of tables."`
}

// Metric is a number that variants can be compared by.
type Metric struct {
	Name   experiment.Metric `json:"name"`
	Title  string            `json:"title"`
	Unit   experiment.Unit   `json:"unit" enum:"ns,per_s,s_per_million" doc:"Nanoseconds, messages per second, CPU seconds per million messages."`
	Better string            `json:"better" enum:"lower,higher" doc:"Which value is the better one."`
}

// Guarantee is a promise that variants give to a different degree.
type Guarantee struct {
	Name  experiment.Guarantee `json:"name" doc:"Of its field in the guarantees of a result."`
	Title string               `json:"title"`
	Scale []string             `json:"scale,omitempty" doc:"Its values, the weakest first; absent where it is a number."`
}

// Incident is an event that clients recover from by themselves.
type Incident struct {
	Name  experiment.Incident `json:"name" doc:"By which results and seconds count it."`
	Title string              `json:"title"`
}

// NewVocabulary returns that of package experiment.
func NewVocabulary() Vocabulary {
	var v Vocabulary
	for _, m := range experiment.Metrics() {
		better := "lower"
		if m.MoreIsBetter() {
			better = "higher"
		}
		title := m.Title()
		v.Metrics = append(v.Metrics, Metric{m, strings.ToUpper(title[:1]) + title[1:], m.Unit(), better})
	}
	for _, g := range experiment.Guarantees() {
		v.Guarantees = append(v.Guarantees, Guarantee{g, g.Title(), g.Scale()})
	}
	for _, i := range experiment.Incidents() {
		v.Incidents = append(v.Incidents, Incident{i, i.Title()})
	}
	return v
}
