package api

import "net/http"

// ProblemType is the media type of a [Problem].
const ProblemType = "application/problem+json"

// Problem is every answer that is not the one asked for (RFC 9457).
type Problem struct {
	Type   string       `json:"type,omitempty" format:"uri-reference" doc:"Kind of problem; about:blank if absent."`
	Title  string       `json:"title" doc:"Text of the HTTP status."`
	Status int          `json:"status" doc:"HTTP status of this response."`
	Detail string       `json:"detail" doc:"What is wrong and how to fix it."`
	Errors []FieldError `json:"errors,omitempty" doc:"Errors of individual fields."`
}

// FieldError says what is wrong with one field of a request.
type FieldError struct {
	Location string `json:"location" doc:"Field, such as 'body.variants[0].options.brokers' or 'query.limit'."`
	Message  string `json:"message" doc:"What is wrong and how to fix it."`
	Value    any    `json:"value,omitempty" doc:"The value received; never from a body, which may contain secrets."`
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
