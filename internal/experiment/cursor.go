package experiment

import "errors"

// ErrCursor is the error of a list that is asked to go on from what is no cursor
// of it.
var ErrCursor = errors.New("not a cursor of this list; start without one")
