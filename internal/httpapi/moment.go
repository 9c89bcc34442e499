package httpapi

import (
	"context"
	"time"
)

// clock tells how current an answer is.
type clock interface {
	// Now is the time of the database.
	Now(ctx context.Context) (time.Time, error)
	// LastEvent is the id of the newest stored event.
	LastEvent(ctx context.Context) (int64, error)
}

// moment is the time of the database and the last event, to be read before what
// they describe.
func moment(ctx context.Context, c clock) (asOf time.Time, lastEvent int64, err error) {
	lastEvent, err = c.LastEvent(ctx)
	if err != nil {
		return time.Time{}, 0, err
	}
	now, err := c.Now(ctx)
	return now.UTC(), lastEvent, err
}

// orEmpty keeps null out of JSON.
func orEmpty[T any](list []T) []T {
	if list == nil {
		return []T{}
	}
	return list
}
