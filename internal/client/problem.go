package client

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"dec.local/dec/internal/api"
	"dec.local/dec/internal/experiment"
)

// Problem is an answer that is no success. It matches [experiment.ErrNotFound]
// when there is no such object.
type Problem struct {
	api.Problem
	RetryAfter time.Duration // what the server asks for; zero if it did not
	Body       []byte        // the whole answer
}

// maxProblem bounds what is read of an answer that is no success.
const maxProblem = 1 << 20

func readProblem(answer *http.Response) error {
	problem := &Problem{}
	body, err := io.ReadAll(io.LimitReader(answer.Body, maxProblem))
	if err != nil || json.Unmarshal(body, &problem.Problem) != nil {
		problem.Problem = api.Problem{Detail: strings.TrimSpace(string(body[:min(len(body), 200)]))} // a proxy's page, say
	}
	problem.Status, problem.Body = answer.StatusCode, body
	if seconds, err := strconv.Atoi(answer.Header.Get("Retry-After")); err == nil && seconds > 0 {
		problem.RetryAfter = time.Duration(seconds) * time.Second
	}
	return problem
}

// Error is the problem in words, one line for each field.
func (p *Problem) Error() string {
	text := p.Detail
	if text == "" {
		text = p.Title
	}
	if text == "" {
		text = fmt.Sprintf("the server responded with status %d %s", p.Status, http.StatusText(p.Status))
	}
	if p.Status == http.StatusUnauthorized {
		text = strings.TrimSuffix(text, ".") + "; pass the server's token in DEC_TOKEN or with --token-file"
	}
	for _, field := range p.Errors {
		text += "\n  "
		if path := pathOf(field); path != "" {
			text += path + ": "
		}
		text += field.Message
	}
	return text
}

// pathOf is the place within what was sent.
func pathOf(f api.FieldError) string {
	if path, inBody := strings.CutPrefix(f.Location, "body."); inBody {
		return path
	}
	return strings.TrimPrefix(strings.TrimPrefix(f.Location, "body"), "query.")
}

// Is reports whether the problem is of a kind that callers tell apart.
func (p *Problem) Is(target error) bool {
	return target == experiment.ErrNotFound && p.Status == http.StatusNotFound
}

// Faults are the refused fields of a plan that was sent, nil when the problem is
// another one.
func (p *Problem) Faults() *experiment.Problems {
	if p.Status != http.StatusUnprocessableEntity && p.Status != http.StatusBadRequest || len(p.Errors) == 0 {
		return nil
	}
	var faults experiment.Problems
	for _, field := range p.Errors {
		faults.Add(pathOf(field), "%s", field.Message)
	}
	return &faults
}
