package experiment

import "errors"

// The kinds of errors that callers tell apart with errors.Is.
var (
	ErrNotFound = errors.New("not found")
	ErrFenced   = errors.New("the lease was lost to another server") // stop work, write nothing
)
