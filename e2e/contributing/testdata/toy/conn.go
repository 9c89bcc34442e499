package toy

import (
	"context"
	"encoding/gob"
	"errors"
	"fmt"
	"net"
)

// conn is a client's connection to the broker.
type conn struct {
	net.Conn
	in  *gob.Decoder
	out *gob.Encoder
}

func dial(ctx context.Context, address string) (*conn, error) {
	var d net.Dialer
	c, err := d.DialContext(ctx, "tcp", address)
	if err != nil {
		return nil, err
	}
	return &conn{Conn: c, in: gob.NewDecoder(c), out: gob.NewEncoder(c)}, nil
}

// call sends a request and waits for the response. When ctx ends before it comes,
// the connection is of no use any more.
func (c *conn) call(ctx context.Context, r request) (response, error) {
	stop := context.AfterFunc(ctx, func() { c.Close() })
	defer stop()
	if err := c.out.Encode(r); err != nil {
		return response{}, because(ctx, err)
	}
	answer, err := c.receive()
	if err != nil {
		return answer, because(ctx, err)
	}
	return answer, answer.err()
}

// receive reads the next response.
func (c *conn) receive() (response, error) {
	var answer response
	err := c.in.Decode(&answer)
	return answer, err
}

// err is the broker's refusal, if it is one.
func (r response) err() error {
	if r.Failure == "" {
		return nil
	}
	return errors.New(r.Failure)
}

// because is the reason for which ctx ended, if it has, and else that the broker
// does not answer.
func because(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return fmt.Errorf("the broker does not answer: %w", err)
}
