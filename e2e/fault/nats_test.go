package fault

import (
	"bufio"
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"dec.local/dec/internal/experiment"
	"dec.local/dec/internal/measure"
	"dec.local/dec/technology/technologytest"
)

func TestFaultsOnTheWireOfNATS(t *testing.T) {
	const variant = `{"label": "nats", "technology": "nats", "stack": "jetstream", "client_config": %s}`
	endpoints := technologytest.Start(t, "nats", "jetstream", nil)
	tests := map[string]struct {
		copies int    // of the target message that reach the consumer, the first time
		damage bool   // one bit of it is wrong then
		config string // client_config
		passes int64  // how often the target passes the proxy at least: again when it is redelivered, or read again after the drain
		want   outcome
	}{
		"nothing happens": {
			copies: 1, passes: 1,
			want: outcome{Counts: measure.Counts{Received: offered}},
		},
		"a dropped message is undelivered: the server still has it": {
			copies: 0, config: `{"consumer_ack": "none"}`, passes: 2,
			want: outcome{Counts: measure.Counts{Received: offered - 1, Undelivered: 1}, Lost: []uint64{targetSeq}},
		},
		"a dropped message is redelivered when it was not acknowledged": {
			copies: 0, config: `{"ack_wait_ms": 1000}`, passes: 2,
			want: outcome{Counts: measure.Counts{Received: offered, Reordered: 1}},
		},
		"a repeated message is a duplicate": {
			copies: 2, passes: 1,
			want: outcome{Counts: measure.Counts{Received: offered + 1, Duplicates: 1}},
		},
		"a damaged message is corrupt, and undelivered since the intact one never came": {
			copies: 1, damage: true, passes: 2,
			want: outcome{Counts: measure.Counts{Received: offered - 1, Corrupt: 1, Undelivered: 1}, Lost: []uint64{targetSeq}},
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			id := experiment.NewID("r")
			p := &natsProxy{t: t, run: measure.RunHash(id), copies: tt.copies, damage: tt.damage}
			r := run{id: id, variant: fmt.Sprintf(variant, cmp.Or(tt.config, "{}")), endpoints: p.start(endpoints)}
			got := r.offer(t.Context(), t)
			// On a slow machine the server may send it again, and the drain may
			// end before all have reported, so that it is read again.
			if n := p.intercepted.Load(); n < tt.passes {
				t.Errorf("the proxy saw message %d %d times, want at least %d", targetSeq, n, tt.passes)
			}
			tt.want.Counts = exactly(tt.want.Counts)
			got.check(t, tt.want)
		})
	}
}

// natsProxy passes on everything but one message on its first way to the consumer.
type natsProxy struct {
	t           *testing.T
	run         uint64 // of measure.RunHash
	copies      int    // of the target message that are passed on
	damage      bool   // flips a bit of it
	intercepted atomic.Int64
}

// start returns the endpoints with the proxy in the server's place.
func (p *natsProxy) start(endpoints json.RawMessage) json.RawMessage {
	p.t.Helper()
	var e map[string]any
	if err := json.Unmarshal(endpoints, &e); err != nil {
		p.t.Fatal(err)
	}
	servers, ok := e["servers"].([]any)
	if !ok || len(servers) != 1 {
		p.t.Fatalf("the endpoints are %s, want one server", endpoints)
	}
	listener := listen(p.t)
	proxy(p.t, listener, strings.TrimPrefix(fmt.Sprint(servers[0]), "nats://"), p.relay)
	e["servers"] = []string{"nats://" + listener.Addr().String()}
	through, err := json.Marshal(e)
	if err != nil {
		p.t.Fatal(err)
	}
	return through
}

func (p *natsProxy) relay(client, server net.Conn) {
	var sending sync.WaitGroup
	sending.Go(func() {
		defer server.Close()
		io.Copy(server, client) // fails when one of them has ended
	})
	p.deliver(client, bufio.NewReader(server))
	client.Close()
	sending.Wait()
}

// deliver passes on what the server says. Only MSG and HMSG have more than
// their line: the payload, headers before it, and the end of a line. The line
// of both ends with the length of all that, and that of HMSG has the length of
// the headers before it.
func (p *natsProxy) deliver(client io.Writer, server *bufio.Reader) {
	for {
		frame, err := server.ReadBytes('\n')
		if err != nil {
			return // the server has ended
		}
		copies := 1
		if words := bytes.Fields(frame); len(words) > 0 && bytes.HasSuffix(words[0], []byte("MSG")) {
			length, err := strconv.Atoi(string(words[len(words)-1]))
			if err != nil {
				p.t.Errorf("the server says %q, want a message's length at its end", frame)
				return
			}
			body := make([]byte, length+len("\r\n"))
			if _, err := io.ReadFull(server, body); err != nil {
				return
			}
			if string(words[0]) == "MSG" { // DEC sends no headers
				copies = p.intercept(body[:length])
			}
			frame = append(frame, body...)
		}
		for range copies {
			if _, err := client.Write(frame); err != nil {
				return
			}
		}
	}
}

// intercept returns how many copies of a message are passed on. It may damage it.
func (p *natsProxy) intercept(payload []byte) (copies int) {
	h, kind := measure.ParseHeader(payload, p.run)
	if kind != measure.Intact || h.Seq != targetSeq {
		return 1
	}
	if p.intercepted.Add(1) > 1 {
		return 1
	}
	if p.damage {
		payload[len(payload)/2] ^= 1
	}
	return p.copies
}
