package client

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"

	"dec.local/dec/internal/api"
)

// Catalog returns what can be compared on the server.
func (c *Client) Catalog(ctx context.Context) (api.Catalog, error) {
	return get[api.Catalog](ctx, c, "catalog", nil)
}

// Inventory returns all that exists on the server's targets.
func (c *Client) Inventory(ctx context.Context) (api.Inventory, error) {
	return get[api.Inventory](ctx, c, "inventory", nil)
}

// Session returns who the caller is.
func (c *Client) Session(ctx context.Context) (api.Session, error) {
	return get[api.Session](ctx, c, "session", nil)
}

// RequestShutdown asks the server to end when no run is active: the state is
// ready when it does, and says what it waits for otherwise. Asked again, the
// request stays in force.
func (c *Client) RequestShutdown(ctx context.Context, exit bool) (api.Shutdown, error) {
	body, err := json.Marshal(map[string]any{"mode": api.ShutdownDrain, "exit": exit})
	if err != nil {
		return api.Shutdown{}, fmt.Errorf("request the shutdown: %w", err)
	}
	answer, err := c.do(ctx, call{method: http.MethodPost, path: "shutdown", body: body,
		header: http.Header{"Content-Type": {"application/json"}}})
	if problem, ok := errors.AsType[*Problem](err); ok && problem.Status == http.StatusConflict {
		var deferred api.Shutdown
		if json.Unmarshal(problem.Body, &deferred) == nil && deferred.State != "" {
			return deferred, nil
		}
	}
	return decode[api.Shutdown](answer, err)
}

// Shutdown returns where a shutdown stands, after at most wait, in whole seconds, when it is not
// ready before.
func (c *Client) Shutdown(ctx context.Context, wait time.Duration) (api.Shutdown, error) {
	query := values()
	if wait > 0 {
		query.Set("wait", fmt.Sprintf("%ds", int(wait.Seconds())))
	}
	return get[api.Shutdown](ctx, c, "shutdown", query)
}

// CancelShutdown takes a shutdown back.
func (c *Client) CancelShutdown(ctx context.Context) error {
	return discard(c.do(ctx, call{method: http.MethodDelete, path: "shutdown"}))
}

// AwaitEnd returns when the server answers no more, or an error when it still
// does after the given time.
func (c *Client) AwaitEnd(ctx context.Context, atMost time.Duration) error {
	probe := *c
	probe.retries = 0
	for over := time.Now().Add(atMost); time.Now().Before(over); {
		if _, err := probe.Session(ctx); Unreachable(err) && ctx.Err() == nil {
			return nil
		}
		if err := sleep(ctx, c.pause); err != nil {
			return err
		}
	}
	return fmt.Errorf("the server %s still answers %s after it announced its exit", c.URL(), atMost)
}
