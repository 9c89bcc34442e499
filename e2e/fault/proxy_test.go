package fault

import (
	"context"
	"net"
	"sync"
	"testing"
)

// listen opens a port of this machine for a proxy.
func listen(t *testing.T) net.Listener {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return listener
}

// proxy takes connections from the listener until the end of the test, and lets
// relay pass on what each side says until one of them has ended.
func proxy(t *testing.T, listener net.Listener, broker string, relay func(client, broker net.Conn)) {
	ctx := t.Context() // ends before the cleanups begin
	serve := func(client net.Conn) {
		defer client.Close()
		var dialer net.Dialer
		server, err := dialer.DialContext(ctx, "tcp", broker)
		if err != nil {
			return // the broker still starts: the client tries again
		}
		defer server.Close()
		stop := context.AfterFunc(ctx, func() {
			client.Close()
			server.Close()
		})
		defer stop()
		relay(client, server)
	}
	var running sync.WaitGroup
	running.Go(func() {
		for {
			client, err := listener.Accept()
			if err != nil {
				return // closed
			}
			running.Go(func() { serve(client) })
		}
	})
	t.Cleanup(func() {
		listener.Close()
		running.Wait()
	})
}
