package technology

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// retryPause is the time between two looks at a broker that is not ready.
const retryPause = 50 * time.Millisecond

// Retry calls try until it succeeds, fails with a [Final] error, or ctx ends.
// Each try gets two seconds, so that one silent broker can't use up the caller's
// time. The last reason is part of the error.
func Retry(ctx context.Context, try func(context.Context) error) error {
	for {
		limited, cancel := context.WithTimeout(ctx, 2*time.Second)
		err := try(limited)
		cancel()
		if err == nil {
			return nil
		}
		if final, ok := errors.AsType[*finalError](err); ok {
			return final.error
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%w: %w", context.Cause(ctx), err)
		case <-time.After(retryPause):
		}
	}
}

// finalError is one after which a retry cannot succeed.
type finalError struct{ error }

// Final marks an error after which a retry cannot succeed: [Retry] returns it.
func Final(err error) error { return &finalError{err} }
