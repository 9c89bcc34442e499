package experiment

import "errors"

// The kinds of errors that callers tell apart with errors.Is.
var (
	ErrNotFound    = errors.New("not found")
	ErrFenced      = errors.New("the lease was lost to another server") // stop work, write nothing
	ErrBusy        = errors.New("parts of it may still exist")
	ErrNotEnded    = errors.New("has not ended")
	ErrUnavailable = errors.New("cannot be read now") // it is stored in a bucket that does not respond
	ErrKeyReused   = errors.New("the idempotency key was already used for another request")
)
