package kinesis_test

import (
	"encoding/hex"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"testing"
)

// call asks Kinesis for something, without an SDK. The answer is the body.
func call(t *testing.T, endpoint, operation, body string) string {
	t.Helper()
	request := newRequest(t, endpoint, operation, body)
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatalf("%s: %v", operation, err)
	}
	defer response.Body.Close()
	data, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode != http.StatusOK {
		t.Fatalf("%s: %s, %v\n%s", operation, response.Status, err, data)
	}
	return string(data)
}

func newRequest(t *testing.T, endpoint, operation, body string) *http.Request {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, endpoint, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/x-amz-json-1.1")
	request.Header.Set("X-Amz-Target", "Kinesis_20131202."+operation)
	request.Header.Set("X-Amz-Date", "20260101T000000Z")
	request.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/kinesis/aws4_request, SignedHeaders=host, Signature=0")
	return request
}

// await calls until the answer contains a text.
func await(t *testing.T, endpoint, operation, body, want string) {
	t.Helper()
	for !strings.Contains(call(t, endpoint, operation, body), want) {
	}
}

var engines = []string{"kinesalite", "kinesis-local"}

func TestEmulatorsListenOnTheLoopbackInterfaceAlone(t *testing.T) {
	for _, engine := range engines {
		t.Run(engine, func(t *testing.T) {
			at, err := url.Parse(endpoint(t, map[string]any{"engine": engine, "shard_limits": engine == "kinesalite"}))
			if err != nil {
				t.Fatal(err)
			}
			if at.Hostname() != "127.0.0.1" {
				t.Errorf("the endpoint is %s, want 127.0.0.1", at)
			}
			listening := listeners(t)
			if len(listening) < 2 { // kinesis-local has a second port
				t.Errorf("children of this test listen at %v, want two ports", listening)
			}
			for _, ip := range listening {
				if !ip.IsLoopback() {
					t.Errorf("a child of this test listens at %v, want the loopback interface", ip)
				}
			}
		})
	}
}

// listeners returns the addresses at which children of this process listen.
func listeners(t *testing.T) []net.IP {
	t.Helper()
	inodes := map[string]bool{}
	for _, child := range children(t) {
		files, err := os.ReadDir("/proc/" + child + "/fd")
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			link, err := os.Readlink("/proc/" + child + "/fd/" + file.Name())
			if inode, ok := strings.CutPrefix(link, "socket:["); err == nil && ok {
				inodes[strings.TrimSuffix(inode, "]")] = true
			}
		}
	}
	var found []net.IP
	for _, table := range []string{"/proc/net/tcp", "/proc/net/tcp6"} {
		data, err := os.ReadFile(table)
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(string(data)) {
			const listen = "0A"
			if f := strings.Fields(line); len(f) > 9 && f[3] == listen && inodes[f[9]] {
				found = append(found, hexIP(t, f[1]))
			}
		}
	}
	return found
}

// children returns the ids of the processes that this one has started.
func children(t *testing.T) []string {
	t.Helper()
	var ids []string
	threads, err := os.ReadDir("/proc/self/task")
	if err != nil {
		t.Fatal(err)
	}
	for _, thread := range threads {
		data, err := os.ReadFile(fmt.Sprintf("/proc/self/task/%s/children", thread.Name()))
		if err == nil { // a thread may have gone
			ids = append(ids, strings.Fields(string(data))...)
		}
	}
	return ids
}

// hexIP reads an address of /proc/net/tcp: words in the machine's order, which
// is little-endian, then the port.
func hexIP(t *testing.T, text string) net.IP {
	t.Helper()
	address, _, _ := strings.Cut(text, ":")
	ip, err := hex.DecodeString(address)
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(ip); i += 4 {
		ip[i], ip[i+1], ip[i+2], ip[i+3] = ip[i+3], ip[i+2], ip[i+1], ip[i]
	}
	return ip
}

// TestEmulatorsOutliveTheirClients breaks connections at every point: of that
// neither emulator must end.
func TestEmulatorsOutliveTheirClients(t *testing.T) {
	for _, engine := range engines {
		t.Run(engine, func(t *testing.T) {
			at := endpoint(t, map[string]any{"engine": engine})
			call(t, at, "CreateStream", `{"StreamName": "s", "ShardCount": 1000}`)
			await(t, at, "DescribeStreamSummary", `{"StreamName": "s"}`, `"ACTIVE"`)
			var whole strings.Builder
			put := fmt.Sprintf(`{"StreamName": "s", "Records": [{"PartitionKey": "k", "Data": "%s"}]}`, strings.Repeat("A", 100_000))
			if err := newRequest(t, at, "PutRecords", put).Write(&whole); err != nil {
				t.Fatal(err)
			}
			for i := range 40 {
				leave(t, at, whole.String()[:whole.Len()*(i%5)/4])
			}
			call(t, at, "PutRecords", put)
		})
	}
}

// leave connects, sends, and breaks the connection off without an answer.
func leave(t *testing.T, endpoint, sent string) {
	t.Helper()
	conn, err := net.Dial("tcp", strings.TrimPrefix(endpoint, "http://"))
	if err != nil {
		t.Fatalf("connect: %v", err)
	}
	if _, err := io.WriteString(conn, sent); err != nil {
		t.Fatalf("send: %v", err)
	}
	_ = conn.(*net.TCPConn).SetLinger(0)
	conn.Close()
}
