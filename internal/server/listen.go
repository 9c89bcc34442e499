package server

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"dec.local/dec/internal/api"
	"dec.local/dec/internal/buildinfo"
	"dec.local/dec/internal/client"
	"dec.local/dec/internal/guard"
	"dec.local/dec/internal/httpapi"
	"dec.local/dec/internal/yamltext"
	"dec.local/dec/ui"
)

// ErrPublicURL is what the error of [Server.Listen] matches when the public URL is
// none.
var ErrPublicURL = guard.ErrPublicURL

// ListenOptions configures what a server answers.
type ListenOptions struct {
	Address   string        // such as 127.0.0.1:8080
	PublicURL string        // where others reach it; its address if empty
	TokenFile string        // the admin token; token in the data folder if empty
	Keep      time.Duration // experiments that ended longer ago are removed; none if zero
	Announce  bool          // commands on this machine find it, until it ends
	Exits     bool          // a granted drain ends it
}

// front is what clients of a server meet.
type front struct {
	options  ListenOptions
	guard    *guard.Guard
	listener net.Listener
	http     *http.Server
	calls    activity
	drained  chan struct{} // takes one value when a drain was granted
	file     string        // by which commands find the server; "" if they do not
}

// Listen lets clients call from now on; [Server.Run] answers them.
func (s *Server) Listen(o ListenOptions) (err error) {
	f := &front{options: o, drained: make(chan struct{}, 1)}
	if s.Token, _, err = guard.LoadToken(cmp.Or(o.TokenFile, filepath.Join(s.folders.Data, client.TokenFile))); err != nil {
		return err
	}
	hash := guard.Hash(s.Token)
	f.guard, err = guard.New(guard.Options{
		TokenHashes: func() [][sha256.Size]byte { return [][sha256.Size]byte{hash} },
		Sessions:    s.store.Sessions(), PublicURL: o.PublicURL, Open: httpapi.Open, Logger: s.Logger,
		MaxBody: yamltext.MaxBytes, // a plan is the largest body that any call takes
	})
	if err != nil {
		return err
	}
	handler, err := s.handler(f)
	if err != nil {
		return err
	}
	if f.listener, err = net.Listen("tcp", o.Address); err != nil {
		return fmt.Errorf("listen: %w; choose another address with --listen", err)
	}
	f.http = guard.Server(f.calls.wrap(f.guard.Wrap(handler)))
	s.URL, s.front = "http://"+reachable(f.listener.Addr()), f
	s.Logger.Info("serving", "address", s.URL, "data", s.folders.Data, "version", buildinfo.Version())
	if !o.Announce {
		return nil
	}
	f.file = filepath.Join(s.folders.Data, client.ServerFile)
	return announce(f.file, s.URL)
}

// handler is the API with the page.
func (s *Server) handler(f *front) (http.Handler, error) {
	o := httpapi.Options{
		Store: s.store, Engine: s.engine, Planner: s.planner, Evidence: s.evidence, Inventory: s.inventory(), Guard: f.guard, Hub: s.hub, UI: ui.FS(),
		Metrics: s.metrics, Version: buildinfo.Version(), Compare: comparing(s.places, s.Logger), Install: s.folders.Data, Logger: s.Logger,
	}
	if f.options.Exits {
		o.Exit = f.exit
	}
	return httpapi.New(o)
}

// exit ends the server after a granted drain. It does not block.
func (f *front) exit() {
	select {
	case f.drained <- struct{}{}:
	default:
	}
}

// close stops listening; it is no error if it was stopped before.
func (f *front) close() error {
	if err := f.listener.Close(); err != nil && !errors.Is(err, net.ErrClosed) {
		return err
	}
	return nil
}

// withdraw makes commands find no server any more.
func (f *front) withdraw() {
	if f.file != "" {
		os.Remove(f.file)
	}
}

// SignIn is a link that logs one browser in, once, within ten minutes.
func (s *Server) SignIn() string {
	return strings.TrimSuffix(cmp.Or(s.front.options.PublicURL, s.URL), "/") + "/sign-in#code=" + s.front.guard.NewCode()
}

// announce writes the file by which the commands of this machine find the server.
func announce(path, url string) error {
	content, err := json.Marshal(api.ServerFile{URL: url, PID: os.Getpid()})
	if err != nil {
		return fmt.Errorf("announce the server: %w", err)
	}
	temporary := path + ".new"
	if err := os.WriteFile(temporary, append(content, '\n'), 0o600); err != nil {
		return fmt.Errorf("announce the server: %w", err)
	}
	if err := os.Rename(temporary, path); err != nil {
		return fmt.Errorf("announce the server: %w", err)
	}
	return nil
}

// reachable is the address by which this machine reaches a listener.
func reachable(addr net.Addr) string {
	tcp, ok := addr.(*net.TCPAddr)
	if ok && tcp.IP.IsUnspecified() {
		return fmt.Sprintf("127.0.0.1:%d", tcp.Port)
	}
	return addr.String()
}

// maxConnections bounds the open connections of one server.
const maxConnections = 4096

// connections is how many connections may be open: at most half of the files
// that this process may open, or they would take those that its runs need.
func connections() int {
	var files syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &files); err != nil {
		return maxConnections
	}
	return int(min(maxConnections, files.Cur/2))
}

// shutdownTimeout is how long answers that are under way may take when a server
// ends.
const shutdownTimeout = 5 * time.Second

// serve answers calls until ctx ends.
func (f *front) serve(ctx context.Context, onEnd func()) error {
	serving := make(chan error, 1)
	go func() { serving <- f.http.Serve(guard.Limit(f.listener, connections())) }()
	select {
	case err := <-serving:
		return fmt.Errorf("serve: %w", err)
	case <-ctx.Done():
	}
	onEnd()
	last, done := context.WithTimeout(context.WithoutCancel(ctx), shutdownTimeout)
	defer done()
	if err := f.http.Shutdown(last); err != nil {
		f.http.Close()
		return fmt.Errorf("some responses were cut off: %w", err)
	}
	return nil
}
