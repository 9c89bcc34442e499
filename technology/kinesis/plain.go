package kinesis

import (
	"context"
	"errors"
	"fmt"
	"net"

	"github.com/aws/smithy-go"
)

// plainError is the error of a call in a text that is the same each time, so that
// equal failures can be counted: the SDK's own has the request's id or the port.
type plainError struct {
	text string
	err  error
}

func (e *plainError) Error() string { return e.text }
func (e *plainError) Unwrap() error { return e.err }

// plain returns the error of a call in such a text.
func plain(err error) error {
	if api, ok := errors.AsType[smithy.APIError](err); ok {
		return &plainError{fmt.Sprintf("%s: %s", api.ErrorCode(), api.ErrorMessage()), err}
	}
	if network, ok := errors.AsType[*net.OpError](err); ok {
		return &plainError{fmt.Sprintf("%s: %v", network.Op, network.Err), err}
	}
	if errors.Is(err, context.DeadlineExceeded) {
		return &plainError{"no answer in time", err}
	}
	return err
}
