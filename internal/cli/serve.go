package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"os"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/lmittmann/tint"
	"golang.org/x/sys/unix"

	"dec.local/dec/internal/datadir"
	"dec.local/dec/internal/experiment"
	"dec.local/dec/internal/server"
)

// serveCmd is the server.
type serveCmd struct {
	Config configFile `help:"YAML file of these flags by name. Flags and environment variables take precedence." placeholder:"FILE" env:"DEC_CONFIG"`

	Listen         string `help:"Address to listen on. Default: 127.0.0.1:8080." default:"127.0.0.1:8080" env:"DEC_LISTEN" placeholder:"HOST:PORT"`
	PublicURL      string `help:"Public address of the server, such as https://dec.example.com." env:"DEC_PUBLIC_URL" placeholder:"URL"`
	AdminTokenFile string `help:"Admin token, created if missing. Default: token in the data folder." env:"DEC_ADMIN_TOKEN_FILE" placeholder:"FILE"`

	TargetSlots map[string]int `help:"Maximum concurrent runs, by target; kept on Postgres." env:"DEC_TARGET_SLOTS" placeholder:"TARGET=N" mapsep:","`

	NotifyURL        string `help:"Webhook to notify of leaks, stuck destroys and ended experiments." env:"DEC_NOTIFY_URL" placeholder:"URL"`
	NotifySecretFile string `help:"Webhook's signing secret: 'whsec_' and 24 to 64 bytes in base64." env:"DEC_NOTIFY_SECRET_FILE" placeholder:"FILE"`

	Keep  keepFor       `help:"Time to keep experiments after they end, such as 90d. Default: forever." env:"DEC_KEEP" placeholder:"DURATION"`
	Lease time.Duration `hidden:"" env:"DEC_LEASE"` // for tests of what servers of one database do for each other; 30 s if zero

	LogFormat string `help:"Log format on stderr: text, json or auto (text on a terminal)." enum:"auto,text,json" default:"auto" env:"DEC_LOG_FORMAT"`
}

// Run serves until a drain was granted or a signal came.
func (c *serveCmd) Run(ctx context.Context, env *Env, f *datadir.Folders) error {
	if err := c.checkSlots(env); err != nil {
		return usage(err)
	}
	handler := c.handler(env.Stderr)
	o := server.Options{Folders: f, Targets: env.Targets, Slots: c.TargetSlots, Log: handler, Lease: c.Lease}
	if c.NotifyURL != "" {
		secret, err := c.notifySecret(env)
		if err == nil {
			o.Notifier, err = server.NewNotifier(c.NotifyURL, secret, slog.New(handler))
		}
		if err != nil {
			return usage(err)
		}
	}
	s, err := openFree(ctx, env, f, o)
	if err != nil {
		return err
	}
	defer s.Close()
	if err := s.CheckBucket(ctx); err != nil {
		return err
	}
	if err := s.Listen(server.ListenOptions{
		Address: c.Listen, PublicURL: c.PublicURL, TokenFile: c.AdminTokenFile, Keep: time.Duration(c.Keep), Announce: true, Exits: true,
	}); errors.Is(err, server.ErrPublicURL) {
		return usage(fmt.Errorf("--public-url: %w", err))
	} else if err != nil {
		return err
	}
	fmt.Fprintf(env.Stdout, "DEC is running at %s (data folder %s)\nSign in (once, within 10 minutes): %s\n", s.URL, f.Data, s.SignIn())
	return c.runUntilSignal(ctx, env, s)
}

// checkSlots refuses slots of targets that are not there, and numbers with which
// no run would start.
func (c *serveCmd) checkSlots(env *Env) error {
	var known []string
	for _, t := range env.Targets {
		known = append(known, t.Name)
	}
	for _, name := range slices.Sorted(maps.Keys(c.TargetSlots)) {
		if !slices.Contains(known, name) {
			return fmt.Errorf("--target-slots %s: there is no such target; known targets: %s", name, strings.Join(known, ", "))
		}
		if n := c.TargetSlots[name]; n < 1 {
			return fmt.Errorf("--target-slots %s=%d: must be at least 1", name, n)
		}
	}
	return nil
}

// runUntilSignal runs the server. The first signal ends it in order, the second at
// once.
func (c *serveCmd) runUntilSignal(ctx context.Context, env *Env, s *server.Server) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	over := make(chan struct{})
	defer close(over)
	stopSignal := &signalled{}
	go func() {
		for range 2 {
			select {
			case stopSignal.signal = <-env.Interrupts:
			case <-over:
				return
			}
			if ctx.Err() != nil {
				s.Logger.Warn("exiting immediately", "signal", signalName(stopSignal.signal))
				s.Detach()
				return
			}
			s.Logger.Warn("shutting down: active runs are cancelled and destroyed; signal again to exit immediately",
				"signal", signalName(stopSignal.signal))
			cancel(stopSignal)
		}
	}()
	err := s.Run(ctx, server.Execute)
	switch {
	case errors.Is(err, server.ErrDrained):
		s.Logger.Info("the server stopped after the drain")
		return nil
	case errors.Is(err, server.ErrDetached):
		return &exitError{code: exitInterrupted, err: errors.New(
			"exited immediately. What is still running stops at its deadline (limits.ttl). " +
				"The next start follows a load to its end and destroys the rest; 'dec reconcile' destroys everything now")}
	case errors.Is(err, stopSignal) && stopSignal.signal == syscall.SIGTERM:
		s.Logger.Info("the server stopped")
		return nil
	case errors.Is(err, stopSignal):
		s.Logger.Info("the server stopped")
		return &exitError{code: exitInterrupted}
	}
	return err
}

// signalled is why a service ends that got a signal.
type signalled struct{ signal os.Signal }

func (s *signalled) Error() string { return "the server was told to stop" }

// signalName is what people call a signal, such as SIGTERM; logs in JSON have its
// number otherwise.
func signalName(s os.Signal) string {
	if number, ok := s.(syscall.Signal); ok {
		return unix.SignalName(number)
	}
	return s.String()
}

// handler writes the log for whoever reads standard error.
func (c *serveCmd) handler(out io.Writer) slog.Handler {
	if c.LogFormat == "json" || c.LogFormat == "auto" && !isTerminal(out) {
		return slog.NewJSONHandler(out, nil)
	}
	return tint.NewTextHandler(out, &tint.Options{TimeFormat: time.TimeOnly, NoColor: !isTerminal(out)})
}

// notifySecret is what signs the webhook's messages.
func (c *serveCmd) notifySecret(env *Env) (string, error) {
	secret := env.Getenv("DEC_NOTIFY_SECRET")
	if secret != "" || c.NotifySecretFile == "" {
		return secret, nil
	}
	text, err := os.ReadFile(c.NotifySecretFile)
	if err != nil {
		return "", fmt.Errorf("--notify-secret-file: %w", err)
	}
	return strings.TrimSpace(string(text)), nil
}

// keepFor is a length of time in which days may stand: 90d, 36h.
type keepFor time.Duration

// UnmarshalText reads what [experiment.ParseDuration] reads, or days.
func (k *keepFor) UnmarshalText(text []byte) error {
	var days float64
	if n, err := fmt.Sscanf(string(text)+" .", "%fd .", &days); n == 1 && err == nil && days > 0 {
		*k = keepFor(days * 24 * float64(time.Hour))
		return nil
	}
	d, err := experiment.ParseDuration(string(text))
	if err != nil {
		return fmt.Errorf("%w, or days such as 90d", err)
	}
	*k = keepFor(d)
	return nil
}
