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
	"sync"
	"syscall"
	"time"

	"dec.local/dec/internal/api"
	"dec.local/dec/internal/buildinfo"
	"dec.local/dec/internal/client"
	"dec.local/dec/internal/guard"
	"dec.local/dec/internal/httpapi"
	"dec.local/dec/internal/orchestrator"
	"dec.local/dec/internal/yamltext"
	"dec.local/dec/ui"
)

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

// goodbye is how long answers that are under way may take when a server ends.
const goodbye = 5 * time.Second

// ServiceOptions configures a [Service].
type ServiceOptions struct {
	Listen    string        // address, such as 127.0.0.1:8080
	PublicURL string        // where others reach it; its address if empty
	TokenFile string        // the admin token; token in the data folder if empty
	Keep      time.Duration // experiments that ended longer ago are removed; none if zero
	Exits     bool          // a granted drain ends it
}

// Service is a server that answers calls and executes what is queued.
type Service struct {
	URL   string // where clients of this machine reach it
	Token string

	server   *Server
	options  ServiceOptions
	guard    *guard.Guard
	listener net.Listener
	http     *http.Server
	calls    activity
	drained  chan struct{} // takes one value when a drain was granted
}

// ErrDrained is why a service ends after a drain was granted.
var ErrDrained = errors.New("the drain was granted")

// Listen makes the service of a server. Clients may call from now on; they are
// answered by [Service.Run].
func (s *Server) Listen(o ServiceOptions) (_ *Service, err error) {
	v := &Service{server: s, options: o, drained: make(chan struct{}, 1)}
	if v.Token, _, err = guard.LoadToken(cmp.Or(o.TokenFile, filepath.Join(s.folders.Data, client.TokenFile))); err != nil {
		return nil, err
	}
	hash := guard.Hash(v.Token)
	v.guard, err = guard.New(guard.Options{
		TokenHashes: func() [][sha256.Size]byte { return [][sha256.Size]byte{hash} },
		Sessions:    s.store.Sessions(), PublicURL: o.PublicURL, Open: httpapi.Open, Logger: s.Logger,
		MaxBody: yamltext.MaxBytes, // a plan is the largest body that any call takes
	})
	if err != nil {
		return nil, err
	}
	api := httpapi.Options{
		Store: s.store, Engine: s.Engine, Planner: s.planner, Field: s.field, Guard: v.guard, Hub: s.Hub, UI: ui.FS(),
		Metrics: s.metrics, Version: buildinfo.Version(), Compare: comparing(), Install: s.folders.Data, Logger: s.Logger,
	}
	if o.Exits {
		api.Exit = v.exit
	}
	handler, err := httpapi.New(api)
	if err != nil {
		return nil, err
	}
	if v.listener, err = net.Listen("tcp", o.Listen); err != nil {
		return nil, fmt.Errorf("listen: %w; name another address with --listen", err)
	}
	v.http = guard.Server(v.calls.wrap(v.guard.Wrap(handler)))
	v.URL = "http://" + reachable(v.listener.Addr())
	return v, nil
}

// exit ends the service after a granted drain. It does not block.
func (v *Service) exit() {
	select {
	case v.drained <- struct{}{}:
	default:
	}
}

// reachable is the address by which this machine reaches a listener.
func reachable(addr net.Addr) string {
	tcp, ok := addr.(*net.TCPAddr)
	if ok && tcp.IP.IsUnspecified() {
		return fmt.Sprintf("127.0.0.1:%d", tcp.Port)
	}
	return addr.String()
}

// SignIn is a link that logs one browser in, once, within ten minutes.
func (v *Service) SignIn() string {
	return strings.TrimSuffix(cmp.Or(v.options.PublicURL, v.URL), "/") + "/sign-in#code=" + v.guard.NewCode()
}

