package tofu_test

import (
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"dec.local/dec/internal/tofu"
)

// stateOf returns a state of that serial.
func stateOf(serial string) string {
	return `{"version":4,"serial":` + serial + `,"lineage":"l","outputs":{},"resources":[]}`
}

// serve starts the sidecar for an attempt and returns what it tells OpenTofu.
func serve(t *testing.T, attempt string) map[string]string {
	t.Helper()
	arg, err := json.Marshal(map[string]string{"attempt": attempt, "lineage": "r1"})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	env, err := tofu.Sidecars()["state"](ctx, string(arg))
	if err != nil {
		cancel()
		t.Fatal(err)
	}
	t.Cleanup(cancel)
	return env
}

// call makes one request and returns status and body.
func call(t *testing.T, env map[string]string, method, body string, change func(*http.Request)) (int, string) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, env["TF_HTTP_ADDRESS"], strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	request.SetBasicAuth(env["TF_HTTP_USERNAME"], env["TF_HTTP_PASSWORD"])
	if change != nil {
		change(request)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	data, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, string(data)
}

// kept returns the names of the states of an attempt.
func kept(t *testing.T, attempt string) []string {
	t.Helper()
	entries, err := os.ReadDir(filepath.Join(attempt, "state"))
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, entry := range entries {
		names = append(names, entry.Name())
	}
	return names
}

func TestBackendKeepsEachVersion(t *testing.T) {
	attempt := t.TempDir()
	env := serve(t, attempt)
	if status, body := call(t, env, "GET", "", nil); status != 200 || !strings.Contains(body, `"lineage":"r1"`) {
		t.Errorf("first GET = %d %s, want an empty state of the run's lineage", status, body)
	}
	for _, serial := range []string{"1", "2"} {
		if status, body := call(t, env, "POST", stateOf(serial), nil); status != 200 {
			t.Errorf("POST = %d %s, want 200", status, body)
		}
	}
	if _, body := call(t, env, "GET", "", nil); body != stateOf("2") {
		t.Errorf("GET = %s, want the newest", body)
	}
	if diff := cmp.Diff([]string{"0.json", "1.json", "2.json"}, kept(t, attempt)); diff != "" {
		t.Errorf("states (-want +got):\n%s", diff)
	}
}

func TestBackendRefuses(t *testing.T) {
	attempt := t.TempDir()
	env := serve(t, attempt)
	tests := map[string]struct {
		method, body string
		change       func(*http.Request)
		want         int
	}{
		"a wrong password":     {"GET", "", func(r *http.Request) { r.SetBasicAuth("dec", "x") }, 401},
		"no password":          {"GET", "", func(r *http.Request) { r.Header.Del("Authorization") }, 401},
		"a broken state":       {"POST", stateOf("7")[:20], nil, 400},
		"something else":       {"POST", `{}`, nil, 400},
		"a state of wrong MD5": {"POST", stateOf("7"), func(r *http.Request) { r.Header.Set("Content-MD5", "AAAA") }, 400},
		"a purge":              {"DELETE", "", nil, 405},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if status, body := call(t, env, tt.method, tt.body, tt.change); status != tt.want {
				t.Errorf("%s = %d %s, want %d", tt.method, status, body, tt.want)
			}
		})
	}
	if diff := cmp.Diff([]string{"0.json"}, kept(t, attempt)); diff != "" {
		t.Errorf("states (-want +got):\n%s", diff)
	}
}

func TestBackendDropsATornState(t *testing.T) {
	attempt := t.TempDir()
	env := serve(t, attempt)
	address, err := url.Parse(env["TF_HTTP_ADDRESS"])
	if err != nil {
		t.Fatal(err)
	}
	request, err := http.NewRequest("POST", address.String(), nil)
	if err != nil {
		t.Fatal(err)
	}
	request.SetBasicAuth(env["TF_HTTP_USERNAME"], env["TF_HTTP_PASSWORD"])
	conn, err := net.Dial("tcp", address.Host)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	// A whole state by itself, of a body that was to be longer.
	head := "POST / HTTP/1.1\r\nHost: x\r\nAuthorization: " + request.Header.Get("Authorization") + "\r\nContent-Length: 1000\r\n\r\n"
	if _, err := io.WriteString(conn, head+stateOf("7")); err != nil {
		t.Fatal(err)
	}
	if err := conn.(*net.TCPConn).CloseWrite(); err != nil {
		t.Fatal(err)
	}
	if answer, err := io.ReadAll(conn); err != nil || !strings.Contains(string(answer), "400") {
		t.Errorf("answer to a torn state = %q, %v, want 400", answer, err)
	}
	if diff := cmp.Diff([]string{"0.json"}, kept(t, attempt)); diff != "" {
		t.Errorf("states (-want +got):\n%s", diff)
	}
}
