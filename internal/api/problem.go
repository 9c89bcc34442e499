package api

import "net/http"

// ProblemType is the media type of a [Problem].
const ProblemType = "application/problem+json"

// Problem is every answer that is not the one asked for (RFC 9457).
type Problem struct {
	Type   string       `json:"type,omitempty" format:"uri-reference" doc:"Kind of problem; about:blank if absent."`
	Title  string       `json:"title" doc:"The status in words."`
	Status int          `json:"status" doc:"HTTP status of this answer."`
	Detail string       `json:"detail" doc:"What is wrong and what to do, for people."`
	Errors []FieldError `json:"errors,omitempty" doc:"What is wrong with single fields."`
}

// FieldError says what is wrong with one field of a request.
type FieldError struct {
	Location string `json:"location" doc:"Such as 'body.variants[0].options.brokers' or 'query.limit'."`
	Message  string `json:"message" doc:"What is wrong and what to write instead."`
	Value    any    `json:"value,omitempty" doc:"What was given; never that of a body, which may hold secrets."`
}

// NewProblem returns a problem with the title of its status.
func NewProblem(status int, detail string, errors ...FieldError) *Problem {
	return &Problem{Title: http.StatusText(status), Status: status, Detail: detail, Errors: errors}
}

// Error is the detail.
func (p *Problem) Error() string { return p.Detail }

// GetStatus is the HTTP status.
func (p *Problem) GetStatus() int { return p.Status }

// ContentType is [ProblemType], whatever was negotiated.
func (p *Problem) ContentType(string) string { return ProblemType }
