package main

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

	"dec.local/dec/technology/kinesis/limiter"
)

// limitsFile is where the stack kinesis/emulator writes what kinesis-limits does.
const limitsFile = "kinesis-limits.json"

// limitsConfig is what that file holds.
type limitsConfig struct {
	Listen   string         `json:"listen"`   // host and port
	Upstream string         `json:"upstream"` // the emulator's URL
	Limits   limiter.Limits `json:"limits"`   // Kinesis' own if absent
}

// limitKinesis stands in front of an emulator of Kinesis until ctx ends.
func limitKinesis(ctx context.Context, log *slog.Logger) error {
	data, err := os.ReadFile(limitsFile)
	if err != nil {
		return fmt.Errorf("read what to do: %w; %w", err, errUsage)
	}
	var config limitsConfig
	if err := json.Unmarshal(data, &config); err != nil {
		return fmt.Errorf("read %s: %w", limitsFile, err)
	}
	upstream, err := url.Parse(config.Upstream)
	if err != nil || upstream.Host == "" {
		return fmt.Errorf("the upstream %q in %s is no URL: write http://host:port", config.Upstream, limitsFile)
	}
	listener, err := net.Listen("tcp", config.Listen)
	if err != nil {
		return fmt.Errorf("listen as %s says: %w", limitsFile, err)
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
