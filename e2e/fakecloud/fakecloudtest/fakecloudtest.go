// Package fakecloudtest runs a fake cloud inside of a test. The test's program
// must begin with supervise.Main, for the services of instances.
package fakecloudtest

import (
	"cmp"
	"context"
	"testing"
	"time"

	"dec.local/dec/e2e/fakecloud/cloud"
	"dec.local/dec/e2e/fakecloud/simulator"
)

// Cloud is a cloud that ends with the test, and a client with the key of its
// account.
type Cloud struct {
	*cloud.Client
	Folder string

	t     *testing.T
	admin *cloud.Client
}

// Run runs a cloud until the test ends, in a folder of its own if the options
// name none.
func Run(t *testing.T, o simulator.Options) *Cloud {
	t.Helper()
	o.Folder = cmp.Or(o.Folder, t.TempDir())
	ctx, end := context.WithCancel(context.WithoutCancel(t.Context()))
	ready, ended := make(chan struct{}), make(chan error, 1)
	go func() { ended <- simulator.Run(ctx, o, func() { close(ready) }) }()
	select {
	case <-ready:
	case err := <-ended:
		end()
		t.Fatalf("run a fake cloud: %v", err)
	}
	t.Cleanup(func() {
		end()
		if err := <-ended; err != nil {
			t.Errorf("run a fake cloud: %v", err)
		}
	})
	endpoint, err := cloud.ReadEndpoint(o.Folder)
	if err != nil {
		t.Fatal(err)
	}
	return &Cloud{Client: endpoint.Client(), Folder: o.Folder, t: t, admin: endpoint.AdminClient()}
}

// SetFaults replaces the faults by these.
func (c *Cloud) SetFaults(faults ...cloud.Fault) {
	c.t.Helper()
	if err := c.admin.SetFaults(c.t.Context(), cloud.Faults{List: faults}); err != nil {
		c.t.Fatalf("set faults: %v", err)
	}
}

// Log returns the cloud's log so far.
func (c *Cloud) Log() []cloud.Entry {
	c.t.Helper()
	entries, err := cloud.ReadLog(c.Folder)
	if err != nil {
		c.t.Fatal(err)
	}
	return entries
}

// Await waits until the log has an entry that matches, and returns the first one.
func (c *Cloud) Await(matches func(cloud.Entry) bool) cloud.Entry {
	c.t.Helper()
	ctx, cancel := context.WithTimeout(c.t.Context(), time.Minute)
	defer cancel()
	e, err := cloud.AwaitEntry(ctx, c.Folder, matches)
	if err != nil {
		c.t.Fatal(err)
	}
	return e
}