// Announce lets the commands of this machine find the service, until the
// returned function is called.
func (v *Service) Announce() (withdraw func(), err error) {
	path := filepath.Join(v.server.folders.Data, client.ServerFile)
	content, err := json.Marshal(api.ServerFile{URL: v.URL, PID: os.Getpid()})
	if err != nil {
		return nil, fmt.Errorf("announce the server: %w", err)
	}
	temporary := path + ".new"
	if err := os.WriteFile(temporary, append(content, '\n'), 0o600); err != nil {
		return nil, fmt.Errorf("announce the server: %w", err)
	}
	if err := os.Rename(temporary, path); err != nil {
		return nil, fmt.Errorf("announce the server: %w", err)
	}
	return func() { os.Remove(path) }, nil
}

// Answer answers calls and looks after what has ended, but starts no run, until
// ctx ends.
func (v *Service) Answer(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	var work sync.WaitGroup
	defer work.Wait()
	defer cancel() // before the wait
	s := v.server
	work.Go(func() { s.concluder.run(ctx) })
	work.Go(func() { s.archive.run(ctx) })
	work.Go(func() {
		(&pruner{keep: v.options.Keep, prune: s.store.Prune, forget: s.field.Forget, logger: s.Logger}).run(ctx)
	})
	if s.notifier != nil {
		work.Go(func() { s.alarm(ctx) })
		work.Go(func() { s.logEnd(ctx, "notifications", s.notifier.Run(ctx)) })
	}
	work.Go(func() {
		s.logEnd(ctx, "waking by the database", s.store.Listen(ctx, func() { s.Hub.Wake(); s.Engine.Wake() }))
	})
	streams, endStreams := context.WithCancel(context.WithoutCancel(ctx))
	work.Go(func() { s.logEnd(streams, "events", s.Hub.Run(streams)) })
	defer endStreams()
	serving := make(chan error, 1)
	go func() { serving <- v.http.Serve(guard.Limit(v.listener, connections())) }()
	select {
	case err := <-serving:
		return fmt.Errorf("serve: %w", err)
	case <-ctx.Done():
	}
	endStreams() // or they would hold up the end
	last, done := context.WithTimeout(context.WithoutCancel(ctx), goodbye)
	defer done()
	if err := v.http.Shutdown(last); err != nil {
		s.Logger.Warn("some answers were cut off", "error", err)
		v.http.Close()
	}
	return context.Cause(ctx)
}

// logEnd says why something ended before its context did.
func (s *Server) logEnd(ctx context.Context, what string, err error) {
	if err != nil && ctx.Err() == nil {
		s.Logger.Error(what+" ended", "error", err)
	}
}

// Run answers calls and executes what is queued. When ctx ends, active runs are
// cancelled and destroyed before Run returns; queued runs stay queued. It returns
// the cause of that, [ErrDrained], or [orchestrator.ErrDetached].
func (v *Service) Run(ctx context.Context) error {
	working, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	go func() {
		select {
		case <-v.drained:
			stop(ErrDrained)
		case <-working.Done():
		}
	}()
	answering, quiet := context.WithCancelCause(context.WithoutCancel(ctx))
	answered := make(chan struct{})
	go func() {
		defer close(answered)
		if err := v.Answer(answering); answering.Err() == nil {
			stop(err) // without its API the server is of no use
		}
	}()
	err := v.server.Execute(working)
	quiet(err)
	if errors.Is(err, orchestrator.ErrDetached) {
		return err
	}
	<-answered
	return err
}

// Execute goes on where the last process left off, and then with the queue. When
// ctx ends, active runs are cancelled and destroyed before it returns the cause;
// queued runs stay queued.
func (s *Server) Execute(ctx context.Context) error {
	if err := s.store.ClearGranted(ctx); err != nil {
		return err
	}
	if err := s.TakeOver(ctx, s.notice); err != nil {
		return err
	}
	err := s.Engine.Run(ctx)
	if !errors.Is(err, orchestrator.ErrDetached) {
		s.Archive(ctx)
	}
	return err
}

// Archive puts what is kept of ended runs into the bucket, as far as that is
// possible now: what stays is taken up by the next start.
func (s *Server) Archive(ctx context.Context) { s.archive.last(ctx) }
