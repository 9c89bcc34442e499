package api

import "dec.local/dec/internal/experiment"

// Vocabulary names what results and comparisons speak of, for people: each title
// is the name of a row or a legend.
type Vocabulary struct {
	Metrics    []Metric    `json:"metrics" doc:"Metrics by which variants can be compared."`
	Guarantees []Guarantee `json:"guarantees" doc:"Guarantees of brokers, in display order."`
	Incidents  []Incident  `json:"incidents" doc:"Events from which clients recover by themselves, in display order."`
}

// Metric is a number that variants can be compared by.
type Metric struct {
	Name   experiment.Metric `json:"name"`
	Title  string            `json:"title"`
	Unit   experiment.Unit   `json:"unit" enum:"ns,per_s,s_per_million" doc:"Nanoseconds, messages per second, CPU seconds per million messages."`
	Better string            `json:"better" enum:"lower,higher" doc:"Whether lower or higher values are better."`
}

// Guarantee is a promise that variants give to a different degree.
type Guarantee struct {
	Name  experiment.Guarantee `json:"name" doc:"Name of its field in the guarantees of a result."`
	Title string               `json:"title"`
	Scale []string             `json:"scale,omitempty" doc:"Values, weakest first; absent if the guarantee is a number."`
}

// Incident is an event that clients recover from by themselves.
type Incident struct {
	Name    experiment.Incident `json:"name" doc:"Name under which results and timelines count it."`
	Title   string              `json:"title"`
	Unit    string              `json:"unit" enum:"messages,connections" doc:"What it is a number of."`
	Limited bool                `json:"limited" doc:"The system under test let something wait because of a limit of its own."`
}

// NewVocabulary returns that of package experiment.
func NewVocabulary() Vocabulary {
	var v Vocabulary
	for _, m := range experiment.Metrics() {
		better := "lower"
		if m.MoreIsBetter() {
			better = "higher"
		}
		v.Metrics = append(v.Metrics, Metric{m, m.Heading(), m.Unit(), better})
	}
	for _, g := range experiment.Guarantees() {
		v.Guarantees = append(v.Guarantees, Guarantee{g, g.Title(), g.Scale()})
	}
	for _, i := range experiment.Incidents() {
		unit := "messages"
		if !i.Messages() {
			unit = "connections"
		}
		v.Incidents = append(v.Incidents, Incident{i, i.Title(), unit, i.Limited()})
	}
	return v
}
