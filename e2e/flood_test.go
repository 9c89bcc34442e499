package e2e

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"dec.local/dec/internal/api"
)

// TestServerOfFewFilesStaysReachable shows that connections leave enough files
// for a run.
func TestServerOfFewFilesStaysReachable(t *testing.T) {
	t.Parallel()
	w := newInstallation(t)
	w.files = 1024
	s := w.serve()
	id := s.post(tinyPlan("few files"))
	s.connections(t, id, 2000)
	if e := s.awaitEnd(id); e.Runs.Succeeded < 1 {
		t.Errorf("the experiment = %+v, want it succeeded", e.Runs)
	}
	s.stop(syscall.SIGTERM)
	w.assertNothingLeft()
}

// largeBodies sends bodies of 100 MB, of known and of unknown length, from
// clients who may and from clients who may not.
func (s *server) largeBodies(t *testing.T) {
	before := s.memory(t)
	var sending sync.WaitGroup
	for range 3 {
		for name, length := range map[string]string{"known": "Content-Length: 104857600", "unknown": "Transfer-Encoding: chunked"} {
			for _, path := range []string{"/experiments", "/session", "/shutdown"} {
				sending.Go(func() {
					if status := s.flood(t, path, length, "Authorization: Bearer "+s.token); status != http.StatusRequestEntityTooLarge {
						t.Errorf("POST %s with 100 MB of %s length = %d, want 413", path, name, status)
					}
				})
			}
			sending.Go(func() {
				if status := s.flood(t, "/experiments", length, "X-Nothing: 1"); status != http.StatusUnauthorized && status != http.StatusRequestEntityTooLarge {
					t.Errorf("POST with 100 MB of %s length and no token = %d, want 401 or 413", name, status)
				}
			})
		}
	}
	sending.Wait()
	after := s.memory(t)
	t.Logf("most memory of the server: %d MiB before, %d MiB after", before>>20, after>>20)
	if after-before > 64<<20 {
		t.Errorf("the server's memory grew by %d MiB", (after-before)>>20)
	}
}

// flood sends 100 MB, or as much as the server takes, and returns the status.
func (s *server) flood(t *testing.T, path, length, header string) int {
	conn, err := net.Dial("tcp", strings.TrimPrefix(s.url, "http://"))
	if err != nil {
		t.Error(err)
		return 0
	}
	defer conn.Close()
	fmt.Fprintf(conn, "POST %s%s HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n%s\r\n%s\r\n\r\n", api.Prefix, path, length, header)
	var writing sync.WaitGroup
	defer writing.Wait()
	defer conn.Close() // before the wait
	writing.Go(func() {
		piece := []byte("{\"name\": \"" + strings.Repeat("x", 1<<20-13) + "\"}\n")
		chunked := strings.Contains(length, "chunked")
		for range 100 {
			if chunked {
				fmt.Fprintf(conn, "%x\r\n", len(piece))
			}
			if _, err := conn.Write(piece); err != nil {
				return // the server has closed: as it should
			}
			if chunked {
				io.WriteString(conn, "\r\n")
			}
		}
	})
	response, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Errorf("POST %s, %s: %v", path, length, err)
		return 0
	}
	defer response.Body.Close()
	return response.StatusCode
}

// memory is the most that the server ever had resident, in bytes.
func (s *server) memory(t *testing.T) int64 {
	t.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", s.cmd.Process.Pid))
	if err != nil {
		t.Fatal(err)
	}
	var kib int64
	_, rest, found := strings.Cut(string(status), "VmHWM:")
	if _, err := fmt.Sscanf(rest, "%d kB", &kib); !found || err != nil {
		t.Fatalf("no VmHWM in %s", status)
	}
	return kib << 10
}

// connections holds many connections open and 200 bodies back.
func (s *server) connections(t *testing.T, id string, want int) {
	const spare = 500 // files that the test has open besides
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		t.Fatal(err)
	}
	if limit.Cur < uint64(want+spare) {
		limit.Cur = limit.Max
		if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
			t.Log(err)
		}
		if limit.Cur < uint64(want+spare) {
			want = int(limit.Cur) - spare
			t.Logf("%d connections, as only %d files may be open", want, limit.Cur)
		}
	}
	before := s.memory(t)
	held := &conns{server: s}
	defer held.close()
	for i := range 200 {
		header := "X-Nothing: 1"
		if i%2 == 0 {
			header = "Authorization: Bearer " + s.token
		}
		held.open(t, fmt.Sprintf("POST %s/experiments HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n%s\r\n\r\n{", api.Prefix, header))
	}
	s.stillAnswers(t, id)
	for i := range want {
		held.open(t, []string{"", "G", "GET / HTTP/1.1\r\nHost: localhost\r\n"}[i%3])
		if i%1000 == 999 {
			s.stillAnswers(t, id)
		}
	}
	s.stillAnswers(t, id)
	after := s.memory(t)
	t.Logf("%d connections; most memory of the server: %d MiB before, %d MiB after", len(held.list), before>>20, after>>20)
	if after-before > 256<<20 {
		t.Errorf("the server's memory grew by %d MiB", (after-before)>>20)
	}
}

// stillAnswers makes the calls of a legitimate client, on connections of its own.
func (s *server) stillAnswers(t *testing.T, id string) {
	t.Helper()
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: time.Minute}
	for _, path := range []string{"/readyz", "/metrics", api.Prefix + "/experiments/" + id, api.Prefix + "/runs"} {
		request, err := http.NewRequestWithContext(t.Context(), "GET", s.url+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		s.authorize(request)
		response, err := client.Do(request)
		if err != nil {
			t.Fatalf("a legitimate client's GET %s: %v", path, err)
		}
		_, err = io.Copy(io.Discard, response.Body)
		if err = errors.Join(err, response.Body.Close()); err != nil || response.StatusCode != http.StatusOK {
			t.Errorf("a legitimate client's GET %s = %s, %v", path, response.Status, err)
		}
	}
}

// conns are connections that only take room.
type conns struct {
	server *server
	list   []net.Conn
}

func (c *conns) open(t *testing.T, say string) {
	t.Helper()
	conn, err := net.Dial("tcp", strings.TrimPrefix(c.server.url, "http://"))
	if err != nil {
		t.Fatalf("connection %d: %v", len(c.list), err)
	}
	c.list = append(c.list, conn)
	if _, err := io.WriteString(conn, say); err != nil {
		t.Logf("connection %d: %v", len(c.list), err)
	}
}

func (c *conns) close() {
	for _, conn := range c.list {
		conn.Close()
	}
}
