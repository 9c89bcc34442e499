package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"dec.local/dec/internal/client"
	"dec.local/dec/internal/datadir"
	"dec.local/dec/internal/server"
)

// serverFlags are the flags that name a server.
type serverFlags struct {
	Server    string `help:"Address of the server to call. Default: the server running on the data folder." env:"DEC_SERVER" placeholder:"URL"`
	TokenFile string `help:"File that holds the server's token; DEC_TOKEN takes precedence." env:"DEC_TOKEN_FILE" placeholder:"FILE"`
}

// find returns the server that is named, or that works on the data folder. It is
// false when none is.
func (r *serverFlags) find(ctx context.Context, env *Env, f *datadir.Folders) (*client.Client, bool, error) {
	token := env.Getenv("DEC_TOKEN")
	if token == "" && r.TokenFile != "" {
		var err error
		if token, err = client.ReadToken(r.TokenFile); err != nil {
			return nil, false, err
		}
	}
	if r.Server == "" {
		return client.Discover(ctx, f.Data, client.Options{Token: token})
	}
	if token == "" {
		return nil, false, usage(fmt.Errorf("--server %s needs the server's token: set DEC_TOKEN, or name its file with --token-file", r.Server))
	}
	c, err := client.New(client.Options{URL: r.Server, Token: token})
	if err != nil {
		return nil, false, usage(err)
	}
	return c, true, nil
}

// errNone says that there is nobody to ask.
var errNone = errors.New("no server is running on this data folder; start one with 'dec serve', or name one with --server URL")

// ask calls do with a server. Where none works on the data folder, this command
// is one while it lasts, which starts no run: what was stored can be read without
// a server.
func (r *serverFlags) ask(ctx context.Context, env *Env, f *datadir.Folders, do func(*client.Client) error) error {
	c, found, err := r.find(ctx, env, f)
	switch {
	case err != nil:
		return err
	case found:
		return do(c)
	case !f.Used():
		return fmt.Errorf("%s holds no experiments yet, and %w", f.Data, errNone)
	}
	s, err := server.Open(ctx, server.Options{Folders: f, Targets: env.Targets})
	if err != nil {
		return err
	}
	defer s.Close()
	if err := s.Listen(server.ListenOptions{Address: anyPort}); err != nil {
		return err
	}
	answering, cancel := context.WithCancel(ctx)
	ended := make(chan error, 1)
	go func() { ended <- s.Run(answering, server.Answer) }()
	defer func() {
		cancel()
		<-ended // says that it was cancelled
	}()
	if c, err = dial(s); err != nil {
		return err
	}
	return do(c)
}

// anyPort is the address of a server that only this machine calls.
const anyPort = "127.0.0.1:0"

// dial returns a client of a server of this process.
func dial(s *server.Server) (*client.Client, error) {
	return client.New(client.Options{URL: s.URL, Token: s.Token})
}

// startupTimeout is how long a data folder may be held without a server that answers:
// one that starts needs a moment, and so does a command that reads.
const startupTimeout = 5 * time.Second

// openFree opens a data folder as its server. While another process holds it that is
// no server, it waits a moment.
func openFree(ctx context.Context, env *Env, f *datadir.Folders, o server.Options) (*server.Server, error) {
	return whenStarted(env, func() (*server.Server, bool, error) {
		s, err := server.Open(ctx, o)
		if _, inUse := errors.AsType[*datadir.InUseError](err); !inUse {
			return s, true, err
		}
		_, found, _ := client.Discover(ctx, f.Data, client.Options{})
		return nil, found, err
	})
}

// whenStarted tries again until it is settled, for as long as a server may take to
// start. It returns the last result; an interrupt ends it.
func whenStarted[T any](env *Env, try func() (result T, settled bool, err error)) (T, error) {
	deadline := time.NewTimer(startupTimeout)
	defer deadline.Stop()
	ticker := time.NewTicker(100 * time.Millisecond)
	defer ticker.Stop()
	for {
		result, settled, err := try()
		if settled {
			return result, err
		}
		select {
		case <-env.Interrupts:
			return result, &exitError{code: exitInterrupted}
		case <-deadline.C:
			return result, err
		case <-ticker.C:
		}
	}
}

// server returns the server that is named, or that works on the data folder, or
// an error.
func (r *serverFlags) server(ctx context.Context, env *Env, f *datadir.Folders) (*client.Client, error) {
	c, found, err := r.find(ctx, env, f)
	if !found {
		return nil, cmp.Or(err, errNone)
	}
	return c, err
}
