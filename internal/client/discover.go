package client

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"dec.local/dec/internal/api"
)

// The files of a data folder by which commands find its server.
const (
	ServerFile = "server.json" // an [api.ServerFile]
	TokenFile  = "token"
)

// patience is how long a server of this machine may take to say who it is.
const patience = 3 * time.Second

// Discover returns a client of the server that works on a data folder of this
// machine, and false when none does: there is no file, or what it names does not
// answer as the folder's server. A server that refuses the token is an error, if the
// process that wrote the file is alive.
func Discover(ctx context.Context, data string, o Options) (*Client, bool, error) {
	content, err := os.ReadFile(filepath.Join(data, ServerFile))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, false, nil
	} else if err != nil {
		return nil, false, fmt.Errorf("find the server of %s: %w", data, err)
	}
	var found api.ServerFile
	if json.Unmarshal(content, &found) != nil {
		return nil, false, nil // half of a file that a crash left
	}
	o.URL = found.URL
	if o.Token == "" {
		if o.Token, err = ReadToken(filepath.Join(data, TokenFile)); err != nil {
			return nil, false, err
		}
	}
	c, err := New(o)
	if err != nil {
		return nil, false, nil //nolint:nilerr // an address that is none belongs to no server
	}
	probe := *c
	probe.retries = 0
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	session, err := probe.Session(ctx)
	if problem, ok := errors.AsType[*Problem](err); ok && problem.Status == http.StatusUnauthorized && alive(found.PID) {
		return nil, false, fmt.Errorf("the server %s of the data folder %s refused the call: %w", found.URL, data, err)
	}
	if err != nil || session.Install != data {
		return nil, false, nil //nolint:nilerr // a file that a killed server left, or another program at its port
	}
	return c, true, nil
}

// alive reports whether there is a process of that id.
func alive(pid int) bool {
	err := syscall.Kill(pid, 0)
	return pid > 0 && (err == nil || errors.Is(err, syscall.EPERM))
}

// ReadToken reads a token from its file.
func ReadToken(path string) (string, error) {
	content, err := os.ReadFile(path)
	if err != nil {
		return "", fmt.Errorf("read the token: %w", err)
	}
	token := strings.TrimSpace(string(content))
	if token == "" {
		return "", fmt.Errorf("the token file %s is empty", path)
	}
	return token, nil
}
