package tofu

import (
	"context"
	"crypto/md5"
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"sync"
	"time"

	"dec.local/dec/internal/supervise"
)

// sidecarName is the name of the state backend among a main's sidecars.
const sidecarName = "state"

// Sidecars are what a program that runs OpenTofu hands to [supervise.Main].
func Sidecars() map[string]supervise.Sidecar {
	return map[string]supervise.Sidecar{sidecarName: serveState}
}

// backendArg is the sidecar's argument.
type backendArg struct {
	Attempt string `json:"attempt"`        // the attempt's folder, which the states are kept in
	Base    string `json:"base,omitempty"` // file of the state to begin with; an empty state if empty
	Lineage string `json:"lineage"`        // of an empty state
}

// backend is OpenTofu's http backend for exactly one attempt. It has no lock:
// the attempt's life is the lock.
type backend struct {
	attempt  string
	user     string
	password string

	mu     sync.Mutex
	newest []byte // guarded by mu
}

// serveState is the sidecar "state". It keeps each version of the attempt's
// state as a file, on a loopback port of its own, behind a password of its own
// that only the environment of the child holds.
func serveState(ctx context.Context, arg string) (map[string]string, error) {
	var a backendArg
	if err := json.Unmarshal([]byte(arg), &a); err != nil {
		return nil, fmt.Errorf("read the state backend's argument: %w", err)
	}
	b := &backend{attempt: a.Attempt, user: "dec", password: rand.Text()}
	base := emptyState(a.Lineage)
	if a.Base != "" {
		var err error
		if base, err = os.ReadFile(a.Base); err != nil {
			return nil, fmt.Errorf("read the attempt's first state: %w", err)
		}
	}
	if err := b.keep(base); err != nil {
		return nil, fmt.Errorf("save the attempt's first state: %w", err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("open a port for the state backend: %w", err)
	}
	server := &http.Server{Handler: b, ReadHeaderTimeout: 10 * time.Second}
	release := supervise.Hold(ctx)
	go func() {
		defer release()
		_ = server.Serve(listener) // returns when the server is shut down
	}()
	context.AfterFunc(ctx, func() {
		// A state that has arrived whole is worth waiting for.
		uncancelled, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
		defer cancel()
		_ = server.Shutdown(uncancelled)
	})
	return map[string]string{
		// A backend on the loopback is there or is gone for good: to wait for it
		// would delay an interrupted OpenTofu for each of its resources.
		"TF_HTTP_RETRY_MAX":      "2",
		"TF_HTTP_RETRY_WAIT_MIN": "0",
		"TF_HTTP_RETRY_WAIT_MAX": "1",
		"TF_HTTP_ADDRESS":        "http://" + listener.Addr().String() + "/",
		"TF_HTTP_USERNAME":       b.user,
		"TF_HTTP_PASSWORD":       b.password,
	}, nil
}

// ServeHTTP speaks OpenTofu's http backend protocol: GET and POST of the state.
func (b *backend) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	user, password, _ := r.BasicAuth()
	if subtle.ConstantTimeCompare([]byte(user+":"+password), []byte(b.user+":"+b.password)) != 1 {
		http.Error(w, "wrong password", http.StatusUnauthorized)
		return
	}
	switch r.Method {
	case http.MethodGet:
		b.mu.Lock()
		defer b.mu.Unlock()
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write(b.newest) // a client that is gone needs no answer
	case http.MethodPost:
		if status, err := b.receive(r); err != nil {
			http.Error(w, err.Error(), status)
		}
	default:
		http.Error(w, "only GET and POST", http.StatusMethodNotAllowed)
	}
}

// receive keeps a state that was sent whole.
func (b *backend) receive(r *http.Request) (status int, err error) {
	data, err := io.ReadAll(r.Body)
	if err != nil {
		return http.StatusBadRequest, fmt.Errorf("the state arrived incomplete: %w", err)
	}
	sum := md5.Sum(data)
	if want := r.Header.Get("Content-MD5"); want != "" && want != base64.StdEncoding.EncodeToString(sum[:]) {
		return http.StatusBadRequest, fmt.Errorf("the state's MD5 is not %s", want)
	}
	if _, err := parseState(data); err != nil {
		return http.StatusBadRequest, err
	}
	if err := b.keep(data); err != nil {
		return http.StatusInternalServerError, err
	}
	return http.StatusOK, nil
}

// keep stores one version.
func (b *backend) keep(data []byte) error {
	c, err := parseState(data)
	if err != nil {
		return err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if err := saveState(b.attempt, c.Serial, data); err != nil {
		return err
	}
	b.newest = data
	return nil
}
