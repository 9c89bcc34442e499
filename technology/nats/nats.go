// Package nats drives NATS JetStream through nats.go.
//
// One producer or consumer is one connection, as in an application. README.md
// tells how the fields of a workload map to JetStream, which knows neither
// partitions nor keys: both are parts of the subject.
package nats

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"dec.local/dec/technology"
)

// Technology is NATS JetStream.
var Technology = technology.Technology{
	Name:         "nats",
	Title:        "NATS JetStream",
	ConfigSchema: technology.ConfigSchema(fields),
	CheckConfig:  checkConfig,
	Open:         open,
	Cost:         technology.Cost{Send: 9 * time.Microsecond, Receive: 5 * time.Microsecond},
}

// endpoints is what the stacks output for this driver.
type endpoints struct {
	Servers  []string `json:"servers"`  // URL of every server
	Monitors []string `json:"monitors"` // URL of every server's monitoring port
	Storage  string   `json:"storage"`  // "file" or "memory"
}

// driver is a connection to a server or cluster.
type driver struct {
	endpoints endpoints
	settings  technology.Settings
	config    config
	password  string // "" when the servers ask for none
	log       *slog.Logger
	conn      *nats.Conn
	js        jetstream.JetStream
	close     sync.Once
}

// open returns once JetStream answers, which in a cluster means that it has a
// leader.
func open(ctx context.Context, raw json.RawMessage, s technology.Settings) (technology.Driver, error) {
	d := &driver{settings: s, log: s.Logger}
	if d.log == nil {
		d.log = slog.Default()
	}
	if err := json.Unmarshal(raw, &d.endpoints); err != nil || len(d.endpoints.Servers) == 0 || len(d.endpoints.Monitors) == 0 {
		return nil, fmt.Errorf(`read the endpoints %s: want {"servers": ["nats://host:port"], "monitors": ["http://host:port"], "storage": "file"}`,
			raw)
	}
	if strings.ContainsAny(s.Destination, ".*> /\\\t\r\n") || s.Destination == "" {
		return nil, fmt.Errorf("destination %q: a stream name must not contain dots, spaces, slashes or wildcards", s.Destination)
	}
	var err error
	if d.config, err = decode(s.ClientConfig, s.Workload); err != nil {
		return nil, err
	}
	if d.password, err = readPassword(s.Secrets); err != nil {
		return nil, err
	}
	err = technology.Retry(ctx, func(ctx context.Context) error {
		if d.conn == nil {
			if d.conn, err = d.connect(0); errors.Is(err, nats.ErrAuthorization) {
				return technology.Final(fmt.Errorf("the servers refuse the stack's option password: %w", err))
			} else if err != nil {
				return err
			}
			if d.js, err = jetstream.New(d.conn); err != nil {
				return err
			}
		}
		_, err := d.js.AccountInfo(ctx)
		return err
	})
	if err != nil {
		if d.conn != nil {
			d.conn.Close()
		}
		return nil, fmt.Errorf("connect to NATS at %s: %w", strings.Join(d.endpoints.Servers, ", "), err)
	}
	return d, nil
}

// connect opens a connection to server i mod n, so that every run spreads its
// clients in the same way, with the others to go on with if that one is lost.
func (d *driver) connect(i int, options ...nats.Option) (*nats.Conn, error) {
	servers := make([]string, len(d.endpoints.Servers))
	for j := range servers {
		servers[j] = d.endpoints.Servers[(i+j)%len(servers)]
	}
	if d.password != "" {
		options = append(options, nats.UserInfo(user, d.password))
	}
	conn, err := nats.Connect(strings.Join(servers, ","), append([]nats.Option{
		nats.Name("dec"),
		nats.DontRandomize(),
		nats.Timeout(2 * time.Second),
		nats.MaxReconnects(-1),
		nats.ReconnectWait(250 * time.Millisecond),
		nats.ReconnectJitter(0, 0),
		// A message that can't be sent now fails now: it would count as sent
		// while it waits in a buffer of the client.
		nats.ReconnectBufSize(-1),
		nats.ErrorHandler(func(_ *nats.Conn, _ *nats.Subscription, err error) {
			d.log.Warn("NATS connection", "error", err)
		}),
	}, options...)...)
	if err != nil {
		return nil, fmt.Errorf("connect: %w", err)
	}
	return conn, nil
}

// Close implements [technology.Driver].
func (d *driver) Close() error {
	d.close.Do(func() { closeAndWait(d.conn) })
	return nil
}

// closeAndWait closes a connection and returns when its goroutines are through
// with the callbacks.
func closeAndWait(conn *nats.Conn) {
	if conn.IsClosed() {
		return
	}
	closed := make(chan struct{})
	conn.SetClosedHandler(func(*nats.Conn) { close(closed) })
	conn.Close()
	<-closed
}
