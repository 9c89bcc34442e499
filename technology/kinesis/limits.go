package kinesis

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"os"
	"time"

	"dec.local/dec/technology"
	"dec.local/dec/technology/kinesis/limiter"
)

// limitsProgram is what the stack emulator puts before its emulator.
var limitsProgram = technology.Program{
	Name: "kinesis-limits",
	Help: "enforce the limits of a Kinesis shard on the clients of an\n" +
		"emulator, as configured in " + limitsFile + " in its working folder",
	Run: runLimits,
}

// limitsFile is where the stack emulator writes what kinesis-limits does.
const limitsFile = "kinesis-limits.json"

// limitsConfig is what that file holds.
type limitsConfig struct {
	Listen   string         `json:"listen"`   // host and port
	Upstream string         `json:"upstream"` // the emulator's URL
	Limits   limiter.Limits `json:"limits"`   // those of Kinesis if absent
}

// runLimits stands in front of an emulator of Kinesis until ctx ends.
func runLimits(ctx context.Context, log *slog.Logger) error {
	data, err := os.ReadFile(limitsFile)
	if err != nil {
		return fmt.Errorf("read the arguments: %w; %w", err, technology.ErrUsage)
	}
	var config limitsConfig
	if err := json.Unmarshal(data, &config); err != nil {
		return fmt.Errorf("read %s: %w", limitsFile, err)
	}
	upstream, err := url.Parse(config.Upstream)
	if err != nil || upstream.Host == "" {
		return fmt.Errorf("the upstream %q in %s is not a URL: use http://host:port", config.Upstream, limitsFile)
	}
	listener, err := net.Listen("tcp", config.Listen)
	if err != nil {
		return fmt.Errorf("listen as configured in %s: %w", limitsFile, err)
	}
	limits := limiter.New(limiter.Options{Upstream: upstream, Limits: config.Limits, Logger: log})
	defer limits.Close()
	server := &http.Server{Handler: limits, ReadHeaderTimeout: 10 * time.Second, ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelWarn)}
	defer context.AfterFunc(ctx, func() { server.Close() })()
	log.Info("kinesis-limits listens on "+listener.Addr().String(), "upstream", config.Upstream)
	if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serve on %s: %w", config.Listen, err)
	}
	return nil
}
