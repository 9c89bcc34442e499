package phases

import (
	"context"
	"errors"
	"strings"
	"time"

	"dec.local/dec/target"
)

// measuringLock is a place's measuring lock, which says that it waits: two data
// folders never measure there at once.
type measuringLock struct {
	place  target.Exclusive
	notice func(text string)
}

// noticeAfter is how long the wait for the lock may be without a word.
const noticeAfter = 300 * time.Millisecond

// LockMeasuring implements [orchestrator.Measuring].
func (l *measuringLock) LockMeasuring(ctx context.Context) (func(), error) {
	soon, cancel := context.WithTimeout(ctx, noticeAfter)
	defer cancel()
	release, err := l.place.LockMeasuring(soon)
	if err == nil || ctx.Err() != nil || !errors.Is(err, target.ErrMeasuring) {
		return release, err
	}
	l.notice("waiting: " + strings.TrimSuffix(err.Error(), ": "+context.DeadlineExceeded.Error()))
	return l.place.LockMeasuring(ctx)
}
