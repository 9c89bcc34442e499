package kinesis_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strings"
	"testing"

	"dec.local/dec/internal/experiment"
	"dec.local/dec/technology"
)

const (
	fullBatch    = 500
	fastVariable = "KINESIS_TEST_SERVES"
)

// TestLargeRequestsAreSentOnce has a Kinesis in a process of its own that answers
// as soon as it has the last byte: when the SDK closes a body that net/http still
// looks at.
func TestLargeRequestsAreSentOnce(t *testing.T) {
	if os.Getenv(fastVariable) != "" {
		serveFast(t)
		return
	}
	const requests = 400
	b := connectTo(t, fmt.Appendf(nil, `{"region": "us-east-1", "endpoint": %q, "emulator": "fast 1.0"}`, startFast(t)), setup{config: `{"linger_ms": 60000}`})
	p := b.producer()
	m := technology.Message{Payload: make([]byte, 1024), Partition: 0}
	for i := range fullBatch * requests {
		if err := p.Send(t.Context(), uint64(i), m); err != nil {
			t.Fatalf("Send() = %v, want no error", err)
		}
	}
	flush(t, p)
	b.checkAcks(fullBatch * requests)
	if n := b.count(experiment.RetriedSends); n != 0 {
		t.Errorf("retried_sends = %d, want none: nothing was refused", n)
	}
}

// startFast runs this test as a server and returns its URL.
func startFast(t *testing.T) string {
	t.Helper()
	command := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^"+t.Name()+"$")
	command.Env = append(os.Environ(), fastVariable+"=1")
	stdin, err := command.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := command.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := command.Start(); err != nil {
		t.Fatalf("start the server: %v", err)
	}
	t.Cleanup(func() {
		stdin.Close()
		_ = command.Wait()
	})
	line, err := bufio.NewReader(stdout).ReadString('\n')
	if err != nil {
		t.Fatalf("read the server's address: %v", err)
	}
	return strings.TrimSpace(line)
}

// serveFast serves until standard input ends.
func serveFast(t *testing.T) {
	f := startFake(t, 1)
	one, err := json.Marshal(object{"SequenceNumber": "1", "ShardId": "shardId-000000000000"})
	if err != nil {
		t.Fatal(err)
	}
	taken := `{"Records": [` + strings.TrimSuffix(strings.Repeat(string(one)+",", fullBatch), ",") + `]}`
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !strings.HasSuffix(r.Header.Get("X-Amz-Target"), ".PutRecords") {
			f.serve(w, r)
			return
		}
		_, _ = io.Copy(io.Discard, r.Body)
		_, _ = io.WriteString(w, taken)
	}))
	fmt.Println(server.URL)
	_, _ = io.Copy(io.Discard, os.Stdin)
	server.CloseClientConnections()
	server.Close()
}
