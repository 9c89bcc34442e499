package experiment

import (
	"fmt"
	"strings"
)

// Problem says what is wrong with one field of a document and what to write
// instead.
type Problem struct {
	Path    string `json:"path"` // such as "workload.topology.partitions" or "variants[1].label"; empty for the whole document
	Message string `json:"message"`
}

// String formats p as "path: message".
func (p Problem) String() string {
	if p.Path == "" {
		return p.Message
	}
	return p.Path + ": " + p.Message
}

// Problems is the error of a document with one or more faults.
type Problems []Problem

// maxProblems bounds what one document is told: nobody reads more, and a document
// can be nothing but faults.
const maxProblems = 100

// Error tells all problems, one a line.
func (p *Problems) Error() string {
	lines := make([]string, len(*p))
	for i, problem := range *p {
		lines[i] = problem.String()
	}
	return strings.Join(lines, "\n")
}

// Add appends a problem with a formatted message. From the hundredth on it only
// tells that there are more.
func (p *Problems) Add(path, format string, args ...any) {
	switch {
	case len(*p) < maxProblems:
		*p = append(*p, Problem{Path: path, Message: fmt.Sprintf(format, args...)})
	case len(*p) == maxProblems:
		*p = append(*p, Problem{Message: "there are more problems"})
	}
}

// Full reports whether p keeps no further problem, so that there is no need to look
// for one.
func (p *Problems) Full() bool { return len(*p) > maxProblems }

// AddUnder appends the problems of a part of the document whose paths are
// relative to prefix.
func (p *Problems) AddUnder(prefix string, part *Problems) {
	if part == nil {
		return
	}
	for _, problem := range *part {
		p.Add(join(prefix, problem.Path), "%s", problem.Message)
	}
}

// Err returns p as an error, or nil when there is no problem.
func (p *Problems) Err() error {
	if p == nil || len(*p) == 0 {
		return nil
	}
	return p
}

// Refusal is the error of a plan that is right, and that its target can't take now.
type Refusal struct {
	Reasons []string // each with what to do about it
}

// Error tells the reasons.
func (r *Refusal) Error() string { return strings.Join(r.Reasons, "; ") }

// join appends a field to a path.
func join(path, field string) string {
	switch {
	case path == "":
		return field
	case field == "" || strings.HasPrefix(field, "["):
		return path + field
	}
	return path + "." + field
}
